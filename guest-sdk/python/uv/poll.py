"""Poll handles: a callback when a descriptor is ready."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag

from componentize_py_types import Err
from wit_world.imports.poll import Poll as RawPoll
from wit_world.imports.types import Occurrence, Occurrence_Poll
from wit_world.imports.types import PollEvents as RawEvents

from . import _check
from .descriptor import Descriptor, descriptor_of
from .error import UVError, call, status_of
from .handle import Handle
from .loop import Loop
from .status import StatusCode

PollCallback = Callable[["Poll", StatusCode, int], object]


class PollEvent(IntFlag):
    """What a poll handle watches for and reports: bits that can be combined."""

    READABLE = 1
    """Data can be read, a connection accepted, or the end of the input has been reached."""

    WRITABLE = 2
    """Data can be written."""

    DISCONNECT = 4
    """The peer has shut down its side."""

    PRIORITIZED = 8
    """Priority data has arrived, as TCP's urgent data."""


_ALL = int(PollEvent.READABLE | PollEvent.WRITABLE | PollEvent.DISCONNECT | PollEvent.PRIORITIZED)


class Poll(Handle):
    """Calls back when a descriptor is ready. It is level-triggered: as long as the descriptor is ready, every
    iteration of the loop calls back. Readiness may be spurious: reading can still raise EAGAIN.

    - ``fd``: the number of the descriptor (see `uv.open`), or the descriptor itself. The handle keeps the
      descriptor open until it is closed, unless somebody closes that first.
    - ``loop``: where the handle runs; None for the current loop.
    - ``callback``: called with the handle, a status and the events.

    Raises `UVError`: EBADF if no open descriptor has that number, EEXIST while another poll handle of the
    loop is active on it, EPERM for one that can not be polled, ENOMEM when the script has as many handles
    as the host allows. Raises `LoopClosedError` and ``TypeError``.
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

        The status is `StatusCode.SUCCESS`, with the events that are there of those that were asked for. Or
        it is the error that has stopped the handle, once and without events: EBADF after a connection was
        reset, or the descriptor was closed under the active handle.
        """
        return self._callback

    @callback.setter
    def callback(self, callback: PollCallback | None) -> None:
        self._callback = _check.callback(callback)

    def start(self, events: int = PollEvent.READABLE, callback: PollCallback | None = None) -> None:
        """Watches for these events. On an active handle it replaces them; without any it stops the handle.

        - ``events``: bits of `PollEvent`.
        - ``callback``: becomes the handle's `callback`; None leaves that as it is.

        Raises `UVError`: EEXIST while another poll handle of the loop is active on the same descriptor,
        EBADF if the descriptor has been closed, EINVAL for other bits. Raises `HandleClosedError`, and
        ``TypeError`` for what is no integer or can not be called. Nothing has changed then.
        """
        raw_events = _to_raw(_check.integer(events, "events"))
        _check.callback(callback)
        call(self._open(self._raw).start, raw_events)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops watching. Nothing happens if the handle is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def destroy(self) -> None:
        """Frees what the host has for the handle. **Used internally**, when the handle has been closed;
        calling it closes the handle without a close callback."""
        super().destroy()
        self._descriptor = None

    def _called(self, what: Occurrence) -> None:
        if self._callback is None or not isinstance(what, Occurrence_Poll):
            return
        if isinstance(what.value, Err):
            self._callback(self, status_of(what.value.value), PollEvent(0))
        else:
            self._callback(self, StatusCode.SUCCESS, PollEvent(what.value.value.value))


def _to_raw(events: int) -> RawEvents:
    """The bits as the contract's flags: they are libuv's too."""
    if events & ~_ALL:
        raise UVError(StatusCode.EINVAL, f"{events:#x} has bits that are no events")
    return RawEvents(events)
