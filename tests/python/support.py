"""Shared parts of the tests.

They run inside the sandbox, in virtual time, with the grants of tests/tests/python/library.rs.
"""

import unittest
from collections.abc import Callable
from typing import Any

import uv

KINDS: dict[str, Callable[[uv.Loop], uv.Handle]] = {
    "async": lambda loop: uv.Async(loop),
    "check": lambda loop: uv.Check(loop),
    "idle": lambda loop: uv.Idle(loop),
    "poll": lambda loop: uv.Poll(uv.open("pipe"), loop),
    "prepare": lambda loop: uv.Prepare(loop),
    "signal": lambda loop: uv.Signal(loop),
    "timer": lambda loop: uv.Timer(loop),
}


def start(handle: Any) -> None:
    """Starts a handle of any kind. An async handle is active already."""
    match handle:
        case uv.Timer():
            handle.start(10)
        case uv.Signal():
            handle.start(uv.Signals.SIGHUP)
        case uv.Async():
            pass
        case _:
            handle.start()


def ask_for_signal(signum: int) -> None:
    """Asks the test outside the sandbox to send a signal."""
    print(f"kill {signum}", flush=True)


class TestCase(unittest.TestCase):
    """A test with a loop of its own. It fails if the loop cannot be closed afterwards."""

    def setUp(self) -> None:
        self.loop = uv.Loop()

    def tearDown(self) -> None:
        close(self.loop)

    def refused(self, code: uv.StatusCode, function: Callable[..., object], *args: Any) -> None:
        """Asserts that the call raises a UVError with this code."""
        with self.assertRaises(uv.UVError) as caught:
            function(*args)
        self.assertEqual(caught.exception.code, code)


def close(loop: uv.Loop | None) -> None:
    """Closes a loop and its handles, unless it is closed already."""
    if loop is not None and not loop.closed:
        loop.close_all_handles()
        loop.run()
        loop.close()
