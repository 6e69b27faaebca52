"""Tasks: coroutines on a loop.

A coroutine waits for a handle, whose callback resumes the coroutine:

    async def main() -> None:
        await uv.sleep(500)
        print("half a second later")

    uv.run(main())
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from . import _check
from .descriptor import Descriptor
from .error import UVError
from .loop import Loop, current_or
from .poll import Poll, PollEvent
from .signal import Signal
from .status import StatusCode
from .timer import Timer

_T = TypeVar("_T")


class _Event:
    """Something that happens once. Every ``await`` of this package ends in one."""

    def __init__(self) -> None:
        self._has_happened = False
        self._waiting: Task[Any] | None = None

    def happen(self) -> None:
        self._has_happened = True
        if self._waiting is not None:
            task, self._waiting = self._waiting, None
            task._go_on()

    def __await__(self) -> Generator[_Event]:
        if not self._has_happened:
            yield self


class Task(Generic[_T]):
    """A coroutine that runs on a loop, made by `spawn`. Awaiting a task returns the coroutine's
    result, or raises its exception."""

    # The tasks that have not ended.
    _running: set[Task[Any]] = set()

    def __init__(self, coroutine: Coroutine[Any, Any, _T], loop: Loop) -> None:
        if not isinstance(coroutine, Coroutine):
            name = type(coroutine).__name__
            raise TypeError(f"a coroutine is required, as an async function returns it, not {name}")
        try:
            loop.call_later(self._go_on)
        except UVError:
            coroutine.close()  # Otherwise Python warns that it was never awaited.
            raise
        self._coroutine = coroutine
        self._loop = loop
        self._value: _T | None = None
        self._error: BaseException | None = None
        self._is_executing = False
        # The result has been requested, so an exception is raised where the task is awaited.
        self._is_awaited = False
        self._awaited_by: list[_Event] = []
        self._at_end: Callable[[], None] | None = None
        Task._running.add(self)

    @property
    def done(self) -> bool:
        """Whether the coroutine has ended."""
        return self not in Task._running

    def cancel(self) -> None:
        """Ends the coroutine where it waits. Its ``finally`` blocks are executed, and awaiting the
        task raises `UVError`: ECANCELED. Does nothing if the coroutine has ended, or is executing.
        """
        if self.done or self._is_executing:
            return
        self._end(UVError(StatusCode.ECANCELED, "the task was cancelled"))
        self._coroutine.close()

    def __await__(self) -> Generator[Any, None, _T]:
        self._is_awaited = True
        if not self.done:
            end = _Event()
            self._awaited_by.append(end)
            yield from end.__await__()
        return self._result()

    def _result(self) -> _T:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # It has ended without an error.

    def _go_on(self, error: Exception | None = None) -> None:
        """Executes the coroutine until it waits again."""
        if self.done:
            return
        self._is_executing = True
        try:
            event = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
        except StopIteration as stop:
            self._value = stop.value
            self._end(None)
        except BaseException as raised:
            self._end(raised)
            # Nothing awaits the task, so the exception goes to the loop's excepthook. SystemExit
            # ends the script.
            if not self._is_awaited or not isinstance(raised, Exception):
                raise
        else:
            if isinstance(event, _Event):
                event._waiting = self
            else:
                message = "a coroutine on a uv.Loop can only await awaitables of uv"
                self._loop.call_later(self._go_on, RuntimeError(message))
        finally:
            self._is_executing = False

    def _end(self, error: BaseException | None) -> None:
        self._error = error
        Task._running.discard(self)
        for event in self._awaited_by:
            self._loop.call_later(event.happen)
        self._awaited_by = []
        if self._at_end is not None:
            self._at_end()


def run(coroutine: Coroutine[Any, Any, _T], loop: Loop | None = None) -> _T:
    """Runs a coroutine on a loop until it has ended, and returns its result. **Blocks**.

    - ``loop``: the loop that it runs on; None for the current loop.

    Other tasks of the loop that are still running then are cancelled. Its handles stay as they are.

    Raises the coroutine's exception. Raises `UVError`: EBUSY inside a callback of that loop,
    ECANCELED if the loop was stopped before the coroutine had ended. Raises `LoopClosedError`, and
    ``RuntimeError`` if the coroutine waits and no handle is active.
    """
    loop = current_or(loop)
    main = Task(coroutine, loop)
    main._is_awaited = True
    main._at_end = loop.stop
    try:
        is_stopped = loop.run()
    finally:
        is_done = main.done
        main._at_end = None
        _cancel_all(loop)
    if is_done:
        return main._result()
    if is_stopped:
        raise UVError(StatusCode.ECANCELED, "the loop was stopped before the coroutine had ended")
    raise RuntimeError("the coroutine waits for something that never comes: no handle is active")


def _cancel_all(loop: Loop) -> None:
    for task in [task for task in Task._running if task._loop is loop]:
        task.cancel()


def spawn(coroutine: Coroutine[Any, Any, _T], loop: Loop | None = None) -> Task[_T]:
    """Starts a coroutine in the loop's next iteration, concurrently with other tasks.

    - ``loop``: the loop that it runs on; None for the current loop.

    If it raises and the task is not awaited, the exception goes to the loop's ``excepthook``.
    Raises `LoopClosedError`.
    """
    return Task(coroutine, current_or(loop))


async def sleep(timeout: int) -> None:
    """Waits for this many milliseconds.

    Raises ``TypeError``, ``ValueError`` and ``OverflowError`` as `Timer.start`.
    """
    timeout = _check.unsigned(timeout, "the timeout", 64)
    woken = _Event()
    timer = Timer()
    try:
        timer.start(timeout, lambda _: woken.happen())
        await woken
    finally:
        timer.close()


async def readable(fd: int | Descriptor) -> None:
    """Waits until a descriptor is readable or a connection can be accepted.

    Raises the exceptions of `Poll`, and `UVError`: EBADF if the descriptor is closed or the
    connection is reset in the meantime.
    """
    await _ready(fd, PollEvent.READABLE)


async def writable(fd: int | Descriptor) -> None:
    """Waits until a descriptor is writable. Raises the exceptions of `readable`."""
    await _ready(fd, PollEvent.WRITABLE)


async def _ready(fd: int | Descriptor, events: int) -> None:
    woken = _Event()
    result = StatusCode.SUCCESS

    def ready(_: Poll, status: StatusCode, __: int) -> None:
        nonlocal result
        result = status
        poll.stop()
        woken.happen()

    poll = Poll(fd)
    try:
        poll.start(events, ready)
        await woken
    finally:
        poll.close()
    if result != StatusCode.SUCCESS:
        raise UVError(result)


async def signaled(signum: int) -> None:
    """Waits for a signal. Raises the exceptions of `Signal.start`."""
    woken = _Event()
    signal = Signal()
    try:
        signal.start_oneshot(signum, lambda _, __: woken.happen())
        await woken
    finally:
        signal.close()
