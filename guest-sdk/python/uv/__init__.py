"""libuv's event-loop handles for Python scripts in a sandbox.

A script makes handles on a loop, starts them with a callback, and runs the loop:

    import uv

    timer = uv.Timer()
    timer.start(500, callback=lambda timer: timer.close())
    uv.Loop.get_current().run()

Times are milliseconds. A handle lives until it is closed: close handles that are no longer needed.
The loop ends when no active handle is left. Descriptors, signals and named async handles are
granted by the host.
"""

from . import http
from .async_ import Async
from .async_sender import AsyncSender
from .asyncio import EventLoop, InlineExecutor
from .descriptor import Descriptor, open
from .error import HandleClosedError, LoopClosedError, UVError
from .handle import Handle
from .loop import Loop, RunMode
from .poll import Poll, PollEvent
from .signal import Signal, Signals
from .status import StatusCode
from .timer import Timer
from .watcher import Check, Idle, Prepare

__all__ = [
    "Async",
    "AsyncSender",
    "Check",
    "Descriptor",
    "EventLoop",
    "Handle",
    "HandleClosedError",
    "Idle",
    "InlineExecutor",
    "Loop",
    "LoopClosedError",
    "Poll",
    "PollEvent",
    "Prepare",
    "RunMode",
    "Signal",
    "Signals",
    "StatusCode",
    "Timer",
    "UVError",
    "http",
    "open",
]
