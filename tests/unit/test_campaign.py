"""Campaigns: what a seed decides, what ends a run, what is counted, what is kept of failures."""

from __future__ import annotations

import pytest

from indelible import (
    Decide,
    Lead,
    Persist,
    Receive,
    Restart,
    Scope,
    Send,
    Step,
    Submit,
    Timeout,
    Torn,
    Vote,
)
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN, default_properties
from indelible.checkers.walks import runs
from indelible.checkers.walks.failures import distinct_failures
from indelible.checkers.walks.runs import STRATEGIES, Campaign
from indelible.checkers.walks.share import Bounds, Found, Tally, share
from indelible.checkers.watch import Watch, replay
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationError
from indelible.targets import DEFAULT_SCOPE, ROOMY_SCOPE

BUG = KNOWN_BUGS["accept_below_promise"]
PROPERTIES = default_properties()


def campaign(
    strategy="mixed", seed=1, scope=ROOMY_SCOPE, implementation=None, properties=PROPERTIES
):
    return Campaign(implementation or MultiPaxos(), scope, properties, seed=seed, strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_follows_from_seed_and_number_whatever_ran_before(strategy: str) -> None:
    straight = campaign(strategy)
    numbers = range({"targeted": 2, "mixed": len(runs.MIXED)}.get(strategy, 4))
    first = {number: straight.run(number) for number in numbers}
    backwards = campaign(strategy)
    assert {number: backwards.run(number) for number in reversed(numbers)} == first
    other = campaign(strategy, seed=2)
    assert {number: other.run(number) for number in numbers} != first


def test_to_forget_what_was_learned_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    remembering = campaign()
    first = [remembering.run(number) for number in range(6)]
    monkeypatch.setattr(runs, "ANSWERS_MAX", 0)
    forgetting = campaign()
    assert [forgetting.run(number) for number in range(6)] == first
    assert forgetting.node_states == remembering.node_states
    assert forgetting.reached == remembering.reached == {"entry_decided"}
    assert forgetting.ballot_highest == remembering.ballot_highest


@pytest.mark.parametrize("links", ["unordered_duplicating", "unordered", "ordered"])
@pytest.mark.parametrize("strategy", ["uniform", "swarm", "priority", "targeted"])
def test_every_leg_is_a_run_of_the_cluster(strategy: str, links: str) -> None:
    """And all kinds of events happen under each strategy."""
    scope = Scope(
        nodes=3,
        commands=("a", "b"),
        submissions_max=2,
        timeouts_max=3,
        restarts_max=2,
        torn=True,
        links=links,
    )
    tried = campaign(strategy, scope=scope)
    cluster = Cluster(MultiPaxos(), scope, twice=False)
    kinds = set()
    for number in range(4 if strategy == "targeted" else 15):
        run = tried.run(number)
        assert run.failure is None
        assert run.events >= max(len(leg) for leg in run.legs)
        for leg in run.legs[:10]:
            for before, outcome in cluster.replay(leg):
                assert outcome.state != before, "what changes nothing is no step"
            kinds |= {type(event) for _, event in leg}
    assert kinds == {Receive, Timeout, Submit, Restart, Torn}


def test_a_run_ends_at_its_first_violation() -> None:
    tried = campaign(implementation=BUG.implementation, scope=BUG.scope)
    failures = [run.failure for run in map(tried.run, range(60)) if run.failure]
    assert failures
    for failure in failures:
        watch = Watch(BUG.implementation, BUG.scope, BUILT_IN[failure.violated[0]])
        again = replay(watch, failure.actions)
        assert (again.outcome, again.step) == ("violates", len(failure.actions))


class Brittle:
    """Raises at the second command."""

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        if state:
            raise RuntimeError("one is enough")
        return Step(1)


class Stillborn(Brittle):
    """Raises when it starts."""

    def start(self, node, nodes, storage):
        raise RuntimeError("no disk")


def test_an_exception_is_a_failure() -> None:
    scope = Scope(nodes=1, commands=("a", "b"))
    tried = campaign("uniform", scope=scope, implementation=Brittle(), properties=())
    failure = tried.run(0).failure
    assert failure is not None
    assert failure.violated == (RAISES,)
    assert len(failure.actions) == 2
    again = replay(Watch(Brittle(), scope, None), failure.actions)
    assert (again.outcome, again.step) == ("violates", 2)


def test_so_is_one_at_the_start() -> None:
    failure = campaign(implementation=Stillborn(), scope=Scope(nodes=1)).run(0).failure
    assert failure is not None
    assert (failure.actions, failure.violated) == ((), (RAISES,))


class Silent:
    """Does nothing at all."""

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        return Step(0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_in_which_nothing_can_happen_ends(strategy: str) -> None:
    nothing = Scope(nodes=2, commands=())
    assert campaign(strategy, scope=nothing, implementation=Silent()).run(0).events == 0
    # Submissions that are not counted change nothing, over and over.
    endless = Scope(nodes=2, submissions_max=None)
    run = campaign(strategy, scope=endless, implementation=Silent()).run(0)
    assert run.failure is None
    assert run.events <= 300 * runs.LEGS


def shared(bounds: Bounds, bug=BUG, **options):
    tried = campaign(implementation=bug.implementation, scope=bug.scope)
    told = list(share(tried, bounds, **options))
    assert isinstance(told[-1], Tally)
    return [each for each in told if isinstance(each, Found)], told[-1]


def test_two_shares_are_the_whole() -> None:
    found, whole = shared(Bounds(runs_max=30))
    evens, even = shared(Bounds(runs_max=30), first=0, stride=2)
    odds, odd = shared(Bounds(runs_max=30), first=1, stride=2)
    assert whole.runs == 30
    assert (even + odd).runs == 30
    assert (even + odd).events == whole.events
    assert (even + odd).failures == whole.failures
    assert (even + odd).ballot_highest == whole.ballot_highest
    told = {each.number for each in evens + odds}
    assert {each.number for each in found} <= told


def test_bounds() -> None:
    found, tally = shared(Bounds(first_only=True))
    assert len(found) == 1
    assert tally.runs == found[0].number + 1
    again, only = shared(Bounds(only_run=found[0].number))
    assert again == found
    assert only.runs == 1
    assert shared(Bounds(seconds_max=0))[1].runs == 0
    assert shared(Bounds(), stop=lambda number: number == 5)[1].runs == 5


def test_failures_are_minimized_and_those_that_differ_kept() -> None:
    bug, limits = KNOWN_BUGS["apply_out_of_order"], Limits(states_max=100_000)
    found, _ = shared(Bounds(runs_max=400), bug)
    kept = distinct_failures(
        bug.implementation, bug.scope, PROPERTIES, found, most=10, limits=limits
    )
    names = [each.minimized.trace.violation.property for each in kept]
    assert names[:2] == ["log_prefix", "execution_follows_log"], "in the order of the properties"
    assert [each.difference for each in kept[:2]] == ["", "property"]
    for each in kept:
        trace = each.minimized.trace
        watch = Watch(bug.implementation, trace.scope, BUILT_IN[trace.violation.property])
        assert replay(watch, trace.actions).step == len(trace)
        assert len(trace) <= each.minimized.before
    few = distinct_failures(
        bug.implementation, bug.scope, PROPERTIES, reversed(found), most=1, limits=limits
    )
    assert [each.number for each in few] == [kept[0].number]


class Moody:
    """Decides otherwise every time that it is asked, but only after a while."""

    def __init__(self) -> None:
        self.calls = 0

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        self.calls += 1
        if self.calls < 3_000 or self.calls % 16 == 0:
            return Step(0)
        return Step(0, (Decide(0, "a" if self.calls % 3 else "b"),))


def test_a_failure_that_does_not_happen_again_is_told() -> None:
    scope = Scope(nodes=2, submissions_max=None, timeouts_max=0)
    implementation = Moody()
    actions = ((0, Submit("a")), (1, Submit("a")))
    found = Found(0, runs.Failure(actions, ("agreement",)))

    def told(implementation):
        with pytest.raises(ImplementationError, match="does not when the same events") as raised:
            distinct_failures(
                implementation, scope, PROPERTIES, [found], most=1, limits=Limits(states_max=10)
            )
        return raised.value.cause

    assert told(implementation).startswith("the implementation is not deterministic")
    implementation.fingerprint = len
    assert told(implementation).startswith("the fingerprint leaves out something")


class Chatty:
    """Sends a message of another type than the one it sent before, though equal to it."""

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        return Step(state + 1, (Send(0, 1 if state else True),))


def test_equal_messages_of_different_types_are_refused() -> None:
    tried = campaign("uniform", scope=Scope(nodes=1, commands=("a", "b")), implementation=Chatty())
    with pytest.raises(ImplementationError, match="not the same"):
        list(share(tried, Bounds(runs_max=20)))


def test_the_default_scope_is_walked_too() -> None:
    tried = campaign(scope=DEFAULT_SCOPE)
    assert all(tried.run(number).failure is None for number in range(9))
    assert tried.decided_most == 2


class Unvoted:
    """Decides what it is given, and never says who voted."""

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        return Step(1, (Decide(0, event.command),)) if isinstance(event, Submit) else Step(state)


class Voted(Unvoted):
    """The same, but one that is started again says what it has voted for."""

    def start(self, node, nodes, storage):
        return Step(0, (Vote(7, 1, "a"),) if storage else ())

    def handle(self, node, state, event):
        step = super().handle(node, state, event)
        return Step(step.state, (Persist(1), *step.effects))


def test_what_nobody_testifies_does_not_hide_what_is_wrong() -> None:
    """No vote is ever given, so that decisions without a quorum say nothing; and two values do."""
    scope = Scope(nodes=2, commands=("a", "b"))
    tried = campaign(scope=scope, implementation=Unvoted())
    failures = [run.failure for run in map(tried.run, range(40)) if run.failure is not None]
    observed = [failure.violated for failure in failures if not failure.waits]
    assert observed
    assert all("agreement" in violated for violated in observed)
    waiting = {failure.violated for failure in failures if failure.waits}
    assert waiting == {("decided_implies_chosen",)}


def test_a_failure_waits_for_testimony_that_comes_in_another_run() -> None:
    scope = Scope(nodes=1, commands=("a",), restarts_max=1)
    tried = campaign("uniform", scope=scope, implementation=Voted())
    told = list(share(tried, Bounds(runs_max=40)))
    tally = told[-1]
    assert isinstance(tally, Tally)
    assert tally.waiting["decided_implies_chosen"] > 0
    assert tally.failures["decided_implies_chosen"] > 0
    assert Vote in tally.effect_types


class Disordered:
    """Leads ballots of which nobody can say which is higher."""

    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        return Step(state + 1, (Lead("x" if state else 1),))


def test_ballots_without_an_order_are_refused() -> None:
    scope = Scope(nodes=1, commands=("a", "b"))
    tried = campaign("uniform", scope=scope, implementation=Disordered(), properties=())
    with pytest.raises(ImplementationError, match="two ballots cannot be compared"):
        list(share(tried, Bounds(runs_max=20)))
