"""Check handles."""

import unittest

import uv
from support import TestCase


class Checks(TestCase):
    def test_check(self) -> None:
        calls: list[uv.Check] = []

        def called(handle: uv.Check) -> None:
            calls.append(handle)
            if len(calls) == 3:
                handle.stop()

        handle = uv.Check(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        handle.start()
        pending = uv.Idle(self.loop)
        pending.start()
        pending.dereference()
        self.loop.run()
        self.assertEqual(calls, [handle] * 3, "once per iteration")

    def test_callback(self) -> None:
        calls: list[str] = []
        handle = uv.Check(self.loop)
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
        self.assertRaises(TypeError, uv.Check, self.loop, 1)

    def test_start(self) -> None:
        calls: list[str] = []
        first, second = uv.Check(self.loop), uv.Check(self.loop)
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
        other = uv.Check(self.loop, lambda _: calls.append("other"))

        def called(_: uv.Check) -> None:
            calls.append("handle")
            other.start()

        uv.Check(self.loop).start(called)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle"])
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle", "other", "handle"])

    def test_stop(self) -> None:
        handle = uv.Check(self.loop, lambda _: self.fail("it was stopped"))
        handle.stop()
        handle.start()
        handle.stop()
        self.assertFalse(handle.active)
        self.loop.run(uv.RunMode.NOWAIT)

    def test_it_is_called_after_the_wait(self) -> None:
        seen: list[int] = []
        begin = self.loop.now
        uv.Check(self.loop).start(lambda _: seen.append(self.loop.now - begin))
        uv.Timer(self.loop).start(10)
        self.loop.run(uv.RunMode.ONCE)
        self.assertEqual(seen, [10])

if __name__ == "__main__":
    unittest.main(verbosity=2)
