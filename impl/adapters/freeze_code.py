"""How code is frozen, and what runs it: functions, cells, generators, coroutines, locks."""

from __future__ import annotations

import gc
import re
import threading
import types
import weakref
from typing import Any, Final

from indelible.impl.adapters.walk import Walk, called
from indelible.model.plain import TYPE, List, Snapshot

__all__ = [
    "freeze_builtin",
    "freeze_cell",
    "freeze_function",
    "freeze_lock",
    "freeze_method",
    "freeze_named",
    "freeze_reentrant_lock",
    "freeze_reference",
    "freeze_suspended",
    "freeze_thread",
    "freeze_weak_values",
]


def freeze_named(_: Walk, value: Any) -> Any:
    """Modules, classes, loggers: known by name, whatever is in them."""
    return Snapshot({TYPE: type(value).__name__, "name": called(value)})


def freeze_function(walk: Walk, value: types.FunctionType) -> Any:
    """Its name, and what it keeps: cells, default arguments and attributes."""
    if not (value.__closure__ or value.__defaults__ or value.__kwdefaults__ or value.__dict__):
        return freeze_named(walk, value)
    return walk.once(value, _function)


def _function(walk: Walk, value: types.FunctionType) -> Any:
    said: dict[str, Any] = {TYPE: "function", "name": called(value)}
    names = value.__code__.co_freevars
    for name, cell in zip(names, value.__closure__ or (), strict=True):
        said[f"({name})"] = walk.at(f".{name}", cell)
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(value, name):
            said[name] = walk.at(f".{name}", getattr(value, name))
    return Snapshot(said | walk.attributes(value))


def freeze_method(walk: Walk, value: Any) -> Any:
    """What it is a method of, and its name."""
    of = walk.at(".__self__", value.__self__)
    return Snapshot({TYPE: "method", "name": value.__name__, "of": of})


def freeze_builtin(walk: Walk, value: Any) -> Any:
    """A function that is written in C, or a method of something."""
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return Snapshot({TYPE: "function", "name": called(value)})
    return freeze_method(walk, value)


def freeze_cell(walk: Walk, value: types.CellType) -> Any:
    """What a closure holds."""
    try:
        return Snapshot({TYPE: "cell", "holds": walk.at("", value.cell_contents)})
    except ValueError:
        return Snapshot({TYPE: "cell"})


_OF_FRAMES: Final = (types.CodeType, types.FrameType)


def freeze_suspended(walk: Walk, value: Any) -> Any:
    """A generator or coroutine: where it stands, its variables, and what it was about to use.

    The last are on the stack of its frame (the iterator of a loop, say) and no attribute shows
    them, but the garbage collector is told of all of them, variables first (CPython).
    """
    walk.suspended = True
    prefix = next(each for each in ("gi", "cr", "ag") if hasattr(value, f"{each}_frame"))
    frame = getattr(value, f"{prefix}_frame")
    said: dict[str, Any] = {TYPE: type(value).__name__, "name": value.__qualname__}
    if frame is None:
        return Snapshot({**said, "at": "finished"})
    if getattr(value, f"{prefix}_running"):
        raise walk.refuse(value, "it is running at this moment")
    said["at"] = frame.f_lasti
    for name in sorted(frame.f_locals):
        said[f"({name})"] = walk.at(f".{name}", frame.f_locals[name])
    held = [each for each in gc.get_referents(value) if not isinstance(each, _OF_FRAMES)]
    said["(held)"] = List(walk.parts(held))
    return Snapshot(said)


def freeze_lock(_: Walk, value: Any) -> Any:
    """Whether it is held."""
    return Snapshot({TYPE: "Lock", "locked": value.locked()})


def freeze_reentrant_lock(_: Walk, value: Any) -> Any:
    """How often it is held, which only its text tells."""
    count = re.search(r"count=(\d+)", repr(value))
    assert count is not None
    return Snapshot({TYPE: "RLock", "count": int(count[1])})


def freeze_thread(walk: Walk, value: threading.Thread) -> Any:
    """Never."""
    raise walk.refuse(value, "a thread runs on its own, and nobody can tell where it is")


def freeze_weak_values(walk: Walk, value: weakref.WeakValueDictionary[Any, Any]) -> Any:
    """Never."""
    raise walk.refuse(value, "what is in it goes whenever nobody else refers to it any more")


def freeze_reference(walk: Walk, value: weakref.ref[Any]) -> Any:
    """What it refers to, as long as that lives."""
    return Snapshot({TYPE: "weakref", "to": walk.at("()", value())})
