"""A replicated log of coroutines, hosted by Indelible: a skeleton, to be filled with your own.

    indelible check FILE:Hosted

The first node leads. It gives every command the next slot, and repeats it until all have confirmed.
"""

import asyncio

from indelible import Scope
from indelible.adapters import AsyncioAdapter


class Node:
    """Your node: a program of asyncio. It knows nothing of Indelible."""

    def __init__(self, node, nodes, send, decide):
        self.others = [other for other in nodes if other != node]
        self.send, self.decide = send, decide
        self.commands = asyncio.Queue()
        self.confirmed = set()
        self.all_confirmed = asyncio.Event()
        self.task = asyncio.create_task(self.lead()) if node == nodes[0] else None

    async def lead(self):
        slot = 0
        while True:
            command = await self.commands.get()
            self.confirmed.clear()
            self.all_confirmed.clear()
            while not self.all_confirmed.is_set():
                for other in self.others:
                    self.send(other, ("entry", slot, command))
                try:
                    await asyncio.wait_for(self.all_confirmed.wait(), timeout=1.0)
                except TimeoutError:
                    continue  # It comes when the checker says so: whatever the time is.
            self.decide(slot, command)
            slot += 1

    def on_message(self, source, message):
        match message:
            case "entry", slot, command:
                self.decide(slot, command)
                self.send(source, ("confirmed", slot, command))
            case "confirmed", slot, command:
                self.confirmed.add((source, slot))
                if all((other, slot) in self.confirmed for other in self.others):
                    self.all_confirmed.set()


class Hosted(AsyncioAdapter):
    """What Indelible needs to know: how a node is made, and how it is told what happens."""

    crashes = False  # This one saves nothing.
    clock = "still"  # It never asks what time it is.
    scope = Scope(nodes=3, commands=("a",), may_submit=[0])

    def build(self, outbox, node, nodes, storage):
        """A node starts, in the loop: it may start tasks. May be a coroutine itself."""
        return Node(node, nodes, outbox.send, outbox.decide)

    def receive(self, node, source, message):
        """A message arrives. For streams and datagrams there is no need of this."""
        node.on_message(source, message)

    async def submit(self, node, command):
        """A client hands a command to this node."""
        await node.commands.put(command)
