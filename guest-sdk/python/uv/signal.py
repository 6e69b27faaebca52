"""Signal handles: a callback when the host's process receives a signal."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, nonmember
from typing import Self

from wit_world.imports.signal import Signal as RawSignal
from wit_world.imports.uv_handles_types import EventKind, EventKind_Signal

from . import _check
from ._waiting import Occurrences
from .error import HandleClosedError, UVError, call
from .handle import Handle
from .interrupt import Interrupt
from .loop import Loop
from .status import StatusCode

SignalCallback = Callable[["Signal", int], object]


class Signals(IntEnum):
    """Linux's signals. The numbers are Linux's on every host, as those of Python's ``signal``."""

    SIGHUP = 1
    """The terminal was closed. Many programs reload their configuration."""

    SIGINT = 2
    """The user pressed Ctrl+C."""

    SIGQUIT = 3
    """The user pressed Ctrl+\\."""

    SIGILL = 4
    """Illegal instruction. Cannot be watched."""

    SIGTRAP = 5
    """A debugger's trap. Cannot be watched."""

    SIGABRT = 6
    """Abort. Cannot be watched."""

    SIGIOT = 6
    """Another name of SIGABRT."""

    SIGBUS = 7
    """Bad memory access. Cannot be watched."""

    SIGFPE = 8
    """Arithmetic error. Cannot be watched."""

    SIGKILL = 9
    """Kill. Cannot be watched."""

    SIGUSR1 = 10
    """For the program's own use."""

    SIGSEGV = 11
    """Invalid memory reference. Cannot be watched."""

    SIGUSR2 = 12
    """For the program's own use."""

    SIGPIPE = 13
    """A write to a pipe without a reader."""

    SIGALRM = 14
    """The alarm clock."""

    SIGTERM = 15
    """A request to end."""

    SIGSTKFLT = 16
    """Stack fault of a coprocessor. Linux never sends it."""

    SIGCHLD = 17
    """A child process stopped or ended."""

    SIGCLD = 17
    """Another name of SIGCHLD."""

    SIGCONT = 18
    """Continue after a stop."""

    SIGSTOP = 19
    """Stop. Cannot be watched."""

    SIGTSTP = 20
    """The user pressed Ctrl+Z."""

    SIGTTIN = 21
    """A background process read from the terminal."""

    SIGTTOU = 22
    """A background process wrote to the terminal."""

    SIGURG = 23
    """Urgent data arrived on a socket."""

    SIGXCPU = 24
    """The limit of processor time was reached."""

    SIGXFSZ = 25
    """The limit of a file's size was reached."""

    SIGVTALRM = 26
    """The virtual alarm clock."""

    SIGPROF = 27
    """The profiling timer."""

    SIGWINCH = 28
    """The terminal's size changed."""

    SIGIO = 29
    """Input or output is possible."""

    SIGPOLL = 29
    """Another name of SIGIO."""

    SIGPWR = 30
    """Power failure."""

    SIGSYS = 31
    """Bad system call."""

    SIGRTMIN = 34
    """The first real-time signal."""

    SIGRTMAX = 64
    """The last real-time signal."""

    SIGBREAK = nonmember(0)
    """Ctrl+Break on Windows. Linux has no such signal: this is the number 0, which is not a member
    of the enumeration. Watching it raises EINVAL."""


