"""A TCP endpoint: a connection, a listening socket, or one that is to become either."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from typing import Any

from componentize_py_types import Err
from wit_world.imports.instance_network import instance_network
from wit_world.imports.monotonic_clock import subscribe_duration
from wit_world.imports.network import ErrorCode
from wit_world.imports.streams import InputStream, OutputStream, StreamError_Closed
from wit_world.imports.tcp import ShutdownType, TcpSocket
from wit_world.imports.tcp_create_socket import create_tcp_socket
from wit_world.imports.wasi_io_poll import Pollable

from .address import ANY, FAMILIES, Address, from_wasi, to_wasi
from .errors import call, create, failed, number_of, refused
from .resources import Resources
from .wait import block, block_uninterrupted

_CHUNK = 65536
"""The most bytes that are read or written at once."""

_HOW = {
    socket.SHUT_RD: ShutdownType.RECEIVE,
    socket.SHUT_WR: ShutdownType.SEND,
    socket.SHUT_RDWR: ShutdownType.BOTH,
}


class Tcp:
    """A TCP socket of WASI. No method blocks: EAGAIN tells to wait for `pollable`."""

    def __init__(
        self,
        family: int,
        accepted: tuple[TcpSocket, InputStream, OutputStream] | None = None,
    ) -> None:
        self.resources = Resources()
        self._family = family
        self._socket: TcpSocket
        self._input: InputStream | None = None
        self._output: OutputStream | None = None
        self._peer: Any = None
        self._is_bound = self._is_listening = self._is_connecting = False
        self._reads = True
        # Of a connection that could not be made, until it is asked for.
        self._error = 0
        # The result of the first read of an accepted connection, until it is asked for.
        self._early: bytes | OSError = b""
        if accepted is None:
            _forget_sent()
            self._socket = self.resources.add(create(create_tcp_socket, FAMILIES[family], "TCP"))
        else:
            self._socket, self._input, self._output = accepted
            for resource in accepted:
                self.resources.add(resource)
            # wasmtime's pollable of an accepted connection is ready until the first read, also without
            # data. A callback of a blocking socket would wait for data that may never come.
            try:
                self._early = _read(self._input, _CHUNK)
            except BlockingIOError:
                pass
            except OSError as error:
                self._early = error

    def bind(self, address: Address) -> None:
        """Binds it to an address."""
        with instance_network() as network:
            try:
                call(self._socket.start_bind, network, to_wasi(self._family, address))
            except OSError as error:
                raise refused(error, address, "--tcp-listen") from None
        self._finish(self._socket.finish_bind)
        self._is_bound = True

    def listen(self, backlog: int) -> None:
        """Lets it listen."""
        if not self._is_bound:
            self.bind(ANY[self._family])
        if self._is_listening:
            return
        call(self._socket.set_listen_backlog_size, max(1, backlog))
        try:
            call(self._socket.start_listen)
        except OSError as error:
            raise refused(error, self.local_address(), "--tcp-listen") from None
        self._finish(self._socket.finish_listen)
        self._is_listening = True

    def accept(self) -> Tcp:
        """Accepts a connection."""
        _forget_sent()
        if not self._is_listening:
            raise failed(errno.EINVAL)
        return Tcp(self._family, call(self._socket.accept))

    def connect(self, address: Address) -> None:
        """Begins to connect, or tells how a connection attempt ended. EINPROGRESS and EALREADY while
        there is no result yet."""
        if self._input is not None:
            raise failed(errno.EISCONN)
        if self._is_connecting:
            if not self._has_connected():
                raise failed(errno.EALREADY)
        else:
            with instance_network() as network:
                try:
                    call(self._socket.start_connect, network, to_wasi(self._family, address))
                except OSError as error:
                    raise refused(error, address, "--tcp-connect") from None
            self._peer, self._is_connecting = address, True
            if not self._has_connected():
                raise failed(errno.EINPROGRESS)
        number = self.take_error()
        if number:
            raise self.connect_error(number)

    def connect_error(self, number: int) -> OSError:
        """The error of a connection attempt that has failed with this number."""
        return refused(OSError(number, ""), self._peer, "--tcp-connect")

    def take_error(self) -> int:
        """The error of a connection attempt, once; 0 if it succeeded. EAGAIN is raised while it has
        no result."""
        if self._is_connecting and not self._has_connected():
            raise failed(errno.EAGAIN)
        number, self._error = self._error, 0
        return number

    def recv(self, size: int) -> bytes:
        """Reads what is there: nothing is the end."""
        received, _ = self._streams()
        if size == 0 or not self._reads:
            return b""
        early = self._early
        if isinstance(early, OSError):
            self._early = b""
            raise early
        if early:
            self._early = early[size:]
            return early[:size]
        return _read(received, size)

    def send(self, data: memoryview) -> int:
        """Writes as many bytes as fit."""
        _, sent = self._streams()
        fits = min(call(sent.check_write), _CHUNK)
        if not data:
            return 0
        if fits == 0:
            raise failed(errno.EAGAIN)
        call(sent.write, bytes(data[:fits]))
        return min(fits, len(data))

    def recvfrom(self, size: int) -> tuple[bytes, Any]:
        """As `recv`: a connection has no sender."""
        return self.recv(size), None

    def sendto(self, data: memoryview, address: Any) -> int:
        """As `send`: the address is ignored."""
        return self.send(data)

    def shutdown(self, how: int) -> None:
        """Shuts down one or both sides."""
        self._streams()
        call(self._socket.shutdown, _HOW[how])
        if how != socket.SHUT_WR:
            self._reads = False

    def local_address(self) -> Address:
        """The address that it is bound to."""
        try:
            return from_wasi(self._socket.local_address())
        except Err:
            return ANY[self._family]

    def peer_address(self) -> Address:
        """The address of the other side."""
        self._streams()
        return from_wasi(call(self._socket.remote_address))

    @property
    def raw(self) -> TcpSocket:
        """WASI's socket, for its options."""
        return self._socket

    @property
    def is_listening(self) -> bool:
        """Whether it listens."""
        return self._is_listening

    def pollable(self, writes: bool) -> Callable[[], Pollable]:
        """Makes a pollable that is ready when a call of this direction may succeed."""
        if self._is_connecting:
            self._has_connected()
        if self._input is None or self._output is None:
            return self._socket.subscribe
        if writes:
            return self._output.subscribe
        return _at_once if self._early else self._input.subscribe

    def close(self) -> None:
        """Closes it. Bytes that the host has not sent yet are sent first."""
        if self in _sending:
            return
        if self._is_sending():
            # Dropping the stream would block until they are sent.
            try:
                self._socket.shutdown(ShutdownType.SEND)
            except Err:
                pass
            self.resources.close_watches()
            _sending.append(self)
        else:
            self._drop()

    def _drop(self) -> None:
        # The host ends a guest that uses what it has dropped.
        self._input = self._output = None
        self.resources.close()

    def _streams(self) -> tuple[InputStream, OutputStream]:
        """The streams of a connection. EAGAIN while it is being made."""
        number = self.take_error()
        if number:
            raise self.connect_error(number)
        if self._input is None or self._output is None:
            raise failed(errno.ENOTCONN)
        return self._input, self._output

    def _is_sending(self) -> bool:
        try:
            return self._output is not None and self._output.check_write() == 0
        except Err:
            return False

    def _finish(self, finish: Callable[[], None]) -> None:
        """Ends an operation that takes no time with real sockets."""
        while True:
            try:
                return call(finish)
            except BlockingIOError:
                block([self._socket.subscribe], None)

    def _has_connected(self) -> bool:
        """Whether the attempt has a result, which it keeps."""
        try:
            received, sent = self._socket.finish_connect()
        except Err as error:
            if error.value == ErrorCode.WOULD_BLOCK:
                return False
            self._error = number_of(error.value)
        else:
            self._input, self._output = self.resources.add(received), self.resources.add(sent)
        self._is_connecting = False
        return True


def _read(received: InputStream, size: int) -> bytes:
    """Reads what is there: nothing is the end, and EAGAIN is nothing yet."""
    try:
        data = received.read(min(size, _CHUNK))
    except Err as error:
        if isinstance(error.value, StreamError_Closed):
            return b""
        raise failed(errno.ECONNRESET) from None
    if not data:
        raise failed(errno.EAGAIN)
    return data


def _at_once() -> Pollable:
    return subscribe_duration(0)


# Closed connections with bytes that the host still has to send.
_sending: list[Tcp] = []


def _forget_sent() -> None:
    """Drops the closed connections whose bytes have been sent."""
    for tcp in _sending[:]:
        if not tcp._is_sending():
            _sending.remove(tcp)
            tcp._drop()


def finish_sending(seconds: float) -> None:
    """Waits until all bytes of closed connections have been sent, but not longer than this."""
    deadline = time.monotonic() + seconds
    _forget_sent()
    while _sending:
        try:
            # The script has ended.
            block_uninterrupted([tcp.pollable(True) for tcp in _sending], deadline)
        except TimeoutError:
            return
        _forget_sent()
