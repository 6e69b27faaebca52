"""Idle handles: a callback in every iteration, for work in slices."""

from __future__ import annotations

from collections.abc import Callable

from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.types import Occurrence

from . import _check
from .error import call
from .handle import Handle
from .loop import Loop

IdleCallback = Callable[["Idle"], object]


class Idle(Handle):
    """Calls back once per iteration of the loop, right before the prepare handles. While one is active, the
    loop does not wait for events: stop it when there is nothing to do.

    Idle handles are called last-started first, and keep that order afterwards. One that is started, or stopped
    and started again, while they are being called has its turn in the next iteration, before all others.

    - ``loop``: where the handle runs; None for the current loop.
    - ``callback``: called with the handle.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many handles as
    the host allows.
    """

    _raw: RawIdle | None

    def __init__(self, loop: Loop | None = None, callback: IdleCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        super().__init__(RawIdle.create, loop)

    @property
    def callback(self) -> IdleCallback | None:
        """Called with the handle, once per iteration, before the prepare handles. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: IdleCallback | None) -> None:
        self._callback = _check.callback(callback)

    def start(self, callback: IdleCallback | None = None) -> None:
        """Starts the handle.

        - ``callback``: becomes the handle's `callback`, also if it is started already; None leaves that
          as it is.

        Raises `HandleClosedError`, and ``TypeError`` for what can not be called. Nothing has changed then.
        """
        _check.callback(callback)
        call(self._open(self._raw).start)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops the handle. Nothing happens if it is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def _called(self, what: Occurrence) -> None:
        if self._callback is not None:
            self._callback(self)
