"""The measured programs on asyncio, for any Python: `cargo xtask python --bench`.

It prints the seconds that a program took, or serves echo clients until it is ended.
"""

import asyncio
import sys
import time


async def zero(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def sleeper() -> None:
    for number in range(10):
        await asyncio.sleep(0.001 * (1 + number))


async def sleepers(count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(sleeper())


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def echo(*address: str) -> None:
    """An address is the name of a granted socket, or a host and a port."""
    host, port = (address[0], None) if len(address) == 1 else (address[0], int(address[1]))
    server = await asyncio.get_running_loop().create_server(Echo, host, port)  # type: ignore[arg-type]
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(program: str, *args: str) -> None:
    if program == "echo":
        asyncio.run(echo(*args))
        return
    begin = time.perf_counter()
    asyncio.run({"zero": zero, "sleepers": sleepers}[program](int(args[0])))
    print("seconds", time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
