"""Bugs of learning and executing: how a log that is chosen right may still be applied wrong.

Each class is the clean implementation with one method replaced.
"""

from __future__ import annotations

from collections.abc import Collection

from indelible.impl.multipaxos import Entry, Heartbeat, MultiPaxos, Replica
from indelible.impl.multipaxos.log import Decisions
from indelible.model.events import Command, NodeId
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
    """A follower takes its own votes for decided, up to where the leader says its log is.

    Its vote may be for something else than what was chosen there since: a number of entries says
    nothing of their values. Reproduced with published code (vsr-trio); read in raftos.
    """

    name = "commit_index_trusted"

    def on_heartbeat(self, replica: Replica, source: NodeId, heartbeat: Heartbeat) -> Step:
        state, effects = super().on_heartbeat(replica, source, heartbeat)
        below = (vote for vote in state.votes if vote.slot < heartbeat.decided_count)
        learned, news = self.learn(state, tuple(Entry(vote.slot, vote.value) for vote in below))
        return Step(learned, (*effects, *news))


class NoDedupe(MultiPaxos):
    """No node looks whether it has met a command before.

    A client without an answer submits again, two slots end up with its command, and both are
    executed (Paxos Made Moderately Complex, section 2.1). Read in published code (ajdavis).
    """

    name = "no_dedupe"

    def is_repeat(self, command: Command, held: Collection[Command]) -> bool:
        return False
