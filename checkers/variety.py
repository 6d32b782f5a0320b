"""What a search that did not end may have lost itself in: the parts that took the most values.

A counter, a time or a log of what happened makes every state a new one. Nothing here decides
whether a part is such a one; it counts, and names what to look at first. A part is named as in
reports: ``paxos.proposal_id.number``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Final, NamedTuple

from indelible.model.classes import plain_text
from indelible.model.plain import Fields

__all__ = ["MANY", "Part", "most_varied", "variety_text"]

MANY: Final = 50
"""With fewer states or messages than this, nothing is said."""

LOOKED_AT: Final = 20_000
"""So many values are counted, the first that were met: the search has taken its time already."""

NAMED: Final = 3


class Part(NamedTuple):
    """A part of several values, by its path, and how many values it took itself."""

    path: str
    values: int


def most_varied(values: Sequence[Hashable]) -> tuple[Part, ...]:
    """The parts that took the most values, at most three; none if the values have no parts."""
    found: dict[str, set[Hashable]] = {}
    for value in values:
        for path, part in _parts(value):
            found.setdefault(path, set()).add(part)
    parts = (Part(path, len(distinct)) for path, distinct in found.items())
    most = sorted(parts, key=lambda part: (-part.values, part.path))
    return tuple(part for part in most[:NAMED] if part.path and part.values > 1)


def variety_text(name: str, values: Sequence[Hashable]) -> str:
    """In a sentence, what varied most in ``values``, which ``name`` calls; empty if few did."""
    if len(values) < MANY:
        return ""
    seen = values[:LOOKED_AT]
    first = "the first " if len(seen) < len(values) else ""
    parts = ", ".join(f"{path} takes {count:,} values" for path, count in most_varied(seen))
    says = f", {parts}" if parts else " there is no part that could be told apart"
    return f"in {first}{len(seen):,} {name}{says}"


def _parts(value: Hashable, path: str = "") -> Iterator[tuple[str, Hashable]]:
    """The innermost parts that have names: fields of objects, not entries of collections."""
    named = _fields(value)
    if isinstance(value, tuple) and not path:
        named = named or {f"state[{at}]": part for at, part in enumerate(value)}
    if not named:
        yield path, value
    for name, part in named.items():
        joint = "." if path and not name.startswith("[") else ""
        yield from _parts(part, f"{path}{joint}{name}")


def _fields(value: Hashable) -> Mapping[str, Hashable]:
    if isinstance(value, Fields):
        if value.kind is None and not all(_is_identifier(key) for key in value):
            return {}
        return {_key(key): part for key, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: getattr(value, part.name) for part in fields(value)}
    names = getattr(value, "_fields", ()) if isinstance(value, tuple) else ()
    return {name: getattr(value, name) for name in names}


def _is_identifier(key: object) -> bool:
    return isinstance(key, str) and key.isidentifier()


def _key(key: Hashable) -> str:
    return str(key) if _is_identifier(key) else f"[{plain_text(key)}]"
