"""Waiting for the callbacks of a handle in coroutines."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loop import Loop


class Occurrences:
    """Events that coroutines wait for, one event for each wait.

    - ``most``: the number of events that are kept while nothing waits; None for all.
    """

    def __init__(self, loop: Loop, most: int | None = None) -> None:
        self._loop = loop
        self._most = most
        self._kept = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def add(self) -> None:
        """An event: resumes the coroutine that has waited longest."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        if self._most is None or self._kept < self._most:
            self._kept += 1

    def fail(self, error: Exception) -> None:
        """Raises an exception in the coroutines that wait."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)

    async def next(self) -> None:
        """Waits for an event. ``RuntimeError`` on any other loop than the handle's."""
        running = asyncio.get_running_loop()
        if getattr(running, "uv_loop", None) is not self._loop:
            raise RuntimeError("the handle runs on another loop than the coroutine that awaits it")
        if self._kept:
            self._kept -= 1
            return
        future: asyncio.Future[None] = running.create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                # The event has come, and this coroutine does not take it.
                self.add()
            raise
