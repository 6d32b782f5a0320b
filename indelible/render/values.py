"""Values as people read them, and what differs between two. Knows no protocol, and no report.

Everything is text, and a pure function of what the values say: no address, no order of a set and
no hash seed ever shows. A value that has its own ``__str__`` is shown by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from indelible.model.canonical import canonical
from indelible.model.plain import TYPE, Fields, List

__all__ = ["Change", "changes", "parts_of", "text_of"]


def text_of(value: object) -> str:
    """The value in one line: ``Name(field=value)``, sets and mappings sorted."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if _has_own_text(value):
        return _own_text(value)
    named = _named_parts(value)
    if named is not None:
        kind = value.kind if isinstance(value, Fields) else type(value).__name__
        inner = ", ".join(f"{name}={text_of(part)}" for name, part in named)
        return f"{kind}({inner})" if inner else str(kind)
    if isinstance(value, Mapping):
        pairs = (f"{text_of(key)}: {text_of(value[key])}" for key in canonical(value))
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, AbstractSet):
        return "{" + ", ".join(text_of(part) for part in canonical(value)) + "}"
    if isinstance(value, list | List):
        return "[" + ", ".join(text_of(part) for part in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(text_of(part) for part in value) + ")"
    return _one_line(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value)))


def parts_of(value: object) -> tuple[tuple[str, str], ...]:
    """The value part by part, as (name, text); one part without a name if it has none."""
    if not _has_own_text(value):
        named = _named_parts(value)
        if named:
            return tuple((name, text_of(part)) for name, part in named)
        if isinstance(value, Mapping) and value:
            return tuple((_place_of(value, key), text_of(value[key])) for key in canonical(value))
    return (("", text_of(value)),)


class Change(NamedTuple):
    """One part that differs: ``old`` is ``None`` where it was added, ``new`` where removed."""

    path: str
    old: str | None
    new: str | None

    def text(self, whole: str) -> str:
        """The change in one line; ``whole`` names the value that the path begins in."""
        what = self.path if self.path[:1] not in ("", "[") else whole + self.path
        if self.old is None:
            return f"{what}: added {self.new}"
        if self.new is None:
            return f"{what}: removed {self.old}"
        return f"{what}: {self.old} → {self.new}"


def changes(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The smallest parts in which two values differ, in the order of the fields."""
    if type(before) is type(after):
        if before == after:
            return
        inner = tuple(_inner_changes(before, after, path))
        if inner:
            yield from inner
            return
    yield Change(path, text_of(before), text_of(after))


def _inner_changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if _has_own_text(before):
        return
    named = None if isinstance(before, Fields) else _named_parts(before)
    if named is not None:
        for name, part in named:
            yield from changes(part, getattr(after, name), f"{path}.{name}" if path else name)
    elif isinstance(before, Mapping):
        for key in canonical(before.keys() | after.keys()):
            place = _place(before, key, path)
            if key not in after:
                yield Change(place, text_of(before[key]), None)
            elif key not in before:
                yield Change(place, None, text_of(after[key]))
            else:
                yield from changes(before[key], after[key], place)
    elif isinstance(before, AbstractSet):
        yield from _items_changed(canonical(before - after), canonical(after - before), path)
    elif isinstance(before, tuple | list):
        if len(before) == len(after):
            for index, (part, other) in enumerate(zip(before, after, strict=True)):
                yield from changes(part, other, f"{path}[{index}]")
        else:
            yield from _items_changed(_without(before, after), _without(after, before), path)


def _place_of(mapping: Mapping[Any, Any], key: object) -> str:
    """As ``changes`` calls it: a name is no text in quotes."""
    return _place(mapping, key, "") if isinstance(mapping, Fields) else text_of(key)


def _place(mapping: Mapping[Any, Any], key: object, path: str) -> str:
    if isinstance(mapping, Fields) and isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    if _has_own_text(key) and not path and isinstance(mapping, Fields):
        return text_of(key)
    return f"{path}[{text_of(key)}]"


def _items_changed(removed: Sequence[Any], added: Sequence[Any], path: str) -> Iterator[Change]:
    yield from (Change(path, text_of(item), None) for item in removed)
    yield from (Change(path, None, text_of(item)) for item in added)


def _without(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The items that are not among the others, counted as often as they occur."""
    others_left = list(others)
    left: list[Any] = []
    for item in items:
        if item in others_left:
            others_left.remove(item)
        else:
            left.append(item)
    return left


def _named_parts(value: object) -> list[tuple[str, Any]] | None:
    if is_dataclass(value) and not isinstance(value, type):
        return [(part.name, getattr(value, part.name)) for part in fields(value) if part.repr]
    if isinstance(value, Fields) and value.kind is not None:
        return [(_key(key), part) for key, part in value.items() if key != TYPE]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    return None


def _key(key: object) -> str:
    return key if isinstance(key, str) else text_of(key)


def _has_own_text(value: object) -> bool:
    if isinstance(value, str | BaseException | MappingProxyType | List):
        return False
    return type(value).__str__ not in (object.__str__, Fields.__str__)


def _own_text(value: object) -> str:
    try:
        return _one_line(str(value))
    except Exception as error:
        # A report is worth more than one value in it.
        return f"<{type(value).__name__}: its __str__ raised {type(error).__name__}>"


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))
