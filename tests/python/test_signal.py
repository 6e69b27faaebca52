"""Signal handles. The test outside the sandbox sends the signals that they ask for."""

import signal
import unittest

import uv
from support import TestCase, ask_for_signal


class SignalsOfTheReference(unittest.TestCase):
    def test_sighup(self) -> None:
        self.assertEqual(uv.Signals.SIGHUP, signal.SIGHUP)

    def test_sigint(self) -> None:
        self.assertEqual(uv.Signals.SIGINT, signal.SIGINT)

    def test_sigwinch(self) -> None:
        self.assertEqual(uv.Signals.SIGWINCH, 28)

    def test_signals(self) -> None:
        numbers = [int(signum) for signum in uv.Signals]
        self.assertEqual(numbers, [*range(1, 32), 34, 64])
        self.assertEqual((uv.Signals.SIGUSR1, uv.Signals.SIGCHLD, uv.Signals.SIGTERM), (10, 17, 15))
        for member in signal.Signals:
            with self.subTest(member.name):
                self.assertEqual(uv.Signals[member.name], member, "Python's numbers are Linux's")

    def test_sigbreak_is_no_signal_of_linux(self) -> None:
        self.assertEqual(uv.Signals.SIGBREAK, 0)
        self.assertNotIn("SIGBREAK", uv.Signals.__members__)
        self.assertRaises(ValueError, uv.Signals, 0)
        loop = uv.Loop()
        handle = uv.Signal(loop)
        with self.assertRaises(uv.UVError) as caught:
            handle.start(uv.Signals.SIGBREAK)
        self.assertEqual(caught.exception.code, uv.StatusCode.EINVAL)
        handle.close()
        loop.run()
        loop.close()


class SignalHandles(TestCase):
    def test_signal(self) -> None:
        calls: list[tuple[uv.Signal, int]] = []

        def called(handle: uv.Signal, signum: int) -> None:
            calls.append((handle, signum))
            handle.stop()

        handle = uv.Signal(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        handle.start(uv.Signals.SIGHUP)
        ask_for_signal(1)
        self.loop.run()
        self.assertEqual(calls, [(handle, 1)])

    def test_callback(self) -> None:
        calls: list[str] = []

        def by_start(handle: uv.Signal, signum: int) -> None:
            calls.append("start")
            handle.callback = by_attribute
            ask_for_signal(1)

        def by_attribute(handle: uv.Signal, signum: int) -> None:
            calls.append("attribute")
            handle.close()

        handle = uv.Signal(self.loop)
        self.assertIsNone(handle.callback)
        handle.start(1, by_start)
        ask_for_signal(1)
        self.loop.run()
        self.assertEqual(calls, ["start", "attribute"])
        self.assertRaises(TypeError, setattr, handle, "callback", 1)
        self.assertRaises(TypeError, uv.Signal, self.loop, 1)

    def test_signum(self) -> None:
        handle = uv.Signal(self.loop)
        self.assertEqual(handle.signum, 0)
        handle.start(1)
        self.assertEqual(handle.signum, 1)
        with self.assertRaises(AttributeError):
            handle.signum = 2  # type: ignore[misc]
        handle.stop()
        self.assertEqual(handle.signum, 0)
        handle.close()
        self.assertRaises(uv.HandleClosedError, getattr, handle, "signum")

    def test_start(self) -> None:
        handle = uv.Signal(self.loop)
        for wrong in (0, -1, 9, 19, 11, 1000, 1 << 40):
            self.refused(uv.StatusCode.EINVAL, handle.start, wrong)
        self.refused(uv.StatusCode.EACCES, handle.start, 15)
        self.assertRaises(TypeError, handle.start, "SIGHUP")
        self.assertRaises(TypeError, handle.start, 1, "callback")
        self.assertFalse(handle.active)
        handle.close()
        self.assertRaises(uv.HandleClosedError, handle.start, 1)

    def test_start_oneshot(self) -> None:
        calls: list[bool] = []
        handle = uv.Signal(self.loop)
        handle.start_oneshot(1, lambda handle, _: calls.append(handle.active))
        ask_for_signal(1)
        self.loop.run()
        self.assertEqual((calls, handle.active), ([True], False))

    def test_stop(self) -> None:
        handle = uv.Signal(self.loop)
        handle.stop()
        handle.start(1)
        handle.stop()
        self.assertFalse(handle.active or self.loop.alive)


class HandlersOfPython(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.calls: list[int] = []
        self.addCleanup(signal.signal, signal.SIGHUP, signal.SIG_DFL)

    def _called(self, signum: int, frame: object) -> None:
        self.calls.append(signum)
        uv.Loop.get_current().stop()

    def _wait(self, loop: uv.Loop) -> None:
        """Runs the loop until a signal stops it."""
        keep = uv.Async(loop)
        ask_for_signal(1)
        loop.run()
        keep.destroy()

    def test_a_signal_inside_of_two_runs_calls_the_handler_once(self) -> None:
        signal.signal(signal.SIGHUP, self._called)
        inner = uv.Loop()

        def wait(timer: uv.Timer) -> None:
            self._wait(inner)
            self.assertEqual(self.calls, [1])
            timer.close()

        uv.Timer(self.loop).start(1, wait)
        self.loop.run()
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(self.calls, [1])
        inner.close()

    def test_a_handle_takes_the_place_of_the_handler(self) -> None:
        signal.signal(signal.SIGHUP, self._called)
        own: list[int] = []

        def watched(handle: uv.Signal, signum: int) -> None:
            own.append(signum)
            handle.stop()

        handle = uv.Signal(self.loop, watched)
        handle.start(1)
        ask_for_signal(1)
        self.loop.run()
        self.assertEqual((own, self.calls), ([1], []))
        self._wait(self.loop)
        self.assertEqual((own, self.calls), ([1], [1]))
        handle.start(1)
        handle.destroy()
        self._wait(self.loop)
        self.assertEqual((own, self.calls), ([1], [1, 1]))

    def test_the_handlers_are_those_that_were_set(self) -> None:
        self.assertEqual(signal.signal(signal.SIGHUP, self._called), signal.SIG_DFL)
        self.assertEqual(signal.getsignal(signal.SIGHUP), self._called)
        self.assertEqual(signal.signal(1, signal.SIG_IGN), self._called)
        self.assertIs(signal.signal(1, signal.SIG_DFL), signal.SIG_IGN)
        self.assertRaises(TypeError, signal.signal, 1, "handler")
        self.assertRaises(ValueError, signal.signal, 65, self._called)
        self.refused(uv.StatusCode.EACCES, signal.signal, signal.SIGTERM, self._called)
        self.refused(uv.StatusCode.EINVAL, signal.signal, signal.SIGSEGV, self._called)
        self.assertEqual(signal.getsignal(signal.SIGTERM), signal.SIG_DFL)

    def test_raise_signal_calls_the_handler(self) -> None:
        signal.signal(signal.SIGHUP, lambda signum, frame: self.calls.append(signum))
        signal.raise_signal(signal.SIGHUP)
        self.assertEqual(self.calls, [1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
