"""An executor without threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class InlineExecutor(Executor):
    """Calls each function at once, where it is submitted. A sandbox has no threads.

    ``loop.set_default_executor(uv.InlineExecutor())`` makes ``asyncio.to_thread`` and
    ``loop.run_in_executor(None, ...)`` work. The loop waits while the function runs.
    """

    def __init__(self) -> None:
        self._is_shut_down = False

    def submit(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T]:
        """Calls the function, and returns its result or exception in a finished future."""
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuses functions from now on."""
        self._is_shut_down = True
