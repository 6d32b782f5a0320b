"""Refinement: our Multi-Paxos does only what is proved safe; what does something else is caught."""

from __future__ import annotations

import pytest

from indelible import Decide, Lead, Promise, Receive, Scope, Send, Submit, Vote
from indelible.checkers.lemmas import multi_paxos as proved
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.refinement.history import (
    Decision,
    GivenPromise,
    History,
    Leadership,
    Quorums,
    WasCast,
    interpreted,
    universe_of,
)
from indelible.checkers.refinement.search import check_refinement
from indelible.checkers.refinement.steps import Allowed, Refiner, Refused
from indelible.impl.known_bugs import KNOWN_BUGS, scopes
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.errors import ImplementationError, ScopeError
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    FormulaQuorums,
    WeightedQuorums,
)

NODES = (0, 1, 2)
MAJORITIES = Quorums(*(2 * (tuple(map(frozenset, ((0, 1), (0, 2), (1, 2)))),)))


def told(*said: tuple[int, Promise | Vote | Lead | Decide]) -> Allowed | Refused:
    """What the last of these testimonies stands for, if each before it stood for one thing."""
    refiner = Refiner(NODES, MAJORITIES)
    history, answer = History(), None
    for node, testimony in said:
        assert not isinstance(answer, Refused), answer
        answer, *others = refiner.judged(history, node, testimony)
        assert not others
        if isinstance(answer, Allowed):
            history = answer.history
    assert answer is not None
    return answer


ELECTED = ((0, Promise(1)), (1, Promise(1)), (0, Lead(1)))
CHOSEN = (*ELECTED, (0, Vote(0, 1, "a")), (1, Vote(0, 1, "a")))


@pytest.mark.parametrize(
    ("said", "actions"),
    [
        ([(0, Promise(1))], ("promise",)),
        ([(0, Promise(1)), (0, Promise(1))], ()),
        (ELECTED, ("hear", "hear", "lead")),
        ([*ELECTED, (0, Lead(1))], ()),
        ([*ELECTED, (0, Vote(0, 1, "a"))], ("propose_freely", "vote")),
        (CHOSEN, ("vote",)),
        ([*CHOSEN, (1, Vote(0, 1, "a"))], ()),
        ([*CHOSEN, (2, Decide(0, "a"))], ("decide",)),
        ([*CHOSEN, (2, Decide(0, "a")), (0, Decide(0, "a"))], ()),
        # A vote binds like a promise; to say so is no step.
        ([*CHOSEN, (2, Vote(0, 1, "a")), (2, Promise(1))], ()),
    ],
)
def test_what_testimony_stands_for(said: object, actions: tuple[str, ...]) -> None:
    answer = told(*said)
    assert isinstance(answer, Allowed), answer
    assert answer.actions == actions


SECOND = (*CHOSEN, (1, Promise(2)), (2, Promise(2)), (2, Lead(2)))


@pytest.mark.parametrize(
    ("said", "law"),
    [
        ([(0, Promise(2)), (0, Promise(1))], "promise.not_left"),
        ([(0, Promise(1)), (0, Lead(1))], "hear.promised"),
        ([*ELECTED, (1, Lead(1))], "ballots_are_owned"),
        ([(0, Vote(0, 1, "a"))], "propose_freely.elected"),
        ([*CHOSEN, (1, Vote(0, 1, "b"))], "propose_freely.slot_unused"),
        ([*ELECTED, (0, Vote(0, 1, "a")), (2, Promise(2)), (2, Vote(0, 1, "a"))], "vote.not_left"),
        ([*SECOND, (2, Vote(0, 2, "b"))], "propose_again.highest_vote"),
        ([*SECOND, (2, Vote(0, 2, "a")), (2, Vote(0, 2, "b"))], "propose_again.slot_unused"),
        ([*ELECTED, (0, Vote(0, 1, "a")), (0, Decide(0, "a"))], "decide.quorum_voted"),
        ([(0, Decide(0, "a"))], "decide.quorum_voted"),
    ],
)
def test_what_testimony_may_not_be(said: object, law: str) -> None:
    answer = told(*said)
    assert isinstance(answer, Refused), answer
    assert answer.law == law


