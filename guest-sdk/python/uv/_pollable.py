"""Poll handles on pollables of WASI."""

from __future__ import annotations

from collections.abc import Callable

from wit_world.imports import pollables
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.uv_handles_types import EventKind, PollEvents
from wit_world.imports.wasi_io_poll import Pollable

from .error import call
from .loop import Loop


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
