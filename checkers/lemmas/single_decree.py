"""Paxos for one decision: the text to read before ``multi_paxos``.

Promises are relations between nodes and ballots, and what a promise would report is read from the
votes themselves: an acceptor's highest vote below the ballot. Quorums are of one kind.
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

__all__ = ["BALLOT", "NODE", "QUORUM", "SINGLE_DECREE", "VALUE"]

NODE: Final = Sort("node", "n")
BALLOT: Final = Sort("ballot", "b")
VALUE: Final = Sort("value", "v")
QUORUM: Final = Sort("quorum", "q")

n, m = Variable("n", NODE), Variable("m", NODE)
b, c, d = (Variable(name, BALLOT) for name in "bcd")
v, w = Variable("v", VALUE), Variable("w", VALUE)
q, r = Variable("q", QUORUM), Variable("r", QUORUM)

below = Relation("below", (BALLOT, BALLOT), "{0} is below {1}")
member = Relation("member", (NODE, QUORUM), "{0} is in {1}")

left = Relation("left", (NODE, BALLOT), "{0} is bound to a ballot above {1}")
promised = Relation("promised", (NODE, BALLOT), "{0} has promised {1}")
proposed = Relation("proposed", (BALLOT, VALUE), "{1} is proposed at {0}")
voted = Relation("voted", (NODE, BALLOT, VALUE), "{0} voted at {1} for {2}")
decided = Relation("decided", (QUORUM, BALLOT, VALUE), "{2} is decided, by the votes of {0} at {1}")

LEAVES_LOWER_BALLOTS: Final = becomes(
    left(m, c), either(same(m, n), then=below(c, b), otherwise=left(m, c))
)
NOT_LEFT: Final = Law("not_left", "It is bound to no higher ballot.", none_of(left(n, b)))

PROMISE: Final = Action(
    "promise",
    "{n} promises {b}",
    (n, b),
    guards=(NOT_LEFT,),
    updates=(adds(promised(n, b)), LEAVES_LOWER_BALLOTS),
)

NOTHING_PROPOSED: Final = Law(
    "nothing_proposed",
    "At this ballot nothing is proposed yet.",
    none_of(there_is(w, such_that=proposed(b, w))),
)
QUORUM_PROMISED: Final = Law(
    "quorum_promised",
    "A quorum has promised the ballot.",
    for_all(m, holds=when(member(m, q), then=promised(m, b))),
)

PROPOSE_FREELY: Final = Action(
    "propose_freely",
    "the leader of {b}, elected by {q} without a vote below, proposes {v}",
    (b, q, v),
    guards=(
        NOTHING_PROPOSED,
        QUORUM_PROMISED,
        Law(
            "no_votes",
            "None of the quorum has voted at a lower ballot.",
            for_all(m, c, w, holds=when(member(m, q), below(c, b), then=none_of(voted(m, c, w)))),
        ),
    ),
    updates=(adds(proposed(b, v)),),
)

PROPOSE_AGAIN: Final = Action(
    "propose_again",
    "the leader of {b}, elected by {q}, proposes {v}, for which {n} voted at {d}",
    (b, q, n, d, v),
    guards=(
        NOTHING_PROPOSED,
        QUORUM_PROMISED,
        Law("a_vote", "Somebody has voted for it.", voted(n, d, v)),
        Law(
            "the_highest",
            "None of the quorum has voted between that ballot and this one.",
            for_all(
                m, c, w,
                holds=when(member(m, q), below(c, b), below(d, c), then=none_of(voted(m, c, w))),
            ),
        ),
    ),
    updates=(adds(proposed(b, v)),),
)  # fmt: skip

VOTE: Final = Action(
    "vote",
    "{n} votes for {v} at {b}",
    (n, b, v),
    guards=(NOT_LEFT, Law("proposed", "The leader proposed it.", proposed(b, v))),
    updates=(adds(voted(n, b, v)), LEAVES_LOWER_BALLOTS),
)

DECIDE: Final = Action(
    "decide",
    "{v} is decided, by the votes of {q} at {b}",
    (q, b, v),
    guards=(
        Law(
            "quorum_voted",
            "A quorum has voted for it, at one ballot.",
            for_all(n, holds=when(member(n, q), then=voted(n, b, v))),
        ),
    ),
    updates=(adds(decided(q, b, v)),),
)

SINGLE_DECREE: Final = Protocol(
    name="single-decree paxos",
    sorts=(NODE, BALLOT, VALUE, QUORUM),
    rigid=(below, member),
    changing=(left, promised, proposed, voted, decided),
    axioms=(
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
            "quorums_meet",
            "Every two quorums have a node in common.",
            there_is(n, such_that=all_of(member(n, q), member(n, r))),
        ),
    ),
    actions=(PROMISE, PROPOSE_FREELY, PROPOSE_AGAIN, VOTE, DECIDE),
    safety=(
        Law(
            "agreement",
            "No two values are decided.",
            when(decided(q, b, v), decided(r, c, w), then=same(v, w)),
        ),
    ),
    conjuncts=(
        Law(
            "decisions_have_votes",
            "By whom a value is decided has voted for it.",
            when(decided(q, b, v), member(n, q), then=voted(n, b, v)),
        ),
        Law(
            "nothing_else_choosable",
            "Where a value is proposed, no other can be chosen at a lower ballot: in every quorum "
            "some node has left that ballot without a vote for it.",
            when(
                proposed(b, v),
                below(c, b),
                differ(v, w),
                then=there_is(
                    n, such_that=all_of(member(n, q), left(n, c), none_of(voted(n, c, w)))
                ),
            ),
        ),
        Law(
            "one_value_per_ballot",
            "At one ballot, one value is proposed.",
            when(proposed(b, v), proposed(b, w), then=same(v, w)),
        ),
        Law(
            "votes_are_proposed",
            "What is voted for at a ballot is proposed there.",
            when(voted(n, b, v), then=proposed(b, v)),
        ),
        Law(
            "promises_bind",
            "Who has promised a ballot has left all lower ones.",
            when(promised(n, b), below(c, b), then=left(n, c)),
        ),
        Law(
            "left_downwards",
            "Who has left a ballot has left all lower ones.",
            when(left(n, c), below(b, c), then=left(n, b)),
        ),
    ),
    order=below,
    decision=there_is(q, b, v, such_that=decided(q, b, v)),
)
