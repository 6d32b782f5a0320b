"""What varied most where a search did not end: it is counted, named, and told with the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from indelible import Receive, Scope, Send, SetTimer, explore
from indelible.checkers.limits import Limits
from indelible.checkers.variety import MANY, Part, most_varied, variety_text
from indelible.model.plain import Fields


@dataclass(frozen=True)
class State:
    count: int
    seen: tuple[int, ...] = ()
    name: str = "n"


class Pair(NamedTuple):
    left: int
    right: State


class Ticking:
    """Counts how often its timer fired, up to ``modulus``."""

    def __init__(self, modulus: int) -> None:
        self.modulus = modulus

    def start(self, node, nodes, storage):
        return State(0), (SetTimer("tick", (1, 1)),)

    def handle(self, node, state, event):
        return State((state.count + 1) % self.modulus), (SetTimer("tick", (1, 1)),)


class Numbering(Ticking):
    """Never changes, but sends what never comes again."""

    def handle(self, node, state, event):
        number = event.message["number"] + 1 if isinstance(event, Receive) else 0
        return state, (Send(node, Fields({"type": "M", "number": number, "a": 0})),)


SCOPE = Scope(nodes=1, commands=("a",), timeouts_max=None)


def test_the_part_with_the_most_values_comes_first() -> None:
    values = [State(number, tuple(range(number % 5))) for number in range(9)]
    assert most_varied(values) == (Part("count", 9), Part("seen", 5))
    assert most_varied([Pair(0, value) for value in values])[0] == Part("right.count", 9)
    assert most_varied([(0, value) for value in values])[0] == Part("state[1].count", 9)
    assert most_varied([Fields({"it": value}) for value in values])[0] == Part("it.count", 9)


def test_entries_of_collections_are_no_parts() -> None:
    by_slot = [Fields({"log": Fields({str(slot): slot})}) for slot in range(9)]
    assert most_varied(by_slot) == (Part("log", 9),)
    assert most_varied(list(range(9))) == ()


def test_of_few_values_nothing_is_said() -> None:
    values = [State(number) for number in range(MANY)]
    assert variety_text("states of n0", values[1:]) == ""
    says = f"in {MANY} states of n0, count takes {MANY} values"
    assert variety_text("states of n0", values) == says


def test_a_limit_is_told_with_what_varied_most() -> None:
    for target, says in (
        (Ticking(1_000_000), "states of n0, count takes "),
        (Numbering(1), "messages to n0, number takes "),
    ):
        verdict = explore(target, SCOPE, limits=Limits(states_max=500))
        assert verdict.outcome == "inconclusive"
        (note,) = verdict.notes
        assert says in note
        assert "States that never repeat" in note


def test_where_the_search_ended_nothing_is_said() -> None:
    verdict = explore(Ticking(500), SCOPE)
    assert verdict.exhausted
    assert verdict.notes == ()
