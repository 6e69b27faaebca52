"""The error of threads, which a sandbox does not have."""

from __future__ import annotations

import _thread
import threading
from typing import NoReturn


def make_default() -> None:
    """``Thread.start`` and the functions below it say why they fail."""
    _thread.start_new_thread = _no_threads
    _thread.start_joinable_thread = _no_threads
    threading._start_joinable_thread = _no_threads  # type: ignore[attr-defined]


def _no_threads(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(
        "can't start new thread: there are no threads in the sandbox; tasks of asyncio, or the "
        "handles of uv, do several things at once"
    )
