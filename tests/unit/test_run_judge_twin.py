"""``RunJudge`` says of every step what evaluating every property after every step says."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Scope, always, sometimes
from indelible.checkers.properties import BUILT_IN, Property, View, world_of
from indelible.checkers.verdicts import reached_in, violations_after
from indelible.checkers.walks.judge import RunJudge
from indelible.checkers.walks.options import every_option, take, torn_options
from indelible.checkers.walks.reactions import Reactions
from indelible.checkers.walks.stage import Stage
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Timeout
from indelible.model.implementation import Implementation
from support.effect_properties import cancels_last, saves_no_more_than_it_sends
from support.random_implementation import SCOPES, RandomImplementation


@always(reads="pair", fields=("sent", "timers"))
def quiet_while_armed(one: View, other: View) -> bool:
    """Nonsense that reads what a stage does not keep as such, and is not symmetric."""
    return len(one.sent) < 3 or len(one.timers) <= len(other.timers)


@always(reads="step", fields=("timers", "storage"))
def timers_fire_late(before: View, event: Any, after: View) -> bool:
    """Nonsense that reads the event."""
    return not isinstance(event, Timeout) or after.storage is None or before.timers == after.timers


@always(reads="step", fields=("restarts",))
def restarts_stay(before: View, _event: Any, after: View) -> bool:
    """Nonsense that does not."""
    return after.restarts < 2 or before.restarts == after.restarts


@sometimes(reads="pair", fields=("votes",))
def same_votes(one: View, other: View) -> bool:
    """Two nodes have cast the same votes, and some."""
    return one.node != other.node and bool(one.votes) and one.votes == other.votes


NONSENSE = (
    quiet_while_armed,
    timers_fire_late,
    restarts_stay,
    same_votes,
    cancels_last,
    saves_no_more_than_it_sends,
)


def judged_walk(
    implementation: Implementation,
    scope: Scope,
    judge: RunJudge,
    reactions: Reactions,
    properties: tuple[Property, ...],
    seed: int,
    length: int,
) -> tuple[tuple[str, ...], set[str]]:
    """Compare step by step up to the first violation; says what that was, and what was reached."""
    world, draw = world_of(implementation, scope), random.Random(seed)
    cluster, stage = Cluster(implementation, scope, twice=False), Stage(reactions)
    always_, often = [[p for p in properties if p.kind == kind] for kind in ("always", "sometimes")]
    state, wrong, reached = cluster.initial(), judge.start(stage), set()
    before, action, effects = state, None, ()
    for _ in range(length):
        assert wrong == tuple(
            known.name
            for known in always_
            if violations_after(known, world, before, action, state, effects)
        )
        reached |= {known.name for known in often if reached_in(known, world, state)}
        if wrong:
            break
        options = list(every_option(stage))
        options += [torn for option in options for torn in torn_options(stage, option)]
        if not options:
            break
        option = draw.choice(options)
        if take(stage, option):
            before, action = state, stage.actions[-1]
            state, effects = cluster.outcome(state, action)
            assert stage.effects == effects
            wrong = judge.after(stage, option.node)
    return wrong, reached


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_verdicts_are_those_of_every_property_after_every_step(seed: int, scope: Scope) -> None:
    """Three runs with one judge, so that what it remembers of one is used in the next."""
    implementation = RandomImplementation(seed)
    properties = (*NONSENSE, *BUILT_IN.values())
    judge = RunJudge(world_of(implementation, scope), properties)
    reactions, reached = Reactions(implementation, scope), set()
    for walk in range(3):
        try:
            _, more = judged_walk(
                implementation, scope, judge, reactions, properties, seed + walk, 12
            )
        except ImplementationRaised:
            return
        reached |= more
    assert judge.reached >= reached


def test_each_kind_of_property_is_found_violated() -> None:
    """Without this the test above could hold of nothing."""
    found: set[str] = set()
    properties = (*NONSENSE, *BUILT_IN.values())
    scope = Scope(nodes=2, timeouts_max=2, restarts_max=3, torn=True, links="unordered")
    for seed in range(150):
        implementation = RandomImplementation(seed)
        judge = RunJudge(world_of(implementation, scope), properties)
        try:
            wrong, _ = judged_walk(
                implementation, scope, judge, Reactions(implementation, scope), properties, seed, 12
            )
        except ImplementationRaised:
            continue
        found |= set(wrong)
    assert found >= {
        "quiet_while_armed",  # a pair
        "timers_fire_late",  # a step and its event
        "restarts_stay",  # a step
        "cancels_last",  # its effects
        "execution_without_gap",  # a record
        "decided_implies_chosen",  # all records
    }


def test_the_judge_follows_multipaxos() -> None:
    bug = KNOWN_BUGS["accept_below_promise"]
    properties = tuple(BUILT_IN.values())
    judge = RunJudge(world_of(bug.implementation, bug.scope), properties)
    reactions = Reactions(bug.implementation, bug.scope)
    found, reached = set(), set()
    for seed in range(60):
        wrong, more = judged_walk(
            bug.implementation, bug.scope, judge, reactions, properties, seed, 40
        )
        found |= set(wrong)
        reached |= more
    assert "votes_keep_promises" in found
    assert judge.reached == reached >= {"entry_decided"}
