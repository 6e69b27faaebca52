"""A chat server: a line of one client goes to all others.

    uv-run --listen clients=127.0.0.1:7000 --signal int,term examples/python/chat.py
    nc 127.0.0.1 7000

Each client has a task of its own, on streams of asyncio. A client that reads too slowly is let go.
"""

import asyncio
import itertools
import signal
from collections.abc import AsyncGenerator

import uv

LONGEST_LINE = 1_000
"""Bytes. A longer one is cut into several."""

MOST_UNREAD = 64 * 1024
"""Bytes that wait for a client, before it is let go."""


class Room:
    """The clients that are connected."""

    def __init__(self) -> None:
        self.clients: dict[asyncio.StreamWriter, str] = {}
        self.numbers = itertools.count(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The task of a client."""
        name = f"guest {next(self.numbers)}"
        self.tell(f"{name} has come")
        self.clients[writer] = name
        self.write(writer, f"you are {name}, with {len(self.clients) - 1} others".encode())
        try:
            async for line in lines(reader):
                self.say(writer, line)
        except ConnectionError:
            pass  # It was reset.
        finally:
            self.leave(writer)

    def say(self, speaker: asyncio.StreamWriter, line: bytes) -> None:
        for client in list(self.clients):
            if client is not speaker:
                self.write(client, f"{self.clients[speaker]}: ".encode() + line)

    def tell(self, text: str) -> None:
        print(text)
        for client in list(self.clients):
            self.write(client, text.encode())

    def write(self, client: asyncio.StreamWriter, line: bytes) -> None:
        if client.transport.get_write_buffer_size() > MOST_UNREAD:
            client.transport.abort()
        else:
            client.write(line + b"\n")

    def leave(self, client: asyncio.StreamWriter) -> None:
        name = self.clients.pop(client, None)
        client.close()
        if name is not None:
            self.tell(f"{name} has left")

    def close(self) -> None:
        self.tell("the server closes")
        for client in self.clients:
            client.close()
        self.clients.clear()


async def lines(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    """The lines that a client says, without their ends."""
    rest = b""
    while data := await reader.read(4096):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r")
        while len(rest) > LONGEST_LINE:
            yield rest[:LONGEST_LINE]
            rest = rest[LONGEST_LINE:]


async def main() -> None:
    room = Room()
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        try:
            asyncio.get_running_loop().add_signal_handler(signum, ended.set)
        except uv.UVError as error:
            if error.code != uv.StatusCode.EACCES:
                raise  # One that is not granted ends uv-run.
    server = await asyncio.start_server(room.serve, "clients")
    await ended.wait()
    server.close()
    room.close()
    # Until everything that was written is out, and the clients have left.
    await server.wait_closed()


asyncio.run(main())
