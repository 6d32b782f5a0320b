"""Several files as one log: each in its own order, and a message is received after it was sent.

That is happens-before (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System",
1978). What it leaves open is decided by the times that were logged, then by the numbers of the
lines: the same files always give the same order. Of each file only the next entry is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, TypeAlias

from indelible.checkers.audit.entry import Entry, Link
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

NOTHING: Final = ((0, Lost("")), None, (0, 0.0, 0, 0))
"""Stands where no line was read yet."""


def in_order(files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX) -> Iterator[Placed]:
    """The lines of all files. For several of them, entries must have links."""
    if len(files) == 1:
        return (((0, number), told, None) for number, told in files[0])
    return _merged(files, sent_max)


def _merged(files: Sequence[Iterator[Item]], sent_max: int) -> Iterator[Placed]:
    heads: list[tuple[Item, Entry | None, Priority]] = [NOTHING] * len(files)
    ready: list[Priority] = []
    waiting: dict[int, Link] = {}
    times = [0.0] * len(files)
    under_way: dict[Link, int] = {}  # How often each message was sent, less how often received.
    sent_before = under_way.get

    to_load = list(range(len(files)))
    while to_load or ready or waiting:
        # This is most of what merging costs: nothing is called here that need not be.
        for file in to_load:
            for item in files[file]:
                number, told = item
                entry = told if type(told) is Entry else _entry(told)
                link, rank = None, 1
                if entry is not None:
                    link = entry.received
                    if entry.time is not None:
                        times[file] = entry.time
                    if entry.kind == "start":
                        rank = 0
                priority = (rank, times[file], number, file)
                heads[file] = item, entry, priority
                if link is None or sent_before(link, 0) > 0:
                    heappush(ready, priority)
                else:
                    waiting[file] = link
                break
        unsent = None
        if ready:
            file = heappop(ready)[3]
        elif waiting:
            # Nobody can go on: a message that was sent once arrives again, or its sending is in no
            # file. The first of those that wait goes on, repeated messages before others.
            file = min(waiting, key=lambda at: (waiting[at] not in under_way, heads[at][2]))
            link = waiting.pop(file)
            unsent = None if link in under_way else link[0]
        else:
            return
        (number, told), entry, _ = heads[file]
        yield (file, number), told, unsent
        to_load = [file]
        if entry is None:
            continue
        link = entry.received
        if link is not None:
            left = sent_before(link, 0)
            if left > 0:
                under_way[link] = left - 1
        if entry.sent:
            for sent in entry.sent:
                under_way[sent] = sent_before(sent, 0) + 1
            while len(under_way) > sent_max:
                del under_way[next(iter(under_way))]
            for other in [at for at, link in waiting.items() if sent_before(link, 0) > 0]:
                del waiting[other]
                heappush(ready, heads[other][2])


def _entry(told: Entry | Lost | Again) -> Entry | None:
    if isinstance(told, Entry):
        return told
    return told.entry if isinstance(told, Again) else None
