"""Plain values: equal by what they say, shown like ours, and written to documents."""

from __future__ import annotations

import pytest

from indelible.model.canonical import canonical_text, same_types
from indelible.model.causality import event_kind
from indelible.model.events import Receive
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.model.plain import Fields, List, Set, Snapshot
from indelible.render.values import changes, text_of

ACCEPT = Fields({"slot": 0, "ballot": (1, 0), "type": "Accept"})


def test_the_order_in_which_it_was_made_does_not_matter() -> None:
    other = Fields({"type": "Accept", "ballot": (1, 0), "slot": 0})
    assert other == ACCEPT
    assert hash(other) == hash(ACCEPT)
    assert list(other) == list(ACCEPT) == ["type", "ballot", "slot"]
    assert Fields({"type": "Accept", "ballot": (1, 1), "slot": 0}) != ACCEPT
    assert dict(ACCEPT) != ACCEPT


def test_keys_of_any_types_are_in_canonical_order() -> None:
    assert list(Fields({"a": 1, 3: 1, None: 1})) == list(Fields({None: 1, "a": 1, 3: 1}))


def test_it_is_called_by_its_type() -> None:
    assert str(ACCEPT) == text_of(ACCEPT) == "Accept(ballot=(1, 0), slot=0)"
    assert text_of(Fields({"slot": List((1, "a"))})) == "{'slot': [1, 'a']}"
    assert str(Fields({"type": "Ping"})) == "Ping"
    assert event_kind(Receive(0, ACCEPT)) == "receive Accept"


def test_what_differs_is_told_by_its_path() -> None:
    before = Snapshot({"type": "Node", "log": Fields({1: "a"}), "votes": List((1,))})
    after = Snapshot({"type": "Node", "log": Fields({1: "a", 2: "b"}), "votes": List((1, 2))})
    told = [change.text("state") for change in changes(before, after)]
    assert told == ["log[2]: added 'b'", "votes: added 2"]


def test_an_origin_is_no_part_of_a_value() -> None:
    one, other = Snapshot({"a": 1}, origin=b"one"), Snapshot({"a": 1}, origin=b"other")
    assert hash(one) == hash(other)
    assert canonical_text(one) == canonical_text(other)


def test_documents_hold_plain_values() -> None:
    value = (ACCEPT, List((1, 2)), Snapshot({"type": "Node", "at": 1}, origin=b""))
    encoder = Encoder()
    written = encoder.encode(value)
    read = Decoder(encoder.types).decode(written)
    assert read == value
    assert [type(part) for part in read] == [Fields, List, Snapshot]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        ((1, 2), (1, True)),
        (List([0]), List([False])),
        (Set({1}), Set({True})),
        (Fields({"b": 1}), Fields({"b": True})),
        ((Fields({"b": (1,)}),), (Fields({"b": (True,)}),)),
        (frozenset({(1, "c")}), frozenset({(True, "c")})),
        (0.0, -0.0),
        ((1.0,), (1,)),
    ],
)
def test_parts_that_are_equal_and_not_of_the_same_types_are_told_apart(
    one: object, other: object
) -> None:
    for kind in (Fields, Snapshot):
        assert kind({"a": one}) == kind({"a": one})
        assert kind({"a": one}) != kind({"a": other})
    assert one != other or not same_types(one, other)
    assert Fields({1: "a"}) != Fields({True: "a"})
