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


class Placed(NamedTuple):
    """What a line tells, and where it is; ``unsent`` is the node that should have sent the message
    it receives, if no record read before says so."""

    place: Place
    told: Entry | Lost | Again
    unsent: NodeId | None = None


Priority: TypeAlias = tuple[int, float, int, int]


def in_order(files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX) -> Iterator[Placed]:
    """The lines of all files. For several of them, entries must have links."""
    if len(files) == 1:
        return (Placed((0, number), told) for number, told in files[0])
    return _merged(files, _Post(sent_max))


def _merged(files: Sequence[Iterator[Item]], post: _Post) -> Iterator[Placed]:
    heads: dict[int, Item] = {}
    ready: list[tuple[Priority, int]] = []
    waiting: dict[int, Priority] = {}
    times = [0.0] * len(files)

    def load(file: int) -> None:
        head = next(files[file], None)
        if head is None:
            return
        heads[file] = head
        entry = _entry(head)
        if entry is not None and entry.time is not None:
            times[file] = entry.time
        is_start = entry is not None and entry.kind == "start"
        priority = (0 if is_start else 1, times[file], head[0], file)
        if post.may_arrive(entry):
            heappush(ready, (priority, file))
        else:
            waiting[file] = priority

    for file in range(len(files)):
        load(file)
    while heads:
        unsent = None
        if ready:
            _, file = heappop(ready)
        else:
            # Nobody can go on: a message that was sent once arrives again, or its sending is in no
            # file. The first of those that wait goes on, repeated messages before others.
            file = min(waiting, key=lambda at: (not post.is_known(_entry(heads[at])), waiting[at]))
            del waiting[file]
            entry = _entry(heads[file])
            if not post.is_known(entry) and entry is not None and entry.links is not None:
                unsent = entry.links.received[0] if entry.links.received else None
        number, told = heads.pop(file)
        yield Placed((file, number), told, unsent)
        if post.took(_entry((number, told))):
            for other in [at for at in waiting if post.may_arrive(_entry(heads[at]))]:
                heappush(ready, (waiting.pop(other), other))
        load(file)


def _entry(item: Item) -> Entry | None:
    told = item[1]
    if isinstance(told, Lost):
        return None
    return told.entry if isinstance(told, Again) else told


class _Post:
    """How many messages of each kind are under way: those sent, less those received."""

    def __init__(self, sent_max: int) -> None:
        self._sent_max = sent_max
        self._under_way: dict[int, int] = {}
        self._numbers: dict[NodeId, int] = {}

    def may_arrive(self, entry: Entry | None) -> bool:
        """Whether nothing keeps the entry from being next."""
        key = self._received(entry)
        return key is None or self._under_way.get(key, 0) > 0

    def is_known(self, entry: Entry | None) -> bool:
        """Whether the message that it receives was sent, maybe not as often as it was received."""
        key = self._received(entry)
        return key is None or key in self._under_way

    def took(self, entry: Entry | None) -> bool:
        """Count what an entry sends and receives; says whether it sends anything."""
        if entry is None or entry.links is None:
            return False
        key = self._received(entry)
        if key is not None and self._under_way.get(key, 0) > 0:
            self._under_way[key] -= 1
        for to, message in entry.links.sent:
            key = self._key(entry.node, to, message)
            self._under_way[key] = self._under_way.get(key, 0) + 1
        while len(self._under_way) > self._sent_max:
            del self._under_way[next(iter(self._under_way))]
        return bool(entry.links.sent)

    def _received(self, entry: Entry | None) -> int | None:
        if entry is None or entry.links is None or entry.links.received is None:
            return None
        source, message = entry.links.received
        return self._key(source, entry.node, message)

    def _key(self, source: NodeId, to: NodeId, message: int) -> int:
        """One number for all three: files may speak of millions of messages."""
        numbers = self._numbers
        pair = numbers.setdefault(source, len(numbers)) << 20 | numbers.setdefault(to, len(numbers))
        return (message + pair * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
