"""Timers: a callback at a time in the future, once or repeatedly."""

from __future__ import annotations

from collections.abc import Callable

from wit_world.imports.timer import Timer as RawTimer
from wit_world.imports.uv_handles_types import EventKind

from . import _check
from .error import call
from .handle import Handle
from .loop import Loop

TimerCallback = Callable[["Timer"], object]


class Timer(Handle):
    """Calls back at a time in the future. All times are milliseconds.

    Timers that are due at the same time are called in order of deadline and, for equal deadlines,
    of their start. A repeating timer does not catch up: it is next due one repeat after the time
    at which it was called. A timer that does not repeat is stopped before its callback.

    - ``loop``: the loop that the handle runs on; None for the current loop.
    - ``callback``: called with the timer.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many
    handles as the host allows.
    """

    _raw: RawTimer | None

    def __init__(self, loop: Loop | None = None, callback: TimerCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        super().__init__(RawTimer.create, loop)

    @property
    def callback(self) -> TimerCallback | None:
        """Called with the timer when it is due. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: TimerCallback | None) -> None:
        self._callback = _check.callback(callback)

    @property
    def repeat(self) -> int:
        """The repeat in milliseconds, 0 for none.

        Setting it does not move the current deadline: a repeating timer uses the new value when it
        is next called. A timer that did not repeat has been stopped before its callback; `again`
        starts it.

        Raises `HandleClosedError`. The setter also raises ``TypeError``, ``ValueError`` if the
        value is negative, and ``OverflowError`` from 2**64 on.
        """
        return call(self._open(self._raw).repeat)

    @repeat.setter
    def repeat(self, repeat: int) -> None:
        repeat = _check.unsigned(repeat, "the repeat", 64)
        call(self._open(self._raw).set_repeat, repeat)

    @property
    def due_in(self) -> int:
        """Milliseconds from the loop's `Loop.now` to the deadline, 0 if it has passed. A stopped
        timer answers from its last deadline.

        Raises `HandleClosedError`.
        """
        return call(self._open(self._raw).due_in)

    def again(self) -> None:
        """Restarts a repeating timer, with its repeat as the timeout. Does nothing if the repeat
        is 0.

        Raises `UVError`: EINVAL if the timer has never been started. Raises `HandleClosedError`.
        """
        call(self._open(self._raw).again)

    def start(self, timeout: int, callback: TimerCallback | None = None, repeat: int = 0) -> None:
        """Starts the timer. A started timer gets a new deadline.

        - ``timeout``: milliseconds until the callback. With 0 it is due in the next timers phase.
        - ``callback``: replaces the timer's `callback`; None keeps it.
        - ``repeat``: milliseconds from one callback to the next; 0 for a single callback.

        Raises `HandleClosedError`, ``TypeError`` if a time is not an integer or the callback is
        not callable, ``ValueError`` for a negative time, and ``OverflowError`` from 2**64 on. A
        call that raises changes nothing.
        """
        timeout = _check.unsigned(timeout, "the timeout", 64)
        repeat = _check.unsigned(repeat, "the repeat", 64)
        _check.callback(callback)
        call(self._open(self._raw).start, timeout, repeat)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops the timer. Does nothing if it is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def _called(self, kind: EventKind) -> None:
        if self._callback is not None:
            self._callback(self)
