"""Ballots that do not compare: who gave them, and when.

Ballots have an order, and properties compare them: any two of an implementation. Where that raises,
the ballots are to blame, and not the property.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any, Final, NamedTuple

from indelible.model.classes import plain_text
from indelible.model.effects import Ballot, Effect, Lead, Promise, Vote
from indelible.model.errors import ImplementationError
from indelible.model.events import Event, NodeId, node_name

__all__ = ["ALIKE", "Given", "incomparable", "require_comparable"]

ALIKE: Final = (
    "make all ballots alike: all numbers, all strings, or arrays (tuples) that are alike part by "
    "part, as [0, 0] for none where others are [1, 2]"
)
"""The remedy."""


class Given(NamedTuple):
    """A ballot that a node gave, and in which event, if that is known."""

    node: NodeId
    ballot: Ballot
    event: Event | None = None

    def __str__(self) -> str:
        when = "" if self.event is None else f" in handle({node_name(self.node)}, {self.event!r})"
        return f"{plain_text(self.ballot)} of {node_name(self.node)}{when}"


def incomparable(given: Iterable[Given]) -> tuple[Given, Given] | None:
    """The first two that do not compare."""
    different = {each.ballot: each for each in reversed([*given])}
    for one, other in combinations(reversed(different.values()), 2):
        try:
            _ = one.ballot < other.ballot, other.ballot < one.ballot
        except TypeError:
            return one, other
    return None


def require_comparable(arguments: Iterable[Any], effects: Iterable[Effect]) -> None:
    """Raises ``ImplementationError`` if ballots that a property was given do not compare: those in
    views of records, and in the ``effects`` of a step."""
    found = incomparable(_given(tuple(arguments), effects))
    if found is not None:
        one, other = found
        raise ImplementationError(
            f"ballots do not compare: {one}, and {other}",
            cause="ballots have an order, and these are of different kinds",
            remedy=ALIKE,
        )


def _given(arguments: tuple[Any, ...], effects: Iterable[Effect]) -> Iterator[Given]:
    """In the order in which they were given: what a step adds comes after the record before it."""
    for part in arguments:
        if isinstance(part, Event):
            node = arguments[0].node
            for effect in effects:
                if isinstance(effect, Promise | Vote | Lead):
                    yield Given(node, effect.ballot, part)
        for own in part if type(part) is tuple else (part,):
            known = getattr(own, "__dict__", {})
            promised = known.get("promised")
            ballots = [*known.get("leaderships", ()), *(vote[1] for vote in known.get("votes", ()))]
            for ballot in ballots if promised is None else [promised, *ballots]:
                yield Given(own.node, ballot)
