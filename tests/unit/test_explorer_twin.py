"""The fast explorer and its plain twin must agree: states, transitions, depth, verdict, results.

Random implementations, drawn by Hypothesis, look for what hand-written ones do not think of.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import (
    Receive,
    Scope,
    Submit,
    Timeout,
    Torn,
    always,
    explore,
    sometimes,
)
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN
from indelible.impl.multipaxos import MultiPaxos
from support.effect_properties import cancels_last, saves_no_more_than_it_sends
from support.random_implementation import SCOPES, RandomImplementation

STATES_MAX = 400


@always(reads="step", fields=("sent", "storage"))
def storage_never_falls(before, event, after):
    """What is persisted never falls while something was sent, but by a time-out."""
    if isinstance(event, Timeout):
        return True
    return not before.sent or (before.storage or 0) <= (after.storage or 0)


@always(reads="record", fields=("sent", "timers"))
def never_five_sent(record):
    """No node has sent five different messages while a timer is armed."""
    return len(record.sent) < 5 or not record.timers


@sometimes(reads="pair", fields=("storage",))
def storages_differ(one, other):
    """Two nodes store different things."""
    return one.storage != other.storage


OF_EFFECTS = (cancels_last, saves_no_more_than_it_sends)
ALL = (*BUILT_IN.values(), storage_never_falls, never_five_sent, storages_differ, *OF_EFFECTS)
QUIET = (storages_differ, BUILT_IN["entry_decided"])


def facts(verdict):
    """All that two searches must agree on."""
    violation = verdict.violation
    return {
        "outcome": verdict.outcome,
        "states_distinct": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "violated": violation and violation.property,
        "length": verdict.trace and len(verdict.trace),
        "properties": verdict.properties,
    }


def assert_twins_agree(implementation, scope, properties):
    """Compare both searches, unless the scope is too large for the slow one."""
    plain = explore_breadth_first(
        implementation, scope, tuple(properties), Limits(states_max=STATES_MAX)
    )
    if plain.states_distinct > STATES_MAX:
        return
    fast = explore(implementation, scope, properties=properties, required=False, limits=Limits())
    assert facts(fast) == facts(plain)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, quiet=st.booleans())
def test_random_implementations(seed, scope, quiet):
    assert_twins_agree(RandomImplementation(seed), scope, QUIET if quiet else ALL)


@pytest.mark.parametrize("known", OF_EFFECTS, ids=lambda known: known.name)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_properties_of_effects(known, seed, scope):
    """Alone, since one that is broken sooner ends the search."""
    assert_twins_agree(RandomImplementation(seed), scope, (known,))


def test_each_property_of_effects_is_violated_and_holds_somewhere():
    """By whole steps and by torn ones. Without this the test above could hold of nothing."""
    scope = Scope(nodes=2, restarts_max=1, torn=True)
    for known in OF_EFFECTS:
        seen = set()
        for seed in range(60):
            verdict = explore(RandomImplementation(seed), scope, properties=[known])
            if verdict.violation and verdict.violation.property == known.name:
                seen.add(type(verdict.trace.actions[-1][1]))
            seen.add(verdict.outcome)
        assert seen >= {"holds", Torn, Receive} or seen >= {"holds", Torn, Submit}, known.name


ELECTION = {"election": 1, "heartbeat": 0, "retransmit": 0}

MULTI_PAXOS_SCOPES = {
    "one candidate": Scope(timeouts_max=ELECTION, may_time_out=(0,)),
    "two slots": Scope(timeouts_max=ELECTION, may_time_out=(0,), commands=("a", "b")),
    "four nodes": Scope(nodes=4, timeouts_max=ELECTION, may_time_out=(0,)),
    "three nodes, torn": Scope(timeouts_max=ELECTION, may_time_out=(0,), restarts_max=1, torn=True),
    "one submits": Scope(timeouts_max=ELECTION, may_submit=(1,), may_time_out=(1,), restarts_max=1),
    "two nodes": Scope(nodes=2, timeouts_max=ELECTION, may_time_out=(0,), commands=("a", "b")),
    "two nodes, heartbeats": Scope(nodes=2, may_time_out=(0,), timeouts_max=2),
    "restart": Scope(nodes=2, timeouts_max=ELECTION, may_time_out=(0,), restarts_max=1),
    "torn": Scope(nodes=2, timeouts_max=ELECTION, may_time_out=(0,), restarts_max=1, torn=True),
    "at most once": Scope(nodes=2, timeouts_max=ELECTION, may_time_out=(0,), links="unordered"),
    "ordered": Scope(timeouts_max=ELECTION, may_time_out=(0,), links="ordered"),
    "ordered, torn": Scope(
        nodes=2,
        timeouts_max=ELECTION,
        may_time_out=(0,),
        links="ordered",
        restarts_max=1,
        torn=True,
    ),
    "unbounded restarts": Scope(
        nodes=2, timeouts_max=ELECTION, may_time_out=(0,), restarts_max=None
    ),
    "unbounded submissions": Scope(
        nodes=2, timeouts_max=ELECTION, may_time_out=(0,), submissions_max=None
    ),
    "each its own command": Scope(
        nodes=2,
        timeouts_max=ELECTION,
        may_time_out=(1,),
        commands=("a", "b"),
        may_submit={"a": (1,), "b": (0, 1)},
    ),
    "named nodes": Scope(nodes=("x", "y"), timeouts_max=ELECTION, may_time_out=("y",)),
}


@pytest.mark.parametrize("name", MULTI_PAXOS_SCOPES)
def test_multi_paxos(name):
    scope = MULTI_PAXOS_SCOPES[name]
    properties = [BUILT_IN[known] for known in BUILT_IN if known != "leader_replaced"]
    plain = explore_breadth_first(MultiPaxos(), scope, tuple(properties), Limits())
    fast = explore(MultiPaxos(), scope, properties=properties, limits=Limits())
    assert facts(fast) == facts(plain)
    assert fast.outcome == "holds"
