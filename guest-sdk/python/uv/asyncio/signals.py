"""The signals of the asyncio loop, on signal handles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.uv_handles_types import EventKind

from ..error import UVError, call
from ..interrupt import Interrupt
from ..loop import Loop
from ..signal import not_granted
from ..status import StatusCode


class SignalWatch:
    """The handlers of ``add_signal_handler``, and Python's handlers while the loop runs.

    - ``arrived``: called with the handler of a signal that was delivered.
    """

    def __init__(self, loop: Loop, arrived: Callable[[asyncio.Handle], object]) -> None:
        self._loop = loop
        self._arrived = arrived
        self._handlers: dict[int, tuple[asyncio.Handle, RawSignal, int]] = {}

    def add(self, sig: int, handle: asyncio.Handle) -> None:
        """Sets the handler of a signal."""
        _check(sig)
        known = self._handlers.get(sig)
        if known is not None:
            known[0].cancel()
            self._handlers[sig] = handle, known[1], known[2]
            return
        try:
            watch, token = self._watch(sig, lambda _: self._delivered(sig))
        except UVError as error:
            if error.code == StatusCode.EINVAL:
                raise RuntimeError(f"sig {sig} cannot be caught") from None
            if error.code == StatusCode.EACCES:
                raise not_granted(sig) from None
            raise
        self._handlers[sig] = handle, watch, token
        Interrupt.own(watch, sig)

    def remove(self, sig: int) -> bool:
        """Removes the handler of a signal. Returns whether there was one."""
        _check(sig)
        known = self._handlers.pop(sig, None)
        if known is None:
            return False
        self._free(known[1], known[2])
        return True

    def begin(self) -> None:
        """Lets signals call Python's handlers while the loop runs, as `Interrupt` says.
        ``asyncio.run`` sets one of SIGINT that cancels the main task."""
        self._loop._interrupt.begin(self._loop)

    def end(self) -> None:
        """Lets signals wait for their handlers."""
        self._loop._interrupt.end()

    def close(self) -> None:
        """Removes all handlers."""
        self.end()
        while self._handlers:
            _, (_, watch, token) = self._handlers.popitem()
            self._free(watch, token)

    def _watch(
        self, sig: int, callback: Callable[[EventKind], object]
    ) -> tuple[RawSignal, int]:
        token = self._loop._claim_token(callback)
        watch = call(RawSignal.create, self._loop._open(), token)
        try:
            call(watch.start, sig)
        except BaseException:
            self._free(watch, token)
            raise
        return watch, token

    def _free(self, watch: RawSignal, token: int) -> None:
        Interrupt.own(watch, 0)
        self._loop._release_token(token)
        watch.__exit__(None, None, None)

    def _delivered(self, sig: int) -> None:
        handle = self._handlers[sig][0]
        if handle.cancelled():
            self.remove(sig)
        else:
            self._arrived(handle)


def _check(sig: int) -> None:
    if not isinstance(sig, int):
        raise TypeError(f"sig must be an int, not {sig!r}")
    # Python's numbers end before the real-time signals of Linux.
    if not 1 <= sig <= 64:
        raise ValueError(f"sig {sig} out of range(1, 65)")
