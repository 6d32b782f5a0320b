"""Counterexamples that differ: the shortest for each property, then some of other kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Decide, Limits, Persist, Receive, Scope, Send, Submit, always, explore
from indelible.checkers.distinct import Counterexamples
from indelible.checkers.explain import story_of
from indelible.checkers.explorer.distinct import SPREAD, Collecting, stride
from indelible.checkers.findings import RAISES, Finding
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.property import world_of
from indelible.checkers.verdicts import violations_after
from indelible.checkers.watch import Watch, replay
from indelible.model.causality import event_kind, shape
from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.run import replayed
from indelible.model.trace import Trace
from indelible.model.verdict import Verdict
from support.effect_properties import cancels_last
from support.random_implementation import SCOPES, RandomImplementation
from support.scripted import Scripted

STATES_MAX = 300


@always(reads="step", fields=("storage",))
def storage_rises(before: Any, event: Any, after: Any) -> bool:  # noqa: ARG001
    """What is stored never falls."""
    return (before.storage or 0) <= (after.storage or 0)


@always(reads="record", fields=("sent",))
def never_four_sent(record: Any) -> bool:
    """No node has sent four different messages."""
    return len(record.sent) < 4


ALWAYS = (
    *(known for known in BUILT_IN.values() if known.kind == "always"),
    storage_rises,
    never_four_sent,
    cancels_last,
)
BY_NAME = {known.name: known for known in ALWAYS}


def traces(verdict: Verdict) -> tuple[Trace, ...]:
    return () if verdict.trace is None else (verdict.trace, *verdict.others)


def signature(implementation: Any, trace: Trace) -> Any:
    known, scope = BY_NAME.get(trace.violation.property), trace.scope
    run = replayed(implementation, scope, trace.actions)
    story = story_of(implementation, run, known, trace.violation)
    told = tuple(run.steps[number - 1].action for number in story)
    kinds = frozenset(event_kind(event) for _, event in told)
    return trace.violation.property, kinds, shape(replayed(implementation, scope, told))


def check(implementation: Any, verdict: Verdict, most: int) -> None:
    """Each violates what it says, at its end and not before; no two are of the same kind."""
    found = traces(verdict)
    assert len(found) <= most
    for trace in found:
        known = BY_NAME.get(trace.violation.property)
        judged = replay(Watch(implementation, trace.scope, known), trace.actions)
        assert (judged.outcome, judged.step) == ("violates", len(trace))
        assert judged.violation == trace.violation
    signatures = [signature(implementation, trace) for trace in found]
    for one, other in combinations(signatures, 2):
        assert one != other
    assert len(verdict.differences) == len(verdict.others)
    for number, difference in enumerate(verdict.differences, start=1):
        check_difference(difference, signatures[number], signatures[:number])
    short = len(found) < most and verdict.trace is not None
    assert any("asked for" in note for note in verdict.notes) == short


def check_difference(said: str, own: Any, before: list[Any]) -> None:
    """The plainest difference is told."""
    if own[0] not in {other[0] for other in before}:
        assert said == "property"
    elif own[1] not in {other[1] for other in before}:
        assert said == "kinds of events"
    else:
        assert said == "chains of messages"


# --- random implementations ---------------------------------------------------------------------


def shortest_by_property(implementation: Any, scope: Scope) -> dict[str, int] | None:
    """How long a shortest trace is for each property that can be violated and observed; plainly,
    and past exceptions. Nothing where the scope is too large."""
    cluster, world = Cluster(implementation, scope, twice=False), world_of(implementation, scope)
    try:
        first = cluster.first_steps()
    except ImplementationRaised:
        return None
    kinds = {type(effect) for _, effects in first for effect in effects}
    initial, found = cluster.initial(), dict[str, int]()
    for known in ALWAYS:
        if violations_after(known, world, initial, None, initial, ()):
            found[known.name] = 0
    seen, level, depth = {initial}, [initial], 0
    while level:
        depth += 1
        following = []
        for before in level:
            for action in cluster.enabled(before):
                try:
                    after, effects = cluster.outcome(before, action)
                except ImplementationRaised:
                    continue
                kinds |= {type(effect) for effect in effects}
                if after == before:
                    continue
                for known in ALWAYS:
                    if known.name not in found and violations_after(
                        known, world, before, action, after, effects
                    ):
                        found[known.name] = depth
                if after not in seen:
                    seen.add(after)
                    following.append(after)
            if len(seen) > STATES_MAX:
                return None
        level = following
    return {name: length for name, length in found.items() if BY_NAME[name].testimony <= kinds}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_a_shortest_trace_is_found_for_each_property_that_can_be_violated(
    seed: int, scope: Scope
) -> None:
    implementation = RandomImplementation(seed)
    expected = shortest_by_property(implementation, scope)
    if expected is None:
        return
    most = len(ALWAYS) + 1  # And one for an exception.
    verdict = explore(implementation, scope, properties=ALWAYS, distinct=most, limits=Limits())
    found: dict[str, int] = {}
    for trace in traces(verdict):
        name = trace.violation.property
        found[name] = min(len(trace), found.get(name, len(trace)))
    found.pop(RAISES, None)
    assert found == expected
    check(implementation, verdict, most)


def stripped(verdict: Verdict) -> Verdict:
    return replace(verdict, seconds=0, memory_bytes=0)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, most=st.integers(2, 5))
def test_the_verdict_is_that_of_one_counterexample_and_always_the_same(
    seed: int, scope: Scope, most: int
) -> None:
    implementation, limits = RandomImplementation(seed), Limits(states_max=2000)

    def verdict(most: int) -> Verdict:
        return stripped(
            explore(implementation, scope, properties=ALWAYS, distinct=most, limits=limits)
        )

    one, several = verdict(1), verdict(most)
    assert (one.others, one.differences) == ((), ())
    notes = tuple(note for note in several.notes if "asked for" not in note)
    assert replace(several, others=(), differences=(), notes=notes) == one
    assert verdict(most) == several


# --- what is found, and what is said of it ------------------------------------------------------

GO, X, Y = Submit("go"), Receive(0, "x"), Receive(0, "y")
TWO_WAYS = {
    (0, GO): (Send(1, "x"), Send(2, "x"), Decide(0, "a")),
    (1, GO): (Send(2, "y"),),
    (1, X): (Decide(0, "b"),),  # One message away,
    (2, X): (Send(1, "z"), Decide(1, "a")),
    (2, Receive(1, "y")): (Send(1, "z"),),  # or two,
    (1, Receive(2, "z")): (Decide(0, "b"),),
}
SCOPE = Scope(commands=("go",), submissions_max=2)


def differing(script: Any, most: int, limits: Limits | None = None, **fields: Any) -> Verdict:
    chosen = {"properties": ["agreement"], "scope": SCOPE} | fields
    return explore(Scripted(script), limits=limits or Limits(), distinct=most, **chosen)


def test_the_same_property_is_violated_in_ways_that_differ() -> None:
    """By one message, or at the end of a chain of two; node 1 and node 2 swapped is no other way.
    The shorter comes first."""
    verdict = differing(TWO_WAYS, 2)
    assert [len(trace) for trace in traces(verdict)] == [2, 3]
    assert verdict.differences == ("chains of messages",)
    assert verdict.notes == ()
    check(Scripted(TWO_WAYS), verdict, 2)


def test_of_several_at_once_the_one_that_differs_more_plainly_is_kept() -> None:
    """Though the chain of two messages is offered before the message of another kind."""
    script = TWO_WAYS | {(1, GO): (Send(1, 5),), (1, Receive(1, 5)): (Decide(0, "b"),)}
    short = ((0, GO), (1, X))
    chain = ((0, GO), (2, X), (1, Receive(2, "z")))
    kinds = ((0, GO), (1, GO), (1, Receive(1, 5)))
    agreement = BUILT_IN["agreement"]
    kept = Counterexamples(Scripted(script), SCOPE, [agreement], 2)
    kept.offer([("agreement", short)])
    kept.offer([("agreement", short), ("agreement", chain), ("agreement", kinds)])
    assert kept.is_full
    assert [trace.actions for trace in kept.traces] == [short, kinds]
    assert kept.differences == ["", "kinds of events"]


def test_where_fewer_exist_a_note_says_how_many_were_found() -> None:
    verdict = differing({(0, GO): (Decide(0, "a"), Decide(0, "b"))}, 3)
    assert len(traces(verdict)) == 1
    assert verdict.notes == ("3 counterexamples that differ were asked for, 1 found",)


def test_where_nothing_is_violated_there_is_nothing_to_say() -> None:
    verdict = differing({(0, GO): (Decide(0, "a"),)}, 3)
    assert (verdict.outcome, verdict.others, verdict.notes) == ("holds", (), ())


def test_other_properties_are_found_past_an_exception() -> None:
    """It is the first thing that is found, and hides nothing."""
    script = {(0, GO): "oh", (1, GO): (Send(2, "x"), Decide(0, "a")), (2, Receive(1, "x")): (
        Decide(0, "b"), Persist(1))}  # fmt: skip
    no_storage = always(reads="record", fields=("storage",), name="nothing_stored")(
        lambda record: record.storage is None
    )
    verdict = differing(script, 3, properties=["agreement", no_storage])
    assert [(trace.violation.property, len(trace)) for trace in traces(verdict)] == [
        (RAISES, 1),
        ("agreement", 2),
        ("nothing_stored", 2),
    ]


def test_a_trace_ends_where_a_property_of_steps_is_first_violated() -> None:
    """States beyond such a step are looked at, since no state tells of it; what leads to them is a
    violation already, of a kind that is known."""
    script = {
        (0, GO): (Persist(2), Send(0, "x")),
        (0, X): (Persist(1), Send(0, "y")),
        (0, Y): (Persist(0),),
    }
    scope = Scope(nodes=1, commands=("go",), links="ordered")
    verdict = differing(script, 4, properties=[storage_rises], scope=scope)
    assert [len(trace) for trace in traces(verdict)] == [2]
    check(Scripted(script), verdict, 4)


# --- limits -------------------------------------------------------------------------------------


def test_a_limit_that_ends_the_search_for_more_is_named() -> None:
    most = differing(TWO_WAYS, 1).states_distinct
    verdict = differing(TWO_WAYS, 40, Limits(states_max=most))
    assert verdict.outcome == "violated"
    (note,) = verdict.notes
    says = f"40 counterexamples that differ were asked for, {len(traces(verdict))} found"
    assert note == f"{says}: the limit of {most} states was reached"


def test_an_interruption_ends_the_search_for_more_and_keeps_what_was_found() -> None:
    asked: list[bool] = []

    def interrupted(after: int) -> Limits:
        asked.clear()

        def is_time() -> bool:
            asked.append(True)
            return len(asked) > after

        return Limits(interrupted=is_time)

    differing(TWO_WAYS, 1, interrupted(10**9))
    needed = len(asked)
    verdict = differing(TWO_WAYS, 40, interrupted(needed))
    assert [len(trace) for trace in traces(verdict)] == [2]
    assert verdict.notes == ("40 counterexamples that differ were asked for, 1 found: interrupted",)
    later = differing(TWO_WAYS, 40, interrupted(needed + 30))
    assert len(traces(later)) >= 1
    check(Scripted(TWO_WAYS), later, 40)


def collected(script: Any, known: Any, **fields: Any) -> Collecting:
    """A search for more of them than there are."""
    scope = Scope(commands=("go",), **fields)
    kept = Counterexamples(Scripted(script), scope, [known], 99)
    search = Collecting(Scripted(script), scope, [known], Limits(), kept)
    search.run()
    return search


@always(reads="record", fields=("decided",))
def one_entry_at_most(record: Any) -> bool:
    """No node decides twice."""
    return len(record.decided) < 2


@pytest.mark.parametrize("known", [BUILT_IN["agreement"], one_entry_at_most])
def test_the_search_for_more_does_not_look_beyond_a_violation(known: Any) -> None:
    script = {(0, GO): (Decide(0, "a"), Decide(0, "b"))}
    search = collected(script, known, nodes=1, submissions_max=3)
    assert search.states_distinct == 2, "and not those in which more is submitted"


@pytest.mark.parametrize("known", [BUILT_IN["agreement"], one_entry_at_most])
def test_every_violating_state_of_a_level_is_known_and_no_other(known: Any) -> None:
    """Nodes 0, 1 and 2 decide wrongly, each otherwise; node 3 does nothing wrong."""
    script = {(node, GO): (Decide(0, "a"), Decide(0, "bcd"[node])) for node in range(3)}
    script[3, GO] = (Decide(0, "a"),)
    search = collected(script, known, nodes=4)
    begin, end = search.levels[1:3]
    assert end - begin == 4
    (found,) = search.judge.violating(search.states, begin, end).values()
    innocent = [
        index
        for index in range(begin, end)
        if (3, GO) in search.actions_to(Finding(known.name, 1, (index, None)))
    ]
    assert len(innocent) == 1
    assert sorted([*found.tolist(), *innocent]) == list(range(begin, end))


@pytest.mark.parametrize("count", [0, 1, SPREAD - 1, SPREAD, SPREAD + 1, 1000, 10**6 + 1])
def test_few_violations_of_each_level_are_looked_at(count: int) -> None:
    picked = range(count)[:: stride(count)]
    assert len(picked) <= SPREAD
    assert len(picked) == count or len(picked) > SPREAD // 2


def test_the_search_for_more_rebuilds_few_traces_of_a_level(monkeypatch: Any) -> None:
    """Of steps that violate there may be as many as there are states: not each is rebuilt."""
    from indelible.checkers.explorer import distinct

    monkeypatch.setattr(distinct, "SPREAD", 2)
    rebuilt: list[int] = []
    actions_to = distinct.Collecting.actions_to

    def counted(self: Any, finding: Any) -> Any:
        rebuilt.append(self.depth)
        return actions_to(self, finding)

    monkeypatch.setattr(distinct.Collecting, "actions_to", counted)
    script = {(node, GO): (Persist(2),) for node in range(4)}
    script |= {(node, Submit("back")): (Persist(1),) for node in range(4)}
    scope = Scope(nodes=4, commands=("go", "back"), submissions_max=3)
    verdict = differing(script, 9, properties=[storage_rises], scope=scope)
    assert verdict.outcome == "violated"
    assert rebuilt
    assert max(rebuilt.count(depth) for depth in rebuilt) <= 2


DISTINCT = """
from indelible import Limits, explore
from indelible.impl.known_bugs import KNOWN_BUGS

bug = KNOWN_BUGS["dup_ack_counted"]
found = explore(bug.implementation, bug.scope, distinct=2, limits=Limits())
print(found.trace, found.others, found.differences, found.notes)
"""


@pytest.mark.slow
def test_what_is_found_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    def found(seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", "-c", DISTINCT],
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    first = found("1")
    assert "chains of messages" in first
    assert {found(seed) for seed in "23"} == {first}
