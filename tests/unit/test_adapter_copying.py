"""Copies of nodes: as good as the node, whether they are taken apart or pickled whole."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from indelible.adapters import Outbox
from indelible.impl.adapters.copying import Copier
from indelible.impl.adapters.freeze import freeze_whole
from indelible.impl.adapters.values import thawed, value_of


class Node:
    """Any object: its attributes are all that it is."""

    def __init__(self, **kept: Any) -> None:
        vars(self).update(kept)


class Told(Node):
    """One that wants to know when it is made of its attributes."""

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept, told=True)


class Slotted(Node):
    """One that keeps something elsewhere."""

    __slots__ = ("elsewhere",)


class Hiding(Node):
    """One whose attributes are not what it shows."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return {"shown": 1}


def copier() -> Copier:
    return Copier(lambda node: freeze_whole(node, known={Outbox: str}))


def test_a_node_is_made_anew_of_its_class_and_its_values_and_keeps_its_outbox() -> None:
    outbox, shared = Outbox(0), [1]
    node = Node(log=["a"], outbox=outbox, one=shared, other=shared)
    copies = copier()
    data = copies.data(node)
    assert data == copies.data(node)
    assert b"Node" not in data.values
    made = copies.from_data(data)
    assert type(made) is Node
    assert made is not node
    assert list(vars(made)) == ["log", "outbox", "one", "other"]
    assert made.outbox is outbox
    assert node.outbox is outbox
    assert made.log == ["a"]
    assert made.log is not node.log
    assert made.one is made.other
    assert made.one is not shared


def test_nodes_of_other_classes_names_or_outboxes_are_no_equal_data() -> None:
    copies, outbox = copier(), Outbox(0)
    nodes = (
        Node(a=1, b=2),
        Node(b=1, a=2),
        Told(a=1, b=2),
        Node(a=outbox, b=2),
        Node(a=Outbox(0), b=2),
        Node(a=None, b=2),
    )
    assert len({copies.data(node) for node in nodes}) == len(nodes)


def test_a_node_that_refers_to_itself_or_to_its_like_is_copied_whole() -> None:
    itself, like = Node(kept=1), Node(kept=1)
    itself.me = [itself]
    like.me = [Node(kept=1)]
    like.me[0].me = [like.me[0]]
    for node in (itself, like):
        copies = copier()
        frozen = copies.frozen(node)
        data = copies.data(node)
        assert isinstance(data, bytes)
        copies.check_data(data, frozen)
        made = copies.from_data(data)
        assert made.me[0].me[0] is made.me[0]
        assert (made.me[0] is made) == (node is itself)


@pytest.mark.parametrize("kind", [Told, Slotted, Hiding])
def test_a_class_that_has_its_own_way_is_pickled_in_it(kind: Any) -> None:
    assert isinstance(copier().data(kind(a=1)), bytes)
    told = copier().from_data(copier().data(Told(a=1)))
    assert told.told
    assert told.a == 1


def test_who_is_given_a_message_has_one_of_its_own() -> None:
    for message in ({"b": 1, "a": None}, {"a": [1]}, [1], {(1, 2): 3}):
        value = value_of(message)
        one, other = thawed(value), thawed(value)
        assert one == other == message
        assert type(one) is type(message)
        assert one is not other
        assert one is not message
        one.clear()
        assert thawed(value) == message
        assert thawed(pickle.loads(pickle.dumps(value))) == message
    inner = thawed(value_of({"a": [1]}))
    inner["a"].append(2)
    assert thawed(value_of({"a": [1]})) == {"a": [1]}
