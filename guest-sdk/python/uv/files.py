"""Errors of files that are not granted: their text names the option of uv-run that grants them."""

from __future__ import annotations

import builtins
import errno
import io
import os
import shlex
from collections.abc import Callable
from types import TracebackType
from typing import Any

_LISTING = ("listdir", "scandir")
_WRITING = ("mkdir", "remove", "rename", "replace", "rmdir", "unlink")
_ANY_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def make_default() -> None:
    """Wraps ``open`` and the functions of ``os`` that take the paths of files."""
    builtins.open = io.open = _Explained(io.open, _writes_by_mode)
    os.open = _Explained(os.open, _writes_by_flags)
    for name in _LISTING:
        setattr(os, name, _Explained(getattr(os, name), lambda _: False, lists=True))
    for name in _WRITING:
        setattr(os, name, _Explained(getattr(os, name), lambda _: True))


def without_wrappers(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without a last frame that is one of this module."""
    if trace is None or trace.tb_frame.f_globals is globals():
        return None
    last = trace
    while last.tb_next is not None:
        if last.tb_next.tb_frame.f_globals is globals():
            last.tb_next = None
            break
        last = last.tb_next
    return trace


class _Explained:
    """A function whose errors tell how a path is granted.

    It is no function of Python, so that it does not become a method as an attribute of a class.
    """

    def __init__(
        self, function: Callable[..., Any], writes: Callable[[Any], bool], lists: bool = False
    ) -> None:
        self.__wrapped__ = function
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        # Whether the second argument, if any, is that of a call that writes.
        self._writes = writes
        # Whether the path is that of a directory.
        self._lists = lists

    def __call__(self, *args: Any, **options: Any) -> Any:
        try:
            return self.__wrapped__(*args, **options)
        except OSError as error:
            how = args[1] if len(args) > 1 else options.get("mode", options.get("flags"))
            _explain(error, self._writes(how), self._lists)
            raise

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _writes_by_mode(mode: Any) -> bool:
    return isinstance(mode, str) and any(letter in mode for letter in "wax+")


def _writes_by_flags(flags: Any) -> bool:
    return isinstance(flags, int) and bool(flags & _ANY_WRITE)


def _explain(error: OSError, writes: bool, lists: bool) -> None:
    """Extends the error's text, if the reason is that something is not granted."""
    paths = [path for path in (error.filename, error.filename2) if isinstance(path, str)]
    if error.errno == errno.ENOENT:
        path = next((path for path in paths if not _is_granted(path)), None)
        reason = ", or not granted"
    elif error.errno == errno.EPERM and writes:
        path = paths[0] if paths else None
        reason = ", not granted for writing"
    else:
        return
    if path is not None:
        error.strerror = f"{error.strerror}{reason} (uv-run {_option(path, writes, lists)})"


def _is_granted(path: str) -> bool:
    """Whether a granted directory contains this path. The directories above granted ones do not
    exist."""
    path = os.path.normpath(path)
    if not os.path.isabs(path) and not path.startswith(".."):
        return os.path.exists(".")
    directory = os.path.dirname(os.path.join(os.getcwd(), path))
    above = os.path.dirname(directory)
    # A relative name of a granted directory is that of the root too: `/` alone tells nothing.
    while above != directory and above != os.path.dirname(above):
        if os.path.exists(directory):
            return True
        directory, above = above, os.path.dirname(above)
    return os.path.exists(directory)


def _option(path: str, writes: bool, lists: bool) -> str:
    """The option that grants a directory, or that of a file."""
    option = "--dir" if writes else "--dir-ro"
    normal = os.path.normpath(path)
    if not os.path.isabs(normal):
        # Relative paths begin in the first directory that is granted.
        return option if normal.startswith("..") else f"{option} ."
    directory = normal if lists else os.path.dirname(normal)
    return option if directory == "/" else f"{option} {shlex.quote(directory)}"
