"""Lets the tests of CPython 3.11 run on 3.14 in the sandbox."""

from __future__ import annotations

import asyncio
from asyncio import unix_events
from typing import Any, NoReturn

import uv
from test import support  # type: ignore[import-not-found]

# The suite skips itself on WASI, because asyncio's own loop needs socket pairs.
support.has_socket_support = True


def _no_watcher(policy: object) -> NoReturn:
    raise NotImplementedError


# Cases are cleaned up with it. 3.14 has none.
policy: Any = unix_events
policy._DefaultEventLoopPolicy.get_child_watcher = _no_watcher


class SafeChildWatcher:
    """Watched processes up to 3.13. The sandbox has none."""

    def attach_loop(self, loop: object) -> None:
        pass


def _set_watcher(watcher: object) -> None:
    pass


def _loop(selector: object = None) -> uv.EventLoop:
    return uv.EventLoop()


# test_events makes loops on each of Python's selectors. Ours waits with its own.
module: Any = asyncio
module.SelectorEventLoop = _loop
module.SafeChildWatcher = SafeChildWatcher
module.set_child_watcher = _set_watcher
