"""Idle handles."""

import unittest

import uv
from support import TestCase


class Idles(TestCase):
    def test_idle(self) -> None:
        calls: list[uv.Idle] = []

        def called(handle: uv.Idle) -> None:
            calls.append(handle)
            if len(calls) == 3:
                handle.stop()

        handle = uv.Idle(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        handle.start()
        pending = uv.Idle(self.loop)
        pending.start()
        pending.dereference()
        self.loop.run()
        self.assertEqual(calls, [handle] * 3, "once per iteration")

    def test_callback(self) -> None:
        calls: list[str] = []
        handle = uv.Idle(self.loop)
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
        self.assertRaises(TypeError, uv.Idle, self.loop, 1)

    def test_start(self) -> None:
        calls: list[str] = []
        first, second = uv.Idle(self.loop), uv.Idle(self.loop)
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
        other = uv.Idle(self.loop, lambda _: calls.append("other"))

        def called(_: uv.Idle) -> None:
            calls.append("handle")
            other.start()

        uv.Idle(self.loop).start(called)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle"])
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["handle", "other", "handle"])

    def test_stop(self) -> None:
        handle = uv.Idle(self.loop, lambda _: self.fail("it was stopped"))
        handle.stop()
        handle.start()
        handle.stop()
        self.assertFalse(handle.active)
        self.loop.run(uv.RunMode.NOWAIT)

    def test_an_active_one_keeps_the_loop_from_waiting(self) -> None:
        idle = uv.Idle(self.loop)
        timer = uv.Timer(self.loop)
        timer.start(1000)
        self.assertEqual(self.loop.get_timeout(), 1000)
        idle.start()
        self.assertEqual(self.loop.get_timeout(), 0)

    def test_it_is_called_before_prepare_and_check(self) -> None:
        calls: list[str] = []
        uv.Check(self.loop).start(lambda _: calls.append("check"))
        uv.Prepare(self.loop).start(lambda _: calls.append("prepare"))
        uv.Idle(self.loop).start(lambda _: calls.append("idle"))
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["idle", "prepare", "check"])

if __name__ == "__main__":
    unittest.main(verbosity=2)
