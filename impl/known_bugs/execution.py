"""Bugs of learning and executing: how a log that is chosen right may still be applied wrong.

Each class is the clean implementation with one method replaced.
"""

from __future__ import annotations

from collections.abc import Collection

from indelible.impl.multipaxos import Decided, Entry, MultiPaxos, Replica
from indelible.impl.multipaxos.log import Decisions
from indelible.model.events import Command
from indelible.model.implementation import Step

__all__ = ["ApplyOutOfOrder", "CommitIndexTrusted", "NoDedupe"]


class ApplyOutOfOrder(MultiPaxos):
    """A node executes what it learns as it learns it, over the gaps.

    Two nodes that learn in different orders apply different histories; a command can be executed
    only when all before it are chosen (Paxos Made Simple, section 3). Read in published code
    (ajdavis).
    """

    name = "apply_out_of_order"

    def executed(self, decided: Decisions) -> tuple[Command, ...]:
        closed_up = tuple(entry._replace(slot=slot) for slot, entry in enumerate(decided))
        return super().executed(closed_up)


class CommitIndexTrusted(MultiPaxos):
    """A follower takes its own votes for decided, up to the slot that it hears is decided.

    Its vote may be for something else than what was chosen there since: the place of an entry says
    nothing of its value, and one vote is no quorum (Paxos Made Simple, section 2.2). Reproduced
    with published code (vsr-trio); read in raftos.
    """

    name = "commit_index_trusted"

    def on_decided(self, replica: Replica, decided: Decided) -> Step:
        trusted = (vote for vote in replica.votes if vote.slot <= decided.slot)
        own = tuple(Entry(vote.slot, vote.value) for vote in trusted)
        learned, news = self.learn(replica, own)
        told, more = super().on_decided(learned, decided)
        return Step(told, (*news, *more))


class NoDedupe(MultiPaxos):
    """No node looks whether it has met a command before.

    A client without an answer submits again, two slots end up with its command, and both are
    executed (Paxos Made Moderately Complex, section 2.1). Read in published code (ajdavis).
    """

    name = "no_dedupe"

    def is_repeat(self, command: Command, held: Collection[Command]) -> bool:
        return False
