"""The asyncio loop: its callbacks and tasks, beside handles."""

import asyncio
import contextlib
import gc
import io
import logging
import selectors
import socket
import unittest
import warnings
from collections.abc import AsyncGenerator
from typing import Any

import uv
from support import TestCase


def current() -> uv.EventLoop:
    """The loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, uv.EventLoop)
    return loop


class Default(TestCase):
    """Scripts get this loop without a line about it."""

    def test_asyncio_makes_it(self) -> None:
        async def main() -> type:
            return type(asyncio.get_running_loop())

        self.assertIs(asyncio.run(main()), uv.EventLoop)
        self.assertIs(asyncio.EventLoop, uv.EventLoop)
        loop = asyncio.new_event_loop()
        self.assertIsInstance(loop, uv.EventLoop)
        loop.close()

    def test_it_does_not_change_the_current_loop(self) -> None:
        async def main() -> uv.Loop:
            return uv.Loop.get_current()

        inside = asyncio.run(main())
        self.assertIsNot(inside, self.loop)
        self.assertTrue(inside.closed)
        self.assertIs(uv.Loop.get_current(), self.loop)


class Tasks(TestCase):
    def test_run_returns_the_result_or_raises_the_exception(self) -> None:
        async def main(fails: bool) -> str:
            await asyncio.sleep(0.001)
            if fails:
                raise KeyError("main's")
            return "main's"

        self.assertEqual(asyncio.run(main(False)), "main's")
        self.assertRaisesRegex(KeyError, "main's", asyncio.run, main(True))

    def test_time_passes(self) -> None:
        async def main() -> float:
            begin = current().time()
            await asyncio.gather(asyncio.sleep(0.25), asyncio.sleep(0.1))
            return current().time() - begin

        self.assertAlmostEqual(asyncio.run(main()), 0.25, places=6)

    def test_a_sleep_begins_when_it_is_called(self) -> None:
        """Not at the loop's cached time, which is older after a long callback."""

        async def main() -> float:
            while int(current().time() * 1000) % 2:
                await asyncio.sleep(0.001)
            # Another loop lets the time pass, as work would.
            other = uv.Loop()
            uv.Timer(other).start(300, lambda timer: timer.close())
            other.run()
            other.close()
            begin = current().time()
            await asyncio.sleep(0.2)
            return current().time() - begin

        self.assertGreaterEqual(round(asyncio.run(main()), 9), 0.2)

    def test_timeout_queue_and_task_group(self) -> None:
        async def main() -> list[object]:
            seen: list[object] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(1)
                seen.append("no timeout")
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.01)
            queue: asyncio.Queue[int] = asyncio.Queue(1)

            async def produce() -> None:
                for number in range(3):
                    await queue.put(number)

            async with asyncio.TaskGroup() as group:
                group.create_task(produce())
                for _ in range(3):
                    seen.append(await queue.get())
            return seen

        self.assertEqual(asyncio.run(main()), [0, 1, 2])

    def test_a_task_that_awaits_in_finally_does_not_replace_the_result(self) -> None:
        ended: list[str] = []

        async def stubborn() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0.01)
                ended.append("stubborn")
                raise ValueError("the task's")

        async def plain() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                ended.append("plain")

        async def main() -> str:
            tasks = [asyncio.create_task(stubborn()), asyncio.create_task(plain())]
            await asyncio.sleep(0.001)
            current().set_exception_handler(lambda loop, context: None)
            self.assertEqual(len(tasks), 2)
            return "main's"

        self.assertEqual(asyncio.run(main()), "main's")
        self.assertEqual(sorted(ended), ["plain", "stubborn"])

    def test_a_nested_run_is_refused_and_cancels_nothing(self) -> None:
        async def sibling() -> str:
            await asyncio.sleep(0.01)
            return "sibling"

        async def main() -> str:
            task = asyncio.create_task(sibling())
            await asyncio.sleep(0)
            inner = sibling()
            with self.assertRaisesRegex(RuntimeError, "running event loop"):
                asyncio.run(inner)
            inner.close()
            self.refused(uv.StatusCode.EBUSY, uv.Loop.get_current().run)
            return await task

        self.assertEqual(asyncio.run(main()), "sibling")

    def test_a_task_that_fails_before_it_is_awaited(self) -> None:
        async def failing() -> None:
            raise ValueError("the task's")

        async def main() -> str:
            task = asyncio.create_task(failing())
            await asyncio.sleep(0.01)
            with self.assertRaisesRegex(ValueError, "the task's"):
                await task
            return "main's"

        self.assertEqual(asyncio.run(main()), "main's")

    def test_system_exit_leaves_the_loop(self) -> None:
        async def main() -> None:
            asyncio.get_running_loop().call_soon(exit, 4)
            await asyncio.sleep(1)

        with self.assertRaises(SystemExit) as caught:
            asyncio.run(main())
        self.assertEqual(caught.exception.code, 4)
        self.assertEqual(uv.Loop.get_current(), self.loop)

    def test_async_generators_are_shut_down(self) -> None:
        ended: list[str] = []

        async def numbers() -> AsyncGenerator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0.001)
                ended.append("numbers")

        async def main() -> None:
            generator = numbers()
            async for _ in generator:
                kept.append(generator)
                break

        kept: list[object] = []
        asyncio.run(main())
        self.assertEqual(ended, ["numbers"])

    def test_a_generator_that_is_collected_while_the_loop_waits(self) -> None:
        ended = []

        async def numbers() -> AsyncGenerator[int]:
            try:
                yield 1
            finally:
                ended.append("numbers")

        async def main() -> None:
            generator = numbers()
            await anext(generator)
            held = [generator]
            del generator

            def collect(timer: uv.Timer) -> None:
                # Inside the wait of the loop.
                timer.close()
                held.clear()
                gc.collect()

            uv.Timer().start(1, collect)
            while not ended:
                await asyncio.sleep(1)
            self.assertLess(current().time() - begin, 1.5)

        begin = 0.0

        async def timed() -> None:
            nonlocal begin
            begin = current().time()
            await main()

        asyncio.run(timed())


