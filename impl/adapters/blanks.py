"""Blanks: objects of which there is nothing to tell but which one they are.

``MISSING = object()``, or an instance without attributes. Where a module keeps one, code compares
with it by ``is``; so it is told by its name, and every copy of a node has the very same. What a
node makes itself has no name. One table for the process, as modules are.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from indelible.impl.adapters.walk import is_made_of_attributes, own_dict, slots_of

__all__ = ["BLANKS", "Blanks", "is_blank", "is_named"]


class Blanks:
    """The blanks that are kept in modules. ``by_kind`` has them by type and address."""

    def __init__(self) -> None:
        self.by_kind: dict[type, dict[int, Any]] = {}
        self._names: dict[int, str] = {}
        self._modules = 0

    def name_of(self, value: Any) -> str | None:
        """What keeps a blank, or ``None`` if no module does."""
        self._look(value)
        return self._names.get(id(value))

    def learn(self, values: Iterable[tuple[str, Any]]) -> None:
        """Those of the values that are blanks, each with the name from which it is reached."""
        used: Counter[str] = Counter()
        for name, value in values:
            if is_blank(value):
                self._look(value)
                used[name] += 1
                number = f" ({used[name]})" if used[name] > 1 else ""
                self._names.setdefault(id(value), name + number)
                self.by_kind.setdefault(type(value), {})[id(value)] = value

    def _look(self, value: Any) -> None:
        """Look for it in all modules: those of Python's own have such things as well."""
        if id(value) in self._names or len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        for title, module in sorted(sys.modules.items()):
            names = own_dict(module) or {}
            self.learn((f"{title}.{name}", each) for name, each in list(names.items()))


BLANKS: Final = Blanks()


def is_blank(value: Any) -> bool:
    """Whether it has nothing that could be told."""
    kind: Any = type(value)
    if not _is_made_of_attributes(kind) or own_dict(value):
        return False
    return not any(_is_filled(slot, value) for _, slot in slots_of(kind))


_is_made_of_attributes: Final = cache(is_made_of_attributes)


def _is_filled(slot: Any, value: Any) -> bool:
    try:
        slot.__get__(value)
    except AttributeError:
        return False
    return True


def is_named(value: Any) -> bool:
    """Whether it says itself that it is known by its name, so that no copy of it is ever made."""
    try:
        return isinstance(value.__reduce_ex__(4), str)
    except Exception:
        return False
