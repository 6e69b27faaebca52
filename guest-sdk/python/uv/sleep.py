"""``time.sleep`` that calls the handlers of signals."""

from __future__ import annotations

import time
from typing import SupportsIndex

from . import _blocking
from .interrupt import Interrupt

_LONGEST = 2.0**31
"""Seconds, far below what a timer can count."""

_sleep = time.sleep


def _sleep_until_interrupted(seconds: float | SupportsIndex, /) -> None:
    """Waits this long. Ctrl+C, and other signals with handlers, call their handlers meanwhile."""
    # Python's own checks the argument.
    if isinstance(seconds, (int, float)) and 0 < seconds < _LONGEST and Interrupt.may_come():
        deadline = time.monotonic() + seconds
        _blocking.sleep(deadline)
        seconds = max(0.0, deadline - time.monotonic())
    _sleep(seconds)


def make_default() -> None:
    """Replaces ``time.sleep``, which no signal would interrupt."""
    _sleep_until_interrupted.__name__ = _sleep_until_interrupted.__qualname__ = "sleep"
    time.sleep = _sleep_until_interrupted