def test_a_new_leader_is_bound_by_what_it_may_have_heard() -> None:
    """Two promises out of three: that of node 0 tells of a vote, the others of none."""
    refiner = Refiner(NODES, MAJORITIES)
    history = History()
    for node, testimony in (
        *ELECTED,
        (0, Vote(0, 1, "a")),
        *((node, Promise(2)) for node in NODES),
    ):
        (answer,) = refiner.judged(history, node, testimony)
        history = answer.history
    heard = [answer.history for answer in refiner.judged(history, 1, Lead(2))]
    assert len(heard) == 4
    answers = [refiner.judged(each, 1, Vote(0, 2, "b"))[0] for each in heard]
    assert [isinstance(answer, Allowed) for answer in answers] == [False, False, True, False]


def test_what_the_relations_mean_of_a_run() -> None:
    history = History(
        frozenset({GivenPromise(0, 1, frozenset()), GivenPromise(1, 1, frozenset()),
                   GivenPromise(1, 3, frozenset({(0, 1, "a")}))}),
        frozenset({WasCast(0, 1, 0, "a"), WasCast(1, 1, 0, "a")}),
        frozenset({Leadership(0, 1, frozenset({0, 1}))}),
        frozenset({Decision(frozenset({0, 1}), 1, 0, "a")}),
    )  # fmt: skip
    universe = universe_of(history, NODES)
    assert universe == (NODES, (1, 3), (0,), ("a",))
    facts = interpreted(history, universe, MAJORITIES)
    quorum = frozenset({0, 1})
    assert {relation.name: held for relation, held in facts.items() if held} == {
        "left": {(1, 1)},
        "latest": {(0, 0, 1, "a"), (1, 0, 1, "a")},
        "reaches": {(0, 0, 1), (1, 0, 1)},
        "promised": {(0, 1), (1, 1), (1, 3)},
        "reported": {(1, 3, 0, 1, "a")},
        "report_reaches": {(1, 3, 0, 1)},
        "voted": {(0, 1, 0, "a"), (1, 1, 0, "a")},
        "heard": {(1, 0), (1, 1)},
        "leads": {(0, 1, quorum)},
        "used": {(0, 1, 0)},
        "proposed": {(1, 0, "a")},
        "decided": {(quorum, 1, 0, "a")},
    }
    assert set(facts) == set(proved.MULTI_PAXOS.changing)


# --- whole searches --------------------------------------------------------------------------


TIMEOUTS = {"election": 1, "heartbeat": 0, "retransmit": 0}
ORDERED_PAIR = Scope(
    nodes=2, commands=("a",), may_submit=(0,), timeouts_max=TIMEOUTS, links="ordered"
)
TWO_SLOTS = Scope(
    nodes=2,
    commands=("a", "b"),
    may_submit={"a": (0,), "b": (1,)},
    timeouts_max=TIMEOUTS,
    links="ordered",
)
ANY_ORDER = Scope(nodes=2, commands=("a",), timeouts_max=TIMEOUTS)
TORN = Scope(
    nodes=2,
    commands=("a",),
    may_submit=(0,),
    may_time_out=(0,),
    timeouts_max=TIMEOUTS,
    restarts_max=1,
    torn=True,
)
THREE_NODES = Scope(
    nodes=3,
    commands=("a",),
    may_submit=(0,),
    may_time_out=(0, 1),
    timeouts_max=TIMEOUTS,
    links="ordered",
)


@pytest.mark.parametrize(
    ("scope", "states", "transitions", "depth"),
    [
        pytest.param(ORDERED_PAIR, 70, 103, 12, id="ordered links"),
        pytest.param(TWO_SLOTS, 240, 409, 16, id="two slots"),
        pytest.param(ANY_ORDER, 260, 505, 12, id="any order"),
        pytest.param(TORN, 58, 94, 8, id="torn steps"),
        pytest.param(THREE_NODES, 19_906, 52_541, 23, id="three nodes", marks=pytest.mark.slow),
    ],
)
def test_our_multi_paxos_refines_what_is_proved(
    scope: Scope, states: int, transitions: int, depth: int
) -> None:
    """States are counted as pairs of a cluster and what may have happened. Every action of the
    proof is taken, where two nodes bid, so that the search has something to say of each."""
    found = check_refinement(MultiPaxos(), scope)
    assert found.outcome == "holds", found.trace
    assert (found.states, found.transitions, found.depth) == (states, transitions, depth)
    taken = {action for steps in found.actions for action in steps.split("+")}
    everything = {"(nothing)", *(action.name for action in MULTI_PAXOS.actions)}
    assert taken == (everything - {"propose_again"} if scope is TORN else everything)


