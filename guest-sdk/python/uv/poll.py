"""Poll handles: a callback when a descriptor is ready."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag

from componentize_py_types import Err
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.uv_handles_types import EventKind, EventKind_Poll
from wit_world.imports.uv_handles_types import PollEvents as RawEvents

from . import _check
from .descriptor import Descriptor, descriptor_of
from .error import UVError, call, status_of
from .handle import Handle
from .loop import Loop
from .status import StatusCode

PollCallback = Callable[["Poll", StatusCode, int], object]


class PollEvent(IntFlag):
    """Readiness that a poll handle watches for and reports. The bits can be combined."""

    READABLE = 1
    """Data can be read, a connection accepted, or the end of the input has been reached."""

    WRITABLE = 2
    """Data can be written."""

    DISCONNECT = 4
    """The peer has shut down its side."""

    PRIORITIZED = 8
    """Priority data has arrived, for example TCP's urgent data."""


_ALL = int(
    PollEvent.READABLE | PollEvent.WRITABLE | PollEvent.DISCONNECT | PollEvent.PRIORITIZED
)


class Poll(Handle):
    """Calls back when a descriptor is ready.

    It is level-triggered: as long as the descriptor is ready, every iteration of the loop calls
    back. Readiness may be spurious: a read can still raise EAGAIN.

    - ``fd``: the number of the descriptor (see `uv.open`), or the descriptor itself. The handle
      keeps the descriptor open until the handle is closed, unless the script closes it first.
    - ``loop``: the loop that the handle runs on; None for the current loop.
    - ``callback``: called with the handle, a status and the events.

    Raises `UVError`: EBADF if no open descriptor has that number, EEXIST while another poll handle
    of the loop is active on it, EPERM for a descriptor that cannot be polled, ENOMEM when the
    script has as many handles as the host allows. Raises `LoopClosedError` and ``TypeError``.
    """

    _raw: RawPoll | None

    def __init__(
        self,
        fd: int | Descriptor,
        loop: Loop | None = None,
        callback: PollCallback | None = None,
    ) -> None:
        self._callback = _check.callback(callback)
        descriptor = descriptor_of(fd)
        self._fd = descriptor.fileno()
        host = descriptor._open()
        super().__init__(lambda raw, token: RawPoll.create(raw, token, host), loop)
        self._descriptor: Descriptor | None = descriptor

    @property
    def fd(self) -> int:
        """The number of the descriptor."""
        return self._fd

    @property
    def callback(self) -> PollCallback | None:
        """Called as ``callback(handle, status, events)``. May be set at any time.

        The status is `StatusCode.SUCCESS`, with those of the watched events that have occurred. Or
        it is the error that has stopped the handle, reported once and without events: EBADF after
        a connection was reset, or when the descriptor was closed while the handle was active.
        """
        return self._callback

    @callback.setter
    def callback(self, callback: PollCallback | None) -> None:
        self._callback = _check.callback(callback)

    def start(
        self, events: int = PollEvent.READABLE, callback: PollCallback | None = None
    ) -> None:
        """Watches for events. On an active handle the new events replace the old ones. Without any
        event the handle is stopped.

        - ``events``: bits of `PollEvent`.
        - ``callback``: replaces the handle's `callback`; None keeps it.

        Raises `UVError`: EEXIST while another poll handle of the loop is active on the same
        descriptor, EBADF if the descriptor has been closed, EINVAL for unknown bits. Raises
        `HandleClosedError`, and ``TypeError`` if the events are not an integer or the callback is
        not callable. A call that raises changes nothing.
        """
        raw_events = _to_raw(_check.integer(events, "events"))
        _check.callback(callback)
        call(self._open(self._raw).start, raw_events)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops watching. Does nothing if the handle is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def destroy(self) -> None:
        """Frees the host's handle. **Used internally** after the handle has been closed. A direct
        call closes the handle without a close callback."""
        super().destroy()
        self._descriptor = None

    def _called(self, kind: EventKind) -> None:
        if self._callback is None or not isinstance(kind, EventKind_Poll):
            return
        if isinstance(kind.value, Err):
            self._callback(self, status_of(kind.value.value), PollEvent(0))
        else:
            self._callback(self, StatusCode.SUCCESS, PollEvent(kind.value.value.value))


def _to_raw(events: int) -> RawEvents:
    """Converts bits to the contract's flags, which have libuv's values."""
    if events & ~_ALL:
        raise UVError(StatusCode.EINVAL, f"{events:#x} has bits that are no events")
    return RawEvents(events)
