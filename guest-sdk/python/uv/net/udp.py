"""A UDP endpoint."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from componentize_py_types import Err
from wit_world.imports.instance_network import instance_network
from wit_world.imports.udp import (
    IncomingDatagramStream,
    OutgoingDatagram,
    OutgoingDatagramStream,
    UdpSocket,
)
from wit_world.imports.udp_create_socket import create_udp_socket
from wit_world.imports.wasi_io_poll import Pollable

from .address import ANY, FAMILIES, Address, from_wasi, to_wasi
from .errors import call, create, failed, refused
from .resources import Resources
from .wait import block


class Udp:
    """A UDP socket of WASI. No method blocks: EAGAIN tells to wait for `pollable`."""

    is_listening = False

    def __init__(self, family: int) -> None:
        self.resources = Resources()
        self._family = family
        made = create(create_udp_socket, FAMILIES[family], "UDP")
        self._socket: UdpSocket = self.resources.add(made)
        self._streams: tuple[IncomingDatagramStream, OutgoingDatagramStream] | None = None
        self._is_bound = False
        self._peer: Address | None = None

    def bind(self, address: Address) -> None:
        """Binds it to an address."""
        with instance_network() as network:
            try:
                call(self._socket.start_bind, network, to_wasi(self._family, address))
            except OSError as error:
                raise refused(error, address, "--udp-bind") from None
        while True:
            try:
                call(self._socket.finish_bind)
                break
            except BlockingIOError:
                block([self._socket.subscribe], None)
        self._is_bound = True

    def connect(self, address: Address) -> None:
        """Restricts it to one peer."""
        if self.resources.is_watched:
            # They are on the streams, which have to be dropped.
            raise failed(errno.EALREADY)
        remote = to_wasi(self._family, address)
        if not self._is_bound:
            self.bind(ANY[self._family])
        self._drop_streams()
        try:
            self._open(remote)
        except OSError as error:
            raise refused(error, address, "--udp-send") from None
        self._peer = address

    def take_error(self) -> int:
        """Datagrams have no error to tell later."""
        return 0

    def recv(self, size: int) -> bytes:
        """Receives a datagram. The rest of a longer one is lost."""
        return self.recvfrom(size)[0]

    def recvfrom(self, size: int) -> tuple[bytes, Any]:
        """Receives a datagram and its sender."""
        received = call(self._both()[0].receive, 1)
        if not received:
            raise failed(errno.EAGAIN)
        datagram = received[0]
        return datagram.data[:size], from_wasi(datagram.remote_address)

    def send(self, data: memoryview) -> int:
        """Sends a datagram to the peer."""
        if self._peer is None:
            raise failed(errno.EDESTADDRREQ)
        return self._send(data, None)

    def sendto(self, data: memoryview, address: Any) -> int:
        """Sends a datagram to an address."""
        if self._peer is None:
            return self._send(data, address)
        if tuple(address) != tuple(self._peer):
            raise failed(errno.EISCONN)
        return self._send(data, None)

    def shutdown(self, how: int) -> None:
        """A socket without a connection has no sides."""
        raise failed(errno.ENOTCONN)

    def listen(self, backlog: int) -> None:
        """Datagrams have no connections."""
        raise failed(errno.ENOTSUP)

    def accept(self) -> Any:
        """Datagrams have no connections."""
        raise failed(errno.ENOTSUP)

    def local_address(self) -> Address:
        """The address that it is bound to."""
        try:
            return from_wasi(self._socket.local_address())
        except Err:
            return ANY[self._family]

    def peer_address(self) -> Address:
        """The address that it is connected to."""
        if self._peer is None:
            raise failed(errno.ENOTCONN)
        return from_wasi(call(self._socket.remote_address))

    @property
    def raw(self) -> UdpSocket:
        """WASI's socket, for its options."""
        return self._socket

    def pollable(self, writes: bool) -> Callable[[], Pollable]:
        """Makes a pollable that is ready when a call of this direction may succeed."""
        received, sent = self._both()
        return sent.subscribe if writes else received.subscribe

    def close(self) -> None:
        """Closes it."""
        self.resources.close()

    def _send(self, data: memoryview, address: Any) -> int:
        remote = None if address is None else to_wasi(self._family, address)
        stream = self._both()[1]
        try:
            if call(stream.check_send) == 0:
                raise failed(errno.EAGAIN)
            if call(stream.send, [OutgoingDatagram(bytes(data), remote)]) == 0:
                raise failed(errno.EAGAIN)
        except BlockingIOError:
            raise
        except OSError as error:
            raise refused(error, address or self._peer, "--udp-send") from None
        return len(data)

    def _both(self) -> tuple[IncomingDatagramStream, OutgoingDatagramStream]:
        """The streams, for which the socket has to be bound."""
        if self._streams is not None:
            return self._streams
        if not self._is_bound:
            self.bind(ANY[self._family])
        return self._open(None)

    def _open(self, remote: Any) -> tuple[IncomingDatagramStream, OutgoingDatagramStream]:
        received, sent = call(self._socket.stream, remote)
        self._streams = self.resources.add(received), self.resources.add(sent)
        return self._streams

    def _drop_streams(self) -> None:
        streams, self._streams = self._streams, None
        for stream in streams or ():
            self.resources.drop(stream)
