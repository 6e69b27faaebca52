"""Makes `Socket` the socket of Python."""

from __future__ import annotations

import socket
from typing import Any

from .names import getaddrinfo, getnameinfo
from .socket import Socket


def make_default() -> None:
    """``socket.socket``, ``getaddrinfo`` and ``getnameinfo`` use WASI through this package. Python's own use
    it too, but what they wait for cannot be waited for on a loop."""
    module: Any = socket
    module.socket = Socket
    module.getaddrinfo = getaddrinfo
    module.getnameinfo = getnameinfo
