"""Granted descriptors."""

import socket
import unittest

import uv
from support import TestCase


class Descriptors(TestCase):
    def test_open(self) -> None:
        with uv.open("pipe") as pipe:
            self.assertGreaterEqual(pipe.fileno(), 0)
            self.refused(uv.StatusCode.EBUSY, uv.open, "pipe")
        self.refused(uv.StatusCode.ENOENT, uv.open, "not granted")
        self.assertRaisesRegex(uv.UVError, "ENOENT: .*'not granted'", uv.open, "not granted")
        for wrong in (1, None, b"pipe"):
            self.assertRaises(TypeError, uv.open, wrong)

    def test_close(self) -> None:
        pipe = uv.open("pipe")
        self.assertFalse(pipe.closed)
        pipe.close()
        pipe.close()
        self.assertTrue(pipe.closed)
        self.assertEqual(pipe.fileno(), -1)
        self.refused(uv.StatusCode.EBADF, pipe.recv, 1)
        self.refused(uv.StatusCode.EBADF, pipe.send, b"x")
        self.refused(uv.StatusCode.EBADF, pipe.accept)
        self.refused(uv.StatusCode.EBADF, uv.Poll, pipe, self.loop)
        self.assertEqual(repr(pipe), "<uv.Descriptor closed>")

    def test_recv_and_send(self) -> None:
        with uv.open("pipe") as pipe:
            self.assertRaises(BlockingIOError, pipe.recv, 10)
            self.refused(uv.StatusCode.EAGAIN, pipe.recv, 10)
            self.assertEqual(pipe.send(b"hello"), 5)
            self.assertEqual(pipe.send(bytearray(b" wor")), 4)
            self.assertEqual(pipe.send(memoryview(b"ld")), 2)
            self.assertEqual(pipe.recv(5), b"hello")
            self.assertEqual(pipe.recv(1 << 40), b" world")
            self.assertEqual(pipe.recv(0), b"")
            self.assertRaises(ValueError, pipe.recv, -1)
            self.assertRaises(TypeError, pipe.recv, "1")
            self.assertRaises(TypeError, pipe.send, "text")
            self.refused(uv.StatusCode.ENOTSOCK, pipe.accept)
            self.refused(uv.StatusCode.ENOTSOCK, pipe.getsockname)

    def test_accept_and_a_connection(self) -> None:
        with uv.open("server") as server, uv.open("client") as client:
            here, address = server.accept()
            with here:
                self.assertEqual(address, "", "a Unix socket without a name")
                self.assertEqual(server.getsockname(), client.getpeername())
                self.refused(uv.StatusCode.EAGAIN, server.accept)
                here.send(b"x")
                self.assertEqual(client.recv(10), b"x")
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(here.recv(10), b"")
                self.assertRaises(BrokenPipeError, client.send, b"x")
                self.assertRaises(ValueError, client.shutdown, 7)
                client.send_buffer_size = 20_000
                client.receive_buffer_size = 30_000
                self.assertEqual(client.send_buffer_size, 20_000)
                self.assertEqual(client.receive_buffer_size, 30_000)
                self.refused(uv.StatusCode.EINVAL, setattr, client, "send_buffer_size", 0)

    def test_blocking(self) -> None:
        with uv.open("server") as server, uv.open("client") as client:
            self.assertEqual((client.gettimeout(), client.getblocking()), (0.0, False))
            self.assertRaises(ValueError, client.makefile)
            self.assertRaises(ValueError, client.settimeout, -1)
            self.assertFalse(server.accept()[0].getblocking())
        with uv.open("server") as server, uv.open("client") as client:
            server.setblocking(True)
            here, _ = server.accept()
            self.assertIsNone(here.timeout)
            here.settimeout(10)
            before = self.loop.now
            current = uv.Loop.get_current()
            with self.assertRaisesRegex(TimeoutError, "timed out"):
                here.recv(1)
            self.assertIs(uv.Loop.get_current(), current)
            self.loop.update_time()
            self.assertGreaterEqual(self.loop.now - before, 10_000, "in virtual time")
            client.settimeout(None)
            client.sendall(b"one\ntwo\n")
            client.sendall(bytearray(b"three"))
            buffer = bytearray(4)
            self.assertEqual(here.recv_into(buffer), 4)
            self.assertEqual(buffer, b"one\n")
            here.setblocking(True)
            with here.makefile("rw", encoding="utf-8", newline="\n") as file:
                self.assertEqual(file.readline(), "two\n")
                file.write("answer\n")
                file.flush()
                here.close()
                self.assertFalse(here.closed, "the file keeps it open")
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(file.read(), "three")
            self.assertTrue(here.closed)
            self.assertEqual(client.makefile("rb").read(), b"answer\n")

    def test_sendall(self) -> None:
        data = bytes(range(256)) * 4000
        with uv.open("server") as server, uv.open("client") as client:
            here, _ = server.accept()
            with here:
                # More than fits, without blocking and with a time-out.
                self.assertRaises(BlockingIOError, client.sendall, data)
                client.settimeout(1)
                self.assertRaises(TimeoutError, client.sendall, data)
                self.assertRaises(TypeError, client.sendall, "text")
                client.sendall(b"")

    def test_datagrams(self) -> None:
        with uv.open("udp") as one, uv.open("udp6") as other:
            for socket_ in (one, other):
                address = socket_.getsockname()
                self.assertIsInstance(address, tuple)
                self.assertEqual(socket_.sendto(b"to myself", address), 9)
                poll = uv.Poll(socket_, self.loop)
                poll.start(uv.PollEvent.READABLE, lambda poll, *_: poll.close())
                self.loop.run()
                self.assertEqual(socket_.recvfrom(100), (b"to myself", address))
                self.assertRaises(BlockingIOError, socket_.recvfrom, 100)
            self.refused(uv.StatusCode.EINVAL, one.sendto, b"x", "no address")
            self.assertRaises(TypeError, one.sendto, b"x", 7)


if __name__ == "__main__":
    unittest.main(verbosity=2)
