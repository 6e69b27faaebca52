"""Addresses of Python's sockets and those of WASI."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from wit_world.imports.network import (
    IpAddress,
    IpAddress_Ipv4,
    IpAddressFamily,
    IpSocketAddress,
    IpSocketAddress_Ipv4,
    IpSocketAddress_Ipv6,
    Ipv4SocketAddress,
    Ipv6SocketAddress,
)

Address = tuple[str, int] | tuple[str, int, int, int]
"""A host and a port, and with IPv6 the flow and the scope."""

FAMILIES: dict[int, IpAddressFamily] = {
    socket.AF_INET: IpAddressFamily.IPV4,
    socket.AF_INET6: IpAddressFamily.IPV6,
}
ANY: dict[int, Address] = {socket.AF_INET: ("0.0.0.0", 0), socket.AF_INET6: ("::", 0, 0, 0)}


def to_wasi(family: int, address: Any) -> IpSocketAddress:
    """The address of a call. Its host is an IP address, ``""`` for all addresses, or a name, which
    is looked up now."""
    most = 4 if family == socket.AF_INET6 else 2
    if not isinstance(address, tuple) or not 2 <= len(address) <= most:
        raise TypeError(f"the address must be a tuple of a host and a port, not {address!r}")
    host, port = address[:2]
    if not isinstance(port, int):
        raise TypeError(f"the port must be an int, not {type(port).__name__}")
    if not 0 <= port <= 65535:
        raise OverflowError("port must be 0-65535.")
    flow, scope = (*address[2:], 0, 0)[:2]
    ip = _ip(family, host)
    if isinstance(ip, ipaddress.IPv4Address):
        a, b, c, d = ip.packed
        return IpSocketAddress_Ipv4(Ipv4SocketAddress(port, (a, b, c, d)))
    words = [int.from_bytes(ip.packed[at : at + 2]) for at in range(0, 16, 2)]
    a, b, c, d, e, f, g, h = words
    return IpSocketAddress_Ipv6(Ipv6SocketAddress(port, flow, (a, b, c, d, e, f, g, h), scope))


def from_wasi(address: IpSocketAddress) -> Address:
    """An address of WASI."""
    value = address.value
    host = ip_from_wasi(value.address)
    if isinstance(value, Ipv4SocketAddress):
        return host, value.port
    return host, value.port, value.flow_info, value.scope_id


def ip_from_wasi(parts: tuple[int, ...]) -> str:
    """The text of an IP address."""
    if len(parts) == 4:
        return ".".join(map(str, parts))
    return str(ipaddress.IPv6Address(b"".join(word.to_bytes(2) for word in parts)))


def text_of(address: IpAddress) -> str:
    """The text of an address without a port."""
    return ip_from_wasi(address.value)


def is_ipv4(address: IpAddress) -> bool:
    """Whether it is one of IPv4."""
    return isinstance(address, IpAddress_Ipv4)


def _ip(family: int, host: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii")
    if not isinstance(host, str):
        raise TypeError(f"the host must be a str, not {type(host).__name__}")
    if host == "":
        host = ANY[family][0]
    kind = ipaddress.IPv4Address if family == socket.AF_INET else ipaddress.IPv6Address
    try:
        return kind(host)
    except ValueError:
        found = socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM)
        return kind(found[0][4][0])
