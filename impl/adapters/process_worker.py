"""One process that hosts nodes, and the requests that bring a node to where it is to go on from.

A *place* is a history of a node: how it was started, and each event since. A process gets to one by
the shortest way it knows: it is there already; it has a snapshot of it, or of a place before; or
the node starts anew and is told all that happened. What is told again is compared with what was
answered first. Nothing here waits for an answer, or knows what states and effects mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from indelible.impl.adapters.process_pipe import Pipe
from indelible.impl.adapters.process_text import shown
from indelible.impl.adapters.process_wire import (
    Hello,
    nothing_from,
    snapshot_from,
    snapshot_line,
    step_from,
)
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId

__all__ = ["NotTheSame", "Place", "Request", "Worker"]


class NotTheSame(ImplementationError):
    """The process answers what it was asked before, and otherwise than it did."""


class Request(NamedTuple):
    """A line to send, and what is to be done with the answer; it may raise ``WireError``."""

    line: bytes
    take: Callable[[bytes], None]


class Place:
    """Where a node is: after ``request`` at the place ``before``, or in the first place by it.

    Known by identity. ``answered``: a hash of the answer that led here. ``saved``: snapshots of
    it, as JSON, by the process that can restore them (``None``: every one).
    """

    __slots__ = ("__weakref__", "answered", "before", "node", "request", "saved")

    def __init__(self, node: NodeId, before: Place | None, request: bytes, answered: int) -> None:
        self.node, self.before, self.request, self.answered = node, before, request, answered
        self.saved: dict[Worker | None, bytes] = {}

    def requests(self) -> tuple[bytes, ...]:
        """All that the node was asked to get here, the last first."""
        place: Place | None = self
        asked = []
        while place is not None:
            asked.append(place.request)
            place = place.before
        return tuple(asked)

    def __del__(self) -> None:
        for worker, snapshot in self.saved.items():
            if worker is not None:
                worker.unneeded.append(snapshot_line("forget", self.node, snapshot))


class Worker:
    """A process, and where its nodes are.

    ``unneeded``: the requests to forget snapshots that nobody will ask for any more.
    """

    def __init__(self, pipe: Pipe, hello: Hello) -> None:
        self.pipe, self.hello = pipe, hello
        self.unneeded: list[bytes] = []
        # After which request at which place; an empty one: at that place.
        self._positions: dict[NodeId, tuple[Place | None, bytes]] = {}

    def distance(self, place: Place) -> int:
        """How many requests it takes to get there."""
        known, again = self._path(place)
        return len(again) + (not self._is_at(known))

    def is_saved(self, place: Place) -> bool:
        """Whether there is no need of a snapshot: there is one, or the node only has to start."""
        return place.before is None or self._owner in place.saved

    def forgetting(self) -> list[Request]:
        """The requests to forget what is not needed any more."""
        due, self.unneeded = self.unneeded, []
        return [Request(line, nothing_from) for line in due]

    def going(self, place: Place) -> list[Request]:
        """The requests that bring its node to ``place``, from where the ones before left it."""
        known, again = self._path(place)
        requests = [] if self._is_at(known) else [self._anew(known)]
        self._positions[place.node] = place, b""
        return requests + [self._again(each) for each in again]

    def keeping(self, place: Place) -> list[Request]:
        """The requests that go there and keep a snapshot, where that is possible and of use."""
        if "snapshot" not in self.hello.capabilities or self.is_saved(place):
            return []
        line = snapshot_line("snapshot", place.node)
        return [*self.going(place), Request(line, partial(self._save, place))]

    def asking(self, node: NodeId, place: Place | None, request: Request) -> list[Request]:
        """The requests that go to ``place``, if there is one, and then ``request``.

        A place that takes more than a step is kept: it will be asked for again.
        """
        way = []
        if place is not None:
            way = self.keeping(place) if self._path(place)[1] else []
            way = way or self.going(place)
        self._positions[node] = place, request.line
        return [*way, request]

    @property
    def _owner(self) -> Worker | None:
        """Who can restore the snapshots made here."""
        return None if "portable" in self.hello.capabilities else self

    def _path(self, place: Place) -> tuple[Place, list[Place]]:
        """The nearest place before it that is known here, and those from there on, in order."""
        again = []
        while not self._is_at(place) and not self.is_saved(place):
            again.append(place)
            assert place.before is not None  # Or else there is no need of a snapshot.
            place = place.before
        return place, again[::-1]

    def _is_at(self, place: Place) -> bool:
        at = self._positions.get(place.node)
        if at is None:
            return False
        after, request = at
        if request:
            return after is place.before and request == place.request
        return after is place

    def _anew(self, place: Place) -> Request:
        snapshot = place.saved.get(self._owner)
        if snapshot is None:
            return self._again(place)
        return Request(snapshot_line("restore", place.node, snapshot), nothing_from)

    def _again(self, place: Place) -> Request:
        return Request(place.request, partial(self._require_same, place))

    def _require_same(self, place: Place, line: bytes) -> None:
        fingerprint = "fingerprint" in self.hello.capabilities
        if hash(step_from(line, fingerprint=fingerprint)) != place.answered:
            raise NotTheSame(
                f"the process is not deterministic: asked again {shown(place.request)} after the "
                f"same events, it answers {shown(line)}, and not what it did at first",
                cause="a clock, chance, an order that is not fixed, something that its nodes "
                "share, or a snapshot that leaves something out",
                remedy="let each answer depend on what happened to that node only",
            )

    def _save(self, place: Place, line: bytes) -> None:
        place.saved[self._owner] = snapshot_from(line)
