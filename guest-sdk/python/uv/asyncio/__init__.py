"""asyncio on the loop of this package.

`EventLoop` is asyncio's loop in the sandbox. A file per concept: `pump` runs the uv loop while
asyncio waits, `selector` watches descriptors, `signals` and `pipes` are what their names say.
"""

from .executor import InlineExecutor
from .loop import EventLoop
from .default import make_default

__all__ = ["EventLoop", "InlineExecutor", "make_default"]
