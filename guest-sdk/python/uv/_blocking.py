"""Blocking waits, on a loop of their own: the script's loops do not go on.

Ctrl+C and other signals end them as `Loop.run` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wit_world.imports.uv_handles_types import EventKind
from wit_world.imports.wasi_io_poll import Pollable

from .loop import Loop, RunMode

if TYPE_CHECKING:
    from .descriptor import Descriptor

_LONGEST = 2**62
"""Milliseconds, which a timer can count."""


def wait(descriptor: Descriptor, events: int, deadline: float | None) -> None:
    """Blocks until the descriptor is ready. ``TimeoutError`` if that is after the deadline, a time
    of ``time.monotonic``."""
    from .poll import Poll

    with _own_loop() as loop:
        poll = Poll(descriptor, loop)
        poll.start(events, lambda handle, status, events: handle.stop())
        if not _run(loop, deadline, lambda: not poll.active):
            raise TimeoutError("timed out")


def wait_for_pollables(
    subscribe: list[Callable[[], Pollable]], deadline: float | None
) -> None:
    """Blocks until one of these is ready. ``TimeoutError`` if that is after the deadline."""
    from ._pollable import PollableWatch

    is_ready = False

    def fired(_: EventKind) -> None:
        nonlocal is_ready
        is_ready = True

    with _own_loop() as loop:
        watches: list[PollableWatch] = []
        try:
            for one in subscribe:
                watches.append(PollableWatch(loop, one, fired))
            if not _run(loop, deadline, lambda: is_ready):
                raise TimeoutError("timed out")
        finally:
            for watch in watches:
                watch.close()


def sleep(deadline: float) -> None:
    """Blocks until a time of ``time.monotonic`` at most two milliseconds before the deadline: the
    timers of a loop count whole ones."""
    with _own_loop() as loop:
        _run(loop, deadline - 0.001, lambda: False)


def until(is_done: Callable[[], bool], deadline: float | None) -> bool:
    """Blocks until this has been true once, which only a handler of a signal can change, or to the
    deadline. Returns whether it was."""
    from .watcher import Prepare

    was_done = False

    def look(_: object = None) -> bool:
        nonlocal was_done
        was_done = was_done or is_done()
        if was_done:
            loop.stop()
        return was_done

    with _own_loop() as loop:
        # A handler may be called at the begin of a run, before the wait.
        Prepare(loop).start(look)
        return _run(loop, deadline or time.monotonic() + _LONGEST / 1000, look)


@contextmanager
def _own_loop() -> Iterator[Loop]:
    """A loop that does not stay the current one."""
    current = Loop._current
    loop = Loop()
    try:
        yield loop
    finally:
        for handle in loop.handles:
            handle.destroy()
        loop.close()
        # It became the current one.
        Loop._current = current


def _run(loop: Loop, deadline: float | None, is_done: Callable[[], bool]) -> bool:
    """Runs the loop until this is true, or to the deadline. Returns whether it is true."""
    from .timer import Timer

    timer = None
    if deadline is not None:
        timer = Timer(loop)
        left = round((deadline - time.monotonic()) * 1000)
        timer.start(max(0, min(left, _LONGEST)), lambda _: None)
    while not is_done() and (timer is None or timer.active):
        loop.run(RunMode.ONCE)
    return is_done()
