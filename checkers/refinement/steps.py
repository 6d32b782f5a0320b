"""Steps: which actions of the proved protocol a node's testimony stands for, and whether they fit.

What a node says in one step (promises, votes, leaderships, decisions, in its order) is a short
sequence of actions, or a stutter where it was said before. Where records leave open what happened
(whose promises a new leader has heard), every possibility is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, NamedTuple, TypeAlias

from indelible.checkers.lemmas.finite import (
    Facts,
    Happening,
    Instance,
    after,
    broken_laws,
    empty,
    failed_guards,
)
from indelible.checkers.lemmas.logic import Sort
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.lemmas.protocol import Law, Protocol
from indelible.checkers.refinement.history import (
    Decision,
    GivenPromise,
    History,
    Leadership,
    Quorums,
    WasCast,
    elected_by,
    instance_of,
    interpreted,
    merged_reports,
    universe_of,
)
from indelible.checkers.words import ballot_said, listed, said
from indelible.model.effects import Decide, Lead, Promise, Vote
from indelible.model.events import NodeId, node_name

__all__ = ["Allowed", "Refiner", "Refused", "Testimony"]

Testimony: TypeAlias = Promise | Vote | Lead | Decide


class Allowed(NamedTuple):
    """The actions that a testimony stands for, and the history with them."""

    actions: tuple[str, ...]
    history: History


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a testimony stands for no actions of the proved protocol.

    ``law`` is the axiom or conjunct that is broken, or the guard that is not true, by its name.
    """

    law: str
    says: str


