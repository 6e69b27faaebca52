"""The loop."""

import contextlib
import io
import unittest

import uv
from support import TestCase, close


class Loops(TestCase):
    def test_a_new_loop_is_the_current_one(self) -> None:
        self.assertIs(uv.Loop.get_current(), self.loop)
        other = uv.Loop()
        self.assertIs(uv.Loop.get_current(), other)
        self.loop.make_current()
        self.assertIs(uv.Loop.get_current(), self.loop)
        other.close()

    def test_the_default_loop(self) -> None:
        default = uv.Loop.get_default()
        self.assertIs(uv.Loop.get_default(), default)
        self.loop.close()
        default.close()
        current = uv.Loop.get_current()
        self.assertFalse(current.closed)
        self.assertIs(uv.Loop.get_default(), current, "the default loop is the current one")

    def test_the_loop_that_runs_is_the_current_one(self) -> None:
        seen: list[uv.Loop] = []
        other = uv.Loop()
        uv.Timer(other).start(0, lambda _: seen.append(uv.Loop.get_current()))

        def called(_: uv.Timer) -> None:
            seen.append(uv.Loop.get_current())
            other.run()
            seen.append(uv.Loop.get_current())

        uv.Timer(self.loop).start(0, called)
        self.loop.run()
        self.assertEqual(seen, [self.loop, other, self.loop])
        close(other)

    def test_run_modes(self) -> None:
        calls: list[int] = []
        timer = uv.Timer(self.loop, lambda _: calls.append(self.loop.now))
        begin = self.loop.now
        timer.start(10, repeat=10)
        self.assertTrue(self.loop.run(uv.RunMode.NOWAIT))
        self.assertEqual(calls, [])
        self.assertTrue(self.loop.run(uv.RunMode.ONCE))
        self.assertEqual(calls, [begin + 10])
        timer.stop()
        self.assertFalse(self.loop.run())
        self.assertFalse(self.loop.run(mode=uv.RunMode.DEFAULT))
        self.assertRaises(ValueError, self.loop.run, 7)
        self.assertRaises(ValueError, self.loop.run, "default")

    def test_run_inside_a_callback(self) -> None:
        seen: list[int] = []

        def called(timer: uv.Timer) -> None:
            try:
                self.loop.run()
            except uv.UVError as error:
                seen.append(error.code)

        uv.Timer(self.loop).start(0, called)
        self.loop.run()
        self.assertEqual(seen, [uv.StatusCode.EBUSY])

    def test_stop(self) -> None:
        idle = uv.Idle(self.loop, lambda _: self.loop.stop())
        idle.start()
        self.assertTrue(self.loop.run())
        idle.callback = lambda _: self.fail("the run returns without an iteration")
        self.loop.stop()
        self.assertTrue(self.loop.run())

    def test_close(self) -> None:
        timer = uv.Timer(self.loop)
        self.refused(uv.StatusCode.EBUSY, self.loop.close)
        timer.close()
        self.refused(uv.StatusCode.EBUSY, self.loop.close)
        self.loop.run()
        self.loop.close()
        self.assertTrue(self.loop.closed)
        self.loop.close()

    def test_close_inside_a_callback(self) -> None:
        codes: list[int] = []

        def closed(timer: uv.Handle) -> None:
            try:
                self.loop.close()
            except uv.UVError as error:
                codes.append(error.code)

        uv.Timer(self.loop).close(closed)
        self.loop.run()
        self.assertEqual(codes, [uv.StatusCode.EBUSY])

    def test_a_closed_loop(self) -> None:
        loop = uv.Loop()
        self.assertFalse(loop.closed)
        loop.close()
        for refused in (
            loop.run,
            loop.update_time,
            loop.get_timeout,
            loop.fileno,
            lambda: loop.now,
            lambda: loop.call_later(print),
        ):
            self.assertRaises(uv.LoopClosedError, refused)
        self.assertFalse(loop.alive)
        self.assertEqual(loop.handles, set())
        loop.stop()
        loop.close_all_handles()

    def test_alive(self) -> None:
        self.assertFalse(self.loop.alive)
        timer = uv.Timer(self.loop)
        self.assertFalse(self.loop.alive)
        timer.start(1)
        self.assertTrue(self.loop.alive)

    def test_time(self) -> None:
        begin = self.loop.now
        self.assertIsInstance(begin, int)
        self.loop.update_time()
        self.assertGreaterEqual(self.loop.now, begin)

    def test_get_timeout(self) -> None:
        self.assertEqual(self.loop.get_timeout(), 0)
        asynchronous = uv.Async(self.loop)
        self.assertEqual(self.loop.get_timeout(), -1)
        uv.Timer(self.loop).start(250)
        self.assertEqual(self.loop.get_timeout(), 250)
        asynchronous.close()
        self.assertEqual(self.loop.get_timeout(), 0)

    def test_fileno(self) -> None:
        self.refused(uv.StatusCode.ENOTSUP, self.loop.fileno)

    def test_handles(self) -> None:
        timer, idle = uv.Timer(self.loop), uv.Idle(self.loop)
        self.assertEqual(self.loop.handles, {timer, idle})
        self.loop.handles.clear()
        timer.close()
        self.assertEqual(self.loop.handles, {timer, idle}, "closing is not closed")
        self.loop.run()
        self.assertEqual(self.loop.handles, {idle})

    def test_a_handle_in_its_close_callback_is_not_among_the_handles(self) -> None:
        found: list[set[uv.Handle]] = []
        timer, idle = uv.Timer(self.loop), uv.Idle(self.loop)
        self.loop.call_later(timer.close, lambda _: found.append(self.loop.handles))
        self.loop.run()
        self.assertEqual(found, [{idle}])

    def test_close_all_handles(self) -> None:
        closed: list[uv.Handle] = []
        handles = [uv.Timer(self.loop), uv.Idle(self.loop)]
        self.loop.close_all_handles(closed.append)
        self.assertTrue(all(handle.closing for handle in handles))
        self.loop.run()
        self.assertEqual(closed, handles[::-1])
        self.loop.close_all_handles()

    def test_call_later(self) -> None:
        calls: list[object] = []

        def called(*args: object) -> None:
            calls.append(args)
            if len(calls) == 2:
                self.loop.call_later(called, "later")

        check = uv.Check(self.loop, lambda _: calls.append("check"))
        check.start()
        check.dereference()
        self.loop.call_later(called)
        self.loop.call_later(called, 1, "two")
        self.assertEqual((calls, self.loop.alive, self.loop.handles), ([], True, {check}))
        self.loop.run()
        self.assertEqual(calls, [(), (1, "two"), "check", ("later",), "check"])
        self.assertRaises(TypeError, self.loop.call_later, 1)

    def test_call_later_does_not_keep_a_loop_from_closing(self) -> None:
        loop = uv.Loop()
        loop.call_later(self.fail, "it is never called")
        loop.close()
        self.assertTrue(loop.closed)

    def test_two_loops(self) -> None:
        other = uv.Loop()
        calls: list[str] = []
        uv.Timer(self.loop).start(20, lambda _: calls.append("first loop"))
        uv.Timer(other).start(10, lambda _: calls.append("second loop"))
        self.loop.run()
        self.assertEqual(calls, ["first loop"], "each is run on its own")
        other.run()
        self.assertEqual(calls, ["first loop", "second loop"])
        self.assertEqual((len(self.loop.handles), len(other.handles)), (1, 1))
        close(other)

    def test_runs_inside_callbacks_of_other_loops(self) -> None:
        calls: list[str] = []
        loops = [self.loop, uv.Loop(), uv.Loop()]

        def called(at: int) -> None:
            calls.append(f"begin {at}")
            if at + 1 < len(loops):
                self.assertFalse(loops[at + 1].run())
            self.assertIs(uv.Loop.get_current(), loops[at])
            for running in loops[: at + 1]:
                self.refused(uv.StatusCode.EBUSY, running.run)
            calls.append(f"end {at}")

        def start(at: int) -> None:
            # Two timers that are due at once: the second is called after the nested runs.
            uv.Timer(loops[at]).start(1, lambda _: called(at))
            uv.Timer(loops[at]).start(1, lambda _: calls.append(f"second {at}"))

        for at, loop in enumerate(loops):
            loop.excepthook = lambda loop, type, value, traceback: calls.append(str(value))
            start(at)
        self.assertFalse(self.loop.run())
        expected = ["begin 0", "begin 1", "begin 2", "end 2", "second 2"]
        self.assertEqual(calls, [*expected, "end 1", "second 1", "end 0", "second 0"])
        for loop in loops[1:]:
            close(loop)

    def test_the_host_limits_loops(self) -> None:
        loops: list[uv.Loop] = []
        with self.assertRaises(uv.UVError) as caught:
            while True:
                loops.append(uv.Loop())
        self.assertEqual(caught.exception.code, uv.StatusCode.EMFILE)
        for loop in loops:
            loop.close()
        uv.Loop().close()


