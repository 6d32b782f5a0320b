"""A canonical order for any hashable values, so that no order of a set ever shows.

The key of a value depends on what it says, never on its address, on the process's hash seed, or on
the order in which a set happens to be walked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, time, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar
from uuid import UUID

__all__ = ["canonical", "canonical_text", "same_types"]

T = TypeVar("T")

_EXACT: frozenset[type] = frozenset({int, str, bool, bytes, type(None)})
"""Types whose equal values are the same."""


_SAID: Final = (float, complex, Decimal, range, timezone, UUID)
"""Types of which equal values differ in what they say, and in nothing else."""


def canonical(values: Iterable[T]) -> list[T]:
    """The values sorted by ``canonical_text``."""
    return sorted(values, key=canonical_text)


def canonical_text(value: object) -> str:
    """Text that equal values share and different values (almost always) do not."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        # Numbers sort by size, negative ones first: by their number of bits, then by their digits.
        sign, bits = ("-", 10**9 - value.bit_length()) if value < 0 else ("0", value.bit_length())
        return f"{sign}{bits:010}:{value:x}"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, set | frozenset):
        return "{" + ",".join(sorted(canonical_text(part) for part in value)) + "}"
    if isinstance(value, Mapping):
        pairs = sorted((canonical_text(key), canonical_text(part)) for key, part in value.items())
        return "{" + ",".join(f"{key}:{part}" for key, part in pairs) + "}"
    if is_dataclass(value) and not isinstance(value, type):
        parts = ",".join(canonical_text(getattr(value, name)) for name in _names_of(type(value)))
        return f"{type(value).__name__}({parts})"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}(" + ",".join(canonical_text(part) for part in value) + ")"
    if isinstance(value, UUID):
        return f"{value!r} {value.is_safe.name}"
    return repr(value)


def same_types(one: object, other: object) -> bool:
    """Whether two equal values are made of the same types throughout.

    ``1 == True``, ``0.0 == -0.0``, ``Decimal("1.0") == Decimal("1.00")``, and named tuples of
    different types are equal if their parts are: such values cannot be told apart by equality,
    though code can tell them apart.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        kinds = list(map(type, one))
        return kinds == list(map(type, other)) and (
            _EXACT.issuperset(kinds) or all(map(same_types, one, other))
        )
    if getattr(one, "compares_types", False):
        return (
            True  # They are equal: to ask again at each depth would take twice as long each time.
        )
    if isinstance(one, set | frozenset | Mapping):
        parts = set(map(type, one))
        if len(parts) <= 1 and parts <= _EXACT and isinstance(other, set | frozenset):
            return parts == set(map(type, other))
        return canonical_text(one) == canonical_text(other)
    if is_dataclass(one) and not isinstance(one, type):
        return all(same_types(getattr(one, n), getattr(other, n)) for n in _names_of(type(one)))
    if isinstance(one, datetime | time):
        return _is_same_moment(one, other)
    return not isinstance(one, _SAID) or canonical_text(one) == canonical_text(other)


def _is_same_moment(one: Any, other: Any) -> bool:
    """Whether two moments (or times of a day) that are equal say the same, in the same zone."""
    if one.tzinfo != other.tzinfo or not same_types(one.tzinfo, other.tzinfo):
        return False
    return repr(one.replace(tzinfo=None)) == repr(other.replace(tzinfo=None))


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(part.name for part in fields(kind))
