"""Nodes that are hosted as objects, each with something else that is hard to copy."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from indelible.adapters import ObjectAdapter, Outbox


class Plain:
    """Counts, in a dict that is filled in the order of events."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.counts, self.ids = outbox, {}, []

    def on(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        if what == "draw":
            self.ids.append(uuid.uuid4())
        for place, name in enumerate(self.counts):
            self.outbox.decide(place, name)


class Local(Plain):
    """With a function that pickle refuses, and a copy may share."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        self.twice = lambda count: count * 2


class Closing(Plain):
    """With a closure, which every copy would share."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        total = 0

        def add(count: int) -> int:
            nonlocal total
            total += count
            return total

        self.add = add

    def on(self, what: str) -> None:
        super().on(what)
        self.outbox.decide(9, self.add(1))


class Walking(Plain):
    """With a generator that stands somewhere, and a lock."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)
        self.turns, self.lock = self.take_turns(), threading.Lock()

    def take_turns(self) -> Iterator[int]:
        yield from range(100)

    def on(self, what: str) -> None:
        super().on(what)
        with self.lock:
            self.outbox.decide(9, next(self.turns))


class Forgetful(Plain):
    """Copied without its counts."""

    def __getstate__(self) -> Any:
        return {**vars(self), "counts": {}}


def adapter_of(kind: type, snapshots: Literal["copy", "replay"] | None = None) -> ObjectAdapter:
    class Adapter(ObjectAdapter):
        dict_order = "ignored"  # What these say follows from it, so that it would be seen.

        def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
            return kind(outbox)

        def receive(self, instance: Any, source: Any, message: Any) -> Any:
            instance.on(message)

        def timeout(self, instance: Any, timer: Any) -> Any:
            instance.on(timer)

        def submit(self, instance: Any, command: Any) -> Any:
            instance.on(command)

    made = Adapter()
    made.snapshots = snapshots
    made._own = frozenset({"_host", "snapshots", "_own"})
    return made
