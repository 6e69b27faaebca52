"""Descriptors that the host granted: sockets, pipes, terminals."""

from __future__ import annotations

import builtins
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakValueDictionary

from wit_world.imports.descriptors import Descriptor as RawDescriptor
from wit_world.imports.descriptors import ShutdownHow

from . import _blocking, _check
from .error import UVError, call, call_by_name
from .status import StatusCode

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_T = TypeVar("_T")

Address = tuple[str, int] | str
"""An IP address and a port, or the path of a Unix socket, empty if it has none."""

# The open descriptors by number, and those that `open` has opened by name. The references are weak:
# an unreferenced descriptor is collected and so closed, as Python's sockets are.
_by_number: WeakValueDictionary[int, Descriptor]
_by_name: WeakValueDictionary[str, Descriptor]

_SHUTDOWN_HOW = {
    socket.SHUT_RD: ShutdownHow.READ,
    socket.SHUT_WR: ShutdownHow.WRITE,
    socket.SHUT_RDWR: ShutdownHow.BOTH,
}

_LONGEST_READ = 2**32 - 1

_CHUNK = 256 * 1024
"""Bytes of `Descriptor.sendall` that are written at once."""


class Descriptor:
    """A descriptor that the host granted under a name, or a connection accepted from one. `uv.open`
    opens it.

    Its members are those of Python's sockets, also for pipes and terminals. **No call blocks**
    unless `setblocking` or `settimeout` has said so: a call that would block raises EAGAIN, which
    is a ``BlockingIOError`` too. A `Poll` tells when to repeat it. While a call blocks, no loop of
    the script goes on.

    Calls on a closed descriptor raise `UVError`: EBADF.
    """

    family = 0
    """Python's sockets have a family, a type and a protocol, and libraries ask for them. Here they
    are 0 as long as they are not known."""

    type = 0
    """``socket.SOCK_STREAM`` or ``SOCK_DGRAM`` once asyncio has made a transport of the
    descriptor. The host does not tell the type."""

    proto = 0

    def __init__(self, raw: RawDescriptor) -> None:
        self._raw: RawDescriptor | None = raw
        self._timeout: float | None = 0.0
        # The files of `makefile`, which keep the descriptor open, and whether `close` was called.
        self._io_refs = 0
        self._closed = False
        self._number = raw.fileno()
        _by_number[self._number] = self

    @property
    def closed(self) -> bool:
        """Whether the descriptor is closed."""
        return self._raw is None

    def fileno(self) -> int:
        """The descriptor's number, as `Poll` takes it, -1 if it is closed. The numbering is the
        script's own and unrelated to the host's."""
        return -1 if self._raw is None else self._number

    def recv(self, bufsize: int) -> bytes:
        """Reads the available bytes, at most ``bufsize`` and at most the host's limit for one read.
        ``b""`` is the end of the input, unless ``bufsize`` is 0.

        Raises `UVError`: EAGAIN when no bytes are available yet; otherwise the system's error
        (ECONNRESET, ENOTCONN for a listening socket). Raises ``ValueError`` for a negative size.
        """
        size = min(_size(bufsize), _LONGEST_READ)
        return self._waiting(_READABLE, lambda: call(self._open().read, size))

    def send(self, data: ReadableBuffer) -> int:
        """Writes as many bytes as fit, and returns their number, which may be lower than the length
        of the data.

        Raises `UVError`: EAGAIN when nothing fits now, EPIPE when the other side no longer reads;
        otherwise the system's error. Raises ``TypeError`` if the data is not bytes-like.
        """
        octets = _bytes(data)
        return self._waiting(_WRITABLE, lambda: call(self._open().write, octets))

    def sendall(self, data: ReadableBuffer) -> None:
        """Writes all of the data, if calls may block. The timeout is for all of it.

        If calls do not block it raises EAGAIN when not everything fits, as Python's sockets do.
        Nothing tells then how much has been written. Raises what `send` raises.
        """
        octets = _bytes(data)
        sent = 0
        deadline = self._deadline()
        while sent < len(octets):
            rest = octets[sent : sent + _CHUNK]
            sent += self._waiting(_WRITABLE, lambda: call(self._open().write, rest), deadline)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0) -> int:
        """Reads into a buffer, at most its length or ``nbytes`` unless that is 0, and returns the
        number of bytes. Raises what `recv` raises."""
        with memoryview(buffer) as view, view.cast("B") as target:
            data = self.recv(min(nbytes or len(target), len(target)))
            target[: len(data)] = data
            return len(data)

    def recvfrom(self, bufsize: int) -> tuple[bytes, Address]:
        """Receives a datagram, at most ``bufsize`` bytes of it, and its sender's address. The rest
        of a longer datagram is lost.

        Raises `UVError`: EAGAIN when no datagram is available yet, ENOTSOCK if the descriptor is
        not a socket; otherwise the system's error.
        """
        size = min(_size(bufsize), _LONGEST_READ)
        datagram = self._waiting(_READABLE, lambda: call(self._open().recv_from, size))
        return datagram.bytes, _parsed(datagram.sender)

    def sendto(self, data: ReadableBuffer, address: Address) -> int:
        """Sends a datagram to an IP address and port, and returns how many bytes were sent.

        Raises `UVError`: EINVAL if the address is not an IP address and port, EISCONN if the socket
        is connected to another address, EAGAIN when the datagram does not fit now, EMSGSIZE when it
        is too large, ENOTSOCK if the descriptor is not a socket; otherwise the system's error.
        """
        octets, to = _bytes(data), _written(address)
        return self._waiting(_WRITABLE, lambda: call(self._open().send_to, octets, to))

    def recvfrom_into(self, buffer: WriteableBuffer, nbytes: int = 0) -> tuple[int, Address]:
        """Receives a datagram into a buffer, as `recv_into`, and returns its length and sender."""
        with memoryview(buffer) as view, view.cast("B") as target:
            data, sender = self.recvfrom(min(nbytes or len(target), len(target)))
            target[: len(data)] = data
            return len(data), sender

    def listen(self, backlog: int = 0) -> None:
        """Does nothing: the host has made a listening socket listen."""
        self._open()

    def setblocking(self, flag: bool) -> None:
        """Whether calls block. A new descriptor's do not."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Whether calls block."""
        return self._timeout != 0

    def settimeout(self, value: float | None) -> None:
        """The seconds for which calls may block before they raise ``TimeoutError``: 0 does not
        block, None is without limit. ``ValueError`` for a negative number."""
        if value is not None:
            value = float(value)
            if not value >= 0:
                raise ValueError("Timeout value out of range")
        self._timeout = value

    def gettimeout(self) -> float | None:
        """The seconds for which calls may block."""
        return self._timeout

    @property
    def timeout(self) -> float | None:
        """As `gettimeout`."""
        return self._timeout

    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A file that reads or writes the descriptor, as that of Python's sockets. The descriptor
        is closed when it and its files are.

        Raises ``ValueError`` if calls do not block: see `setblocking`.
        """
        self._open()
        if self._timeout == 0:
            raise ValueError("the file of a descriptor blocks: call setblocking(True) first")
        make: Any = socket.socket.makefile
        return make(  # type: ignore[no-any-return]
            self, mode, buffering, encoding=encoding, errors=errors, newline=newline
        )

    def _decref_socketios(self) -> None:
        # Python's files of sockets call it when they are closed.
        self._io_refs -= 1
        if self._closed:
            self.close()

    def _deadline(self) -> float | None:
        return time.monotonic() + self._timeout if self._timeout else None

    def _waiting(
        self, events: int, function: Callable[[], _T], deadline: float | None = None
    ) -> _T:
        """Calls a function, if calls may block until it does not raise EAGAIN."""
        while True:
            try:
                return function()
            except BlockingIOError:
                if self._timeout == 0:
                    raise
            if deadline is None:
                deadline = self._deadline()
            _blocking.wait(self, events, deadline)

    def accept(self) -> tuple[Descriptor, Address]:
        """Accepts a connection on a listening socket. Returns it and its peer's address.

        Raises `UVError`: EAGAIN when no connection is waiting, EINVAL or ENOTSOCK on any other
        descriptor, EMFILE when the script has as many descriptors as the host allows (the
        connection keeps waiting); otherwise the system's error.
        """
        raw = self._waiting(_READABLE, lambda: call(self._open().accept))
        connection = Descriptor(raw)
        # As sockets: the timeout is that of accepting alone.
        connection.setblocking(self.getblocking())
        return connection, connection.getpeername()

    def shutdown(self, how: int) -> None:
        """Shuts down one or both sides of a connection: ``socket.SHUT_RD``, ``SHUT_WR`` or
        ``SHUT_RDWR``.

        Raises `UVError`: ENOTCONN if it is not connected, ENOTSOCK if it is not a socket. Raises
        ``ValueError`` for another ``how``.
        """
        if how not in _SHUTDOWN_HOW:
            raise ValueError(f"how must be SHUT_RD, SHUT_WR or SHUT_RDWR, and is {how!r}")
        call(self._open().shutdown, _SHUTDOWN_HOW[how])

    def getsockname(self) -> Address:
        """The address that a socket is bound to. Raises `UVError`: ENOTSOCK if it is not a
        socket."""
        return _parsed(call(self._open().local_address))

    def getpeername(self) -> Address:
        """The address of a connection's other side. Raises `UVError`: ENOTCONN if it is not
        connected, ENOTSOCK if it is not a socket."""
        return _parsed(call(self._open().peer_address))

    @property
    def send_buffer_size(self) -> int:
        """The size of a socket's send buffer in bytes, as it was set, within the system's limits.
        Linux reports twice the size; the host corrects that.

        Raises `UVError`: ENOTSOCK if it is not a socket. The setter also raises EINVAL for 0 and
        from 2**31 on.
        """
        return call(self._open().send_buffer_size)

    @send_buffer_size.setter
    def send_buffer_size(self, size: int) -> None:
        call(self._open().set_send_buffer_size, _check.unsigned(size, "the size", 32))

    @property
    def receive_buffer_size(self) -> int:
        """The size of a socket's receive buffer in bytes, as `send_buffer_size`."""
        return call(self._open().receive_buffer_size)

    @receive_buffer_size.setter
    def receive_buffer_size(self, size: int) -> None:
        call(self._open().set_receive_buffer_size, _check.unsigned(size, "the size", 32))

    def close(self) -> None:
        """Closes the descriptor. A poll handle that is active on it is stopped and called with
        EBADF. Closing a closed descriptor does nothing. It stays open until the files of
        `makefile` are closed too."""
        self._closed = True
        if self._raw is not None and self._io_refs <= 0:
            raw, self._raw = self._raw, None
            _by_number.pop(self._number, None)
            raw.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: builtins.type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<uv.Descriptor {'closed' if self._raw is None else self._number}>"

    def _open(self) -> RawDescriptor:
        if self._raw is None:
            raise UVError(StatusCode.EBADF)
        return self._raw


