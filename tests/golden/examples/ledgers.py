"""Small implementations that keep one entry, and break in different ways: for readable outputs.

Nodes and values are named by strings, and sets of them are part of states and messages, so that an
output that depended on the order of a set would change with the hash seed.
"""

from dataclasses import dataclass, replace

from indelible import (
    Decide,
    Execute,
    Persist,
    Receive,
    Reply,
    Scope,
    Send,
    SetTimer,
    Step,
    Submit,
    Timeout,
    always,
)


@dataclass(frozen=True)
class Ask:
    """Please write this."""

    command: str


@dataclass(frozen=True)
class Written:
    """This is written; these have asked for something so far."""

    command: str
    asked_by: frozenset[str]


@dataclass(frozen=True)
class Ledger:
    """One node's ledger, with one entry at most."""

    node: str
    nodes: tuple[str, ...]
    entry: str | None = None
    asked_by: frozenset[str] = frozenset()


class Careful:
    """The first node alone writes, and saves what it writes before it tells anybody."""

    scope = Scope(
        nodes=("ann", "bob", "cid"), commands=("a", "b"), timeouts_max=0, restarts_max=1, torn=True
    )

    def start(self, node, nodes, storage):
        ledger = Ledger(node, nodes)
        if storage is None:
            return Step(ledger, ())
        return Step(replace(ledger, entry=storage), (Decide(0, storage), Execute(0, storage)))

    def handle(self, node, state, event):
        match event:
            case Submit(command):
                return self.ask(state, command)
            case Receive(source, Ask(command)):
                return self.write(replace(state, asked_by=state.asked_by | {source}), command)
            case Receive(_, Written(command, asked_by)) if state.entry is None:
                known = replace(state, entry=command, asked_by=asked_by)
                return Step(known, (Decide(0, command), Execute(0, command)))
        return Step(state, ())

    def ask(self, state, command):
        if state.node == state.nodes[0]:
            return self.write(state, command)
        return Step(state, (Send(state.nodes[0], Ask(command)),))

    def write(self, state, command):
        if state.entry is not None:
            return Step(state, (Reply(command, state.entry),))
        written = replace(state, entry=command)
        tell = Written(command, written.asked_by)
        sends = tuple(Send(node, tell) for node in state.nodes if node != state.node)
        last = (Decide(0, command), Execute(0, command), Reply(command, command))
        return Step(written, self.in_order(Persist(command), sends, last))

    def in_order(self, persist, sends, last):
        return (persist, *sends, *last)


class Late(Careful):
    """Tells before it saves: a crash in between lets it write something else afterwards."""

    def in_order(self, persist, sends, last):
        return (*sends, persist, *last)


class TwoSaves(Careful):
    """Saves in two steps, and takes what it finds after a crash for the whole."""

    def in_order(self, persist, sends, last):
        return (Persist(f"half of {persist.storage}"), persist, *sends, *last)


class Hasty(Careful):
    """Every node writes for itself."""

    def ask(self, state, command):
        return self.write(state, command)


class Brittle(Careful):
    """Looks up something that is not there."""

    def write(self, state, command):
        if "cid" in state.asked_by:
            return Step({}["missing"], ())
        return super().write(state, command)


class Polling(Careful):
    """Writes what it was asked last, once both others have asked."""

    def write(self, state, command):
        if len(state.asked_by) < 2:
            return Step(state, ())
        return super().write(state, command)


class Silent(Careful):
    """Never writes anything."""

    def write(self, state, command):
        return Step(state, ())


class Hurried(Careful):
    """Writes without being asked when its time is up."""

    scope = Scope(nodes=("ann", "bob"), commands=(), timeouts_max={"patience": 1})

    def start(self, node, nodes, storage):
        return Step(Ledger(node, nodes), (SetTimer("patience", (1, 2)),))

    def handle(self, node, state, event):
        if isinstance(event, Timeout):
            return self.write(state, f"made up by {node}")
        return super().handle(node, state, event)


@always(reads="record", fields=("decided",))
def nothing_decided(record):
    """No node decides anything."""
    return not record.decided


@always(reads="record", fields=("decided",))
def decided_from_the_start(record):
    """Every node has decided."""
    return bool(record.decided)
