"""Standard input the usual way: ``sys.stdin`` and ``input()`` read the descriptor ``stdin``.

Without that descriptor they read the standard input that the embedder has granted with WASI.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from . import _blocking
from .descriptor import Descriptor, open, opened
from .error import UVError
from .poll import PollEvent
from .status import StatusCode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NAME = "stdin"


class StandardInput(io.RawIOBase):
    """Reads the descriptor ``stdin``, which it opens for each read only, unless the script has it
    open. If the host does not grant it, it reads WASI's standard input."""

    mode = "rb"
    name = "<stdin>"

    def readable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """That of every standard input."""
        return 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Waits for bytes and reads them."""
        own = opened(_NAME)
        if own is not None:
            return _read(own, buffer)
        try:
            descriptor = open(_NAME)
        except UVError as error:
            if error.code != StatusCode.ENOENT:
                raise
            return os.readinto(self.fileno(), buffer)
        with descriptor:
            return _read(descriptor, buffer)


def _read(descriptor: Descriptor, buffer: WriteableBuffer) -> int:
    while True:
        try:
            return descriptor.recv_into(memoryview(buffer))
        except BlockingIOError:
            pass
        # Outside of the block, so that EAGAIN is not the context of a KeyboardInterrupt.
        _blocking.wait(descriptor, PollEvent.READABLE, None)


def make_default() -> None:
    """Replaces ``sys.stdin``, which would read WASI's standard input only."""
    buffer = io.BufferedReader(StandardInput())
    sys.stdin = io.TextIOWrapper(buffer, encoding="utf-8", errors="strict")
    sys.__stdin__ = sys.stdin  # type: ignore[misc]
