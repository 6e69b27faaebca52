"""Threads and processes, which a sandbox does not have: errors that say so, and locks without them."""

from __future__ import annotations

import _thread
import errno
import queue
import subprocess
import threading
import time
from typing import NoReturn

from . import _blocking
from .interrupt import Interrupt


def make_default() -> None:
    """Replaces what would fail without a reason, or end the script."""
    _thread.start_new_thread = _no_threads
    _thread.start_joinable_thread = _no_threads
    threading._start_joinable_thread = _no_threads  # type: ignore[attr-defined]
    # Those of conditions, events, semaphores and queues too.
    threading.Lock = threading._allocate_lock = Lock  # type: ignore[assignment, attr-defined]
    # The class that is written in C has a lock of its own.
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined, misc]
    subprocess.Popen.__init__ = _no_processes  # type: ignore[method-assign]


class Lock:
    """A lock without other threads. Only a handler of a signal can release it meanwhile."""

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Takes the lock, or waits until the handler of a signal has released it, or for the
        time-out. ``RuntimeError`` if there is neither: the lock would never be released."""
        take = self._lock.acquire
        if not blocking or timeout != -1:
            # It does not wait, because nothing else runs meanwhile.
            return take(blocking, timeout) or (blocking and self._taken_within(timeout))
        if take(False):
            return True
        if not Interrupt.has_handlers():
            raise RuntimeError(
                "the lock is taken, and would never be released: there are no threads in the sandbox"
            )
        return _blocking.until(lambda: take(False), None)

    def _taken_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        if Interrupt.may_come() and _blocking.until(lambda: self._lock.acquire(False), deadline):
            return True
        time.sleep(max(0.0, deadline - time.monotonic()))
        return self._lock.acquire(False)

    def release(self) -> None:
        """Releases the lock. ``RuntimeError`` if it is not taken."""
        self._lock.release()

    def locked(self) -> bool:
        """Whether it is taken."""
        return self._lock.locked()

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __repr__(self) -> str:
        return repr(self._lock)


# Its name is that of Python's own.
Lock.__module__ = "threading"


def _no_threads(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(
        "can't start new thread: there are no threads in the sandbox; tasks of asyncio, or the "
        "handles of uv, do several things at once"
    )


def _no_processes(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOTSUP, "there are no processes in the sandbox")
