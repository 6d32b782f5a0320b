"""Several files as one log: each in its own order, and a message is received after it was sent.

That is happens-before (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System",
1978). What it leaves open is decided in favour of the log: an entry that lacks what others may
still say waits for them, and goes on when nobody else can. Then by the times that were logged, by
the numbers of the lines, and by nodes: the same files give the same order, however they are named.
Of each file only the next few lines are held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from indelible.checkers.audit.entry import DECIDE, LEAD, Entry, Link
from indelible.checkers.audit.lines import Again, Item, Lost
from indelible.checkers.audit.notes import Place
from indelible.model.errors import IndelibleError
from indelible.model.events import NodeId, node_name

__all__ = ["UNSENT", "Merged", "Placed", "Unsent", "in_order"]

SENT_MAX: Final = 1 << 17
"""So many messages are remembered that were sent, with how often they were received."""

UNSENT: Final = "no record before it says that the message was sent"

FORGOTTEN_PART: Final = 8
"""This part of them is forgotten, when there are too many."""

MAY_LACK: Final = DECIDE | LEAD
"""Kinds of testimony that somebody must have said something before."""


class Unsent(NamedTuple):
    """A message was received, and nothing read before says that ``source`` sent it."""

    source: NodeId
    says: str


Placed: TypeAlias = tuple[Place, Entry | Lost | Again, Unsent | None]
"""Where a line is, what it tells, and whether the message that it receives was not sent."""

Named: TypeAlias = tuple[int, int | str]
"""A node, so that all can be compared; or what stands for one where no node is known."""

Head: TypeAlias = tuple[int, float, int, Named, int, Entry | Lost | Again, Entry | None]
"""The next line of a file: what goes before what, the file, what the line tells, and the entry that
it is, if it is one. Two heads are never compared further than by their files."""


def in_order(
    files: Sequence[Iterator[Item]], sent_max: int = SENT_MAX, *, names: Sequence[str] = ()
) -> Iterable[Placed]:
    """The lines of all files, which are called ``names``. For several of them, entries must have
    links; ``IndelibleError`` is raised where two have records of one node."""
    if len(files) == 1:
        return (((0, number), told, None) for number, told in files[0])
    return Merged(files, sent_max, names)


class Merged(Iterable[Placed]):
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
        self._heads: dict[int, Head] = {}
        self._ready: list[Head] = []
        self._waiting: dict[Link, int] = {}  # Whose node receives a message is one file's to say.
        self._lacking: set[int] = set()
        self._unsent: dict[int, Unsent] = {}
        self._owners: dict[NodeId, int] = {}
        self._under_way: dict[Link, int] = {}  # How often sent, less how often received.
        self._has_forgotten = False
        self._placed = self._merged()

    def __iter__(self) -> Iterator[Placed]:
        return self._placed

    def _merged(self) -> Iterator[Placed]:
        files, heads, ready, waiting = self._files, self._heads, self._ready, self._waiting
        under_way, lacking, owners = self._under_way, self._lacking, self._owners
        sent_before = under_way.get
        awaited, not_sent = self.awaited, self._unsent
        times = [0.0] * len(files)
        nodes: list[NodeId | None] = [None] * len(files)
        named: list[Named] = [(2, "")] * len(files)
        to_load: Sequence[int] = range(len(files))
        # This is most of what merging costs: nothing is called here that need not be.
        while to_load or ready or waiting or lacking:
            for file in to_load:
                for number, told in files[file]:
                    entry = told if type(told) is Entry else _entry(told)
                    link, rank = None, 1
                    if entry is not None:
                        link, node = entry.received, entry.node
                        if entry.time is not None:
                            times[file] = entry.time
                        if entry.kind == "start":
                            rank = 0
                        if node != nodes[file]:
                            if owners.setdefault(node, file) != file:
                                raise _split(node, (self._names[owners[node]], self._names[file]))
                            nodes[file] = node
                            named[file] = (1, node) if type(node) is str else (0, node)
                    head = rank, times[file], number, named[file], file, told, entry
                    heads[file] = head
                    if link is not None:
                        left = sent_before(link)
                        if not left:
                            waiting[link] = file
                            break
                        under_way[link] = left - 1
                    heappush(ready, head)
                    break
            to_load = ()
            if ready:
                _, _, number, _, file, told, entry = heappop(ready)
                if entry is not None and entry.kinds & MAY_LACK and self.lacks(entry):
                    lacking.add(file)
                    continue
            elif in_vain := self._waiting_in_vain():
                self._wait_no_more(in_vain)
                continue
            elif lacking:
                _, _, number, _, file, told, entry = min([heads[file] for file in lacking])
                lacking.remove(file)
                awaited.update(waiting.values())
            else:
                return
            if awaited:
                awaited.discard(file)
            yield (file, number), told, not_sent.pop(file, None) if not_sent else None
            to_load = (file,)
            if entry is None:
                continue
            if lacking and (entry.testimony or entry.submitted):
                for other in lacking:
                    heappush(ready, heads[other])
                lacking.clear()
            if entry.sent:
                for link in entry.sent:
                    if link in waiting:
                        other = waiting.pop(link)
                        awaited.discard(other)
                        heappush(ready, heads[other])
                        under_way[link] = 0
                    else:
                        under_way[link] = sent_before(link, 0) + 1
                if len(under_way) > self._sent_max:
                    self._forget()

    def _forget(self) -> None:
        """The messages that were sent first; several at once, since they are no longer found at
        once where many are gone."""
        under_way = self._under_way
        count = len(under_way) - self._sent_max + self._sent_max // FORGOTTEN_PART
        for link in list(islice(under_way, count)):
            del under_way[link]
        self._has_forgotten = True

    def _waiting_in_vain(self) -> dict[int, Link]:
        """Files that wait for what was sent already, or will not be: nothing that can still be read
        comes before it."""
        waiting = {file: link for link, file in self._waiting.items()}
        return {
            file: link
            for file, link in waiting.items()
            if link in self._under_way or not self._may_be_sent(file, waiting, set())
        }

    def _wait_no_more(self, in_vain: Mapping[int, Link]) -> None:
        """The first of these files goes on, those before others whose message arrives again."""
        under_way = self._under_way
        file = min(in_vain, key=lambda at: (in_vain[at] not in under_way, self._heads[at]))
        link = in_vain[file]
        del self._waiting[link]
        heappush(self._ready, self._heads[file])
        if link in under_way:
            return
        says = UNSENT
        if self._has_forgotten:
            says = (
                f"more than {self._sent_max:,} messages were under way, so that nobody knows "
                "whether this one was sent before"
            )
        self._unsent[file] = Unsent(link[0], says)

    def _may_be_sent(self, file: int, waiting: Mapping[int, Link], asked: set[int]) -> bool:
        """Whether what a file waits for may come in one that only lacks something."""
        if file in self._lacking:
            return True
        if file in asked or file not in waiting:
            return False
        asked.add(file)
        owner = self._owners.get(waiting[file][0])
        if owner is None:  # Nobody knows where it will be met.
            return bool(self._lacking)
        return owner != file and self._may_be_sent(owner, waiting, asked)


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
