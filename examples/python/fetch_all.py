"""Fetches URLs at once, and tries again after failures, with longer and longer pauses.

    uv-run --http example.org examples/python/fetch_all.py https://example.org/ ...

It prints a line for each URL, and exits with 1 if one of them could not be fetched.
"""

import asyncio
import random
import sys

from uv import http

ATTEMPTS = 4
TIMEOUT = 2.0
"""Seconds for one attempt."""

PAUSE = 0.1
"""Seconds before the second attempt. Each further pause is twice as long."""

AT_ONCE = 8
LONGEST = 10_000_000
"""Bytes of a body."""


class TemporaryError(Exception):
    """The server asks to try again later."""


async def fetch(url: str) -> bytes:
    """One attempt."""
    async with await http.fetch(url, timeout=TIMEOUT) as response:
        if response.status == 429 or response.status >= 500:
            raise TemporaryError(f"{response.status} {response.reason}")
        response_body = bytearray()
        async for chunk in response:
            response_body += chunk
            if len(response_body) > LONGEST:
                raise ValueError(f"more than {LONGEST} bytes")
        if not response.ok:
            raise ValueError(f"{response.status} {response.reason}")
        return bytes(response_body)


async def fetch_with_retries(url: str, slots: asyncio.Semaphore) -> bool:
    """Fetches a URL and prints the result. Returns whether it has one."""
    pause = PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with slots:
                body = await fetch(url)
            print(f"{url}: {len(body)} bytes, attempt {attempt}")
            return True
        except (PermissionError, ValueError) as error:
            # Trying again would change nothing.
            print(f"{url}: {error}", file=sys.stderr)
            return False
        except (OSError, TemporaryError) as error:
            print(f"{url}: {error}, attempt {attempt}", file=sys.stderr)
        if attempt < ATTEMPTS:
            # Clients that have failed together do not come back together.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            pause *= 2
    return False


async def main(urls: list[str]) -> int:
    slots = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch_with_retries(url, slots)) for url in urls]
    return 0 if all(task.result() for task in tasks) else 1


if not sys.argv[1:]:
    sys.exit("usage: fetch_all.py URL...")
sys.exit(asyncio.run(main(sys.argv[1:])))
