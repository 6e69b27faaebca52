"""The asyncio loop on the handles of this package."""

from __future__ import annotations

import asyncio
import inspect
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from ..descriptor import Descriptor, open
from ..loop import Loop
from ..net.errors import not_granted
from ..net.names import Lookup
from .executor import InlineExecutor
from .pipes import ReadPipeTransport, WritePipeTransport, pipe_of
from .pollable import ready
from .pump import Pump
from .selector import Selector
from .signals import SignalWatch

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class EventLoop(BaseSelectorEventLoop):
    """asyncio's event loop in the sandbox, and the default there: ``asyncio.run`` uses it.

    Callbacks of asyncio and handles of this package share one loop. asyncio's callbacks are called
    in the idle phase, in asyncio's order; handles are called in their own phases.

    - ``loop``: the uv loop to run on, which stays open when this loop is closed; None makes one
      that is closed with it.
    """

    # A loop whose constructor has raised has nothing to close.
    _closed = True

    # Of asyncio's own loop.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool
    _default_executor: Executor | None
    _executor_shutdown_called: bool

    def __init__(self, loop: Loop | None = None) -> None:
        if loop is not None and not isinstance(loop, Loop):
            raise TypeError(f"the loop must be a uv.Loop or None, not {type(loop).__name__}")
        self._owns_loop = loop is None
        self._uv_loop = _new_loop() if loop is None else loop
        self._excepthook = self._uv_loop.excepthook
        self._uv_loop.excepthook = self._callback_raised
        self._pump = Pump(self._uv_loop, self._needs_turn, self.stop)
        self._signals = SignalWatch(self._uv_loop, self._signal_arrived)
        super().__init__(Selector(self._uv_loop, self._pump))

    @property
    def uv_loop(self) -> Loop:
        """The loop for handles of this package. Inside coroutines and callbacks it is the current
        one, so handles are made on it by default."""
        return self._uv_loop

    def close(self) -> None:
        """Closes the loop. Handles that were left open on a uv loop of its own are closed without
        their close callbacks."""
        was_closed = self.is_closed()
        super().close()
        if was_closed:
            return
        self._signals.close()
        self._pump.close()
        self._uv_loop.excepthook = self._excepthook
        if self._owns_loop:
            for handle in self._uv_loop.handles:
                handle.destroy()
            self._uv_loop.close()

    # Running.

    def _run_forever_setup(self) -> None:
        super()._run_forever_setup()  # type: ignore[misc]
        try:
            self._pump.begin()
        except BaseException:
            super()._run_forever_cleanup()  # type: ignore[misc]
            raise
        try:
            self._signals.begin()
        except BaseException:
            # A handler has raised it.
            self._run_forever_cleanup()
            raise

    def _run_forever_cleanup(self) -> None:
        self._signals.end()
        self._pump.end()
        super()._run_forever_cleanup()  # type: ignore[misc]

    def _needs_turn(self, deadline: float) -> bool:
        """Whether a callback is ready, or will be before the wait is over."""
        return (
            bool(self._ready)
            or self._stopping
            or bool(self._scheduled and self._scheduled[0].when() < deadline)
        )

    def _callback_raised(
        self,
        loop: Loop,
        type: type[BaseException],
        value: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        """The excepthook of the uv loop."""
        assert isinstance(value, Exception)
        self.call_exception_handler(
            {"message": "Exception in callback of a uv handle", "exception": value}
        )

    # The wake-up of `call_soon_threadsafe`. A sandbox has no threads, but a destructor or a
    # signal's callback may interrupt the wait.

    def _make_self_pipe(self) -> None:
        pass

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        self._pump.wake()

    # Signals.

    def add_signal_handler(
        self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts
    ) -> None:
        """Calls back for each delivery of a signal that the host has granted.

        Raises `UVError` with EACCES for a signal that was not granted, ``RuntimeError`` for one
        that cannot be caught, ``ValueError`` for a number that is no signal.
        """
        if asyncio.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check_closed()  # type: ignore[attr-defined]
        self._signals.add(sig, asyncio.Handle(callback, args, self))

    def remove_signal_handler(self, sig: int) -> bool:
        """Removes the handler of a signal. Returns whether there was one."""
        return self._signals.remove(sig)

    def _signal_arrived(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)

    # Connections: of WASI's network, or on descriptors that the host has granted.

    async def create_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Any = None,
        port: Any = None,
        *,
        sock: Any = None,
        **options: Any,
    ) -> Any:
        """Connects to a host and port that the host of the sandbox has granted. Without a port,
        ``host`` is the name of a connection that it has granted; ``sock`` may be a descriptor."""
        if port is None:
            host, sock = None, self._granted(host, sock, socket.SOCK_STREAM)
        return await super().create_connection(protocol_factory, host, port, sock=sock, **options)

    def _sock_connect_cb(self, fut: asyncio.Future[None], sock: Any, address: Any) -> None:
        """Ends an attempt to connect, and names the option that grants it."""
        super()._sock_connect_cb(fut, sock, address)  # type: ignore[misc]
        if fut.done() and not fut.cancelled():
            error = fut.exception()
            if isinstance(error, PermissionError):
                error.strerror = f"{error.strerror} {not_granted(address, '--tcp-connect')}"

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Any = None,
        port: Any = None,
        *,
        sock: Any = None,
        **options: Any,
    ) -> Any:
        """Listens on addresses that the host of the sandbox has granted. Without a port, ``host`` is
        the name of a listening socket that it has granted; ``sock`` may be a descriptor."""
        if port is None:
            host, sock = None, self._granted(host, sock, socket.SOCK_STREAM)
        return await super().create_server(protocol_factory, host, port, sock=sock, **options)

    async def connect_accepted_socket(self, *args: Any, **options: Any) -> Any:
        """Makes a transport of a connection that ``accept`` of a socket or descriptor has
        returned."""
        sock = options.get("sock", args[1] if len(args) > 1 else None)
        self._granted(None, sock, socket.SOCK_STREAM)
        return await super().connect_accepted_socket(*args, **options)

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: Any = None,
        remote_addr: Any = None,
        *,
        sock: Any = None,
        **options: Any,
    ) -> Any:
        """Makes a transport of a datagram socket. The addresses are those that the host of the
        sandbox has granted. ``local_addr`` may be the name of a socket that it has granted, and
        ``sock`` a descriptor."""
        if isinstance(local_addr, str) and remote_addr is None:
            local_addr, sock = None, self._granted(local_addr, sock, socket.SOCK_DGRAM)
        elif sock is not None:
            self._granted(None, sock, socket.SOCK_DGRAM)
        return await super().create_datagram_endpoint(
            protocol_factory, local_addr, remote_addr, sock=sock, **options
        )

    def _granted(self, host: Any, sock: Any, kind: int) -> Any:
        """The descriptor or socket that the arguments name, if they have no port."""
        if sock is not None:
            if host is not None:
                raise ValueError("host/port and sock cannot be specified at the same time")
        elif host is None:
            raise ValueError("host and port was not specified and no sock specified")
        elif isinstance(host, str):
            sock = open(host)
        else:
            raise ValueError("several hosts need a port")
        if isinstance(sock, Descriptor):
            sock.type = kind
        return sock

    def _make_read_pipe_transport(
        self, pipe: Any, protocol: Any, waiter: Any = None, extra: Any = None
    ) -> asyncio.ReadTransport:
        return ReadPipeTransport(self, pipe_of(pipe), protocol, waiter, extra)

    def _make_write_pipe_transport(
        self, pipe: Any, protocol: Any, waiter: Any = None, extra: Any = None
    ) -> asyncio.WriteTransport:
        return WritePipeTransport(self, pipe_of(pipe), protocol, waiter, extra)

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Looks a name up, as ``socket.getaddrinfo``. The loop goes on meanwhile."""
        lookup = Lookup(host, port, family, type, proto, flags)
        steps = lookup.steps()
        try:
            while True:
                stream = next(steps)
                await ready(self, lookup.resources, [stream.subscribe])
        except StopIteration as end:
            return end.value
        finally:
            lookup.resources.close()

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        """WASI does not look addresses up: the result is numeric."""
        return socket.getnameinfo(sockaddr, flags)

    # Threads and processes, which a sandbox does not have.

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """Calls a function on an executor. There are no threads: ``RuntimeError`` unless the
        executor, or the default one, is an `InlineExecutor`."""
        self._check_closed()  # type: ignore[attr-defined]
        if executor is None and self._default_executor is None:
            raise RuntimeError(
                "there are no threads in the sandbox; after "
                "loop.set_default_executor(uv.InlineExecutor()) the loop calls the function "
                "itself, and waits meanwhile"
            )
        return super().run_in_executor(executor, func, *args)

    def set_default_executor(self, executor: Any) -> None:
        """Sets the executor of ``run_in_executor`` and ``asyncio.to_thread``."""
        if isinstance(executor, InlineExecutor):
            self._default_executor = executor
        else:
            super().set_default_executor(executor)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Shuts the default executor down."""
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown()

    async def _make_subprocess_transport(self, *args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError("there are no processes in the sandbox")


def _new_loop() -> Loop:
    """A loop that does not become the current one."""
    current = Loop._current
    try:
        return Loop()
    finally:
        Loop._current = current
