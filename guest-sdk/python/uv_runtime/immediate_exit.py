"""``os._exit`` in the sandbox: ends the script at once, with its exit code.

WASI knows success and failure as exit codes, and no other. Therefore `os._exit` raises an exception
that the runtime turns into the code. Nothing else may run then, neither ``finally`` blocks nor
``except BaseException``: a monitor of Python's instructions raises the exception again, before each
instruction, in all code but the runtime's.
"""

from __future__ import annotations

import operator
import os
import sys
from types import CodeType
from typing import NoReturn

# A tool's number that neither debuggers, coverage nor profilers use.
_TOOL = 4


class ImmediateExit(BaseException):
    """The script has called ``os._exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def install(catcher: str) -> None:
    """Replaces ``os._exit``. Code of the file ``catcher`` may catch the exception."""

    def exit(status: int) -> NoReturn:
        """Exits without cleaning up: no ``finally`` block is executed, no buffer is written."""
        code = operator.index(status) & 0xFF

        def raise_again(executed: CodeType, offset: int) -> None:
            if executed.co_filename not in (catcher, __file__):
                raise ImmediateExit(code)

        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "os._exit")
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, raise_again)
        monitoring.set_events(_TOOL, monitoring.events.INSTRUCTION)
        raise ImmediateExit(code)

    os._exit = exit


def stop() -> None:
    """Lets code run again."""
    sys.monitoring.set_events(_TOOL, 0)
    sys.monitoring.free_tool_id(_TOOL)
