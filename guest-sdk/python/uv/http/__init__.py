"""HTTP requests, by WASI's HTTP: the host speaks HTTP and TLS, and grants hosts.

    import asyncio
    from uv import http

    async def main():
        response = await http.fetch("https://example.org/", timeout=5)
        print(response.status, await response.text())

    asyncio.run(main())

`fetch` is for coroutines. ``urllib.request`` sends its requests here too, and blocks meanwhile.
"""

from .error import RequestError
from .fetch import Response, fetch
from .opener import make_default

__all__ = ["RequestError", "Response", "fetch", "make_default"]
