"""The errors of WASI's sockets as Python's."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports.network import ErrorCode
from wit_world.imports.streams import StreamError_Closed

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NUMBERS = {
    ErrorCode.ACCESS_DENIED: errno.EACCES,
    ErrorCode.NOT_SUPPORTED: errno.ENOTSUP,
    ErrorCode.INVALID_ARGUMENT: errno.EINVAL,
    ErrorCode.OUT_OF_MEMORY: errno.ENOMEM,
    ErrorCode.TIMEOUT: errno.ETIMEDOUT,
    ErrorCode.CONCURRENCY_CONFLICT: errno.EALREADY,
    ErrorCode.NOT_IN_PROGRESS: errno.EINVAL,
    ErrorCode.WOULD_BLOCK: errno.EAGAIN,
    ErrorCode.INVALID_STATE: errno.EINVAL,
    ErrorCode.NEW_SOCKET_LIMIT: errno.EMFILE,
    ErrorCode.ADDRESS_NOT_BINDABLE: errno.EADDRNOTAVAIL,
    ErrorCode.ADDRESS_IN_USE: errno.EADDRINUSE,
    ErrorCode.REMOTE_UNREACHABLE: errno.EHOSTUNREACH,
    ErrorCode.CONNECTION_REFUSED: errno.ECONNREFUSED,
    ErrorCode.CONNECTION_RESET: errno.ECONNRESET,
    ErrorCode.CONNECTION_ABORTED: errno.ECONNABORTED,
    ErrorCode.DATAGRAM_TOO_LARGE: errno.EMSGSIZE,
}


def failed(number: int, about: object = None) -> OSError:
    """An ``OSError`` of this number, and so of the class that Python has for it."""
    text = os.strerror(number)
    return OSError(number, text if about is None else f"{text}: {about!r}")


def refused(error: OSError, address: Any, option: str) -> OSError:
    """The error of a call that has an address. If the host does not grant it, the error names the
    option of uv-run that does."""
    if error.errno != errno.EACCES:
        return failed(error.errno or errno.EIO, address)
    text = f"{os.strerror(errno.EACCES)}: {address!r} {not_granted(address, option)}"
    return OSError(errno.EACCES, text)


def not_granted(address: Any, option: str) -> str:
    """The end of a message: the option of uv-run that grants the address."""
    host, port = address[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"was not granted (uv-run {option} {shown})"


def number_of(code: ErrorCode) -> int:
    """The number of an error. EIO for one that has none."""
    return _NUMBERS.get(code, errno.EIO)


def create(function: Callable[[Any], _T], family: Any, kind: str) -> _T:
    """Makes a socket. A host may grant none at all."""
    try:
        return call(function, family)
    except PermissionError:
        raise failed(errno.EACCES, f"the host grants no {kind} sockets") from None


def call(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls a function of WASI's sockets or streams, and raises its error as an ``OSError``.

    WASI does not tell why a stream fails. ECONNRESET is the likely reason; EPIPE says that the
    stream is closed.
    """
    try:
        return function(*args, **kwargs)
    except Err as error:
        value: Any = error.value
    if isinstance(value, ErrorCode):
        raise failed(number_of(value))
    if isinstance(value, StreamError_Closed):
        raise failed(errno.EPIPE)
    raise failed(errno.ECONNRESET)
