"""Long failing traces of known bugs become as short as the explorer knows they can be."""

from __future__ import annotations

import pytest

from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import minimize
from indelible.checkers.minimize.restrict import used_scope
from indelible.checkers.minimize.schedule import play, schedule
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.run import replayed
from support.haystack import haystack, known_haystack, needle_of, roomy, walks_of

SLOW = (
    "pick_last_arrived",
    "pick_lowest",
    "promise_reports_promised_ballot",
    "promise_not_durable",
    "accept_not_durable",
    "wiped_disk_rejoins",
    "corrupt_tail_truncated",
    "accept_revealed_before_saved",
    "promise_hides_accepted",
    "ballot_not_unique",
    "accept_below_promise",
    "commit_index_trusted",
)
"""Bugs whose shortest trace takes the explorer most states, up to two million."""

LONG, SHORT = 300, 120
"""Events, about, in the haystacks of the slow bugs and of two more, and in those of all others.

In a short one of ``apply_out_of_order`` removal leaves a scope whose shortest trace is longer.
"""

STAGES = ("cut off at the first violation", "events removed", "simplified")
SEARCHED = (*STAGES, "searched for a shorter one")

COUNTS = ("submissions_max", "restarts_max")


def names():
    return [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in KNOWN_BUGS
    ]


def assert_fails_at_its_end(watch, trace):
    """The trace violates what is watched, in its last step and not before."""
    found = replay(watch, trace.actions)
    assert found.outcome == "violates"
    assert found.step == len(trace)
    assert found.violation == trace.violation


def assert_inside(scope, larger):
    """Of scopes with as many nodes, one asks for no more than the other."""
    assert scope.nodes == larger.nodes[: len(scope.nodes)]
    assert set(scope.commands) <= set(larger.commands)
    for name in COUNTS:
        assert getattr(scope, name) <= getattr(larger, name)
    assert scope.timeouts_max.keys() >= larger.timeouts_max.keys()
    for timer, most in larger.timeouts_max.items():
        assert scope.timeouts_max[timer] <= most
    assert not scope.torn or larger.torn
    assert scope.links == larger.links


@pytest.mark.parametrize("name", names())
def test_a_haystack_becomes_a_needle(name):
    bug = KNOWN_BUGS[name]
    events = LONG if name in (*SLOW, "apply_out_of_order") else SHORT
    hay = known_haystack(bug, seed=len(name), events=events)
    assert events / 2 <= len(hay) <= 1.5 * events
    reported = []
    small = minimize(bug.implementation, hay, BUILT_IN[bug.property], report=reported.append)
    watch = Watch(bug.implementation, small.trace.scope, BUILT_IN[bug.property])
    assert_fails_at_its_end(watch, small.trace)
    assert small.trace.violation.property == bug.property
    assert small.length == "shortest"
    assert len(small.trace) <= len(needle_of(bug))
    assert small.before == len(hay)
    assert small.ratio == len(small.trace) / len(hay)
    assert tuple(stage.name for stage in small.stages) == SEARCHED
    assert tuple(reported) == small.stages
    events = [stage.events for stage in small.stages]
    assert events == sorted(events, reverse=True)
    assert events[-1] == len(small.trace)
    assert_inside(small.trace.scope, hay.scope)
    run = replayed(bug.implementation, small.trace.scope, small.trace.actions)
    assert used_scope(run) == small.trace.scope, "nothing is allowed that is not used"


@pytest.mark.parametrize("name", ["noop_overwrites", "stale_promise_counted", "no_dedupe"])
def test_without_a_search_no_single_event_can_be_left_out(name):
    bug = KNOWN_BUGS[name]
    hay = known_haystack(bug, seed=2, events=LONG if name == "no_dedupe" else SHORT)
    small = minimize(bug.implementation, hay, BUILT_IN[bug.property], search=False)
    assert small.length == "irreducible"
    assert tuple(stage.name for stage in small.stages) == STAGES
    watch = Watch(bug.implementation, small.trace.scope, BUILT_IN[bug.property])
    assert_fails_at_its_end(watch, small.trace)
    intents = play(watch, schedule(small.trace.actions)).intents
    for left_out in range(len(intents)):
        kept = [at for at in range(len(intents)) if at != left_out]
        assert play(watch, intents, kept).violation is None


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(states_max=20), "the limit of 20 states was reached"),
        (Limits(depth_max=3), "the limit of 3 events was reached"),
        (Limits(memory_bytes_max=1), "the memory limit"),
        (Limits(seconds_max=0), "the time limit"),
    ],
)
def test_a_search_that_is_cut_short_proves_nothing_and_says_why(limits, says):
    bug = KNOWN_BUGS["noop_overwrites"]
    hay = known_haystack(bug, seed=2, events=SHORT)
    small = minimize(bug.implementation, hay, BUILT_IN[bug.property], limits=limits)
    assert small.length == "irreducible"
    assert says in small.stages[-1].says
    assert_fails_at_its_end(
        Watch(bug.implementation, small.trace.scope, BUILT_IN[bug.property]), small.trace
    )


