"""A request and its response, for callers that wait in a loop and for callers that block."""

from __future__ import annotations

import errno
import urllib.parse
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence
from http.client import HTTPMessage
from typing import Any, Protocol, TypeVar

from componentize_py_types import Err, Ok
from wit_world.imports import wasi_http_types as wasi
from wit_world.imports.outgoing_handler import handle
from wit_world.imports.streams import InputStream, OutputStream, StreamError_Closed
from wit_world.imports.wasi_io_poll import Pollable

from ..net.resources import Resources
from ..net.wait import block
from .error import RequestError, of_code, of_stream

_T = TypeVar("_T")

Chunks = AsyncIterable[bytes] | Iterable[bytes]
"""A body in parts."""

_CHUNK = 65536
"""The most bytes that are read or written at once."""

_METHODS: dict[str, Callable[[], wasi.Method]] = {
    "GET": wasi.Method_Get,
    "HEAD": wasi.Method_Head,
    "POST": wasi.Method_Post,
    "PUT": wasi.Method_Put,
    "DELETE": wasi.Method_Delete,
    "CONNECT": wasi.Method_Connect,
    "OPTIONS": wasi.Method_Options,
    "TRACE": wasi.Method_Trace,
    "PATCH": wasi.Method_Patch,
}

_SAFE = "%/:=&?~+!$,;'@()*[]|-._"
"""Characters of a path that stay as they are."""


class Waits(Protocol):
    """How a caller waits."""

    async def ready(
        self, resources: Resources, subscribe: Sequence[Callable[[], Pollable]]
    ) -> None:
        """Waits until one of the pollables is ready."""


class Blocking:
    """Waits that block the whole script. ``TimeoutError`` after the deadline."""

    def __init__(self, deadline: float | None) -> None:
        self.deadline = deadline

    async def ready(
        self, resources: Resources, subscribe: Sequence[Callable[[], Pollable]]
    ) -> None:
        """Blocks until one of the pollables is ready."""
        block(list(subscribe), self.deadline)


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Runs a coroutine that waits only with `Blocking`."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    raise RuntimeError("a coroutine that blocks has yielded")


