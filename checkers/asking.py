"""Asking: how far the code on trial is trusted to keep the contract. Shared by all searches."""

from __future__ import annotations

from typing import Final

from indelible.model.canonical import same_types
from indelible.model.errors import ImplementationError

__all__ = ["ask_twice", "require_same_types"]

ALWAYS_TWICE: Final = 2_000
SOMETIMES_TWICE: Final = 16


def ask_twice(call: int) -> bool:
    """Whether the ``call``-th step is asked twice, to see whether it is deterministic.

    The first ones always, then one in sixteen: what depends on a clock, on chance or on hidden
    state shows soon, and asking everything twice would double the cost of learning.
    """
    return call < ALWAYS_TWICE or call % SOMETIMES_TWICE == 0


def require_same_types(first: object, again: object) -> None:
    """Equal values are one to a checker. Raises ``ImplementationError`` if not alike."""
    if not same_types(first, again):
        raise ImplementationError(
            f"{first!r} and {again!r} are equal, but not the same",
            cause="named tuples are equal if their parts are, 1 equals True, and Decimal('1.0') "
            "equals Decimal('1.00'): they would be taken for one another",
            remedy="use frozen dataclasses, or put a tag into each value",
        )
