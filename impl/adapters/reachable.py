"""Reachable: what code could still come by, from the things that it holds.

Followed are the references that the garbage collector knows of (CPython): containers, attributes,
closures, variables of suspended coroutines. Not followed are those by which no program comes by a
thing of its own: the modules and classes of what it holds, and where an exception was raised. A
weak reference holds nothing.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Collection, Iterable
from typing import Any, Final

__all__ = ["unreachable"]

_AT_ONCE: Final = (
    *(type, types.ModuleType, types.CodeType, types.FrameType),
    *(str, bytes, int, float, type(None)),
)
"""What is not followed."""

_FRAMES: Final = {
    types.CoroutineType: "cr_frame",
    types.GeneratorType: "gi_frame",
    types.AsyncGeneratorType: "ag_frame",
}


def unreachable(
    wanted: Iterable[Any], held: Iterable[object], beyond: Collection[object] = ()
) -> list[Any]:
    """Those of ``wanted`` to which nothing leads from what is ``held``; nothing leads through what
    is ``beyond``."""
    missing = {id(each): each for each in wanted}
    met = set(map(id, beyond))
    waiting = list(held)
    while waiting and missing:
        value = waiting.pop()
        if id(value) in met or isinstance(value, _AT_ONCE):
            continue
        met.add(id(value))
        missing.pop(id(value), None)
        waiting += _referents(value)
    return list(missing.values())


def _referents(value: Any) -> list[Any]:
    kind = type(value)
    if kind in _FRAMES:
        frame = getattr(value, _FRAMES[kind])
        # If somebody asked for the variables before, they are remembered as they were then, until
        # they are asked for again (before Python 3.13).
        _ = frame and frame.f_locals
    if kind is types.FunctionType:
        return [value.__closure__, value.__defaults__, value.__kwdefaults__, value.__dict__]
    return gc.get_referents(value)
