//! libuv's status codes.
//!
//! Numbers are those of libuv on Linux, whatever the host runs on: negated errno values where there
//! is one, and libuv's own numbers otherwise. The host names the codes that its calls answer with,
//! and sends a number for any other.

use std::fmt;

use crate::imports::types::{Error as RawError, ErrorCode as RawCode};
use crate::message;

/// A status code, as libuv's `UV_E…`: a number, a name and a message.
///
/// The codes are constants that can be matched on.
///
/// ```
/// use uv_handles::StatusCode;
///
/// let code = StatusCode::EAGAIN;
/// assert_eq!(code.code(), -11);
/// assert_eq!(code.name(), "EAGAIN");
/// assert_eq!(code.message(), "resource temporarily unavailable");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(i32);

macro_rules! status_codes {
    ($($name:ident $(($raw:ident))? = $code:literal, $message:literal;)*) => {
        impl StatusCode {
            /// Success, 0. No error carries it; it stands for the absence of one.
            pub const SUCCESS: Self = Self(0);
            $(
                #[doc = concat!($message, ", ", stringify!($code))]
                pub const $name: Self = Self($code);
            )*

            /// All codes but [`SUCCESS`](Self::SUCCESS), in libuv's order.
            pub const ERRORS: &[Self] = &[$(Self::$name),*];

            /// The name as `uv_err_name` gives it, for example `"EAGAIN"`; `"SUCCESS"` for 0.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    _ => "SUCCESS",
                }
            }

            /// The message as `uv_strerror` gives it, for example
            /// `"resource temporarily unavailable"`; `"success"` for 0.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                    _ => "success",
                }
            }

            /// The status code with this number, if there is one.
            ///
            /// ```
            /// # use uv_handles::StatusCode;
            /// assert_eq!(StatusCode::from_code(-22), Some(StatusCode::EINVAL));
            /// assert_eq!(StatusCode::from_code(22), None);
            /// ```
            pub const fn from_code(code: i32) -> Option<Self> {
                match code {
                    0 $(| $code)* => Some(Self(code)),
                    _ => None,
                }
            }
        }

        impl From<RawCode> for StatusCode {
            fn from(code: RawCode) -> Self {
                match code {
                    $($(RawCode::$raw => Self::$name,)?)*
                }
            }
        }
    };
}

status_codes! {
    E2BIG = -7, "argument list too long";
    EACCES(Eacces) = -13, "permission denied";
    EADDRINUSE(Eaddrinuse) = -98, "address already in use";
    EADDRNOTAVAIL(Eaddrnotavail) = -99, "address not available";
    EAFNOSUPPORT(Eafnosupport) = -97, "address family not supported";
    EAGAIN(Eagain) = -11, "resource temporarily unavailable";
    EAI_ADDRFAMILY = -3000, "address family not supported";
    EAI_AGAIN = -3001, "temporary failure";
    EAI_BADFLAGS = -3002, "bad ai_flags value";
    EAI_BADHINTS = -3013, "invalid value for hints";
    EAI_CANCELED = -3003, "request canceled";
    EAI_FAIL = -3004, "permanent failure";
    EAI_FAMILY = -3005, "ai_family not supported";
    EAI_MEMORY = -3006, "out of memory";
    EAI_NODATA = -3007, "no address";
    EAI_NONAME = -3008, "unknown node or service";
    EAI_OVERFLOW = -3009, "argument buffer overflow";
    EAI_PROTOCOL = -3014, "resolved protocol is unknown";
    EAI_SERVICE = -3010, "service not available for socket type";
    EAI_SOCKTYPE = -3011, "socket type not supported";
    EALREADY(Ealready) = -114, "connection already in progress";
    EBADF(Ebadf) = -9, "bad file descriptor";
    EBUSY(Ebusy) = -16, "resource busy or locked";
    ECANCELED(Ecanceled) = -125, "operation canceled";
    ECHARSET = -4080, "invalid Unicode character";
    ECONNABORTED(Econnaborted) = -103, "software caused connection abort";
    ECONNREFUSED(Econnrefused) = -111, "connection refused";
    ECONNRESET(Econnreset) = -104, "connection reset by peer";
    EDESTADDRREQ(Edestaddrreq) = -89, "destination address required";
    EEXIST(Eexist) = -17, "file already exists";
    EFAULT = -14, "bad address in system call argument";
    EFBIG = -27, "file too large";
    EHOSTUNREACH(Ehostunreach) = -113, "host is unreachable";
    EINTR(Eintr) = -4, "interrupted system call";
    EINVAL(Einval) = -22, "invalid argument";
    EIO(Eio) = -5, "i/o error";
    EISCONN(Eisconn) = -106, "socket is already connected";
    EISDIR = -21, "illegal operation on a directory";
    ELOOP = -40, "too many symbolic links encountered";
    EMFILE(Emfile) = -24, "too many open files";
    EMSGSIZE(Emsgsize) = -90, "message too long";
    ENAMETOOLONG(Enametoolong) = -36, "name too long";
    ENETDOWN(Enetdown) = -100, "network is down";
    ENETUNREACH(Enetunreach) = -101, "network is unreachable";
    ENFILE(Enfile) = -23, "file table overflow";
    ENOBUFS(Enobufs) = -105, "no buffer space available";
    ENODEV(Enodev) = -19, "no such device";
    ENOENT(Enoent) = -2, "no such file or directory";
    ENOMEM(Enomem) = -12, "not enough memory";
    ENONET = -64, "machine is not on the network";
    ENOPROTOOPT = -92, "protocol not available";
    ENOSPC = -28, "no space left on device";
    ENOSYS(Enosys) = -38, "function not implemented";
    ENOTCONN(Enotconn) = -107, "socket is not connected";
    ENOTDIR = -20, "not a directory";
    ENOTEMPTY = -39, "directory not empty";
    ENOTSOCK(Enotsock) = -88, "socket operation on non-socket";
    ENOTSUP(Enotsup) = -95, "operation not supported on socket";
    EOVERFLOW = -75, "value too large for defined data type";
    EPERM(Eperm) = -1, "operation not permitted";
    EPIPE(Epipe) = -32, "broken pipe";
    EPROTO(Eproto) = -71, "protocol error";
    EPROTONOSUPPORT = -93, "protocol not supported";
    EPROTOTYPE = -91, "protocol wrong type for socket";
    ERANGE(Erange) = -34, "result too large";
    EROFS = -30, "read-only file system";
    ESHUTDOWN(Eshutdown) = -108, "cannot send after transport endpoint shutdown";
    ESPIPE = -29, "invalid seek";
    ESRCH = -3, "no such process";
    ETIMEDOUT(Etimedout) = -110, "connection timed out";
    ETXTBSY = -26, "text file is busy";
    EXDEV = -18, "cross-device link not permitted";
    UNKNOWN = -4094, "unknown error";
    EOF = -4095, "end of file";
    ENXIO = -6, "no such device or address";
    EMLINK = -31, "too many links";
    EHOSTDOWN = -112, "host is down";
    EREMOTEIO = -121, "remote I/O error";
    ENOTTY = -25, "inappropriate ioctl for device";
    EFTYPE = -4028, "inappropriate file type or format";
    EILSEQ = -84, "illegal byte sequence";
    ESOCKTNOSUPPORT = -94, "socket type not supported";
    ENODATA = -61, "no data available";
    EUNATCH = -49, "protocol driver not attached";
    ENOEXEC = -8, "exec format error";
}

