"""Runs the uv loop for the asyncio loop, from one turn to the next.

An asyncio loop takes turns: it calls the callbacks that are ready, then waits for new ones. A turn
is the callback of an idle handle of ours. Between two turns the uv loop goes through its other
phases: prepare, poll, check, closing, timers. So asyncio's callbacks and the handles of ``uv``
share one loop, in libuv's order.

The handles here are the host's, without a `uv.Handle`: scripts do not see and cannot close them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from wit_world.imports import handle as raw
from wit_world.imports.async_handle import AsyncHandle as RawAsync
from wit_world.imports.blocking import wait
from wit_world.imports.event_loop import Run as RawRun
from wit_world.imports.event_loop import Step_Event, Step_Finished
from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.timer import Timer as RawTimer
from wit_world.imports.uv_handles_types import EventKind, RunMode

from ..error import call
from ..loop import Loop

NEVER = math.inf
"""A deadline for waits without limit."""

# The host's timers count whole milliseconds, so one of them may be due this much before
# `time.monotonic` says so. More means that the two are different clocks.
_CLOCKS_DIFFER = 0.005

# Milliseconds within which asyncio takes two times for the same. Without it, 0.25 s that have been
# computed as 0.25000000000000006 would be 251 ms.
_RESOLUTION = 1e-6


class Pump:
    """Runs a uv loop from turn to turn.

    - ``needs_turn``: called with the deadline of the wait, after each callback of the uv loop.
      Returns whether the asyncio loop has something to do before then.
    - ``stopped``: called after the uv loop was stopped, which ends the run.
    """

    def __init__(
        self, loop: Loop, needs_turn: Callable[[float], bool], stopped: Callable[[], object]
    ) -> None:
        host = loop._open()
        self._loop = loop
        self._needs_turn = needs_turn
        self._stopped = stopped
        self._turn = loop._claim_token(lambda _: None)
        self._idle = call(RawIdle.create, host, self._turn)
        self._has_idle = False
        self._timer_token = loop._claim_token(self._timer_due)
        self._timer = call(RawTimer.create, host, self._timer_token)
        self._deadline = NEVER
        # Keeps the loop alive while it runs, and wakes it for `call_soon_threadsafe`.
        self._wake_token = loop._claim_token(lambda _: None)
        self._wake = call(RawAsync.create, host, self._wake_token)
        self._any_wake = raw.AnyHandle_AsyncHandle(self._wake)
        call(raw.dereference, self._any_wake)
        self._run: RawRun | None = None
        self._has_polled = False

    def begin(self) -> None:
        """Begins a run. EBUSY while the uv loop runs already."""
        self._run = call(self._loop._open().begin, RunMode.DEFAULT)
        self._has_polled = False
        self._loop._enter()
        call(raw.reference, self._any_wake)

    def end(self) -> None:
        """Ends the run."""
        run, self._run = self._run, None
        if run is not None:
            call(raw.dereference, self._any_wake)
            self._loop._leave()
            run.__exit__(None, None, None)

    def wait_for_turn(self, timeout: float | None) -> None:
        """Goes on until the next turn, which comes after so many seconds at the latest; None is no
        limit."""
        self._set_limit(timeout)
        run = self._run
        assert run is not None
        while True:
            step = call(run.next)
            if isinstance(step, Step_Event):
                event = step.value
                if event.token != self._turn:
                    self._loop._dispatch(event)
                    if self._needs_turn(self._deadline):
                        self.request_turn()
                elif self._has_polled:
                    return
                else:
                    # The idle phase of a run's first iteration comes before its poll. asyncio
                    # polls before it calls anything.
                    self._has_polled = True
            elif isinstance(step, Step_Finished):
                self._stopped()
                return
            else:
                self._has_polled = True
                call(wait, run)

    def request_turn(self) -> None:
        """Causes a turn in the next idle phase."""
        if not self._has_idle:
            call(self._idle.start)
            self._has_idle = True

    def wake(self) -> None:
        """Causes a turn soon. For callers that may interrupt the wait, such as destructors."""
        call(self._wake.send)

    def close(self) -> None:
        """Frees the host's handles."""
        self._idle.__exit__(None, None, None)
        self._timer.__exit__(None, None, None)
        self._wake.__exit__(None, None, None)
        for token in (self._turn, self._timer_token, self._wake_token):
            self._loop._release_token(token)

    def _set_limit(self, timeout: float | None) -> None:
        if timeout == 0:
            self.request_turn()
            return
        if self._has_idle:
            self._idle.stop()
            self._has_idle = False
        if timeout is None:
            if self._deadline != NEVER:
                # In virtual time, a timer that no longer counts would let time pass.
                self._timer.stop()
                self._deadline = NEVER
            return
        deadline = time.monotonic() + timeout
        # A timer that is due too early costs a turn. Starting it for each wait would cost more.
        if deadline < self._deadline:
            call(self._loop._open().update_time)
            call(self._timer.start, math.ceil(timeout * 1000 - _RESOLUTION), 0)
            self._deadline = deadline

    def _timer_due(self, _: EventKind) -> None:
        early = self._deadline - time.monotonic()
        self._deadline = NEVER
        if early > _CLOCKS_DIFFER:
            raise RuntimeError(
                f"the loop's clock is {early:.3f} s ahead of time.monotonic(): a host that gives "
                "a guest virtual time has to give it the same time as WASI's monotonic clock"
            )
        self.request_turn()
