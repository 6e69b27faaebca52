"""The selector of the asyncio loop: the descriptors and sockets that it watches."""

from __future__ import annotations

import selectors
from collections.abc import Mapping
from selectors import SelectorKey
from typing import Any

from ..descriptor import descriptor_of
from ..loop import Loop
from ..net.socket import socket_of
from .pump import Pump
from .watches import DescriptorWatch, SocketWatch, Watch


class Selector(selectors.BaseSelector):
    """Watches sockets, and descriptors that the host has granted. `select` runs the uv loop while it
    waits."""

    def __init__(self, loop: Loop, pump: Pump) -> None:
        self._loop = loop
        self._pump = pump
        self._watches: dict[int, Watch] = {}
        self._ready: dict[int, int] = {}
        self._map = _Keys(self._watches)

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        """Begins to watch a descriptor or socket."""
        number = _number(fileobj)
        known = self._watches.get(number)
        if known is not None:
            if not known.is_closed:
                raise KeyError(f"{fileobj!r} (FD {number}) is already registered")
            # The number is now another descriptor's.
            self.unregister(number)
        key = SelectorKey(fileobj, number, events, data)
        sock = socket_of(number)
        watch: Watch
        if sock is None:
            watch = DescriptorWatch(self._loop, descriptor_of(number), key, self._is_ready)
        else:
            watch = SocketWatch(self._loop, sock, key, self._is_ready)
        try:
            watch.update()
        except BaseException:
            watch.close()
            raise
        self._watches[number] = watch
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        """Stops watching a descriptor."""
        number = _number(fileobj)
        watch = self._watches.pop(number)
        self._ready.pop(number, None)
        watch.close()
        return watch.key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        """Watches for other events of a descriptor."""
        number = _number(fileobj)
        watch = self._watches[number]
        if watch.is_closed:
            self.unregister(number)
            return self.register(fileobj, events, data)
        before = watch.key
        watch.key = SelectorKey(fileobj, number, events, data)
        if events != before.events:
            watch.update()
        return watch.key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Runs the uv loop until the asyncio loop's next turn. Returns the descriptors that have
        become ready."""
        self._pump.wait_for_turn(timeout)
        if not self._ready:
            return []
        ready, self._ready = self._ready, {}
        return [(self._watches[number].key, events) for number, events in ready.items()]

    def get_map(self) -> Mapping[Any, SelectorKey]:
        """The keys by descriptor."""
        return self._map

    def close(self) -> None:
        """Stops watching all descriptors."""
        for number in list(self._watches):
            self.unregister(number)

    def _is_ready(self, number: int, events: int) -> None:
        self._ready[number] = self._ready.get(number, 0) | events
        self._pump.request_turn()


class _Keys(Mapping[Any, SelectorKey]):
    """The selector's keys by descriptor, or by its number."""

    def __init__(self, watches: dict[int, Watch]) -> None:
        self._watches = watches

    def __len__(self) -> int:
        return len(self._watches)

    def __getitem__(self, fileobj: Any) -> SelectorKey:
        try:
            return self._watches[_number(fileobj)].key
        except (KeyError, ValueError):
            raise KeyError(f"{fileobj!r} is not registered") from None

    def __iter__(self) -> Any:
        return iter(list(self._watches))


def _number(fileobj: Any) -> int:
    """The number of a descriptor. ``ValueError`` for anything else, as selectors raise it."""
    number = fileobj
    if not isinstance(fileobj, int):
        try:
            number = int(fileobj.fileno())
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"Invalid file object: {fileobj!r}") from None
    if number < 0:
        raise ValueError(f"Invalid file descriptor: {number}")
    return int(number)