_by_number = WeakValueDictionary()
_by_name = WeakValueDictionary()

# `PollEvent.READABLE` and `WRITABLE`. Its module needs this one.
_READABLE = 1
_WRITABLE = 2


def open(name: str) -> Descriptor:
    """Opens the descriptor that the host has granted under this name. It can be open once at a
    time.

    Raises `UVError`: ENOENT if there is no such grant, EBUSY while it is open already, EMFILE when
    the script has as many descriptors as the host allows. Raises ``TypeError`` if the name is not a
    str.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name must be a str, not {type(name).__name__}")
    option = _OPTIONS.get(name, f"--listen {name}=ADDRESS:PORT, --connect, --udp, ...")
    refused = f"no descriptor was granted under the name {name!r} (uv-run {option})"
    descriptor = Descriptor(call_by_name(refused, RawDescriptor.open, name))
    _by_name[name] = descriptor
    return descriptor


_OPTIONS = {"stdin": "--stdin", "stdout": "--stdout-as stdout"}
"""The options of uv-run for names that have one of their own."""


def opened(name: str) -> Descriptor | None:
    """The descriptor that the script has open under this name."""
    descriptor = _by_name.get(name)
    return None if descriptor is None or descriptor.closed else descriptor


def descriptor_of(fd: int | Descriptor) -> Descriptor:
    """Returns the open descriptor with this number, or the given open descriptor. EBADF if there is
    none."""
    if isinstance(fd, Descriptor):
        fd._open()
        return fd
    number = _check.integer(fd, "fd")
    descriptor = _by_number.get(number)
    if descriptor is None:
        raise UVError(StatusCode.EBADF, f"no open descriptor has the number {number}")
    return descriptor


def _size(size: int) -> int:
    number = _check.integer(size, "the size")
    if number < 0:
        raise ValueError(f"the size must not be negative, and is {number}")
    return number


def _bytes(data: ReadableBuffer) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        with memoryview(data) as view:
            return bytes(view)
    except TypeError:
        pass
    raise TypeError(f"a bytes-like object is required, not {type(data).__name__}")


def _parsed(address: str) -> Address:
    """Parses ``127.0.0.1:80`` and ``[::1]:80`` into host and port. Anything else is a path."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or "/" in host:
        return address
    return host.removeprefix("[").removesuffix("]"), int(port)


def _written(address: Address) -> str:
    if isinstance(address, str):
        return address
    try:
        host, port = address
    except (TypeError, ValueError):
        raise TypeError(f"the address must be a host and a port, not {address!r}") from None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
