"""A service that reads its configuration again on SIGHUP, without dropping what it is doing.

    echo '{"greeting": "hello", "every": 500}' > /tmp/config/config.json
    uv-run --dir-ro /tmp/config::/config --signal hup,int,term examples/python/graceful_reload.py
    kill -HUP $(pidof uv-run)

A configuration that cannot be read is reported, and the one before stays. SIGTERM and SIGINT end the
service after what it is doing.
"""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass

FILE = "/config/config.json"


@dataclass(frozen=True)
class Config:
    """The settings."""

    greeting: str
    every: int
    """Milliseconds."""

    @staticmethod
    def read() -> "Config":
        """Reads the file. `ValueError` for what is no configuration, `OSError` if it cannot be read."""
        with open(FILE, encoding="utf-8") as file:
            values = json.load(file)
        try:
            config = Config(greeting=str(values["greeting"]), every=int(values["every"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"it has no good {error}") from None
        if config.every <= 0:
            raise ValueError("every has to be at least 1")
        return config


class Service:
    """Greets, at intervals."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.greeted = 0
        self.reloaded = asyncio.Event()

    async def greet(self) -> None:
        while True:
            self.greeted += 1
            print(self.config.greeting, self.greeted)
            self.reloaded.clear()
            try:
                # After a reload, from then on.
                async with asyncio.timeout(self.config.every / 1000) as interval:
                    while True:
                        await self.reloaded.wait()
                        self.reloaded.clear()
                        now = asyncio.get_running_loop().time()
                        interval.reschedule(now + self.config.every / 1000)
            except TimeoutError:
                pass

    def reload(self) -> None:
        try:
            self.config = Config.read()
        except (OSError, ValueError) as error:
            print(f"the configuration stays as it is: {error}", file=sys.stderr)
            return
        self.reloaded.set()
        print("reloaded")


async def main() -> None:
    try:
        service = Service(Config.read())
    except (OSError, ValueError) as error:
        sys.exit(f"{FILE} cannot be used: {error}")
    greeting = asyncio.create_task(service.greet())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, greeting.cancel)
    try:
        await greeting
    except asyncio.CancelledError:
        print(f"greeted {service.greeted} times")


asyncio.run(main())
