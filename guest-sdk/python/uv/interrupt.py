"""The handlers of Python's ``signal`` module, called while a loop runs.

Python's own handlers cannot be called by the OS in a sandbox. The package watches the signals for
them, if the host grants these:

- A signal with a handler of the script is watched as long as it has one. The handler is called
  while a loop runs, or in a call that blocks. Meanwhile the signal waits.
- SIGINT with Python's own handler, which raises ``KeyboardInterrupt``, is watched while a loop runs.
- A signal that the script watches with a `Signal`, or with asyncio's ``add_signal_handler``, has no
  other handler.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from wit_world.imports import handle as raw
from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.uv_handles_types import EventKind

from . import _arrivals
from .error import UVError, call
from .status import StatusCode

if TYPE_CHECKING:
    from .loop import Loop

_HARMLESS = frozenset({signal.SIGCHLD, signal.SIGCONT, signal.SIGPIPE, signal.SIGURG})
"""Signals that do not end uv-run. Ignoring them needs no watch."""


class Interrupt:
    """The watches of one loop, between `begin` and `end`. They end its waits."""

    # Those that have begun. Each but the first is of a loop that runs inside a callback of another.
    _begun: list[Interrupt] = []
    # The signals that the script's own handles watch, by handle.
    _own: dict[object, int] = {}
    # The signals with handlers of the script.
    _handled: set[int] = set()
    # The host does not grant SIGINT, and is not asked again.
    _is_denied = False

    def __init__(self) -> None:
        # Only meanwhile, so that a loop and its watches are no cycle for the collector.
        self._loop: Loop | None = None
        self._watches: dict[int, tuple[RawSignal, int]] = {}

    def begin(self, loop: Loop) -> None:
        """Calls the handlers of signals that have arrived, and from now on those of signals that
        arrive while the loop runs. Does nothing if it has begun."""
        if self in Interrupt._begun:
            return
        self._loop = loop
        Interrupt._begun.append(self)
        _update()
        _arrivals.call_handlers()

    def end(self) -> None:
        """Stops the watches. Does nothing if it has not begun."""
        if self in Interrupt._begun:
            Interrupt._begun.remove(self)
            self.update(frozenset())
            self._loop = None
            _update()

    @staticmethod
    def own(handle: object, signum: int) -> None:
        """A handle of the script watches a signal from now on, none for 0."""
        if signum == Interrupt._own.get(handle, 0):
            return
        if signum:
            Interrupt._own[handle] = signum
        else:
            del Interrupt._own[handle]
        _update()

    @staticmethod
    def handler_changed(signum: int) -> None:
        """``signal.signal`` has set the handler of a signal. Raises `UVError`: EACCES if the host
        does not grant it, and EINVAL if it cannot be watched."""
        handler = signal.getsignal(signum)
        is_default = handler is None or handler == signal.SIG_DFL
        if (
            is_default
            or (signum == signal.SIGINT and handler is signal.default_int_handler)
            or (signum in _HARMLESS and handler == signal.SIG_IGN)
        ):
            Interrupt._handled.discard(signum)
        else:
            _arrivals.watch(signum)
            Interrupt._handled.add(signum)
        _update()

    @staticmethod
    def may_come() -> bool:
        """Whether a handler may have to be called in a call that blocks."""
        return bool(_kept(is_waiting=True))

    @staticmethod
    def has_handlers() -> bool:
        """Whether the script has set a handler of a signal."""
        return bool(Interrupt._handled)

    def update(self, signums: frozenset[int]) -> None:
        """Watches these signals on the loop, and no others."""
        loop = self._loop
        if loop is None:
            return
        for signum in self._watches.keys() - signums:
            watch, token = self._watches.pop(signum)
            loop._release_token(token)
            watch.__exit__(None, None, None)
        for signum in signums - self._watches.keys():
            self._start(loop, signum)

    def _start(self, loop: Loop, signum: int) -> None:
        token = loop._claim_token(_arrived)
        try:
            watch = call(RawSignal.create, loop._open(), token)
        except UVError:
            # The script has as many handles as the host allows.
            loop._release_token(token)
            return
        self._watches[signum] = watch, token
        call(raw.dereference, raw.AnyHandle_Signal(watch))
        call(watch.start, signum)


def _arrived(_: EventKind) -> None:
    _arrivals.call_handlers()


def _update() -> None:
    """Watches the signals that have handlers now."""
    kept = _kept(is_waiting=bool(Interrupt._begun))
    for signum in _arrivals.watched() - kept:
        _arrivals.unwatch(signum)
    for interrupt in Interrupt._begun:
        interrupt.update(kept)


def _kept(is_waiting: bool) -> frozenset[int]:
    """The signals whose deliveries are kept for their handlers. Begins to keep them."""
    signums = set(Interrupt._handled)
    handler = signal.getsignal(signal.SIGINT)
    # The script has inherited that it is ignored, or has set its own handler.
    if is_waiting and callable(handler):
        signums.add(signal.SIGINT)
    kept = {signum for signum in signums.difference(Interrupt._own.values()) if _keep(signum)}
    return frozenset(kept)


def _keep(signum: int) -> bool:
    if signum == signal.SIGINT and Interrupt._is_denied:
        return False
    try:
        _arrivals.watch(signum)
    except UVError as error:
        # Otherwise the script has as many handles or loops as the host allows.
        if signum == signal.SIGINT and error.code == StatusCode.EACCES:
            Interrupt._is_denied = True
        return False
    return True