/// The error of an event. Its handle and its loop are not closed; if the host says so, that is
/// unknown.
impl From<RawError> for StatusCode {
    fn from(error: RawError) -> Self {
        match error {
            RawError::Code(code) => code.into(),
            RawError::Other(code) => Self::from_other(code),
            RawError::HandleClosed | RawError::LoopClosed => Self::UNKNOWN,
        }
    }
}

impl StatusCode {
    /// The code of an error that the host tells by its number: [`UNKNOWN`](Self::UNKNOWN) if libuv
    /// has none with that number.
    fn from_other(code: i32) -> Self {
        Self::from_code(code).filter(|&code| code != Self::SUCCESS).unwrap_or(Self::UNKNOWN)
    }

    /// The number: 0 for success, negative for an error.
    pub const fn code(self) -> i32 {
        self.0
    }
}

/// So that `?` passes a status on in callbacks that can fail.
impl std::error::Error for StatusCode {}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Name and message: `EAGAIN: resource temporarily unavailable`.
impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        message::write_all(f, [self.name(), ": ", self.message()])
    }
}

#[cfg(test)]
mod tests {
    use super::{RawCode, RawError, StatusCode};
    use std::collections::HashSet;

    #[test]
    fn every_code_has_a_number_and_a_name_of_its_own() {
        let codes: HashSet<i32> = StatusCode::ERRORS.iter().map(|c| c.code()).collect();
        let names: HashSet<&str> = StatusCode::ERRORS.iter().map(|c| c.name()).collect();
        assert_eq!(StatusCode::ERRORS.len(), 85);
        assert_eq!((codes.len(), names.len()), (85, 85));
        assert!(codes.iter().all(|&code| code < 0));
    }

    #[test]
    fn numbers_are_those_of_linux_and_of_libuv() {
        let expected = [
            (StatusCode::SUCCESS, 0),
            (StatusCode::EPERM, -1),
            (StatusCode::EBADF, -9),
            (StatusCode::EBUSY, -16),
            (StatusCode::EPIPE, -32),
            (StatusCode::ENOTSUP, -95),
            (StatusCode::EREMOTEIO, -121),
            (StatusCode::EAI_ADDRFAMILY, -3000),
            (StatusCode::EAI_PROTOCOL, -3014),
            (StatusCode::EFTYPE, -4028),
            (StatusCode::ECHARSET, -4080),
            (StatusCode::UNKNOWN, -4094),
            (StatusCode::EOF, -4095),
        ];
        for (status, code) in expected {
            assert_eq!(status.code(), code, "{status}");
        }
    }

    #[test]
    fn a_number_is_found_again() {
        assert_eq!(StatusCode::from_code(0), Some(StatusCode::SUCCESS));
        for &status in StatusCode::ERRORS {
            assert_eq!(StatusCode::from_code(status.code()), Some(status));
        }
        assert_eq!(StatusCode::from_code(-9999), None);
    }

    #[test]
    fn names_and_messages_are_shown() {
        assert_eq!(StatusCode::EAI_AGAIN.to_string(), "EAI_AGAIN: temporary failure");
        assert_eq!(format!("{:?}", StatusCode::EAI_AGAIN), "EAI_AGAIN");
        assert_eq!(StatusCode::SUCCESS.to_string(), "SUCCESS: success");
    }

    #[test]
    fn errors_of_the_host_have_their_code() {
        for (error, expected) in [
            (RawError::Code(RawCode::Ebadf), StatusCode::EBADF),
            (RawError::Other(-112), StatusCode::EHOSTDOWN),
            (RawError::Other(-9), StatusCode::EBADF),
            (RawError::Other(-9999), StatusCode::UNKNOWN),
            (RawError::Other(0), StatusCode::UNKNOWN),
            (RawError::Other(22), StatusCode::UNKNOWN),
            (RawError::HandleClosed, StatusCode::UNKNOWN),
        ] {
            assert_eq!(StatusCode::from(error), expected, "{error:?}");
        }
    }
}