def test_a_bound_makes_it_inconclusive() -> None:
    for bound, reason in (
        ({"depth_max": 3}, "behaviours of 3 events and no more"),
        ({"states_max": 100}, "more than 100 states"),
    ):
        found = check_refinement(MultiPaxos(), scopes.ONE_COMMAND, **bound)
        assert (found.outcome, found.reason, found.trace) == ("inconclusive", reason, None)


def test_where_nothing_is_decided_nothing_is_said() -> None:
    scope = Scope(nodes=2, timeouts_max={**TIMEOUTS, "election": 0})
    found = check_refinement(MultiPaxos(), scope)
    assert found.outcome == "inconclusive"
    assert found.reason == "nothing is ever decided, so it says nothing"


def test_the_relations_must_mean_what_the_actions_say() -> None:
    """Without its guard a promise falls in the protocol; what was said binds as before."""
    refiner = Refiner(NODES, MAJORITIES, MULTI_PAXOS.without("promise.not_left"))
    (first,) = refiner.judged(History(), 0, Promise(2))
    assert isinstance(first, Allowed)
    (second,) = refiner.judged(first.history, 0, Promise(1))
    assert isinstance(second, Refused)
    assert second.law == "left"
    assert second.says.endswith("left differs")


class Hasty:
    """Whoever is given a command decides it, and tells the others."""

    scope = Scope(nodes=3, commands=("a", "b"))

    def start(self, node, nodes, storage):
        return nodes, ()

    def handle(self, node, nodes, event):
        match event:
            case Submit(command):
                others = [other for other in nodes if other != node]
                return nodes, (Decide(0, command), *(Send(to, command) for to in others))
            case Receive(_, command):
                return nodes, (Decide(0, command),)
        return nodes, ()


def test_another_implementation_is_caught_at_its_first_decision() -> None:
    found = check_refinement(Hasty(), Hasty.scope)
    assert found.outcome == "violated"
    assert found.trace is not None
    assert len(found.trace) == 1
    assert found.trace.violation.property == "decide.quorum_voted"
    assert found.trace.violation.explanation.startswith("'a' is decided in slot 0, by the votes of")


def test_quorums_that_do_not_meet_break_what_the_proof_assumes() -> None:
    apart = MultiPaxos(FlexibleQuorums(phase1_size=1, phase2_size=2))
    found = check_refinement(apart, scopes.ONE_COMMAND)
    assert found.trace is not None
    assert len(found.trace) == 0
    assert found.trace.violation.property == "quorums_meet"


@pytest.mark.parametrize(
    "quorums",
    [WeightedQuorums({0: 2, "zed": 1}, 2, 2), ExplicitQuorums([[0, 1], ["zed"]], [[0, 1]])],
)
def test_quorums_over_unknown_nodes_are_refused(quorums: FormulaQuorums) -> None:
    with pytest.raises(ScopeError, match="a quorum over 'zed', unknown here"):
        check_refinement(MultiPaxos(quorums=quorums), Scope(nodes=2, commands=("a",)))


def test_a_conjunct_is_evaluated_and_not_only_the_guards() -> None:
    """A protocol without the guard allows the step of the bug; the invariant does not."""
    bug = KNOWN_BUGS["accept_below_promise"]
    strict = check_refinement(bug.implementation, bug.scope)
    lenient = check_refinement(
        bug.implementation, bug.scope, protocol=MULTI_PAXOS.without("vote.not_left")
    )
    assert strict.trace is not None
    assert lenient.trace is not None
    assert strict.trace.violation.property == "vote.not_left"
    assert lenient.trace.violation.property not in {*MULTI_PAXOS.names()} - {
        law.name for law in MULTI_PAXOS.invariant
    }


def test_ballots_without_an_order_are_an_error() -> None:
    with pytest.raises(ImplementationError, match="two ballots cannot be compared"):
        told((0, Promise(1)), (1, Promise("one")))


class Raising(Hasty):
    """Cannot handle anything."""

    def handle(self, node, nodes, event):
        raise RuntimeError("oh")


def test_an_exception_is_no_verdict() -> None:
    with pytest.raises(ImplementationError, match="raised RuntimeError: oh"):
        check_refinement(Raising(), Hasty.scope)