def test_that_a_small_scope_was_searched_proves_nothing_of_the_whole():
    """With one election each there is no such trace; with two there are too many to look at."""
    bug = KNOWN_BUGS["stale_promise_counted"]
    hay = known_haystack(bug, seed=2, events=SHORT)
    limits = Limits(states_max=3_000)
    small = minimize(bug.implementation, hay, BUILT_IN[bug.property], limits=limits)
    assert small.trace.scope.timeouts_max["election"] == 2
    assert "the limit of 3,000 states was reached" in small.stages[-1].says
    assert small.length == "irreducible"


def test_a_seed_makes_the_same_haystack():
    bug = KNOWN_BUGS["no_dedupe"]
    watch = Watch(bug.implementation, roomy(bug.scope), BUILT_IN[bug.property])
    once, twice = (haystack(watch, needle_of(bug).actions, seed=5, events=60) for _ in range(2))
    assert once == twice


def test_the_same_trace_is_minimized_alike():
    bug = KNOWN_BUGS["apply_out_of_order"]
    hay = known_haystack(bug, seed=3, events=100)
    once, twice = (minimize(bug.implementation, hay, BUILT_IN[bug.property]) for _ in range(2))
    assert once == twice


WALKS = {
    # By name, nodes and property: the length of the shortest trace, and in how many nodes.
    ("stale_promise_counted", 3, "votes_are_safe"): (7, 3),
    ("next_slot_from_own_log", 5, "one_value_per_ballot"): (5, 2),
    ("apply_out_of_order", 3, "log_prefix"): (10, 3),
    ("wiped_disk_rejoins", 3, "agreement"): (5, 1),
}


@pytest.mark.parametrize(("name", "nodes", "breaks"), WALKS)
def test_a_walk_that_nobody_aimed(name, nodes, breaks):
    bug = KNOWN_BUGS[name]
    walk = next(walks_of(name, nodes=nodes, seeds=range(20), events=400, breaks=breaks))
    small = minimize(bug.implementation, walk, BUILT_IN[breaks])
    watch = Watch(bug.implementation, small.trace.scope, BUILT_IN[breaks])
    assert_fails_at_its_end(watch, small.trace)
    assert small.length == "shortest"
    assert (len(small.trace), len(small.trace.scope.nodes)) == WALKS[name, nodes, breaks]


@pytest.mark.slow
def test_small_scopes_are_searched_before_a_large_one():
    """What was removed leaves three elections of three nodes, which are too many to search."""
    bug = KNOWN_BUGS["promise_omits_decided"]
    walk = next(walks_of(bug.name, nodes=3, seeds=range(6), events=400))
    limits = Limits(states_max=1_200_000)
    small = minimize(bug.implementation, walk, BUILT_IN[bug.property], limits=limits)
    assert small.stages[2].events > 12
    assert "the limit of 1,200,000 states was reached" in small.stages[3].says
    assert len(small.trace) == 12
    assert small.length == "shortest"
    assert small.trace.scope.timeouts_max["election"] == 1


def test_whoever_interrupts_gets_what_there_is():
    bug = KNOWN_BUGS["noop_overwrites"]
    hay = known_haystack(bug, seed=2, events=SHORT)
    asked = iter(range(10**6))
    limits = Limits(interrupted=lambda: next(asked) > 20)
    small = minimize(bug.implementation, hay, BUILT_IN[bug.property], limits=limits)
    assert small.length == "as found"
    assert len(small.trace) < len(hay)
    assert small.stages[-1].says == "interrupted"
    assert_fails_at_its_end(
        Watch(bug.implementation, small.trace.scope, BUILT_IN[bug.property]), small.trace
    )


STORY = """
0 election
1 Prepare(ballot=Ballot(round=1, node=0))
0 Promised(ballot=Ballot(round=1, node=0), votes=(), decided=())
0 Submit(command='a')
1 Accept(ballot=Ballot(round=1, node=0), slot=0, value='a')
0 Accepted(ballot=Ballot(round=1, node=0), slot=0)
"""


def test_a_story_begins_with_n0_and_a_and_is_told_in_order():
    """Whoever acted in the haystack, and whatever was submitted there."""
    bug = KNOWN_BUGS["noop_overwrites"]
    for seed in range(2):
        hay = known_haystack(bug, seed, events=SHORT)
        small = minimize(bug.implementation, hay, BUILT_IN[bug.property])
        assert told(small.trace).startswith(STORY), told(small.trace)
        assert small.trace.scope.commands == ("a",)


def told(trace):
    """A line for each event."""
    lines = (
        f"{node} {getattr(event, 'message', getattr(event, 'timer', event))}"
        for node, event in trace.actions
    )
    return "\n" + "\n".join(lines) + "\n"
