"""libuv's event-loop handles for Python scripts in a sandbox.

Handles are made on a loop, are started with a callback, and call back while the loop runs:

    import uv

    timer = uv.Timer()
    timer.start(500, callback=lambda timer: timer.close())
    uv.Loop.get_current().run()

Times are milliseconds. A handle lives until it is closed: close what is not needed any more, and the loop
ends when nothing active is left. Descriptors, signals and wake-ups are what the host has granted.
"""

from .async_ import Async
from .check import Check
from .descriptor import Descriptor, open
from .error import HandleClosedError, LoopClosedError, UVError
from .handle import Handle
from .idle import Idle
from .loop import Loop, RunMode
from .poll import Poll, PollEvent
from .prepare import Prepare
from .signal import Signal, Signals
from .status import StatusCode
from .tasks import Task, readable, run, signaled, sleep, spawn, writable
from .timer import Timer

__all__ = [
    "Async",
    "Check",
    "Descriptor",
    "Handle",
    "HandleClosedError",
    "Idle",
    "Loop",
    "LoopClosedError",
    "Poll",
    "PollEvent",
    "Prepare",
    "RunMode",
    "Signal",
    "Signals",
    "StatusCode",
    "Task",
    "Timer",
    "UVError",
    "open",
    "readable",
    "run",
    "signaled",
    "sleep",
    "spawn",
    "writable",
]
