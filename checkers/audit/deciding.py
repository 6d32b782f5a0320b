"""What is decided: agreement, stability, validity, and that a quorum has voted for it."""

from __future__ import annotations

from indelible.checkers.audit.digests import DigestSet, digest_of
from indelible.checkers.audit.entry import DECIDE, VOTE, Entry
from indelible.checkers.audit.ledger import Cell, Ledger
from indelible.checkers.audit.members import Member, Members
from indelible.checkers.audit.notes import NODES_UNKNOWN, Notes
from indelible.model.effects import NO_OP, Slot, Value
from indelible.model.events import Command

__all__ = ["DecisionRules"]


class DecisionRules:
    """Rules about ``Decide``.

    It remembers commands that were submitted and not decided yet as they are, and those that were
    as digests; what was decided is in the ledger of slots.
    """

    def __init__(self, members: Members, notes: Notes, slots: Ledger) -> None:
        self._members = members
        self._notes = notes
        self._slots = slots
        self._pending: set[Command] = set()
        self._done = DigestSet()
        self._new: list[tuple[Slot, Cell, int]] = []

    def submitted(self, command: Command) -> None:
        """A client gave a command to some node."""
        if command not in self._pending and digest_of(command) not in self._done:
            self._pending.add(command)

    def decide(self, member: Member, slot: Slot, value: Value) -> None:
        """A node decides; it is judged when the entry is concluded."""
        cell = self._slots.live.get(slot) or self._slots.cell(slot)
        values = cell.values
        place = 0 if values and values[0] == value else cell.place_of(value)
        if cell.said[place] & member.bit:
            return
        cell.said[place] |= member.bit
        self._new.append((slot, cell, place))

    def lacks(self, entry: Entry, bit: int) -> bool:
        """Whether the node of ``bit`` is the first to decide what nobody submitted, or no quorum
        voted for, so far."""
        of_submissions = self._notes.wants("validity")
        of_votes = self._notes.wants("decided_implies_chosen")
        if not of_submissions and not of_votes:
            return False
        for said in entry.testimony:
            if said[0] != DECIDE:
                continue
            _, slot, value = said
            cell = self._slots.live.get(slot)
            if cell is None or len(cell.values) != 1 or cell.values[0] != value:
                cell = None
            if self._slots.has_said(slot, -1, value) if cell is None else cell.said[0]:
                continue
            if of_submissions and value not in entry.submitted and not self._was_submitted(value):
                return True
            if of_votes:
                is_chosen = self._members.is_phase2
                if cell is not None and any(is_chosen(masks[0]) for masks in cell.votes.values()):
                    continue
                voters = self._slots.voters(slot, value)
                for kind, *vote in entry.testimony:
                    if kind == VOTE and vote[0] == slot and vote[2] == value:
                        voters[vote[1]] = voters.get(vote[1], 0) | bit
                if not any(map(is_chosen, voters.values())):
                    return True
        return False

    def conclude(self, member: Member) -> None:
        """Judge what the node has newly decided in this entry."""
        if not self._new:
            return
        for slot, cell, place in self._new:
            said = cell.said
            if len(said) > 1:
                self._judge_others(member, slot, cell, place)
            if said[place] == member.bit:
                self._judge_first(slot, cell, place)
        self._new.clear()

    def _judge_others(self, member: Member, slot: Slot, cell: Cell, place: int) -> None:
        """No other value was decided in the slot, by anybody (agreement), or by the same node
        before (stability)."""
        for other, mask in enumerate(cell.said):
            if mask and other != place:
                self._notes.violated("agreement", slot=slot)
                if mask & member.bit and not any(
                    new is cell and at == other for _, new, at in self._new
                ):
                    self._notes.violated("stability", slot=slot, node=member.node)

    def _judge_first(self, slot: Slot, cell: Cell, place: int) -> None:
        """What holds of a decided entry once holds for ever: more votes and submissions may come,
        and none goes. So only who decides it first is asked."""
        members, notes = self._members, self._notes
        value = cell.values[place]
        missing = members.missing
        if not self._is_submitted(value):
            if missing == 0:
                notes.lacking("validity", bool, members.unmet, slot=slot)
            else:
                notes.cannot_know(
                    "validity",
                    f"slot {slot}: what was decided may have been submitted to a node whose log is "
                    f"not whole{members.said(missing)}",
                )
        if not notes.wants("decided_implies_chosen"):
            return
        voters = (*[masks[place] for masks in cell.votes.values()], 0)
        if missing is None:
            notes.cannot_know("decided_implies_chosen", NODES_UNKNOWN)
        elif not any(members.is_phase2(mask) for mask in voters):
            if_new = members.without_quorum(members.is_phase2, voters)
            if if_new is None:
                notes.cannot_know(
                    "decided_implies_chosen",
                    f"slot {slot}: nodes whose log is not whole may have voted for what was "
                    f"decided{members.said(missing)}",
                )
            else:
                is_filled = members.making_quorum(members.is_phase2, voters)
                notes.lacking("decided_implies_chosen", is_filled, if_new, slot=slot)

    def _was_submitted(self, value: Value) -> bool:
        return value is NO_OP or value in self._pending or digest_of(value) in self._done

    def _is_submitted(self, value: Value) -> bool:
        if value is NO_OP:
            return True
        if value in self._pending:
            self._pending.remove(value)
            self._done.add(digest_of(value))
            return True
        return digest_of(value) in self._done
