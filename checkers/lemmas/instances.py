"""Instances: small universes in which the protocols that are proved can be run. Values only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import combinations

from indelible.checkers.lemmas import multi_paxos, single_decree
from indelible.checkers.lemmas.finite import Instance
from indelible.checkers.lemmas.logic import Element
from indelible.checkers.lemmas.protocol import Protocol
from indelible.model.events import NodeId, node_name
from indelible.model.quorums import MajorityQuorums, QuorumSystem

__all__ = ["minimal_quorums", "multi_paxos_instance", "single_decree_instance"]

MAJORITIES = MajorityQuorums()


def minimal_quorums(
    nodes: tuple[NodeId, ...], is_quorum: Callable[[Collection[NodeId], tuple[NodeId, ...]], bool]
) -> tuple[frozenset[NodeId], ...]:
    """The quorums that contain no smaller one, in order."""
    found: list[frozenset[NodeId]] = []
    for size in range(len(nodes) + 1):
        for members in combinations(nodes, size):
            smaller = any(known <= set(members) for known in found)
            if not smaller and is_quorum(members, nodes):
                found.append(frozenset(members))
    return tuple(found)


def single_decree_instance(
    protocol: Protocol = single_decree.SINGLE_DECREE,
    *,
    nodes: int = 3,
    ballots: int = 2,
    values: int = 2,
    quorums: QuorumSystem = MAJORITIES,
) -> Instance:
    """Paxos for one decision among so many nodes; its quorums are those of phase 2."""
    named, lower = _numbered("b", ballots)
    everybody = tuple(range(nodes))
    members = _named(minimal_quorums(everybody, quorums.is_phase2_quorum))
    return Instance(
        protocol,
        {
            single_decree.NODE: tuple(map(node_name, everybody)),
            single_decree.BALLOT: named,
            single_decree.VALUE: _numbered("v", values)[0],
            single_decree.QUORUM: tuple(members),
        },
        {single_decree.below: lower, single_decree.member: _membership(members)},
    )


def multi_paxos_instance(
    protocol: Protocol = multi_paxos.MULTI_PAXOS,
    *,
    nodes: int = 3,
    ballots: int = 2,
    slots: int = 1,
    values: int = 2,
    quorums: QuorumSystem = MAJORITIES,
    shared_ballots: bool = False,
) -> Instance:
    """Multi-Paxos among so many nodes. The ballots belong to the nodes in turn; if they are
    ``shared``, each belongs to all of them, which an axiom forbids."""
    named, lower = _numbered("b", ballots)
    everybody = tuple(range(nodes))
    names = tuple(map(node_name, everybody))
    phase1 = _named(minimal_quorums(everybody, quorums.is_phase1_quorum))
    phase2 = _named(minimal_quorums(everybody, quorums.is_phase2_quorum))
    owners = frozenset(
        (name, ballot)
        for node, name in enumerate(names)
        for number, ballot in enumerate(named)
        if shared_ballots or number % nodes == node
    )
    return Instance(
        protocol,
        {
            multi_paxos.NODE: names,
            multi_paxos.BALLOT: named,
            multi_paxos.SLOT: _numbered("s", slots)[0],
            multi_paxos.VALUE: _numbered("v", values)[0],
            multi_paxos.PHASE1_QUORUM: tuple(phase1),
            multi_paxos.PHASE2_QUORUM: tuple(phase2),
        },
        {
            multi_paxos.below: lower,
            multi_paxos.owns: owners,
            multi_paxos.in_phase1: _membership(phase1),
            multi_paxos.in_phase2: _membership(phase2),
        },
    )


def _numbered(letter: str, size: int) -> tuple[tuple[str, ...], frozenset[tuple[Element, ...]]]:
    """Names for so many elements, and their order."""
    names = tuple(f"{letter}{number}" for number in range(size))
    return names, frozenset(combinations(names, 2))


def _named(quorums: Iterable[frozenset[NodeId]]) -> dict[str, tuple[str, ...]]:
    """The names of the members of each quorum, by its own name, such as ``{n0, n1}``."""
    members = (tuple(map(node_name, sorted(quorum, key=str))) for quorum in quorums)
    return {f"{{{', '.join(names)}}}": names for names in members}


def _membership(quorums: dict[str, tuple[str, ...]]) -> frozenset[tuple[Element, ...]]:
    return frozenset((name, quorum) for quorum, names in quorums.items() for name in names)
