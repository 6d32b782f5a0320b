"""Runs: for each step what happened, what caused it and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Decide, Persist, Receive, Restart, Scope, Send, Submit, Vote
from indelible.model.cluster import Cluster
from indelible.model.errors import TraceError
from indelible.model.events import Action, Torn
from indelible.model.run import Run, handled_event, replayed
from support.random_implementation import SCOPES, RandomImplementation
from support.scripted import Scripted
from support.walks import walk

X, Y = Receive(0, "x"), Receive(0, "y")
GO = (0, Submit("go"))
TWO_X = {(0, "start"): (Send(1, "x"),), (0, Submit("go")): (Send(1, "y"), Send(1, "x"))}


def run(script: Mapping[Any, Any], *actions: Action, **fields: Any) -> Run:
    bounds = {"nodes": 2, "commands": ("go",), "submissions_max": None, "restarts_max": 3}
    return replayed(Scripted(script), Scope(**(bounds | fields)), actions)


def causes(found: Run) -> list[int | None]:
    return [step.cause for step in found.steps]


# --- causes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "actions", "expected"),
    [
        # x is sent at the start, then y and x in each step that handles "go".
        ("unordered_duplicating", (GO, (1, X), (1, X), (1, Y)), [None, 0, 0, 1]),
        ("unordered_duplicating", (GO, GO, (1, Y), (1, Y)), [None, None, 1, 1]),
        ("unordered", (GO, (1, X), (1, X), (1, Y)), [None, 0, 1, 1]),
        ("unordered", (GO, GO, (1, Y), (1, Y), (1, X)), [None, None, 1, 2, 0]),
        ("ordered", (GO, (1, X), (1, Y), (1, X)), [None, 0, 1, 1]),
        ("ordered", (GO, (1, X), GO, (1, Y), (1, X), (1, Y)), [None, 0, None, 1, 1, 3]),
    ],
)
def test_the_kth_receipt_is_of_the_kth_send(links: Any, actions: Any, expected: Any) -> None:
    """Where the links tell; where they duplicate, every receipt is of the first."""
    assert causes(run(TWO_X, *actions, links=links)) == expected


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("unordered_duplicating", [None, 0, None, 0, 0]),
        ("unordered", [None, 0, None, 1, None]),
        ("ordered", [None, 0, None, 1, None]),
    ],
)
def test_causes_are_counted_over_restarts_at_either_end(links: Any, expected: Any) -> None:
    """The sender sends x again as it starts again, in step 1; the receiver has forgotten step 2."""
    restart = Restart()
    actions = [(0, restart), (1, X), (1, restart), (1, X), (1, X)]
    if links != "unordered_duplicating":
        actions[-1] = (0, restart)
    found = run({(0, "start"): (Send(1, "x"),)}, *actions, links=links)
    assert causes(found) == expected


@pytest.mark.parametrize(
    ("links", "expected"), [("unordered", [0, None, 2]), ("ordered", [0, None, 2])]
)
def test_a_message_that_a_torn_step_takes_off_the_link_counts(links: Any, expected: Any) -> None:
    script = TWO_X | {(1, X): (Persist("s"), Decide(0, "a")), (0, Submit("go")): (Send(1, "x"),)}
    found = run(script, (1, Torn(X, 1)), GO, (1, X), links=links, torn=True)
    assert causes(found) == expected


def test_what_a_torn_step_sends_is_its_own_and_what_it_loses_is_nobodys() -> None:
    script = {
        (0, "start"): (Send(1, "y"),),
        (0, Submit("go")): (Persist("s"), Send(1, "x"), Send(1, "z")),
    }
    found = run(script, (0, Torn(Submit("go"), 2)), (1, X), (1, Y), (1, Y), links="unordered",
                torn=True)  # fmt: skip
    assert causes(found) == [None, 1, 0, 1], "y is sent again by the restart in step 1"
    with pytest.raises(TraceError):
        run(script, (0, Torn(Submit("go"), 2)), (1, Receive(0, "z")), torn=True)


def test_two_senders_of_the_same_message_are_told_apart() -> None:
    script = {(0, "start"): (Send(2, "x"),), (1, Submit("go")): (Send(2, "x"),)}
    actions = [(1, Submit("go")), (2, Receive(1, "x")), (2, Receive(0, "x"))]
    assert causes(run(script, *actions, nodes=3)) == [None, 1, 0]


def test_a_message_to_oneself_is_caused_by_the_step_before() -> None:
    script = {(0, Submit("go")): (Send(0, "x"),), (0, X): (Send(0, "x"),)}
    assert causes(run(script, GO, (0, X), (0, X), links="unordered")) == [None, 1, 2]


# --- effects ------------------------------------------------------------------------------------


def test_the_effects_of_a_torn_step_fall_into_three_parts() -> None:
    whole = (Persist("s"), Vote(0, 1, "a"), Send(1, "x"))
    script = {(0, Submit("go")): whole, (0, "start", "s"): (Send(1, "hello"),)}
    found = run(script, (0, Torn(Submit("go"), 2)), torn=True)
    (step,) = found.steps
    assert (step.effects, step.lost, step.restarted) == (
        whole[:2],
        whole[2:],
        (Send(1, "hello"),),
    )
    assert step.all_effects == (*whole[:2], Send(1, "hello"))
    assert step.sends == (Send(1, "hello"),)
    assert handled_event(step.event) == Submit("go")
    assert (step.before.record.storage, step.after.record.storage) == (None, "s")


def test_what_a_restart_does_stands_apart_from_what_an_event_does() -> None:
    script = {(0, "start"): (Send(1, "x"),), (0, Submit("go")): (Decide(0, "a"),)}
    found = run(script, GO, (0, Restart()))
    assert found.started == ((Send(1, "x"),), ())
    assert [(step.effects, step.lost, step.restarted) for step in found.steps] == [
        ((Decide(0, "a"),), (), ()),
        ((), (), (Send(1, "x"),)),
    ]


# --- exceptions ---------------------------------------------------------------------------------


def test_a_step_that_raises_is_the_last_and_leaves_its_node_as_it_was() -> None:
    script = {(0, "start"): (Send(1, "x"),), (1, X): "at x"}
    found = run(script, GO, (1, X), GO)
    assert [step.number for step in found.steps] == [1, 2]
    last = found.steps[-1]
    assert last.raised.startswith("ValueError: at x (in _effects, scripted.py:")
    assert last.before == last.after
    assert (last.effects, last.cause) == ((), 0)
    assert found.end is not None
    assert found.end.nodes[1] == last.before


def test_a_restart_may_raise_at_the_end_of_a_torn_step() -> None:
    script = {(0, Submit("go")): (Persist("s"), Send(1, "x")), (0, "start", "s"): "on the way up"}
    found = run(script, (0, Torn(Submit("go"), 1)), torn=True)
    (step,) = found.steps
    assert step.raised.startswith("ValueError: on the way up")
    assert (step.before, step.effects) == (step.after, ())


def test_where_a_node_cannot_even_start_there_is_no_run() -> None:
    found = run({(1, "start"): "at once"}, GO)
    assert (found.initial, found.end, found.steps, found.started) == (None, None, (), ())


def test_a_step_that_is_not_enabled_does_not_fit() -> None:
    with pytest.raises(TraceError, match="step 2 does not fit"):
        run(TWO_X, GO, (0, X))


# --- the whole of it ----------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_a_run_agrees_with_the_cluster_step_by_step(seed: int, scope: Scope) -> None:
    """The end, each node before and after each step, all that took place, and every cause: a step
    before, of the node that it came from, that sent just this message."""
    implementation = RandomImplementation(seed)
    actions = walk(implementation, scope, seed, 12)
    found = replayed(implementation, scope, actions)
    if found.initial is None:
        return
    state = found.initial
    steps = list(Cluster(implementation, scope, twice=False).replay(actions))
    assert len(steps) == len(found.steps)
    for step, (before, outcome) in zip(found.steps, steps, strict=True):
        index = scope.nodes.index(step.node)
        assert (state, step.before, step.after) == (
            before,
            before.nodes[index],
            outcome.state.nodes[index],
        )
        assert step.all_effects == outcome.effects
        state = outcome.state
        check_cause(found, step)
    assert found.end == state


def check_cause(found: Run, step: Any) -> None:
    event = handled_event(step.event)
    if not isinstance(event, Receive):
        assert step.cause is None
        return
    assert step.cause is not None
    assert step.cause < step.number
    if step.cause:
        sender = found.steps[step.cause - 1]
        node, sends = sender.node, sender.sends
    else:
        node = event.source
        sends = found.started[found.scope.nodes.index(node)]
    assert node == event.source
    assert Send(step.node, event.message) in sends
