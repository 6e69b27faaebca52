"""Blocking waits, for sockets that are not on a loop."""

from __future__ import annotations

import time
from collections.abc import Callable

from wit_world.imports.monotonic_clock import subscribe_duration
from wit_world.imports.wasi_io_poll import Pollable, poll

from .. import _blocking
from ..interrupt import Interrupt

_LONGEST = 2**63


def block(subscribe: list[Callable[[], Pollable]], deadline: float | None) -> None:
    """Blocks until one of these is ready. ``TimeoutError`` if that is after the deadline, a time of
    ``time.monotonic``. Signals with handlers call their handlers meanwhile."""
    if Interrupt.may_come():
        _blocking.wait_for_pollables(subscribe, deadline)
    else:
        block_uninterrupted(subscribe, deadline)


def block_uninterrupted(subscribe: list[Callable[[], Pollable]], deadline: float | None) -> None:
    """As `block`, without handlers."""
    pollables = []
    try:
        for one in subscribe:
            pollables.append(one())
        if deadline is not None:
            left = max(0, min(_LONGEST, int((deadline - time.monotonic()) * 1e9)))
            pollables.append(subscribe_duration(left))
        ready = poll(pollables)
    finally:
        for pollable in pollables:
            pollable.__exit__(None, None, None)
    if deadline is not None and ready == [len(subscribe)]:
        raise TimeoutError("timed out")
