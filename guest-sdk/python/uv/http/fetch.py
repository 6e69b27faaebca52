"""`fetch`: HTTP requests of coroutines."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPMessage
from types import TracebackType
from typing import Any, Self
from weakref import finalize

from wit_world.imports.wasi_io_poll import Pollable

from ..asyncio.loop import EventLoop
from ..asyncio.pollable import ready
from ..net.resources import Resources
from .error import RequestError, timed_out
from .exchange import Chunks, Exchange

_MOST_REDIRECTS = 20

_REDIRECTS = {301, 302, 303, 307, 308}

Headers = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]
"""Headers by name, or one after the other."""


class _OnTheLoop:
    """Waits on the running loop."""

    async def ready(
        self, resources: Resources, subscribe: Sequence[Callable[[], Pollable]]
    ) -> None:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, EventLoop):
            raise RuntimeError("uv.http needs the event loop of uv, which is the default")
        await ready(loop, resources, subscribe)


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes | bytearray | memoryview | str | Chunks | None = None,
    timeout: float | None = None,
    follow_redirects: bool = True,
) -> Response:
    """Sends a request, and returns the response once its head has come.

    Cancelling the call cancels the request, and the host closes the connection.

    - ``headers``: the host does not allow all, for example not ``connection`` and ``host``.
    - ``body``: bytes, text, or an iterable or async iterable of bytes.
    - ``timeout``: the seconds until the response has to be read to its end.
    - ``follow_redirects``: whether a response of 301, 302, 303, 307 or 308 leads to another request.
      The host has to grant its target too. Otherwise such a response is returned.

    Raises `RequestError` with the URL and the reason, and ``ValueError`` for a URL, method or header
    that is not valid.
    """
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    method = method.upper() if method.upper() in ("GET", "HEAD", "POST", "PUT", "DELETE") else method
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, (bytearray, memoryview)):
        body = bytes(body)
    deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
    for _ in range(_MOST_REDIRECTS + 1):
        sent = pairs
        if isinstance(body, bytes) and not any(n.lower() == "content-length" for n, _ in pairs):
            sent = [*pairs, ("content-length", str(len(body)))]
        exchange = Exchange(_OnTheLoop(), url)
        try:
            async with asyncio.timeout_at(deadline):
                await exchange.send(method, sent, body)
        except TimeoutError as error:
            raise _named(error, url) from None
        location = exchange.headers.get("location")
        if not follow_redirects or exchange.status not in _REDIRECTS or location is None:
            return Response(exchange, deadline)
        exchange.close()
        if not isinstance(body, bytes) and body is not None and exchange.status in (307, 308):
            raise RequestError(url, "", 0, "a redirect asks for a body that has been sent already")
        target = urllib.parse.urljoin(url, location)
        if _origin(target) != _origin(url):
            # They are for the first server.
            pairs = [(n, v) for n, v in pairs if n.lower() not in ("authorization", "cookie")]
        status = exchange.status
        if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
            method, body = "GET", None
            pairs = [(n, v) for n, v in pairs if not n.lower().startswith("content-")]
        url = target
    raise RequestError(url, "", 0, f"more than {_MOST_REDIRECTS} redirects")


class Response:
    """An HTTP response: its head, and a body that is still to be read.

    It is an asynchronous context manager, and an asynchronous iterator of the body's parts as they
    come. Reading to the end, `close`, and the end of all references free the connection.
    """

    def __init__(self, exchange: Exchange, deadline: float | None) -> None:
        self._exchange = exchange
        self._deadline = deadline
        finalize(self, exchange.close).atexit = False

    @property
    def url(self) -> str:
        """The URL that was asked last, after redirects."""
        return self._exchange.url

    @property
    def status(self) -> int:
        """The status: 200, for example."""
        return self._exchange.status

    @property
    def reason(self) -> str:
        """The status in words, ``""`` if it has none."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return ""

    @property
    def ok(self) -> bool:
        """Whether the status is one of success: 200 to 299."""
        return 200 <= self.status < 300

    @property
    def headers(self) -> HTTPMessage:
        """The headers: ``headers["content-type"]`` in any case, None if it is missing; ``get_all``
        for one that came several times."""
        return self._exchange.headers

    async def read(self, size: int = -1) -> bytes:
        """Reads the rest of the body; or at most ``size`` bytes of it, where ``b""`` is the end.
        Raises `RequestError`."""
        if size >= 0:
            return await self._read(size)
        chunks = []
        while chunk := await self._read():
            chunks.append(chunk)
        return b"".join(chunks)

    async def text(self) -> str:
        """Reads the rest of the body as text. What cannot be decoded is replaced."""
        charset = self.headers.get_content_charset("utf-8")
        data = await self.read()
        try:
            return data.decode(charset, "replace")
        except LookupError:
            return data.decode("utf-8", "replace")

    async def json(self) -> Any:
        """Reads the rest of the body as JSON."""
        return json.loads(await self.read())

    def close(self) -> None:
        """Ends the exchange. The rest of the body is lost."""
        self._exchange.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._read()
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<uv.http.Response {self.status} of {self.url}>"

    async def _read(self, size: int = 65536) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._exchange.read(size)
        except TimeoutError as error:
            self.close()
            raise _named(error, self.url) from None


def _named(error: TimeoutError, url: str) -> OSError:
    """The error with the URL."""
    return error if isinstance(error, RequestError) else timed_out(url)


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc
