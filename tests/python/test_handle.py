"""The members that all kinds of handles share."""

import unittest

import uv
from support import KINDS, TestCase, start


class Members(TestCase):
    def test_a_handle_is_made_on_a_loop(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                handle = make(self.loop)
                self.assertIsInstance(handle, uv.Handle)
                self.assertIs(handle.loop, self.loop)
                self.assertIn(handle, self.loop.handles)
                self.assertFalse(handle.closing or handle.closed)
                with self.assertRaises(AttributeError):
                    handle.loop = self.loop  # type: ignore[misc]

    def test_without_a_loop_it_is_made_on_the_current_one(self) -> None:
        other = uv.Loop()
        with uv.open("pipe") as pipe:
            handles = [uv.Async(), uv.Check(), uv.Idle(), uv.Poll(pipe), uv.Prepare(), uv.Signal()]
            self.loop.make_current()
            handles.append(uv.Timer())
            self.assertEqual([handle.loop for handle in handles], [other] * 6 + [self.loop])
            other.close_all_handles()
            other.run()
        other.close()

    def test_a_closed_loop_is_refused(self) -> None:
        closed = uv.Loop()
        closed.close()
        for name, make in KINDS.items():
            with self.subTest(name):
                self.assertRaises(uv.LoopClosedError, make, closed)

    def test_on_closed(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                closed: list[uv.Handle] = []
                handle = make(self.loop)
                self.assertIsNone(handle.on_closed)
                handle.on_closed = closed.append
                self.assertEqual(handle.on_closed, closed.append)
                handle.close()
                self.assertEqual(closed, [], "not inside close")
                self.loop.run()
                self.assertEqual(closed, [handle])
        timer = uv.Timer(self.loop)
        with self.assertRaises(TypeError):
            timer.on_closed = 1  # type: ignore[assignment]

    def test_closing_and_closed(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                seen: list[tuple[bool, bool]] = []
                handle = make(self.loop)
                seen.append((handle.closing, handle.closed))
                handle.close(lambda handle: seen.append((handle.closing, handle.closed)))
                seen.append((handle.closing, handle.closed))
                self.loop.run()
                seen.append((handle.closing, handle.closed))
                self.assertEqual(seen, [(False, False), (True, False), (True, False), (True, True)])
                with self.assertRaises(AttributeError):
                    handle.closed = False  # type: ignore[misc]
                with self.assertRaises(AttributeError):
                    handle.closing = False  # type: ignore[misc]

    def test_active(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                handle = make(self.loop)
                self.assertEqual(handle.active, name == "async")
                start(handle)
                self.assertTrue(handle.active)
                handle.close()
                self.assertFalse(handle.active)
                self.loop.run()
                self.assertFalse(handle.active)

    def test_referenced(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                handle = make(self.loop)
                self.assertTrue(handle.referenced)
                start(handle)
                self.assertTrue(self.loop.alive)
                handle.referenced = False
                self.assertFalse(handle.referenced or self.loop.alive)
                handle.referenced = True
                self.assertTrue(handle.referenced and self.loop.alive)
                handle.close()
                self.assertRaises(uv.HandleClosedError, setattr, handle, "referenced", True)
                self.loop.run()
                self.assertFalse(handle.referenced)

    def test_reference_and_dereference(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                handle = make(self.loop)
                for _ in range(2):
                    handle.dereference()
                    self.assertFalse(handle.referenced)
                for _ in range(2):
                    handle.reference()
                    self.assertTrue(handle.referenced)
                handle.close()
                self.assertRaises(uv.HandleClosedError, handle.reference)
                self.assertRaises(uv.HandleClosedError, handle.dereference)
                self.loop.run()

    def test_buffer_sizes(self) -> None:
        for name, make in KINDS.items():
            for attribute in ("send_buffer_size", "receive_buffer_size"):
                with self.subTest(name, attribute=attribute):
                    handle = make(self.loop)
                    self.refused(uv.StatusCode.EINVAL, getattr, handle, attribute)
                    self.refused(uv.StatusCode.EINVAL, setattr, handle, attribute, 4096)
                    self.assertRaises(ValueError, setattr, handle, attribute, -1)
                    self.assertRaises(OverflowError, setattr, handle, attribute, 1 << 32)
                    self.assertRaises(TypeError, setattr, handle, attribute, "4096")
                    handle.close()
                    self.assertRaises(uv.HandleClosedError, getattr, handle, attribute)
                    self.assertRaises(uv.HandleClosedError, setattr, handle, attribute, 4096)
                    self.loop.run()

    def test_fileno(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                handle = make(self.loop)
                if isinstance(handle, uv.Poll):
                    self.assertEqual(handle.fileno(), handle.fd)
                else:
                    self.refused(uv.StatusCode.EINVAL, handle.fileno)
                handle.close()
                self.assertRaises(uv.HandleClosedError, handle.fileno)
                self.loop.run()

    def test_close(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                calls: list[str] = []
                handle = make(self.loop)
                handle.on_closed = lambda _: calls.append("replaced")
                start(handle)
                handle.close(lambda _: calls.append("first"))
                handle.close(lambda _: calls.append("second"))
                self.loop.run()
                handle.close(lambda _: calls.append("third"))
                self.loop.run()
                self.assertEqual(calls, ["first"])
        timer = uv.Timer(self.loop)
        self.assertRaises(TypeError, timer.close, "callback")
        self.assertFalse(timer.closing, "nothing has happened")

    def test_destroy(self) -> None:
        for name, make in KINDS.items():
            with self.subTest(name):
                calls: list[uv.Handle] = []
                handle = make(self.loop)
                handle.on_closed = calls.append
                start(handle)
                handle.destroy()
                self.assertTrue(handle.closed and handle.closing)
                self.assertFalse(handle.active or handle.referenced)
                self.assertNotIn(handle, self.loop.handles)
                handle.destroy()
                handle.close()
                self.loop.run()
                self.assertEqual(calls, [], "it is closed silently")

    def test_the_host_limits_handles(self) -> None:
        made = []
        with self.assertRaises(uv.UVError) as caught:
            while True:
                made.append(uv.Timer(self.loop))
        self.assertEqual(caught.exception.code, uv.StatusCode.ENOMEM)
        self.assertEqual(len(self.loop.handles), len(made))

    def test_repr(self) -> None:
        timer = uv.Timer(self.loop)
        self.assertRegex(repr(timer), r"<uv.Timer \d+, inactive>")
        timer.start(1)
        self.assertRegex(repr(timer), r"<uv.Timer \d+, active>")
        timer.close()
        self.assertRegex(repr(timer), r"<uv.Timer \d+, closing>")
        self.loop.run()
        self.assertRegex(repr(timer), r"<uv.Timer \d+, closed>")


class Closing(TestCase):
    def test_last_closed_first_called(self) -> None:
        calls: list[str] = []
        timers = {uv.Timer(self.loop): name for name in "abc"}
        for timer in timers:
            timer.close(lambda timer: calls.append(timers[timer]))
        self.loop.run()
        self.assertEqual(calls, ["c", "b", "a"])

    def test_inside_its_own_callback(self) -> None:
        calls: list[str] = []

        def called(handle: uv.Handle, *_: object) -> None:
            calls.append("callback")
            handle.close(lambda handle: calls.append("closed"))

        with uv.open("pipe") as pipe:
            pipe.send(b"x")
            asynchronous = uv.Async(self.loop, called)
            asynchronous.send()
            uv.Check(self.loop, called).start()
            uv.Idle(self.loop, called).start()
            uv.Poll(pipe, self.loop, called).start()
            uv.Prepare(self.loop, called).start()
            uv.Timer(self.loop, called).start(0)
            self.loop.run()
            pipe.recv(1)
        self.assertEqual(sorted(calls), ["callback"] * 6 + ["closed"] * 6)
        self.assertEqual(self.loop.handles, set())

    def test_another_that_is_due(self) -> None:
        calls: list[str] = []
        second = uv.Timer(self.loop, lambda _: calls.append("second"))

        def first(timer: uv.Timer) -> None:
            calls.append("first")
            second.close(lambda _: calls.append("second closed"))
            timer.close()

        uv.Timer(self.loop, first).start(5)
        second.start(5)
        self.loop.run()
        self.assertEqual(calls, ["first", "second closed"])

    def test_inside_a_close_callback(self) -> None:
        calls: list[str] = []
        second = uv.Timer(self.loop)
        second.start(1000)

        def first_closed(handle: uv.Handle) -> None:
            calls.append("first")
            second.close(lambda _: calls.append("second"))
            uv.Timer(self.loop).close(lambda _: calls.append("made there"))

        uv.Timer(self.loop).close(first_closed)
        self.assertTrue(self.loop.run(uv.RunMode.ONCE), "the others wait for the next iteration")
        self.assertEqual(calls, ["first"])
        self.loop.run()
        self.assertEqual(calls, ["first", "made there", "second"])

    def test_a_closing_handle_keeps_its_loop_alive(self) -> None:
        timer = uv.Timer(self.loop)
        timer.dereference()
        timer.close()
        self.assertTrue(self.loop.alive)
        self.assertFalse(self.loop.run())
        self.assertTrue(timer.closed)

    def test_stop_does_nothing_on_a_closed_handle(self) -> None:
        for name, make in KINDS.items():
            if name == "async":
                continue
            with self.subTest(name):
                handle = make(self.loop)
                handle.close()
                handle.stop()  # type: ignore[attr-defined]
                self.loop.run()
                handle.stop()  # type: ignore[attr-defined]


if __name__ == "__main__":
    unittest.main(verbosity=2)
