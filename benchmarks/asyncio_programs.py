"""How many steps of a hosted program of asyncio are learned per second of processor time.

``python benchmarks/asyncio_programs.py``. The program is a small one: a task that waits for a queue
with a time-out, and a task per command that waits for an answer. ``chain``: each event in the state
that the one before led to. ``search``: every event in every state, breadth first, so that most
states are come to by doing all again.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import Any, Final

from indelible import Receive, Submit, Timeout
from indelible.adapters import AsyncioAdapter, Outbox
from indelible.model.events import InputEvent, NodeId

LAPS: Final = 5
STEPS: Final = 1_000
COMMANDS: Final = ("a", "b", "c")


class Node:
    """Asks the other one, and knows what was answered."""

    def __init__(self, outbox: Outbox, other: NodeId) -> None:
        self.outbox, self.other = outbox, other
        self.inbox: asyncio.Queue[str] = asyncio.Queue()
        self.known: set[str] = set()
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.task = asyncio.create_task(self.main())

    async def main(self) -> None:
        """One message after another."""
        while True:
            try:
                message = await asyncio.wait_for(self.inbox.get(), 1)
            except TimeoutError:
                self.outbox.send(self.other, "idle")
                continue
            self.inbox.task_done()
            self.known.add(message)
            if message in self.waiting and not self.waiting[message].done():
                self.waiting[message].set_result(None)

    async def ask(self, command: str) -> None:
        """Until there is an answer."""
        self.waiting[command] = asyncio.get_running_loop().create_future()
        self.outbox.send(self.other, command)
        await self.waiting.pop(command)
        self.outbox.decide(0, command)


class Hosted(AsyncioAdapter):
    """As it is."""

    clock = "still"  # type: ignore[assignment]

    def build(self, outbox: Outbox, node: NodeId, nodes: Any, storage: Any) -> Node:
        """A node."""
        return Node(outbox, 1)

    def receive(self, instance: Node, source: NodeId, message: str) -> None:
        """An answer."""
        instance.inbox.put_nowait(message)

    async def submit(self, instance: Node, command: str) -> None:
        """A question."""
        if command not in instance.waiting and command not in instance.known:
            await instance.ask(command)


EVENTS: Final[tuple[InputEvent, ...]] = (
    *(Submit(command) for command in COMMANDS),
    *(Receive(1, command) for command in COMMANDS),
    Timeout("Node.main"),
)


def chain() -> float:
    """Steps per second, each going on from the one before."""
    adapter = Hosted()
    state, _ = adapter.start(0, (0, 1), None)
    began = time.process_time()
    for number in range(STEPS):
        state, _ = adapter.handle(0, state, EVENTS[number % len(EVENTS)])
    return STEPS / (time.process_time() - began)


def search() -> tuple[float, int, int]:
    """Steps per second of a search, how many there were, and how many states they met."""
    adapter = Hosted()
    start, _ = adapter.start(0, (0, 1), None)
    states, met, steps = [start], {start}, 0
    began = time.process_time()
    for state in states:  # Which grows.
        for event in EVENTS:
            after, _ = adapter.handle(0, state, event)
            steps += 1
            if after not in met:
                met.add(after)
                states.append(after)
        if steps > STEPS:
            break
    return steps / (time.process_time() - began), steps, len(met)


def main() -> None:
    """Print medians of some laps."""
    print(f"chain   {median(chain() for _ in range(LAPS)):8,.0f} steps/s")
    laps = [search() for _ in range(LAPS)]
    rate = median(rate for rate, _, _ in laps)
    print(f"search  {rate:8,.0f} steps/s ({laps[0][1]:,} steps, {laps[0][2]:,} states)")


if __name__ == "__main__":
    main()
