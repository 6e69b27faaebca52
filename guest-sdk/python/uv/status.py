"""Status codes: the reason why a call was refused, or a poll handle stopped."""

from __future__ import annotations

from enum import IntEnum


class StatusCode(IntEnum):
    """libuv's status codes, with their values on Linux: 0 is success, errors are negative.

    Each has a ``name``, as ``uv_err_name`` returns it, and a `message`.
    """

    SUCCESS = 0
    """Success."""

    E2BIG = -7
    EACCES = -13
    EADDRINUSE = -98
    EADDRNOTAVAIL = -99
    EAFNOSUPPORT = -97
    EAGAIN = -11
    EAI_ADDRFAMILY = -3000
    EAI_AGAIN = -3001
    EAI_BADFLAGS = -3002
    EAI_BADHINTS = -3013
    EAI_CANCELED = -3003
    EAI_FAIL = -3004
    EAI_FAMILY = -3005
    EAI_MEMORY = -3006
    EAI_NODATA = -3007
    EAI_NONAME = -3008
    EAI_OVERFLOW = -3009
    EAI_PROTOCOL = -3014
    EAI_SERVICE = -3010
    EAI_SOCKTYPE = -3011
    EALREADY = -114
    EBADF = -9
    EBUSY = -16
    ECANCELED = -125
    ECHARSET = -4080
    ECONNABORTED = -103
    ECONNREFUSED = -111
    ECONNRESET = -104
    EDESTADDRREQ = -89
    EEXIST = -17
    EFAULT = -14
    EFBIG = -27
    EHOSTUNREACH = -113
    EINTR = -4
    EINVAL = -22
    EIO = -5
    EISCONN = -106
    EISDIR = -21
    ELOOP = -40
    EMFILE = -24
    EMSGSIZE = -90
    ENAMETOOLONG = -36
    ENETDOWN = -100
    ENETUNREACH = -101
    ENFILE = -23
    ENOBUFS = -105
    ENODEV = -19
    ENOENT = -2
    ENOMEM = -12
    ENONET = -64
    ENOPROTOOPT = -92
    ENOSPC = -28
    ENOSYS = -38
    ENOTCONN = -107
    ENOTDIR = -20
    ENOTEMPTY = -39
    ENOTSOCK = -88
    ENOTSUP = -95
    EOVERFLOW = -75
    EPERM = -1
    EPIPE = -32
    EPROTO = -71
    EPROTONOSUPPORT = -93
    EPROTOTYPE = -91
    ERANGE = -34
    EROFS = -30
    ESHUTDOWN = -108
    ESPIPE = -29
    ESRCH = -3
    ETIMEDOUT = -110
    ETXTBSY = -26
    EXDEV = -18
    UNKNOWN = -4094
    EOF = -4095
    ENXIO = -6
    EMLINK = -31
    EHOSTDOWN = -112
    EREMOTEIO = -121
    ENOTTY = -25
    EFTYPE = -4028
    EILSEQ = -84
    ESOCKTNOSUPPORT = -94
    ENODATA = -61
    EUNATCH = -49
    ENOEXEC = -8

    @property
    def message(self) -> str:
        """The message that ``uv_strerror`` returns, for example ``"resource busy or locked"``."""
        return _MESSAGES[self]


