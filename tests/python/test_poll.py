"""Poll handles."""

import unittest

import uv
from support import TestCase


class Polls(TestCase):
    def setUp(self) -> None:
        super().setUp()
        # Both ends of a FIFO.
        self.pipe = uv.open("pipe")

    def tearDown(self) -> None:
        super().tearDown()
        self.pipe.close()

    def test_poll(self) -> None:
        read: list[bytes] = []

        def ready(handle: uv.Poll, status: uv.StatusCode, events: int) -> None:
            self.assertIs(handle, poll)
            self.assertIs(status, uv.StatusCode.SUCCESS)
            self.assertEqual(events, uv.PollEvent.READABLE)
            read.append(self.pipe.recv(100))
            handle.stop()

        poll = uv.Poll(fd=self.pipe.fileno(), loop=self.loop, callback=ready)
        self.assertEqual(poll.callback, ready)
        poll.start()
        self.pipe.send(b"hello")
        self.loop.run()
        self.assertEqual(read, [b"hello"])

    def test_fd(self) -> None:
        self.assertEqual(uv.Poll(self.pipe.fileno(), self.loop).fd, self.pipe.fileno())
        poll = uv.Poll(self.pipe, self.loop)
        self.assertEqual(poll.fd, self.pipe.fileno())
        with self.assertRaises(AttributeError):
            poll.fd = 1  # type: ignore[misc]
        for fd in (999_999, -1):
            self.refused(uv.StatusCode.EBADF, uv.Poll, fd, self.loop)
        for wrong in ("pipe", 1.5, None):
            self.assertRaises(TypeError, uv.Poll, wrong, self.loop)

    def test_callback(self) -> None:
        calls: list[str] = []
        poll = uv.Poll(self.pipe, self.loop)
        self.assertIsNone(poll.callback)
        self.pipe.send(b"x")
        poll.start()
        self.loop.run(uv.RunMode.NOWAIT)
        poll.callback = lambda *_: calls.append("attribute")
        self.loop.run(uv.RunMode.NOWAIT)
        poll.start(callback=lambda *_: calls.append("start"))
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(calls, ["attribute", "start"], "as long as it is ready")
        self.assertRaises(TypeError, setattr, poll, "callback", 1)
        self.assertRaises(TypeError, uv.Poll, self.pipe, self.loop, 1)
        self.pipe.recv(1)

    def test_start(self) -> None:
        seen: list[int] = []
        poll = uv.Poll(self.pipe, self.loop, lambda _, __, events: seen.append(events))
        both = uv.PollEvent.READABLE | uv.PollEvent.WRITABLE
        poll.start(both)
        self.loop.run(uv.RunMode.NOWAIT)
        self.pipe.send(b"x")
        self.loop.run(uv.RunMode.NOWAIT)
        poll.start(uv.PollEvent.READABLE)
        self.loop.run(uv.RunMode.NOWAIT)
        self.assertEqual(seen, [uv.PollEvent.WRITABLE, both, uv.PollEvent.READABLE])
        poll.start(0)
        self.assertFalse(poll.active, "without events it is stopped")
        self.pipe.recv(1)

    def test_start_refuses_unknown_bits(self) -> None:
        poll = uv.Poll(self.pipe, self.loop)
        for wrong in (16, -1, 1 << 40):
            self.refused(uv.StatusCode.EINVAL, poll.start, wrong)
        self.assertRaises(TypeError, poll.start, "READABLE")
        self.assertRaises(TypeError, poll.start, 1, "callback")
        self.assertFalse(poll.active)
        poll.close()
        self.assertRaises(uv.HandleClosedError, poll.start)

    def test_stop(self) -> None:
        poll = uv.Poll(self.pipe, self.loop, lambda *_: self.fail("it was stopped"))
        poll.stop()
        self.pipe.send(b"x")
        poll.start()
        poll.stop()
        self.assertFalse(poll.active)
        self.loop.run(uv.RunMode.NOWAIT)
        self.pipe.recv(1)

    def test_events_are_libuvs_bits(self) -> None:
        self.assertEqual([int(event) for event in uv.PollEvent], [1, 2, 4, 8])
        self.assertEqual(uv.PollEvent.READABLE | uv.PollEvent.WRITABLE, 3)

    def test_two_on_one_descriptor(self) -> None:
        first, second = uv.Poll(self.pipe, self.loop), uv.Poll(self.pipe, self.loop)
        first.start()
        self.refused(uv.StatusCode.EEXIST, second.start)
        self.refused(uv.StatusCode.EEXIST, uv.Poll, self.pipe, self.loop)

    def test_a_descriptor_closed_under_it(self) -> None:
        seen: list[tuple[uv.StatusCode, int]] = []

        def called(_: uv.Poll, status: uv.StatusCode, events: int) -> None:
            seen.append((status, events))

        poll = uv.Poll(self.pipe, self.loop, called)
        poll.start()
        self.pipe.close()
        self.loop.run()
        self.assertEqual(seen, [(uv.StatusCode.EBADF, 0)])
        self.assertFalse(poll.active)
        self.refused(uv.StatusCode.EBADF, poll.start)

    def test_it_keeps_its_descriptor_open(self) -> None:
        number = self.pipe.fileno()
        poll = uv.Poll(number, self.loop)
        del self.pipe
        self.refused(uv.StatusCode.EBUSY, uv.open, "pipe")
        poll.close()
        self.loop.run()
        self.pipe = uv.open("pipe")


if __name__ == "__main__":
    unittest.main(verbosity=2)
