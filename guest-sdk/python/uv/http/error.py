"""The error of a request."""

from __future__ import annotations

import errno
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from wit_world.imports import wasi_http_types as wasi
from wit_world.imports.error import Error as StreamFailure


class RequestError(OSError):
    """A request has failed: its URL and the reason.

    Where Python has a class for the reason, the error is of that class too:
    ``PermissionError`` for a host that is not granted, ``ConnectionRefusedError``,
    ``ConnectionResetError``, ``TimeoutError``, and ``socket.gaierror`` for a name that is not known.
    """

    url: str
    """The URL of the request."""

    code: str
    """WASI's name of the reason, such as ``"connection-refused"``. Empty if it has none."""

    def __init__(self, url: str, code: str, number: int, reason: str) -> None:
        super().__init__(number, f"{url}: {reason}")
        self.url = url
        self.code = code

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> tuple[Any, ...]:
        reason = str(self.strerror).removeprefix(f"{self.url}: ")
        return type(self), (self.url, self.code, self.errno, reason)


class _DeniedError(RequestError, PermissionError):
    """The host does not grant it."""


class _RefusedError(RequestError, ConnectionRefusedError):
    """Connection refused."""


class _ResetError(RequestError, ConnectionResetError):
    """The connection was terminated."""


class _TimedOutError(RequestError, TimeoutError):
    """The time is over."""


class _UnknownNameError(RequestError, socket.gaierror):
    """The name cannot be resolved."""


_all: list[type[RequestError]] = [
    RequestError,
    _DeniedError,
    _RefusedError,
    _ResetError,
    _TimedOutError,
    _UnknownNameError,
]
for _kind in _all:
    _kind.__module__ = "uv.http"
    _kind.__qualname__ = _kind.__name__ = _kind.__name__.removeprefix("_")

_REASONS: dict[str, tuple[type[RequestError], int, str]] = {
    "http-request-denied": (_DeniedError, errno.EACCES, "the host does not grant it"),
    "connection-refused": (_RefusedError, errno.ECONNREFUSED, "connection refused"),
    "connection-terminated": (
        _ResetError,
        errno.ECONNRESET,
        "the connection was terminated",
    ),
    "http-response-incomplete": (_ResetError, errno.ECONNRESET, "the response is incomplete"),
    "connection-timeout": (_TimedOutError, errno.ETIMEDOUT, "the connection timed out"),
    "connection-read-timeout": (_TimedOutError, errno.ETIMEDOUT, "the connection timed out"),
    "connection-write-timeout": (_TimedOutError, errno.ETIMEDOUT, "the connection timed out"),
    "http-response-timeout": (_TimedOutError, errno.ETIMEDOUT, "the response timed out"),
    "dns-timeout": (_UnknownNameError, socket.EAI_AGAIN, "looking the name up timed out"),
    "dns-error": (_UnknownNameError, socket.EAI_NONAME, "the name cannot be resolved"),
    "http-protocol-error": (RequestError, errno.EPROTO, "the server does not speak HTTP"),
}


def of_code(url: str, code: wasi.ErrorCode) -> RequestError:
    """The error of a code of WASI."""
    camel = type(code).__name__.removeprefix("ErrorCode_")
    name = re.sub(r"(?<!^)([A-Z])", r"-\1", camel).lower()
    value = getattr(code, "value", None)
    kind, number, reason = _REASONS.get(name, (RequestError, errno.EIO, name))
    if kind is _DeniedError:
        reason = f"{reason} (uv-run --http {_host(url)})"
    if value is not None and name not in _REASONS:
        reason = f"{reason}: {value}"
    return kind(url, name, number, reason)


def _host(url: str) -> str:
    """The host of a URL, with the port if it has one."""
    return urlsplit(url).netloc.rpartition("@")[2]


def of_stream(url: str, failure: StreamFailure) -> RequestError:
    """The error of a body's stream."""
    code = wasi.http_error_code(failure)
    if code is not None:
        return of_code(url, code)
    # WASI does not tell why. The likely reason is the end of the connection.
    return _ResetError(url, "", errno.ECONNRESET, "the connection failed before the end of the body")


def timed_out(url: str) -> RequestError:
    """The time that the caller has set is over."""
    return _TimedOutError(url, "", errno.ETIMEDOUT, "timed out")
