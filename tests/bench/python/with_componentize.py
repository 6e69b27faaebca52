"""The programs of `with_asyncio.py` that work on the loop that componentize-py brings.

Its module takes the interfaces of WASI under the names that they have in a world with HTTP alone.
"""

import asyncio
import sys
import time

from wit_world import imports
from wit_world.imports import wasi_http_types, wasi_io_poll

for name, module in (("types", wasi_http_types), ("poll", wasi_io_poll)):
    setattr(imports, name, module)
    sys.modules[f"wit_world.imports.{name}"] = module

from poll_loop import PollLoop  # noqa: E402
from with_asyncio import sleepers, zero  # noqa: E402


def main(program: str, count: str) -> None:
    loop = PollLoop()
    asyncio.set_event_loop(loop)
    begin = time.perf_counter()
    loop.run_until_complete({"zero": zero, "sleepers": sleepers}[program](int(count)))
    print("seconds", time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
