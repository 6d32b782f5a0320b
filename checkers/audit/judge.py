"""The judge of a log: which of the built-in properties the first entry violates, in one pass.

Each rule is the incremental twin of the property of its name (``checkers.properties``), evaluated
on the records of all nodes after every entry; ``plainly`` does just that. What the log lacks is
never held against it, nor does it count for it: a rule that needs to know what a node did *not* do
is decided only where that can be known (``members``), and otherwise noted in ``unknown``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from indelible.checkers.audit.deciding import DecisionRules
from indelible.checkers.audit.entry import (
    DECIDE,
    EXECUTE,
    INSTALL,
    LEAD,
    PROMISE,
    SUBMIT,
    VOTE,
    Entry,
)
from indelible.checkers.audit.executing import ExecutionRules
from indelible.checkers.audit.ledger import Ledger
from indelible.checkers.audit.members import Member, Members
from indelible.checkers.audit.notes import Finding, Notes, Place
from indelible.checkers.audit.sequences import Sequences
from indelible.checkers.audit.voting import VotingRules
from indelible.model.events import NodeId
from indelible.model.quorums import QuorumSystem

__all__ = ["BY_MEMBERS", "LACKS", "NEEDS", "RULES", "Judge"]

NEEDS: Final[Mapping[str, int]] = {
    "agreement": DECIDE,
    "log_prefix": EXECUTE,
    "execution_without_gap": EXECUTE,
    "execution_follows_log": DECIDE | EXECUTE,
    "at_most_once": EXECUTE,
    "execution_not_repeated": EXECUTE,
    "stability": DECIDE,
    "validity": DECIDE | SUBMIT,
    "decided_implies_chosen": DECIDE | VOTE,
    "one_value_per_ballot": VOTE,
    "one_leader_per_ballot": LEAD,
    "promise_never_falls": PROMISE,
    "votes_keep_promises": PROMISE | VOTE,
    "leaders_are_promised": PROMISE | LEAD,
    "votes_are_safe": VOTE | PROMISE | LEAD,
}
"""The testimony without which a property says nothing of a log."""

BY_MEMBERS: Final = frozenset(
    {"validity", "decided_implies_chosen", "leaders_are_promised", "votes_are_safe"}
)
"""Those that depend on who the nodes are."""

LACKS: Final[Mapping[str, int]] = {
    "execution_follows_log": DECIDE,
    "validity": SUBMIT,
    "decided_implies_chosen": VOTE,
    "leaders_are_promised": PROMISE,
    "votes_are_safe": PROMISE | VOTE,
}
"""The testimony of which there is not enough, where a property is violated by what is not there."""

TIDIED_EVERY: Final = 256
"""After so many entries old cells are settled."""

RULES: Final = tuple(NEEDS)
"""The properties that are judged, in the order in which one is reported before another."""


class Judge:
    """Takes entries one by one; ``finding`` is the first violation of what is observable so far."""

    def __init__(
        self,
        quorums: QuorumSystem,
        *,
        nodes: tuple[NodeId, ...] | None = None,
        names: Collection[str] = RULES,
        is_merged: bool = False,
    ) -> None:
        self.members = Members(quorums, nodes)
        self.notes = Notes(names, is_merged=is_merged)
        self.seen = 0
        self.finding: Finding | None = None
        slots = self._slots = Ledger()
        self._deciding = DecisionRules(self.members, self.notes, slots)
        self._executing = ExecutionRules(self.members, self.notes, slots)
        self._voting = VotingRules(self.members, self.notes, slots)
        self._sequences = Sequences()
        self._suspects = 0

    def lacks(self, entry: Entry) -> bool:
        """Whether the entry, if it came next, would say what a property does not allow unless
        somebody has said something first, and nobody has."""
        members = self.members
        if members.everyone is None:
            return False
        bit = members.member(entry.node).bit
        try:
            if entry.kinds & DECIDE and self._deciding.lacks(entry, bit):
                return True
            return bool(entry.kinds & LEAD) and self._voting.lacks(entry, bit)
        except (TypeError, RecursionError):  # Whoever judges the entry says so.
            return False

    def silent(self, finding: Finding) -> list[tuple[int, tuple[NodeId, ...]]]:
        """Whoever has never given testimony that the finding lacks, by its kind. Such a node may
        have had nothing to say, or does not record it: no log tells these two apart."""
        members = self.members
        asked = tuple(members.named((members.everyone or 0) & members.whole))
        if "node" in finding.about:
            asked = (finding.about["node"],)
        lacking = LACKS.get(finding.property, 0)
        found = [
            (kind, tuple([node for node in asked if not members.known[node].said & kind]))
            for kind in (DECIDE, VOTE, PROMISE, SUBMIT)
            if kind & lacking
        ]
        return [(kind, nodes) for kind, nodes in found if nodes]

    def excuse(self, why: str) -> None:
        """What was lacking may have been said before, since the order is not what it seemed."""
        self.notes.excuse(BY_MEMBERS, why)
        self._find()

    def end(self, *, is_over: bool) -> None:
        """No more entries come; if the log is over, judge what only then can be."""
        self._voting.end(is_over=is_over)
        if is_over:
            self._find()

    def judge(self, entry: Entry, place: Place, *, again: bool = False) -> None:
        """Take the next entry; ``again``: it may be the one before it, told twice. Raises
        ``TypeError`` where two ballots have no order."""
        notes, members = self.notes, self.members
        notes.number += 1
        notes.place = place
        if not notes.number % TIDIED_EVERY:
            self._slots.tidy()
            self._executing.tidy()
        member = members.known.get(entry.node) or members.member(entry.node)
        notes.acting = member.bit
        if entry.sequence is not None:
            self._count(entry, member)
        if entry.kind == "start" or not members.acted & member.bit:
            is_new = not members.acted & member.bit
            odd = members.met(entry, member)
            if odd:
                notes.problems += odd
                notes.give_up(BY_MEMBERS, "the nodes are not the same in all of the log")
            if is_new:
                notes.met(member.bit, is_new=bool(member.bit & members.whole))
        seen = self.seen | entry.kinds
        for command in entry.submitted:
            seen |= SUBMIT
            member.said |= SUBMIT
            self._deciding.submitted(command)
        if entry.kinds:
            member.said |= entry.kinds
            self._judge_testimony(entry, member, again=again)
        elif entry.kind != "event":
            member.begin_run()
        if seen != self.seen or len(notes.suspects) != self._suspects:
            self.seen = seen
            self._find()

    def _count(self, entry: Entry, member: Member) -> None:
        """Where records of a node are missing, nobody knows what it did, or whether it started
        again."""
        gap = self._sequences.gap(entry)
        self.notes.numbered |= member.bit
        if self.notes.open:
            self.notes.next_came(member.bit, gap)
            self._find()
        if gap:
            self.notes.problems.append(gap)
            self.members.lose((entry.node,))
            member.begin_run()

    def forget_run(self, node: NodeId) -> None:
        """The node may have started again."""
        self.members.member(node).begin_run()

    def _judge_testimony(self, entry: Entry, member: Member, *, again: bool) -> None:
        """Judge what the node says."""
        executed: list[tuple[int, Any]] = []
        starts: list[int] = []
        before_crash = 0
        for at, said in enumerate(entry.testimony):
            kind = said[0]
            if kind == DECIDE:
                self._deciding.decide(member, said[1], said[2])
            elif kind == VOTE:
                self._voting.vote(member, said[1], said[2], said[3])
            elif kind == EXECUTE:
                executed.append(said[1:])
                before_crash += at < entry.before_crash
            elif kind == INSTALL:
                self._executing.install(member, said[1])
                starts.append(len(executed))
            elif kind == PROMISE:
                self._voting.promise(member, said[1], again=again)
            else:
                self._voting.lead(member, said[1])
        # Of all else, as properties do, rules see what the whole entry has come to.
        if entry.kinds & (PROMISE | VOTE | LEAD):
            self._voting.conclude(member)
        if entry.kinds & DECIDE:
            self._deciding.conclude(member)
        if entry.kind != "event":
            starts.append(before_crash)
        if executed:
            self._executing.conclude(member, executed, sorted(starts))
        elif starts:
            member.begin_run()

    def _find(self) -> None:
        """Note the first violation of a property whose testimony the log has given by now."""
        self._suspects = len(self.notes.suspects)
        observable = [
            known
            for known in self.notes.suspects.values()
            if not NEEDS[known.property] & ~self.seen
        ]
        self.finding = min(
            observable, key=lambda known: (known.number, RULES.index(known.property)), default=None
        )
