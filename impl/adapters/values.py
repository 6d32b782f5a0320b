"""Values of foreign code on their way through the world: frozen when sent, thawed when delivered.

What cannot be changed goes as it is. Of what can, a copy is made at once, and whoever receives it
is given a copy of its own, of the very class that was sent.
"""

from __future__ import annotations

import pickle
from collections.abc import Hashable
from typing import Any

from indelible.impl.adapters.freeze import freeze
from indelible.model.errors import ImplementationError
from indelible.model.plain import Fields, List, Set, Snapshot

__all__ = ["thawed", "value_of"]


def value_of(value: Any) -> Hashable:
    """The value itself if nobody can change it, else what it is at this moment.

    Raises ``ImplementationError`` for what cannot be copied.
    """
    frozen = freeze(value)
    if frozen is value:
        return frozen
    try:
        copy = pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        content = freeze(copy, reorder=True)
        origin = pickle.dumps(copy, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise ImplementationError(
            f"{value!r} cannot be copied: {error}",
            cause="a message, command, value or storage holds something of this process",
            remedy="send plain data",
        ) from error
    return Snapshot(content if isinstance(content, Fields) else {"value": content}, origin)


def thawed(value: Any) -> Any:
    """What foreign code is given for a value: its own kind of thing, and a copy of its own."""
    if isinstance(value, Snapshot):
        return value if value.origin is None else pickle.loads(value.origin)
    if isinstance(value, Fields):
        return {key: thawed(part) for key, part in value.items()}
    if isinstance(value, List):
        return list(map(thawed, value))
    if isinstance(value, Set):
        return set(map(thawed, value))
    if type(value) is tuple:
        return tuple(map(thawed, value))
    return value
