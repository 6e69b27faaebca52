"""Waking another guest, where the host has connected the two."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from wit_world.imports.async_sender import AsyncSender as RawSender

from .error import UVError, call, call_by_name
from .status import StatusCode


class AsyncSender:
    """The sending end of another guest's named async handle.

    - ``name``: the name under which the host has connected the two.

    Raises `UVError`: ENOENT if there is no such connection, EBUSY while it is open already.
    ``TypeError`` if the name is not a str.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name must be a str, not {type(name).__name__}")
        self._raw: RawSender | None = call_by_name(
            f"the host has connected no async sender under the name {name!r}", RawSender.open, name
        )

    def send(self) -> None:
        """Requests the callback of the other guest's handle. Does not wait for it.

        Raises `UVError`: ENOTCONN if the other guest has not made the handle yet, EPIPE if it has
        closed the handle or is gone, EBADF if the sender is closed.
        """
        call(self._open().send)

    def send_message(self, message: bytes) -> None:
        """Puts a message into the handle's mailbox, and sends the handle.

        Raises `UVError`: EAGAIN if the mailbox is full for now, EMSGSIZE if the message is larger
        than the mailbox; and the errors of `send`.
        """
        call(self._open().send_message, bytes(message))

    def close(self) -> None:
        """Closes the sender. Closing a closed sender does nothing."""
        if self._raw is not None:
            raw, self._raw = self._raw, None
            raw.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> RawSender:
        if self._raw is None:
            raise UVError(StatusCode.EBADF)
        return self._raw
