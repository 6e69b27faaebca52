"""The exports of the runtime component. componentize-py looks for classes with these names."""

from __future__ import annotations

import sys

import uv as uv  # Now, because its files are not there when the component runs.
from componentize_py_types import Err
from uv import asyncio, files, http, net, signal_handlers, sleep, standard_input, threads
from wit_world import exports
from wit_world.exports import scripts

from . import library, script

LIBRARY = library.build()
library.forget_files()
asyncio.make_default()
net.make_default()
http.make_default()
standard_input.make_default()
signal_handlers.make_default()
sleep.make_default()
threads.make_default()
files.make_default()


class Scripts(exports.Scripts):
    """The interface ``uv:scripts/scripts``."""

    def run(self, name: str, source: bytes, args: list[str], path: list[str]) -> int:
        """Runs a script to its end and returns its exit code."""
        return script.run(name, source, args, path)

    def call(
        self, name: str, source: bytes, path: list[str], function: str, arguments: str
    ) -> str:
        """Runs a script, calls one of its functions, and returns the result as JSON."""
        try:
            return script.call(name, source, path, function, arguments)
        except BaseException as error:
            raised = script.described(error)
        # Outside of the block, so that the exception is not this one's context.
        raise Err(scripts.Raised(*raised))


class Run(exports.Run):
    """The interface ``wasi:cli/run``. The first argument is the name of the script's file."""

    def run(self) -> None:
        """Runs the script. Raises ``Err`` for every exit code but 0."""
        if len(sys.argv) < 2:
            print("usage: SCRIPT.py [ARGS]...", file=sys.stderr)
            raise Err(None)
        name = sys.argv[1]
        try:
            with open(name, "rb") as file:
                source = file.read()
        except OSError as error:
            print(f"can't open file {name!r}: {error}", file=sys.stderr)
            raise Err(None) from None
        directory, _, _ = name.rpartition("/")
        if script.run(name, source, sys.argv[2:], [directory or "."]) != 0:
            raise Err(None)
