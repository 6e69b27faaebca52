"""Runs a script as ``python script.py`` does, as far as a sandbox allows."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import io
import json
import linecache
import os
import random
import runpy
import sys
import tokenize
import traceback
from collections.abc import Sequence
from types import ModuleType, TracebackType

from uv.files import without_wrappers
from uv.loop import Loop
from uv.net.tcp import finish_sending
from uv.signal_handlers import ignore_inherited

from wit_world.imports import environment

from . import immediate_exit
from .immediate_exit import ImmediateExit

_LINGER = 5.0
"""Seconds for which the end of a script waits until the peers of closed connections have taken all
that was sent. With real sockets the OS would go on."""

_MODULE = "-m"
"""The name of a script whose text is the name of a module to run."""

_WITHOUT_FILE = {"-c": "<string>", "-": "<stdin>", _MODULE: _MODULE}
"""The names of scripts that have no file, and those of their code in tracebacks."""

_INTERRUPTED = 130
"""The exit code of a program that Ctrl+C has ended: 128 and the signal's number."""


def run(name: str, source: bytes, args: Sequence[str], path: Sequence[str]) -> int:
    """Runs a script to its end and returns its exit code."""
    try:
        return _run(name, source, args, path)
    except ImmediateExit as exit:
        immediate_exit.stop()
        return exit.code


def call(name: str, source: bytes, path: Sequence[str], function: str, arguments: str) -> str:
    """Runs a script, calls one of its functions, and returns the result as JSON."""
    try:
        main = _main(name, [], path, "__script__")
        _execute(name, source, main)
        called = getattr(main, function)
        result = called(*json.loads(arguments))
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        return json.dumps(result)
    except ImmediateExit as exit:
        immediate_exit.stop()
        raise SystemExit(exit.code) from None
    finally:
        finish_sending(_LINGER)
        _flush()


def described(error: BaseException) -> tuple[str, str, str]:
    """The name of an exception's class, its text, and its traceback."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__script__"):
        name = f"{kind.__module__}.{name}"
    trace = _of_the_script(error.__traceback__)
    lines = traceback.format_exception(kind, error, trace)
    return name, str(error), "".join(lines)


def _run(name: str, source: bytes, args: Sequence[str], path: Sequence[str]) -> int:
    main = _main(name, args, path, "__main__")

    def execute() -> None:
        _execute(name, source, main)
        _warn_of_idle_loops()

    code = _guarded(execute)
    if code == 0 and Loop._has_failed:
        # The default excepthook has printed an exception of a callback.
        code = 1
    # The functions of atexit drop all resources of the host.
    finish_sending(_LINGER)
    at_exit = _guarded(atexit._run_exitfuncs)
    flushed = _flush()
    return code or at_exit or flushed


def _main(name: str, args: Sequence[str], path: Sequence[str], module: str) -> ModuleType:
    """Makes the module that a script is executed in."""
    _prepare()
    sys.argv = [name, *args]
    sys.path[:] = path
    main = ModuleType(module)
    if name not in _WITHOUT_FILE:
        main.__file__ = _file(name, path)
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = sys.modules[module] = main
    return main


def _file(name: str, path: Sequence[str]) -> str:
    """The script's file with its directory, as Python has it. A name that is relative is so to a
    directory of the host's."""
    if os.path.isabs(name) or not path:
        return name
    file = os.path.join(path[0], os.path.basename(name))
    return file if os.path.isfile(file) else name


def _execute(name: str, source: bytes, main: ModuleType) -> None:
    if name == _MODULE:
        # It begins the message for a module that is not there.
        sys.executable = sys.executable or "uv-run"
        runpy._run_module_as_main(source.decode())  # type: ignore[attr-defined]
        return
    name = _WITHOUT_FILE.get(name, name)
    _remember_lines(name, source)
    exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)


def _warn_of_idle_loops() -> None:
    """Reports active handles of loops that the script has not run."""
    for loop in Loop._in_use:
        active = [handle for handle in loop.handles if handle.active and handle.referenced]
        if active and not loop._has_run:
            kinds = ", ".join(sorted({type(handle).__name__ for handle in active}))
            count = "a handle is" if len(active) == 1 else f"{len(active)} handles are"
            print(
                f"uv: {count} active ({kinds}) on a loop that was not run: "
                "a script calls uv.Loop.get_current().run()",
                file=sys.stderr,
            )


def _guarded(function: object) -> int:
    """Calls a function of the script and returns the resulting exit code."""
    assert callable(function)
    try:
        function()
    except SystemExit as exit:
        return _exit_code(exit.code)
    except ImmediateExit:
        raise
    except BaseException as error:
        trace = without_wrappers(_of_the_script(error.__traceback__))
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(code: object) -> int:
    """The exit code of ``sys.exit(code)``: 0 for None, a number for itself, 1 for anything else,
    which is printed."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _prepare() -> None:
    """Replaces state of the build that must differ from run to run."""
    immediate_exit.install(__file__)
    # All instances of a snapshot would share its seed.
    random.seed()
    os.reload_environ()
    ignore_inherited()
    directory = environment.initial_cwd()
    if directory is not None:
        os.chdir(directory)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Line buffering shows each line at once, and loses none when the host ends the guest.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _remember_lines(name: str, source: bytes) -> None:
    """Stores the script's lines for tracebacks, because its file may be unreachable."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = io.StringIO(source.decode(encoding), newline=None).read()
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return  # Compiling the script reports the error.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def _of_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the first frames, which are this package's."""
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    return trace


def _flush() -> int:
    """Flushes Python's output buffers. Returns 1 if that fails: 120, the code that Python uses,
    could be the script's."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        traceback.print_exc()
        return 1
    return 0
