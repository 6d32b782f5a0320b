"""A replicated log of objects, hosted by Indelible: a skeleton, to be filled with your own.

    indelible check FILE:Hosted

The first node leads. It gives every command the next slot, saves its log, and tells the others.
"""

from indelible import Scope
from indelible.adapters import ObjectAdapter


class Node:
    """Your node: any object. It may change itself, and knows nothing of Indelible."""

    def __init__(self, node, nodes, saved, send, save, decide):
        self.node, self.nodes = node, nodes
        self.send, self.save, self.decide = send, save, decide
        self.log = saved

    def on_command(self, command):
        if self.node != self.nodes[0]:
            return
        self.log.append(command)
        self.save(self.log)  # Before anybody hears of it: a crash may come right after.
        slot = len(self.log) - 1
        self.decide(slot, command)
        for other in self.nodes[1:]:
            self.send(other, {"type": "entry", "slot": slot, "command": command})

    def on_message(self, source, message):
        self.decide(message["slot"], message["command"])


class Hosted(ObjectAdapter):
    """What Indelible needs to know: how a node is made, and how it is told what happens."""

    scope = Scope(nodes=3, commands=("a", "b"), timeouts_max=0, restarts_max=1, torn=True)
    # links = "ordered"  # If it needs links like TCP's: reliable, first in, first out.
    # crashes = False    # If it is not made to survive restarts.

    def build(self, outbox, node, nodes, storage):
        """A node starts: with storage None at first, after a crash with what it saved last."""
        saved = [] if storage is None else storage
        return Node(node, nodes, saved, outbox.send, outbox.persist, outbox.decide)

    def receive(self, node, source, message):
        """A message arrives. Links may lose, reorder and repeat messages."""
        node.on_message(source, message)

    def submit(self, node, command):
        """A client hands a command to this node."""
        node.on_command(command)

    # def timeout(self, node, timer):        # A timer fires that outbox.set_timer(timer) has armed.
    #     ...
    # def fingerprint(self, node):           # What decides how it goes on, if not all of it.
    #     return node.log
