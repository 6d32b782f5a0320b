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
    """A ``PaxosInstance``, whose messages all go over the network, those to itself as well: as if
    proposer, acceptor and learner were processes of their own, which crash together."""

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
        outbox = self.outbox
        match message:
            case library.Promise(proposal_id=ballot):
                outbox.persist(self.to_save())
                outbox.promise(ballot)
                self.send(message, message.proposer_uid)
            case library.Nack():
                self.send(message, message.proposer_uid)
            case library.Accepted(proposal_id=ballot, proposal_value=value):
                outbox.persist(self.to_save())
                outbox.vote(0, ballot, value)
                self.send(message, *self.nodes)
            case library.Accept(proposal_id=ballot):
                outbox.lead(ballot)
                self.send(message, *self.nodes)
            case library.Prepare():
                self.send(message, *self.nodes)
            case library.Resolution(value=value):
                outbox.decide(0, value)

    def to_save(self):
        return self.paxos.promised_id, self.paxos.accepted_id, self.paxos.accepted_value

    def send(self, message, *receivers):
        for node in receivers:
            self.outbox.send(node, message)

    def others(self, receivers):
        return [node for node in receivers if node != self.paxos.network_uid]


class CoLocatedNode(Node):
    """Handles its own messages at once, and never loses them: after they are sent to the others."""

    def send(self, message, *receivers):
        others = self.others(receivers)
        super().send(message, *others)
        if len(others) < len(receivers):
            self.receive(message)


class OwnFirstNode(Node):
    """Handles its own messages at once: before they are sent to the others."""

    def send(self, message, *receivers):
        others = self.others(receivers)
        if len(others) < len(receivers):
            self.receive(message)
        super().send(message, *others)


class CountSavedNode(Node):
    """As ``Node``; but the number of its proposal is saved before it is used."""

    def __init__(self, outbox, node, nodes, saved):
        super().__init__(outbox, node, nodes, saved[:3])
        for proposal_id in saved[3:]:
            self.paxos.observe_proposal(proposal_id)

    def dispatch(self, message):
        if isinstance(message, library.Prepare):
            self.outbox.persist(self.to_save())
        super().dispatch(message)

    def to_save(self):
        return *super().to_save(), self.paxos.highest_proposal_id


class Hosted(ObjectAdapter):
    """What Indelible checks."""

    name = "composable-paxos 1.0.0"
    scope = Scope(commands=("a", "b"), may_submit={"a": [0], "b": [0]}, restarts_max=1)
    node_class = Node

    def build(self, outbox, node, nodes, storage):
        return self.node_class(outbox, node, nodes, storage or ())

    def receive(self, node, source, message):
        node.receive(message)

    def submit(self, node, command):
        node.propose(command)


class CoLocated(Hosted):
    node_class = CoLocatedNode


class OwnFirst(Hosted):
    node_class = OwnFirstNode


class CountSaved(Hosted):
    node_class = CountSavedNode