class Order(TestCase):
    def test_asyncios_callbacks_are_called_in_the_idle_phase(self) -> None:
        calls: list[str] = []

        async def main() -> None:
            for kind in (uv.Check, uv.Prepare):
                handle = kind(callback=lambda handle: calls.append(type(handle).__name__))
                handle.start()
            for turn in range(3):
                calls.append(f"turn {turn}")
                await asyncio.sleep(0)

        asyncio.run(main())
        begin = calls.index("turn 1")
        self.assertEqual(
            calls[begin : begin + 4], ["turn 1", "Prepare", "Check", "turn 2"], str(calls)
        )

    def test_timers_of_both_kinds(self) -> None:
        calls: list[str] = []

        async def main() -> None:
            loop = current()
            loop.call_later(0.03, calls.append, "30")
            uv.Timer().start(20, lambda _: calls.append("20"))
            loop.call_later(0.01, calls.append, "10")
            uv.Timer().start(40, lambda _: calls.append("40"))
            cancelled = loop.call_later(0.015, calls.append, "15")
            cancelled.cancel()
            await asyncio.sleep(0.05)

        asyncio.run(main())
        self.assertEqual(calls, ["10", "20", "30", "40"])

    def test_a_handles_callback_wakes_the_loop(self) -> None:
        async def main() -> list[str]:
            loop = current()
            done: asyncio.Future[list[str]] = loop.create_future()
            calls: list[str] = []

            def called(timer: uv.Timer) -> None:
                timer.close()
                loop.call_later(0.002, lambda: done.set_result(calls))
                loop.call_later(0.001, calls.append, "later")
                loop.call_soon(calls.append, "soon")
                loop.call_soon_threadsafe(calls.append, "from anywhere")

            uv.Timer().start(5, called)
            return await done

        self.assertEqual(asyncio.run(main()), ["soon", "from anywhere", "later"])


