"""A limit on the number of events: what it judges, what it says, and that both searches agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Limits, Scope, Submit, always, explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.verdict import Verdict
from support.random_implementation import SCOPES, RandomImplementation
from support.scripted import Scripted

STATES_MAX = 300
QUIET = (BUILT_IN["entry_decided"],)
ALL = tuple(BUILT_IN.values())


def facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "states_distinct": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "exhausted": verdict.exhausted,
        "length": verdict.trace and len(verdict.trace),
        "properties": verdict.properties,
    }


def plainly(implementation: Any, scope: Scope, properties: Any, limits: Limits) -> Verdict:
    return explore_breadth_first(implementation, scope, properties, limits)


def swiftly(implementation: Any, scope: Scope, properties: Any, limits: Limits) -> Verdict:
    return explore(implementation, scope, properties=properties, limits=limits)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, quiet=st.booleans(), depth_max=st.integers(0, 6))
def test_both_searches_agree(seed: int, scope: Scope, quiet: bool, depth_max: int) -> None:
    """A violation in so many events is found as without the limit, and no longer one."""
    implementation, properties = RandomImplementation(seed), QUIET if quiet else ALL
    limits = Limits(depth_max=depth_max, states_max=STATES_MAX)
    plain = plainly(implementation, scope, properties, limits)
    if plain.states_distinct > STATES_MAX:
        return
    assert facts(swiftly(implementation, scope, properties, limits)) == facts(plain)
    assert plain.depth <= depth_max
    if plain.outcome == "inconclusive" and plain.trace is None and not plain.exhausted:
        assert plain.reason == f"the limit of {depth_max} events was reached"
    if plain.trace is not None:
        assert len(plain.trace) <= depth_max
        unlimited = plainly(implementation, scope, properties, Limits())
        assert unlimited.trace == plain.trace


@pytest.mark.parametrize("search", [plainly, swiftly])
def test_a_violation_after_exactly_so_many_events_is_found(search: Any) -> None:
    bug = KNOWN_BUGS["phase2_quorum_half"]
    properties = [BUILT_IN[bug.property]]
    found = search(bug.implementation, bug.scope, properties, Limits(depth_max=4))
    assert found.outcome == "violated"
    assert len(found.trace) == 4
    missed = search(bug.implementation, bug.scope, properties, Limits(depth_max=3))
    assert (missed.outcome, missed.trace, missed.exhausted) == ("inconclusive", None, False)
    assert (missed.reason, missed.depth) == ("the limit of 3 events was reached", 3)


@always(reads="step", fields=("storage",))
def nothing_is_submitted(before: Any, event: Any, after: Any) -> bool:  # noqa: ARG001
    """A property of a step, which is judged where the step is taken."""
    return event != Submit("go")


SCRIPT: dict[Any, Any] = {(0, Submit("go")): "oh"}


@pytest.mark.parametrize("search", [plainly, swiftly])
def test_an_exception_at_the_last_event_is_found(search: Any) -> None:
    """It leads to no state, and counts as an event all the same."""
    scope = Scope(nodes=1, commands=("go",))
    found = search(Scripted(SCRIPT), scope, ALL[:1], Limits(depth_max=1))
    assert (found.outcome, len(found.trace)) == ("violated", 1)
    missed = search(Scripted(SCRIPT), scope, ALL[:1], Limits(depth_max=0))
    assert (missed.outcome, missed.reason) == ("inconclusive", "the limit of 0 events was reached")


@pytest.mark.parametrize("search", [plainly, swiftly])
def test_a_step_at_the_last_event_is_judged(search: Any) -> None:
    scope = Scope(nodes=1, commands=("go",))
    for depth_max, outcome in ((1, "violated"), (0, "inconclusive")):
        limits = Limits(depth_max=depth_max)
        assert search(Scripted(), scope, (nothing_is_submitted,), limits).outcome == outcome


@pytest.mark.parametrize("search", [plainly, swiftly])
def test_a_scope_that_ends_before_the_limit_is_exhausted(search: Any) -> None:
    """At the limit itself nobody has looked whether more could happen."""
    scope = Scope(nodes=1, commands=("go",), submissions_max=2)
    for depth_max, exhausted in ((3, True), (2, False), (1, False)):
        found = search(Scripted(), scope, [nothing_at_all], Limits(depth_max=depth_max))
        assert (found.exhausted, found.outcome == "holds") == (exhausted, exhausted)


@always(reads="record", fields=("submissions",))
def nothing_at_all(record: Any) -> bool:
    """A property that holds."""
    return sum(record.submissions) < 3
