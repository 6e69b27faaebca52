"""The event loop: it owns handles and calls their callbacks.

A run asks the host for one step after the other: an event, whose callback is called; a wait, for
which the script blocks; or the end. The host brings one callback per step, so every call inside a
callback is answered as libuv answers it.

An event finds its handle by the token that the handle was made with. Tokens are counted up and
never reused, so an event cannot reach a later handle.
"""

from __future__ import annotations

import itertools
import traceback
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from types import TracebackType
from typing import TYPE_CHECKING

from wit_world.imports.blocking import wait
from wit_world.imports.event_loop import Loop as RawLoop
from wit_world.imports.event_loop import Run as RawRun
from wit_world.imports.event_loop import Step_Event, Step_Finished
from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.uv_handles_types import Event, EventKind
from wit_world.imports.uv_handles_types import RunMode as RawMode

from .error import LoopClosedError, UVError, call
from .interrupt import Interrupt
from .status import StatusCode

if TYPE_CHECKING:
    from .handle import Handle

ExceptHook = Callable[
    ["Loop", type[BaseException], BaseException, TracebackType | None],
    object,
]
"""A hook for exceptions of callbacks. Its arguments are the loop and those of
``sys.excepthook``."""

_tokens = itertools.count(1)


class RunMode(IntEnum):
    """How long `Loop.run` goes on."""

    DEFAULT = 0
    """Until no active and referenced handle is left, or the loop is stopped."""

    ONCE = 1
    """One iteration, which waits for events if nothing is due."""

    NOWAIT = 2
    """One iteration, which does not wait."""


_RAW_MODES = {
    RunMode.DEFAULT: RawMode.DEFAULT,
    RunMode.ONCE: RawMode.ONCE,
    RunMode.NOWAIT: RawMode.NOWAIT,
}


def print_and_stop(
    loop: Loop,
    type: type[BaseException],
    value: BaseException,
    tb: TracebackType | None,
) -> None:
    """The default `Loop.excepthook`: prints the traceback to stderr and stops the loop. The exit
    code of the script is 1 then, unless it exits with another code."""
    traceback.print_exception(type, value, tb)
    Loop._has_failed = True
    loop.stop()


