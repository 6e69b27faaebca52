"""Looking names up."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from typing import Any, NoReturn

from componentize_py_types import Err
from wit_world.imports.instance_network import instance_network
from wit_world.imports.ip_name_lookup import ResolveAddressStream, resolve_addresses
from wit_world.imports.network import ErrorCode

from .address import is_ipv4, text_of
from .resources import Resources
from .wait import block

Info = tuple[int, int, int, str, Any]
"""An entry of the list that ``socket.getaddrinfo`` returns."""

_KINDS: dict[int, int] = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}

_REASONS = {
    ErrorCode.NAME_UNRESOLVABLE: (socket.EAI_NONAME, "the name is not known"),
    ErrorCode.TEMPORARY_RESOLVER_FAILURE: (socket.EAI_AGAIN, "the lookup has failed for now"),
    ErrorCode.PERMANENT_RESOLVER_FAILURE: (
        socket.EAI_FAIL,
        "the lookup has failed, or was not granted (uv-run --name-lookup)",
    ),
    ErrorCode.ACCESS_DENIED: (socket.EAI_FAIL, "it was not granted (uv-run --name-lookup)"),
    ErrorCode.INVALID_ARGUMENT: (socket.EAI_NONAME, "it is no name"),
}


class Lookup:
    """A lookup that is to be made: the arguments of ``socket.getaddrinfo``.

    `steps` yields what to wait for. It is a generator so that a loop and a blocking call can both
    wait in their own way.
    """

    def __init__(
        self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> None:
        self._name = host.decode("ascii") if isinstance(host, (bytes, bytearray)) else host
        self._port = port
        self._rest = (family, type, proto)
        self._flags = flags
        self.resources = Resources()

    def steps(self) -> Generator[ResolveAddressStream, None, list[Info]]:
        """Looks up. Yields the stream to wait for as often as needed, and returns the result."""
        name, family = self._name, self._rest[0]
        if name is None or name == "" or _is_ip(name):
            return self._entries(name)
        if self._flags & socket.AI_NUMERICHOST:
            _refuse(ErrorCode.NAME_UNRESOLVABLE, name)
        if not isinstance(name, str):
            raise TypeError(f"the host must be a str, not {type(name).__name__}")
        # A wrong port is an error before the lookup.
        self._entries("127.0.0.1" if family != socket.AF_INET6 else "::1")
        found: list[Info] = []
        network = self.resources.add(instance_network())
        try:
            try:
                ascii_name = name.encode("idna").decode("ascii")
            except UnicodeError:
                _refuse(ErrorCode.INVALID_ARGUMENT, name)
            stream = self.resources.add(resolve_addresses(network, ascii_name))
            while True:
                try:
                    address = stream.resolve_next_address()
                except Err as error:
                    if error.value != ErrorCode.WOULD_BLOCK:
                        raise
                    yield stream
                    continue
                if address is None:
                    break
                if family in (0, socket.AF_INET if is_ipv4(address) else socket.AF_INET6):
                    found += self._entries(text_of(address))
        except Err as error:
            code = error.value
        else:
            if found:
                return found
            code = ErrorCode.NAME_UNRESOLVABLE
        _refuse(code, name)

    def _entries(self, ip: str | None) -> list[Info]:
        """The entries of an IP address, or of this machine, with the port or service."""
        family, kind, proto = self._rest
        port = _port(self._port)
        if ip is None or ip == "":
            is_passive = self._flags & socket.AI_PASSIVE
            ips = ["0.0.0.0", "::"] if is_passive else ["127.0.0.1", "::1"]
        else:
            ips = [ip]
        entries: list[Info] = []
        for ip in ips:
            ip, _, scope = ip.partition("%")
            its_family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            if family not in (0, its_family):
                continue
            address: Any = (ip, port)
            if its_family == socket.AF_INET6:
                address = (ip, port, 0, int(scope) if scope.isdecimal() else 0)
            for its_kind, its_proto in _KINDS.items():
                if kind in (0, its_kind) and proto in (0, its_proto):
                    entries.append((its_family, its_kind, its_proto, "", address))
        if not entries:
            raise socket.gaierror(socket.EAI_FAMILY, f"{ip}: it has no address of this kind")
        return entries


def getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[Info]:
    """``socket.getaddrinfo``, which blocks until the host's lookup has ended."""
    lookup = Lookup(host, port, family, type, proto, flags)
    steps = lookup.steps()
    try:
        while True:
            stream = next(steps)
            block([stream.subscribe], None)
    except StopIteration as end:
        result: list[Info] = end.value
    finally:
        lookup.resources.close()
    return [
        (_named(socket.AddressFamily, family), _named(socket.SocketKind, kind), proto, name, address)
        for family, kind, proto, name, address in result
    ]


def getnameinfo(sockaddr: Any, flags: int = 0) -> tuple[str, str]:
    """``socket.getnameinfo``. WASI does not look addresses up: the result is numeric."""
    host, port = sockaddr[:2]
    if not isinstance(host, str) or not isinstance(port, int):
        raise TypeError("getnameinfo() argument 1 must be a tuple of a host and a port")
    if flags & socket.NI_NAMEREQD or not _is_ip(host):
        raise socket.gaierror(socket.EAI_NONAME, f"{host}: the name is not known")
    return host, str(port)


def _port(port: Any) -> int:
    """The number of a port, a numeric text, or the name of a service."""
    if isinstance(port, (bytes, bytearray)):
        port = port.decode("ascii")
    if port is None or port == "":
        return 0
    if isinstance(port, str):
        if port.isdecimal():
            return int(port)
        try:
            return socket.getservbyname(port)
        except (OSError, AttributeError):
            raise socket.gaierror(
                socket.EAI_SERVICE, f"the service {port!r} is not known"
            ) from None
    if not isinstance(port, int):
        raise OSError("Int or String expected")
    return port


def _named(kind: Any, number: int) -> Any:
    try:
        return kind(number)
    except ValueError:
        return number


def _is_ip(host: Any) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse(code: ErrorCode, name: str) -> NoReturn:
    number, reason = _REASONS.get(code, (socket.EAI_FAIL, "the lookup has failed"))
    raise socket.gaierror(number, f"{name}: {reason}")
