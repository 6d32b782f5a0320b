"""Explanations: what a violation depends on, the milestones, and the step that was decisive."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import (
    Decide,
    Limits,
    Persist,
    Receive,
    Restart,
    Scope,
    Send,
    Submit,
    Vote,
    always,
    explore,
)
from indelible.checkers.explain import explain, story_of
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.causality import causal_past, predecessors
from indelible.model.events import Action, Torn
from indelible.model.run import Run, replayed
from indelible.model.trace import Moment, Violation
from support.random_implementation import SCOPES, RandomImplementation
from support.scripted import Scripted
from support.walks import walk

ALWAYS = [known for known in BUILT_IN.values() if known.kind == "always"]
AGREEMENT = BUILT_IN["agreement"]


def violating(implementation: Any, scope: Scope, known: Any, actions: Any) -> tuple[Run, Violation]:
    """The run up to its first violation."""
    judged = replay(Watch(implementation, scope, known), actions)
    assert judged.violation is not None
    return replayed(implementation, scope, judged.actions), judged.violation


def told(run: Run, story: tuple[int, ...]) -> tuple[Action, ...]:
    return tuple(run.steps[number - 1].action for number in story)


# --- stories ------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, of=st.sampled_from([*ALWAYS, None]))
def test_a_story_happens_alone_and_nothing_in_it_could_be_left_out(
    seed: int, scope: Scope, of: Any
) -> None:
    """It violates at its end, in the same slot; it ends with the run's last step; it holds with
    each step all that happened before; and without any one that none of the others needs, it does
    not violate any more."""
    implementation = RandomImplementation(seed)
    watch = Watch(implementation, scope, of)
    judged = replay(watch, walk(implementation, scope, seed, 16))
    if judged.violation is None or judged.step == 0:
        return
    run = replayed(implementation, scope, judged.actions)
    story = story_of(implementation, run, of, judged.violation)
    alone = replay(watch, told(run, story))
    assert alone.violation is not None
    assert (alone.step, alone.violation.slot) == (len(story), judged.violation.slot)
    assert story[-1] == judged.step
    assert causal_past(run, story) == story
    before = predecessors(run)
    for number in story[:-1]:
        if not any(number in before[later] for later in story):
            fewer = replay(watch, told(run, tuple(other for other in story if other != number)))
            assert (fewer.outcome, fewer.step) != ("violates", len(story) - 1) or (
                fewer.violation is not None and fewer.violation.slot != judged.violation.slot
            )


def test_the_random_stories_leave_much_out() -> None:
    """Without this the test above could hold of nothing."""
    scope = Scope(nodes=3, timeouts_max=2, restarts_max=2, torn=True)
    shorter = 0
    for seed in range(300):
        implementation, known = RandomImplementation(seed), ALWAYS[seed % len(ALWAYS)]
        judged = replay(Watch(implementation, scope, known), walk(implementation, scope, seed, 16))
        if judged.violation is not None and judged.step:
            run = replayed(implementation, scope, judged.actions)
            shorter += len(story_of(implementation, run, known, judged.violation)) < judged.step
    assert shorter > 10


SAVE = Persist("s")
GO, X = Submit("go"), Receive(0, "x")
TOLD = {
    (0, GO): (Send(1, "x"), Decide(0, "a")),
    (1, X): (Decide(0, "b"), Decide(1, "d")),
    (2, GO): (Decide(1, "c"),),
}


def story(*actions: Action, **fields: Any) -> tuple[int, ...]:
    scope = Scope(commands=("go", "no"), submissions_max=None, **fields)
    run, violation = violating(Scripted(TOLD), scope, AGREEMENT, actions)
    assert len(run.steps) == len(actions)
    return explain(Scripted(TOLD), run, AGREEMENT, violation).story


def test_what_the_violation_does_not_need_is_left_out() -> None:
    no = Submit("no")
    assert story((0, GO), (1, X)) == (1, 2)
    assert story((2, no), (0, no), (0, GO), (2, no), (1, no), (0, no), (1, X)) == (2, 3, 5, 7)
    # What is earlier at a node that is in the story belongs to it.


def test_a_violation_elsewhere_is_another_story() -> None:
    """The last step violates slot 0 first; without step 2 it would be slot 1 alone."""
    assert story((2, GO), (0, GO), (1, X)) == (2, 3)


def test_a_step_stays_if_without_it_another_slot_is_violated() -> None:
    """Without step 2 the last step violates slot 1, which is another story."""
    script = {
        (0, GO): (Decide(1, "c"),),
        (0, Submit("no")): (Decide(0, "a"),),
        (1, GO): (Decide(0, "b"), Decide(1, "d")),
    }
    scope = Scope(commands=("go", "no"), submissions_max=2)
    actions = ((0, GO), (0, Submit("no")), (1, GO))
    run, violation = violating(Scripted(script), scope, AGREEMENT, actions)
    assert violation.slot == 0
    assert explain(Scripted(script), run, AGREEMENT, violation).story == (1, 2, 3)


@always(reads="records", fields=("storage",))
def sum_is_not_three(records: Any) -> bool:
    """What the nodes store does not add up to three."""
    return sum(record.storage or 0 for record in records) != 3


def test_a_step_stays_if_without_it_the_end_comes_earlier() -> None:
    """Without step 1 the sum is three after step 2, so that step 3 would be beside the point."""
    script = {(0, GO): (Persist(5),), (1, GO): (Persist(3),), (2, GO): (Persist(-5),)}
    scope = Scope(commands=("go",), submissions_max=None)
    actions = ((0, GO), (1, GO), (2, GO))
    run, violation = violating(Scripted(script), scope, sum_is_not_three, actions)
    assert len(run.steps) == 3
    assert explain(Scripted(script), run, sum_is_not_three, violation).story == (1, 2, 3)


def test_an_exception_has_a_story_too() -> None:
    script = {(0, GO): (Send(1, "x"),), (1, X): "oh"}
    scope = Scope(commands=("go", "no"), submissions_max=None)
    actions = ((2, GO), (0, GO), (1, X))
    run, violation = violating(Scripted(script), scope, None, actions)
    found = explain(Scripted(script), run, None, violation)
    assert (found.story, found.milestones, found.decisive) == ((2, 3), (), None)


def test_who_cannot_start_has_no_story() -> None:
    script = {(1, "start"): "oh"}
    run, violation = violating(Scripted(script), Scope(), None, ())
    assert explain(Scripted(script), run, None, violation).story == ()


def test_what_is_wrong_from_the_start_has_no_story() -> None:
    script = {(0, "start"): (Decide(0, "a"), Decide(0, "b"))}
    run, violation = violating(Scripted(script), Scope(), AGREEMENT, ())
    assert explain(Scripted(script), run, AGREEMENT, violation).story == ()


# --- what is told of a known bug ----------------------------------------------------------------


def strewn(name: str, node: int) -> tuple[Run, Violation, list[int]]:
    """A counterexample of the bug with submissions at another node strewn in; and where it is."""
    bug = KNOWN_BUGS[name]
    found = explore(bug.implementation, bug.scope, properties=[bug.property], limits=Limits())
    assert found.trace is not None
    scope = Scope(
        nodes=len(bug.scope.nodes),
        commands=(*bug.scope.commands, "beside"),
        submissions_max=None,
        timeouts_max=None,
        restarts_max=None,
    )
    actions: list[Action] = []
    numbers: list[int] = []
    for action in found.trace.actions:
        actions += [(node, Submit("beside")), (node, Restart()), action]
        numbers.append(len(actions))
    run, violation = violating(bug.implementation, scope, BUILT_IN[bug.property], actions)
    assert len(run.steps) == len(actions)
    return run, violation, numbers


def test_in_a_long_run_around_a_known_violation_the_events_beside_the_point_are_left_out() -> None:
    """Node 3 has no part in it. Its restarts and submissions go, all else stays."""
    bug = KNOWN_BUGS["dup_ack_counted"]
    run, violation, numbers = strewn("dup_ack_counted", 3)
    found = explain(bug.implementation, run, BUILT_IN[bug.property], violation)
    needed = [number for number in numbers if run.steps[number - 1].node != 3]
    assert set(needed) <= set(found.story)
    assert found.story[-1] == len(run.steps)
    noise = [step.number for step in run.steps if step.event in (Restart(), Submit("beside"))]
    assert len(noise) == 18
    assert not set(noise) & set(found.story)


def test_milestones_are_where_a_quorum_first_voted_in_a_ballot() -> None:
    bug = KNOWN_BUGS["noop_overwrites"]
    found = explore(bug.implementation, bug.scope, properties=[bug.property], limits=Limits())
    assert found.trace is not None
    run = replayed(bug.implementation, bug.scope, found.trace.actions)
    told = explain(bug.implementation, run, BUILT_IN[bug.property], found.trace.violation)
    assert told.milestones == (
        Moment(5, "'a' is now chosen in slot 0 at ballot 1.0: n0 and n1 voted for it"),
        Moment(10, "a no-op is now chosen in slot 0 at ballot 2.1: n1 and n2 voted for it"),
    )


def test_a_value_is_chosen_once_in_a_ballot_and_again_in_another() -> None:
    a = {ballot: Vote(0, ballot, "a") for ballot in (1, 2)}
    script = {(node, GO): (a[1],) for node in range(3)} | {
        (0, Submit("no")): (a[2],),
        (1, Submit("no")): (SAVE, a[2], Decide(0, "x"), Decide(0, "y")),
        (1, "start", "s"): (a[2],),
    }
    actions = (*((node, GO) for node in range(3)), (0, Submit("no")), (1, Torn(Submit("no"), 1)),
               (1, Submit("no")))  # fmt: skip
    scope = Scope(commands=("go", "no"), submissions_max=None, restarts_max=1, torn=True)
    run, violation = violating(Scripted(script), scope, AGREEMENT, actions)
    found = explain(Scripted(script), run, AGREEMENT, violation)
    assert found.milestones == (
        Moment(2, "'a' is now chosen in slot 0 at ballot 1: n0 and n1 voted for it"),
        # What the restart says was voted before it, and counts.
        Moment(5, "'a' is now chosen in slot 0 at ballot 2: n0 and n1 voted for it"),
    )


def test_what_is_decisive_belongs_to_the_story() -> None:
    """A rule is broken in slot 1 beside the point, and later in slot 0."""
    script = {
        (2, GO): (Vote(1, 1, "x"), Vote(1, 1, "y")),
        (0, GO): (Send(1, "x"), Vote(0, 1, "a"), Decide(0, "a")),
        (1, X): (Vote(0, 1, "b"), Decide(0, "b")),
    }
    scope = Scope(commands=("go",), submissions_max=None)
    actions = ((2, GO), (0, GO), (1, X))
    run, violation = violating(Scripted(script), scope, AGREEMENT, actions)
    found = explain(Scripted(script), run, AGREEMENT, violation)
    assert found.story == (2, 3)
    says = "n0 decides 'a' in slot 0 although no quorum has voted for it: at ballot 1 only n0 has"
    assert found.decisive == Moment(2, says)


EXPLAINED = """
from indelible import Decide, Promise, Receive, Scope, Send, Submit, Vote
from indelible.checkers.explain import explain
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.model.implementation import Step
from indelible.model.run import replayed

class Sets:
    def start(self, node, nodes, storage):
        return Step((), ())

    def handle(self, node, state, event):
        match event:
            case Submit(command):
                votes = [Vote(0, (1, "b"), frozenset({command, part})) for part in ("x", "yy", "z")]
                promises = [Promise((2, name)) for name in ("p", "qq", "rrr")]
                decide = Decide(0, frozenset({command, "x", "yy"}))
                return Step((), (*promises, *votes, decide, Send("b", command)))
        return Step((), (Decide(0, frozenset({"x", "yy", "zzz", "wwww"})),))

scope = Scope(nodes=("a", "b"), commands=("go", "on"))
actions = (("b", Submit("on")), ("a", Submit("go")), ("b", Receive("a", "go")))
known = BUILT_IN["agreement"]
found = replay(Watch(Sets(), scope, known), actions)
run = replayed(Sets(), scope, found.actions)
print(explain(Sets(), run, known, found.violation))
"""


def test_an_explanation_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    def explained(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", "-c", EXPLAINED],
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = explained("1")
    assert "decisive=Moment(" in first
    assert {explained(seed) for seed in "2345"} == {first}
