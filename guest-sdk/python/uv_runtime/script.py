"""Running a script: what ``python script.py`` does, as far as it can be done in a sandbox."""

from __future__ import annotations

import atexit
import io
import linecache
import os
import random
import sys
import tokenize
import traceback
from collections.abc import Sequence
from types import ModuleType, TracebackType

from uv.loop import Loop


def run(name: str, source: bytes, args: Sequence[str], path: Sequence[str]) -> int:
    """Runs a script to its end. Returns its exit code."""
    _prepare()
    sys.argv = [name, *args]
    sys.path[:] = path
    main = ModuleType("__main__")
    main.__file__ = name
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]  # As every module that is executed has.
    sys.modules["__main__"] = main
    code = _guarded(lambda: _execute(name, source, main))
    if code == 0 and Loop._has_failed:
        # A callback has raised, the loop has printed it, and the script has come to its end.
        code = 1
    at_exit = _guarded(atexit._run_exitfuncs)
    flushed = _flush()
    return code or at_exit or flushed


def _execute(name: str, source: bytes, main: ModuleType) -> None:
    _remember_lines(name, source)
    exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)


def _guarded(function: object) -> int:
    """Calls a function of the script's. Returns the exit code that it leads to."""
    assert callable(function)
    try:
        function()
    except SystemExit as exit:
        return _exit_code(exit.code)
    except BaseException as error:
        trace = _of_the_script(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def _exit_code(code: object) -> int:
    """What ``sys.exit(code)`` means: nothing is success, a number is itself, all else is printed."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _prepare() -> None:
    """Makes anew what belongs to a run and was made when the component was built."""
    # The seed of a snapshot is everybody's.
    random.seed()
    os.reload_environ()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # By lines: whoever reads sees them at once, and a guest that is ended has printed them.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _remember_lines(name: str, source: bytes) -> None:
    """Lets tracebacks show the script's lines: its file may be out of reach in the sandbox."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = io.StringIO(source.decode(encoding), newline=None).read()
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return  # Compiling it tells why.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def _of_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this file."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


def _flush() -> int:
    """Writes out what is still in Python's buffers. Returns 1 if that fails, as Python's own 120 would not
    be told from the script's."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        traceback.print_exc()
        return 1
    return 0
