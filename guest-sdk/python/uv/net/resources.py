"""Resources of the host that depend on each other.

WASI ends a guest that drops a resource before the resources that were made of it: a socket before
its streams, a stream before its pollables. Python's garbage collector knows no such order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class Resources:
    """Resources, of which each may depend on those that were added before it."""

    def __init__(self) -> None:
        self._all: list[Any] = []
        # Poll handles on pollables of these resources, which have to be closed first.
        self._watches: dict[int, Callable[[], object]] = {}
        self._next_watch = 0

    def add(self, resource: _T) -> _T:
        """Adds a resource, and returns it."""
        self._all.append(resource)
        return resource

    def drop(self, resource: Any) -> None:
        """Drops a resource now."""
        self._all.remove(resource)
        resource.__exit__(None, None, None)

    def give_away(self, resource: Any) -> None:
        """Forgets a resource that the host has taken."""
        self._all.remove(resource)

    def watch(self, close: Callable[[], object]) -> int:
        """Adds a poll handle. ``close`` closes it."""
        self._next_watch += 1
        self._watches[self._next_watch] = close
        return self._next_watch

    def unwatch(self, number: int) -> None:
        """Forgets a poll handle that has been closed."""
        self._watches.pop(number, None)

    @property
    def is_watched(self) -> bool:
        """Whether there are poll handles."""
        return bool(self._watches)

    def close_watches(self) -> None:
        """Closes the poll handles."""
        while self._watches:
            _, close = self._watches.popitem()
            close()

    def close(self) -> None:
        """Drops them all, the last one first."""
        self.close_watches()
        while self._all:
            self._all.pop().__exit__(None, None, None)
