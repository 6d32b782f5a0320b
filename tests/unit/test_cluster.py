"""The cluster: what may happen next, and what it leads to, rule by rule."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.model.cluster import Cluster, ClusterState, cuts
from indelible.model.effects import (
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import ImplementationRaised, TraceError
from indelible.model.events import (
    Action,
    Event,
    InputEvent,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
)
from indelible.model.implementation import Step
from indelible.model.record import Record
from indelible.model.scope import Links, Scope

TICK = SetTimer("tick", (1, 1))


@dataclass(frozen=True)
class Scripted:
    """Does at each event what the script says; its state is what it found stored and what it saw.

    The script's keys are ``(node, event)``, or ``(node, "start")`` for every start.
    """

    script: Mapping[Any, tuple[Effect, ...]] = field(default_factory=dict)

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((storage,), self.script.get((node, "start"), ()))

    def handle(self, node: Any, state: Any, event: InputEvent) -> Step:
        return Step((*state, event), self.script.get((node, event), ()))


def cluster(script: Mapping[Any, tuple[Effect, ...]], **fields: Any) -> Cluster:
    """Two nodes, and nothing may happen but what ``fields`` of the scope allow."""
    bounds: dict[str, Any] = {"nodes": 2, "commands": (), "timeouts_max": 0}
    return Cluster(Scripted(script), Scope(**(bounds | fields)))


def after(on: Cluster, *actions: Action) -> ClusterState:
    """The state after actions that must all be enabled."""
    states = [on.initial(), *(outcome.state for _, outcome in on.replay(actions))]
    return states[-1]


def events_at(on: Cluster, node: Any, state: ClusterState) -> list[Event]:
    return [event for at, event in on.enabled(state) if at == node]


# --- the start ----------------------------------------------------------------------------------


def test_every_node_starts_with_nothing_stored_and_its_effects_take_place() -> None:
    on = cluster({(0, "start"): (Persist("s"), Send(1, "m"), Decide(0, "v"))})
    first, second = on.initial().nodes
    assert first.state == second.state == (None,)
    assert (first.record.storage, first.record.decided) == ("s", ((0, "v"),))
    assert second.record == Record()
    assert on.enabled(on.initial()) == ((1, Receive(0, "m")),)


# --- links --------------------------------------------------------------------------------------

X, Y = Receive(0, "x"), Receive(0, "y")
SENDING = {(0, "start"): (Send(1, "x"), Send(1, "y"), Send(1, "x"))}


@pytest.mark.parametrize(
    ("links", "received", "enabled"),
    [
        ("unordered_duplicating", (), [X, Y]),
        ("unordered_duplicating", (Y, Y, X), [X, Y]),
        ("unordered", (), [X, Y]),
        ("unordered", (X,), [X, Y]),
        ("unordered", (X, X), [Y]),
        ("unordered", (Y, X), [X]),
        ("unordered", (X, Y, X), []),
        ("ordered", (), [X]),
        ("ordered", (X,), [Y]),
        ("ordered", (X, Y), [X]),
        ("ordered", (X, Y, X), []),
    ],
)
def test_links_deliver(links: Links, received: tuple[Event, ...], enabled: list[Event]) -> None:
    """Node 0 has sent x, y and x again."""
    on = cluster(SENDING, links=links)
    state = after(on, *((1, event) for event in received))
    assert events_at(on, 1, state) == enabled
    assert events_at(on, 0, state) == []


def test_a_node_may_send_to_itself_and_receives_it_like_any_other() -> None:
    on = cluster({(0, "start"): (Send(0, "x"),)}, links="ordered")
    assert on.enabled(on.initial()) == ((0, Receive(0, "x")),)
    assert on.enabled(after(on, (0, Receive(0, "x")))) == ()


def test_ordered_links_outlive_a_restart_at_either_end() -> None:
    """What was received is not delivered again, and what is under way still is."""
    on = cluster(SENDING, links="ordered", restarts_max=None)
    state = after(on, (1, X), (1, Restart()))
    assert events_at(on, 1, state) == [Y, Restart()]
    # The sender sends the three again when it starts again, after those under way.
    rest = after(on, (1, X), (0, Restart()), (1, Y), (1, X), (1, X), (1, Y), (1, X))
    assert events_at(on, 1, rest) == [Restart()]


# --- timers -------------------------------------------------------------------------------------


def test_a_timer_fires_once_each_time_it_is_armed() -> None:
    script = {(0, "start"): (TICK,), (0, Submit("a")): (TICK,)}
    on = cluster(script, commands=("a",), timeouts_max=None)
    tick, submit = (0, Timeout("tick")), (0, Submit("a"))
    assert tick in on.enabled(on.initial())
    assert tick not in on.enabled(after(on, tick))
    assert tick in on.enabled(after(on, tick, submit))


def test_a_timer_is_armed_anew_while_it_fires() -> None:
    on = cluster({(0, "start"): (TICK,), (0, Timeout("tick")): (TICK,)}, timeouts_max=2)
    tick = (0, Timeout("tick"))
    assert on.enabled(after(on, tick)) == (tick,)
    assert on.enabled(after(on, tick, tick)) == (), "the budget is used up"


def test_a_cancelled_timer_does_not_fire() -> None:
    on = cluster({(0, "start"): (TICK, CancelTimer("tick"))}, timeouts_max=1)
    assert on.enabled(on.initial()) == ()


def test_budgets_of_timers_are_per_node() -> None:
    on = cluster({(0, "start"): (TICK,), (1, "start"): (TICK,)}, timeouts_max=1)
    assert on.enabled(after(on, (0, Timeout("tick")))) == ((1, Timeout("tick")),)


def test_only_nodes_that_may_time_out_do() -> None:
    on = cluster(
        {(0, "start"): (TICK,), (1, "start"): (TICK,)}, timeouts_max=None, may_time_out=(1,)
    )
    assert on.enabled(on.initial()) == ((1, Timeout("tick")),)


# --- submissions --------------------------------------------------------------------------------


def test_each_command_may_be_submitted_so_often_in_all() -> None:
    on = cluster({}, commands=("a", "b"), submissions_max=2)
    a, b = Submit("a"), Submit("b")
    assert on.enabled(on.initial()) == ((0, a), (0, b), (1, a), (1, b))
    assert on.enabled(after(on, (0, a), (1, a))) == ((0, b), (1, b))
    assert on.enabled(after(on, (0, a), (1, a), (1, b), (1, b))) == ()


def test_clients_submit_only_to_the_nodes_they_may() -> None:
    on = cluster({}, commands=("a",), may_submit=(1,), submissions_max=None)
    assert on.enabled(after(on, (1, Submit("a")))) == ((1, Submit("a")),)


def test_each_command_goes_to_its_own_nodes() -> None:
    on = cluster({}, nodes=2, commands=("a", "b", "c"), may_submit={"a": (1,), "b": (0,)})
    assert on.enabled(on.initial()) == (
        (0, Submit("b")),
        (0, Submit("c")),
        (1, Submit("a")),
        (1, Submit("c")),
    )


# --- restarts -----------------------------------------------------------------------------------


def test_a_restart_leaves_the_storage_and_what_was_said() -> None:
    script = {
        (0, Submit("a")): (Persist("s"), Persist("t"), Send(1, "m"), Decide(0, "a"), TICK),
    }
    on = cluster(script, commands=("a",), timeouts_max=1, restarts_max=1)
    before = after(on, (0, Submit("a")))
    assert before.nodes[0].record.timers == {"tick"}
    node = on.step(before, (0, Restart())).nodes[0]
    assert node.state == ("t",), "it knows what it last stored, and nothing else"
    expected = before.nodes[0].record._replace(timers=frozenset(), restarts=1)
    assert node.record == expected


def test_restarts_are_bounded_in_all() -> None:
    on = cluster({}, restarts_max=2)
    restarts = ((0, Restart()), (1, Restart()))
    assert on.enabled(after(on, (0, Restart()))) == restarts
    assert on.enabled(after(on, *restarts)) == ()


@pytest.mark.parametrize(("restarts_max", "count"), [(0, 0), (None, 2)])
def test_restarts_are_ruled_out_or_unbounded(restarts_max: int | None, count: int) -> None:
    on = cluster({}, restarts_max=restarts_max)
    assert len(on.enabled(on.initial())) == count
    if count:
        assert on.step(on.initial(), (0, Restart())) == on.initial(), "nothing to forget or count"


# --- torn steps ---------------------------------------------------------------------------------

PAIR = (Persist("s"), Send(1, "m"), Reply("a", "ok"))


def test_a_torn_step_keeps_a_prefix_of_the_effects_and_restarts() -> None:
    on = cluster(
        {(0, Submit("a")): PAIR, (0, "start"): (Promise(1),)},
        commands=("a",),
        restarts_max=1,
        torn=True,
    )
    torn = Torn(Submit("a"), 1)
    assert events_at(on, 0, on.initial()) == [Submit("a"), Restart(), torn]
    state, effects = on.outcome(on.initial(), (0, torn))
    assert effects == (Persist("s"), Promise(1)), "what was kept, then what the new start does"
    assert state.nodes[0].state == ("s",)
    assert state.nodes[0].record.sent == frozenset()
    assert state.nodes[0].record.submissions == (1,), "the command is lost, and was submitted"
    assert state.nodes[0].record.restarts == 1
    assert events_at(on, 0, state) == [], "a torn step uses up a restart"


def test_steps_are_torn_only_where_the_scope_says_so() -> None:
    on = cluster({(0, Submit("a")): PAIR}, commands=("a",), restarts_max=1)
    assert events_at(on, 0, on.initial()) == [Submit("a"), Restart()]


class Raising(Scripted):
    def handle(self, node: Any, state: Any, event: InputEvent) -> Step:
        raise ValueError("always")


def test_a_step_that_raises_cannot_be_torn_but_is_a_finding() -> None:
    scope = Scope(nodes=1, restarts_max=1, torn=True)
    on = Cluster(Raising(), scope)
    assert on.enabled(on.initial()) == ((0, Submit("a")), (0, Restart()))
    with pytest.raises(ImplementationRaised, match=r"ValueError: always \(in handle, test_cluster"):
        on.step(on.initial(), (0, Submit("a")))


SAVE, SEND, SAY, TIMER = Persist("s"), Send(1, "m"), Reply("a", "ok"), TICK


@pytest.mark.parametrize(
    ("effects", "after_how_many"),
    [
        ((), ()),
        ((SAVE,), ()),  # Nothing kept, or all that lasts: a restart before or after.
        ((TIMER, SAY), ()),  # Nothing lasts.
        ((SAVE, SEND), (1,)),
        ((SAVE, SEND, SEND), (1, 2)),
        ((SAVE, TIMER, SEND, SAY), (1,)),  # Right after what lasts, and not once more later.
        ((TIMER, SAVE, SEND), (2,)),
        ((SAY, SAVE, TIMER), ()),
        ((Decide(0, "a"), Execute(0, "a"), Promise(1), Vote(0, 1, "a"), Lead(1)), (1, 2, 3, 4)),
    ],
)
def test_cuts_fall_between_effects_that_outlive_the_crash(
    effects: tuple[Effect, ...], after_how_many: tuple[int, ...]
) -> None:
    events: list[InputEvent] = [Submit("a"), Timeout("tick"), Receive(0, "x")]
    for event in events:
        assert cuts(effects, event, "unordered_duplicating") == after_how_many
        assert cuts(effects, event, "unordered") == after_how_many
        # An ordered link cannot lose a message but by a crash right after it was taken off.
        first = (0,) if isinstance(event, Receive) else ()
        assert cuts(effects, event, "ordered") == first + after_how_many


def test_a_message_lost_in_a_crash_is_something_that_no_restart_leads_to() -> None:
    on = cluster(
        {(0, "start"): (Send(1, "x"),), (1, X): (SAVE,)},
        links="ordered",
        restarts_max=1,
        torn=True,
    )
    initial, restart = on.initial(), (1, Restart())
    lost = on.step(initial, (1, Torn(X, 0)))
    assert not covers(on.step(initial, restart), lost, on.scope)
    assert not covers(on.step(on.step(initial, (1, X)), restart), lost, on.scope)


EFFECTS = st.lists(
    st.sampled_from(
        [
            Persist("s"),
            Persist("t"),
            Send(0, "m"),
            Send(1, "m"),
            SetTimer("tick", (1, 1)),
            SetTimer("tock", (1, 1)),
            CancelTimer("tick"),
            Decide(0, "a"),
            Execute(0, "a"),
            Promise(1),
            Promise(2),
            Vote(0, 1, "a"),
            Lead(1),
            Reply("a", "ok"),
        ]
    ),
    max_size=4,
).map(tuple)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    starting=EFFECTS,
    reactions=st.tuples(EFFECTS, EFFECTS, EFFECTS),
    links=st.sampled_from(["unordered_duplicating", "unordered", "ordered"]),
    timeouts_max=st.sampled_from([1, 2, None]),
)
def test_crashes_left_out_by_cuts_lead_nowhere_else(
    starting: tuple[Effect, ...],
    reactions: tuple[tuple[Effect, ...], ...],
    links: Links,
    timeouts_max: int | None,
) -> None:
    """By brute force: after every other prefix the cluster is where a restart before or after the
    event leads to, or a shorter cut, but for budgets that are used up in vain."""
    events: tuple[InputEvent, ...] = (Submit("a"), Timeout("tick"), Receive(0, "m"))
    script = {(1, event): effects for event, effects in zip(events, reactions, strict=True)}
    script |= {(0, "start"): (Send(1, "m"), Send(1, "m")), (1, "start"): (*starting, TICK)}
    on = cluster(
        script,
        commands=("a",),
        submissions_max=2,
        timeouts_max=timeouts_max,
        restarts_max=3,
        torn=True,
        links=links,
    )
    initial = on.initial()
    for state in (initial, *(on.step(initial, action) for action in on.enabled(initial))):
        for event in events_at(on, 1, state):
            if isinstance(event, Submit | Timeout | Receive):
                check_left_out_cuts(on, state, event)


def check_left_out_cuts(on: Cluster, state: ClusterState, event: InputEvent) -> None:
    whole, effects = on.outcome(state, (1, event))
    kept = cuts(effects, event, on.scope.links)
    restarts = [on.step(state, (1, Restart())), on.step(whole, (1, Restart()))]
    for count in set(range(len(effects) + 1)) - set(kept):
        torn = on.step(state, (1, Torn(event, count)))
        shorter = [on.step(state, (1, Torn(event, each))) for each in kept if each < count]
        assert any(covers(other, torn, on.scope) for other in (*restarts, *shorter)), (event, count)


def covers(state: ClusterState, other: ClusterState, scope: Scope) -> bool:
    """Whether all that can follow ``other`` can follow ``state``: they are equal, but that node 1
    may have used up less in the one, and have more timers and messages left."""
    one, two = state.nodes[1], other.nodes[1]
    blank: dict[str, Any] = {"submissions": (), "timeouts": frozenset(), "timers": frozenset()}
    if scope.links != "ordered":
        blank["received"] = frozenset()  # Such links may lose any copy; ordered ones lose none.
    return (
        state.nodes[0] == other.nodes[0]
        and one.state == two.state
        and one.record._replace(**blank) == two.record._replace(**blank)
        and sum(one.record.submissions) <= sum(two.record.submissions)
        and sum(dict(one.record.timeouts).values()) <= sum(dict(two.record.timeouts).values())
        and one.record.timers >= two.record.timers
    )


# --- order, and replay --------------------------------------------------------------------------

WALK = """
from indelible.model.canonical import canonical_text
from indelible.model.cluster import Cluster
from indelible.model.effects import Persist, Send, SetTimer
from indelible.model.implementation import Step
from indelible.model.scope import Scope

