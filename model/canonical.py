"""A canonical order for any hashable values, so that no order of a set ever shows.

The key of a value depends on what it says, never on its address, on the process's hash seed, or on
the order in which a set happens to be walked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TypeVar

__all__ = ["canonical", "canonical_text"]

T = TypeVar("T")


def canonical(values: Iterable[T]) -> list[T]:
    """The values sorted by ``canonical_text``."""
    return sorted(values, key=canonical_text)


def canonical_text(value: object) -> str:
    """Text that equal values share and different values (almost always) do not."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        # Numbers sort by size: sign, then number of digits, then digits.
        return (
            f"-{9999 - len(str(-value)):04}{value}" if value < 0 else f"{len(str(value)):04}{value}"
        )
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, set | frozenset):
        return "{" + ",".join(sorted(canonical_text(part) for part in value)) + "}"
    if isinstance(value, Mapping):
        pairs = sorted((canonical_text(key), canonical_text(part)) for key, part in value.items())
        return "{" + ",".join(f"{key}:{part}" for key, part in pairs) + "}"
    if is_dataclass(value) and not isinstance(value, type):
        parts = ",".join(canonical_text(getattr(value, part.name)) for part in fields(value))
        return f"{type(value).__name__}({parts})"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__}(" + ",".join(canonical_text(part) for part in value) + ")"
    return repr(value)
