"""Several files as one log: each in its own order, and a message is received after it was sent.

That is happens-before (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System",
1978). What it leaves open is decided in favour of the log: an entry that lacks what others may
still say waits for them, and goes on when nobody else can. Then by the times that were logged, by
the numbers of the lines, and by nodes: the same files give the same order, however they are named.
Of each file only the next entry is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from indelible.checkers.audit.entry import Entry, Link
from indelible.checkers.audit.lines import Again, Item, Lost
from indelible.checkers.audit.notes import Place
from indelible.model.errors import IndelibleError
from indelible.model.events import NodeId, node_name

__all__ = ["UNSENT", "Merged", "Placed", "Unsent", "in_order"]

SENT_MAX: Final = 1 << 17
"""So many messages are remembered that were sent, with how often they were received."""

UNSENT: Final = "no record before it says that the message was sent"


class Unsent(NamedTuple):
    """A message was received, and nothing read before says that ``source`` sent it."""

    source: NodeId
    says: str


Placed: TypeAlias = tuple[Place, Entry | Lost | Again, Unsent | None]
"""Where a line is, what it tells, and whether the message that it receives was not sent."""

Named: TypeAlias = tuple[int, int | str]
"""A node, so that all can be compared; or what stands for one where no node is known."""

Priority: TypeAlias = tuple[int, float, int, Named, int]


class _Head:
    """The next line of a file: its ``item``, ``entry`` if it is one, and its ``priority``."""

    __slots__ = ("entry", "item", "priority")

    def __init__(self, item: Item, entry: Entry | None, priority: Priority) -> None:
        self.item = item
        self.entry = entry
        self.priority = priority


def in_order(
    files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX, *, names: Sequence[str] = ()
) -> Iterator[Placed]:
    """The lines of all files, which are called ``names``. For several of them, entries must have
    links; ``IndelibleError`` is raised where two have records of one node."""
    if len(files) == 1:
        return (((0, number), told, None) for number, told in files[0])
    return Merged(files, sent_max, names)


class Merged(Iterator[Placed]):
    """The lines of several files.

    - ``lacks``: whether an entry, if it came now, would say something that others may still make
      true; whoever judges the entries may set it.
    - ``awaited``: files that waited for a message when an entry had to go on nevertheless, and have
      not gone on since. Should theirs turn out not to have been sent, they need not have waited.
    """

    def __init__(
        self, files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX, names: Sequence[str] = ()
    ) -> None:
        self.lacks: Callable[[Entry], bool] = lambda _: False
        self.awaited: set[int] = set()
        self._files = files
        self._names = names or [f"file {number}" for number in range(len(files))]
        self._sent_max = sent_max
        self._heads: dict[int, _Head] = {}
        self._ready: list[Priority] = []
        self._waiting: dict[int, Link] = {}
        self._lacking: set[int] = set()
        self._unsent: dict[int, Unsent] = {}
        self._owners: dict[NodeId, int] = {}
        self._under_way: dict[Link, int] = {}  # How often each was sent, less how often received.
        self._has_forgotten = False
        self._placed = self._merged()

    def __next__(self) -> Placed:
        return next(self._placed)

    def _merged(self) -> Iterator[Placed]:
        files, heads, ready, waiting = self._files, self._heads, self._ready, self._waiting
        under_way, lacking, owners = self._under_way, self._lacking, self._owners
        sent_before = under_way.get
        times = [0.0] * len(files)
        named: list[Named] = [(2, "")] * len(files)
        to_load = list(range(len(files)))
        while to_load or ready or waiting or lacking:
            # This is most of what merging costs: nothing is called here that need not be.
            for file in to_load:
                heads.pop(file, None)
                for item in files[file]:
                    number, told = item
                    entry = told if type(told) is Entry else _entry(told)
                    link, rank = None, 1
                    if entry is not None:
                        link, node = entry.received, entry.node
                        if entry.time is not None:
                            times[file] = entry.time
                        if entry.kind == "start":
                            rank = 0
                        if owners.setdefault(node, file) != file:
                            raise _split(node, (self._names[owners[node]], self._names[file]))
                        named[file] = (1, node) if type(node) is str else (0, node)
                    priority = (rank, times[file], number, named[file], file)
                    heads[file] = _Head(item, entry, priority)
                    if link is None or sent_before(link, 0) > 0:
                        heappush(ready, priority)
                    else:
                        waiting[file] = link
                    break
            to_load = []
            if ready:
                file = heappop(ready)[4]
                entry = heads[file].entry
                if entry is not None and entry.testimony and self.lacks(entry):
                    lacking.add(file)
                    continue
            elif in_vain := self._waiting_in_vain():
                self._wait_no_more(in_vain)
                continue
            elif lacking:
                file = min(lacking, key=lambda at: heads[at].priority)
                entry = heads[file].entry
                lacking.remove(file)
                self.awaited.update(waiting)
            else:
                return
            number, told = heads[file].item
            self.awaited.discard(file)
            yield (file, number), told, self._unsent.pop(file, None)
            to_load = [file]
            if entry is None:
                continue
            link = entry.received
            if link is not None:
                left = sent_before(link, 0)
                if left > 0:
                    under_way[link] = left - 1
            if lacking and (entry.testimony or entry.submitted):
                for other in lacking:
                    heappush(ready, heads[other].priority)
                lacking.clear()
            if entry.sent:
                for sent in entry.sent:
                    under_way[sent] = sent_before(sent, 0) + 1
                while len(under_way) > self._sent_max:
                    del under_way[next(iter(under_way))]
                    self._has_forgotten = True
                for other in [at for at, link in waiting.items() if sent_before(link, 0) > 0]:
                    del waiting[other]
                    self.awaited.discard(other)
                    heappush(ready, heads[other].priority)

    def _waiting_in_vain(self) -> list[int]:
        """Files that wait for what was sent already, or will not be: nothing that can still be read
        comes before it."""
        return [
            file
            for file, link in self._waiting.items()
            if link in self._under_way or not self._may_be_sent(file, set())
        ]

    def _wait_no_more(self, in_vain: Sequence[int]) -> None:
        """The first of these files goes on, those before others whose message arrives again."""
        under_way, waiting = self._under_way, self._waiting
        file = min(in_vain, key=lambda at: (waiting[at] not in under_way, self._heads[at].priority))
        link = waiting.pop(file)
        heappush(self._ready, self._heads[file].priority)
        if link in under_way:
            return
        says = UNSENT
        if self._has_forgotten:
            says = (
                f"more than {self._sent_max:,} messages were under way, so that nobody knows "
                "whether this one was sent before"
            )
        self._unsent[file] = Unsent(link[0], says)

    def _may_be_sent(self, file: int, asked: set[int]) -> bool:
        """Whether what a file waits for may come in one that only lacks something."""
        if file in self._lacking:
            return True
        if file in asked or file not in self._waiting:
            return False
        asked.add(file)
        source = self._waiting[file][0]
        owner = self._owners.get(source)
        if owner is None:  # Nobody knows where it will be met.
            return bool(self._lacking)
        return owner != file and self._may_be_sent(owner, asked)


def _entry(told: Entry | Lost | Again) -> Entry | None:
    if isinstance(told, Entry):
        return told
    return told.entry if isinstance(told, Again) else None


def _split(node: NodeId, names: tuple[str, str]) -> IndelibleError:
    name, (one, other) = node_name(node), names
    return IndelibleError(
        f"{one} and {other} both have records of {name}",
        cause="one goes on where the other ends, or it is the same log twice: nothing says which",
        remedy="make one file of them, the older one first, as in: "
        f"cat OLDER NEWER > {name}.jsonl; or leave one out",
    )
