"""Learner: how a node comes to know what is chosen, executes it, and tells others.

It never asks how a value was chosen, and knows nothing of ballots and quorums.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from indelible.impl.multipaxos.log import (
    Decisions,
    Entry,
    at,
    decided_count,
    decided_prefix,
    placed,
)
from indelible.impl.multipaxos.messages import CatchUp, Decided
from indelible.impl.multipaxos.replica import Leader, Replica, Role
from indelible.model.effects import NO_OP, Decide, Effect, Execute, Reply, Send
from indelible.model.events import Command, NodeId
from indelible.model.implementation import Step

__all__ = ["Learner"]


@dataclass(frozen=True)
class Learner:
    """The part of a node that learns."""

    def on_decided(self, replica: Replica, decided: Decided) -> Step:
        """A learner takes a decided entry into its log.

        Safe because the sender knew it to be chosen, and what is chosen in a slot never changes.
        """
        return self.learn(replica, (Entry(decided.slot, decided.value),))

    def on_catch_up(self, replica: Replica, source: NodeId, catch_up: CatchUp) -> Step:
        """Any node hands on what it knows decided from the slot on that another one misses.

        Only decided entries are sent, so that the one who asks need not ask anybody else.
        """
        known = (entry for entry in replica.decided if entry.slot >= catch_up.slot)
        return Step(replica, tuple(Send(source, Decided(*entry)) for entry in known))

    def learn(self, replica: Replica, entries: Decisions) -> Step:
        """A learner takes in the entries it did not know, and executes as far as it can.

        The first value learned in a slot stays. A leader's proposal in that slot has served its
        purpose and is forgotten.
        """
        new = tuple(entry for entry in entries if at(replica.decided, entry.slot) is None)
        if not new:
            return Step(replica)
        decided = placed(replica.decided, new)
        learned = replace(replica, decided=decided, role=_without_decided(replica.role, decided))
        decides = (Decide(*entry) for entry in new)
        return Step(learned, (*decides, *self.execute(replica, learned)))

    def execute(self, before: Replica, after: Replica) -> tuple[Effect, ...]:
        """A node applies the commands that new decisions have put within reach.

        Entries are executed in the order of the log, and none before all slots below it are
        decided, so that all nodes apply the same commands in the same order. The leader answers
        the clients.
        """
        done = len(self.executed(before.decided))
        effects: list[Effect] = []
        for index, command in enumerate(self.executed(after.decided)[done:], start=done):
            effects.append(Execute(index, command))
            if isinstance(after.role, Leader):
                effects.append(Reply(command, index))
        return tuple(effects)

    def executed(self, decided: Decisions) -> tuple[Command, ...]:
        """The commands that a node has applied, in order, once it knows ``decided``.

        It stops at the first gap, skips no-ops, and skips what an earlier slot holds already: a
        client that was left without an answer submits again, and a change of leaders may get one
        command chosen twice ("Paxos Made Moderately Complex", section 2.1, ``perform``).
        """
        done: list[Command] = []
        seen: set[Command] = set()
        for entry in decided_prefix(decided):
            if entry.value is not NO_OP and not self.is_repeat(entry.value, seen):
                done.append(entry.value)
                seen.add(entry.value)
        return tuple(done)

    def is_repeat(self, command: Command, held: Collection[Command]) -> bool:
        """Whether a command was there before, so that there is nothing more to do about it."""
        return command in held

    def missing_from(self, replica: Replica) -> int:
        """The first slot that this node must learn before it can execute any further."""
        return decided_count(replica.decided)


def _without_decided(role: Role, decided: Decisions) -> Role:
    if not isinstance(role, Leader):
        return role
    return Leader(tuple(open for open in role.proposals if at(decided, open.slot) is None))
