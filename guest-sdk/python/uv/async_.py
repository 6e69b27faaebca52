"""Async handles: a callback that can be asked for at any time, also from outside of the sandbox.

The module has an underscore because ``async`` is a word of the language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from wit_world.imports.async_handle import AsyncHandle as RawAsync
from wit_world.imports.types import Occurrence

from . import _check
from .error import call
from .handle import Handle
from .loop import Loop

AsyncCallback = Callable[["Async"], object]


class Async(Handle):
    """Calls back after it has been sent, in the phase in which the loop waits for events.

    It is active, and so keeps its loop alive, from its making until it is closed or dereferenced. There are
    no threads in a sandbox, so the threads that wake it are the host's: they send a handle that was made
    with `named`. `send` is how a script puts something off until the loop comes round.

    - ``loop``: where the handle runs; None for the current loop.
    - ``callback``: called with the handle.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many handles as
    the host allows.
    """

    _raw: RawAsync | None

    # The name under which the host sends a handle while that is being made.
    _name: str | None = None

    def __init__(self, loop: Loop | None = None, callback: AsyncCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        name = self._name
        if name is None:
            super().__init__(RawAsync.create, loop)
        else:
            super().__init__(lambda raw, token: RawAsync.create_named(raw, token, name), loop)

    @classmethod
    def named(cls, name: str, loop: Loop | None = None, callback: AsyncCallback | None = None) -> Self:
        """Makes a handle that the host sends too, under a name that it has granted.

        Raises `UVError`: ENOENT if no wake-up of that name was granted, EBUSY if a handle with that name is
        open already; and what the constructor raises.
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
        """Asks for the callback. Sends before the callback begins are answered by one call of it; a send
        after it began causes another one; none is lost.

        - ``callback``: becomes the handle's `callback`, also for sends that are pending; None leaves that
          as it is.

        Raises `HandleClosedError`, and ``TypeError`` for what can not be called. Nothing has changed then.
        """
        _check.callback(callback)
        call(self._open(self._raw).send)
        if callback is not None:
            self._callback = callback

    def _called(self, what: Occurrence) -> None:
        if self._callback is not None:
            self._callback(self)
