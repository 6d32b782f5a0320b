"""Multi-Paxos, to be proved safe for any number of nodes, ballots, slots and values.

What was once said stays said: it can be heard at any later time, many times or never, in any
order. A leader runs Phase 1 once, for all slots; an acceptor keeps its latest vote in each slot,
its promise reports all of them, and the leader merges the reports. The quorums of the two phases
may be different ones (Howard, Malkhi, Spiegelman: "Flexible Paxos").

The text stays within a fragment of logic that a prover decides (after Padon, Losa, Sagiv, Shoham:
"Paxos made EPR", OOPSLA 2017). That is why what might be a function into the ballots, such as the
ballot of the latest vote, is here a relation closed downwards (``reaches``), and why the quorum by
which something came about is an argument of it.
"""

from __future__ import annotations

from typing import Final

from indelible.checkers.lemmas.logic import (
    Relation,
    Sort,
    Variable,
    all_of,
    any_of,
    differ,
    either,
    for_all,
    none_of,
    same,
    there_is,
    when,
)
from indelible.checkers.lemmas.protocol import Action, Law, Protocol, adds, becomes

__all__ = [
    "BALLOT",
    "MULTI_PAXOS",
    "NODE",
    "PHASE1_QUORUM",
    "PHASE2_QUORUM",
    "SLOT",
    "VALUE",
]

NODE: Final = Sort("node", "n")
BALLOT: Final = Sort("ballot", "b")
SLOT: Final = Sort("slot", "s")
VALUE: Final = Sort("value", "v")
PHASE1_QUORUM: Final = Sort("phase-1 quorum", "p")
PHASE2_QUORUM: Final = Sort("phase-2 quorum", "q")

n, m = Variable("n", NODE), Variable("m", NODE)
b, c, d, e = (Variable(name, BALLOT) for name in "bcde")
s, t = Variable("s", SLOT), Variable("t", SLOT)
v, w = Variable("v", VALUE), Variable("w", VALUE)
p = Variable("p", PHASE1_QUORUM)
q, r = Variable("q", PHASE2_QUORUM), Variable("r", PHASE2_QUORUM)

# --- what never changes ------------------------------------------------------------------------

below = Relation("below", (BALLOT, BALLOT), "{0} is below {1}")
owns = Relation("owns", (NODE, BALLOT), "{1} is a ballot of {0}")
in_phase1 = Relation("in_phase1", (NODE, PHASE1_QUORUM), "{0} is in {1}")
in_phase2 = Relation("in_phase2", (NODE, PHASE2_QUORUM), "{0} is in {1}")

AXIOMS: Final = (
    Law(
        "ballots_are_transitive",
        "What is below a ballot is below those above it.",
        when(below(b, c), below(c, d), then=below(b, d)),
    ),
    Law(
        "ballots_are_total",
        "Of two different ballots exactly one is below the other, and none is below itself.",
        all_of(
            any_of(same(b, c), below(b, c), below(c, b)),
            none_of(all_of(below(b, c), below(c, b))),
        ),
    ),
    Law(
        "ballots_are_owned",
        "No ballot belongs to two nodes.",
        when(owns(n, b), owns(m, b), then=same(n, m)),
    ),
    Law(
        "quorums_meet",
        "Every phase-1 quorum has a node in common with every phase-2 quorum.",
        there_is(n, such_that=all_of(in_phase1(n, p), in_phase2(n, q))),
    ),
)

# --- what an acceptor remembers, and what it says ----------------------------------------------

left = Relation("left", (NODE, BALLOT), "{0} is bound to a ballot above {1}")
latest = Relation(
    "latest", (NODE, SLOT, BALLOT, VALUE), "the latest vote of {0} in {1} is at {2}, for {3}"
)
reaches = Relation(
    "reaches", (NODE, SLOT, BALLOT), "the latest vote of {0} in {1} is at {2} or above"
)
promised = Relation("promised", (NODE, BALLOT), "{0} has promised {1}")
reported = Relation(
    "reported",
    (NODE, BALLOT, SLOT, BALLOT, VALUE),
    "promising {1}, {0} reports for {2} a vote at {3} for {4}",
)
report_reaches = Relation(
    "report_reaches",
    (NODE, BALLOT, SLOT, BALLOT),
    "promising {1}, {0} reports for {2} a vote at {3} or above",
)
voted = Relation("voted", (NODE, BALLOT, SLOT, VALUE), "{0} voted at {1} in {2} for {3}")