class Exceptions(TestCase):
    """Exceptions of callbacks."""

    def test_the_default_hook_prints_and_stops(self) -> None:
        def called(_: uv.Idle) -> None:
            raise ValueError("the callback's")

        uv.Idle(self.loop, called).start()
        has_failed, uv.Loop._has_failed = uv.Loop._has_failed, False
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            self.assertTrue(self.loop.run())
        self.assertTrue(uv.Loop._has_failed, "the script's exit code is 1")
        uv.Loop._has_failed = has_failed
        lines = printed.getvalue().splitlines()
        self.assertEqual(lines[0], "Traceback (most recent call last):")
        self.assertIn("in called", lines[1], "it begins with the script")
        self.assertEqual(lines[-1], "ValueError: the callback's")

    def test_a_hook_of_ones_own(self) -> None:
        seen: list[object] = []

        def hook(loop: uv.Loop, type: object, value: BaseException, traceback: object) -> None:
            seen.extend([loop, type, str(value), traceback is not None])

        def called(timer: uv.Timer) -> None:
            timer.callback = lambda timer: timer.close()
            raise KeyError("the callback's")

        self.loop.excepthook = hook
        uv.Timer(self.loop, called).start(0, repeat=1)
        self.assertFalse(self.loop.run(), "the loop goes on")
        self.assertEqual(seen, [self.loop, KeyError, "\"the callback's\"", True])

    def test_a_hook_that_raises(self) -> None:
        def hook(*_: object) -> None:
            raise RuntimeError("the hook's")

        self.loop.excepthook = hook
        uv.Idle(self.loop, lambda _: getattr(self.loop, "no_such_attribute")).start()
        has_failed = uv.Loop._has_failed
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            self.assertTrue(self.loop.run())
        uv.Loop._has_failed = has_failed
        self.assertIn("RuntimeError: the hook's", printed.getvalue())
        self.assertIn("no_such_attribute", printed.getvalue())

    def test_every_kind_of_callback(self) -> None:
        errors: list[str] = []
        self.loop.excepthook = lambda loop, type, value, traceback: errors.append(str(value))

        def raising(name: str):  # type: ignore[no-untyped-def]
            def called(handle: uv.Handle, *_: object) -> None:
                if not handle.closing:
                    handle.close(raising(name + " closed"))
                raise ValueError(name)

            return called

        with uv.open("pipe") as pipe:
            pipe.send(b"x")
            uv.Async(self.loop, raising("async")).send()
            uv.Check(self.loop, raising("check")).start()
            uv.Idle(self.loop, raising("idle")).start()
            uv.Poll(pipe, self.loop, raising("poll")).start()
            uv.Prepare(self.loop, raising("prepare")).start()
            uv.Timer(self.loop, raising("timer")).start(0)

            def later() -> None:
                raise ValueError("later")

            self.loop.call_later(later)
            self.loop.run()
            pipe.recv(1)
        kinds = ["async", "check", "idle", "poll", "prepare", "timer"]
        expected = sorted([*kinds, *(f"{kind} closed" for kind in kinds), "later"])
        self.assertEqual(sorted(errors), expected)
        self.assertEqual(self.loop.handles, set(), "they are closed nevertheless")

    def test_system_exit_leaves_the_run(self) -> None:
        calls: list[str] = []

        def called(timer: uv.Timer) -> None:
            raise SystemExit(3)

        uv.Timer(self.loop).start(0, called)
        uv.Timer(self.loop).start(0, lambda _: calls.append("second"))
        with self.assertRaises(SystemExit):
            self.loop.run()
        self.assertEqual(calls, [], "at once")
        self.loop.run()
        self.assertEqual(calls, ["second"], "it stayed due")

    def test_system_exit_leaves_nested_runs(self) -> None:
        calls: list[str] = []
        inner = uv.Loop()

        def leave(_: uv.Timer) -> None:
            raise SystemExit

        uv.Timer(inner).start(0, leave)
        uv.Timer(inner).start(0, lambda _: calls.append("inner"))
        uv.Timer(self.loop).start(0, lambda _: inner.run())
        uv.Timer(self.loop).start(0, lambda _: calls.append("outer"))
        with self.assertRaises(SystemExit):
            self.loop.run()
        self.assertEqual(calls, [])
        inner.run()
        self.loop.run()
        self.assertEqual(calls, ["inner", "outer"], "both can be run again")
        close(inner)

    def test_a_stop_ends_with_the_run_that_is_left(self) -> None:
        calls: list[str] = []

        def called(_: uv.Timer) -> None:
            self.loop.stop()
            raise SystemExit

        uv.Timer(self.loop).start(0, called)
        with self.assertRaises(SystemExit):
            self.loop.run()
        uv.Timer(self.loop).start(0, lambda _: calls.append("called"))
        self.assertFalse(self.loop.run())
        self.assertEqual(calls, ["called"])

    def test_system_exit_in_a_close_callback(self) -> None:
        def closed(handle: uv.Handle) -> None:
            raise SystemExit

        timer = uv.Timer(self.loop)
        timer.close(closed)
        with self.assertRaises(SystemExit):
            self.loop.run()
        self.assertTrue(timer.closed)
        self.loop.run()

    def test_system_exit_among_calls_for_later(self) -> None:
        calls: list[str] = []

        def leave() -> None:
            raise SystemExit

        self.loop.call_later(leave)
        self.loop.call_later(calls.append, "second")
        with self.assertRaises(SystemExit):
            self.loop.run()
        self.loop.run()
        self.assertEqual(calls, ["second"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
