"""Blocking waits for a descriptor, on a loop of their own: the script's loops do not go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .loop import Loop, RunMode

if TYPE_CHECKING:
    from .descriptor import Descriptor


def wait(descriptor: Descriptor, events: int, deadline: float | None) -> None:
    """Blocks until the descriptor is ready. ``TimeoutError`` if that is after the deadline, a time
    of ``time.monotonic``. Ctrl+C ends the wait as `Loop.run` says."""
    from .poll import Poll
    from .timer import Timer

    current = Loop._current
    loop = Loop()
    try:
        poll = Poll(descriptor, loop)
        poll.start(events, lambda handle, status, events: handle.stop())
        timer = None
        if deadline is not None:
            timer = Timer(loop)
            timer.start(max(0, round((deadline - time.monotonic()) * 1000)), lambda _: None)
        while poll.active and (timer is None or timer.active):
            loop.run(RunMode.ONCE)
        if poll.active:
            raise TimeoutError("timed out")
    finally:
        for handle in loop.handles:
            handle.destroy()
        loop.close()
        # It became the current one.
        Loop._current = current
