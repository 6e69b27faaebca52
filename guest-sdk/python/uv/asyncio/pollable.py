"""Coroutines that wait for pollables of WASI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wit_world.imports.uv_handles_types import EventKind
from wit_world.imports.wasi_io_poll import Pollable

from .._pollable import PollableWatch
from ..net.resources import Resources

if TYPE_CHECKING:
    from .loop import EventLoop


async def ready(
    loop: EventLoop, resources: Resources, subscribe: Sequence[Callable[[], Pollable]]
) -> None:
    """Waits until one of these pollables is ready, which may be spurious. They exist only as long as
    the coroutine waits.

    - ``resources``: those that the pollables depend on. Closing them ends the wait.
    - ``subscribe``: makes the pollables.
    """
    is_ready: asyncio.Future[None] = loop.create_future()
    watches: list[PollableWatch] = []

    def fired(_: EventKind | None = None) -> None:
        if not is_ready.done():
            is_ready.set_result(None)

    def close() -> None:
        while watches:
            watches.pop().close()
        fired()

    number = resources.watch(close)
    try:
        for one in subscribe:
            watches.append(PollableWatch(loop.uv_loop, one, fired))
        await is_ready
    finally:
        resources.unwatch(number)
        close()
