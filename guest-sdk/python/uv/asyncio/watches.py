"""The poll handles of the selector, for one descriptor or socket each."""

from __future__ import annotations

from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey

from componentize_py_types import Err
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.uv_handles_types import EventKind, EventKind_Poll, PollEvents

from .._pollable import PollableWatch
from ..descriptor import Descriptor
from ..error import UVError, call
from ..loop import Loop
from ..net.socket import Socket

IsReady = Callable[[int, int], object]
"""Called with the number and the events that have occurred."""


class DescriptorWatch:
    """Watches a descriptor that the host has granted. It keeps the descriptor open."""

    def __init__(
        self, loop: Loop, descriptor: Descriptor, key: SelectorKey, is_ready: IsReady
    ) -> None:
        self.key = key
        self._descriptor = descriptor
        self._is_ready = is_ready
        self._loop = loop
        self._token = loop._claim_token(self._polled)
        self._poll: RawPoll | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the descriptor is closed."""
        return self._descriptor.closed

    def update(self) -> None:
        """Watches for the events of the key."""
        if self._poll is None:
            self._poll = call(
                RawPoll.create, self._loop._open(), self._token, self._descriptor._open()
            )
        call(self._poll.start, _to_raw(self.key.events))

    def close(self) -> None:
        """Frees the poll handle."""
        self._loop._release_token(self._token)
        if self._poll is not None:
            poll, self._poll = self._poll, None
            poll.__exit__(None, None, None)

    def _polled(self, kind: EventKind) -> None:
        assert isinstance(kind, EventKind_Poll)
        if not isinstance(kind.value, Err):
            self._is_ready(self.key.fd, _from_raw(kind.value.value))
            return
        # The connection was reset, or the descriptor closed: reading or writing shows the error.
        # The host has stopped the handle; a selector goes on reporting.
        self._is_ready(self.key.fd, self.key.events)
        if not self._descriptor.closed:
            try:
                self.update()
            except UVError:
                pass


class SocketWatch:
    """Watches a socket, with a poll handle for each direction that is waited for. It keeps the
    socket open."""

    def __init__(self, loop: Loop, sock: Socket, key: SelectorKey, is_ready: IsReady) -> None:
        self.key = key
        self._socket = sock
        self._endpoint = sock._open()
        self._is_ready = is_ready
        self._loop = loop
        self._number = self._endpoint.resources.watch(self._close_all)
        # By direction.
        self._polls: dict[int, PollableWatch] = {}

    @property
    def is_closed(self) -> bool:
        """Whether the socket is closed."""
        return self._socket.fileno() < 0

    def update(self) -> None:
        """Watches for the events of the key. A pollable that no poll handle waits for would cost
        the host time in each iteration, so there is none."""
        for direction in (EVENT_READ, EVENT_WRITE):
            if not self.key.events & direction:
                self._close(direction)
            elif direction not in self._polls:
                self._make(direction)

    def close(self) -> None:
        """Frees the poll handles."""
        self._endpoint.resources.unwatch(self._number)
        self._close_all()

    def _make(self, direction: int) -> None:
        subscribe = self._endpoint.pollable(direction == EVENT_WRITE)
        self._polls[direction] = PollableWatch(
            self._loop, subscribe, lambda _: self._polled(direction)
        )

    def _polled(self, direction: int) -> None:
        if self._endpoint.pollable(direction == EVENT_WRITE) != self._polls[direction].subscribe:
            # It has been connected, and has streams now; or its early data has been read.
            self._close(direction)
            self._make(direction)
        self._is_ready(self.key.fd, direction)

    def _close(self, direction: int) -> None:
        if direction in self._polls:
            self._polls.pop(direction).close()

    def _close_all(self) -> None:
        for direction in list(self._polls):
            self._close(direction)


Watch = DescriptorWatch | SocketWatch


def _to_raw(events: int) -> PollEvents:
    raw = PollEvents(0)
    if events & EVENT_READ:
        raw |= PollEvents.READABLE
    if events & EVENT_WRITE:
        raw |= PollEvents.WRITABLE
    return raw


def _from_raw(raw: PollEvents) -> int:
    read = EVENT_READ if PollEvents.READABLE in raw else 0
    write = EVENT_WRITE if PollEvents.WRITABLE in raw else 0
    return int(read | write)
