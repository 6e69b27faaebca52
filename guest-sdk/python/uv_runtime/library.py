"""Python's standard library inside the component.

componentize-py builds a component as a snapshot of an interpreter. It contains the modules that
were imported during the build, but not the files of the standard library. Therefore the build
compiles every library module that works in a sandbox, and keeps the code in memory, compressed. A
finder loads modules from there. Common modules are imported during the build, so that importing
them costs a script nothing.
"""

from __future__ import annotations

import importlib
import importlib.abc
import marshal
import os
import sys
import textwrap
import zlib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType

# Modules that cannot be imported without the absent modules, or on this system.
_BROKEN = frozenset(
    {
        "_pyrepl.fancy_termios",
        "_pyrepl.readline",
        "_pyrepl.simple_interact",
        "_pyrepl.unix_console",
        "_pyrepl.unix_eventqueue",
        "_pyrepl.windows_console",
        "asyncio.tools",
        "asyncio.windows_events",
        "asyncio.windows_utils",
        "concurrent.futures.interpreter",
        "concurrent.futures.process",
        "concurrent.interpreters",
        "encodings.bz2_codec",
        "encodings.mbcs",
        "encodings.oem",
    }
)

# Modules without use in a sandbox (processes, terminals, windows, installing packages), or whose C
# part WASI lacks. Importing one raises ModuleNotFoundError instead of another error later.
# docs/python.md repeats this list.
ABSENT = frozenset(
    {
        "_aix_support",
        "_android_support",
        "_apple_support",
        "_ios_support",
        "_osx_support",
        "antigravity",
        "bz2",
        "compression.bz2",
        "compression.lzma",
        "compression.zstd",
        "ctypes",
        "curses",
        "dbm",
        "ensurepip",
        "idlelib",
        "lzma",
        "multiprocessing",
        "pty",
        "pydoc_data",
        "ssl",
        "tkinter",
        "tty",
        "turtle",
        "turtledemo",
        "venv",
        "webbrowser",
        "site-packages",
        "__phello__",
        "this",
    }
)

# The modules that are imported during the build.
_COMMON = """
    abc argparse array ast asyncio asyncio.staggered base64 binascii bisect calendar cmath codecs collections collections.abc
    configparser contextlib contextvars copy csv dataclasses datetime decimal difflib email.message
    email.parser enum errno fnmatch fractions functools gc getopt gettext glob hashlib heapq hmac
    html http inspect io ipaddress itertools json linecache locale logging logging.handlers marshal
    math numbers operator os os.path pathlib pickle posixpath pprint queue random re reprlib sched
    secrets select selectors shlex shutil signal socket stat statistics string stringprep struct
    tempfile textwrap threading time token tokenize tomllib traceback types typing unicodedata
    unittest unittest.mock urllib.parse uuid warnings weakref xml.etree.ElementTree zlib zoneinfo
    encodings.ascii encodings.idna encodings.latin_1 encodings.utf_16 encodings.utf_8
    encodings.utf_8_sig encodings.unicode_escape encodings.raw_unicode_escape encodings.cp1252
"""


class Library(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules that were compiled during the build."""

    def __init__(self) -> None:
        # By name: the module's file, whether it is a package, and its compressed code.
        self._modules: dict[str, tuple[str, bool, bytes]] = {}

    def add(self, name: str, file: str, is_package: bool) -> None:
        """Compiles a module from its file."""
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec", dont_inherit=True)
        self._modules[name] = file, is_package, zlib.compress(marshal.dumps(code), 9)

    def names(self) -> list[str]:
        """The sorted names of the modules."""
        return sorted(self._modules)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of a module of the library, None for any other module."""
        if fullname not in self._modules:
            return None
        file, is_package, _ = self._modules[fullname]
        spec = ModuleSpec(fullname, self, origin=file, is_package=is_package)
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(file))
        return spec

    def get_code(self, fullname: str) -> CodeType:
        """Returns the module's code."""
        _, _, packed = self._modules[fullname]
        code: CodeType = marshal.loads(zlib.decompress(packed))
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Executes the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)


def build() -> Library:
    """Compiles the standard library. Only works during the build, while its files are there."""
    # os.__file__ does not work: the module is frozen into the interpreter, and its path is not
    # there.
    root = os.path.dirname(textwrap.__file__)
    library = Library()
    left_out = ABSENT | _BROKEN
    for directory, subdirectories, files in os.walk(root):
        package = os.path.relpath(directory, root).replace(os.sep, ".")
        prefix = "" if package == "." else package + "."
        is_part = prefix == "" or "__init__.py" in files
        subdirectories[:] = [
            name
            for name in subdirectories
            if is_part and name.isidentifier() and prefix + name not in left_out
        ]
        if not is_part:
            continue
        for file in files:
            stem, extension = os.path.splitext(file)
            name = package if stem == "__init__" else prefix + stem
            if extension == ".py" and name not in left_out:
                library.add(name, os.path.join(directory, file), stem == "__init__")
    if len(library.names()) < 300:
        raise RuntimeError(f"the standard library is not in {root}")
    for name in _COMMON.split():
        importlib.import_module(name)
    # Before the finder of files: a script's module cannot replace one of the library.
    at = sys.meta_path.index(PathFinder)
    sys.meta_path.insert(at, library)
    return library


def forget_files() -> None:
    """Clears the paths of the build, which are not there when the component runs."""
    sys.path.clear()
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
