"""Fingerprints that leave out too much: found by trying, and what they leave out is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from indelible import Scope, explore
from indelible.adapters import ObjectAdapter, Outbox
from indelible.impl.adapters import fingerprints
from indelible.model.errors import ImplementationError
from indelible.model.events import Submit
from indelible.model.implementation import ask_handle

NODES = (0, 1)


def nothing(_: Any) -> None:
    """As a fingerprint, it leaves out everything."""


class Node:
    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.slot, self.seen = outbox, 0, []


class Counting(ObjectAdapter):
    """Gives each command the next slot."""

    crashes = False
    scope = Scope(nodes=NODES, commands=("a", "b"), may_submit=[0], links="ordered")

    def __init__(
        self, told: Callable[[Any], Any], snapshots: Any = None, step: Callable[[Any], Any] = id
    ) -> None:
        self.told, self.snapshots, self.step = told, snapshots, step

    def fingerprint(self, instance: Any) -> Any:
        return self.told(instance)

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Node(outbox)

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        pass

    def submit(self, instance: Any, command: Any) -> None:
        instance.outbox.decide(instance.slot, command)
        instance.slot += 1
        instance.seen.append(command)
        self.step(instance)


@pytest.mark.parametrize("snapshots", [None, "copy", "replay"])
def test_what_is_left_out_is_named(snapshots: Any) -> None:
    with pytest.raises(ImplementationError) as raised:
        explore(Counting(nothing, snapshots), Counting.scope)
    assert raised.value.fact == (
        "n0 was twice in what its fingerprint says is the same state, and Submit(command='a') led "
        "to (Decide(slot=0, value='a'),) once, and once to (Decide(slot=1, value='a'),)"
    )
    assert "seen ([] and ['a']), slot (0 and 1)" in raised.value.cause
    assert "fingerprint" in raised.value.remedy


def test_a_state_that_differs_is_shown_where_the_effects_do_not() -> None:
    def told(node: Any) -> Any:
        return node.slot // 2

    def step(node: Any) -> None:
        node.outbox._effects.clear()

    with pytest.raises(ImplementationError) as raised:
        explore(Counting(told, step=step), Counting.scope)
    assert raised.value.fact.endswith(
        "led to {'(node)': 0, 'state': 0} once, and once to {'(node)': 0, 'state': 1}"
    )


def test_what_only_one_of_them_raises_is_told() -> None:
    def step(node: Any) -> None:
        node.outbox._effects.clear()
        if node.slot == 2:
            raise ValueError("two")

    with pytest.raises(ImplementationError, match=r"once, and once to ValueError\('two'\)"):
        explore(Counting(nothing, step=step), Counting.scope)


def test_one_that_is_met_after_the_first_was_asked_is_tried_too() -> None:
    adapter = Counting(lambda node: min(node.slot, 1))
    start, _ = adapter.start(0, NODES, None)
    once, _ = ask_handle(adapter, 0, NODES, start, Submit("a"))
    with pytest.raises(ImplementationError, match=r"Decide\(slot=2"):
        ask_handle(adapter, 0, NODES, once, Submit("a"))


def test_what_decides_nothing_may_be_left_out() -> None:
    told = Counting(lambda node: node.slot)
    assert explore(told, Counting.scope).outcome == "holds"


def test_what_cannot_be_told_in_full_is_not_tried() -> None:
    def step(node: Any) -> None:
        node.chain = None
        for _ in range(500):
            node.chain = [node.chain]

    adapter = Counting(lambda node: node.slot, step=step)
    start, _ = adapter.start(0, NODES, None)
    once, _ = ask_handle(adapter, 0, NODES, start, Submit("a"), twice=True)
    assert ask_handle(adapter, 0, NODES, once, Submit("b"), twice=True).effects


def test_trials_become_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "ALWAYS", 0)
    monkeypatch.setattr(fingerprints, "SOMETIMES", 3)
    sample = fingerprints.Sample()
    assert [sample.is_due() for _ in range(6)] == [False, False, True] * 2
