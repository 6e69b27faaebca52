"""Poll handles on pollables of WASI, and coroutines that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wit_world.imports import pollables
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.uv_handles_types import EventKind, PollEvents
from wit_world.imports.wasi_io_poll import Pollable

from ..error import call
from ..loop import Loop
from ..net.resources import Resources

if TYPE_CHECKING:
    from .loop import EventLoop


class PollableWatch:
    """A poll handle on a pollable that it owns."""

    def __init__(
        self, loop: Loop, subscribe: Callable[[], Pollable], fired: Callable[[EventKind], object]
    ) -> None:
        self.subscribe = subscribe
        self._loop = loop
        self._token = loop._claim_token(fired)
        try:
            self._poll: RawPoll = call(pollables.create, loop._open(), self._token, subscribe())
        except BaseException:
            loop._release_token(self._token)
            raise
        try:
            call(self._poll.start, PollEvents.READABLE)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Frees the poll handle."""
        self._loop._release_token(self._token)
        self._poll.__exit__(None, None, None)


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
