"""Vacuum Pressure: where liquidity is built and where it is drained around the price.

What `__all__` names is for others to build on (docs/python.md). Each is imported when it is first asked for, so that
`import vp` itself loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vp import query
    from vp.lake.lake import Lake
    from vp.model.book import Book
    from vp.model.engine import EventDrivenVPEngine
    from vp.model.parameters import ModelParameters

__all__ = ["Book", "EventDrivenVPEngine", "Lake", "ModelParameters", "__version__", "query"]
__version__ = "0.1.0"

_HOMES = {
    "Book": "vp.model.book",
    "EventDrivenVPEngine": "vp.model.engine",
    "Lake": "vp.lake.lake",
    "ModelParameters": "vp.model.parameters",
    "query": "vp.query",
}


if not TYPE_CHECKING:  # to a type checker, every other name is a mistake

    def __getattr__(name: str) -> Any:
        """Import what is asked for; an AttributeError leaves every other name to Python."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(home)
        return module if home == f"{__name__}.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    """Everything that can be asked for, imported or not."""
    return sorted({*globals(), *__all__})
