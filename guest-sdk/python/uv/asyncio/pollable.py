"""Waiting for pollables of WASI in coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wit_world.imports import pollables
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.uv_handles_types import EventKind, PollEvents
from wit_world.imports.wasi_io_poll import Pollable

from ..error import call
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
    uv_loop = loop.uv_loop
    polls: list[tuple[RawPoll, int]] = []

    def fired(_: EventKind | None = None) -> None:
        if not is_ready.done():
            is_ready.set_result(None)

    def close() -> None:
        while polls:
            poll, token = polls.pop()
            uv_loop._release_token(token)
            poll.__exit__(None, None, None)
        fired()

    number = resources.watch(close)
    try:
        for one in subscribe:
            token = uv_loop._claim_token(fired)
            try:
                poll = call(pollables.create, uv_loop._open(), token, one())
            except BaseException:
                uv_loop._release_token(token)
                raise
            polls.append((poll, token))
            call(poll.start, PollEvents.READABLE)
        await is_ready
    finally:
        resources.unwatch(number)
        close()
