"""What is executed: by everybody the same, without a gap, as decided, and once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, TypeAlias

from indelible.checkers.audit.digests import DigestMap, digest_of
from indelible.checkers.audit.ledger import Ledger
from indelible.checkers.audit.members import Member, Members
from indelible.checkers.audit.notes import Notes
from indelible.model.effects import NO_OP
from indelible.model.events import Command

__all__ = ["ExecutionRules"]

NO_OP_DIGEST: Final = digest_of(NO_OP)

Execution: TypeAlias = tuple[int, Command]
"""An index, and what was executed as that."""


class ExecutionRules:
    """Rules about ``Execute``.

    It remembers at which index each command was first executed, as digests; what was executed is in
    a ledger of indices.
    """

    def __init__(self, members: Members, notes: Notes, slots: Ledger) -> None:
        self._members = members
        self._notes = notes
        self._slots = slots
        self._indices = Ledger()
        self._first = DigestMap()
        self._repeated: dict[int, list[int]] = {}

    def install(self, member: Member, contained: int) -> None:
        """The state of the node is that of a snapshot of so many commands: nobody asks for what it
        contains any more."""
        if contained <= member.contained:
            return
        member.contained = contained
        member.executed = max(member.executed, contained)
        member.ahead = {index for index in member.ahead if index >= contained}
        member.absorb()

    def conclude(
        self, member: Member, executed: Sequence[Execution], starts: Sequence[int]
    ) -> None:
        """Judge what the node has executed in an entry, in which it started again, or from a
        snapshot, after so many of them."""
        new: list[Execution] = []
        begin = 0
        for start in starts:
            new += self._new_of(member, executed[begin:start])
            member.begin_run()
            begin = start
        new += self._new_of(member, executed[begin:])
        if not new:
            return
        if member.bit & self._members.whole:
            if len(new) > 1:
                new.sort(key=itemgetter(0))
            self._judge_order(member, new)
        else:
            for name in ("execution_without_gap", "execution_follows_log"):
                self._notes.cannot_know(
                    name, f"the log is not whole{self._members.said(member.bit)}"
                )

    def _new_of(self, member: Member, executed: Sequence[Execution]) -> list[Execution]:
        """What the node had not executed before; the rules about others' are judged."""
        new: list[Execution] = []
        for index, command in executed:
            if member.runs(index):
                self._notes.violated("execution_not_repeated", node=member.node, index=index)
            if self._is_new(member, index, command):
                new.append((index, command))
        return new

    def tidy(self) -> None:
        """Settle what was executed long ago."""
        self._indices.tidy()

    def _is_new(self, member: Member, index: int, command: Command) -> bool:
        """Whether the node had not executed this before; if so, compare it with all others."""
        cell = self._indices.live.get(index) or self._indices.cell(index)
        values = cell.values
        place = 0 if values and values[0] == command else cell.place_of(command)
        said = cell.said
        if said[place] & member.bit:
            return False
        if not said[place]:
            self._note_first(index, command)
        said[place] |= member.bit
        if len(said) > 1 and any(mask for at, mask in enumerate(said) if at != place):
            self._notes.violated("log_prefix", index=index)
        if self._repeated:
            for other in self._repeated.get(digest_of(command), ()):
                if other != index and self._indices.has_said(other, member.bit, command):
                    self._notes.violated("at_most_once", node=member.node, index=other, again=index)
        return True

    def _note_first(self, index: int, command: Command) -> None:
        """Somebody executes a command as number ``index`` for the first time."""
        digest = digest_of(command)
        first = self._first.get(digest)
        if first is None:
            self._first.add(digest, index)
        elif first != index:
            self._repeated.setdefault(digest, [first]).append(index)

    def _judge_order(self, member: Member, new: Sequence[Execution]) -> None:
        for index, _ in new:
            if index == member.executed:
                member.executed += 1
                member.absorb()
            elif index > member.executed:
                member.ahead.add(index)
        if member.ahead:
            self._notes.violated(
                "execution_without_gap",
                node=member.node,
                index=max(member.ahead),
                missing=member.executed,
            )
        if not self._notes.wants("execution_follows_log"):
            return
        for index, command in new:
            if not self._follows(member, index, command):
                self._judge_whole_log(member)
                break

    def _follows(self, member: Member, index: int, command: Command) -> bool:
        """Whether a command is the next one of the log that the node decided, as far as that is
        plain to see; then it is counted."""
        if index != member.matched or command is NO_OP:
            return False
        slots, digest, slot = self._slots, 0, member.slot + 1
        while True:
            cell = slots.live.get(slot)
            if cell is not None and cell.values[0] == command and cell.said[0] & member.bit:
                break
            digest = digest or digest_of(command)
            decided = slots.digests_of(slot, member.bit)
            if digest in decided:
                break
            if not any(each == NO_OP_DIGEST or self._has_done(member, each) for each in decided):
                return False
            slot += 1
        member.matched += 1
        member.slot = slot
        return True

    def _has_done(self, member: Member, digest: int) -> bool:
        """Whether the node has executed this command as one of those that were matched."""
        first = self._first.get(digest)
        indices = self._repeated.get(digest, () if first is None else (first,))
        return any(
            index < member.matched and digest in self._indices.digests_of(index, member.bit)
            for index in indices
        )

    def _judge_whole_log(self, member: Member) -> None:
        """Whether all that the node executed follows all that it decided."""
        log = _by_number(self._slots.digests_by(member.bit))
        slot, before = 0, {NO_OP_DIGEST}
        done = _by_number(self._indices.digests_by(member.bit))
        contained = member.contained
        done = {index: executed for index, executed in done.items() if index >= contained}
        slots = iter(log)
        for index, executed in done.items():
            if contained:  # What it leaves out may be in the snapshot.
                slot = next((at for at in slots if executed <= log[at]), max(log, default=-1) + 1)
            while slot in log and not executed <= log[slot] and not before.isdisjoint(log[slot]):
                slot += 1
            wrong = executed - log.get(slot, set()) or executed & {NO_OP_DIGEST}
            if wrong:
                later = [at for at, decided in log.items() if at > slot and wrong & decided]
                about = {"due": slot, "later": later[0]} if later else {"due": slot}
                self._notes.violated(
                    "execution_follows_log", node=member.node, index=index, **about
                )
                return
            slot += 1
            before |= executed
        is_whole = not done or max(done) < contained + len(done)
        member.matched, member.slot = contained + len(done) if is_whole else -1, slot - 1


def _by_number(entries: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """The digests of each slot or index."""
    found: dict[int, set[int]] = {}
    for number, digest in entries:
        found.setdefault(number, set()).add(digest)
    return found
