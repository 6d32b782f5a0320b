"""Quorums that are counted: what they share, for every number of nodes.

Statements only, to be read as text: ``n`` is the number of nodes and ``size`` that of a set. Each
hypothesis has a short name, and *weaker* what is one vote short of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import z3

from indelible.checkers.lemmas.lemma import Lemma
from indelible.checkers.lemmas.venn import Venn

__all__ = ["counting_lemmas"]


def counting_lemmas() -> tuple[Lemma, ...]:
    """All of them, from the plainest on."""
    return (
        majority(),
        flexible(),
        weighted(),
        read_one_write_all(),
        fast_paxos(),
        byzantine_dissemination(),
        byzantine_masking(),
        single_server_change(),
        joint_consensus(),
    )


def majority() -> Lemma:
    """The Part-Time Parliament, B2, with its example of quorums."""
    venn = Venn("A B")
    a, b = venn.sets
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "majority",
        "any two majorities share a node",
        given={"A": 2 * size(a) > n, "B": 2 * size(b) > n},
        then=size(a & b) >= 1,
        weaker=({"A": 2 * size(a) >= n, "B": 2 * size(b) >= n},),
    )


def flexible() -> Lemma:
    """Howard, Malkhi, Spiegelman: "Flexible Paxos", on simple quorums."""
    venn = Venn("A B", "q1 q2")
    a, b = venn.sets
    q1, q2 = venn.unknowns
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "flexible",
        "q1 nodes and q2 nodes share one if q1 + q2 > n",
        given={"A": size(a) >= q1, "B": size(b) >= q2, "sum": q1 + q2 > n},
        then=size(a & b) >= 1,
        weaker=({"sum": q1 + q2 >= n},),
        where=(q1 >= 1, q2 >= 1),
    )


def weighted() -> Lemma:
    """Gifford: "Weighted Voting for Replicated Data". Sizes are weights, and may be fractions."""
    venn = Venn("A B", "q1 q2", weighted=True)
    a, b = venn.sets
    q1, q2 = venn.unknowns
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "weighted",
        "weights q1 and q2 out of n share a node that weighs something if q1 + q2 > n",
        given={"A": size(a) >= q1, "B": size(b) >= q2, "sum": q1 + q2 > n},
        then=size(a & b) > 0,
        weaker=({"sum": q1 + q2 >= n},),
        where=(q1 > 0, q2 > 0),
    )


def read_one_write_all() -> Lemma:
    """The flexible quorums that are furthest apart."""
    venn = Venn("A B")
    a, b = venn.sets
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "read-one-write-all",
        "any one node is among all of them",
        given={"A": size(a) >= 1, "B": size(b) >= n},
        then=size(a & b) >= 1,
        weaker=({"B": size(b) >= n - 1},),
    )


def fast_paxos() -> Lemma:
    """Lamport: "Fast Paxos": a classic quorum meets what two fast quorums share."""
    venn = Venn("C F G", "qc qf")
    c, f, g = venn.sets
    qc, qf = venn.unknowns
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "fast-paxos",
        "a classic quorum and two fast ones share a node if qc + 2*qf > 2*n",
        given={
            "C": size(c) >= qc,
            "F": size(f) >= qf,
            "G": size(g) >= qf,
            "sum": qc + 2 * qf > 2 * n,
        },
        then=size(c & f & g) >= 1,
        weaker=({"sum": qc + 2 * qf >= 2 * n},),
        where=(qc >= 1, qf >= 1, qc <= n, qf <= n),
    )


def byzantine_dissemination() -> Lemma:
    """Malkhi, Reiter: "Byzantine Quorum Systems": for data that vouches for itself.

    A quorum cannot wait for more than n - f nodes, as f may be silent.
    """
    venn = Venn("A B F", "f")
    a, b, faulty = venn.sets
    (f,) = venn.unknowns
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "byzantine-dissemination",
        "quorums of n - f nodes share one that is not among the f faulty if n > 3*f",
        given={
            "A": size(a) >= n - f,
            "B": size(b) >= n - f,
            "F": size(faulty) <= f,
            "nodes": n > 3 * f,
        },
        then=size((a & b) - faulty) >= 1,
        weaker=({"F": size(faulty) <= f + 1}, {"nodes": n >= 3 * f}),
        where=(f >= 1,),
    )


def byzantine_masking() -> Lemma:
    """Malkhi, Reiter: "Byzantine Quorum Systems": for data that anybody could forge."""
    venn = Venn("A B F", "f")
    a, b, faulty = venn.sets
    (f,) = venn.unknowns
    n, size = venn.n, venn.size
    return _lemma(
        venn,
        "byzantine-masking",
        "of the nodes that quorums of n - f share, more than f are not faulty if n > 4*f",
        given={
            "A": size(a) >= n - f,
            "B": size(b) >= n - f,
            "F": size(faulty) <= f,
            "nodes": n > 4 * f,
        },
        then=size((a & b) - faulty) > f,
        weaker=({"F": size(faulty) <= f + 1}, {"nodes": n >= 4 * f}),
        where=(f >= 1,),
    )


def single_server_change() -> Lemma:
    """Ongaro: "Consensus: Bridging Theory and Practice", section 4.1."""
    venn = Venn("Old New A B")
    old, new, a, b = venn.sets
    size = venn.size
    return _lemma(
        venn,
        "single-server-change",
        "majorities before and after share a node if at most one was added or removed",
        given={
            "A": 2 * size(a & old) > size(old),
            "B": 2 * size(b & new) > size(new),
            "change": size(old - new) + size(new - old) <= 1,
        },
        then=size(a & b) >= 1,
        weaker=({"change": size(old - new) + size(new - old) <= 2},),
    )


def joint_consensus() -> Lemma:
    """Ongaro, Ousterhout: "In Search of an Understandable Consensus Algorithm", section 6."""
    venn = Venn("Old New J B")
    old, new, joint, b = venn.sets
    size = venn.size
    of_both = 2 * size(joint & (old | new)) > size(old | new)
    return _lemma(
        venn,
        "joint-consensus",
        "a majority of both configurations shares a node with a majority of either",
        given={
            "Old": 2 * size(joint & old) > size(old),
            "New": 2 * size(joint & new) > size(new),
            "B": z3.Or(2 * size(b & old) > size(old), 2 * size(b & new) > size(new)),
        },
        then=size(joint & b) >= 1,
        # A majority of all that are in one of the two, taken as one set.
        weaker=({"Old": of_both}, {"New": of_both}),
    )


def _lemma(
    venn: Venn,
    name: str,
    says: str,
    *,
    given: Mapping[str, z3.BoolRef],
    then: z3.BoolRef,
    weaker: tuple[Mapping[str, z3.BoolRef], ...],
    where: tuple[z3.BoolRef, ...] = (),
) -> Lemma:
    return Lemma(name, says, given, then, venn.show, venn.up_to, weaker, (*venn.where(), *where))