class Signal(Handle):
    """Calls back when the host's process receives a signal that the host has granted.

    Every handle that watches a signal is called for each delivery.

    - ``loop``: the loop that the handle runs on; None for the current loop.
    - ``callback``: called with the handle and the signal's number.

    Raises `LoopClosedError`, ``TypeError``, and `UVError`: ENOMEM when the script has as many
    handles as the host allows.
    """

    _raw: RawSignal | None

    # Whether the watch ends with the next delivery.
    _is_oneshot = False

    def __init__(self, loop: Loop | None = None, callback: SignalCallback | None = None) -> None:
        self._callback = _check.callback(callback)
        super().__init__(RawSignal.create, loop)
        self._occurrences = Occurrences(self._loop)

    @property
    def callback(self) -> SignalCallback | None:
        """Called as ``callback(handle, signum)``. May be set at any time."""
        return self._callback

    @callback.setter
    def callback(self, callback: SignalCallback | None) -> None:
        self._callback = _check.callback(callback)

    @property
    def signum(self) -> int:
        """The number of the signal that the handle watches, 0 if it is stopped.

        Raises `HandleClosedError`.
        """
        return call(self._open(self._raw).signum)

    def start(self, signum: int, callback: SignalCallback | None = None) -> None:
        """Watches a signal. A handle that watches another signal is stopped first, and stays
        stopped if the new one is refused.

        - ``signum``: the signal's number.
        - ``callback``: replaces the handle's `callback`; None keeps it.

        Raises `UVError`: EINVAL for a number that is no signal, or a signal that cannot be watched
        (SIGKILL, SIGSTOP, and those that the host itself depends on), EACCES for a signal that was
        not granted. Raises `HandleClosedError`, and ``TypeError`` if the number is not an integer
        or the callback is not callable.
        """
        self._start(self._open(self._raw).start, signum, callback)
        self._is_oneshot = False

    def start_oneshot(self, signum: int, callback: SignalCallback | None = None) -> None:
        """Watches a signal for one callback, and then stops the handle. Otherwise as `start`."""
        host = self._open(self._raw)
        # A lasting watch of the same signal stays one.
        is_lasting = not self._is_oneshot and self.signum == signum
        self._start(host.start_oneshot, signum, callback)
        self._is_oneshot = not is_lasting

    def _start(
        self, start: Callable[[int], None], signum: int, callback: SignalCallback | None
    ) -> None:
        number = _signum(signum)
        _check.callback(callback)
        try:
            call(start, number)
        except UVError as error:
            if error.code == StatusCode.EACCES:
                raise not_granted(number) from None
            raise
        finally:
            # While the script watches a signal itself, Python's handler is not called.
            Interrupt.own(self, self.signum if self.active else 0)
        if callback is not None:
            self._callback = callback

    async def delivered(self) -> None:
        """Waits for a delivery of the signal, on the loop of the coroutine. The handle has to be
        started. Deliveries between two waits are not lost: each ends a wait.

        Raises `HandleClosedError`, also if the handle is closed in the meantime.
        """
        self._open(self._raw)
        await self._occurrences.next()

    def close(self, on_closed: Callable[[Self], object] | None = None) -> None:
        super().close(on_closed)
        Interrupt.own(self, 0)
        self._occurrences.fail(HandleClosedError())

    def destroy(self) -> None:
        """Frees the host's handle. **Used internally** after the handle has been closed. A direct
        call closes the handle without a close callback."""
        super().destroy()
        Interrupt.own(self, 0)

    def stop(self) -> None:
        """Stops watching. Does nothing if the handle is not started, or is closing."""
        if self._raw is not None:
            self._raw.stop()
            Interrupt.own(self, 0)

    def _called(self, kind: EventKind) -> None:
        self._occurrences.add()
        if self._is_oneshot:
            # The host stops it after the callback.
            Interrupt.own(self, 0)
        if self._callback is not None and isinstance(kind, EventKind_Signal):
            self._callback(self, kind.value)


def not_granted(number: int) -> UVError:
    """The error of a signal that the host does not grant."""
    try:
        name = Signals(number).name
        option = name.removeprefix("SIG").lower()
    except ValueError:
        name = option = str(number)
    message = f"the signal {name} was not granted (uv-run --signal {option})"
    return UVError(StatusCode.EACCES, message)


def _signum(signum: int) -> int:
    number = _check.integer(signum, "the signal")
    if number.bit_length() > 31:
        raise UVError(StatusCode.EINVAL, f"{number} is no signal")
    return number