class Refiner:
    """Judges what the nodes of one cluster say, by the protocol that is proved.

    Every answer is a function of the history and the testimony, and kept.
    """

    def __init__(
        self, nodes: tuple[NodeId, ...], quorums: Quorums, protocol: Protocol = MULTI_PAXOS
    ) -> None:
        self._nodes, self._quorums, self._protocol = nodes, quorums, protocol
        self._known: dict[tuple[History, NodeId, Testimony], tuple[Allowed | Refused, ...]] = {}
        self._broken: dict[History, tuple[Law, ...]] = {}

    def broken_axioms(self, history: History) -> tuple[Law, ...]:
        """What the proof assumes, and is not so in a run."""
        universe = universe_of(history, self._nodes)
        instance = instance_of(self._protocol, history, universe, self._quorums)
        return broken_laws(instance, empty(instance), self._protocol.axioms)

    def judged(
        self, history: History, node: NodeId, testimony: Testimony
    ) -> tuple[Allowed | Refused, ...]:
        """What it may stand for; each possibility is allowed, or refused for a reason."""
        key = (history, node, testimony)
        answer = self._known.get(key)
        if answer is None:
            answer = tuple(
                self._checked(history, actions, following)
                for actions, following in self._candidates(history, node, testimony)
            )
            self._known[key] = answer
        return answer

    def _checked(
        self, history: History, happenings: tuple[Happening, ...], following: History
    ) -> Allowed | Refused:
        """Take the actions one by one, and compare with what the history after them means."""
        if not happenings:
            return Allowed((), history)
        universe = universe_of(following, self._nodes)
        instance = instance_of(self._protocol, following, universe, self._quorums)
        for axiom in self.broken_axioms(following):
            return Refused(axiom.name, f"{_says(happenings[-1])}, against: {axiom.says}")
        facts = interpreted(history, universe, self._quorums)
        for happening in happenings:
            failed = failed_guards(instance, facts, happening)
            if failed:
                name = f"{happening[0].name}.{failed[0].name}"
                return Refused(name, f"{_says(happening)}, but not: {failed[0].says}")
            facts = after(instance, facts, happening)
        return self._compared(
            instance, facts, happenings, following, interpreted(following, universe, self._quorums)
        )

    def _compared(
        self,
        instance: Instance,
        reached: Facts,
        happenings: tuple[Happening, ...],
        following: History,
        meant: Facts,
    ) -> Allowed | Refused:
        for relation in self._protocol.changing:
            if reached[relation] != meant[relation]:
                return Refused(relation.name, f"{_says(happenings[-1])}: {relation.name} differs")
        broken = self._broken.get(following)
        if broken is None:
            broken = broken_laws(instance, reached, self._protocol.invariant)
            self._broken[following] = broken
        for law in broken:
            return Refused(law.name, law.says)
        return Allowed(tuple(action.name for action, _ in happenings), following)

    def _candidates(
        self, history: History, node: NodeId, testimony: Testimony
    ) -> Iterator[tuple[tuple[Happening, ...], History]]:
        match testimony:
            case Promise(ballot):
                yield self._promise(history, node, ballot)
            case Lead(ballot):
                yield from self._lead(history, node, ballot)
            case Vote(slot, ballot, value):
                yield self._vote(history, WasCast(node, ballot, slot, value))
            case Decide(slot, value):
                yield self._decide(history, slot, value)

    def _happening(self, name: str, *arguments: object) -> Happening:
        return self._protocol.action(name), arguments

    def _promise(
        self, history: History, node: NodeId, ballot: object
    ) -> tuple[tuple[Happening, ...], History]:
        """A stutter, if it is bound by just this ballot already: by its promise, or by a vote."""
        if history.bound_to(node) == ballot:
            return (), history
        promise = GivenPromise(node, ballot, history.latest(node))
        following = replace(history, promises=history.promises | {promise})
        return (self._happening("promise", node, ballot),), following

    def _lead(
        self, history: History, node: NodeId, ballot: object
    ) -> Iterator[tuple[tuple[Happening, ...], History]]:
        """Whose promises it has heard, nobody says: any that were given, and contain a quorum."""
        if history.leadership(node, ballot) is not None:
            yield (), history
            return
        promised = sorted(history.promised_by(ballot), key=self._nodes.index)
        possible = [
            frozenset(heard)
            for size in range(len(promised) + 1)
            for heard in combinations(promised, size)
            if any(quorum.issubset(heard) for quorum in self._quorums.phase1)
        ]
        for heard in possible:
            following = replace(
                history, leaderships=history.leaderships | {Leadership(node, ballot, heard)}
            )
            hears = (self._happening("hear", ballot, other) for other in promised if other in heard)
            quorum = elected_by(heard, self._quorums)
            yield (*hears, self._happening("lead", node, ballot, quorum)), following
        if not possible:  # So that it is told whose promise is missing.
            quorum = max(self._quorums.phase1, key=lambda known: len(known.intersection(promised)))
            hears = (
                self._happening("hear", ballot, other) for other in self._nodes if other in quorum
            )
            yield (*hears, self._happening("lead", node, ballot, quorum)), history

    def _vote(self, history: History, vote: WasCast) -> tuple[tuple[Happening, ...], History]:
        """A vote for what is proposed; who votes first in a ballot of its own proposes by that."""
        if vote in history.votes:
            return (), history
        node, ballot, slot, value = vote
        following = replace(history, votes=history.votes | {vote})
        votes = self._happening("vote", node, ballot, slot, value)
        if history.is_proposed(ballot, slot, value):
            return (votes,), following
        return (self._proposal(history, vote), votes), following

    def _proposal(self, history: History, vote: WasCast) -> Happening:
        """By the leader of the ballot; if there is none, by the voter, which is not allowed."""
        node, ballot, slot, value = vote
        leader = next((known for known in history.leaderships if known.ballot == ballot), None)
        if leader is None:
            quorum = self._quorums.phase1[0]
            return self._happening("propose_freely", node, ballot, quorum, slot, value)
        quorum = elected_by(leader.heard, self._quorums)
        for bound, lower, _ in sorted(merged_reports(history, leader), key=lambda known: known[:2]):
            if bound == slot:
                return self._happening(
                    "propose_again", leader.node, ballot, quorum, slot, lower, value
                )
        return self._happening("propose_freely", leader.node, ballot, quorum, slot, value)

    def _decide(
        self, history: History, slot: int, value: object
    ) -> tuple[tuple[Happening, ...], History]:
        """By the votes of the quorum of which the most have voted so, at one ballot."""
        if any((known.slot, known.value) == (slot, value) for known in history.decisions):
            return (), history
        ballots = universe_of(history, self._nodes).ballots or (None,)
        ballot, quorum = max(
            product(ballots, self._quorums.phase2),
            key=lambda votes: (
                votes[1] <= history.voters(votes[0], slot, value),
                len(votes[1] & history.voters(votes[0], slot, value)),
            ),
        )
        decision = Decision(quorum, ballot, slot, value)
        following = replace(history, decisions=history.decisions | {decision})
        return (self._happening("decide", quorum, ballot, slot, value),), following


def _says(happening: Happening) -> str:
    action, arguments = happening
    names = {
        parameter.name: _name(parameter.sort, argument)
        for parameter, argument in zip(action.parameters, arguments, strict=True)
    }
    return action.says.format(**names)


def _name(sort: Sort, element: Any) -> str:
    match sort.name:
        case "node":
            return node_name(element)
        case "ballot":
            return f"ballot {ballot_said(element)}"
        case "slot":
            return f"slot {element}"
        case "value":
            return said(element)
    return f"{{{listed(sorted(element, key=str))}}}"
