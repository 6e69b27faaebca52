"""Ctrl+C while a loop runs: ``KeyboardInterrupt``, if the host grants SIGINT.

A run watches SIGINT as any Python program does, unless the script watches it with a `Signal` or
has set it to ``signal.SIG_DFL``. Python's own handler cannot be called by the OS in a sandbox.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from wit_world.imports import handle as raw
from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.uv_handles_types import EventKind

from .error import UVError, call
from .status import StatusCode

if TYPE_CHECKING:
    from .loop import Loop
    from .signal import Signal


class Interrupt:
    """The watch of SIGINT of one loop, between `begin` and `end`."""

    # Those that have begun. Each but the first is of a loop that runs inside a callback of another.
    _begun: list[Interrupt] = []
    # The script's own handles that watch SIGINT.
    _own: set[Signal] = set()
    # The host does not grant the signal, and is not asked again.
    _is_denied = False

    def __init__(self) -> None:
        # Only meanwhile, so that a loop and its watch are no cycle for the collector.
        self._loop: Loop | None = None
        self._watch: tuple[RawSignal, int] | None = None

    def begin(self, loop: Loop) -> None:
        """Watches SIGINT on the loop. Does nothing if it has begun."""
        self._loop = loop
        if self not in Interrupt._begun:
            Interrupt._begun.append(self)
        self._update()

    def end(self) -> None:
        """Lets SIGINT do what it does to any program. Does nothing if it has not begun."""
        if self in Interrupt._begun:
            Interrupt._begun.remove(self)
        self._stop()
        self._loop = None

    @staticmethod
    def own(handle: Signal, is_watching: bool) -> None:
        """A handle of the script begins or ends to watch SIGINT. Meanwhile no run watches it."""
        if is_watching:
            Interrupt._own.add(handle)
        else:
            Interrupt._own.discard(handle)
        for interrupt in Interrupt._begun:
            interrupt._update()

    def _update(self) -> None:
        handler = signal.getsignal(signal.SIGINT)
        if Interrupt._own or handler is None or handler == signal.SIG_DFL:
            self._stop()
        elif self._loop is not None and self._watch is None and not Interrupt._is_denied:
            self._start(self._loop)

    def _start(self, loop: Loop) -> None:
        token = loop._claim_token(_interrupted)
        try:
            watch = call(RawSignal.create, loop._open(), token)
        except UVError:
            # The script has as many handles as the host allows.
            loop._release_token(token)
            return
        self._watch = watch, token
        try:
            call(raw.dereference, raw.AnyHandle_Signal(watch))
            call(watch.start, signal.SIGINT)
        except UVError as error:
            self._stop()
            if error.code != StatusCode.EACCES:
                raise
            Interrupt._is_denied = True

    def _stop(self) -> None:
        if self._loop is not None and self._watch is not None:
            watch, token = self._watch
            self._watch = None
            self._loop._release_token(token)
            watch.__exit__(None, None, None)


def _interrupted(_: EventKind) -> None:
    """Calls Python's handler of SIGINT. The default one raises ``KeyboardInterrupt``."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, None)
