"""How objects are frozen: by their attributes, or by what they themselves say they are made of."""

from __future__ import annotations

import hashlib
import random
from typing import Any, Final

from indelible.impl.adapters.blanks import BLANKS
from indelible.impl.adapters.walk import Walk, described, name_of
from indelible.model.plain import TYPE, Snapshot

__all__ = [
    "freeze_constant",
    "freeze_exception",
    "freeze_object",
    "freeze_random",
    "freeze_reduced",
]

_TEXT: Final = frozenset({str})


def freeze_constant(_: Walk, value: Any) -> Any:
    """Itself: nobody can change it."""
    return value


def freeze_object(walk: Walk, value: Any) -> Any:
    """An instance of a class that is written in Python: its attributes, or its name if there are
    none."""
    said = walk.attributes(value)
    if not said and (name := BLANKS.name_of(value)):
        return Snapshot({TYPE: name_of(type(value)), "(name)": name})
    if TYPE in said or not _TEXT.issuperset(map(type, said)):
        return Snapshot(described(type(value), said))
    return Snapshot.in_order({TYPE: name_of(type(value)), **said})


def freeze_exception(walk: Walk, value: BaseException) -> Any:
    """Its arguments and attributes; where it was raised decides nothing."""
    arguments = walk.at(".args", value.args)
    return Snapshot({**described(type(value), walk.attributes(value)), "(args)": arguments})


def freeze_reduced(walk: Walk, value: Any) -> Any:
    """What is written in C says itself what it is made of, or it cannot be told."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise walk.refuse(value, f"it does not say what it is made of: {error}") from error
    if isinstance(reduced, str):
        return Snapshot({TYPE: name_of(type(value)), "(name)": reduced})
    walk.suspended = walk.suspended or hasattr(type(value), "__next__")
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    said = {
        "(arguments)": arguments,
        "(state)": state,
        "(items)": None if items is None else list(items),
        "(pairs)": None if pairs is None else list(pairs),
    }
    walk.alive.append(said)
    kept = {name: walk.at(name, part) for name, part in said.items() if part is not None}
    return Snapshot({TYPE: name_of(type(value)), **kept})


def freeze_random(_: Walk, value: random.Random) -> Any:
    """The digest of its 625 numbers, which nobody reads."""
    digest = hashlib.sha256(repr(value.getstate()).encode()).hexdigest()
    return Snapshot({TYPE: name_of(type(value)), "state": digest})
