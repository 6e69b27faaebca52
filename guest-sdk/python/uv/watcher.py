"""Idle, prepare and check handles: a callback in every iteration, each kind in its own phase.

libuv, too, has one source file for the three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from wit_world.imports.check import Check as RawCheck
from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.prepare import Prepare as RawPrepare
from wit_world.imports.uv_handles_types import EventKind

from . import _check
from .error import HandleClosedError, call
from .handle import Handle
from .loop import Loop


class Watcher(Handle):
    """The base class of `Idle`, `Prepare` and `Check`.

    Handles of one kind are called last-started first, and keep that order in later iterations. A
    handle that is started, or stopped and started again, while its kind is being called has its
    turn in the next iteration, before all others.

    - ``loop``: the loop that the handle runs on; None for the current loop.
    - ``callback``: called with the handle.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many
    handles as the host allows.
    """

    _kind: ClassVar[type[RawIdle] | type[RawPrepare] | type[RawCheck]]

    _raw: RawIdle | RawPrepare | RawCheck | None

    def __init__(
        self, loop: Loop | None = None, callback: Callable[[Self], object] | None = None
    ) -> None:
        self._callback: Callable[[Any], object] | None = _check.callback(callback)
        super().__init__(self._kind.create, loop)

    @property
    def callback(self) -> Callable[[Self], object] | None:
        """Called with the handle, once per iteration. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: Callable[[Self], object] | None) -> None:
        self._callback = _check.callback(callback)

    def start(self, callback: Callable[[Self], object] | None = None) -> None:
        """Starts the handle. Starting a started handle keeps its place in the order.

        - ``callback``: replaces the handle's `callback`, also on a started handle; None keeps it.

        Raises `HandleClosedError`, and ``TypeError`` if the callback is not callable. A call that
        raises changes nothing.
        """
        _check.callback(callback)
        host = self._raw
        if self._closing or host is None:
            raise HandleClosedError
        call(host.start)
        if callback is not None:
            self._callback = callback

    def stop(self) -> None:
        """Stops the handle. Does nothing if it is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()

    def _called(self, kind: EventKind) -> None:
        if self._callback is not None:
            self._callback(self)


class Idle(Watcher):
    """Called once per iteration of the loop, right before the prepare handles.

    While an idle handle is active, the loop does not wait for events: stop it when it has no work
    left.
    """

    _kind = RawIdle


class Prepare(Watcher):
    """Called once per iteration of the loop, right before it waits for events."""

    _kind = RawPrepare


class Check(Watcher):
    """Called once per iteration of the loop, right after it has waited for events."""

    _kind = RawCheck
