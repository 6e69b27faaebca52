"""Lets the tests of CPython 3.11 run on 3.14 in the sandbox."""

from __future__ import annotations

from asyncio import unix_events
from typing import Any, NoReturn

from test import support  # type: ignore[import-not-found]

# The suite skips itself on WASI, because asyncio's own loop needs socket pairs.
support.has_socket_support = True


def _no_watcher(policy: object) -> NoReturn:
    raise NotImplementedError


# Cases are cleaned up with it. 3.14 has none.
policy: Any = unix_events
policy._DefaultEventLoopPolicy.get_child_watcher = _no_watcher
