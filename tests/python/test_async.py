"""Async handles."""

import unittest

import uv
from support import TestCase, ask_for_signal


class Asyncs(TestCase):
    def test_async(self) -> None:
        calls: list[uv.Async] = []

        def called(handle: uv.Async) -> None:
            calls.append(handle)
            handle.close()

        handle = uv.Async(loop=self.loop, callback=called)
        self.assertEqual(handle.callback, called)
        self.assertTrue(handle.active)
        handle.send()
        self.assertEqual(calls, [], "not inside send")
        self.loop.run()
        self.assertEqual(calls, [handle])

    def test_callback(self) -> None:
        calls: list[str] = []
        handle = uv.Async(self.loop)
        self.assertIsNone(handle.callback)
        handle.send()
        self.loop.run(uv.RunMode.NOWAIT)
        handle.callback = lambda _: calls.append("attribute")
        handle.send()
        self.loop.run(uv.RunMode.NOWAIT)
        handle.send(lambda _: calls.append("send"))
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["attribute", "send"])
        self.assertRaises(TypeError, setattr, handle, "callback", 1)
        self.assertRaises(TypeError, uv.Async, self.loop, 1)

    def test_send(self) -> None:
        calls: list[str] = []
        handle = uv.Async(self.loop, lambda _: calls.append("called"))
        for _ in range(3):
            handle.send()
        self.loop.run(uv.RunMode.NOWAIT)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["called"], "they are coalesced")
        self.assertRaises(TypeError, handle.send, "callback")
        handle.send()
        handle.close()
        self.assertRaises(uv.HandleClosedError, handle.send)
        self.loop.run()
        self.assertEqual(calls, ["called"], "a pending send is not delivered")

    def test_send_inside_the_callback_causes_another(self) -> None:
        calls: list[int] = []

        def called(handle: uv.Async) -> None:
            calls.append(len(calls))
            handle.send() if len(calls) < 3 else handle.close()

        uv.Async(self.loop, called).send()
        self.loop.run()
        self.assertEqual(calls, [0, 1, 2])

    def test_the_host_sends_a_named_one(self) -> None:
        calls: list[uv.Async] = []

        def called(handle: uv.Async) -> None:
            calls.append(handle)
            handle.close()

        handle = uv.Async.named("poke", self.loop, called)
        self.assertIsInstance(handle, uv.Async)
        self.refused(uv.StatusCode.EBUSY, uv.Async.named, "poke", self.loop)
        ask_for_signal(uv.Signals.SIGUSR1)  # uv-run sends the async handle on this signal.
        self.loop.run()
        self.assertEqual(calls, [handle])

    def test_a_name_has_to_be_granted(self) -> None:
        self.refused(uv.StatusCode.ENOENT, uv.Async.named, "not granted", self.loop)
        self.assertRaises(TypeError, uv.Async.named, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
