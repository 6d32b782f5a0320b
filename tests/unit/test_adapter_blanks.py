"""Objects that are nothing but themselves: told by what keeps them, and the very same in a copy."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any
from unittest import mock

import pytest

from indelible import Scope, explore
from indelible.adapters import ObjectAdapter, Outbox
from indelible.impl.adapters.freeze import freeze
from indelible.model.events import Submit, Timeout
from indelible.model.implementation import ask_handle


class Symbol:
    """Without attributes, compared by identity."""


class Slotted:
    __slots__ = ("value",)


FOLLOWER, LEADER = object(), object()
RED, BLACK = Symbol(), Symbol()
LEFT, RIGHT = Slotted(), Slotted()
TABLE = {"a": object(), "b": object()}


class Keeper:
    one, other = object(), object()


PAIRS = [
    (FOLLOWER, LEADER),
    (RED, BLACK),
    (LEFT, RIGHT),
    (TABLE["a"], TABLE["b"]),
    (Keeper.one, Keeper.other),
    (dataclasses.MISSING, dataclasses.KW_ONLY),
    (FOLLOWER, object),
]


class Node:
    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.part = outbox, None


class LockedNode(Node):
    """Copied as an object, if at all."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        self.twice = lambda value: value * 2


class ReplayedNode(Node):
    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        self.lock = threading.Lock()


class Adapter(ObjectAdapter):
    """Node 2 keeps the part of the first that it hears of; then it decides by which one it is."""

    crashes = False
    scope = Scope(nodes=3, commands=("a", "b"), may_submit={"a": [0], "b": [1]}, links="ordered")

    def __init__(self, pair: tuple[Any, Any], kind: type = Node) -> None:
        self.pick, self.kind = lambda which: pair[which], kind

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return self.kind(outbox)

    def submit(self, instance: Any, command: Any) -> None:
        if command == "a":
            instance.outbox.decide(0, "a")
        instance.outbox.send(2, "ab".index(command))

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        if instance.part is None:
            instance.part = self.pick(message)
        else:
            instance.outbox.decide(0, "b" if instance.part is self.pick(1) else "a")


@pytest.mark.parametrize("kind", [Node, LockedNode, ReplayedNode])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: type(pair[0]).__name__)
def test_which_one_it_is_hides_no_violation(pair: tuple[Any, Any], kind: type) -> None:
    verdict = explore(Adapter(pair, kind), Adapter.scope)
    assert verdict.violation is not None
    assert verdict.violation.property == "agreement"


@pytest.mark.parametrize("kind", [Node, LockedNode, ReplayedNode])
def test_every_copy_has_the_very_same(kind: type) -> None:
    class Comparing(Adapter):
        def submit(self, instance: Any, command: Any) -> None:
            instance.part = {"a": dataclasses.MISSING, "b": object(), "c": LEADER}[command]
            instance.outbox.set_timer("t")

        def timeout(self, instance: Any, timer: Any) -> None:
            kept = (dataclasses.MISSING, LEADER)
            which = [number for number, each in enumerate(kept) if instance.part is each]
            instance.outbox.decide(0, tuple(which))

    adapter = Comparing((0, 0), kind)
    start, _ = adapter.start(0, (0, 1), None)
    said = {}
    for command in "bacabc":
        state, _ = ask_handle(adapter, 0, (0, 1), start, Submit(command), twice=True)
        said[command] = ask_handle(adapter, 0, (0, 1), state, Timeout("t"), twice=True).effects[0]
    assert {name: each.value for name, each in said.items()} == {"a": (0,), "b": (), "c": (1,)}


def test_what_keeps_one_is_said_and_a_node_s_own_has_no_name() -> None:
    assert freeze(dataclasses.MISSING)["(name)"] == "dataclasses.MISSING"  # type: ignore[index]
    assert "(name)" not in freeze(object())  # type: ignore[operator]
    own = object()
    assert freeze([own, own]) != freeze([object(), object()])


def test_one_that_all_nodes_have_is_nothing_that_they_share() -> None:
    class Sharing(Adapter):
        def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
            made = super().build(outbox, node, nodes, storage)
            made.part = [dataclasses.MISSING, FOLLOWER, mock.DEFAULT, mock.Mock()]
            return made

    adapter = Sharing((0, 0))
    first, _ = adapter.start(0, (0, 1), None)
    assert first["part"][3]["type"] == "Mock"
    adapter.start(1, (0, 1), None)
    assert adapter.start(0, (0, 1), None)[0] == first


def test_a_class_that_adds_nothing_to_one_of_its_name_is_no_other() -> None:
    assert {freeze(mock.Mock())["type"] for _ in range(3)} == {"Mock"}  # type: ignore[index]
