"""The inductive invariants: proved, and every axiom, guard and conjunct is needed for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.checkers.lemmas.induction import induction_obligations
from indelible.checkers.lemmas.logic import Relation, Sort, Variable, there_is, when
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.checkers.lemmas.protocol import Law, Protocol
from indelible.checkers.lemmas.safety import PROTOCOLS, safety_obligations, safety_weakenings
from indelible.checkers.lemmas.single_decree import SINGLE_DECREE
from indelible.model.errors import ProofError

SECONDS = 60.0

# What is refuted first where a law is left out.
REFUTED_SINGLE_DECREE = {
    "ballots_are_transitive": "promise/left_downwards",
    "ballots_are_total": "promise/nothing_else_choosable",
    "quorums_meet": "propose_freely/nothing_else_choosable",
    "promise.not_left": "promise/nothing_else_choosable",
    "propose_freely.nothing_proposed": "propose_freely/one_value_per_ballot",
    "propose_freely.quorum_promised": "propose_freely/nothing_else_choosable",
    "propose_freely.no_votes": "propose_freely/nothing_else_choosable",
    "propose_again.nothing_proposed": "propose_again/one_value_per_ballot",
    "propose_again.quorum_promised": "propose_again/nothing_else_choosable",
    "propose_again.a_vote": "propose_again/nothing_else_choosable",
    "propose_again.the_highest": "propose_again/nothing_else_choosable",
    "vote.not_left": "vote/nothing_else_choosable",
    "vote.proposed": "vote/votes_are_proposed",
    "decide.quorum_voted": "decide/agreement",
    "decisions_have_votes": "decide/agreement",
    "nothing_else_choosable": "decide/agreement",
    "one_value_per_ballot": "propose_again/nothing_else_choosable",
    "votes_are_proposed": "propose_again/nothing_else_choosable",
    "promises_bind": "propose_freely/nothing_else_choosable",
    "left_downwards": "promise/nothing_else_choosable",
}
REFUTED_MULTI_PAXOS = {
    "ballots_are_transitive": "promise/left_downwards",
    "ballots_are_total": "promise/nothing_else_choosable",
    "ballots_are_owned": "propose_freely/leaders_know_their_proposals",
    "quorums_meet": "propose_freely/nothing_else_choosable",
    "promise.not_left": "promise/nothing_else_choosable",
    "promise.once": "promise/reports_are_merged",
    "hear.promised": "hear/what_is_heard_was_promised",
    "lead.own_ballot": "lead/leaders_own_their_ballot",
    "lead.quorum_heard": "lead/leaders_have_heard_a_quorum",
    "propose_freely.elected": "propose_freely/nothing_else_choosable",
    "propose_freely.slot_unused": "propose_freely/one_value_per_ballot",
    "propose_freely.slot_free": "propose_freely/nothing_else_choosable",
    "propose_again.elected": "propose_again/nothing_else_choosable",
    "propose_again.slot_unused": "propose_again/one_value_per_ballot",
    "propose_again.highest_vote": "propose_again/nothing_else_choosable",
    "vote.not_left": "vote/nothing_else_choosable",
    "vote.proposed": "vote/votes_are_proposed",
    "decide.quorum_voted": "decide/agreement",
    "decisions_have_votes": "decide/agreement",
    "nothing_else_choosable": "decide/agreement",
    "one_value_per_ballot": "propose_again/nothing_else_choosable",
    "leaders_know_their_proposals": "propose_freely/one_value_per_ballot",
    "votes_are_proposed": "hear/merged_votes_are_proposed",
    "leaders_own_their_ballot": "propose_freely/one_value_per_ballot",
    "leaders_have_heard_a_quorum": "propose_freely/nothing_else_choosable",
    "what_is_heard_was_promised": "promise/reports_are_merged",
    "promises_bind": "propose_freely/nothing_else_choosable",
    "promises_report_votes": "propose_freely/nothing_else_choosable",
    "reports_are_merged": "propose_freely/nothing_else_choosable",
    "acceptors_remember": "promise/promises_report_votes",
    "votes_bind": "vote/latest_is_highest",
    "left_downwards": "promise/nothing_else_choosable",
    "latest_votes_are_votes": "promise/reported_votes_are_votes",
    "reported_votes_are_votes": "hear/merged_votes_are_proposed",
    "merged_votes_are_proposed": "propose_again/nothing_else_choosable",
    "latest_is_highest": "promise/report_is_highest",
    "report_is_highest": "hear/merged_is_highest",
    "merged_is_highest": "propose_again/nothing_else_choosable",
    "reports_come_with_promises": "promise/report_is_highest",
    "reports_reach_with_promises": "promise/report_is_highest",
    "merged_reaches_downwards": "hear/merged_is_highest",
    "report_reaches_downwards": "hear/merged_reaches_downwards",
    "reaches_downwards": "promise/report_reaches_downwards",
}
REFUTED = {SINGLE_DECREE: REFUTED_SINGLE_DECREE, MULTI_PAXOS: REFUTED_MULTI_PAXOS}
"""Protocols are themselves: two that read the same are two."""


def named(protocol: Protocol, name: str) -> Obligation:
    return next(known for known in induction_obligations(protocol) if known.name == name)


def first_refuted(protocol: Protocol) -> tuple[str, Answer]:
    for obligation in induction_obligations(protocol):
        answer = obligation.prove(SECONDS)
        if answer.outcome != "proved":
            return obligation.name, answer
    raise AssertionError("everything is proved")


@pytest.mark.parametrize(("protocol", "count"), [(SINGLE_DECREE, 25), (MULTI_PAXOS, 72)],
                         ids=lambda known: getattr(known, "name", ""))  # fmt: skip
def test_everything_is_proved(protocol: Protocol, count: int) -> None:
    obligations = induction_obligations(protocol)
    assert len(obligations) == count
    assert len({known.name for known in obligations}) == count
    for obligation in obligations:
        answer = obligation.prove(SECONDS)
        assert answer.outcome == "proved", (obligation.name, answer)


LEFT_OUT = [
    pytest.param(protocol, name, refuted, id=f"{protocol.name}: {name}")
    for protocol, laws in REFUTED.items()
    for name, refuted in laws.items()
]


@pytest.mark.parametrize("protocol", REFUTED, ids=lambda protocol: protocol.name)
def test_every_law_is_tried(protocol: Protocol) -> None:
    assert sorted(REFUTED[protocol]) == sorted(protocol.names())


@pytest.mark.parametrize(("protocol", "name", "refuted"), LEFT_OUT)
def test_every_law_is_needed(protocol: Protocol, name: str, refuted: str) -> None:
    """Without it something is refuted, by a counterexample that was evaluated plainly."""
    answer = named(protocol.without(name), refuted).prove(SECONDS)
    assert answer.outcome == "refuted", answer
    action, law = refuted.split("/")
    title, *lines = answer.counterexample
    assert title.startswith(f"{action} breaks {law}: ")
    assert lines[0].startswith("universe  ")
    assert any(line.startswith("step ") for line in lines)
    # Before or after, at least.
    assert any(line.startswith(("before ", "then ", "no longer ")) for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "name", "refuted"), LEFT_OUT)
def test_it_is_the_first_that_is_refuted(protocol: Protocol, name: str, refuted: str) -> None:
    found, answer = first_refuted(protocol.without(name))
    assert (found, answer.outcome) == (refuted, "refuted")


def test_a_counterexample_reads_as_text() -> None:
    """Small enough to be the same whatever finds it: two ballots, one node, one vote too late."""
    answer = named(SINGLE_DECREE.without("vote.not_left"), "vote/nothing_else_choosable").prove(
        SECONDS
    )
    law = next(known for known in SINGLE_DECREE.conjuncts if known.name == "nothing_else_choosable")
    assert answer.counterexample == (
        f"vote breaks nothing_else_choosable: {law.says}",
        "universe  n0, b0, b1, v0, v1, q0",
        "always    b0 is below b1",
        "          n0 is in q0",
        "before    n0 is bound to a ballot above b0",
        "          v0 is proposed at b0",
        "          v1 is proposed at b1",
        "step      n0 votes for v0 at b0",
        "no longer n0 is bound to a ballot above b0",
        "then      n0 voted at b0 for v0",
    )


def test_the_same_question_has_the_same_answer() -> None:
    obligation = named(MULTI_PAXOS.without("promise.once"), "promise/reports_are_merged")
    assert obligation.prove(SECONDS).counterexample == obligation.prove(SECONDS).counterexample


def test_what_a_prover_gives_up_is_unknown_and_not_proved() -> None:
    """A millisecond is too little for this one."""
    answer = named(MULTI_PAXOS, "propose_again/nothing_else_choosable").prove(0.001)
    assert answer.outcome == "unknown"
    assert answer.reason


def test_an_invariant_that_leaves_no_room_for_a_decision_is_refuted() -> None:
    """It would be inductive, and say nothing."""
    decided = next(known for known in SINGLE_DECREE.changing if known.name == "decided")
    q, b, v = (Variable(sort.letter, sort) for sort in decided.sorts)
    never = Law("never", "Nothing is decided.", when(decided(q, b, v), then=there_is_no()))
    vacuous = replace(SINGLE_DECREE, conjuncts=(*SINGLE_DECREE.conjuncts, never))
    answer = named(vacuous, "satisfiable").prove(SECONDS)
    assert answer.outcome == "refuted"


def there_is_no() -> object:
    """Something false: nobody is below itself, by an axiom."""
    below = SINGLE_DECREE.order
    b = Variable("x", below.sorts[0])
    return there_is(b, such_that=below(b, b))


def test_a_conjunct_that_is_false_at_first_is_refuted() -> None:
    b = Variable("b", SINGLE_DECREE.order.sorts[0])
    proposed = next(known for known in SINGLE_DECREE.changing if known.name == "proposed")
    v = Variable("v", proposed.sorts[1])
    law = Law("something", "Something is proposed.", there_is(b, v, such_that=proposed(b, v)))
    answer = named(replace(SINGLE_DECREE, conjuncts=(law,)), "initially/something").prove(SECONDS)
    assert answer.outcome == "refuted"


def test_a_text_that_leaves_the_fragment_is_refuted() -> None:
    """For every ballot a higher one: a prover could look for ever."""
    below = SINGLE_DECREE.order
    b, c = Variable("b", below.sorts[0]), Variable("c", below.sorts[0])
    law = Law("no_last", "No ballot is the last.", there_is(c, such_that=below(b, c)))
    answer = named(replace(SINGLE_DECREE, axioms=(law,)), "decidable").prove(SECONDS)
    assert answer.counterexample == ("these sorts depend on one another: ballot → ballot",)


def test_leaving_out_what_is_not_there() -> None:
    with pytest.raises(ProofError, match="no axiom, guard or conjunct 'nothing'") as caught:
        safety_obligations("nothing")
    assert caught.value.available == ", ".join(safety_weakenings())
    with pytest.raises(ProofError, match=r"single-decree paxos has no .* 'hear\.promised'"):
        SINGLE_DECREE.without("hear.promised")


def test_a_law_is_left_out_wherever_it_is() -> None:
    def laws(weaken: str | None) -> int:
        return len(safety_obligations(weaken))

    in_one, in_both = "reports_are_merged", "promises_bind"
    assert sum(in_one in protocol.names() for protocol in PROTOCOLS) == 1
    assert sum(in_both in protocol.names() for protocol in PROTOCOLS) == 2
    assert laws(in_both) < laws(in_one) < laws(None) == laws("quorums_meet")


# --- the vocabulary --------------------------------------------------------------------------


NODE, BALLOT = Sort("node", "n"), Sort("ballot", "b")
n, b = Variable("n", NODE), Variable("b", BALLOT)
promised = Relation("promised", (NODE, BALLOT), "{0} has promised {1}")


def test_sorts_must_fit() -> None:
    with pytest.raises(TypeError, match=r"promised\(b: ballot, n: node\), but it relates"):
        promised(b, n)


def test_two_laws_may_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="two laws have one name"):
        replace(SINGLE_DECREE, conjuncts=SINGLE_DECREE.conjuncts * 2)


def test_an_action_may_speak_of_its_parameters_only() -> None:
    action = MULTI_PAXOS.action("promise")
    with pytest.raises(ValueError, match="not_left of action promise speaks of b"):
        replace(action, parameters=action.parameters[:1])


def test_an_update_may_not_use_a_variable_twice() -> None:
    action = MULTI_PAXOS.action("promise")
    update = replace(action.updates[0], parameters=action.parameters)
    with pytest.raises(ValueError, match="promised of promise uses a variable twice"):
        replace(action, updates=(update,))
