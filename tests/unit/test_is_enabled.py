"""``is_enabled`` says of an action whether ``enabled`` lists it; ``own`` gives the one listed."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Receive, Restart, Scope, Send, SetTimer, Submit, Timeout
from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Torn
from indelible.model.implementation import Step
from support.random_implementation import SCOPES, RandomImplementation
from support.walks import walk

NODES = (0, 1, 2, 7)
INPUTS = (
    *(Receive(source, message) for source in NODES for message in (0, 1, 2)),
    *(Timeout(timer) for timer in ("x", "y", "z")),
    *(Submit(command) for command in ("a", "b", "c")),
)
EVENTS = (*INPUTS, Restart(), *(Torn(event, kept) for event in INPUTS for kept in range(4)))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, length=st.integers(0, 8))
def test_enabled_is_what_is_listed_and_nothing_else(seed: int, scope: Scope, length: int) -> None:
    """Over every node, message, timer, command and number of kept effects, real or made up."""
    cluster = Cluster(RandomImplementation(seed), scope, twice=False)
    try:
        state = cluster.initial()
    except ImplementationRaised:
        return
    for action in walk(RandomImplementation(seed), scope, seed, length):
        state = cluster.step(state, action)
    listed = cluster.enabled(state)
    asked = [(node, event) for node in NODES for event in EVENTS]
    assert [action for action in asked if cluster.is_enabled(state, action)] == [
        action for action in asked if action in listed
    ]
    assert set(listed) <= set(asked), "the events asked about are all that there are"


def test_the_walks_reach_every_kind_of_event() -> None:
    """Without this the test above could hold of nothing."""
    kinds = set()
    for seed in range(40):
        scope = Scope(nodes=2, timeouts_max=2, restarts_max=2, torn=True, links="ordered")
        for _, event in walk(RandomImplementation(seed), scope, seed, 8):
            kinds.add(type(event))
    assert kinds == {Receive, Timeout, Submit, Restart, Torn}


class Ping(NamedTuple):
    number: int


class Pong(NamedTuple):
    number: int


class Tick(NamedTuple):
    number: int


class Chatty:
    """Sends named tuples, and arms timers that are such."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((), (Send(0, Ping(1)), Send(0, (2,)), SetTimer(Tick(1), (1, 1))))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        return Step(state, ())


@pytest.mark.parametrize(
    ("alien", "own"),
    [
        (Receive(0, Pong(1)), Receive(0, Ping(1))),
        (Receive(0, Ping(1)), Receive(0, Ping(1))),
        (Receive(0, Ping(2)), Receive(0, (2,))),
        (Torn(Receive(0, (1,)), 0), Torn(Receive(0, Ping(1)), 0)),
        (Timeout((1,)), Timeout(Tick(1))),
        (Submit((3,)), Submit(Ping(3))),
        (Restart(), Restart()),
    ],
)
def test_an_equal_event_is_exchanged_for_the_nodes_own(alien: Any, own: Any) -> None:
    """A named tuple equals one of another class; whoever looks at the class tells them apart."""
    cluster = Cluster(
        Chatty(), Scope(nodes=1, commands=(Ping(3),), restarts_max=1, torn=True, links="unordered")
    )
    state = cluster.initial()
    _, found = cluster.own(state, (0, alien))
    assert found == alien, "they are equal"
    assert repr(found) == repr(own), "but it is the one with the right class"
