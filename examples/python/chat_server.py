"""A chat server: a line of one client goes to all others.

    uv-run --listen clients=127.0.0.1:7000 --signal int,term examples/python/chat_server.py
    nc 127.0.0.1 7000

One poll handle watches the listening socket, and one each client: for what it says, and, while there is
something that did not fit yet, for room to write. A client that reads too slowly is let go.
"""

import signal

import uv

LONGEST_LINE = 1_000
"""Bytes. A longer one is cut into several."""

MOST_UNREAD = 64 * 1024
"""Bytes that wait for a client, before it is let go."""


class Client:
    """A client: its connection, what it has begun to say, and what it has not heard yet."""

    def __init__(self, room: "Room", connection: uv.Descriptor, name: str) -> None:
        self.room = room
        self.connection = connection
        self.name = name
        self.said = b""
        self.unread = b""
        self.poll = uv.Poll(connection)
        self.poll.start(uv.PollEvent.READABLE, self.ready)

    def ready(self, poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        try:
            if status != uv.StatusCode.SUCCESS:
                raise uv.UVError(status)
            if events & uv.PollEvent.WRITABLE:
                self.write()
            if events & uv.PollEvent.READABLE:
                self.read()
        except BlockingIOError:
            pass  # Not ready after all.
        except uv.UVError:
            self.leave()

    def read(self) -> None:
        data = self.connection.recv(4096)
        if not data:
            return self.leave()
        *lines, self.said = (self.said + data).split(b"\n")
        for line in lines:
            self.room.say(self, line)
        while len(self.said) > LONGEST_LINE:
            self.room.say(self, self.said[:LONGEST_LINE])
            self.said = self.said[LONGEST_LINE:]

    def hear(self, line: bytes) -> None:
        self.unread += line + b"\n"
        if len(self.unread) > MOST_UNREAD:
            return self.leave()
        try:
            self.write()
        except BlockingIOError:
            self.poll.start(uv.PollEvent.READABLE | uv.PollEvent.WRITABLE)
        except uv.UVError:
            self.leave()

    def write(self) -> None:
        while self.unread:
            self.unread = self.unread[self.connection.send(self.unread) :]
        self.poll.start(uv.PollEvent.READABLE)

    def leave(self) -> None:
        if self.room.clients.pop(self.poll, None) is not None:
            self.poll.close(lambda _: self.connection.close())
            self.room.tell(f"{self.name} has left")


class Room:
    """Everybody who is there."""

    def __init__(self, listener: uv.Descriptor) -> None:
        self.listener = listener
        self.clients: dict[uv.Poll, Client] = {}
        self.visits = 0
        self.poll = uv.Poll(listener)
        self.poll.start(uv.PollEvent.READABLE, self.enter)

    def enter(self, poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        self.visits += 1
        client = Client(self, connection, f"guest {self.visits}")
        self.tell(f"{client.name} has come")
        self.clients[client.poll] = client
        client.hear(f"you are {client.name}, with {len(self.clients) - 1} others".encode())

    def say(self, speaker: Client, line: bytes) -> None:
        for client in list(self.clients.values()):
            if client is not speaker:
                client.hear(f"{speaker.name}: ".encode() + line.rstrip(b"\r"))

    def tell(self, text: str) -> None:
        print(text)
        for client in list(self.clients.values()):
            client.hear(text.encode())

    def close(self) -> None:
        self.tell("the server closes")
        uv.Loop.get_current().close_all_handles()


def main() -> None:
    room = Room(uv.open("clients"))
    for signum in (signal.SIGINT, signal.SIGTERM):
        handle = uv.Signal(callback=lambda *_: room.close())
        try:
            handle.start(signum)
        except uv.UVError as error:
            if error.code != uv.StatusCode.EACCES:
                raise
            handle.close()  # Not granted: the signal ends uv-run.
    uv.Loop.get_current().run()


main()
