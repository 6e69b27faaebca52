"""The handler of HTTP that ``urllib.request`` uses in the sandbox."""

from __future__ import annotations

import io
import socket
import time
import urllib.request
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.error import URLError
from urllib.response import addinfourl

from .exchange import Blocking, Chunks, Exchange, run

# urllib adds them for HTTP/1.1, which the host speaks itself.
_HOSTS_OWN = {"host", "connection", "transfer-encoding"}

_CHUNK = 65536


class _Body(io.RawIOBase):
    """The body of a response. Reading blocks."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = run(self._exchange.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._exchange.close()
        super().close()


class HTTPHandler(urllib.request.AbstractHTTPHandler):
    """Sends requests by WASI's HTTP, for http and https. The call blocks; its timeout is for the
    whole exchange."""

    def http_open(self, request: urllib.request.Request) -> Any:
        """Sends a request. ``URLError`` with a `RequestError` if it fails."""
        if request.has_proxy():
            raise URLError(f"{request.full_url}: the sandbox has no proxies, the host connects")
        timeout: Any = request.timeout
        if not isinstance(timeout, (int, float)):
            timeout = socket.getdefaulttimeout()
        waits = Blocking(None if timeout is None else time.monotonic() + timeout)
        exchange = Exchange(waits, request.full_url)
        headers = {**request.unredirected_hdrs, **request.headers}
        sent = [(name, value) for name, value in headers.items() if name.lower() not in _HOSTS_OWN]
        try:
            run(exchange.send(request.get_method(), sent, _chunks(request.data)))
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError) and not str(error).startswith(exchange.url):
                error = TimeoutError(f"{exchange.url}: timed out")
            raise URLError(error) from error
        body = io.BufferedReader(_Body(exchange))
        response: Any = addinfourl(body, exchange.headers, exchange.url, exchange.status)
        try:
            response.msg = HTTPStatus(exchange.status).phrase
        except ValueError:
            response.msg = ""
        return response

    https_open = http_open
    http_request = urllib.request.AbstractHTTPHandler.do_request_
    https_request = urllib.request.AbstractHTTPHandler.do_request_


def _chunks(data: Any) -> bytes | Chunks | None:
    """The body of a request of urllib: bytes, a file, or an iterable of bytes."""
    if data is None or isinstance(data, bytes):
        return data
    if hasattr(data, "read"):
        return iter(lambda: data.read(_CHUNK), b"")
    if isinstance(data, Iterable):
        return data
    return bytes(data)


def make_default() -> None:
    """``urllib.request`` uses this handler in all openers that it makes."""
    module: Any = urllib.request
    module.HTTPHandler = HTTPHandler
