"""Nodes that ask ``datetime.now()``: on the virtual clock, in every adapter that has one."""

from __future__ import annotations

import asyncio
import datetime as dates
import pickle
from datetime import datetime
from typing import Any

import pytest

from indelible.adapters import AsyncioAdapter, ObjectAdapter, Outbox
from indelible.impl.adapters.surroundings import EPOCH
from indelible.model.effects import Send
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.implementation import ask_handle

NODES = (0, 1)


class Stamping:
    """Keeps moments, the class of moments, and sends both in several ways."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.time = outbox, 0.0
        self.kind = datetime
        self.begun, self.seen = datetime.now(), [dates.datetime.now(dates.UTC)]

    def stamp(self) -> None:
        self.time += 1.5
        self.seen.append(self.kind.now(dates.UTC))
        assert isinstance(self.seen[-1], datetime)
        self.outbox.send(1, {"at": dates.datetime.now(), "pickled": pickle.dumps(self.seen)})
        self.outbox.send(1, datetime.now())


class Stamps(ObjectAdapter):
    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Stamping:
        return Stamping(outbox)

    def submit(self, instance: Stamping, command: Any) -> None:
        instance.stamp()

    def receive(self, instance: Stamping, source: Any, message: Any) -> None:
        assert type(message["at"]) is type(instance.begun)
        instance.seen += pickle.loads(message["pickled"])

    def clock(self, instance: Stamping) -> float:
        return instance.time


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(EPOCH + seconds, dates.UTC)


@pytest.mark.parametrize("way", ["copy", "replay"])
def test_objects_have_plain_datetimes_of_the_virtual_clock(way: str) -> None:
    adapter = type("Stamps", (Stamps,), {"snapshots": way})()
    state, _ = adapter.start(0, NODES, None)
    for _ in range(3):
        state, effects = ask_handle(adapter, 0, NODES, state, Submit("a"), twice=True)
    said, plain = (effect.message for effect in effects if isinstance(effect, Send))
    assert state["seen"] == tuple(map(moment, (0, 1.5, 3.0, 4.5)))
    assert {type(each) for each in (*state["seen"], state["begun"], plain, said["at"])} == {
        datetime
    }
    assert state["begun"].timestamp() == EPOCH
    assert plain == said["at"]
    assert plain.timestamp() == EPOCH + 4.5
    assert adapter.snapshots_in_use == way
    state, _ = ask_handle(adapter, 1, NODES, state, Receive(0, said), twice=True)
    assert state["seen"] == tuple(map(moment, (0, 1.5, 3.0, 4.5, 0, 1.5, 3.0, 4.5)))


class Ticking:
    def __init__(self) -> None:
        self.kind = dates.datetime
        self.seen: list[Any] = [datetime.now(dates.UTC)]
        self.task = asyncio.create_task(self.tick())

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(2.5)
            self.seen.append(self.kind.now(dates.UTC))


class Ticks(AsyncioAdapter):
    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Ticking:
        return Ticking()


def test_programs_have_plain_datetimes_of_the_virtual_clock() -> None:
    adapter = Ticks()
    state, _ = adapter.start(0, NODES, None)
    for _ in range(2):
        state, _ = ask_handle(adapter, 0, NODES, state, Timeout("Ticking.tick"), twice=True)
    assert state["node"]["seen"] == tuple(map(moment, (0, 2.5, 5.0)))
    assert {type(each) for each in state["node"]["seen"]} == {datetime}
