"""Paths within the state of a program: what is at one. How they are written is the matter of
``indelible.impl.adapters.walk`` and of the plans in ``freeze_*.py``."""

from __future__ import annotations

import re
from typing import Any, Final

from indelible.model.plain import Fields

__all__ = ["at"]

_STEP: Final = re.compile(r"\.(\w+)|\['([^']*)'\]|\[(\d+)\]|(\(\w*\))")
_STEPS: Final = re.compile(f"(?:{_STEP.pattern})*")
_CALLED: Final = {"__self__": "of", "()": "to"}
"""What parts of methods and weak references are called where they are told."""
_ITEMS: Final = "(items)"


def at(path: str, state: Fields) -> Any:
    """What is at a path, or ``None`` if that is not made of plain steps."""
    name = max((name for name in state if path.startswith(name)), key=len, default="")
    found: Any = state.get(name) if _STEPS.fullmatch(path[len(name) :]) else None
    for attribute, key, index, special in _STEP.findall(path[len(name) :]):
        if index and isinstance(found, Fields):
            found = found.get(_ITEMS)
        if index and isinstance(found, tuple):
            found = found[int(index)] if int(index) < len(found) else None
        elif isinstance(found, Fields):
            step = attribute or key or special
            found = found.get(step, found.get(_CALLED.get(step, step)))
    return found
