"""How Indelible hosts paxos.py, as it is."""

from paxos import Node

from indelible import Scope
from indelible.adapters import AsyncioAdapter


class Paxos(AsyncioAdapter):
    clock = "still"  # The program never looks at the clock.
    scope = Scope(nodes=3, commands=("a", "b"), may_submit={"a": [0], "b": [1]}, timeouts_max=0)
    node_class = Node

    def address(self, node):
        return "127.0.0.1", 9_000 + node

    async def build(self, outbox, node, nodes, storage):
        def save(promised, vote):
            outbox.persist((promised, vote and tuple(vote)))
            outbox.promise(promised)
            if vote and vote[0] == promised:
                outbox.vote(0, *vote)

        addresses = [self.address(each) for each in nodes]
        saved = storage and (storage[0], storage[1] and list(storage[1]))
        made = self.node_class(node, addresses, saved, save, lambda value: outbox.decide(0, value))
        await made.listen()
        return made

    async def submit(self, instance, command):
        await instance.propose(command)


class CarelessNode(Node):
    def value_to_propose(self, wish, votes):
        return wish  # As if nobody had voted.


class Careless(Paxos):
    node_class = CarelessNode
