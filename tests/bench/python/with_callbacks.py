"""The same programs as `with_asyncio.py`, on callbacks of handles."""

import sys
import time

import uv


def zero(count: int) -> None:
    left = count

    def called(idle: uv.Idle) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            idle.close()

    uv.Idle().start(called)


def sleepers(count: int) -> None:
    for _ in range(count):
        sleeper(uv.Timer(), 1)


def sleeper(timer: uv.Timer, time: int) -> None:
    if time > 10:
        timer.close()
    else:
        timer.start(time, lambda timer: sleeper(timer, time + 1))


def echo(name: str) -> None:
    listener = uv.open(name)
    print("port", listener.getsockname()[1], flush=True)

    def connected(poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
        connection, _ = listener.accept()

        def readable(poll: uv.Poll, status: uv.StatusCode, events: int) -> None:
            data = connection.recv(65536)
            if data:
                connection.send(data)
            else:
                poll.close()
                connection.close()

        uv.Poll(connection).start(uv.PollEvent.READABLE, readable)

    uv.Poll(listener).start(uv.PollEvent.READABLE, connected)


def main(program: str, *args: str) -> None:
    if program == "echo":
        echo(args[0])
        uv.Loop.get_current().run()
        return
    begin = time.perf_counter()
    {"zero": zero, "sleepers": sleepers}[program](int(args[0]))
    uv.Loop.get_current().run()
    print("seconds", time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
