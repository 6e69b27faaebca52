"""Timers."""

import unittest
from collections.abc import Callable

import uv
from support import TestCase


class Timers(TestCase):
    def test_timer(self) -> None:
        calls: list[uv.Timer] = []
        timer = uv.Timer(self.loop, calls.append)
        self.assertEqual(timer.callback, calls.append)
        begin = self.loop.now
        timer.start(25)
        self.loop.run()
        self.assertEqual((calls, self.loop.now - begin), ([timer], 25))
        self.assertFalse(timer.active)

    def test_timer_by_keyword(self) -> None:
        calls: list[uv.Timer] = []
        timer = uv.Timer(loop=self.loop, callback=calls.append)
        timer.start(timeout=1, callback=None, repeat=0)
        self.loop.run()
        self.assertEqual(calls, [timer])

    def test_callback(self) -> None:
        calls: list[str] = []
        timer = uv.Timer(self.loop)
        self.assertIsNone(timer.callback)
        timer.start(1)
        self.loop.run()
        timer.callback = lambda _: calls.append("attribute")
        timer.start(1)
        self.loop.run()
        timer.start(1, lambda _: calls.append("start"))
        self.loop.run()
        timer.start(1)
        self.loop.run()
        timer.callback = None
        timer.start(1)
        self.loop.run()
        self.assertEqual(calls, ["attribute", "start", "start"])

    def test_callback_replaced_by_itself(self) -> None:
        calls: list[str] = []

        def second(timer: uv.Timer) -> None:
            calls.append("second")
            timer.close()

        def first(timer: uv.Timer) -> None:
            calls.append("first")
            timer.callback = second

        uv.Timer(self.loop).start(1, first, 1)
        self.loop.run()
        self.assertEqual(calls, ["first", "second"])

    def test_start(self) -> None:
        times: list[int] = []
        begin = self.loop.now

        def called(timer: uv.Timer) -> None:
            times.append(self.loop.now - begin)
            if len(times) == 3:
                timer.stop()

        uv.Timer(self.loop).start(10, called, repeat=7)
        self.loop.run()
        self.assertEqual(times, [10, 17, 24])

    def test_start_again_replaces_the_deadline(self) -> None:
        timer = uv.Timer(self.loop)
        begin = self.loop.now
        timer.start(1000)
        timer.start(10)
        self.loop.run()
        self.assertEqual(self.loop.now - begin, 10)

    def test_start_in_order(self) -> None:
        calls: list[str] = []

        def note(name: str) -> Callable[[uv.Timer], None]:
            return lambda _: calls.append(name)

        for name, timeout in [("a", 20), ("b", 10), ("c", 10), ("d", 0)]:
            uv.Timer(self.loop).start(timeout, note(name))
        self.loop.run()
        self.assertEqual(calls, ["d", "b", "c", "a"])

    def test_started_in_the_phase_waits_for_the_next(self) -> None:
        calls: list[str] = []
        other = uv.Timer(self.loop, lambda _: calls.append("other"))
        check = uv.Check(self.loop, lambda _: calls.append("check"))
        check.start()
        check.dereference()

        def called(_: uv.Timer) -> None:
            calls.append("timer")
            other.start(0)

        uv.Timer(self.loop).start(0, called)
        self.loop.run()
        self.assertEqual(calls, ["timer", "check", "other"])

    def test_start_refuses_invalid_times(self) -> None:
        timer = uv.Timer(self.loop)
        for wrong, kind in [
            (-1, ValueError),
            (1 << 64, OverflowError),
            ("10", TypeError),
            (1.5, TypeError),
            (None, TypeError),
        ]:
            with self.subTest(wrong):
                self.assertRaises(kind, timer.start, wrong)
                self.assertRaises(kind, timer.start, 1, None, wrong)
                self.assertRaises(kind, setattr, timer, "repeat", wrong)
        self.assertRaises(TypeError, timer.start, 1, "callback")
        self.assertRaises(TypeError, setattr, timer, "callback", "callback")
        self.assertRaises(TypeError, uv.Timer, self.loop, "callback")
        self.assertRaises(TypeError, uv.Timer, "loop")
        self.assertFalse(timer.active)
        timer.start((1 << 64) - 1)
        self.assertGreater(timer.due_in, 1 << 62)

    def test_refused_start_keeps_the_callback(self) -> None:
        timer = uv.Timer(self.loop, print)
        timer.close()
        self.assertRaises(uv.HandleClosedError, timer.start, 1, repr)
        self.assertEqual(timer.callback, print)

    def test_stop(self) -> None:
        timer = uv.Timer(self.loop, lambda _: self.fail("it was stopped"))
        timer.stop()
        timer.start(1)
        timer.stop()
        self.assertFalse(timer.active)
        self.loop.run()

    def test_again(self) -> None:
        timer = uv.Timer(self.loop)
        self.refused(uv.StatusCode.EINVAL, timer.again)
        timer.start(100, repeat=10)
        timer.again()
        self.assertEqual(timer.due_in, 10)
        timer.stop()
        timer.repeat = 0
        timer.again()
        self.assertFalse(timer.active, "it does not repeat")
        timer.close()
        self.assertRaises(uv.HandleClosedError, timer.again)

    def test_repeat(self) -> None:
        times: list[int] = []
        begin = self.loop.now
        timer = uv.Timer(self.loop)
        self.assertEqual(timer.repeat, 0)

        def called(timer: uv.Timer) -> None:
            times.append(self.loop.now - begin)
            timer.repeat = 20
            if len(times) == 3:
                timer.close()

        timer.start(5, called, repeat=5)
        self.assertEqual(timer.repeat, 5)
        self.loop.run()
        self.assertEqual(times, [5, 10, 30], "the deadline that is set does not move")
        self.assertRaises(uv.HandleClosedError, getattr, timer, "repeat")
        self.assertRaises(uv.HandleClosedError, setattr, timer, "repeat", 1)

    def test_repeat_set_in_the_callback_of_a_single_shot(self) -> None:
        def called(timer: uv.Timer) -> None:
            timer.repeat = 10

        timer = uv.Timer(self.loop, called)
        timer.start(1)
        self.loop.run()
        self.assertFalse(timer.active, "it has been stopped already")
        timer.again()
        self.assertTrue(timer.active)

    def test_repeating_does_not_catch_up(self) -> None:
        calls: list[int] = []

        def called(timer: uv.Timer) -> None:
            calls.append(self.loop.now)
            if len(calls) == 2:
                timer.close()

        uv.Timer(self.loop).start(10, called, repeat=10)
        begin = self.loop.now
        self.loop.run()
        self.assertEqual([at - begin for at in calls], [10, 20])

    def test_due_in(self) -> None:
        timer = uv.Timer(self.loop)
        timer.start(30)
        self.assertEqual(timer.due_in, 30)
        timer.close()
        self.assertRaises(uv.HandleClosedError, getattr, timer, "due_in")


if __name__ == "__main__":
    unittest.main(verbosity=2)
