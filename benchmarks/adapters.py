"""Measure adapters: `python benchmarks/adapters.py`. A script, not a test.

Prints, per second of process time on one core, how many steps of a small object an adapter handles,
each asked once: steps to states that were met before, steps to new ones, and steps learned by a
whole exploration, its other work included. Then the same where copies are refused and history is
replayed. On a machine that others use too it may be off by 40 percent.
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

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Counter:
        return Counter(outbox, node, nodes)

    def receive(self, instance: Counter, source: Any, message: Any) -> None:
        instance.on_message(source, message)

    def submit(self, instance: Counter, command: Any) -> None:
        instance.on_command(command)


def main() -> None:
    """Print everything."""
    for snapshots in ("copy", "replay"):
        new, known, learned = (max(rates) for rates in zip(*laps(snapshots), strict=True))
        print(f"{snapshots}: steps/s of handle to states most of which are new {new:,.0f},")
        print(f"  to known ones {known:,.0f}; learned in an exploration {learned:,.0f}", flush=True)


def laps(snapshots: str) -> Iterator[tuple[float, float, float]]:
    """The three rates, several times."""
    for _ in range(LAPS):
        adapter = warm(snapshots)
        began = time.process_time()
        questions = asked(adapter)
        new = len(questions) / (time.process_time() - began)
        began = time.process_time()
        for question in questions:
            adapter.handle(*question)
        known = len(questions) / (time.process_time() - began)
        yield new, known, learned_per_second(snapshots)


def adapter_for(snapshots: str) -> Counters:
    """One that keeps states in this way."""
    return type("Counters", (Counters,), {"snapshots": snapshots})()


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


def learned_per_second(snapshots: str) -> float:
    """Steps learned per second of a whole exploration."""
    adapter = adapter_for(snapshots)
    adapter.start(0, NODES, None)
    calls = 0
    handle = adapter._host.handle

    def counted(*question: Any) -> Any:
        nonlocal calls
        calls += 1
        return handle(*question)

    adapter._host.handle = counted  # type: ignore[method-assign]
    began = time.process_time()
    explore(adapter, SCOPE)
    return calls / (time.process_time() - began)


if __name__ == "__main__":
    main()
