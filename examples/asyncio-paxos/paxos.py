"""A value that replicas agree on once, by single-decree Paxos over datagrams: a program of asyncio.

It knows nothing of Indelible. On three terminals:

    python paxos.py 0
    python paxos.py 1
    python paxos.py 2 "a value that is proposed"
"""

import asyncio
import json
import sys
from pathlib import Path

PATIENCE = 1.0  # Seconds that a ballot may take.


class Node(asyncio.DatagramProtocol):
    """A replica: it votes, and it proposes if it is asked to."""

    def __init__(self, me, addresses, saved, save, decided):
        self.me, self.addresses = me, addresses
        self.save, self.decided = save, decided
        self.promised, self.vote = saved or (0, None)
        self.ballot = 0
        self.answers = asyncio.Queue()
        self.chosen = None

    async def listen(self):
        loop = asyncio.get_running_loop()
        address = self.addresses[self.me]
        self.socket, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=address)

    def send(self, to, **message):
        self.socket.sendto(json.dumps({"from": self.me, **message}).encode(), self.addresses[to])

    def send_all(self, **message):
        for node in range(len(self.addresses)):
            self.send(node, **message)

    # --- as an acceptor ---

    def datagram_received(self, data, address):
        message = json.loads(data)
        match message["type"]:
            case "prepare" if message["ballot"] > self.promised:
                self.promised = message["ballot"]
                self.save(self.promised, self.vote)
                self.send(message["from"], type="promise", ballot=self.promised, vote=self.vote)
            case "accept" if message["ballot"] >= self.promised:
                self.promised = message["ballot"]
                self.vote = [message["ballot"], message["value"]]
                self.save(self.promised, self.vote)
                self.send(message["from"], type="accepted", ballot=self.promised)
            case "promise" | "accepted":
                self.answers.put_nowait(message)

    # --- as a proposer ---

    async def propose(self, value):
        """Ballot after ballot, until one is won."""
        while self.chosen is None:
            try:
                await asyncio.wait_for(self.hold_ballot(value), PATIENCE)
            except TimeoutError:
                continue

    async def hold_ballot(self, value):
        round = max(self.promised, self.ballot) // len(self.addresses) + 1
        self.ballot = round * len(self.addresses) + self.me
        self.send_all(type="prepare", ballot=self.ballot)
        promises = await self.quorum("promise")
        value = self.value_to_propose(value, [each["vote"] for each in promises if each["vote"]])
        self.send_all(type="accept", ballot=self.ballot, value=value)
        await self.quorum("accepted")
        self.chosen = value
        self.decided(value)

    def value_to_propose(self, wish, votes):
        """What the latest vote was for may have been chosen already."""
        return max(votes)[1] if votes else wish

    async def quorum(self, kind):
        """The answers to this ballot, as soon as they are of most nodes."""
        answers = {}
        while len(answers) <= len(self.addresses) // 2:
            answer = await self.answers.get()
            if (answer["type"], answer["ballot"]) == (kind, self.ballot):
                answers[answer["from"]] = answer
        return [answers[node] for node in sorted(answers)]


async def main(me, value=None):
    file = Path(f"paxos-{me}.json")

    def save(*state):
        file.write_text(json.dumps(state))

    saved = json.loads(file.read_text()) if file.exists() else None
    addresses = [("127.0.0.1", 9_000 + node) for node in range(3)]
    node = Node(me, addresses, saved, save, lambda value: print("decided:", value))
    await node.listen()
    if value is not None:
        await node.propose(value)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
