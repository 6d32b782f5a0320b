"""Happens-before: clocks, causal pasts and reorderings agree; shapes tell what they should."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Receive, Restart, Scope, Send, SetTimer, Submit, Timeout
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.causality import (
    causal_past,
    event_kind,
    predecessors,
    shape,
    vector_clocks,
)
from indelible.model.events import Torn
from indelible.model.implementation import Step
from indelible.model.run import Run, handled_event, replayed
from support.random_implementation import SCOPES, RandomImplementation
from support.walks import walk


def random_run(seed: int, scope: Scope, length: int = 14) -> Run:
    implementation = RandomImplementation(seed)
    return replayed(implementation, scope, walk(implementation, scope, seed, length))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_one_step_is_in_anothers_past_just_if_its_clock_is_no_later(
    seed: int, scope: Scope
) -> None:
    run = random_run(seed, scope)
    clocks = vector_clocks(run)
    for later, clock in enumerate(clocks, start=1):
        before = [
            earlier
            for earlier, other in enumerate(clocks, start=1)
            if all(count <= clock.get(node, 0) for node, count in other.items())
        ]
        assert tuple(before) == causal_past(run, [later])


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_what_happens_before_is_what_came_before_at_the_node_or_sent_the_message(
    seed: int, scope: Scope
) -> None:
    """The dumb twin: the closure of the two relations as they are defined."""
    run = random_run(seed, scope)
    past: dict[int, set[int]] = {}
    for step in run.steps:
        own = {other.number for other in run.steps[: step.number - 1] if other.node == step.node}
        direct = own | ({step.cause} if step.cause else set())
        past[step.number] = direct.union(*(past[number] for number in direct))
        assert set(causal_past(run, [step.number])) == past[step.number] | {step.number}
        assert set(predecessors(run)[step.number]) <= past[step.number]
    everything = [step.number for step in run.steps]
    assert causal_past(run, everything) == tuple(everything)


def reordered(run: Run, seed: int) -> tuple[Any, ...]:
    """The actions in a random order in which each comes after all that happened before it."""
    draw, before = random.Random(seed), predecessors(run)
    left, done = [step.number for step in run.steps], []
    while left:
        ready = [number for number in left if set(before[number]) <= set(done)]
        done.append(draw.choice(ready))
        left.remove(done[-1])
    return tuple(run.steps[number - 1].action for number in done)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, order=st.integers(0, 10**6))
def test_steps_in_any_order_that_keeps_causes_lead_to_the_same_end(
    seed: int, scope: Scope, order: int
) -> None:
    """On all links: what a node may do next depends on itself and on what was sent to it, and
    budgets that all nodes share are used up alike."""
    run = random_run(seed, scope)
    again = replayed(RandomImplementation(seed), scope, reordered(run, order))
    assert again.end == run.end
    assert shape(again) == shape(run), "swapping steps that do not depend on each other"
    clocks = sorted(
        (repr(step.action), repr(clock))
        for step, clock in zip(again.steps, vector_clocks(again), strict=True)
    )
    assert clocks == sorted(
        (repr(step.action), repr(clock))
        for step, clock in zip(run.steps, vector_clocks(run), strict=True)
    )


def test_the_random_runs_have_concurrent_steps_and_messages() -> None:
    """Without them the tests above could hold of nothing."""
    scope = Scope(nodes=3, timeouts_max=2, restarts_max=2, torn=True)
    runs = [random_run(seed, scope) for seed in range(30)]
    assert sum(reordered(run, 1) != tuple(step.action for step in run.steps) for run in runs) > 10
    assert sum(any(step.cause for step in run.steps) for run in runs) > 10


# --- shapes -------------------------------------------------------------------------------------


class Relay:
    """Hands a command on from node to node; each node arms a timer as it starts."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step(nodes, (SetTimer("tick", (1, 1)), Send(nodes[0], b"up")))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        following = state[(state.index(node) + 1) % len(state)]
        match event:
            case Submit(command):
                return Step(state, (Send(following, command),))
            case Receive(_, str(message)) if len(message) < 3:
                return Step(state, (Send(following, message + "+"),))
            case Timeout():
                return Step(state, (Send(following, 1), Send(following, "t")))
        return Step(state, ())


def relayed(*actions: Any, nodes: Any = 3) -> Run:
    scope = Scope(nodes=nodes, commands=("a", "b"), timeouts_max=None, restarts_max=None)
    return replayed(Relay(), scope, actions)


CHAIN = ((0, Submit("a")), (1, Receive(0, "a")), (2, Receive(1, "a+")), (1, Timeout("tick")))


def test_a_shape_lists_the_chains_in_kinds_of_events() -> None:
    assert shape(relayed(*CHAIN, (0, Receive(1, b"up")), (2, Restart()))) == (
        "restart",
        "start > receive bytes",
        "submit",
        "submit > receive str",
        "submit > receive str > receive str",
        "timeout 'tick'",
    )


def test_a_shape_does_not_know_names_contents_or_the_order_of_what_is_independent() -> None:
    plain = shape(relayed(*CHAIN))
    named = [
        ("xyz"[node], Receive("xyz"[event.source], event.message))
        if isinstance(event, Receive)
        else ("xyz"[node], event)
        for node, event in CHAIN
    ]
    assert shape(relayed(*named, nodes=("x", "y", "z"))) == plain
    shifted = ((1, Submit("b")), (2, Receive(1, "b")), (0, Receive(2, "b+")), (2, Timeout("tick")))
    assert shape(relayed(*shifted)) == plain
    assert shape(relayed(CHAIN[3], *CHAIN[:3])) == plain
    assert shape(relayed(CHAIN[0], CHAIN[3], *CHAIN[1:3])) == plain


@pytest.mark.parametrize(
    "other",
    [
        CHAIN[:3],
        (*CHAIN[:2], (0, Submit("b")), CHAIN[3]),  # One receipt less, one submission more.
        ((0, Submit("a")), (1, Receive(0, "a")), (1, Timeout("tick")), (2, Receive(1, "t"))),
        ((0, Submit("a")), (1, Receive(0, "a")), (1, Timeout("tick")), (2, Receive(1, 1))),
        (*CHAIN[:3], (1, Restart())),
    ],
)
def test_a_shape_differs_where_a_chain_does(other: Any) -> None:
    assert shape(relayed(*other)) != shape(relayed(*CHAIN))


def test_kinds_of_events_tell_no_contents() -> None:
    torn = Torn(Receive(0, "m"), 1)
    kinds = [event_kind(event) for event in (Submit("a"), Restart(), torn, Timeout("tick"))]
    assert kinds == ["submit", "restart", "torn receive str", "timeout 'tick'"]


def test_nothing_depends_on_what_multi_paxos_does_alone() -> None:
    """The walks of our own Multi-Paxos are reordered too, with links that keep the order."""
    scope = Scope(commands=("a", "b"), timeouts_max=2, restarts_max=1, torn=True, links="ordered")
    for seed in range(6):
        run = replayed(MultiPaxos(), scope, walk(MultiPaxos(), scope, seed, 25))
        assert replayed(MultiPaxos(), scope, reordered(run, seed)).end == run.end
        assert any(isinstance(handled_event(step.event), Receive) for step in run.steps)
