"""``signal.signal`` for the signals that the host grants."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from .error import HandlerRefusedError, UVError
from .interrupt import Interrupt
from .signal import not_granted
from .status import StatusCode

_Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None

_set_handler = signal.signal

_IGNORED = "UV_HANDLES_IGNORED_SIGNALS"
"""The environment variable with the numbers of the signals that are ignored."""


def _signal(signalnum: int | signal.Signals, handler: _Handler) -> _Handler:
    """Sets the handler of a signal, and returns the one before. Raises `UVError`, also a
    ``ValueError``, if the host does not grant the signal."""
    before = signal.getsignal(signalnum)
    _set_handler(signalnum, handler)
    try:
        Interrupt.handler_changed(int(signalnum))
    except UVError as error:
        if callable(handler):
            _set_handler(signalnum, before)
            if error.code == StatusCode.EACCES:
                message = str(not_granted(int(signalnum)).strerror)
                raise HandlerRefusedError(error.code, message) from None
            raise
        # A signal that is to be ignored, and does what it does to any program.
    return before


def ignore_inherited() -> None:
    """The handlers that a script begins with: signals that the process ignores are ignored until the
    script sets another handler. uv-run names them in a variable, which the script does not see."""
    for number in os.environ.pop(_IGNORED, "").split(","):
        if number:
            _set_handler(int(number), signal.SIG_IGN)


def make_default() -> None:
    """Replaces ``signal.signal``, whose handlers would never be called in a sandbox."""
    _signal.__name__ = _signal.__qualname__ = "signal"
    signal.signal = _signal
