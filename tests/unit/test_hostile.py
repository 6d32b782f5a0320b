"""Implementations and properties that could make a checker say *holds* when it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from indelible import (
    Decide,
    Execute,
    ImplementationError,
    Limits,
    Receive,
    Scope,
    Send,
    Submit,
    Timeout,
    always,
    explore,
)
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.properties import agreement


class Yes(NamedTuple):
    slot: int


class No(NamedTuple):
    slot: int


class Base:
    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return 0, ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state, ()


@dataclass(frozen=True)
class Says(Base):
    """Node 0 sends its two messages, one for each command."""

    messages: tuple[Any, Any]

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        if isinstance(event, Submit):
            return state, (Send(1, self.messages["ab".index(event.command)]),)
        return state, ()


@pytest.mark.parametrize("messages", [(Yes(0), No(0)), (1, True), ((1, Yes(2)), (1, No(2)))])
def test_equal_messages_of_different_types_are_refused(messages: Any) -> None:
    with pytest.raises(ImplementationError, match="are equal, but not the same"):
        explore(Says(messages), Scope(nodes=2, commands=("a", "b")), properties=[agreement])


class States(Base):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return (Yes(0) if event == Submit("a") else No(0)), ()


def test_equal_states_of_different_types_are_refused() -> None:
    with pytest.raises(ImplementationError, match="are equal, but not the same"):
        explore(States(), Scope(nodes=1, commands=("a", "b")), properties=[agreement])


@dataclass(frozen=True)
class Hidden:
    log: list[str] = field(default_factory=list, hash=False)


class Mutates(Base):
    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return Hidden(), ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        state.log.append("more")
        return state, ()


def test_a_state_changed_in_place_is_noticed_though_its_hash_is_the_same() -> None:
    with pytest.raises(ImplementationError, match="changed the state it was given"):
        explore(Mutates(), Scope(nodes=1), properties=[agreement])


class StartRaises(Base):
    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        raise KeyError("x")


def test_a_node_that_cannot_start_is_a_finding() -> None:
    for verdict in (
        explore(StartRaises(), Scope()),
        explore_breadth_first(StartRaises(), Scope(), (), Limits()),
    ):
        assert verdict.outcome == "violated"
        assert verdict.trace is not None
        assert verdict.trace.actions == ()
        assert verdict.trace.violation.property == "implementation_raises"


class Late(Base):
    """Only node 1 decides."""

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state, (Decide(0, event.command),) if node == 1 else ()


@always(reads="pair", fields=("decided",))
def not_behind(one: Any, other: Any) -> bool:
    return len(one.decided) <= len(other.decided)


@always(reads="pair", fields=("decided",))
def not_ahead(one: Any, other: Any) -> bool:
    return len(one.decided) >= len(other.decided)


@pytest.mark.parametrize("known", [not_behind, not_ahead], ids=lambda known: known.name)
def test_pairs_are_judged_in_both_orders(known: Any) -> None:
    scope = Scope(nodes=2)
    assert explore(Late(), scope, properties=[known]).outcome == "violated"
    assert explore_breadth_first(Late(), scope, (known,), Limits()).outcome == "violated"


class Wide(Base):
    """Every node decides what it is given, and 6 commands at 7 nodes make wide levels."""

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state | 1 << "abcdef".index(event.command), (Decide(0, event.command),)


def test_what_was_found_before_a_limit_is_judged() -> None:
    """The second level has over a thousand states, and one in six of its first breaks agreement."""
    scope = Scope(nodes=7, commands=tuple("abcdef"))
    limits = Limits(states_max=500)
    verdict = explore(Wide(), scope, properties=[agreement], limits=limits)
    assert verdict.outcome == "violated"
    assert verdict.trace is not None
    assert len(verdict.trace.actions) == 2


@pytest.mark.parametrize("effect", [Decide("z", "a"), Execute(-1, "a"), Decide(True, "a")])
def test_slots_and_indices_are_whole_numbers(effect: Any) -> None:
    class Odd(Base):
        def handle(self, node: Any, state: Any, event: Any) -> Any:
            return state, (effect,)

    with pytest.raises(ImplementationError, match="slots and indices are whole numbers"):
        explore(Odd(), Scope(nodes=1), properties=[agreement])


class Ghost(Base):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        if isinstance(event, Timeout | Receive):
            return state, ()
        return state, (Decide(0, event.command), Execute(0, "ghost"))


def test_what_is_executed_was_decided() -> None:
    verdict = explore(Ghost(), Scope(nodes=1))
    assert verdict.outcome == "violated"
    assert verdict.violation is not None
    assert verdict.violation.property == "execution_follows_log"


class FarAhead(Base):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state, (Execute(10**9, event.command),)


def test_a_gap_of_any_size_is_found_at_once() -> None:
    verdict = explore(FarAhead(), Scope(nodes=1), properties=["execution_without_gap"])
    assert verdict.outcome == "violated"
