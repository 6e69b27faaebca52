"""The selector of the asyncio loop: the descriptors that it watches, on poll handles."""

from __future__ import annotations

import selectors
from collections.abc import Mapping
from selectors import EVENT_READ, EVENT_WRITE, SelectorKey
from typing import Any

from componentize_py_types import Err
from wit_world.imports.poll import Poll as RawPoll
from wit_world.imports.types import EventKind, EventKind_Poll, PollEvents

from ..descriptor import Descriptor, descriptor_of
from ..error import UVError, call
from ..loop import Loop
from .pump import Pump


class _Watch:
    """A descriptor that is watched: its poll handle, and asyncio's key for it."""

    def __init__(self, loop: Loop, descriptor: Descriptor, key: SelectorKey) -> None:
        self.key = key
        # Holding it keeps it open.
        self.descriptor = descriptor
        self.token = 0
        self._loop = loop
        self._poll: RawPoll | None = None

    def start(self, token: int) -> None:
        """Makes and starts the poll handle."""
        self.token = token
        self._poll = call(RawPoll.create, self._loop._open(), token, self.descriptor._open())
        self.restart()

    def restart(self) -> None:
        """Watches for the events of the key."""
        assert self._poll is not None
        call(self._poll.start, _to_raw(self.key.events))

    def close(self) -> None:
        """Frees the poll handle."""
        self._loop._release_token(self.token)
        if self._poll is not None:
            poll, self._poll = self._poll, None
            poll.__exit__(None, None, None)


class Selector(selectors.BaseSelector):
    """Watches descriptors that the host has granted. `select` runs the uv loop while it waits."""

    def __init__(self, loop: Loop, pump: Pump) -> None:
        self._loop = loop
        self._pump = pump
        self._watches: dict[int, _Watch] = {}
        self._ready: dict[int, int] = {}
        self._map = _Keys(self._watches)

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        """Begins to watch a descriptor."""
        number = _number(fileobj)
        known = self._watches.get(number)
        if known is not None:
            if not known.descriptor.closed:
                raise KeyError(f"{fileobj!r} (FD {number}) is already registered")
            # The number is now another descriptor's.
            self.unregister(number)
        key = SelectorKey(fileobj, number, events, data)
        watch = _Watch(self._loop, descriptor_of(number), key)
        token = self._loop._claim_token(lambda kind: self._polled(watch, kind))
        try:
            watch.start(token)
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
        if watch.descriptor.closed:
            self.unregister(number)
            return self.register(fileobj, events, data)
        before = watch.key
        watch.key = SelectorKey(fileobj, number, events, data)
        if events != before.events:
            watch.restart()
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

    def _polled(self, watch: _Watch, kind: EventKind) -> None:
        assert isinstance(kind, EventKind_Poll)
        number, key = watch.key.fd, watch.key
        self._pump.request_turn()
        if not isinstance(kind.value, Err):
            self._ready[number] = self._ready.get(number, 0) | _from_raw(kind.value.value)
            return
        # The connection was reset, or the descriptor closed: reading or writing shows the error.
        # The host has stopped the handle; a selector goes on reporting.
        self._ready[number] = key.events
        if not watch.descriptor.closed:
            try:
                watch.restart()
            except UVError:
                pass


class _Keys(Mapping[Any, SelectorKey]):
    """The selector's keys by descriptor, or by its number."""

    def __init__(self, watches: dict[int, _Watch]) -> None:
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


def _to_raw(events: int) -> PollEvents:
    raw = PollEvents(0)
    if events & EVENT_READ:
        raw |= PollEvents.READABLE
    if events & EVENT_WRITE:
        raw |= PollEvents.WRITABLE
    return raw


def _from_raw(raw: PollEvents) -> int:
    read = EVENT_READ if PollEvents.READABLE in raw else 0
    write = EVENT_WRITE if PollEvents.WRITABLE in raw else 0
    return int(read | write)
