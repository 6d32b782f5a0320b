"""Minimizing never loses the bug, whatever the implementation, the links and the property.

Random implementations walk at random until something is wrong, and that walk is minimized. What
comes out as shortest is compared with the plain search in its scope.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indelible import Scope, Timeout, always
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import minimize
from indelible.checkers.minimize.schedule import play, schedule
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.model.trace import Trace
from support.effect_properties import cancels_last
from support.random_implementation import SCOPES, RandomImplementation

EVENTS_MAX = 60
SEARCH = Limits(states_max=20_000)
TWIN = Limits(states_max=1_500)


@always(reads="step", fields=("sent", "storage"))
def storage_never_falls(before, event, after):
    """What is stored never falls once something was sent, but by a time-out."""
    if isinstance(event, Timeout):
        return True
    return not before.sent or (before.storage or 0) <= (after.storage or 0)


@always(reads="record", fields=("sent", "timers"))
def never_three_sent(record):
    """No node has sent three different messages while a timer is armed."""
    return len(record.sent) < 3 or not record.timers


@always(reads="record", fields=("timers", "submissions"))
def armed_once_submitted(record):
    """A node to which something was submitted has a timer that may fire."""
    return bool(record.timers) or not any(record.submissions)


@always(reads="pair", fields=("storage",))
def storages_are_close(one, other):
    """No node stores two more than another."""
    return abs((one.storage or 0) - (other.storage or 0)) < 2


@always(reads="records", fields=("storage", "restarts"))
def storages_add_up_to_little(records, *, world):
    """All nodes together store no more than one, and one more for each command and restart."""
    total = sum(record.storage or 0 for record in records)
    return total <= 1 + len(world.commands) + sum(record.restarts for record in records)


PROPERTIES = {
    "record": never_three_sent,
    "record, bounded": armed_once_submitted,
    "step": storage_never_falls,
    "step, effects": cancels_last,
    "pair": storages_are_close,
    "pair, testimony": BUILT_IN["agreement"],
    "records": storages_add_up_to_little,
    "records, testimony": BUILT_IN["decided_implies_chosen"],
    "records, world": BUILT_IN["validity"],
    "exceptions": None,
}


def failing_walk(watch, seed):
    """A random walk to the first violation, past what only raises; ``None`` if it finds none."""
    draw = random.Random(seed)
    judged = watch.start()
    state, actions = judged.state, []
    for _ in range(EVENTS_MAX):
        enabled = () if state is None else watch.cluster.enabled(state)
        if judged.violation is not None or not enabled:
            break
        action = draw.choice(enabled)
        judged = watch.step(state, action)
        if not judged.raised or judged.violation is not None:
            actions.append(action)
            state = judged.state
    if judged.violation is None:
        return None
    return Trace("random", watch.scope, tuple(actions), judged.violation)


def assert_minimized(implementation, property, trace):
    """All that holds of any trace that is minimized; returns what came out."""
    small = minimize(implementation, trace, property, limits=SEARCH)
    watch = Watch(implementation, small.trace.scope, property)
    found = replay(watch, small.trace.actions)
    assert found.outcome == "violates"
    assert found.step == len(small.trace) <= len(trace)
    assert found.violation == small.trace.violation
    assert small.trace.violation.property == (RAISES if property is None else property.name)
    events = [len(trace), *(stage.events for stage in small.stages)]
    assert events == sorted(events, reverse=True)
    intents = play(watch, schedule(small.trace.actions)).intents
    for left_out in range(len(intents)):
        kept = [at for at in range(len(intents)) if at != left_out]
        without = play(watch, intents, kept)
        assert without.violation is None or len(without.intents) >= len(intents)
    return small


def assert_as_short_as_the_twin_finds(implementation, property, small):
    """In its own scope the plain search finds nothing shorter, if that finishes."""
    chosen = () if property is None else (property,)
    twin = explore_breadth_first(implementation, small.trace.scope, chosen, TWIN)
    if twin.violation is None:
        return  # It gave up, or waits for testimony that no node gives.
    if twin.violation.property == small.trace.violation.property:
        assert len(small.trace) == len(twin.trace)
    else:
        assert twin.violation.property == RAISES


@pytest.mark.parametrize("kind", PROPERTIES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
@example(
    seed=4678250,
    scope=Scope(nodes=2, commands=("a",), submissions_max=None, timeouts_max=1, restarts_max=0),
)
def test_what_fails_at_random_still_fails_when_it_is_short(kind, seed, scope):
    implementation = RandomImplementation(seed)
    trace = failing_walk(Watch(implementation, scope, PROPERTIES[kind]), seed)
    if trace is None:
        return
    small = assert_minimized(implementation, PROPERTIES[kind], trace)
    if small.length == "shortest":
        assert_as_short_as_the_twin_finds(implementation, PROPERTIES[kind], small)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROPERTIES)
@settings(max_examples=600, deadline=None, derandomize=True)
@given(seed=st.integers(10**6, 10**9), scope=SCOPES)
def test_many_more_that_fail_at_random(kind, seed, scope):
    test_what_fails_at_random_still_fails_when_it_is_short.hypothesis.inner_test(kind, seed, scope)


@pytest.mark.parametrize("kind", PROPERTIES)
def test_such_walks_do_fail(kind):
    """Else the tests above could not."""
    scope = Scope(nodes=2, submissions_max=9, timeouts_max=9, restarts_max=1, torn=True)
    failing = 0
    for seed in range(100):
        watch = Watch(RandomImplementation(seed), scope, PROPERTIES[kind])
        failing += failing_walk(watch, seed) is not None
        if failing == 4:
            return
    raise AssertionError(f"{failing} of a hundred walks fail")
