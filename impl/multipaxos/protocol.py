"""Protocol: the implementation as the contract wants it. Pure dispatch; no step is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from indelible.impl.multipaxos import timers
from indelible.impl.multipaxos.messages import (
    Accept,
    Accepted,
    CatchUp,
    Decided,
    Heartbeat,
    Prepare,
    Promised,
    Refused,
)
from indelible.impl.multipaxos.proposer import Proposer
from indelible.impl.multipaxos.replica import Replica, Storage
from indelible.impl.multipaxos.timers import AWAIT_LEADER
from indelible.model.effects import Promise
from indelible.model.events import InputEvent, Message, NodeId, Receive, Submit, Timeout, Timer
from indelible.model.implementation import Step
from indelible.model.scope import Links

__all__ = ["MultiPaxos"]


@dataclass(frozen=True)
class MultiPaxos(Proposer):
    """Multi-Paxos as it is run: one Phase 1 per leader, one Phase 2 per entry.

    ``quorums`` says who may conclude either phase; majorities if nothing else is said.
    """

    name: ClassVar[str] = "multipaxos"
    links: ClassVar[Links] = "unordered_duplicating"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        """A node begins as a follower, bound by all that it ever saved and by nothing else.

        It testifies again, because a crash may have come between saving and saying.
        """
        if storage is None:
            return Step(Replica(node, nodes), (AWAIT_LEADER,))
        replica = Replica(node, nodes, storage.promised, storage.votes)
        return Step(replica, (Promise(storage.promised), *storage.votes, AWAIT_LEADER))

    def handle(self, node: NodeId, state: Replica, event: InputEvent) -> Step:
        """One event, one protocol step; the replica knows its own ``node``."""
        match event:
            case Receive(source, message):
                return self.on_message(state, source, message)
            case Timeout(timer):
                return self.on_timeout(state, timer)
            case Submit(command):
                return self.on_submit(state, command)

    def on_message(self, replica: Replica, source: NodeId, message: Message) -> Step:
        """Each message has one handler; what is none of ours changes nothing."""
        match message:
            case Prepare():
                return self.on_prepare(replica, source, message)
            case Promised():
                return self.on_promised(replica, source, message)
            case Accept():
                return self.on_accept(replica, source, message)
            case Accepted():
                return self.on_accepted(replica, source, message)
            case Refused():
                return self.on_refused(replica, message)
            case Decided():
                return self.on_decided(replica, message)
            case Heartbeat():
                return self.on_heartbeat(replica, source, message)
            case CatchUp():
                return self.on_catch_up(replica, source, message)
        return Step(replica)

    def on_timeout(self, replica: Replica, timer: Timer) -> Step:
        """Each timer has one step; one that its role does not run changes nothing."""
        match timer:
            case timers.ELECTION:
                return self.campaign(replica)
            case timers.HEARTBEAT:
                return self.heartbeat(replica)
            case timers.RETRANSMIT:
                return self.retransmit(replica)
        return Step(replica)