# --- what a leader knows, and what it says -----------------------------------------------------

heard = Relation("heard", (BALLOT, NODE), "who bids with {0} has heard the promise of {1}")
merged = Relation(
    "merged",
    (BALLOT, SLOT, BALLOT, VALUE),
    "of the votes heard of by who bids with {0}, the highest in {1} is at {2}, for {3}",
)
merged_reaches = Relation(
    "merged_reaches",
    (BALLOT, SLOT, BALLOT),
    "of the votes heard of by who bids with {0}, the highest in {1} is at {2} or above",
)
leads = Relation("leads", (NODE, BALLOT, PHASE1_QUORUM), "{0} leads {1}, elected by {2}")
used = Relation("used", (NODE, BALLOT, SLOT), "{0} has made its proposal at {1} in {2}")
proposed = Relation("proposed", (BALLOT, SLOT, VALUE), "at {0}, {2} is proposed in {1}")
decided = Relation(
    "decided",
    (PHASE2_QUORUM, BALLOT, SLOT, VALUE),
    "{3} is decided in {2}, by the votes of {0} at {1}",
)

# --- what may happen ---------------------------------------------------------------------------

# It is bound to this ballot now, whatever it was bound to before. That no ballot it had left comes
# back by that is due to the guard ``not_left`` of the action, and not to this: without the guard
# the node forgets a higher promise, as code does that only overwrites.
LEAVES_LOWER_BALLOTS: Final = becomes(
    left(m, c), either(same(m, n), then=below(c, b), otherwise=left(m, c))
)

PROMISE: Final = Action(
    "promise",
    "{n} promises {b}, and reports its latest vote in every slot",
    (n, b),
    guards=(
        Law("not_left", "It is bound to no higher ballot.", none_of(left(n, b))),
        Law(
            "once",
            "It has not promised this ballot yet; said again, it is the same message.",
            none_of(promised(n, b)),
        ),
    ),
    updates=(
        adds(promised(n, b)),
        LEAVES_LOWER_BALLOTS,
        becomes(
            reported(m, c, s, d, v),
            any_of(reported(m, c, s, d, v), all_of(same(m, n), same(c, b), latest(m, s, d, v))),
        ),
        becomes(
            report_reaches(m, c, s, d),
            any_of(report_reaches(m, c, s, d), all_of(same(m, n), same(c, b), reaches(m, s, d))),
        ),
    ),
)

HEAR: Final = Action(
    "hear",
    "who bids with {b} hears the promise of {n}, and keeps the higher vote in every slot",
    (b, n),
    guards=(Law("promised", "The promise was given.", promised(n, b)),),
    updates=(
        adds(heard(b, n)),
        becomes(
            merged(c, s, d, v),
            either(
                same(c, b),
                then=any_of(
                    all_of(
                        merged(b, s, d, v),
                        for_all(
                            e, holds=when(report_reaches(n, b, s, e), then=none_of(below(d, e)))
                        ),
                    ),
                    all_of(reported(n, b, s, d, v), none_of(merged_reaches(b, s, d))),
                ),
                otherwise=merged(c, s, d, v),
            ),
        ),
        becomes(
            merged_reaches(c, s, d),
            any_of(merged_reaches(c, s, d), all_of(same(c, b), report_reaches(n, b, s, d))),
        ),
    ),
)

LEAD: Final = Action(
    "lead",
    "{n} leads {b}, elected by {p}",
    (n, b, p),
    guards=(
        Law("own_ballot", "It is a ballot of its own.", owns(n, b)),
        Law(
            "quorum_heard",
            "It has heard the promises of a phase-1 quorum.",
            for_all(m, holds=when(in_phase1(m, p), then=heard(b, m))),
        ),
    ),
    updates=(adds(leads(n, b, p)),),
)

LEADS: Final = Law("elected", "It leads the ballot.", leads(n, b, p))
UNUSED: Final = Law("slot_unused", "It has proposed nothing else there.", none_of(used(n, b, s)))
PROPOSES: Final = (adds(proposed(b, s, v)), adds(used(n, b, s)))

