"""The asyncio loop: descriptors, streams and signals."""

import asyncio
import selectors
import signal
import unittest
from typing import Any

import uv
from support import TestCase, ask_for_signal


class Descriptors(TestCase):
    def test_reader_and_writer_on_one_descriptor(self) -> None:
        async def main() -> bytes:
            loop = asyncio.get_running_loop()
            got: asyncio.Future[bytes] = loop.create_future()
            with uv.open("pipe") as pipe:

                def writable() -> None:
                    loop.remove_writer(pipe)
                    pipe.send(b"hello")

                loop.add_reader(pipe, lambda: got.set_result(pipe.recv(10)))
                loop.add_writer(pipe.fileno(), writable)
                data = await got
                self.assertTrue(loop.remove_reader(pipe))
                self.assertFalse(loop.remove_reader(pipe))
                self.assertFalse(loop.remove_writer(pipe))
                return data

        self.assertEqual(asyncio.run(main()), b"hello")

    def test_a_reader_is_called_as_long_as_there_is_data(self) -> None:
        async def main() -> int:
            loop = asyncio.get_running_loop()
            calls = 0
            with uv.open("pipe") as pipe:

                def readable() -> None:
                    nonlocal calls
                    calls += 1
                    if calls == 3:
                        pipe.recv(10)
                        done.set()

                done = asyncio.Event()
                loop.add_reader(pipe, readable)
                pipe.send(b"x")
                await done.wait()
                await asyncio.sleep(0.01)
                loop.remove_reader(pipe)
            return calls

        self.assertEqual(asyncio.run(main()), 3)

    def test_the_socket_methods(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            with uv.open("pipe") as pipe:
                sock: Any = pipe
                read = asyncio.create_task(loop.sock_recv(sock, 10))
                await asyncio.sleep(0)
                await loop.sock_sendall(sock, b"hello")
                self.assertEqual(await read, b"hello")
                buffer = bytearray(10)
                await loop.sock_sendall(sock, b"world")
                self.assertEqual(await loop.sock_recv_into(sock, buffer), 5)
                self.assertEqual(buffer[:5], b"world")
                waiting = asyncio.create_task(loop.sock_recv(sock, 10))
                await asyncio.sleep(0.001)
                waiting.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await waiting
                self.assertFalse(loop.remove_reader(pipe))

        asyncio.run(main(), debug=True)

    def test_a_descriptor_that_is_closed_while_a_task_reads(self) -> None:
        async def main() -> None:
            pipe = uv.open("pipe")
            uv.Timer().start(5, lambda _: pipe.close())
            sock: Any = pipe
            with self.assertRaises(uv.UVError) as caught:
                await asyncio.get_running_loop().sock_recv(sock, 10)
            self.assertEqual(caught.exception.code, uv.StatusCode.EBADF)
            # The number may be another descriptor's now.
            with uv.open("pipe") as pipe:
                sock = pipe
                await asyncio.get_running_loop().sock_sendall(sock, b"x")
                self.assertEqual(await asyncio.get_running_loop().sock_recv(sock, 1), b"x")

        asyncio.run(main())

    def test_wrong_descriptors(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            self.refused(uv.StatusCode.EBADF, loop.add_reader, 12345, print)
            self.assertRaises(ValueError, loop.add_reader, -1, print)
            self.assertRaises(ValueError, loop.add_reader, "pipe", print)
            self.assertFalse(loop.remove_reader(12345))
            with uv.open("pipe") as pipe:
                poll = uv.Poll(pipe)
                poll.start()
                self.refused(uv.StatusCode.EEXIST, loop.add_reader, pipe, print)
                poll.close()

        asyncio.run(main())

    def test_the_selector(self) -> None:
        async def main() -> None:
            loop: Any = asyncio.get_running_loop()
            with uv.open("pipe") as pipe:
                loop.add_reader(pipe, print)
                selector = loop._selector
                key = selector.get_key(pipe)
                self.assertEqual((key.fd, key.events), (pipe.fileno(), selectors.EVENT_READ))
                self.assertEqual(list(selector.get_map()), [pipe.fileno()])
                self.assertRaises(KeyError, selector.register, pipe, selectors.EVENT_READ)
                loop.remove_reader(pipe)
                self.assertRaises(KeyError, selector.get_key, pipe)

        asyncio.run(main())


class Streams(TestCase):
    def test_a_server_and_a_client(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            ended.set()

        async def main() -> None:
            server = await asyncio.start_server(serve, "server")
            async with server:
                reader, writer = await asyncio.open_connection("client")
                writer.write(b"hello\n")
                self.assertEqual(await reader.readline(), b"hello\n")
                # More than buffers hold: both sides pause and resume.
                data = bytes(range(256)) * 8192
                writer.write(data)
                self.assertTrue(writer.transport.get_write_buffer_size() > 0)
                self.assertEqual(await reader.readexactly(len(data)), data)
                await writer.drain()
                writer.write_eof()
                self.assertEqual(await reader.read(), b"")
                await ended.wait()
                writer.close()
                await writer.wait_closed()

        ended = asyncio.Event()
        asyncio.run(main())

    def test_datagrams(self) -> None:
        class Receiver(asyncio.DatagramProtocol):
            def __init__(self, received: asyncio.Future[tuple[bytes, Any]]) -> None:
                self.received = received

            def datagram_received(self, data: bytes, addr: Any) -> None:
                self.received.set_result((data, addr))

        async def main() -> None:
            received = asyncio.get_running_loop().create_future()
            sock: Any = uv.open("udp")
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Receiver(received), sock=sock
            )
            address = transport.get_extra_info("sockname")
            transport.sendto(b"hello", address)
            self.assertEqual(await received, (b"hello", address))
            transport.close()

        asyncio.run(main())

    def test_pipes(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            pipe = uv.open("pipe")
            reader = asyncio.StreamReader()
            transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            pipe.send(b"one\ntwo\n")
            self.assertEqual(await reader.readline(), b"one\n")
            transport.pause_reading()
            self.assertFalse(transport.is_reading())
            transport.resume_reading()
            self.assertEqual(await reader.readline(), b"two\n")
            transport.close()
            await asyncio.sleep(0)
            self.assertTrue(transport.is_closing() and pipe.closed)

            writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, "pipe")
            writing.write(b"three")
            writing.close()
            await asyncio.sleep(0.001)
            with self.assertRaisesRegex(TypeError, "uv.Descriptor or its name"):
                await loop.connect_read_pipe(asyncio.Protocol, 5)
            with uv.open("pipe") as pipe:
                self.assertEqual(pipe.recv(10), b"three")

        asyncio.run(main())

    def test_a_write_pipe_that_is_full(self) -> None:
        class Flow(asyncio.BaseProtocol):
            def pause_writing(self) -> None:
                calls.append("pause")

            def resume_writing(self) -> None:
                calls.append("resume")

            def connection_lost(self, exc: BaseException | None) -> None:
                calls.append("lost")

        async def main() -> int:
            loop = asyncio.get_running_loop()
            pipe = uv.open("pipe")
            transport, _ = await loop.connect_write_pipe(Flow, pipe)
            for _ in range(8):
                transport.write(b"x" * 65536)
            transport.close()
            got = 0
            while "lost" not in calls:
                await asyncio.sleep(0)
                try:
                    got += len(pipe.recv(65536))
                except OSError:
                    pass  # Nothing is there yet, or the transport has closed it.
            return got

        calls: list[str] = []
        got = asyncio.run(main())
        self.assertEqual(calls, ["pause", "resume", "lost"])
        with uv.open("pipe") as pipe:
            while got < 8 * 65536:
                got += len(pipe.recv(65536))
            self.assertRaises(BlockingIOError, pipe.recv, 1)


class Signals(TestCase):
    def test_add_signal_handler(self) -> None:
        async def main() -> list[object]:
            loop = asyncio.get_running_loop()
            calls: list[object] = []
            done = asyncio.Event()

            def called(name: str) -> None:
                calls.append(name)
                if len(calls) == 2:
                    done.set()
                else:
                    ask_for_signal(1)

            loop.add_signal_handler(signal.SIGHUP, print)
            loop.add_signal_handler(signal.SIGHUP, called, "hup")
            ask_for_signal(1)
            await done.wait()
            self.assertTrue(loop.remove_signal_handler(signal.SIGHUP))
            self.assertFalse(loop.remove_signal_handler(signal.SIGHUP))
            return calls

        self.assertEqual(asyncio.run(main()), ["hup", "hup"])

    def test_wrong_signals(self) -> None:
        async def coroutine() -> None:
            pass

        async def main() -> None:
            loop = asyncio.get_running_loop()
            add: Any = loop.add_signal_handler
            for number in (0, -1, 1000):
                self.assertRaises(ValueError, add, number, print)
            self.assertRaisesRegex(RuntimeError, "cannot be caught", add, signal.SIGKILL, print)
            self.assertRaises(TypeError, add, "SIGHUP", print)
            self.assertRaises(TypeError, add, signal.SIGHUP, coroutine)
            self.refused(uv.StatusCode.EACCES, add, signal.SIGTERM, print)

        asyncio.run(main())

    def test_awaiting_a_signal_again_and_again(self) -> None:
        async def main() -> None:
            handle = uv.Signal()
            handle.start(uv.Signals.SIGHUP)
            for _ in range(3):
                ask_for_signal(1)
                await handle.delivered()
            waiting = asyncio.create_task(handle.delivered())
            await asyncio.sleep(0.001)
            handle.close()
            with self.assertRaises(uv.HandleClosedError):
                await waiting
            with self.assertRaises(uv.HandleClosedError):
                await handle.delivered()

        asyncio.run(main())


class AsyncHandles(TestCase):
    def test_awaiting_a_named_handle(self) -> None:
        async def main() -> None:
            handle = uv.Async.named("poke")
            for _ in range(3):
                ask_for_signal(uv.Signals.SIGUSR1)
                await handle.sent()
            self.assertIsNone(handle.receive())
            handle.close()

        asyncio.run(main())

    def test_sends_are_not_lost(self) -> None:
        async def main() -> None:
            handle = uv.Async()
            handle.send()
            handle.send()
            await asyncio.sleep(0.001)
            await asyncio.wait_for(handle.sent(), 1)
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(handle.sent(), 0.01)
            # A cancelled wait does not take it.
            waiting = asyncio.create_task(handle.sent())
            await asyncio.sleep(0)
            handle.callback = lambda _: waiting.cancel()
            handle.send()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            await asyncio.wait_for(handle.sent(), 1)
            self.refused(uv.StatusCode.ENOTSUP, handle.receive)
            handle.close()

        asyncio.run(main())

    def test_a_handle_of_another_loop(self) -> None:
        async def main() -> None:
            with self.assertRaisesRegex(RuntimeError, "another loop"):
                await handle.sent()

        handle = uv.Async(self.loop)
        asyncio.run(main())
        handle.close()

    def test_an_unknown_connection(self) -> None:
        self.refused(uv.StatusCode.ENOENT, uv.AsyncSender, "not granted")
        self.assertRaises(TypeError, uv.AsyncSender, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