class TheLoop(TestCase):
    def test_the_loop_that_runs_stays_the_current_one(self) -> None:
        async def main() -> None:
            loop = current().uv_loop
            self.assertIs(uv.Loop.get_current(), loop)
            other = uv.Loop()
            self.assertIs(uv.Loop.get_current(), loop)
            timer = uv.Timer()
            self.assertIs(timer.loop, loop)
            other.close()

        asyncio.run(main())

    def test_a_uv_loop_that_is_there(self) -> None:
        calls: list[str] = []
        uv.Timer(self.loop).start(1, lambda _: calls.append("timer"))

        async def main() -> None:
            self.assertIs(uv.Loop.get_current(), self.loop)
            await asyncio.sleep(0.01)

        with asyncio.Runner(loop_factory=lambda: uv.EventLoop(self.loop)) as runner:
            runner.run(main())
        self.assertEqual(calls, ["timer"])
        self.assertFalse(self.loop.closed)
        self.assertEqual(len(self.loop.handles), 1, "asyncio's own are not among them")

    def test_another_loop_is_refused(self) -> None:
        wrong: Any = selectors.DefaultSelector()
        self.assertRaisesRegex(TypeError, "must be a uv.Loop or None", uv.EventLoop, wrong)
        self.loop.close()
        self.assertRaises(uv.LoopClosedError, uv.EventLoop, self.loop)

    def test_stopping_the_uv_loop_stops_it(self) -> None:
        async def main() -> None:
            uv.Timer().start(1, lambda timer: timer.loop.stop())
            await asyncio.sleep(1)

        self.assertRaisesRegex(RuntimeError, "stopped before", asyncio.run, main())

    def test_stop_before_it_runs_polls_once(self) -> None:
        loop = uv.EventLoop()
        calls: list[str] = []
        loop.call_soon(lambda: loop.call_soon(calls.append, "second"))
        loop.call_soon(calls.append, "first")
        loop.stop()
        loop.run_forever()
        self.assertEqual(calls, ["first"])
        loop.stop()
        loop.run_forever()
        self.assertEqual(calls, ["first", "second"])
        loop.close()

    def test_handles_that_are_left_open(self) -> None:
        async def main() -> uv.Timer:
            timer = uv.Timer(callback=lambda _: None)
            timer.start(1_000)
            return timer

        timer = asyncio.run(main())
        self.assertTrue(timer.closed and timer.loop.closed)

    def test_close(self) -> None:
        loop = uv.EventLoop()

        async def main() -> None:
            self.assertRaisesRegex(RuntimeError, "running", loop.close)

        loop.run_until_complete(main())
        loop.close()
        loop.close()
        self.assertTrue(loop.uv_loop.closed)
        for refused in (loop.run_forever, lambda: loop.call_soon(print)):
            self.assertRaisesRegex(RuntimeError, "closed", refused)

    def test_loops_do_not_add_up(self) -> None:
        async def main() -> None:
            await asyncio.sleep(0.001)

        for _ in range(300):
            asyncio.run(main())

    def test_an_exception_of_a_handles_callback(self) -> None:
        seen: list[dict[str, Any]] = []

        async def main() -> None:
            current().set_exception_handler(lambda loop, context: seen.append(context))
            uv.Timer().start(1, lambda _: 1 / 0)
            await asyncio.sleep(0.01)

        asyncio.run(main())
        self.assertIsInstance(seen[0]["exception"], ZeroDivisionError)

    def test_slow_callbacks_in_debug_mode(self) -> None:
        async def main() -> None:
            current().slow_callback_duration = 0.0
            await asyncio.sleep(0)

        with self.assertLogs("asyncio", logging.WARNING) as logs:
            asyncio.run(main(), debug=True)
        self.assertTrue(any("took" in line for line in logs.output), logs.output)

    def test_a_coroutine_that_is_never_awaited(self) -> None:
        async def forgotten() -> None:
            pass

        async def main() -> None:
            forgotten()  # type: ignore[unused-coroutine]
            gc.collect()

        with self.assertWarnsRegex(RuntimeWarning, "never awaited"):
            asyncio.run(main())


class WhatASandboxLacks(TestCase):
    def test_threads(self) -> None:
        async def main() -> list[object]:
            with self.assertRaisesRegex(RuntimeError, "no threads.*InlineExecutor"):
                await asyncio.to_thread(print)
            executor = uv.InlineExecutor()
            found: list[object] = [await current().run_in_executor(executor, sum, [1, 2])]
            current().set_default_executor(executor)
            found.append(await asyncio.to_thread(max, 3, 4))
            with self.assertRaises(ZeroDivisionError):
                await asyncio.to_thread(lambda: 1 / 0)
            return found

        self.assertEqual(asyncio.run(main()), [3, 4])
        executor = uv.InlineExecutor()
        executor.shutdown()
        self.assertRaisesRegex(RuntimeError, "shutdown", executor.submit, print)
        loop = uv.EventLoop()
        self.assertRaises(TypeError, loop.set_default_executor, 1)
        loop.close()

    def test_processes(self) -> None:
        async def main() -> None:
            with self.assertRaisesRegex(NotImplementedError, "no processes"):
                await asyncio.create_subprocess_exec("true")
            with self.assertRaisesRegex(NotImplementedError, "no processes"):
                await asyncio.create_subprocess_shell("true")

        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            asyncio.run(main())

    def test_sockets_that_are_not_granted(self) -> None:
        async def main() -> None:
            loop = current()
            for attempt in (
                asyncio.open_connection("127.0.0.1", 80),
                asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 80),
                loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 80)),
            ):
                with self.assertRaisesRegex(PermissionError, "127.0.0.1.*80"):
                    await attempt
            with self.assertRaisesRegex(socket.gaierror, "name.test"):
                await asyncio.open_connection("name.test", 80)
            with self.assertRaisesRegex(PermissionError, "http://name.test/: the host does not grant"):
                await uv.http.fetch("http://name.test/")
            with self.assertRaisesRegex(uv.UVError, "ENOENT.*'not granted'"):
                await asyncio.open_connection("not granted")
            with self.assertRaisesRegex(ValueError, "no sock specified"):
                await asyncio.open_connection()

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main(verbosity=2)