class Exchange:
    """A request that is sent, and its response. `close` cancels what is not over."""

    status: int
    headers: HTTPMessage

    def __init__(self, waits: Waits, url: str) -> None:
        self.resources = Resources()
        self.url = url
        self._waits = waits
        self._response: wasi.IncomingResponse | None = None
        self._input: InputStream | None = None

    async def send(
        self, method: str, headers: Iterable[tuple[str, str | bytes]], body: bytes | Chunks | None
    ) -> None:
        """Sends the request, and waits for the head of the response."""
        try:
            await self._send(method, headers, body)
        except BaseException:
            self.close()
            raise

    async def read(self, size: int = _CHUNK) -> bytes:
        """Reads what is there, and waits if there is nothing. ``b""`` is the end."""
        while self._input is not None and size > 0:
            await self._waits.ready(self.resources, [self._input.subscribe])
            if self._input is None:
                break
            try:
                data = self._input.read(min(size, _CHUNK))
            except Err as error:
                value = error.value
            else:
                if data:
                    return data
                continue
            if isinstance(value, StreamError_Closed):
                self.close()
                break
            failure = of_stream(self.url, value.value)
            self.close()
            raise failure
        return b""

    def close(self) -> None:
        """Ends the exchange: the host closes the connection if the response is not over."""
        self._input = None
        self.resources.close()

    async def _send(
        self, method: str, headers: Iterable[tuple[str, str | bytes]], body: bytes | Chunks | None
    ) -> None:
        request = self.resources.add(self._request(method, headers))
        outgoing = None if body is None else self.resources.add(request.body())
        self.resources.give_away(request)
        try:
            pending = self.resources.add(handle(request, None))
        except Err as error:
            code = error.value
            raise of_code(self.url, code) from None
        if outgoing is not None and body is not None:
            await self._write(outgoing, body, pending)
        while not self._has_come(pending):
            await self._waits.ready(self.resources, [pending.subscribe])
        response = self._response
        assert response is not None
        self.status = response.status()
        self.headers = HTTPMessage()
        with response.headers() as fields:
            for name, value in fields.entries():
                self.headers.add_header(name, value.decode("latin-1"))
        incoming = self.resources.add(response.consume())
        self._input = self.resources.add(incoming.stream())

    def _request(
        self, method: str, headers: Iterable[tuple[str, str | bytes]]
    ) -> wasi.OutgoingRequest:
        scheme, authority, path = _parts(self.url)
        fields = wasi.Fields()
        for name, value in headers:
            octets = value if isinstance(value, bytes) else value.encode("latin-1")
            try:
                fields.append(name, octets)
            except Err as error:
                problem = type(error.value).__name__.removeprefix("HeaderError_")
                is_syntax = problem == "InvalidSyntax"
                reason = "is not valid" if is_syntax else "is not allowed by the host"
                raise ValueError(f"the header {name!r} {reason}") from None
        request = wasi.OutgoingRequest(fields)
        kind = _METHODS.get(method, lambda: wasi.Method_Other(method))()
        try:
            request.set_method(kind)
        except Err:
            raise ValueError(f"the method {method!r} is not valid") from None
        try:
            request.set_scheme(scheme)
            request.set_authority(authority)
            request.set_path_with_query(path)
        except Err:
            raise ValueError(f"the URL {self.url!r} is not valid") from None
        return request

    async def _write(
        self, outgoing: wasi.OutgoingBody, body: bytes | Chunks, pending: wasi.FutureIncomingResponse
    ) -> None:
        """Writes the body. A server may answer before it has read all of it: the response tells what
        is wrong, so a failure is none here."""
        output = self.resources.add(outgoing.write())
        if isinstance(body, (bytes, bytearray, memoryview)):
            body = [bytes(body)]
        if isinstance(body, AsyncIterable):
            async for chunk in body:
                if not await self._write_chunk(output, chunk, pending):
                    return
        else:
            for chunk in body:
                if not await self._write_chunk(output, chunk, pending):
                    return
        self.resources.drop(output)
        self.resources.give_away(outgoing)
        try:
            wasi.OutgoingBody.finish(outgoing, None)
        except Err as error:
            raise of_code(self.url, error.value) from None

    async def _write_chunk(
        self, output: OutputStream, chunk: bytes, pending: wasi.FutureIncomingResponse
    ) -> bool:
        """Returns whether more can be written."""
        rest = memoryview(chunk).cast("B")
        while rest:
            try:
                fits = min(output.check_write(), _CHUNK)
                if fits > 0:
                    output.write(bytes(rest[:fits]))
            except Err:
                return False
            rest = rest[fits:]
            if fits == 0:
                await self._waits.ready(self.resources, [output.subscribe, pending.subscribe])
                if self._has_come(pending):
                    return False
        return True

    def _has_come(self, pending: wasi.FutureIncomingResponse) -> bool:
        """Whether the head of the response has come, which is kept."""
        if self._response is not None:
            return True
        result = pending.get()
        if result is None:
            return False
        if isinstance(result, Err) or not isinstance(result, Ok):
            raise RequestError(self.url, "", errno.EIO, "the response is lost")
        if isinstance(result.value, Err):
            raise of_code(self.url, result.value.value)
        self._response = self.resources.add(result.value.value)
        return True


def _parts(url: str) -> tuple[wasi.Scheme, str, str]:
    """The scheme, the authority, and the path with the query. The host validates them."""
    split = urllib.parse.urlsplit(url)
    schemes: dict[str, wasi.Scheme] = {
        "http": wasi.Scheme_Http(),
        "https": wasi.Scheme_Https(),
    }
    scheme = schemes.get(split.scheme.lower())
    if scheme is None or not split.hostname or "@" in split.netloc:
        raise ValueError(f"{url!r} is no URL of HTTP, such as http://example.org/a")
    try:
        authority = split.netloc.encode("ascii").decode("ascii")
    except UnicodeEncodeError:
        port = "" if split.port is None else f":{split.port}"
        authority = split.hostname.encode("idna").decode("ascii") + port
    path = urllib.parse.quote(split.path or "/", safe=_SAFE)
    if split.query:
        path += "?" + urllib.parse.quote(split.query, safe=_SAFE)
    return scheme, authority, path
