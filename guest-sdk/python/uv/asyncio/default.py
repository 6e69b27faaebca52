"""Makes `EventLoop` the loop that asyncio makes by itself."""

from __future__ import annotations

import asyncio
from asyncio import unix_events
from typing import Any

from .loop import EventLoop


def make_default() -> None:
    """``asyncio.run``, ``asyncio.new_event_loop`` and asyncio's names for loops use this loop. asyncio's own loop for Unix needs socket pairs, which a sandbox does not have."""
    # The policies of asyncio are deprecated, but `new_event_loop` still asks them.
    policy: Any = unix_events
    policy._DefaultEventLoopPolicy._loop_factory = EventLoop
    for module in (asyncio, unix_events):
        for name in ("EventLoop", "SelectorEventLoop"):
            setattr(module, name, EventLoop)