_MESSAGES = {
    StatusCode.SUCCESS: "success",
    StatusCode.E2BIG: "argument list too long",
    StatusCode.EACCES: "permission denied",
    StatusCode.EADDRINUSE: "address already in use",
    StatusCode.EADDRNOTAVAIL: "address not available",
    StatusCode.EAFNOSUPPORT: "address family not supported",
    StatusCode.EAGAIN: "resource temporarily unavailable",
    StatusCode.EAI_ADDRFAMILY: "address family not supported",
    StatusCode.EAI_AGAIN: "temporary failure",
    StatusCode.EAI_BADFLAGS: "bad ai_flags value",
    StatusCode.EAI_BADHINTS: "invalid value for hints",
    StatusCode.EAI_CANCELED: "request canceled",
    StatusCode.EAI_FAIL: "permanent failure",
    StatusCode.EAI_FAMILY: "ai_family not supported",
    StatusCode.EAI_MEMORY: "out of memory",
    StatusCode.EAI_NODATA: "no address",
    StatusCode.EAI_NONAME: "unknown node or service",
    StatusCode.EAI_OVERFLOW: "argument buffer overflow",
    StatusCode.EAI_PROTOCOL: "resolved protocol is unknown",
    StatusCode.EAI_SERVICE: "service not available for socket type",
    StatusCode.EAI_SOCKTYPE: "socket type not supported",
    StatusCode.EALREADY: "connection already in progress",
    StatusCode.EBADF: "bad file descriptor",
    StatusCode.EBUSY: "resource busy or locked",
    StatusCode.ECANCELED: "operation canceled",
    StatusCode.ECHARSET: "invalid Unicode character",
    StatusCode.ECONNABORTED: "software caused connection abort",
    StatusCode.ECONNREFUSED: "connection refused",
    StatusCode.ECONNRESET: "connection reset by peer",
    StatusCode.EDESTADDRREQ: "destination address required",
    StatusCode.EEXIST: "file already exists",
    StatusCode.EFAULT: "bad address in system call argument",
    StatusCode.EFBIG: "file too large",
    StatusCode.EHOSTUNREACH: "host is unreachable",
    StatusCode.EINTR: "interrupted system call",
    StatusCode.EINVAL: "invalid argument",
    StatusCode.EIO: "i/o error",
    StatusCode.EISCONN: "socket is already connected",
    StatusCode.EISDIR: "illegal operation on a directory",
    StatusCode.ELOOP: "too many symbolic links encountered",
    StatusCode.EMFILE: "too many open files",
    StatusCode.EMSGSIZE: "message too long",
    StatusCode.ENAMETOOLONG: "name too long",
    StatusCode.ENETDOWN: "network is down",
    StatusCode.ENETUNREACH: "network is unreachable",
    StatusCode.ENFILE: "file table overflow",
    StatusCode.ENOBUFS: "no buffer space available",
    StatusCode.ENODEV: "no such device",
    StatusCode.ENOENT: "no such file or directory",
    StatusCode.ENOMEM: "not enough memory",
    StatusCode.ENONET: "machine is not on the network",
    StatusCode.ENOPROTOOPT: "protocol not available",
    StatusCode.ENOSPC: "no space left on device",
    StatusCode.ENOSYS: "function not implemented",
    StatusCode.ENOTCONN: "socket is not connected",
    StatusCode.ENOTDIR: "not a directory",
    StatusCode.ENOTEMPTY: "directory not empty",
    StatusCode.ENOTSOCK: "socket operation on non-socket",
    StatusCode.ENOTSUP: "operation not supported on socket",
    StatusCode.EOVERFLOW: "value too large for defined data type",
    StatusCode.EPERM: "operation not permitted",
    StatusCode.EPIPE: "broken pipe",
    StatusCode.EPROTO: "protocol error",
    StatusCode.EPROTONOSUPPORT: "protocol not supported",
    StatusCode.EPROTOTYPE: "protocol wrong type for socket",
    StatusCode.ERANGE: "result too large",
    StatusCode.EROFS: "read-only file system",
    StatusCode.ESHUTDOWN: "cannot send after transport endpoint shutdown",
    StatusCode.ESPIPE: "invalid seek",
    StatusCode.ESRCH: "no such process",
    StatusCode.ETIMEDOUT: "connection timed out",
    StatusCode.ETXTBSY: "text file is busy",
    StatusCode.EXDEV: "cross-device link not permitted",
    StatusCode.UNKNOWN: "unknown error",
    StatusCode.EOF: "end of file",
    StatusCode.ENXIO: "no such device or address",
    StatusCode.EMLINK: "too many links",
    StatusCode.EHOSTDOWN: "host is down",
    StatusCode.EREMOTEIO: "remote I/O error",
    StatusCode.ENOTTY: "inappropriate ioctl for device",
    StatusCode.EFTYPE: "inappropriate file type or format",
    StatusCode.EILSEQ: "illegal byte sequence",
    StatusCode.ESOCKTNOSUPPORT: "socket type not supported",
    StatusCode.ENODATA: "no data available",
    StatusCode.EUNATCH: "protocol driver not attached",
    StatusCode.ENOEXEC: "exec format error",
}
