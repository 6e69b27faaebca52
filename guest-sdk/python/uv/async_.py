"""Async handles: a callback that can be requested at any time, also from outside the sandbox.

The module's name has an underscore because ``async`` is a keyword.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from wit_world.imports.async_handle import AsyncHandle as RawAsync
from wit_world.imports.uv_handles_types import EventKind

from . import _check
from ._waiting import Occurrences
from .error import HandleClosedError, call, call_by_name
from .handle import Handle
from .loop import Loop

AsyncCallback = Callable[["Async"], object]


class Async(Handle):
    """Calls back after it has been sent, in the phase in which the loop waits for events.

    It is active, and so keeps its loop alive, from its creation until it is closed or
    dereferenced. A sandbox has no threads. The threads that send an async handle are the host's:
    they send a handle that was made with `named`. A script uses `send` to defer work to the next
    poll phase.

    - ``loop``: the loop that the handle runs on; None for the current loop.
    - ``callback``: called with the handle.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many
    handles as the host allows.
    """

    _raw: RawAsync | None

    # The name under which the host sends the handle, while that is being made.
    _name: str | None = None

    def __init__(self, loop: Loop | None = None, callback: AsyncCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        name = self._name
        if name is None:
            super().__init__(RawAsync.create, loop)
        else:
            refused = f"no async handle was granted under the name {name!r} (uv-run --wake {name})"
            super().__init__(
                lambda raw, token: call_by_name(refused, RawAsync.create_named, raw, token, name),
                loop,
            )
        self._occurrences = Occurrences(self._loop, most=1)

    @classmethod
    def named(
        cls, name: str, loop: Loop | None = None, callback: AsyncCallback | None = None
    ) -> Self:
        """Makes a handle that the host can send too, under a name that it has granted.

        Raises `UVError`: ENOENT if the host has not granted this name, EBUSY if a handle with this
        name is open already. Also raises what the constructor raises.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name must be a str, not {type(name).__name__}")
        handle = cls.__new__(cls)
        handle._name = name
        handle.__init__(loop, callback)  # type: ignore[misc]
        return handle

    @property
    def callback(self) -> AsyncCallback | None:
        """Called with the handle after it has been sent. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: AsyncCallback | None) -> None:
        self._callback = _check.callback(callback)

    def send(self, callback: AsyncCallback | None = None) -> None:
        """Requests the callback.

        Sends are coalesced: all sends before the callback begins lead to one call of it. A send
        after it began leads to another call. No send is lost.

        - ``callback``: replaces the handle's `callback`, also for pending sends; None keeps it.

        Raises `HandleClosedError`, and ``TypeError`` if the callback is not callable. A call that
        raises changes nothing.
        """
        _check.callback(callback)
        call(self._open(self._raw).send)
        if callback is not None:
            self._callback = callback

    async def sent(self) -> None:
        """Waits until the handle is sent, on the loop of the coroutine. A send between two waits
        is not lost.

        Raises `HandleClosedError`, also if the handle is closed in the meantime.
        """
        self._open(self._raw)
        await self._occurrences.next()

    def receive(self) -> bytes | None:
        """Takes the oldest message of the handle's mailbox, None if there is none.

        A host, or another guest that the host has connected, may send a named handle with a
        message. Sends are coalesced, messages are not: take messages until there is none.

        Raises `UVError`: ENOTSUP if the handle has no name. Raises `HandleClosedError`.
        """
        return call(self._open(self._raw).receive)

    async def message(self) -> bytes:
        """Waits for a message and takes it from the mailbox. Raises what `receive` and `sent`
        raise."""
        while True:
            message = self.receive()
            if message is not None:
                return message
            await self.sent()

    def close(self, on_closed: Callable[[Self], object] | None = None) -> None:
        super().close(on_closed)
        self._occurrences.fail(HandleClosedError())

    def _called(self, kind: EventKind) -> None:
        self._occurrences.add()
        if self._callback is not None:
            self._callback(self)
