"""Several files as one log: each in its own order, and a message is received after it was sent.

That is happens-before (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System",
1978). What it leaves open is decided by the times that were logged, then by the numbers of the
lines: the same files always give the same order. Of each file only the next entry is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from indelible.checkers.audit.entry import Entry
from indelible.checkers.audit.lines import Again, Item, Lost
from indelible.checkers.audit.notes import Place
from indelible.model.events import NodeId

__all__ = ["UNSENT", "Placed", "in_order"]

SENT_MAX: Final = 1 << 17
"""So many messages are remembered that were sent, with how often they were received."""

UNSENT: Final = "no record before it says that the message was sent"


Placed: TypeAlias = tuple[Place, Entry | Lost | Again, NodeId | None]
"""Where a line is, what it tells, and the node that should have sent the message it receives, if no
record read before says so."""

Priority: TypeAlias = tuple[int, float, int, int]


def in_order(files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX) -> Iterator[Placed]:
    """The lines of all files. For several of them, entries must have links."""
    if len(files) == 1:
        return (((0, number), told, None) for number, told in files[0])
    return _merged(files, _Post(sent_max))


class _Head(NamedTuple):
    """The next line of a file; ``key`` is the message that it receives."""

    item: Item
    entry: Entry | None
    key: int | None
    priority: Priority


def _merged(files: Sequence[Iterator[Item]], post: _Post) -> Iterator[Placed]:
    heads: dict[int, _Head] = {}
    ready: list[Priority] = []
    waiting: set[int] = set()
    times = [0.0] * len(files)

    def load(file: int) -> None:
        item = next(files[file], None)
        if item is None:
            return
        entry = _entry(item[1])
        if entry is not None and entry.time is not None:
            times[file] = entry.time
        is_start = entry is not None and entry.kind == "start"
        priority = (0 if is_start else 1, times[file], item[0], file)
        head = heads[file] = _Head(item, entry, post.received(entry), priority)
        if head.key is None or post.is_under_way(head.key):
            heappush(ready, priority)
        else:
            waiting.add(file)

    for file in range(len(files)):
        load(file)
    while heads:
        unsent = None
        if ready:
            file = heappop(ready)[-1]
        else:
            # Nobody can go on: a message that was sent once arrives again, or its sending is in no
            # file. The first of those that wait goes on, repeated messages before others.
            file = min(waiting, key=lambda at: (not post.knows(heads[at].key), heads[at].priority))
            waiting.remove(file)
            head = heads[file]
            if not post.knows(head.key) and head.entry is not None and head.entry.links is not None:
                unsent = head.entry.links.received[0] if head.entry.links.received else None
        head = heads.pop(file)
        yield (file, head.item[0]), head.item[1], unsent
        if post.took(head.entry, head.key) and waiting:
            for other in [at for at in waiting if post.is_under_way(heads[at].key)]:
                waiting.remove(other)
                heappush(ready, heads[other].priority)
        load(file)


def _entry(told: Entry | Lost | Again) -> Entry | None:
    if isinstance(told, Entry):
        return told
    return told.entry if isinstance(told, Again) else None


class _Post:
    """How many messages of each kind are under way: those sent, less those received."""

    def __init__(self, sent_max: int) -> None:
        self._sent_max = sent_max
        self._under_way: dict[int, int] = {}
        self._pairs: dict[tuple[NodeId, NodeId], int] = {}

    def is_under_way(self, key: int | None) -> bool:
        """Whether the message was sent more often than received."""
        return key is not None and self._under_way.get(key, 0) > 0

    def knows(self, key: int | None) -> bool:
        """Whether the message was sent at all."""
        return key in self._under_way

    def took(self, entry: Entry | None, received: int | None) -> bool:
        """Count what an entry sends and receives; says whether it sends anything."""
        if received is not None and self._under_way.get(received, 0) > 0:
            self._under_way[received] -= 1
        if entry is None or entry.links is None or not entry.links.sent:
            return False
        under_way = self._under_way
        for to, message in entry.links.sent:
            key = self._key(entry.node, to, message)
            under_way[key] = under_way.get(key, 0) + 1
        while len(under_way) > self._sent_max:
            del under_way[next(iter(under_way))]
        return True

    def received(self, entry: Entry | None) -> int | None:
        """What the message is known by that an entry receives, if it does."""
        if entry is None or entry.links is None or entry.links.received is None:
            return None
        source, message = entry.links.received
        return self._key(source, entry.node, message)

    def _key(self, source: NodeId, to: NodeId, message: int) -> int:
        """One number for all three: files may speak of millions of messages."""
        pair = self._pairs.setdefault((source, to), len(self._pairs) + 1)
        return (message + pair * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
