"""Signals that wait for their handlers, each delivery once.

A signal reaches every loop that watches it, and any of them may be the next to run. A loop of the
host's that the script does not see counts the deliveries. The watches of the script's loops only
end their waits.
"""

from __future__ import annotations

import signal
from collections import deque

from wit_world.imports.event_loop import Loop as RawLoop
from wit_world.imports.event_loop import Step_Event
from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.uv_handles_types import RunMode

from .error import call

_loop: RawLoop | None = None
_watches: dict[int, RawSignal] = {}
_waiting: deque[int] = deque()


def watch(signum: int) -> None:
    """Keeps the deliveries of a signal from now on. Raises `UVError`: EACCES for a signal that was
    not granted, EINVAL for one that cannot be watched."""
    global _loop
    if signum in _watches:
        return
    if _loop is None:
        _loop = call(RawLoop.create)
    try:
        handle = call(RawSignal.create, _loop, signum)
        try:
            call(handle.start, signum)
        except BaseException:
            handle.__exit__(None, None, None)
            raise
    except BaseException:
        if not _watches:
            # The host limits the number of loops.
            _loop.__exit__(None, None, None)
            _loop = None
        raise
    _watches[signum] = handle


def watched() -> frozenset[int]:
    """The signals whose deliveries are kept."""
    return frozenset(_watches)


def unwatch(signum: int) -> None:
    """Lets a signal do what it does to any program, and forgets its deliveries."""
    handle = _watches.pop(signum, None)
    if handle is not None:
        handle.__exit__(None, None, None)


def call_handlers() -> None:
    """Calls Python's handlers of the signals that have arrived. A handler's exception leaves the
    other signals to the next call."""
    if _watches and _loop is not None:
        _collect(_loop)
    while _waiting:
        signum = _waiting.popleft()
        handler = signal.getsignal(signum)
        if callable(handler):
            handler(signum, None)


def _collect(loop: RawLoop) -> None:
    """A run of its own, during which nothing of the script is called."""
    with call(loop.begin, RunMode.NOWAIT) as run:
        while isinstance(step := call(run.next), Step_Event):
            _waiting.append(step.value.token)
