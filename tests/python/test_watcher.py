"""Idle, prepare and check handles."""

import functools
import unittest
from collections.abc import Callable

import uv
from support import TestCase, close

Kind = type[uv.Idle] | type[uv.Prepare] | type[uv.Check]


def for_each_kind(
    test: Callable[["Watchers", Kind], None],
) -> Callable[["Watchers"], None]:
    """Runs a test for each of the three kinds, on a loop of its own."""

    @functools.wraps(test)
    def run(self: "Watchers") -> None:
        for kind in (uv.Idle, uv.Prepare, uv.Check):
            with self.subTest(kind.__name__):
                close(self.loop)
                self.loop = uv.Loop()
                test(self, kind)

    return run


class Watchers(TestCase):
    """The behavior that the three kinds share."""

    @for_each_kind
    def test_watcher(self, kind: Kind) -> None:
        calls: list[uv.Handle] = []

        def called(handle: uv.Handle) -> None:
            calls.append(handle)
            if len(calls) == 3:
                handle.stop()  # type: ignore[attr-defined]

        handle = kind(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        handle.start()
        # Keeps the loop from waiting, but not alive.
        pending = uv.Idle(self.loop)
        pending.start()
        pending.dereference()
        self.loop.run()
        self.assertEqual(calls, [handle] * 3, "once per iteration")

    @for_each_kind
    def test_callback(self, kind: Kind) -> None:
        calls: list[str] = []
        handle = kind(self.loop)
        self.assertIsNone(handle.callback)
        handle.callback = lambda _: calls.append("attribute")
        handle.start()
        self.loop.run(uv.RunMode.NOWAIT)
        handle.start(lambda _: calls.append("start"))
        self.loop.run(uv.RunMode.NOWAIT)
        handle.callback = None
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["attribute", "start"])
        self.assertRaises(TypeError, setattr, handle, "callback", 1)
        self.assertRaises(TypeError, kind, self.loop, 1)

    @for_each_kind
    def test_start(self, kind: Kind) -> None:
        calls: list[str] = []
        first, second = kind(self.loop), kind(self.loop)
        first.start(lambda _: calls.append("first"))
        second.start(lambda _: calls.append("second"))
        first.start()
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["second", "first"], "last started, first called")
        self.assertRaises(TypeError, first.start, "callback")
        first.close()
        self.assertRaises(uv.HandleClosedError, first.start, print)

    @for_each_kind
    def test_started_in_the_phase_waits_for_the_next(self, kind: Kind) -> None:
        calls: list[str] = []
        other = kind(self.loop, lambda _: calls.append("other"))

        def called(_: uv.Handle) -> None:
            calls.append("handle")
            other.start()

        kind(self.loop).start(called)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle"])
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle", "other", "handle"])

    @for_each_kind
    def test_stop(self, kind: Kind) -> None:
        handle = kind(self.loop, lambda _: self.fail("it was stopped"))
        handle.stop()
        handle.start()
        handle.stop()
        self.assertFalse(handle.active)
        self.loop.run(uv.RunMode.NOWAIT)


class Phases(TestCase):
    """The phases in which the kinds differ."""

    def test_idle_keeps_the_loop_from_waiting(self) -> None:
        idle = uv.Idle(self.loop)
        timer = uv.Timer(self.loop)
        timer.start(1000)
        self.assertEqual(self.loop.get_timeout(), 1000)
        idle.start()
        self.assertEqual(self.loop.get_timeout(), 0)

    def test_prepare_is_called_before_the_wait_and_check_after_it(self) -> None:
        seen: list[tuple[str, int]] = []
        begin = self.loop.now
        uv.Check(self.loop).start(lambda _: seen.append(("check", self.loop.now - begin)))
        uv.Prepare(self.loop).start(lambda _: seen.append(("prepare", self.loop.now - begin)))
        uv.Timer(self.loop).start(10)
        self.loop.run(uv.RunMode.ONCE)
        self.assertEqual(seen, [("prepare", 0), ("check", 10)])

    def test_idle_is_called_before_prepare_and_check(self) -> None:
        calls: list[str] = []
        uv.Check(self.loop).start(lambda _: calls.append("check"))
        uv.Prepare(self.loop).start(lambda _: calls.append("prepare"))
        uv.Idle(self.loop).start(lambda _: calls.append("idle"))
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["idle", "prepare", "check"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
