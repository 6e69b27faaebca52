"""Transports of ``connect_read_pipe`` and ``connect_write_pipe``.

They behave as asyncio's transports of Unix pipes, on any descriptor that the host has granted.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from asyncio import transports
from typing import TYPE_CHECKING, Any

from ..descriptor import Descriptor, open

if TYPE_CHECKING:
    from .loop import EventLoop

_CHUNK = 256 * 1024
"""Bytes that are read at once."""


def pipe_of(pipe: Any) -> Descriptor:
    """The descriptor that a caller means: the descriptor itself, one granted under a name, or that
    of ``sys.stdin``, ``sys.stdout`` or ``sys.stderr``."""
    if isinstance(pipe, Descriptor):
        return pipe
    if isinstance(pipe, str):
        return open(pipe)
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    for name, stream in streams.items():
        if pipe is stream or pipe is getattr(stream, "buffer", None):
            return open(name)
    raise TypeError(f"the pipe must be a uv.Descriptor or its name, not {type(pipe).__name__}")


class _PipeTransport:
    """The life of a pipe, which both directions share, from `connection_made` to
    `connection_lost`."""

    _protocol: Any

    def __init__(
        self,
        loop: EventLoop,
        pipe: Descriptor,
        protocol: Any,
        waiter: asyncio.Future[None] | None,
    ) -> None:
        self._event_loop = loop
        self._pipe: Descriptor | None = pipe
        self._number = pipe.fileno()
        self._protocol = protocol
        self._is_closing = False
        loop._ensure_fd_no_transport(pipe)  # type: ignore[attr-defined]
        loop._transports[self._number] = self  # type: ignore[attr-defined]
        loop.call_soon(protocol.connection_made, self)
        # Callbacks of the protocol begin after `connection_made`.
        loop.call_soon(self._begin)
        if waiter is not None:
            loop.call_soon(_connected, waiter)

    def get_protocol(self) -> Any:
        """The protocol."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Sets the protocol."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Whether the transport is closing or closed."""
        return self._is_closing

    def __repr__(self) -> str:
        state = "closed" if self._pipe is None else "closing" if self._is_closing else "open"
        return f"<{type(self).__name__} fd={self._number} {state}>"

    def __del__(self) -> None:
        if self._pipe is not None:
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            self._pipe.close()

    def _begin(self) -> None:
        raise NotImplementedError

    def _fail(self, error: BaseException, message: str) -> None:
        """Ends the transport after an error. The usual ends of a connection are not reported."""
        if not isinstance(error, (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)):
            self._event_loop.call_exception_handler(
                {
                    "message": message,
                    "exception": error,
                    "transport": self,
                    "protocol": self._protocol,
                }
            )
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        """Ends the transport: `connection_lost` is called soon."""
        self._is_closing = True
        self._event_loop._remove_reader(self._number)  # type: ignore[attr-defined]
        self._event_loop._remove_writer(self._number)  # type: ignore[attr-defined]
        self._event_loop.call_soon(self._lost, error)

    def _lost(self, error: BaseException | None) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is None:
            return
        try:
            self._protocol.connection_lost(error)
        finally:
            pipe.close()


class ReadPipeTransport(_PipeTransport, transports.ReadTransport):
    """Reads from a descriptor."""

    def __init__(
        self,
        loop: EventLoop,
        pipe: Descriptor,
        protocol: Any,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        transports.ReadTransport.__init__(self, {"pipe": pipe} | (extra or {}))
        self._is_paused = False
        _PipeTransport.__init__(self, loop, pipe, protocol, waiter)

    def is_reading(self) -> bool:
        """Whether the transport is neither paused nor closing."""
        return not self._is_paused and not self._is_closing

    def pause_reading(self) -> None:
        """Stops reading, until `resume_reading`."""
        if self.is_reading():
            self._is_paused = True
            self._event_loop._remove_reader(self._number)  # type: ignore[attr-defined]

    def resume_reading(self) -> None:
        """Reads again."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._begin()

    def close(self) -> None:
        """Stops reading and closes the descriptor."""
        if not self._is_closing:
            self._end(None)

    def _begin(self) -> None:
        if self.is_reading():
            loop: Any = self._event_loop
            loop._add_reader(self._number, self._ready)

    def _ready(self) -> None:
        if self._pipe is None or self._is_closing:
            return
        try:
            data = self._pipe.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error, "Fatal read error on pipe transport")
            return
        if data:
            self._protocol.data_received(data)
            return
        self._is_closing = True
        self._event_loop._remove_reader(self._number)  # type: ignore[attr-defined]
        self._event_loop.call_soon(self._protocol.eof_received)
        self._event_loop.call_soon(self._lost, None)


class WritePipeTransport(_PipeTransport, transports._FlowControlMixin, transports.WriteTransport):
    """Writes to a descriptor."""

    def __init__(
        self,
        loop: EventLoop,
        pipe: Descriptor,
        protocol: Any,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        transports._FlowControlMixin.__init__(self, {"pipe": pipe} | (extra or {}), loop)
        self._buffer = bytearray()
        _PipeTransport.__init__(self, loop, pipe, protocol, waiter)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be written."""
        return len(self._buffer)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes the data, now or when there is room."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"data argument must be a bytes-like object, not {type(data).__name__!r}"
            )
        if self._pipe is None or self._is_closing:
            return
        sent = 0
        if not self._buffer:
            sent = self._send(data)
            if sent == len(data) or self._pipe is None or self._is_closing:
                return
            loop: Any = self._event_loop
            loop._add_writer(self._number, self._ready)
        self._buffer += memoryview(data)[sent:]
        self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def can_write_eof(self) -> bool:
        """Closing the descriptor is the end of its output."""
        return True

    def write_eof(self) -> None:
        """Closes the descriptor after everything has been written."""
        if not self._is_closing:
            self._is_closing = True
            if not self._buffer:
                self._end(None)

    def close(self) -> None:
        """Closes the descriptor after everything has been written."""
        self.write_eof()

    def abort(self) -> None:
        """Closes the descriptor at once. Data that waits to be written is lost."""
        if self._pipe is not None:
            self._buffer.clear()
            self._end(None)

    def _begin(self) -> None:
        pass

    def _ready(self) -> None:
        if not self._buffer:
            return
        del self._buffer[: self._send(self._buffer)]
        if self._buffer or self._pipe is None:
            return
        self._event_loop._remove_writer(self._number)  # type: ignore[attr-defined]
        self._maybe_resume_protocol()  # type: ignore[attr-defined]
        if self._is_closing and not self._buffer:
            self._end(None)

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        """Sends what fits. After an error the transport ends."""
        assert self._pipe is not None
        try:
            return self._pipe.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._buffer.clear()
            self._fail(error, "Fatal write error on pipe transport")
            return 0


def _connected(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
