"""Measure adapters: `python benchmarks/adapters.py`. A script, not a test.

Prints, per second of process time on one core, how many steps of a small object an adapter handles,
each asked once: steps to states that were met before, and steps to new ones. Then, for whole
explorations, all their other work included, how many questions were answered, those that are asked
twice counted twice, and how many local steps were learned of that: for that object, and for a
replica of a log, which keeps a few dozen values. Three nodes and three commands make so small an
exploration that three of four questions are among the first, which are asked twice, and that the
global states cost a seventh of it; so there is a larger one, of two nodes and four commands, too.
Then the same where copies are refused and history is replayed. On a machine that others use too it
may be off by 40 percent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from indelible import Scope
from indelible.adapters import ObjectAdapter, Outbox
from indelible.checkers.explore import explore
from indelible.model.effects import Send
from indelible.model.events import InputEvent, NodeId, Receive, Submit
from indelible.model.plain import Snapshot

NODES = (0, 1, 2)
COMMANDS = ("a", "b", "c")
SCOPE = Scope(nodes=3, commands=COMMANDS, timeouts_max=0, restarts_max=0)
LARGER = Scope(nodes=2, commands=(*COMMANDS, "d"), timeouts_max=0, restarts_max=0)
LED = Scope(nodes=3, commands=COMMANDS, may_submit=(0,), timeouts_max=0, restarts_max=0)
LAPS = 3
QUESTIONS = 6_000
WARM = 3_000
"""After so many steps leaks are only sampled, as they are in all but the shortest checks."""

Question = tuple[NodeId, Snapshot, InputEvent]


class Counter:
    """A small node: it tells the others what it is given, and counts who told it what."""

    def __init__(self, outbox: Outbox, node: int, nodes: tuple[int, ...]) -> None:
        self.outbox, self.node, self.nodes = outbox, node, nodes
        self.heard: dict[str, list[int]] = {}
        self.log: list[str] = []

    def on_command(self, command: str) -> None:
        """Tell everybody."""
        for node in self.nodes:
            self.outbox.send(node, {"kind": "heard", "command": command})

    def on_message(self, source: int, message: dict[str, str]) -> None:
        """Count it."""
        sources = self.heard.setdefault(message["command"], [])
        if source not in sources:
            sources.append(source)
        if message["command"] not in self.log:
            self.log.append(message["command"])


class Counters(ObjectAdapter):
    """Hosts counters."""

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Counter(outbox, node, nodes)

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        instance.on_message(source, message)

    def submit(self, instance: Any, command: Any) -> None:
        instance.on_command(command)


class Replica:
    """A replica of a log with one leader that never fails: what it keeps is of the usual kinds."""

    def __init__(self, outbox: Outbox, node: int, nodes: tuple[int, ...]) -> None:
        self.outbox, self.node, self.nodes = outbox, node, list(nodes)
        self.leader = nodes[0]
        self.log: dict[int, str] = {}
        self.voters: dict[int, set[int]] = {}
        self.committed: set[int] = set()
        self.executed: list[str] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.heard = dict.fromkeys(nodes, 0)

    def on_command(self, command: str) -> None:
        """Propose it."""
        if command not in self.log.values():
            slot = len(self.log)
            self.log[slot], self.voters[slot] = command, {self.node}
            self.tell({"kind": "append", "slot": slot, "command": command})

    def on_message(self, source: int, message: dict[str, Any]) -> None:
        """Vote, count votes, or commit."""
        slot = message["slot"]
        self.heard[source] = max(self.heard[source], slot + 1)
        if message["kind"] == "accepted":
            self.voters[slot].add(source)
            if 2 * len(self.voters[slot]) > len(self.nodes) and slot not in self.committed:
                self.tell({"kind": "commit", "slot": slot, "command": self.log[slot]})
                self.commit(slot)
            return
        self.log[slot] = message["command"]
        if message["kind"] == "append":
            self.outbox.send(source, {"kind": "accepted", "slot": slot})
        elif slot not in self.committed:
            self.commit(slot)

    def commit(self, slot: int) -> None:
        """Decide, and execute as far as all is decided."""
        self.committed.add(slot)
        self.outbox.decide(slot, self.log[slot])
        while len(self.executed) in self.committed:
            place = len(self.executed)
            command = self.log[place]
            self.executed.append(command)
            self.results[command] = {"slot": place, "text": f"{command} is number {place}"}
            self.outbox.execute(place, command)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell all others."""
        for node in self.nodes:
            if node != self.node:
                self.outbox.send(node, message)


class Replicas(Counters):
    """Hosts replicas."""

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Replica(outbox, node, nodes)


def main() -> None:
    """Print everything."""
    for snapshots in ("copy", "replay"):
        new, known = (max(rates) for rates in zip(*laps(snapshots), strict=True))
        print(f"{snapshots}: steps/s of handle to states most of which are new {new:,.0f},")
        print(f"  to known ones {known:,.0f}")
        for kind, scope in ((Counters, SCOPE), (Counters, LARGER), (Replicas, LED)):
            explored = [rates_of(adapter_for(snapshots, kind), scope) for _ in range(LAPS)]
            answered, learned = (max(rates) for rates in zip(*explored, strict=True))
            size = f"{len(scope.nodes)} nodes, {len(scope.commands)} commands"
            print(f"  exploration of {kind.__name__}, {size}:")
            print(f"    {answered:,.0f} questions/s answered,")
            print(f"    {learned:,.0f} local steps/s learned", flush=True)


def laps(snapshots: str) -> Iterator[tuple[float, float]]:
    """The two rates, several times."""
    for _ in range(LAPS):
        adapter = warm(snapshots)
        began = time.process_time()
        questions = asked(adapter)
        new = len(questions) / (time.process_time() - began)
        began = time.process_time()
        for question in questions:
            adapter.handle(*question)
        known = len(questions) / (time.process_time() - began)
        yield new, known


def adapter_for(snapshots: str, kind: type[Counters] = Counters) -> Counters:
    """One that keeps states in this way."""
    return type(kind.__name__, (kind,), {"snapshots": snapshots})()


def warm(snapshots: str) -> Counters:
    """One that has run for a while."""
    adapter = adapter_for(snapshots)
    state, _ = adapter.start(0, NODES, None)
    for _ in range(WARM):
        adapter.handle(0, state, Submit("a"))
    return adapter


def asked(adapter: Counters) -> list[Question]:
    """Every event in some states of node 0, breadth first, each asked once."""
    start, _ = adapter.start(0, NODES, None)
    events: list[InputEvent] = [Submit(command) for command in COMMANDS]
    for command in COMMANDS:
        _, effects = adapter.handle(0, start, Submit(command))
        message = next(effect.message for effect in effects if isinstance(effect, Send))
        events += [Receive(source, message) for source in NODES]
    states, questions = [start], []
    met = {start}
    for state in states:  # Which grows.
        for event in events:
            questions.append((0, state, event))
            after, _ = adapter.handle(0, state, event)
            if after not in met:
                met.add(after)
                states.append(after)
        if len(questions) > QUESTIONS:
            break
    return questions


def rates_of(adapter: Counters, scope: Scope) -> tuple[float, float]:
    """Questions answered and local steps learned per second of a whole exploration."""
    began = time.process_time()
    verdict = explore(adapter, scope)
    took = time.process_time() - began
    return verdict.calls / took, verdict.steps_learned / took


if __name__ == "__main__":
    main()