PROPOSE_FREELY: Final = Action(
    "propose_freely",
    "{n}, who leads {b}, proposes {v} in {s}, where it has heard of no vote",
    (n, b, p, s, v),
    guards=(
        LEADS,
        UNUSED,
        Law(
            "slot_free",
            "It has heard of no vote there.",
            none_of(there_is(c, such_that=merged_reaches(b, s, c))),
        ),
    ),
    updates=PROPOSES,
)

PROPOSE_AGAIN: Final = Action(
    "propose_again",
    "{n}, who leads {b}, proposes {v} in {s}, for which it has heard of a vote at {c}",
    (n, b, p, s, c, v),
    guards=(
        LEADS,
        UNUSED,
        Law("highest_vote", "It is the value of the highest vote heard of.", merged(b, s, c, v)),
    ),
    updates=PROPOSES,
)

VOTE: Final = Action(
    "vote",
    "{n} votes for {v} in {s} at {b}",
    (n, b, s, v),
    guards=(
        Law("not_left", "It is bound to no higher ballot.", none_of(left(n, b))),
        Law("proposed", "The leader of the ballot proposed it.", proposed(b, s, v)),
    ),
    updates=(
        adds(voted(n, b, s, v)),
        LEAVES_LOWER_BALLOTS,
        becomes(
            latest(m, t, c, w),
            either(
                all_of(same(m, n), same(t, s)),
                then=all_of(same(c, b), same(w, v)),
                otherwise=latest(m, t, c, w),
            ),
        ),
        becomes(
            reaches(m, t, c),
            any_of(reaches(m, t, c), all_of(same(m, n), same(t, s), none_of(below(b, c)))),
        ),
    ),
)

DECIDE: Final = Action(
    "decide",
    "{v} is decided in {s}, by the votes of {q} at {b}",
    (q, b, s, v),
    guards=(
        Law(
            "quorum_voted",
            "A phase-2 quorum has voted for it, at one ballot.",
            for_all(n, holds=when(in_phase2(n, q), then=voted(n, b, s, v))),
        ),
    ),
    updates=(adds(decided(q, b, s, v)),),
)

# --- why it is safe ----------------------------------------------------------------------------

SAFETY: Final = (
    Law(
        "agreement",
        "No two values are decided in one slot.",
        when(decided(q, b, s, v), decided(r, c, s, w), then=same(v, w)),
    ),
)

