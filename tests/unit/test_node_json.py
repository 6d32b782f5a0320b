"""Events and effects as JSON: what is written is read again, and what is not just so is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.model.canonical import same_types
from indelible.model.effects import (
    CancelTimer,
    Decide,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import WireError
from indelible.model.events import Receive, Restart, Submit, Timeout, Torn
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.model.node_json import (
    canonical_json,
    effect_from_json,
    effect_to_json,
    effects_from_json,
    event_from_json,
    event_to_json,
    jsonable,
    plain,
)
from indelible.model.plain import Fields

texts = st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | texts | st.floats(allow_nan=False, width=32)
json_values = st.recursive(
    scalars.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
values = json_values.map(plain)
orders = st.integers() | texts | st.floats(allow_nan=False, allow_infinity=False)
ballots = st.recursive(orders, lambda inner: st.lists(inner, max_size=3), max_leaves=4).map(plain)
nodes = st.integers() | texts
slots = st.integers(0, 9)
inputs = st.builds(Receive, nodes, values) | st.builds(Timeout, values) | st.builds(Submit, values)
events = inputs | st.just(Restart()) | st.builds(Torn, inputs, slots)
effects = st.one_of(
    st.builds(Send, nodes, values),
    st.builds(Persist, values),
    st.builds(SetTimer, values, st.tuples(slots, slots)),
    st.builds(CancelTimer, values),
    st.builds(Decide, slots, values),
    st.builds(Execute, slots, values),
    st.builds(Reply, values, values),
    st.builds(Promise, ballots),
    st.builds(Vote, slots, ballots, values),
    st.builds(Lead, ballots),
)


def sent_over(data: Any) -> Any:
    return json.loads(canonical_json(data))


@given(json_values)
def test_a_value_of_json_comes_back_as_it_was(value: Any) -> None:
    assert sent_over(jsonable(plain(value))) == value
    hash(plain(value))


def said(value: Any) -> str:
    """The value as JSON means it: a whole number in digits, in whatever way it was written."""
    if isinstance(value, list):
        return "[" + ",".join(map(said, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{said(value[key])}" for key in sorted(value)) + "}"
    return str(int(value)) if type(value) is float and value.is_integer() else repr(value)


few = st.sampled_from([0, 1, 0.0, 1.0, -0.0, True, False, None, 1.5, 10**16, 1e16, "1"])
nested = st.recursive(
    few, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("a"), inner)
)


@given(nested, nested)
def test_values_are_equal_if_json_means_the_same(one: Any, other: Any) -> None:
    assert (plain(one) == plain(other)) == (said(one) == said(other))
    assert said(sent_over(jsonable(plain(one)))) == said(one)


@given(nested)
def test_values_come_back_from_documents(value: Any) -> None:
    encoder = Encoder()
    data = encoder.encode(plain(value))
    back = Decoder(encoder.types).decode(sent_over(data))
    assert same_types(back, plain(value))
    assert back == plain(value)


@given(events)
def test_an_event_comes_back_as_it_was(event: Any) -> None:
    assert event_from_json(sent_over(event_to_json(event))) == event


@given(effects)
def test_an_effect_comes_back_as_it_was(effect: Any) -> None:
    assert effect_from_json(sent_over(effect_to_json(effect))) == effect


def test_ticks_need_not_be_said() -> None:
    assert effect_from_json({"type": "set_timer", "timer": "x"}) == SetTimer("x", (1, 1))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"type": "sned", "to": 1, "message": 1}, 'effects[0].type is "sned"\n  available: send'),
        ({"to": 1}, "effects[0].type is null"),
        ({"type": "send", "to": 1}, "effects[0] (send) has no 'message'"),
        ({"type": "send", "to": True, "message": 1}, "effects[0].to is true"),
        ({"type": "lead", "ballot": 1, "slot": 2}, "has 'slot', which is no part of it"),
        ({"type": "decide", "slot": -1, "value": 1}, "effects[0].slot is -1"),
        ({"type": "execute", "index": 1.0, "command": 1}, "effects[0].index is 1.0"),
        ({"type": "set_timer", "timer": 1, "after": [1]}, "effects[0].after is [1]"),
        ({"type": "persist", "storage": {"a": [float("inf")]}}, "effects[0].storage.a[0] is inf"),
        (3, "effects[0] is 3"),
    ],
)
def test_an_effect_that_is_not_just_so_is_refused_by_the_name_of_the_field(
    data: Any, says: str
) -> None:
    with pytest.raises(WireError) as refused:
        effects_from_json([data])
    assert says in str(refused.value)


def test_effects_are_an_array() -> None:
    with pytest.raises(WireError, match=r"effects is \{.*\n.*an array of effects"):
        effects_from_json({"type": "lead"})


def test_only_what_a_node_handles_can_be_torn() -> None:
    with pytest.raises(WireError, match=r'event\.event is "restart"'):
        event_from_json({"type": "torn", "event": {"type": "restart"}, "kept": 1})


def test_a_value_that_json_cannot_say_is_named() -> None:
    with pytest.raises(WireError, match=r"command\.a is frozenset\(\), of type frozenset"):
        event_to_json(Submit(Fields({"a": frozenset()})))
