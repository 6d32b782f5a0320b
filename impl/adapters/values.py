"""Values of foreign code on their way through the world: frozen when sent, thawed when delivered.

What cannot be changed goes as it is. Of what can, a copy is made at once, and whoever receives it
is given a copy of its own, of the very class that was sent.
"""

from __future__ import annotations

import pickle
from itertools import chain
from typing import Any, Final

from indelible.impl.adapters.freeze import CONSTANTS, freeze, freeze_whole, is_frozen_dataclass
from indelible.impl.adapters.walk import is_called_deeply
from indelible.model.errors import ImplementationError
from indelible.model.plain import Fields, List, Set, Snapshot

__all__ = ["MEMO_MAX", "ballot_of", "copied", "thawed", "value_of"]

MEMO_MAX: Final = 1 << 16
"""How many values are remembered by their bytes, so that they are not frozen again."""

_MEMO: Final[dict[bytes, Any]] = {}
_MEMO_OF_ORDERED: Final[dict[bytes, Any]] = {}


def value_of(value: Any, *, ordered: bool = False) -> Any:
    """The value itself if nobody can change it, else what it is at this moment; with the order of
    its dicts if it is to be ``ordered``.

    Raises ``ImplementationError`` for what can be changed and cannot be copied.
    """
    if type(value) in CONSTANTS:
        return value
    try:
        return _copy_of(value, ordered)
    except ImplementationError:
        raise
    except Exception as error:
        if isinstance(error, RecursionError) and is_called_deeply():
            raise  # It is the code on trial that calls itself.
        frozen = freeze(value)
        if frozen is value:
            return value
        raise ImplementationError(
            f"{value!r} cannot be copied: {error}",
            cause="a message, command, value or storage holds something of this process",
            remedy="send plain data",
        ) from error


def _copy_of(value: Any, ordered: bool) -> Any:
    data = copied(value)
    memo = _MEMO_OF_ORDERED if ordered else _MEMO
    known = memo.get(data)
    if known is None:
        if len(memo) >= MEMO_MAX:
            memo.clear()
        known = memo[data] = _value(value, ordered)
    return known


def ballot_of(value: Any) -> Any:
    """The same for a ballot, of which its class says what it equals and what it comes before: that
    a frozen dataclass has more to tell makes no other value of it. Raises as ``value_of`` does."""
    if type(value) in CONSTANTS:
        return value
    changeable = (type(part) for _, part in freeze_whole(value).parts.values())
    return value if all(map(is_frozen_dataclass, changeable)) else value_of(value)


def _value(value: Any, ordered: bool) -> Any:
    if freeze(value) is value:
        return value
    copy = pickle.loads(copied(value))  # The value itself may be walked by its owner right now.
    content = freeze(copy, reorder=True, tell=ordered)
    flat = type(copy) is dict and CONSTANTS.issuperset(map(type, chain(copy, copy.values())))
    origin = copy if flat else copied(copy)
    return Snapshot(content if isinstance(content, Fields) else {"value": content}, origin)


def copied(value: Any) -> bytes:
    """A deep copy as bytes. Raises what pickle raises for what cannot be copied so."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def thawed(value: Any) -> Any:
    """What foreign code is given for a value: its own kind of thing, and a copy of its own."""
    if isinstance(value, Snapshot):
        origin = value.origin
        if type(origin) is dict:
            return origin.copy()  # Of constants: that is all there is to copy.
        return value if origin is None else pickle.loads(origin)
    if isinstance(value, Fields):
        return {key: thawed(part) for key, part in value.items()}
    if isinstance(value, List):
        return list(map(thawed, value))
    if isinstance(value, Set):
        return set(map(thawed, value))
    if type(value) is tuple:
        return tuple(map(thawed, value))
    return value
