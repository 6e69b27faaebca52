"""Tasks."""

import contextlib
import io
import unittest

import uv
from support import TestCase, ask_for_signal


class Tasks(TestCase):
    def test_run_returns_the_coroutines_result(self) -> None:
        async def main() -> int:
            begin = uv.Loop.get_current().now
            await uv.sleep(250)
            return uv.Loop.get_current().now - begin

        self.assertEqual(uv.run(main()), 250)
        self.assertEqual(uv.run(main(), self.loop), 250)

    def test_run_raises_the_coroutines_exception(self) -> None:
        async def main() -> None:
            await uv.sleep(1)
            raise KeyError("main's")

        self.assertRaisesRegex(KeyError, "main's", uv.run, main())

    def test_run_takes_a_coroutine(self) -> None:
        self.assertRaises(TypeError, uv.run, 7)
        self.assertRaises(TypeError, uv.spawn, print)

    def test_tasks_run_beside_each_other(self) -> None:
        order: list[str] = []

        async def worker(name: str, timeout: int) -> str:
            await uv.sleep(timeout)
            order.append(name)
            return name

        async def main() -> list[str]:
            slow, fast = uv.spawn(worker("slow", 20)), uv.spawn(worker("fast", 10))
            return [await slow, await fast]

        self.assertEqual(uv.run(main()), ["slow", "fast"])
        self.assertEqual(order, ["fast", "slow"])

    def test_a_tasks_error_is_raised_where_it_is_awaited(self) -> None:
        async def failing() -> None:
            await uv.sleep(5)
            raise ValueError("the task's")

        async def main() -> str:
            try:
                await uv.spawn(failing())
            except ValueError as error:
                return str(error)
            return "none"

        self.assertEqual(uv.run(main()), "the task's")

    def test_an_error_of_a_task_that_is_not_awaited_goes_to_the_hook(self) -> None:
        seen: list[str] = []
        self.loop.excepthook = lambda loop, type, value, traceback: seen.append(str(value))

        async def failing() -> None:
            raise ValueError("the task's")

        async def main() -> None:
            uv.spawn(failing())
            await uv.sleep(10)

        uv.run(main())
        self.assertEqual(seen, ["the task's"])

    def test_a_stopped_loop_ends_it(self) -> None:
        finally_ran: list[str] = []

        async def main() -> None:
            try:
                uv.Loop.get_current().stop()
                await uv.sleep(10)
            finally:
                finally_ran.append("main")

        self.refused(uv.StatusCode.ECANCELED, uv.run, main())
        self.assertEqual(finally_ran, ["main"])

    def test_waiting_without_an_active_handle(self) -> None:
        async def main() -> None:
            task = uv.spawn(uv.sleep(10))
            await uv.sleep(1)
            for handle in self.loop.handles:
                handle.close()
            await task

        self.assertRaisesRegex(RuntimeError, "no handle is active", uv.run, main())

    def test_tasks_that_are_left_are_cancelled(self) -> None:
        ended: list[str] = []

        async def worker() -> None:
            try:
                await uv.sleep(1000)
            finally:
                ended.append("worker")

        async def main() -> uv.Task[None]:
            task = uv.spawn(worker())
            await uv.sleep(1)
            return task

        task = uv.run(main())
        self.assertEqual((ended, task.done), (["worker"], True))

    def test_cancel(self) -> None:
        async def main() -> None:
            task = uv.spawn(uv.sleep(1000))
            await uv.sleep(1)
            self.assertFalse(task.done)
            task.cancel()
            task.cancel()
            self.assertTrue(task.done)
            await task

        self.refused(uv.StatusCode.ECANCELED, uv.run, main())

    def test_callbacks_and_coroutines_share_the_loop(self) -> None:
        calls: list[str] = []
        uv.Timer(self.loop).start(5, lambda _: calls.append("timer"))

        async def main() -> None:
            await uv.sleep(10)
            calls.append("main")

        uv.run(main())
        self.assertEqual(calls, ["timer", "main"])

    def test_readable_and_writable(self) -> None:
        async def main() -> bytes:
            with uv.open("pipe") as pipe:
                await uv.writable(pipe)
                uv.Timer().start(5, lambda _: pipe.send(b"hello"))
                await uv.readable(pipe.fileno())
                return pipe.recv(10)

        self.assertEqual(uv.run(main()), b"hello")

    def test_a_descriptor_closed_meanwhile(self) -> None:
        async def main() -> None:
            pipe = uv.open("pipe")
            uv.Timer().start(5, lambda _: pipe.close())
            await uv.readable(pipe)

        self.refused(uv.StatusCode.EBADF, uv.run, main())

    def test_signaled(self) -> None:
        async def main() -> None:
            uv.Loop.get_current().call_later(ask_for_signal, 1)
            await uv.signaled(uv.Signals.SIGHUP)

        uv.run(main())
        self.refused(uv.StatusCode.EACCES, uv.run, uv.signaled(15))

    def test_sleep_refuses_invalid_times(self) -> None:
        for wrong, kind in [(-1, ValueError), (1 << 64, OverflowError), ("1", TypeError)]:
            self.assertRaises(kind, uv.run, uv.sleep(wrong))  # type: ignore[arg-type]

    def test_other_awaitables_are_refused(self) -> None:
        class Other:
            def __await__(self):  # type: ignore[no-untyped-def]
                yield self

        async def main() -> None:
            await Other()

        self.assertRaisesRegex(RuntimeError, "of uv", uv.run, main())

    def test_system_exit(self) -> None:
        async def main() -> None:
            await uv.sleep(1)
            raise SystemExit(4)

        with self.assertRaises(SystemExit):
            uv.run(main())
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            self.loop.run()
        self.assertEqual(printed.getvalue(), "")

    def test_run_inside_a_callback(self) -> None:
        async def inner() -> None:
            pass

        async def main() -> None:
            uv.run(inner())

        self.refused(uv.StatusCode.EBUSY, uv.run, main())


if __name__ == "__main__":
    unittest.main(verbosity=2)