class Gossip:
    def start(self, node, nodes, storage):
        timers = tuple(SetTimer(name, (1, 1)) for name in frozenset({"x", "yy", "zzz", "wwww"}))
        return Step((node, nodes, frozenset()), timers)

    def handle(self, node, state, event):
        _, nodes, seen = state
        seen = seen | {event}
        sends = tuple(Send(to, frozenset({node, to, "all"})) for to in nodes)
        return Step((node, nodes, seen), (*sends, Persist(seen), *self.start(node, nodes, None)[1]))

scope = Scope(nodes=("ann", "bob", "cid"), commands=("go", "stop"), timeouts_max=9,
              restarts_max=9, torn=True)
cluster = Cluster(Gossip(), scope)
state = cluster.initial()
for number in range(12):
    enabled = cluster.enabled(state)
    print(*map(canonical_text, enabled), sep="\\n")
    state = cluster.step(state, enabled[7 * number % len(enabled)])
"""


def test_what_is_enabled_is_in_an_order_that_no_hash_seed_changes(tmp_path: Path) -> None:
    """Timers, messages and sets inside messages are named by strings, whose hashes it changes."""

    def walk(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", "-c", WALK],
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = walk("1")
    assert len(first.splitlines()) > 200
    assert first == walk("2")


def test_replay_gives_every_state_and_what_took_place() -> None:
    on = cluster({(0, "start"): (Send(1, "x"),), (1, X): (SAVE,)})
    ((before, outcome),) = on.replay(((1, X),))
    assert before == on.initial()
    assert outcome == on.outcome(before, (1, X))
    assert outcome.effects == (SAVE,)


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ((1, Y), "step 2 does not fit: Receive(source=0, message='y') cannot happen at n1"),
        ((0, X), "step 2 does not fit: Receive(source=0, message='x') cannot happen at n0"),
        ((2, X), "step 2 does not fit: Receive(source=0, message='x') cannot happen at n2"),
        ((0, Torn(Submit("a"), 7)), "step 2 does not fit: Torn(event=Submit(command='a'), kept=7)"),
    ],
)
def test_a_replay_that_does_not_fit_says_where_and_what_was_enabled(
    action: Action, says: str
) -> None:
    script = {(0, "start"): (Send(1, "x"),), (0, Submit("a")): (SAVE, SEND)}
    on = cluster(script, commands=("a",), may_submit=(0,), restarts_max=1, torn=True)
    with pytest.raises(TraceError) as caught:
        list(on.replay(((1, X), action)))
    assert caught.value.fact.startswith(says)
    assert caught.value.available == (
        "n0 Submit(command='a'), n0 Restart(), n0 Torn(event=Submit(command='a'), kept=1), "
        "n1 Receive(source=0, message='x'), n1 Restart()"
    )
