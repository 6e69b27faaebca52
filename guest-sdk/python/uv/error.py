"""Errors: what is raised when the host refuses a call.

`UVError` is an ``OSError``, so its ``errno`` and ``strerror`` are there too, and what Python's sockets raise
is raised here as well: whoever writes ``except BlockingIOError`` catches EAGAIN.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import types as raw

from .status import StatusCode

_P = ParamSpec("_P")
_T = TypeVar("_T")


class UVError(OSError):
    """A call was refused, for the reason that `code` names.

    Its text is ``NAME: message``. A code that is none of `StatusCode` keeps its number and has the name
    UNKNOWN. `TypeError` if the code is no number.
    """

    code: int
    """Why: one of `StatusCode`."""

    name: str
    """The code's name: ``"EBUSY"``, for example."""

    def __init__(self, code: int, message: str | None = None) -> None:
        try:
            status = StatusCode(code)
            self.code = status
            self.name = status.name
            message = message or status.message
        except ValueError:
            if not isinstance(code, int):
                raise TypeError(f"the code is a number, not {type(code).__name__}") from None
            self.code = code
            self.name = "UNKNOWN"
            message = message or f"unknown error {code}"
        # Python's own number for it: the two differ, as WASI's errno is not Linux's.
        super().__init__(getattr(errno, self.name, self.code), message)

    def __str__(self) -> str:
        return f"{self.name}: {self.strerror}"

    def __reduce__(self) -> tuple[type[UVError], tuple[int, str]]:
        # OSError's own would pass on errno instead of the code.
        return type(self), (self.code, str(self.strerror))


class HandleClosedError(UVError):
    """The handle is closing or closed. Its code is EINVAL."""

    def __init__(self, code: int = StatusCode.EINVAL, message: str | None = None) -> None:
        super().__init__(code, message or "the handle is closing or closed")


class LoopClosedError(UVError):
    """The loop is closed. Its code is EINVAL."""

    def __init__(self, code: int = StatusCode.EINVAL, message: str | None = None) -> None:
        super().__init__(code, message or "the loop is closed")


class _WouldBlockError(UVError, BlockingIOError):
    """EAGAIN: nothing is there yet, or nothing fits now."""


class _BrokenPipeError(UVError, BrokenPipeError):
    """EPIPE, ESHUTDOWN: the other side does not read any more."""


class _ConnectionResetError(UVError, ConnectionResetError):
    """ECONNRESET."""


class _ConnectionRefusedError(UVError, ConnectionRefusedError):
    """ECONNREFUSED."""


class _ConnectionAbortedError(UVError, ConnectionAbortedError):
    """ECONNABORTED."""


# They are an implementation's detail: a traceback shows what a user catches.
_KINDS: dict[StatusCode, type[UVError]] = {
    StatusCode.EAGAIN: _WouldBlockError,
    StatusCode.EPIPE: _BrokenPipeError,
    StatusCode.ESHUTDOWN: _BrokenPipeError,
    StatusCode.ECONNRESET: _ConnectionResetError,
    StatusCode.ECONNREFUSED: _ConnectionRefusedError,
    StatusCode.ECONNABORTED: _ConnectionAbortedError,
}
_all: list[type[UVError]] = [UVError, HandleClosedError, LoopClosedError, *_KINDS.values()]
for _kind in _all:
    _kind.__module__ = "uv"
    _kind.__qualname__ = _kind.__name__ = _kind.__name__.removeprefix("_")


def status_of(code: raw.StatusCode) -> StatusCode:
    """The contract's code, which has no number, as one of ours. The names are the same."""
    return StatusCode[code.name]


def error_of(error: raw.Error) -> UVError:
    """The exception for an error of the contract."""
    match error:
        case raw.Error_HandleClosed():
            return HandleClosedError()
        case raw.Error_LoopClosed():
            return LoopClosedError()
        case raw.Error_Status(value=code):
            status = status_of(code)
            return _KINDS.get(status, UVError)(status)


def call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls a function of the host, and raises its error as one of ours."""
    try:
        return function(*args, **kwargs)
    except Err as error:
        refusal = error_of(error.value)
    # Not inside the block: the host's error would be the context of ours, and it can not be written to,
    # which is what unittest does with tracebacks.
    raise refusal