CONJUNCTS: Final = (
    Law(
        "decisions_have_votes",
        "By whom a value is decided has voted for it.",
        when(decided(q, b, s, v), in_phase2(n, q), then=voted(n, b, s, v)),
    ),
    Law(
        "nothing_else_choosable",
        "Where a value is proposed, no other can be chosen at a lower ballot: in every phase-2 "
        "quorum some node has left that ballot without a vote for it.",
        when(
            proposed(b, s, v),
            below(c, b),
            differ(v, w),
            then=there_is(
                n, such_that=all_of(in_phase2(n, q), left(n, c), none_of(voted(n, c, s, w)))
            ),
        ),
    ),
    Law(
        "one_value_per_ballot",
        "At one ballot, one value is proposed in a slot.",
        when(proposed(b, s, v), proposed(b, s, w), then=same(v, w)),
    ),
    Law(
        "leaders_know_their_proposals",
        "Whose ballot it is knows where it has proposed.",
        when(proposed(b, s, v), owns(n, b), then=used(n, b, s)),
    ),
    Law(
        "votes_are_proposed",
        "What is voted for at a ballot is proposed there.",
        when(voted(n, b, s, v), then=proposed(b, s, v)),
    ),
    Law(
        "leaders_own_their_ballot",
        "A node leads a ballot of its own.",
        when(leads(n, b, p), then=owns(n, b)),
    ),
    Law(
        "leaders_have_heard_a_quorum",
        "A leader has heard all of those who elected it.",
        when(leads(n, b, p), in_phase1(m, p), then=heard(b, m)),
    ),
    Law(
        "what_is_heard_was_promised",
        "Only a promise that was given is heard.",
        when(heard(b, n), then=promised(n, b)),
    ),
    Law(
        "promises_bind",
        "Who has promised a ballot has left all lower ones.",
        when(promised(n, b), below(c, b), then=left(n, c)),
    ),
    Law(
        "promises_report_votes",
        "A promise reports, for every vote at a lower ballot, that vote or a higher one.",
        when(promised(n, b), voted(n, c, s, v), below(c, b), then=report_reaches(n, b, s, c)),
    ),
    Law(
        "reports_are_merged",
        "A bidder knows of every vote it was told of, or of a higher one.",
        when(heard(b, n), report_reaches(n, b, s, c), then=merged_reaches(b, s, c)),
    ),
    Law(
        "acceptors_remember",
        "An acceptor knows its vote in every slot, or a higher one.",
        when(voted(n, c, s, v), then=reaches(n, s, c)),
    ),
    Law(
        "votes_bind",
        "Whose latest vote is at a ballot or above has left all ballots below that one.",
        when(reaches(n, s, c), below(b, c), then=left(n, b)),
    ),
    Law(
        "left_downwards",
        "Who has left a ballot has left all lower ones.",
        when(left(n, c), below(b, c), then=left(n, b)),
    ),
    Law(
        "latest_votes_are_votes",
        "What an acceptor knows as its latest vote it has cast.",
        when(latest(n, s, c, v), then=voted(n, c, s, v)),
    ),
    Law(
        "reported_votes_are_votes",
        "Only votes that were cast are reported.",
        when(reported(n, b, s, c, v), then=voted(n, c, s, v)),
    ),
    Law(
        "merged_votes_are_proposed",
        "Only values that were proposed are merged.",
        when(merged(b, s, c, v), then=proposed(c, s, v)),
    ),
    Law(
        "latest_is_highest",
        "No vote of an acceptor in a slot is above its latest.",
        when(latest(n, s, c, v), reaches(n, s, d), then=none_of(below(c, d))),
    ),
    Law(
        "report_is_highest",
        "No vote that a promise tells of is above the one reported.",
        when(reported(n, b, s, c, v), report_reaches(n, b, s, d), then=none_of(below(c, d))),
    ),
    Law(
        "merged_is_highest",
        "No vote that a bidder was told of is above the one it keeps.",
        when(merged(b, s, c, v), merged_reaches(b, s, d), then=none_of(below(c, d))),
    ),
    Law(
        "reports_come_with_promises",
        "Nothing is reported without a promise.",
        when(reported(n, b, s, c, v), then=promised(n, b)),
    ),
    Law(
        "reports_reach_with_promises",
        "No vote is told of without a promise.",
        when(report_reaches(n, b, s, c), then=promised(n, b)),
    ),
    Law(
        "merged_reaches_downwards",
        "Who knows of a vote at a ballot or above knows so of every lower ballot.",
        when(merged_reaches(b, s, c), below(d, c), then=merged_reaches(b, s, d)),
    ),
    Law(
        "report_reaches_downwards",
        "A promise that tells of a vote at a ballot or above does so of every lower ballot.",
        when(report_reaches(n, b, s, c), below(d, c), then=report_reaches(n, b, s, d)),
    ),
    Law(
        "reaches_downwards",
        "An acceptor's latest vote that is at a ballot or above is so for every lower ballot.",
        when(reaches(n, s, c), below(d, c), then=reaches(n, s, d)),
    ),
)

MULTI_PAXOS: Final = Protocol(
    name="multi-paxos",
    sorts=(NODE, BALLOT, SLOT, VALUE, PHASE1_QUORUM, PHASE2_QUORUM),
    rigid=(below, owns, in_phase1, in_phase2),
    changing=(
        left,
        latest,
        reaches,
        promised,
        reported,
        report_reaches,
        heard,
        merged,
        merged_reaches,
        leads,
        used,
        proposed,
        voted,
        decided,
    ),
    axioms=AXIOMS,
    actions=(PROMISE, HEAR, LEAD, PROPOSE_FREELY, PROPOSE_AGAIN, VOTE, DECIDE),
    conjuncts=CONJUNCTS,
    safety=SAFETY,
    order=below,
    decision=there_is(q, b, s, v, such_that=decided(q, b, s, v)),
)
