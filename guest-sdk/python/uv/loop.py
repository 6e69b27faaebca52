"""The loop: what handles are made on, and what runs their callbacks.

A run is a conversation: the loop asks the host for the callback that is due (`pull`), calls it, and asks
again. With one callback per question the host always knows which one is running, so every answer inside
a callback is the one that libuv would give.

An event finds its handle by the token that the handle was made with. Tokens are counted up and never used
again, so an event can not reach a later handle.
"""

from __future__ import annotations

import itertools
import traceback
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from types import TracebackType
from typing import TYPE_CHECKING

from wit_world.imports.blocking import Pulled_Event, Pulled_Finished, pull
from wit_world.imports.event_loop import Loop as RawLoop
from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.types import Event
from wit_world.imports.types import RunMode as RawMode

from .error import LoopClosedError, UVError, call
from .status import StatusCode

if TYPE_CHECKING:
    from .handle import Handle

ExceptHook = Callable[
    ["Loop", type[BaseException], BaseException, TracebackType | None],
    object,
]
"""What is called with an exception that a callback has raised: the loop, and what ``sys.exc_info()`` gives."""

# How many callbacks the host may hand over at once.
_EVENTS_PER_PULL = 1

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
    """What a loop does about a callback's exception unless its `Loop.excepthook` is another: it prints the
    traceback to stderr and stops. A script that goes on to its end then exits with 1."""
    traceback.print_exception(type, value, tb)
    Loop._has_failed = True
    loop.stop()


