"""A service that reads its configuration again on SIGHUP, without dropping what it is doing.

    echo '{"greeting": "hello", "every": 500}' > /tmp/config/config.json
    uv-run --dir-ro /tmp/config::/config --signal hup,int,term examples/python/graceful_reload.py
    kill -HUP $(pidof uv-run)

A configuration that cannot be read is reported, and the one before stays. SIGTERM and SIGINT end the
service after what it is doing.
"""

import json
import signal
import sys
from dataclasses import dataclass

import uv

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
        self.timer = uv.Timer(callback=self.greet)
        self.timer.start(0, repeat=config.every)

    def greet(self, timer: uv.Timer) -> None:
        self.greeted += 1
        print(self.config.greeting, self.greeted)

    def reload(self, handle: uv.Signal, signum: int) -> None:
        try:
            self.config = Config.read()
        except (OSError, ValueError) as error:
            print(f"the configuration stays as it is: {error}", file=sys.stderr)
            return
        # From now on, without a greeting more or less.
        self.timer.repeat = self.config.every
        self.timer.again()
        print("reloaded")

    def end(self, handle: uv.Signal, signum: int) -> None:
        print(f"greeted {self.greeted} times")
        uv.Loop.get_current().close_all_handles()


def main() -> None:
    try:
        service = Service(Config.read())
    except (OSError, ValueError) as error:
        sys.exit(f"{FILE} cannot be used: {error}")
    for signum, action in [
        (signal.SIGHUP, service.reload),
        (signal.SIGINT, service.end),
        (signal.SIGTERM, service.end),
    ]:
        uv.Signal(callback=action).start(signum)
    uv.Loop.get_current().run()


main()
