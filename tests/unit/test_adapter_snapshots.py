"""The way back to a state: by bytes, by a copy as an object, by what happened, each as good."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.adapters import ObjectAdapter
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, Receive, Submit, Timeout
from indelible.model.implementation import ask_handle
from support.hosted import Closing, Forgetful, Local, Plain, Walking, adapter_of

NODES = (0, 1)

CLOCKS = (time.perf_counter_ns,)
"""The real one, under no name of a module."""


WAYS: list[tuple[type, str]] = [
    (Plain, "copy"),
    (Local, "copy"),
    (Closing, "replay"),
    (Walking, "replay"),
    (Forgetful, "replay"),
]

EVENTS: list[InputEvent] = [Submit("a"), Submit("b"), Receive(1, "draw"), Timeout("t")]


@pytest.fixture(autouse=True, scope="module")
def _few_looks() -> Iterator[None]:
    """Nothing leaks here, and to look for it costs more than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indelible.impl.adapters.leaks.ALWAYS", 0)
        yield


@pytest.mark.parametrize(("kind", "way"), WAYS)
@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(EVENTS)), max_size=9))
def test_going_on_from_any_state_is_as_if_nothing_else_had_happened(
    kind: type, way: str, choices: list[tuple[int, InputEvent]]
) -> None:
    """The twin: one adapter jumps between states, and one only ever walks one history."""
    adapter = adapter_of(kind)
    walked = adapter_of(kind, "replay")
    beginning, _ = walked.start(0, NODES, None)
    reached: list[tuple[Any, list[InputEvent]]] = [(adapter.start(0, NODES, None)[0], [])]
    for choice, event in choices:
        state, history = reached[choice % len(reached)]
        after, effects = adapter.handle(0, state, event)
        other = beginning
        for happened in [*history, event]:
            other, expected = walked.handle(0, other, happened)
        assert (after, effects) == (other, expected)
        reached.append((after, [*history, event]))
    assert adapter.snapshots_in_use in ("copy", way)


@pytest.mark.parametrize("kind", [kind for kind, _ in WAYS])
def test_replaying_can_be_asked_for(kind: type) -> None:
    adapter = adapter_of(kind, "replay")
    state, _ = adapter.start(0, NODES, None)
    assert adapter.snapshots_in_use == "replay"
    again = adapter.handle(0, state, Submit("a"))
    assert adapter.handle(0, state, Submit("a")) == again


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_a_copy_is_made_where_one_is_as_good_as_the_node(kind: type, way: str) -> None:
    def run(adapter: ObjectAdapter) -> str:
        state, _ = adapter.start(0, NODES, None)
        for _ in range(3):
            state, _ = adapter.handle(0, state, Submit("a"))
        return adapter.snapshots_in_use

    assert run(adapter_of(kind)) == way
    if way == "copy":
        assert run(adapter_of(kind, "copy")) == "copy"
    else:
        with pytest.raises(ImplementationError, match=r"cannot be copied: .*") as raised:
            run(adapter_of(kind, "copy"))
        assert "snapshots = 'replay'" in raised.value.remedy


def test_equal_states_behave_alike_whatever_order_a_dict_was_filled_in() -> None:
    adapter = adapter_of(Plain)
    start, _ = adapter.start(0, NODES, None)
    states = []
    for first, second in itertools.permutations("ab"):
        state, _ = adapter.handle(0, start, Submit(first))
        states.append(adapter.handle(0, state, Submit(second))[0])
    one, other = states
    assert one == other
    assert adapter.handle(0, one, Timeout("t")) == adapter.handle(0, other, Timeout("t"))


@pytest.mark.parametrize("snapshots", ["copy", "replay"])
def test_equal_states_are_the_one_that_was_met_first(snapshots: Any) -> None:
    adapter = adapter_of(Plain, snapshots)
    start, _ = adapter.start(0, NODES, None)
    states = []
    for first, second in itertools.permutations("ab"):
        state, _ = adapter.handle(0, start, Submit(first))
        states.append(adapter.handle(0, state, Submit(second))[0])
    assert states[0] is states[1]


def test_equal_states_of_two_nodes_are_two() -> None:
    class Mute(Plain):
        def __init__(self, outbox: Any) -> None:
            self.counts: dict[str, int] = {}

    adapter = adapter_of(Mute)
    one, other = (adapter.start(node, NODES, None)[0] for node in NODES)
    assert one == other
    assert one is not other, "each has a way back of its own"


def test_what_was_put_in_order_is_not_frozen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Looking(Plain):
        def on(self, what: str) -> None:
            if what != "t":
                super().on(what)

    adapter = adapter_of(Looking)
    state, _ = adapter.start(0, NODES, None)
    for command in "ba":
        state, _ = adapter.handle(0, state, Submit(command))
    monkeypatch.setattr("indelible.impl.adapters.hosting.freeze_whole", None)
    assert adapter.handle(0, state, Timeout("t")) == (state, ())


def test_how_often_a_node_drew_is_part_of_its_state() -> None:
    class Drawing(Plain):
        def on(self, what: str) -> None:
            self.outbox.decide(0, random.random())

    adapter = adapter_of(Drawing)
    first, _ = adapter.start(0, NODES, None)
    second, (one,) = adapter.handle(0, first, Submit("a"))
    third, (other,) = adapter.handle(0, second, Submit("a"))
    assert one != other
    assert len({first, second, third}) == 3
    assert second["(draws)"] == 1


def test_after_a_crash_a_node_draws_the_same_again() -> None:
    class Chosen(Plain):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.chosen = random.random()

    adapter = adapter_of(Chosen)
    first, _ = adapter.start(0, NODES, None)
    adapter.handle(0, first, Submit("draw"))
    assert adapter.start(0, NODES, None)[0] == adapter.start(0, NODES, "a")[0] == first
    assert adapter.start(1, NODES, None)[0]["chosen"] != first["chosen"]


@pytest.mark.parametrize("kind", [Plain, Walking])
@pytest.mark.parametrize("unsteady", [datetime.now, lambda: CLOCKS[0]()])
def test_what_is_not_deterministic_is_told(kind: type, unsteady: Callable[[], Any]) -> None:
    class Unsteady(kind):  # type: ignore[misc]
        def on(self, what: str) -> None:
            super().on(what)
            self.seen = unsteady()

    adapter = adapter_of(Unsteady)
    state, _ = adapter.start(0, NODES, None)
    with pytest.raises(ImplementationError, match="not deterministic"):
        ask_handle(adapter, 0, NODES, state, Submit("a"), twice=True)


def test_a_replay_that_goes_another_way_is_told() -> None:
    class Otherwise(Walking):
        def on(self, what: str) -> None:
            super().on(what)
            self.seen = CLOCKS[0]()

    adapter = adapter_of(Otherwise)
    state, _ = adapter.start(0, NODES, None)
    state, _ = adapter.handle(0, state, Submit("a"))
    adapter.handle(0, state, Submit("a"))  # By the node that the step left behind.
    with pytest.raises(ImplementationError, match=r"happened to it twice, and its state.*seen"):
        adapter.handle(0, state, Submit("a"))
