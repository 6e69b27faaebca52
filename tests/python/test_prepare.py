"""Prepare handles."""

import unittest

import uv
from support import TestCase


class Prepares(TestCase):
    def test_prepare(self) -> None:
        calls: list[uv.Prepare] = []

        def called(handle: uv.Prepare) -> None:
            calls.append(handle)
            if len(calls) == 3:
                handle.stop()

        handle = uv.Prepare(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        handle.start()
        pending = uv.Idle(self.loop)
        pending.start()
        pending.dereference()
        self.loop.run()
        self.assertEqual(calls, [handle] * 3, "once per iteration")

    def test_callback(self) -> None:
        calls: list[str] = []
        handle = uv.Prepare(self.loop)
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
        self.assertRaises(TypeError, uv.Prepare, self.loop, 1)

    def test_start(self) -> None:
        calls: list[str] = []
        first, second = uv.Prepare(self.loop), uv.Prepare(self.loop)
        first.start(lambda _: calls.append("first"))
        second.start(lambda _: calls.append("second"))
        first.start()
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["second", "first"], "last started, first called")
        self.assertRaises(TypeError, first.start, "callback")
        first.close()
        self.assertRaises(uv.HandleClosedError, first.start, print)

    def test_started_in_the_phase_waits_for_the_next(self) -> None:
        calls: list[str] = []
        other = uv.Prepare(self.loop, lambda _: calls.append("other"))

        def called(_: uv.Prepare) -> None:
            calls.append("handle")
            other.start()

        uv.Prepare(self.loop).start(called)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle"])
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle", "other", "handle"])

    def test_stop(self) -> None:
        handle = uv.Prepare(self.loop, lambda _: self.fail("it was stopped"))
        handle.stop()
        handle.start()
        handle.stop()
        self.assertFalse(handle.active)
        self.loop.run(uv.RunMode.NOWAIT)

    def test_it_is_called_before_the_wait(self) -> None:
        seen: list[int] = []
        begin = self.loop.now
        uv.Prepare(self.loop).start(lambda _: seen.append(self.loop.now - begin))
        uv.Timer(self.loop).start(10)
        self.loop.run(uv.RunMode.ONCE)
        self.assertEqual(seen, [0])

if __name__ == "__main__":
    unittest.main(verbosity=2)
