"""How Paxos keeps its word: promises, leaderships and votes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final

from indelible.checkers.audit.ballots import Ballots
from indelible.checkers.audit.entry import LEAD, PROMISE, Entry
from indelible.checkers.audit.ledger import Cell, Ledger
from indelible.checkers.audit.members import Member, Members
from indelible.checkers.audit.notes import NODES_UNKNOWN, SAID_AGAIN, Finding, Notes
from indelible.model.effects import Ballot, Slot, Value

__all__ = ["VotingRules"]

SAFE: Final = "votes_are_safe"
LATE_MAX: Final = 1000
UNORDERED: Final = "whether enough nodes had promised more, or voted, by then is not in the files"
FELL: Final = "a promise fell, and what others said may have come before or after that"


class VotingRules:
    """Rules about ``Promise``, ``Vote`` and ``Lead``, which raise ``TypeError`` for a ballot that
    does not compare with all before.

    It remembers the last promise of each node, and who has led each ballot; votes are in the ledger
    of slots.
    """

    def __init__(self, members: Members, notes: Notes, slots: Ledger) -> None:
        self._members = members
        self._notes = notes
        self._slots = slots
        self._ballots = Ballots()
        self._leaders: dict[Ballot, int] = {}
        self._led: list[Ballot] = []
        self._voted_max: Ballot | None = None
        self._free: dict[Ballot, int] = {}
        self._clear: set[Ballot] = set()
        self._new_votes: list[tuple[Slot, Cell, Ballot, int]] = []
        self._new_led: list[Ballot] = []
        self._late: list[tuple[Finding, int]] = []
        self._is_over = False
        self._promised: Ballot | None = None

    def promise(self, member: Member, ballot: Ballot, *, again: bool = False) -> None:
        """A node promises; that counts for its own effects at once, for others with the entry.

        ``again``: unless it has said so a moment ago, and nothing happened.
        """
        if ballot not in self._ballots.met:
            self._ballots.meet(ballot)
        before = self._promise_of(member)
        if before is not None and ballot < before:
            if again:
                self._notes.cannot_know("promise_never_falls", SAID_AGAIN)
            else:
                self._notes.violated("promise_never_falls", node=member.node)
        self._promised = ballot

    def vote(self, member: Member, slot: Slot, ballot: Ballot, value: Value) -> None:
        """A node votes; whether that is safe is judged when the entry is concluded."""
        if ballot not in self._ballots.met:
            self._ballots.meet(ballot)
        cell = self._slots.live.get(slot) or self._slots.cell(slot)
        values = cell.values
        place = 0 if values and values[0] == value else cell.place_of(value)
        masks = cell.votes.get(ballot) or cell.votes_at(ballot)
        if masks[place] & member.bit:
            return
        masks[place] |= member.bit
        if len(masks) > 1 and any(mask for at, mask in enumerate(masks) if at != place):
            self._notes.violated("one_value_per_ballot", slot=slot, ballot=ballot)
        promised = self._promise_of(member)
        if promised is not None and ballot < promised:
            self._notes.violated("votes_keep_promises", slot=slot, ballot=ballot, node=member.node)
        self._new_votes.append((slot, cell, ballot, place))

    def lead(self, member: Member, ballot: Ballot) -> None:
        """A node has won a ballot."""
        if ballot not in self._ballots.met:
            self._ballots.meet(ballot)
        leaders = self._leaders.get(ballot, 0)
        if leaders & member.bit:
            return
        if leaders:
            self._notes.violated("one_leader_per_ballot", ballot=ballot)
        else:
            insort(self._led, ballot)
        self._leaders[ballot] = leaders | member.bit
        self._new_led.append(ballot)

    def lacks(self, entry: Entry, bit: int) -> bool:
        """Whether the node of ``bit`` wins a ballot that no quorum has promised so far."""
        if not self._notes.wants("leaders_are_promised"):
            return False
        led = [said[1] for said in entry.testimony if said[0] == LEAD]
        for ballot in led:
            if self._leaders.get(ballot, 0) & bit:
                continue
            promised = self._promisers(ballot)
            own = [said[1] for said in entry.testimony if said[0] == PROMISE]
            if own:
                promised = promised & ~bit if own[-1] < ballot else promised | bit
            if not self._members.is_phase1(promised & (self._members.everyone or 0)):
                return True
        return False

    def end(self, *, is_over: bool) -> None:
        """Of several files, judge votes that were not safe in the order in which they came: if they
        are not when all has been said, they are so in no order."""
        self._is_over = is_over
        notes = self._notes
        last = notes.number, notes.place
        for finding, place in self._late:
            if is_over:
                slot, ballot, lower = (finding.about[name] for name in ("slot", "ballot", "lower"))
                notes.number, notes.place = finding.number, finding.place
                self._judge_pair(slot, ballot, place, lower, self._slots.votes(slot).get(lower, ()))
            if notes.wants(SAFE):
                notes.doubt(finding, UNORDERED)
        notes.number, notes.place = last

    def _promisers(self, ballot: Ballot) -> int:
        """Who has promised a ballot, or more, as bits."""
        promised = 0
        for known in self._members.known.values():
            if known.promised is not None and not known.promised < ballot:
                promised |= known.bit
        return promised

    def conclude(self, member: Member) -> None:
        """Judge what the effects of an entry have come to."""
        promised, self._promised = self._promised, None
        if promised is not None and promised != member.promised:
            fell = member.promised is not None and promised < member.promised
            member.promised = promised
            self._free.clear()
            self._clear.clear()
            if fell:
                if self._notes.is_merged:
                    self._notes.give_up({"leaders_are_promised"}, FELL)
                self._judge_leaders(self._leaders)
                self._judge_all_votes(self._led)
        if self._new_led:
            self._clear.clear()
            self._judge_leaders(self._new_led)
            stale = [ballot for ballot in self._new_led if self._is_below_votes(ballot)]
            if stale:
                self._judge_all_votes(stale)
            self._new_led.clear()
        if self._new_votes:
            for slot, cell, ballot, place in self._new_votes:
                self._judge_vote(slot, cell, ballot, place)
                if self._voted_max is None or self._voted_max < ballot:
                    self._voted_max = ballot
            self._new_votes.clear()

    def _promise_of(self, member: Member) -> Ballot | None:
        """What the node has promised last, in this entry or before."""
        return member.promised if self._promised is None else self._promised

    def _is_below_votes(self, ballot: Ballot) -> bool:
        return self._voted_max is not None and ballot < self._voted_max

    def _judge_leaders(self, ballots: Iterable[Ballot]) -> None:
        """A quorum has promised a leader's ballot, or more."""
        members = self._members
        missing = members.missing
        for ballot in ballots:
            promised = self._promisers(ballot)
            if missing is None:
                self._notes.cannot_know("leaders_are_promised", NODES_UNKNOWN)
                continue
            if members.is_phase1(promised):
                continue
            if_new = members.without_quorum(members.is_phase1, (promised,))
            if if_new is None:
                self._notes.cannot_know(
                    "leaders_are_promised",
                    f"nodes whose log is not whole may have promised a ballot that was led"
                    f"{members.said(missing)}",
                )
            else:
                is_filled = members.making_quorum(members.is_phase1, (promised,))
                self._notes.lacking("leaders_are_promised", is_filled, if_new, ballot=ballot)

    def _judge_vote(self, slot: Slot, cell: Cell, ballot: Ballot, place: int) -> None:
        """Nothing else can be chosen below a new vote; and below older votes nothing else than what
        they are for, if this vote is."""
        votes = cell.votes
        if len(votes) == 1 and ballot in self._clear:
            return
        led = bisect_left(self._led, ballot)
        # Of the ballots in which nobody voted here the highest leaves most nodes free: if nothing
        # can be chosen there, then in no lower one.
        while led and self._led[led - 1] in votes:
            led -= 1
        is_clear = not led or self._judge_pair(slot, ballot, place, self._led[led - 1], ())
        if len(votes) == 1:
            if is_clear:
                self._clear.add(ballot)
            return
        for other, masks in votes.items():
            if other < ballot:
                self._judge_pair(slot, ballot, place, other, masks)
            elif ballot < other:
                for at, mask in enumerate(masks):
                    if mask:
                        self._judge_pair(slot, other, at, ballot, votes[ballot])

    def _judge_all_votes(self, lowers: Sequence[Ballot]) -> None:
        """The same for every vote there is: a ballot is led only now, or a promise fell."""
        if not self._notes.wants(SAFE):
            return
        for slot, pattern in self._slots.patterns():
            votes = dict(pattern.votes)
            for ballot, masks in votes.items():
                for place, mask in enumerate(masks):
                    for lower in {*lowers, *votes} if mask else ():
                        if lower < ballot:
                            self._judge_pair(slot, ballot, place, lower, votes.get(lower, ()))

    def _judge_pair(
        self, slot: Slot, ballot: Ballot, place: int, lower: Ballot, masks: Sequence[int]
    ) -> bool:
        """Below ``ballot``, where the value at ``place`` got a vote, no other is chosen or can be
        at ``lower``, where ``masks`` are the votes. Whether that is surely so."""
        members = self._members
        if members.everyone is None:
            self._notes.cannot_know(SAFE, NODES_UNKNOWN)
            return False
        free = self._free_at(lower)
        for mask in masks:
            free &= ~mask
        rivals = [mask for at, mask in enumerate(masks) if mask and at != place]

        def can_be_chosen(free: int) -> bool:
            return any(members.is_phase2(mask | free) for mask in (*rivals, 0))

        if not can_be_chosen(free):
            return True
        about = {"slot": slot, "ballot": ballot, "lower": lower}
        if self._notes.is_merged and not self._is_over:
            if self._notes.wants(SAFE) and len(self._late) < LATE_MAX:
                self._late.append((self._notes.finding(SAFE, about), place))
            return False
        unmet = 0 if can_be_chosen(free & members.whole) else members.unmet
        known = free & (members.whole | unmet)
        if can_be_chosen(known):
            self._notes.lacking(SAFE, lambda lost: not can_be_chosen(known & ~lost), unmet, **about)
        else:
            self._notes.cannot_know(
                SAFE,
                f"slot {slot}: nodes whose log is not whole may have promised more"
                f"{members.said(members.missing)}",
            )
        return False

    def _free_at(self, ballot: Ballot) -> int:
        """The nodes that have promised nothing above a ballot, and may still vote in it."""
        free = self._free.get(ballot)
        if free is None:
            free = 0
            for known in self._members.known.values():
                if known.promised is None or not ballot < known.promised:
                    free |= known.bit
            free &= self._members.everyone or 0
            self._free[ballot] = free
        return free
