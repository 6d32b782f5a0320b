"""composable-paxos 1.0.0 under Indelible: its ``PaxosInstance``, one for each node, as it is.

The library decides; everything else (network, disk, clients) it leaves to its user, and here
Indelible plays all of them. What a node must save and when, and how it recovers, is as the
docstrings of the library say: see README.md.
"""

import composable_paxos as library

from indelible import Scope
from indelible.adapters import ObjectAdapter


class ProposalID(library.ProposalID):
    """The library was written for Python 2, where ``None`` comes before everything else, and
    compares its ids with ``None`` until there is one. Python 3 would raise a ``TypeError``."""

    def __str__(self):
        return f"{self.number}.{self.uid}"

    def __lt__(self, other):
        return other is not None and tuple(self) < tuple(other)

    def __le__(self, other):
        return other is not None and tuple(self) <= tuple(other)

    def __gt__(self, other):
        return not self <= other

    def __ge__(self, other):
        return not self < other


class Nothing(ProposalID):
    """Below every id, and not below ``None``: what a proposer has heard of before it has heard."""

    def __lt__(self, other):
        return other is not None


library.ProposalID = ProposalID


class Node:
    """A ``PaxosInstance``, and where its messages go."""

    def __init__(self, outbox, node, nodes, saved):
        self.outbox, self.nodes = outbox, nodes
        self.paxos = library.PaxosInstance(node, len(nodes) // 2 + 1, *saved)
        self.paxos.highest_accepted_id = Nothing(0, node)

    def propose(self, value):
        self.paxos.propose_value(value)
        self.dispatch(self.paxos.prepare())

    def receive(self, message):
        self.dispatch(self.paxos.receive(message))

    def dispatch(self, message):
        """Send what the library returned to whom it says; the acceptor's state is saved first."""
        outbox, paxos = self.outbox, self.paxos
        match message:
            case library.Promise(proposal_id=ballot):
                outbox.persist((paxos.promised_id, paxos.accepted_id, paxos.accepted_value))
                outbox.promise(ballot)
                outbox.send(message.proposer_uid, message)
            case library.Nack():
                outbox.send(message.proposer_uid, message)
            case library.Accepted(proposal_id=ballot, proposal_value=value):
                outbox.persist((paxos.promised_id, paxos.accepted_id, paxos.accepted_value))
                outbox.vote(0, ballot, value)
                self.broadcast(message)
            case library.Accept(proposal_id=ballot):
                outbox.lead(ballot)
                self.broadcast(message)
            case library.Prepare():
                self.broadcast(message)
            case library.Resolution(value=value):
                outbox.decide(0, value)

    def broadcast(self, message):
        for node in self.nodes:
            self.outbox.send(node, message)


class Hosted(ObjectAdapter):
    """What Indelible checks."""

    name = "composable-paxos 1.0.0"
    scope = Scope(commands=("a", "b"), may_submit={"a": [0], "b": [0]}, restarts_max=1)

    def build(self, outbox, node, nodes, storage):
        return Node(outbox, node, nodes, storage or ())

    def receive(self, node, source, message):
        node.receive(message)

    def submit(self, node, command):
        node.propose(command)
