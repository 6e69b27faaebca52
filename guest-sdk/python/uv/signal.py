"""Signal handles: a callback when the host's process receives a signal."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.types import Occurrence, Occurrence_Signal

from . import _check
from .error import UVError, call
from .handle import Handle
from .loop import Loop
from .status import StatusCode

SignalCallback = Callable[["Signal", int], object]


class Signals(IntEnum):
    """The generic signals. Others can be watched as well: their numbers are those of Python's own module
    ``signal``, which are Linux's on every host."""

    SIGHUP = 1
    """The user has closed the terminal; by custom also: read the configuration again."""

    SIGINT = 2
    """The user has pressed Ctrl+C."""

    SIGBREAK = 0
    """The user has pressed Ctrl+Break, which only Windows has: watching it raises EINVAL."""

    SIGWINCH = 28
    """The terminal's size has changed."""


class Signal(Handle):
    """Calls back when the host's process receives a signal that the host has granted. Every handle that
    watches a signal is called for each delivery.

    - ``loop``: where the handle runs; None for the current loop.
    - ``callback``: called with the handle and the signal's number.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many handles as
    the host allows.
    """

    _raw: RawSignal | None

    def __init__(self, loop: Loop | None = None, callback: SignalCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        super().__init__(RawSignal.create, loop)

    @property
    def callback(self) -> SignalCallback | None:
        """Called as ``callback(handle, signum)``. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: SignalCallback | None) -> None:
        self._callback = _check.callback(callback)

    @property
    def signum(self) -> int:
        """The signal that the handle watches, 0 if it is stopped.

        Raises `HandleClosedError`.
        """
        return call(self._open(self._raw).signum)

    def start(self, signum: int, callback: SignalCallback | None = None) -> None:
        """Watches a signal. A handle that watches another one is stopped first, and stays stopped if the
        new one is refused.

        - ``signum``: the signal's number.
        - ``callback``: becomes the handle's `callback`; None leaves that as it is.

        Raises `UVError`: EINVAL for what is no signal or can not be watched (SIGKILL, SIGSTOP, and those
        that the host itself depends on), EACCES for a signal that was not granted. Raises
        `HandleClosedError`, and ``TypeError`` for what is no integer or can not be called.
        """
        number = _signum(signum)
        _check.callback(callback)
        call(self._open(self._raw).start, number)
        if callback is not None:
            self._callback = callback

    def start_oneshot(self, signum: int, callback: SignalCallback | None = None) -> None:
        """Watches a signal for one callback: the handle is stopped right after it. Otherwise as `start`."""
        number = _signum(signum)
        _check.callback(callback)
        call(self._open(self._raw).start_oneshot, number)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops watching. Nothing happens if the handle is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def _called(self, what: Occurrence) -> None:
        if self._callback is not None and isinstance(what, Occurrence_Signal):
            self._callback(self, what.value)


def _signum(signum: int) -> int:
    number = _check.integer(signum, "the signal")
    if number.bit_length() > 31:
        raise UVError(StatusCode.EINVAL, f"{number} is no signal")
    return number
