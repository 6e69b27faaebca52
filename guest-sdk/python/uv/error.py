"""Exceptions for calls that the host refuses.

`UVError` is an ``OSError`` with ``errno`` and ``strerror``. Where Python's sockets raise a subclass
of ``OSError``, so does this package: ``except BlockingIOError`` catches EAGAIN.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import uv_handles_types as raw

from .status import StatusCode

_P = ParamSpec("_P")
_T = TypeVar("_T")


class UVError(OSError):
    """A call was refused, for the reason that `code` names.

    Its text is ``NAME: message``. A code that is not a `StatusCode` keeps its number and has the
    name UNKNOWN. `TypeError` if the code is not an integer.
    """

    code: int
    """The reason: a `StatusCode`."""

    name: str
    """The name of the code, for example ``"EBUSY"``."""

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
        # Python's errno in the sandbox is WASI's, which differs from Linux's.
        super().__init__(getattr(errno, self.name, self.code), message)

    def __str__(self) -> str:
        return f"{self.name}: {self.strerror}"

    def __reduce__(self) -> tuple[type[UVError], tuple[int, str]]:
        # OSError.__reduce__ passes errno instead of the code.
        return type(self), (self.code, str(self.strerror))


class HandleClosedError(UVError):
    """The handle is closing or closed. Its code is EINVAL."""

    def __init__(self, code: int = StatusCode.EINVAL, message: str | None = None) -> None:
        super().__init__(code, message or "the handle is closing or closed")


class LoopClosedError(UVError):
    """The loop is closed. Its code is EINVAL."""

    def __init__(self, code: int = StatusCode.EINVAL, message: str | None = None) -> None:
        super().__init__(code, message or "the loop is closed")


class HandlerRefusedError(UVError, ValueError):
    """EACCES, EINVAL: ``signal.signal`` cannot set a handler. It is a ``ValueError``, as where Python
    runs without signals, so that asyncio and others go on without the handler."""


class _WouldBlockError(UVError, BlockingIOError):
    """EAGAIN: nothing to read yet, or no room to write."""


class _BrokenPipeError(UVError, BrokenPipeError):
    """EPIPE, ESHUTDOWN: the other side no longer reads."""


class _ConnectionResetError(UVError, ConnectionResetError):
    """ECONNRESET."""


class _ConnectionRefusedError(UVError, ConnectionRefusedError):
    """ECONNREFUSED."""


class _ConnectionAbortedError(UVError, ConnectionAbortedError):
    """ECONNABORTED."""


_KINDS: dict[StatusCode, type[UVError]] = {
    StatusCode.EAGAIN: _WouldBlockError,
    StatusCode.EPIPE: _BrokenPipeError,
    StatusCode.ESHUTDOWN: _BrokenPipeError,
    StatusCode.ECONNRESET: _ConnectionResetError,
    StatusCode.ECONNREFUSED: _ConnectionRefusedError,
    StatusCode.ECONNABORTED: _ConnectionAbortedError,
}

# Tracebacks show `uv.UVError` and not the name of a private module.
_all: list[type[UVError]] = [UVError, HandleClosedError, LoopClosedError, *_KINDS.values()]
for _kind in _all:
    _kind.__module__ = "uv"
    _kind.__qualname__ = _kind.__name__ = _kind.__name__.removeprefix("_")
HandlerRefusedError.__module__ = "uv"
HandlerRefusedError.__qualname__ = HandlerRefusedError.__name__ = "UVError"


def number_of(error: raw.Error) -> int:
    """The status code of an error of the contract: a `StatusCode`, or a number that has no name."""
    match error:
        case raw.Error_HandleClosed() | raw.Error_LoopClosed():
            return StatusCode.EINVAL
        case raw.Error_Code(value=code):
            # The contract's codes are an enumeration without numbers. The names are the same.
            return StatusCode[code.name]
        case raw.Error_Other(value=number):
            try:
                return StatusCode(number)
            except ValueError:
                return number


def status_of(error: raw.Error) -> StatusCode:
    """The status code of an error of the contract, UNKNOWN for a number that has no name."""
    number = number_of(error)
    return number if isinstance(number, StatusCode) else StatusCode.UNKNOWN


def error_of(error: raw.Error) -> UVError:
    """The exception for an error of the contract."""
    match error:
        case raw.Error_HandleClosed():
            return HandleClosedError()
        case raw.Error_LoopClosed():
            return LoopClosedError()
        case _:
            return _KINDS.get(status_of(error), UVError)(number_of(error))


def call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls a function of the host and raises its error as an exception of this package."""
    try:
        return function(*args, **kwargs)
    except Err as error:
        refusal = error_of(error.value)
    # Raise outside the block: otherwise the host's error becomes the context of the exception. It
    # is a frozen dataclass, and unittest writes to the exceptions of a traceback.
    raise refusal


def call_by_name(
    not_granted: str, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """As `call`, for a function that takes the name of a grant. ENOENT has the message
    ``not_granted``, which tells the name and the option that grants it. The OS's ENOENT is a number
    instead: the name is granted, but what it connects to is not there."""
    try:
        return function(*args, **kwargs)
    except Err as error:
        match error.value:
            case raw.Error_Code(value=raw.ErrorCode.ENOENT):
                refusal = UVError(StatusCode.ENOENT, not_granted)
            case _:
                refusal = error_of(error.value)
    raise refusal
