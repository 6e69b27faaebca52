"""Python's sockets on WASI's network: TCP, UDP and names, of which the host grants addresses.

A file per concept: `socket` is the class that scripts use as ``socket.socket``, on the endpoints of
`tcp` and `udp`; `names` looks names up; `resources` drops the host's resources in their order.
"""

from .default import make_default
from .socket import Socket

__all__ = ["Socket", "make_default"]
