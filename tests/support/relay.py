"""Relay: an implementation small enough to know what each of its traces does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from indelible import Persist, Receive, Reply, Scope, Send, SetTimer, Submit, Timeout, always
from indelible.checkers.watch import Watch


@dataclass(frozen=True)
class Relay:
    """Counts its commands, and tells the others how many when its timer fires.

    Who is told stores the number, and lets the first node know. The command ``boom`` raises.
    """

    def start(self, node, nodes, storage):
        return (storage or 0, nodes), (SetTimer("tell", (1, 1)),)

    def handle(self, node, state, event):
        count, nodes = state
        match event:
            case Submit("boom"):
                raise ValueError("boom")
            case Submit(_):
                return (count + 1, nodes), (Reply("ok", count),)
            case Timeout(_):
                sends = tuple(Send(other, ("told", count)) for other in nodes if other != node)
                return state, (*sends, SetTimer("tell", (1, 1)))
            case Receive(_, ("told", heard)):
                return (count, nodes), (Persist(heard), Send(nodes[0], ("heard", heard)))
        return state, ()


@always(reads="record", fields=("storage",))
def nothing_stored(record):
    """No node stores anything."""
    return record.storage is None


WIDE = Scope(nodes=3, commands=("a", "b", "boom"), submissions_max=2, timeouts_max=4)


def relay(property=nothing_stored, **bounds: Any):
    """A watch on it, in the wide scope but for ``bounds``."""
    return Watch(Relay(), replace(WIDE, **bounds), property)


def told(count, source=0):
    """A number arrives."""
    return Receive(source, ("told", count))


TELL = (0, Timeout("tell"))