class Loop:
    """An event loop. A script may have several; each is run on its own.

    A new loop is the current one, which handles are made on when they are given none.

    Raises `UVError`: EMFILE when the script has as many loops as the host allows.
    """

    _default: Loop | None = None
    _current: Loop | None = None
    # Those with handles that are not closed: explicit is better than implicit, so a handle lives in its
    # loop until somebody closes it, whether or not the script still knows one of them.
    _in_use: set[Loop] = set()
    # Whether `print_and_stop` has been called, on any loop.
    _has_failed = False

    excepthook: ExceptHook
    """Called with an exception that a callback has raised, as ``excepthook(loop, type, value, traceback)``.

    The default prints the traceback to stderr and stops the loop. What the hook itself raises is printed,
    and stops the loop. ``SystemExit`` and other exceptions that are no ``Exception`` leave `run` at once.
    """

    def __init__(self) -> None:
        self._raw: RawLoop | None = call(RawLoop.create)
        self._handles: dict[int, Handle] = {}
        # What `call_later` was given, and the host's idle handle that will bring it up.
        self._later: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        self._later_token = 0
        self._later_idle: RawIdle | None = None
        # An exception has left a run before its end.
        self._suspended = False
        self.excepthook = print_and_stop
        self.make_current()

    @classmethod
    def get_default(cls) -> Loop:
        """The default loop, which is made when it is asked for the first time. A closed one is
        replaced."""
        if Loop._default is None or Loop._default.closed:
            Loop._default = Loop()
        return Loop._default

    @classmethod
    def get_current(cls) -> Loop:
        """The current loop: the one that runs; otherwise the one that was made, was run, or was given to
        `make_current` last. Without any, or when it is closed, the default loop."""
        if Loop._current is None or Loop._current.closed:
            Loop._current = Loop.get_default()
        return Loop._current

    def make_current(self) -> None:
        """Makes this the current loop."""
        Loop._current = self

    @property
    def closed(self) -> bool:
        """Whether the loop is closed. Most operations raise `LoopClosedError` then."""
        return self._raw is None

    @property
    def alive(self) -> bool:
        """Whether a run would have something to do: a handle is active and referenced, or waits for its
        close callback. False on a closed loop."""
        return self._raw is not None and self._raw.alive()

    @property
    def now(self) -> int:
        """The loop's time in milliseconds.

        It begins anywhere, never goes back, and stands still between the moments at which the loop
        refreshes it: before timers are called, and after each wait for events.

        Raises `LoopClosedError`.
        """
        return call(self._open().now)

    @property
    def handles(self) -> set[Handle]:
        """The handles that are not closed yet, as a set of its own. One whose close callback has begun is not
        among them any more. Empty on a closed loop."""
        if self._raw is None:
            return set()
        # Ours has those whose close callback has begun, and the host's has the idle handle of `call_later`.
        return {self._handles[token] for token in self._raw.handles() if token in self._handles}

    def run(self, mode: RunMode = RunMode.DEFAULT) -> bool:
        """Runs the loop and calls the callbacks that become due. **Blocks** for as long as the mode says.

        Returns whether the loop was still alive at the end: in mode `RunMode.DEFAULT` that is so after
        `stop`, in the others whenever there is more to do. The loop becomes the current one; inside a
        callback of another loop, that one is current again afterwards.

        An exception that is no ``Exception``, as ``SystemExit``, leaves the run at once. The next run first
        finishes the iteration that it has left.

        Raises `UVError`: EBUSY inside a callback of the same loop (another loop may be run there).
        Raises `LoopClosedError`; ``ValueError`` for what is no mode.
        """
        raw = self._open()
        raw_mode = _RAW_MODES[RunMode(mode)]
        if self._suspended:
            self._suspended = False
            self._pull(raw)
        call(raw.begin, raw_mode)
        outer = _running[-1] if _running else None
        self.make_current()
        _running.append(self)
        try:
            return self._pull(raw)
        finally:
            _running.pop()
            if outer is not None:
                outer.make_current()

    def stop(self) -> None:
        """Ends the run after the iteration in progress.

        Called before the iteration waits for events, it does not wait. Called while the loop is not
        running, the next run returns without an iteration. On a closed loop nothing happens.
        """
        if self._raw is not None:
            self._raw.stop()

    def close(self) -> None:
        """Closes the loop. What `call_later` has been given and not called yet is never called. Closing a
        closed loop does nothing.

        Raises `UVError`: EBUSY while a handle of it is not closed (a closing one is not closed yet), or
        while it runs.
        """
        raw = self._raw
        if raw is None:
            return
        if not self._handles:
            self._drop_later()
        call(raw.close)
        self._raw = None
        # Frees it at once: the host counts the loops that a script has.
        raw.__exit__(None, None, None)

    def close_all_handles(self, on_closed: Callable[[Handle], object] | None = None) -> None:
        """Closes all handles, in order of making, with this close callback if one is given. They are closed
        when the loop has run again."""
        for handle in list(self._handles.values()):
            handle.close(on_closed)

    def update_time(self) -> None:
        """Refreshes `now`: for a callback that takes long before it starts a timer.

        Raises `LoopClosedError`.
        """
        call(self._open().update_time)

    def get_timeout(self) -> int:
        """For how many milliseconds the next iteration would wait for events, -1 for without limit. It does
        not take into account what may be ready by then.

        Raises `LoopClosedError`.
        """
        timeout = call(self._open().poll_timeout)
        return -1 if timeout is None else timeout

    def fileno(self) -> int:
        """There is no descriptor for a loop inside a sandbox.

        Raises `UVError`: ENOTSUP, always. Raises `LoopClosedError`.
        """
        self._open()
        raise UVError(StatusCode.ENOTSUP, "a loop in a sandbox has no descriptor")

    def call_later(self, callback: Callable[..., object], *args: object) -> None:
        """Calls ``callback(*args)`` in the loop's next iteration, right before its prepare handles. Calls
        are made in the order in which they were asked for. A call that waits keeps the loop alive, and is
        no handle of it.

        Raises `LoopClosedError`, ``TypeError`` for what can not be called, and `UVError`: ENOMEM when the
        script has as many handles as the host allows.
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

    def _register(self, token: int, handle: Handle) -> None:
        self._handles[token] = handle
        Loop._in_use.add(self)

    def _unregister(self, token: int) -> None:
        self._handles.pop(token, None)
        if not self._handles:
            Loop._in_use.discard(self)

    def _pull(self, raw: RawLoop) -> bool:
        """Asks for what is due and calls it, until the host says that the run has finished."""
        try:
            while True:
                pulled = call(pull, raw, _EVENTS_PER_PULL)
                if isinstance(pulled, Pulled_Finished):
                    return pulled.value
                if isinstance(pulled, Pulled_Event):
                    self._dispatch(pulled.value)
        except UVError:
            raise
        except BaseException:
            # The host goes on from here as if the callback had returned.
            self._suspended = True
            raw.stop()
            raise

    def _dispatch(self, event: Event) -> None:
        handle = self._handles.get(event.token)
        if handle is not None:
            self._guarded(handle._dispatch, event.what)
        elif event.token == self._later_token:
            self._call_later_ones()

    def _guarded(self, function: Callable[..., object], *args: object) -> None:
        """Calls what may be a script's function. Its exceptions are the hook's business."""
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
        # What is asked for from now on is for the next iteration, and has an idle handle of its own.
        calls = self._later
        self._later = deque()
        self._drop_later_idle()
        while calls:
            callback, args = calls.popleft()
            try:
                self._guarded(callback, *args)
            except BaseException:
                # The others are not lost.
                for waiting in calls:
                    self.call_later(waiting[0], *waiting[1])
                raise

    def _drop_later(self) -> None:
        self._later.clear()
        self._drop_later_idle()

    def _drop_later_idle(self) -> None:
        idle, self._later_idle, self._later_token = self._later_idle, None, 0
        if idle is not None:
            # Closes it silently, without a closing phase.
            idle.__exit__(None, None, None)


# The loops that run: each but the first inside a callback of the one before.
_running: list[Loop] = []


def current_or(loop: Loop | None) -> Loop:
    """The loop, or the current one. `TypeError` for what is no loop."""
    if loop is None:
        return Loop.get_current()
    if not isinstance(loop, Loop):
        raise TypeError(f"the loop must be a uv.Loop or None, not {type(loop).__name__}")
    return loop


def next_token() -> int:
    """A token that no handle has had."""
    return next(_tokens)


def _of_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the first line of the script on, if there is one."""
    first = trace
    while first is not None and first.tb_frame.f_globals.get("__package__") == __package__:
        first = first.tb_next
    return first or trace
