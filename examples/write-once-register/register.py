"""A register that can be written once: replicas agree on one value, by single-decree Paxos.

One line of this file is wrong: see README.md.
"""

from dataclasses import dataclass, replace

from indelible import Decide, Persist, Promise, Receive, Scope, Send, Submit, Vote

NO_BALLOT = (0, 0)  # A ballot is a round, and the replica that leads it.


@dataclass(frozen=True)
class Prepare:
    ballot: tuple


@dataclass(frozen=True, order=True)
class Voted:
    ballot: tuple
    value: str


@dataclass(frozen=True)
class Promised:
    ballot: tuple
    vote: Voted | None


@dataclass(frozen=True)
class Accept:
    ballot: tuple
    value: str


@dataclass(frozen=True)
class Replica:
    node: int
    nodes: tuple
    promised: tuple = NO_BALLOT
    vote: Voted | None = None
    # As a proposer: its ballot, what it wants to write, and who has promised and voted.
    ballot: tuple = NO_BALLOT
    wish: str | None = None
    promises: tuple = ()
    voters: frozenset = frozenset()

    def to_others(self, message):
        return tuple(Send(node, message) for node in self.nodes if node != self.node)

    def is_quorum(self, count):
        return count > len(self.nodes) // 2


def value_to_propose(wish, votes):
    """What was voted for may have been chosen already, and then must not be overwritten."""
    if not votes:
        return wish
    return votes[0].value


class Register:
    """What Indelible checks: two functions, from a state and an event to a state and effects."""

    scope = Scope(
        nodes=3,
        commands=("a", "b", "c"),
        may_submit={"a": [0], "b": [1], "c": [0]},
        timeouts_max=0,
    )

    def start(self, node, nodes, storage):
        promised, vote = storage or (NO_BALLOT, None)
        return Replica(node, nodes, promised, vote), ()

    def handle(self, node, replica, event):
        match event:
            case Submit(value):
                return propose(replica, value)
            case Receive(source, Prepare(ballot)) if ballot > replica.promised:
                replica, effects = promise(replica, ballot)
                return replica, (*effects, Send(source, Promised(ballot, replica.vote)))
            case Receive(source, Promised(ballot, vote)) if ballot == replica.ballot:
                return on_promise(replica, source, vote)
            case Receive(source, Accept(ballot, value)) if ballot >= replica.promised:
                replica, effects = vote_for(replica, ballot, value)
                return replica, (*effects, Send(source, replica.vote))
            case Receive(source, Voted(ballot, value)) if ballot == replica.ballot:
                replica = replace(replica, voters=replica.voters | {source})
                chosen = replica.is_quorum(len(replica.voters))
                return replica, (Decide(0, value),) if chosen else ()
        return replica, ()


def promise(replica, ballot):
    """Never vote below ``ballot`` again."""
    replica = replace(replica, promised=ballot)
    return replica, (Persist((ballot, replica.vote)), Promise(ballot))


def vote_for(replica, ballot, value):
    replica = replace(replica, promised=ballot, vote=Voted(ballot, value))
    return replica, (Persist((ballot, replica.vote)), Vote(0, ballot, value))


def propose(replica, value):
    """A client wants to write: ask for promises, in a ballot that nobody has used."""
    ballot = (replica.promised[0] + 1, replica.node)
    replica, effects = promise(replica, ballot)
    own = (replica.node, replica.vote)
    replica = replace(replica, ballot=ballot, wish=value, promises=(own,), voters=frozenset())
    return replica, (*effects, *replica.to_others(Prepare(ballot)))


def on_promise(replica, source, vote):
    """Once a quorum has promised, ask it for votes."""
    if replica.is_quorum(len(replica.promises)) or replica.promised > replica.ballot:
        return replica, ()
    replica = replace(replica, promises=(*replica.promises, (source, vote)))
    if not replica.is_quorum(len(replica.promises)):
        return replica, ()
    votes = [vote for _, vote in replica.promises if vote is not None]
    value = value_to_propose(replica.wish, votes)
    replica, effects = vote_for(replica, replica.ballot, value)
    replica = replace(replica, voters=frozenset({replica.node}))
    return replica, (*effects, *replica.to_others(Accept(replica.ballot, value)))
