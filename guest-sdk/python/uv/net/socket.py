"""The sockets of scripts: ``socket.socket`` in the sandbox."""

from __future__ import annotations

import errno
import itertools
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar
from weakref import WeakValueDictionary, finalize

from .address import FAMILIES
from .errors import call, failed
from .tcp import Tcp
from .udp import Udp
from .wait import block

_T = TypeVar("_T")

_FIRST_NUMBER = 1 << 30
"""Numbers from here on are sockets. Descriptors that the host granted have lower ones."""

_numbers = itertools.count(_FIRST_NUMBER)
_by_number: WeakValueDictionary[int, Socket]


class Socket(socket.socket):
    """A TCP or UDP socket on WASI's network, with the members of Python's sockets.

    The host grants addresses: ``PermissionError`` for any other. Calls block, or not, as
    ``setblocking`` and ``settimeout`` say. The asyncio loop takes sockets; ``select`` does not.
    """

    # The members of Python's class that are written in C never get a descriptor here: each is
    # replaced, or answers EBADF.

    def __init__(
        self,
        family: int = -1,
        type: int = -1,
        proto: int = -1,
        fileno: Any = None,
        *,
        _endpoint: Tcp | None = None,
    ) -> None:
        if fileno is not None:
            raise failed(errno.ENOTSUP, "a socket of a descriptor")
        # Python's class would set these.
        self._io_refs = 0
        self._closed = False
        self._family = socket.AF_INET if family == -1 else family
        self._type = socket.SOCK_STREAM if type == -1 else type
        if self._family not in FAMILIES:
            raise failed(errno.EAFNOSUPPORT)
        self._proto = 0 if proto == -1 else proto
        self._options: dict[tuple[int, int], Any] = {}
        default = socket.getdefaulttimeout()
        self._timeout = default
        self._endpoint: Tcp | Udp
        if _endpoint is not None:
            self._endpoint = _endpoint
        elif self._type == socket.SOCK_STREAM:
            self._endpoint = Tcp(self._family)
        elif self._type == socket.SOCK_DGRAM:
            self._endpoint = Udp(self._family)
        else:
            raise failed(errno.EPROTONOSUPPORT)
        self._number = next(_numbers)
        _by_number[self._number] = self
        # The collector must not drop the host's resources in an order of its own.
        self._finalizer = finalize(self, self._endpoint.close)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"fd={self._number}, laddr={self.getsockname()}"
        return f"<socket.socket {state}, family={self._family}, type={self._type}>"

    @property
    def family(self) -> Any:
        """``socket.AF_INET`` or ``AF_INET6``."""
        return socket.AddressFamily(self._family)

    @property
    def type(self) -> Any:
        """``socket.SOCK_STREAM`` or ``SOCK_DGRAM``."""
        return socket.SocketKind(self._type)

    @property
    def proto(self) -> int:
        """The protocol, as it was passed."""
        return self._proto

    @property
    def timeout(self) -> float | None:
        """As `gettimeout`."""
        return self._timeout

    def fileno(self) -> int:
        """A number for the loop, -1 if it is closed. It is no number of a descriptor."""
        return -1 if self._closed and self._io_refs <= 0 else self._number

    # Blocking.

    def setblocking(self, flag: bool) -> None:
        """Whether calls block."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Whether calls block."""
        return self._timeout != 0

    def settimeout(self, value: float | None) -> None:
        """The seconds for which calls may block: 0 does not block, None is without limit."""
        if value is not None:
            value = float(value)
            if value < 0:
                raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> float | None:
        """The seconds for which calls may block."""
        return self._timeout

    def _waiting(self, writes: bool, function: Callable[..., _T], *args: Any) -> _T:
        """Calls a function, again and again until it does not answer EAGAIN."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            try:
                return function(*args)
            except BlockingIOError:
                if self._timeout == 0:
                    raise
            block([self._open().pollable(writes)], deadline)

    # Connections.

    def bind(self, address: Any) -> None:
        """Binds it to an address. ``PermissionError`` if the host does not grant it."""
        self._open().bind(address)

    def listen(self, backlog: int = 128) -> None:
        """Lets it listen."""
        self._open().listen(backlog)

    def accept(self) -> tuple[Socket, Any]:
        """Accepts a connection. Returns it and its peer's address."""
        endpoint: Tcp = self._waiting(False, self._open().accept)
        connection = Socket(self._family, self._type, self._proto, _endpoint=endpoint)
        if socket.getdefaulttimeout() is None and self._timeout:
            connection.setblocking(True)
        return connection, connection.getpeername()

    def connect(self, address: Any) -> None:
        """Connects to an address. ``PermissionError`` if the host does not grant it."""
        try:
            self._open().connect(address)
            return
        except BlockingIOError:
            if self._timeout == 0:
                raise
        number = self._waiting(True, self._open().take_error)
        if number:
            raise failed(number, address)

    def connect_ex(self, address: Any) -> int:
        """As `connect`, but returns the number of the error, 0 if there is none."""
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def shutdown(self, how: int) -> None:
        """Shuts down one or both sides of a connection."""
        if how not in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR):
            raise failed(errno.EINVAL)
        self._open().shutdown(how)

    def getsockname(self) -> Any:
        """The address that it is bound to."""
        return self._open().local_address()

    def getpeername(self) -> Any:
        """The address of the other side."""
        return self._open().peer_address()

    # Data.

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receives at most this many bytes: none is the end."""
        return self._waiting(False, self._open().recv, _size(bufsize, flags))

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        """Receives a datagram, and its sender's address."""
        return self._waiting(False, self._open().recvfrom, _size(bufsize, flags))

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receives into a buffer, and returns the number of bytes."""
        return self._into(buffer, nbytes, lambda size: (self.recv(size, flags), None))[0]

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Receives a datagram into a buffer, and returns its size and its sender's address."""
        return self._into(buffer, nbytes, lambda size: self.recvfrom(size, flags))

    def _into(
        self, buffer: Any, nbytes: int, receive: Callable[[int], tuple[bytes, Any]]
    ) -> tuple[int, Any]:
        with memoryview(buffer) as view, view.cast("B") as target:
            if nbytes < 0 or nbytes > len(target):
                raise ValueError("nbytes is greater than the length of the buffer, or negative")
            data, sender = receive(nbytes or len(target))
            target[: len(data)] = data
            return len(data), sender

    def send(self, data: Any, flags: int = 0) -> int:
        """Sends as many bytes as fit, and returns their number."""
        _size(0, flags)
        with memoryview(data) as view, view.cast("B") as octets:
            return self._waiting(True, self._open().send, octets)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Sends all bytes."""
        _size(0, flags)
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self._waiting(True, self._open().send, octets[sent:])

    def sendto(self, data: Any, *args: Any) -> int:
        """Sends a datagram to an address: ``sendto(data, address)``, or with flags between them."""
        if not 1 <= len(args) <= 2:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({1 + len(args)} given)")
        _size(0, args[0] if len(args) == 2 else 0)
        with memoryview(data) as view, view.cast("B") as octets:
            return self._waiting(True, self._open().sendto, octets, args[-1])

    # Options.

    def setsockopt(self, level: int, option: int, value: Any, optlen: Any = None) -> None:
        """Sets an option. The buffers' sizes and ``SO_KEEPALIVE`` are WASI's; other options of the
        kinds that asyncio sets are only remembered, because WASI has none of them."""
        raw: Any = self._open().raw
        if (level, option) == (socket.SOL_SOCKET, socket.SO_RCVBUF):
            call(raw.set_receive_buffer_size, value)
        elif (level, option) == (socket.SOL_SOCKET, socket.SO_SNDBUF):
            call(raw.set_send_buffer_size, value)
        elif (level, option) == (socket.SOL_SOCKET, socket.SO_KEEPALIVE) and self._is_stream:
            call(raw.set_keep_alive_enabled, bool(value))
        elif (level, option) in _REMEMBERED:
            self._options[level, option] = value
        else:
            raise failed(errno.ENOPROTOOPT)

    def getsockopt(self, level: int, option: int, buflen: int = 0) -> Any:
        """The value of an option."""
        endpoint = self._open()
        raw: Any = endpoint.raw
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            return endpoint.take_error()
        if (level, option) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return self._type
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return int(endpoint.is_listening)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_RCVBUF):
            return call(raw.receive_buffer_size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_SNDBUF):
            return call(raw.send_buffer_size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_KEEPALIVE) and self._is_stream:
            return int(call(raw.keep_alive_enabled))
        if (level, option) in _REMEMBERED:
            return self._options.get((level, option), 0)
        raise failed(errno.ENOPROTOOPT)

    @property
    def _is_stream(self) -> bool:
        return self._type == socket.SOCK_STREAM

    # The end.

    def detach(self) -> NoReturn:
        """A socket has no descriptor to give away. Always raises ENOTSUP."""
        raise failed(errno.ENOTSUP)

    def dup(self) -> NoReturn:
        """A socket cannot be duplicated. Always raises ENOTSUP."""
        raise failed(errno.ENOTSUP)

    def _real_close(self, _ss: Any = None) -> None:
        # `close` of Python's class calls it once no file of `makefile` is left.
        _by_number.pop(self._number, None)
        self._finalizer()

    def _open(self) -> Tcp | Udp:
        if not self._finalizer.alive:
            raise failed(errno.EBADF)
        return self._endpoint


_by_number = WeakValueDictionary()

_REMEMBERED = {
    (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}
for _name in ("SO_BROADCAST", "SO_REUSEPORT"):
    if hasattr(socket, _name):
        _REMEMBERED.add((socket.SOL_SOCKET, getattr(socket, _name)))


def socket_of(number: int) -> Socket | None:
    """The open socket with this number."""
    return _by_number.get(number)


def _size(size: int, flags: int) -> int:
    if flags:
        raise failed(errno.ENOTSUP)
    if size < 0:
        raise ValueError("negative buffersize in recv")
    return size
