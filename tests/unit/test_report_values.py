"""How values are shown, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from indelible.render.values import Change, changes, parts_of, text_of


class Ballot(NamedTuple):
    round: int
    node: str

    def __str__(self) -> str:
        return f"{self.round}.{self.node}"


class Entry(NamedTuple):
    slot: int
    value: str


class Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class Follower:
    pass


@dataclass(frozen=True)
class Leader:
    ballot: Ballot
    voters: frozenset[str] = frozenset()
    hidden: int = field(default=0, repr=False)


class Opaque:
    pass


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError("no words")


class TwoLines:
    def __str__(self) -> str:
        return "one\ntwo"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (3, "3"),
        ("a", "'a'"),
        (b"a", "b'a'"),
        ((), "()"),
        ((1, "a"), "(1, 'a')"),
        ([1], "[1]"),
        (frozenset({"c", "a", "b"}), "{'a', 'b', 'c'}"),
        (frozenset({10, 9}), "{9, 10}"),
        ({"b": 1, "a": frozenset({2, 1})}, "{'a': {1, 2}, 'b': 1}"),
        (MappingProxyType({"b": 1, "a": 2}), "{'a': 2, 'b': 1}"),
        (Colour.RED, "Colour.RED"),
        (Ballot(1, "n"), "1.n"),
        (Entry(0, "x"), "Entry(slot=0, value='x')"),
        (Follower(), "Follower"),
        (Leader(Ballot(2, "m"), frozenset({"b", "a"})), "Leader(ballot=2.m, voters={'a', 'b'})"),
        (Unspeakable(), "<Unspeakable: its __str__ raised ValueError>"),
        (TwoLines(), "one two"),
        (KeyError("x"), "KeyError('x')"),
        ("two\nlines", r"'two\nlines'"),
    ],
)
def test_text(value: object, text: str) -> None:
    assert text_of(value) == text


def test_text_shows_no_address() -> None:
    assert "0x" not in text_of(Opaque())


def test_set_with_own_order_of_values_is_shown_in_canonical_order() -> None:
    leaders = frozenset(Leader(Ballot(number, "n")) for number in range(20))
    shown = text_of(leaders)
    assert [shown.index(f"={number}.n") for number in range(20)] == sorted(
        shown.index(f"={number}.n") for number in range(20)
    )


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [
        (1, 1, []),
        (1, 2, ["state: 1 → 2"]),
        ((1, 2), (1, 3), ["state[1]: 2 → 3"]),
        ((1, 2), (1, 2, 3), ["state: added 3"]),
        ((1, 2, 2), (2,), ["state: removed 1", "state: removed 2"]),
        ((1, 2), (2, 1), ["state[0]: 1 → 2", "state[1]: 2 → 1"]),
        ((1, (2, 3)), (1, (2, 4)), ["state[1][1]: 3 → 4"]),
        (frozenset("ab"), frozenset("bc"), ["state: removed 'a'", "state: added 'c'"]),
        (
            {"a": 1, "b": 2, "c": (1,)},
            {"b": 3, "c": (1,), "d": 4},
            ["state['a']: removed 1", "state['b']: 2 → 3", "state['d']: added 4"],
        ),
        (Entry(0, "x"), Entry(0, "y"), ["value: 'x' → 'y'"]),
        (Ballot(1, "n"), Ballot(2, "n"), ["state: 1.n → 2.n"]),
        (Leader(Ballot(1, "n")), Leader(Ballot(2, "n")), ["ballot: 1.n → 2.n"]),
        (
            Leader(Ballot(1, "n"), frozenset("a")),
            Leader(Ballot(1, "n"), frozenset("ab")),
            ["voters: added 'b'"],
        ),
        (Follower(), Leader(Ballot(1, "n")), ["state: Follower → Leader(ballot=1.n, voters={})"]),
        ((Entry(0, "x"),), (Entry(0, "y"),), ["state[0].value: 'x' → 'y'"]),
        (None, "a", ["state: None → 'a'"]),
    ],
)
def test_changes(before: Any, after: Any, texts: list[str]) -> None:
    assert [change.text("state") for change in changes(before, after)] == texts


def test_a_difference_that_cannot_be_shown_is_still_a_change() -> None:
    # The part that differs is left out of the text, and so the whole is named.
    before, after = Leader(Ballot(1, "n"), hidden=1), Leader(Ballot(1, "n"), hidden=2)
    assert list(changes(before, after)) == [Change("", text_of(before), text_of(after))]


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (Entry(0, "a"), (("slot", "0"), ("value", "'a'"))),
        (Leader(Ballot(1, "n")), (("ballot", "1.n"), ("voters", "{}"))),
        ({"b": 1, "a": 2}, (("'a'", "2"), ("'b'", "1"))),
        (Ballot(1, "n"), (("", "1.n"),)),
        (Follower(), (("", "Follower"),)),
        (None, (("", "None"),)),
        ({}, (("", "{}"),)),
    ],
)
def test_parts(value: Any, parts: Any) -> None:
    assert parts_of(value) == parts
