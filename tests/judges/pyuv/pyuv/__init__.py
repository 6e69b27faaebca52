"""pyuv's names for the handles of the package `uv`: callbacks come first, and times are seconds."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import uv

UV_RUN_DEFAULT, UV_RUN_ONCE, UV_RUN_NOWAIT = uv.RunMode
UV_READABLE, UV_WRITABLE = uv.PollEvent.READABLE, uv.PollEvent.WRITABLE


class error:
    """The module of exceptions."""

    UVError = uv.UVError
    HandleClosedError = uv.HandleClosedError


class Loop(uv.Loop):
    """A loop, whose hook does not get the loop."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "excepthook" and value is not uv.loop.print_and_stop:
            hook = value

            def value(
                loop: uv.Loop,
                kind: type[BaseException],
                error: BaseException,
                trace: TracebackType | None,
            ) -> object:
                return hook(kind, error, trace)

        super().__setattr__(name, value)

    @classmethod
    def default_loop(cls) -> uv.Loop:
        return uv.Loop.get_default()

    def run(self, mode: int = UV_RUN_DEFAULT) -> bool:
        return super().run(uv.RunMode(mode))

    def queue_work(self, *args: object) -> None:
        raise NotImplementedError


class Timer(uv.Timer):
    """A timer in seconds."""

    ref = uv.Timer.referenced

    def start(self, callback: Callable[[Any], object], timeout: float, repeat: float) -> None:  # type: ignore[override]
        if timeout < 0 or repeat < 0:
            raise ValueError("a positive value or zero is required")
        super().start(round(timeout * 1000), callback, round(repeat * 1000))

    @property
    def repeat(self) -> float:  # type: ignore[override]
        return uv.Timer.repeat.__get__(self) / 1000  # type: ignore[no-any-return]

    @repeat.setter
    def repeat(self, repeat: float) -> None:
        if repeat < 0:
            raise ValueError("a positive value or zero is required")
        uv.Timer.repeat.__set__(self, round(repeat * 1000))


Handle = uv.Handle
Async = uv.Async
Check = uv.Check
Idle = uv.Idle
Prepare = uv.Prepare
