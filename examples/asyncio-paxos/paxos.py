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
        self.chosen = None
        self.asked = None  # What answers are waited for, those that came, and who waits.

    async def listen(self):
        loop = asyncio.get_running_loop()
        address = self.addresses[self.me]
        self.socket, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=address)

    def send(self, to, **message):
        self.socket.sendto(json.dumps({"from": self.me, **message}).encode(), self.addresses[to])

    def ask_all(self, **question):
        """Ask every node, this one first; a future has the answers of most of them."""
        done = asyncio.get_running_loop().create_future()
        self.asked = (question["ballot"], question["type"], {}, done)
        self.answered(self.me, self.answer(question))
        for node in range(len(self.addresses)):
            if node != self.me:
                self.send(node, **question)
        return done

    def datagram_received(self, data, address):
        message = json.loads(data)
        sender = message.pop("from")
        if "answer_to" in message:
            self.answered(sender, message)
        elif answer := self.answer(message):
            self.send(sender, **answer)

    # --- as an acceptor ---

    def answer(self, question):
        """Promise or vote, and remember it for good; or keep silent, as another was promised."""
        ballot, kind = question["ballot"], question["type"]
        if ballot < self.promised or (kind == "prepare" and ballot == self.promised):
            return None
        self.promised, answer = ballot, {"answer_to": kind, "ballot": ballot}
        if kind == "prepare":
            answer["vote"] = self.vote
        else:
            self.vote = [ballot, question["value"]]
        self.save(self.promised, self.vote)
        return answer

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
        promises = await self.ask_all(type="prepare", ballot=self.ballot)
        value = self.value_to_propose(value, [each["vote"] for each in promises if each["vote"]])
        await self.ask_all(type="accept", ballot=self.ballot, value=value)
        self.chosen = value
        self.decided(value)

    def value_to_propose(self, wish, votes):
        """What the latest vote was for may have been chosen already."""
        return max(votes)[1] if votes else wish

    def answered(self, sender, answer):
        if self.asked is None or answer is None:
            return
        ballot, kind, answers, done = self.asked
        if (answer["ballot"], answer["answer_to"]) == (ballot, kind) and not done.done():
            answers[sender] = answer
            if len(answers) > len(self.addresses) // 2:
                done.set_result(list(answers.values()))
                self.asked = None


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
