"""Garbage collection of loops, handles and descriptors."""

import gc
import unittest
import weakref

import uv
from support import TestCase, close


class Collection(TestCase):
    def test_a_closed_handle_is_collected(self) -> None:
        timer = uv.Timer(self.loop)
        gone = weakref.ref(timer)
        timer.close()
        self.loop.run()
        del timer
        self.assertIsNone(gone(), "without a collection")

    def test_a_closed_handle_in_a_cycle_is_collected(self) -> None:
        timer = uv.Timer(self.loop)

        def callback(_: uv.Timer) -> None:
            timer.close(lambda _: timer.loop)

        timer.callback = callback
        gone = weakref.ref(timer)
        timer.start(0)
        self.loop.run()
        self.assertTrue(timer.closed)
        del timer, callback
        gc.collect()
        self.assertIsNone(gone())

    def test_an_active_handle_is_kept(self) -> None:
        calls: list[str] = []
        uv.Timer(self.loop).start(10, lambda _: calls.append("called"))
        gc.collect()
        self.loop.run()
        self.assertEqual(calls, ["called"])

    def test_a_handle_that_is_not_closed_is_kept(self) -> None:
        kept = weakref.ref(uv.Timer(self.loop))
        gc.collect()
        self.assertIsNotNone(kept())

    def test_a_closing_handle_is_kept_until_its_callback(self) -> None:
        calls: list[str] = []
        uv.Timer(self.loop).close(lambda _: calls.append("closed"))
        gc.collect()
        self.loop.run()
        self.assertEqual(calls, ["closed"])

    def test_a_loop_with_open_handles_is_kept(self) -> None:
        loop = uv.Loop()
        kept = weakref.ref(loop)
        timer = weakref.ref(uv.Timer(loop))
        self.loop.make_current()
        del loop
        gc.collect()
        self.assertIsNotNone(kept())
        self.assertIsNotNone(timer())
        close(kept())
        self.loop.make_current()
        gc.collect()
        self.assertIsNone(kept())
        self.assertIsNone(timer())

    def test_loops_without_handles_are_collected(self) -> None:
        for _ in range(1000):  # Far above the limit.
            uv.Loop()
        gc.collect()
        self.loop.make_current()

    def test_closed_handles_leave_nothing_at_the_host(self) -> None:
        for _ in range(5):
            for _ in range(1000):  # The limit is 2,000.
                uv.Timer(self.loop).close()
            self.loop.run()

    def test_an_unreferenced_descriptor_is_closed(self) -> None:
        uv.open("pipe")
        with uv.open("pipe") as pipe:
            self.assertFalse(pipe.closed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
