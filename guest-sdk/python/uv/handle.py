"""The base class of all handles, as libuv's uv_handle_t."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

from wit_world.imports import handle as raw
from wit_world.imports.async_handle import AsyncHandle as RawAsync
from wit_world.imports.check import Check as RawCheck
from wit_world.imports.event_loop import Loop as RawLoop
from wit_world.imports.idle import Idle as RawIdle
from wit_world.imports.uv_handles_poll import Poll as RawPoll
from wit_world.imports.prepare import Prepare as RawPrepare
from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.timer import Timer as RawTimer
from wit_world.imports.uv_handles_types import EventKind, EventKind_Closed

from . import _check
from .error import HandleClosedError, UVError, call
from .loop import Loop, current_or, next_token
from .status import StatusCode

RawHandle = RawTimer | RawIdle | RawPrepare | RawCheck | RawAsync | RawPoll | RawSignal
"""The host's handle, of any kind."""

_R = TypeVar("_R", bound=RawHandle)


class Handle:
    """The base class of all handles: objects that can call back while they are active.

    A handle lives in its loop until it is closed, even if the script holds no reference to it:
    close handles that are no longer needed. A closed handle is an ordinary object and can be
    collected.

    - ``uv_handle``: makes the host's handle from the host's loop and the handle's token. Only the
      subclasses call this constructor.
    - ``loop``: the loop that the handle runs on; None for the current loop.

    Raises `LoopClosedError`, and `UVError`: ENOMEM when the script has as many handles as the host
    allows.
    """

    # Both are None once the host's handle is freed.
    _raw: RawHandle | None = None
    _any: raw.AnyHandle | None = None
    _token = 0

    def __init__(
        self, uv_handle: Callable[[RawLoop, int], RawHandle], loop: Loop | None = None
    ) -> None:
        self._on_closed: Callable[[Any], object] | None = None
        self._closing = False
        self._closed = False
        self._loop = current_or(loop)
        self._token = next_token()
        self._raw = call(uv_handle, self._loop._open(), self._token)
        self._any = _any_handle(self._raw)
        self._loop._register(self._token, self)

    @property
    def loop(self) -> Loop:
        """The loop that the handle runs on."""
        return self._loop

    @property
    def on_closed(self) -> Callable[[Self], object] | None:
        """The close callback: called once with the handle after it has been closed. May be set
        until then. ``TypeError`` if it is not callable."""
        return self._on_closed

    @on_closed.setter
    def on_closed(self, on_closed: Callable[[Self], object] | None) -> None:
        self._on_closed = _check.callback(on_closed, "on_closed")

    @property
    def closed(self) -> bool:
        """Whether the handle is closed: true as soon as its close callback has returned. All of
        its resources are freed then."""
        return self._closed

    @property
    def closing(self) -> bool:
        """Whether the handle is closing or closed: true from `close` on. Operations raise
        `HandleClosedError` then."""
        return self._closing

    @property
    def active(self) -> bool:
        """Whether the handle is active. An `Async` is active from its creation until it is closed,
        the other kinds while they are started."""
        return self._any is not None and raw.active(self._any)

    @property
    def referenced(self) -> bool:
        """Whether the handle keeps its loop alive while it is active. True for a new handle, false
        for a closed one. It is unrelated to Python's reference counting.

        Setting it calls `reference` or `dereference`, which raise `HandleClosedError`.
        """
        return self._any is not None and raw.referenced(self._any)

    @referenced.setter
    def referenced(self, referenced: bool) -> None:
        if referenced:
            self.reference()
        else:
            self.dereference()

    @property
    def send_buffer_size(self) -> int:
        """The size of the send buffer in bytes. None of the handles here has one: sockets do, see
        `Descriptor.send_buffer_size`.

        Always raises: `HandleClosedError` on a closing handle, otherwise `UVError` with EINVAL.
        The setter also raises ``TypeError``, ``ValueError`` and ``OverflowError`` for a value that
        is not a size.
        """
        raise self._without_buffers()

    @send_buffer_size.setter
    def send_buffer_size(self, size: int) -> None:
        _check.unsigned(size, "the size", 32)
        raise self._without_buffers()

    @property
    def receive_buffer_size(self) -> int:
        """The size of the receive buffer in bytes, with the errors of `send_buffer_size`. Sockets
        have one, see `Descriptor.receive_buffer_size`."""
        raise self._without_buffers()

    @receive_buffer_size.setter
    def receive_buffer_size(self, size: int) -> None:
        _check.unsigned(size, "the size", 32)
        raise self._without_buffers()

    def fileno(self) -> int:
        """The number of the descriptor that the handle works on, in the script's own numbering.

        Raises `UVError`: EINVAL on every kind of handle but `Poll`. Raises `HandleClosedError`.
        """
        return call(raw.fileno, self._open_any())

    def reference(self) -> None:
        """Makes the handle keep its loop alive while it is active. Idempotent.

        Raises `HandleClosedError`.
        """
        call(raw.reference, self._open_any())

    def dereference(self) -> None:
        """Lets the loop end although the handle is active. Idempotent.

        Raises `HandleClosedError`.
        """
        call(raw.dereference, self._open_any())

    def close(self, on_closed: Callable[[Self], object] | None = None) -> None:
        """Closes the handle. It is inactive at once. The loop calls `on_closed` later, never
        inside this call.

        - ``on_closed``: replaces the handle's `on_closed`; None keeps it.

        Closing a closing or closed handle does nothing, and does not replace `on_closed`.
        """
        _check.callback(on_closed, "on_closed")
        if self._closing or self._any is None:
            return
        if on_closed is not None:
            self._on_closed = on_closed
        self._closing = True
        raw.close(self._any)

    def destroy(self) -> None:
        """Frees the host's handle. **Used internally** after the handle has been closed. A direct
        call closes the handle without a close callback."""
        self._closing = True
        self._closed = True
        if self._raw is not None:
            host, self._raw, self._any = self._raw, None, None
            host.__exit__(None, None, None)
            self._loop._unregister(self._token)

    def __repr__(self) -> str:
        if self._closed:
            state = "closed"
        elif self._closing:
            state = "closing"
        else:
            state = "active" if self.active else "inactive"
        return f"<uv.{type(self).__name__} {self._token}, {state}>"

    def _open(self, host: _R | None) -> _R:
        """The host's handle, for calls that are refused on a closing handle."""
        if self._closing or host is None:
            raise HandleClosedError
        return host

    def _open_any(self) -> raw.AnyHandle:
        """The host's handle, for the functions that all kinds share."""
        if self._closing or self._any is None:
            raise HandleClosedError
        return self._any

    def _without_buffers(self) -> UVError:
        """The error of the buffer sizes."""
        return HandleClosedError() if self._closing else UVError(StatusCode.EINVAL)

    def _dispatch(self, kind: EventKind) -> None:
        """Calls the callback that an event is for."""
        if isinstance(kind, EventKind_Closed):
            try:
                if self._on_closed is not None:
                    self._on_closed(self)
            finally:
                # Not before: inside its close callback a handle is closing and not yet closed.
                self.destroy()
        else:
            self._called(kind)

    def _called(self, kind: EventKind) -> None:
        """Calls the handle's callback."""
        raise NotImplementedError


def _any_handle(host: RawHandle) -> raw.AnyHandle:
    """Converts the host's handle to the argument of the functions that all kinds share."""
    match host:
        case RawTimer():
            return raw.AnyHandle_Timer(host)
        case RawIdle():
            return raw.AnyHandle_Idle(host)
        case RawPrepare():
            return raw.AnyHandle_Prepare(host)
        case RawCheck():
            return raw.AnyHandle_Check(host)
        case RawAsync():
            return raw.AnyHandle_AsyncHandle(host)
        case RawPoll():
            return raw.AnyHandle_Poll(host)
        case RawSignal():
            return raw.AnyHandle_Signal(host)