class Loop:
    """An event loop. A script may have several loops. Each is run on its own.

    A new loop becomes the current loop, inside a callback from the end of the run on. Handles that are made without a loop are made on it.

    Raises `UVError`: EMFILE when the script has as many loops as the host allows.
    """

    _default: Loop | None = None
    _current: Loop | None = None
    # The loops with open handles. A handle lives until it is closed, even if the script holds no
    # reference to the handle or its loop.
    _in_use: set[Loop] = set()
    # Whether `print_and_stop` has been called, on any loop.
    _has_failed = False

    excepthook: ExceptHook
    """Called with an exception of a callback, as ``excepthook(loop, type, value, traceback)``.

    The default prints the traceback to stderr and stops the loop. An exception of the hook itself
    is printed, and stops the loop. ``SystemExit`` and other exceptions that are not an
    ``Exception`` leave `run` at once, without the hook.
    """

    def __init__(self) -> None:
        self._raw: RawLoop | None = call(RawLoop.create)
        self._handles: dict[int, Handle] = {}
        # The callbacks of the host's handles that no `Handle` stands for, by token.
        self._internal: dict[int, Callable[[EventKind], object]] = {}
        # The calls of `call_later`, and the host's idle handle whose callback makes them.
        self._later: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self._later_token = 0
        self._later_idle: RawIdle | None = None
        self._has_run = False
        self._interrupt = Interrupt()
        self.excepthook = print_and_stop
        self.make_current()

    @classmethod
    def get_default(cls) -> Loop:
        """The default loop. The first call makes it. A closed default loop is replaced."""
        if Loop._default is None or Loop._default.closed:
            Loop._default = Loop()
        return Loop._default

    @classmethod
    def get_current(cls) -> Loop:
        """The current loop: the one that is running; otherwise the one that was last made, run or
        passed to `make_current`. The default loop if there is none, or if it is closed."""
        if _running:
            return _running[-1]
        if Loop._current is None or Loop._current.closed:
            Loop._current = Loop.get_default()
        return Loop._current

    def make_current(self) -> None:
        """Makes this the current loop. Inside a callback, from the end of the run on."""
        Loop._current = self

    @property
    def closed(self) -> bool:
        """Whether the loop is closed. Most operations raise `LoopClosedError` then."""
        return self._raw is None

    @property
    def alive(self) -> bool:
        """Whether a run would have something to do: a handle is active and referenced, or waits
        for its close callback. False on a closed loop."""
        return self._raw is not None and self._raw.alive()

    @property
    def now(self) -> int:
        """The loop's time in milliseconds.

        It begins anywhere and never goes back. It stands still between the moments at which the
        loop refreshes it: before timers are called, and after each wait for events.

        Raises `LoopClosedError`.
        """
        return call(self._open().now)

    @property
    def handles(self) -> set[Handle]:
        """A new set of the handles that are not closed yet, without those whose close callback has
        begun. Empty on a closed loop."""
        if self._raw is None:
            return set()
        # The host also lists the idle handle of `call_later`, and `_handles` still contains those
        # whose close callback has begun.
        return {self._handles[token] for token in self._raw.handles() if token in self._handles}

    def run(self, mode: RunMode = RunMode.DEFAULT) -> bool:
        """Runs the loop and calls the callbacks that become due. **Blocks** as long as the mode
        says.

        Returns whether the loop was still alive at the end: with `RunMode.DEFAULT` after `stop`,
        with the other modes whenever there is more to do. The loop becomes the current one. A run
        inside a callback of another loop restores that loop as the current one.

        An exception that is not an ``Exception``, for example ``SystemExit``, ends the run at
        once. Callbacks that were due stay due for the next run. Where the host grants a
        signal, the handler that ``signal.signal`` has set is called here, between two callbacks,
        unless the script watches the signal itself. That of Ctrl+C raises ``KeyboardInterrupt``.

        Raises `UVError`: EBUSY inside a callback of the same loop (another loop may be run there).
        Raises `LoopClosedError`, and ``ValueError`` for an unknown mode.
        """
        run = call(self._open().begin, _RAW_MODES[RunMode(mode)])
        self.make_current()
        self._enter()
        try:
            self._interrupt.begin(self)
            return self._finish(run)
        finally:
            self._interrupt.end()
            # Ends a run that an exception has left.
            run.__exit__(None, None, None)
            self._leave()

    def stop(self) -> None:
        """Ends the run after the iteration in progress.

        After a call before the iteration waits for events, it does not wait. After a call while
        the loop is not running, the next run returns without an iteration. Does nothing on a
        closed loop.
        """
        if self._raw is not None:
            self._raw.stop()

    def close(self) -> None:
        """Closes the loop. Pending calls of `call_later` are never made. Closing a closed loop
        does nothing.

        Raises `UVError`: EBUSY while a handle of it is not closed (a closing handle is not closed
        yet), or while it runs.
        """
        raw = self._raw
        if raw is None:
            return
        if not self._handles:
            self._drop_later()
        call(raw.close)
        self._raw = None
        # Free it now and not at a later collection: the host limits the number of loops.
        raw.__exit__(None, None, None)

    def close_all_handles(self, on_closed: Callable[[Handle], object] | None = None) -> None:
        """Closes all handles in the order in which they were made, with this close callback if one
        is given. They are closed after the loop has run again."""
        for handle in list(self._handles.values()):
            handle.close(on_closed)

    def update_time(self) -> None:
        """Refreshes `now`, for a callback that takes long before it starts a timer.

        Raises `LoopClosedError`.
        """
        call(self._open().update_time)

    def get_timeout(self) -> int:
        """For how many milliseconds the next iteration would wait for events, -1 for without
        limit. Events that may occur before then are not taken into account.

        Raises `LoopClosedError`.
        """
        timeout = call(self._open().poll_timeout)
        return -1 if timeout is None else timeout

    def fileno(self) -> int:
        """A loop in a sandbox has no descriptor.

        Always raises: `LoopClosedError` on a closed loop, otherwise `UVError` with ENOTSUP.
        """
        self._open()
        raise UVError(StatusCode.ENOTSUP, "a loop in a sandbox has no descriptor")

    def call_later(self, callback: Callable[..., object], *args: object) -> None:
        """Calls ``callback(*args)`` in the loop's next iteration, right before its prepare handles.

        Calls are made in the order in which they were requested. A pending call keeps the loop
        alive, and is not a handle of it.

        Raises `LoopClosedError`, ``TypeError`` if the callback is not callable, and `UVError`:
        ENOMEM when the script has as many handles as the host allows.
        """
        raw = self._open()
        if not callable(callback):
            raise TypeError(f"the callback must be callable, not {type(callback).__name__}")
        if self._later_idle is None:
            token = next(_tokens)
            idle = call(RawIdle.create, raw, token)
            call(idle.start)
            self._later_idle, self._later_token = idle, token
        self._later.append((callback, args))

    def _open(self) -> RawLoop:
        """The host's loop. Raises `LoopClosedError`."""
        if self._raw is None:
            raise LoopClosedError
        return self._raw

    def _claim_token(self, callback: Callable[[EventKind], object]) -> int:
        """A token for a handle of the host's that no `Handle` stands for, and its callback."""
        token = next(_tokens)
        self._internal[token] = callback
        return token

    def _release_token(self, token: int) -> None:
        self._internal.pop(token, None)

    def _enter(self) -> None:
        """At the beginning of a run."""
        self._has_run = True
        _running.append(self)

    def _leave(self) -> None:
        """At the end of a run. The loop inside whose callback this one has run is current again."""
        _running.pop()
        if _running:
            _running[-1].make_current()

    def _register(self, token: int, handle: Handle) -> None:
        self._handles[token] = handle
        Loop._in_use.add(self)

    def _unregister(self, token: int) -> None:
        self._handles.pop(token, None)
        if not self._handles:
            Loop._in_use.discard(self)

    def _finish(self, run: RawRun) -> bool:
        """Takes the steps of a run until it has finished. Returns the result of `run`."""
        while True:
            step = call(run.next)
            if isinstance(step, Step_Event):
                self._dispatch(step.value)
            elif isinstance(step, Step_Finished):
                return step.value
            else:
                call(wait, run)

    def _dispatch(self, event: Event) -> None:
        handle = self._handles.get(event.token)
        if handle is not None:
            self._guarded(handle._dispatch, event.kind)
        elif event.token in self._internal:
            self._internal[event.token](event.kind)
        elif event.token == self._later_token:
            self._call_later_ones()

    def _guarded(self, function: Callable[..., object], *args: object) -> None:
        """Calls a function of the script and reports its exception to the hook."""
        try:
            function(*args)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        trace = _of_the_script(error.__traceback__)
        try:
            self.excepthook(self, type(error), error, trace)
        except Exception as other:
            print_and_stop(self, type(other), other, _of_the_script(other.__traceback__))

    def _call_later_ones(self) -> None:
        # Calls that are requested from now on are made in the next iteration, by another idle
        # handle.
        calls = self._later
        self._later = deque()
        self._drop_later_idle()
        while calls:
            callback, args = calls.popleft()
            try:
                self._guarded(callback, *args)
            except BaseException:
                # Keep the remaining calls for the next run.
                for waiting in calls:
                    self.call_later(waiting[0], *waiting[1])
                raise

    def _drop_later(self) -> None:
        self._later.clear()
        self._drop_later_idle()

    def _drop_later_idle(self) -> None:
        idle, self._later_idle, self._later_token = self._later_idle, None, 0
        if idle is not None:
            # Closes the handle silently, without a closing phase.
            idle.__exit__(None, None, None)


# The loops that are running. Each but the first runs inside a callback of the one before it.
_running: list[Loop] = []


def current_or(loop: Loop | None) -> Loop:
    """Returns the loop, or the current loop for None. `TypeError` for any other type."""
    if loop is None:
        return Loop.get_current()
    if not isinstance(loop, Loop):
        raise TypeError(f"the loop must be a uv.Loop or None, not {type(loop).__name__}")
    return loop


def next_token() -> int:
    """A token that no handle has had."""
    return next(_tokens)


def _of_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the leading frames of this package. All of it if there are no others."""
    first = trace
    while first is not None and first.tb_frame.f_globals.get("__package__") == __package__:
        first = first.tb_next
    return first or trace
