"""Causality: which steps of a run happened before which others, and what that says of their shape.

One step happens before another at the same node that comes later, and before the receipt of what it
sent (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", 1978).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from indelible.model.canonical import canonical_text
from indelible.model.events import Event, Message, NodeId, Receive, Restart, Submit, Timeout, Torn
from indelible.model.plain import TYPE
from indelible.model.run import Run

__all__ = ["causal_past", "event_kind", "predecessors", "shape", "vector_clocks"]


def predecessors(run: Run) -> Mapping[int, tuple[int, ...]]:
    """By the number of each step: the step before it at its node, and the one that caused it."""
    last: dict[NodeId, int] = {}
    found: dict[int, tuple[int, ...]] = {}
    for step in run.steps:
        earlier = {last.get(step.node, 0), step.cause or 0} - {0}
        found[step.number] = tuple(sorted(earlier))
        last[step.node] = step.number
    return found


def causal_past(run: Run, numbers: Iterable[int]) -> tuple[int, ...]:
    """The steps numbered so and all that happened before them, in order."""
    before = predecessors(run)
    past: set[int] = set()
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in past:
            past.add(number)
            waiting += before[number]
    return tuple(sorted(past))


def vector_clocks(run: Run) -> tuple[Mapping[NodeId, int], ...]:
    """For each step, how many steps of each node happened up to it, itself among them.

    Nodes of which nothing is known are left out (Mattern, "Virtual Time and Global States of
    Distributed Systems", 1989).
    """
    clocks: dict[int, dict[NodeId, int]] = {}
    before = predecessors(run)
    for step in run.steps:
        clock: dict[NodeId, int] = {}
        for number in before[step.number]:
            for node, count in clocks[number].items():
                clock[node] = max(count, clock.get(node, 0))
        clock[step.node] = clock.get(step.node, 0) + 1
        clocks[step.number] = {node: clock[node] for node in run.scope.nodes if node in clock}
    return tuple(clocks[step.number] for step in run.steps)


def event_kind(event: Event) -> str:
    """What kind of event it is, without its contents: of a message only the type is told."""
    match event:
        case Receive(_, message):
            return f"receive {_message_kind(message)}"
        case Timeout(timer):
            return f"timeout {canonical_text(timer)}"
        case Submit():
            return "submit"
        case Restart():
            return "restart"
        case Torn(whole, _):
            return f"torn {event_kind(whole)}"


def _message_kind(message: Message) -> str:
    """The name of its class; of a message that came as a mapping, the type that it says it has."""
    said = message.get(TYPE) if isinstance(message, Mapping) else None
    return said if isinstance(said, str) else type(message).__name__


def shape(run: Run) -> tuple[str, ...]:
    """The chains of messages of a run, in kinds of events, sorted: ``submit > receive Accept``.

    It is the same for two runs that differ only in the names of nodes, the contents of messages,
    and in what order a node met things that came from different chains.
    """
    chains: dict[int | None, str] = {None: "", 0: "start > "}
    for step in run.steps:
        chains[step.number] = f"{chains[step.cause]}{event_kind(step.event)} > "
    return tuple(sorted(chains[step.number].removesuffix(" > ") for step in run.steps))
