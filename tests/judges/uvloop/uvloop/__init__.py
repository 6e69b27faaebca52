"""The names of uvloop, for our loop. The tests' base is uvloop's own file."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import unix_events

import uv

Loop = uv.EventLoop
new_event_loop = uv.EventLoop
run = asyncio.run


class EventLoopPolicy(unix_events._DefaultEventLoopPolicy):  # type: ignore[misc,name-defined]
    """The policy with our loop, which is the default policy."""


# `uvloop._testbase` is in the suite's own package, which comes later on the path.
__path__.extend(
    directory
    for directory in (os.path.join(entry, "uvloop") for entry in sys.path)
    if os.path.exists(os.path.join(directory, "_testbase.py"))
)
