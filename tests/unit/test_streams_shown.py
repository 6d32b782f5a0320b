"""Streams as they are shown: whom they connect, what is unread, whether they have ended."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from indelible import Receive, Send, Submit
from indelible.adapters import AsyncioAdapter
from indelible.model.plain import TYPE, Fields, Same
from indelible.render.paths import at
from indelible.render.programs import readable
from indelible.render.values import text_of


class Server:
    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.lines: list[bytes] = []

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.serve, "n0", 9000)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.reader = reader
        while line := await reader.readline():
            self.lines.append(line)
        writer.close()
        await asyncio.Event().wait()


class Client:
    async def start(self) -> None:
        self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.group = group
            group.create_task(self.wait())
            reader, self.writer = await asyncio.open_connection("n0", 9000)
            await reader.read()

    async def wait(self) -> None:
        await asyncio.Event().wait()

    def write(self) -> None:
        self.writer.write(b"one\ntw")

    def end(self) -> None:
        self.writer.close()


class Talking(AsyncioAdapter):
    clock = "still"  # type: ignore[assignment]
    links = "ordered"

    async def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
        instance = Client() if node else Server()
        await instance.start()
        return instance

    def submit(self, instance: Any, command: Any) -> Any:
        getattr(instance, command)()


def shown_after(*commands: str) -> tuple[str, str]:
    """The server and its client, when all that is sent has arrived."""
    adapter = Talking()
    states, waiting = {}, []

    def note(node: int, came: Any) -> None:
        states[node], effects = came
        sent = (effect for effect in effects if isinstance(effect, Send))
        waiting.extend((effect.to, Receive(node, effect.message)) for effect in sent)

    for node in (0, 1):
        note(node, adapter.start(node, (0, 1), None))
    for command in (None, *commands):
        if command is not None:
            note(1, adapter.handle(1, states[1], Submit(command)))
        while waiting:
            to, event = waiting.pop(0)
            note(to, adapter.handle(to, states[to], event))
    server, client = (text_of(readable(states[node])) for node in (0, 1))
    return server, client


def test_a_stream_is_whom_it_connects() -> None:
    server, client = shown_after()
    assert "Server(lines=[], reader=StreamReader(connection='n1.1.1'), server=Server(port" in server
    assert "writers=[StreamWriter(connection='n1.1.1')]" in server
    assert "{'n1.1.1 (accepted)': Connection(name='n1.1.1', peer='n1')}" in server
    assert "waits_for=data of n1.1.1" in server
    assert "group=TaskGroup(tasks=[task Client.wait])" in client
    for text in (server, client):
        assert "the same as" not in text.replace("the same as node", "")
        assert not re.search(r"\b_\w+=", text)


def test_what_is_not_read_yet_is_shown() -> None:
    server, _ = shown_after("write")
    assert "lines=[b'one\\n'], reader=StreamReader(connection='n1.1.1', unread=b'tw')" in server


def test_who_opens_waits_for_that() -> None:
    adapter = Talking()
    state, _ = adapter.start(1, (0, 1), None)
    text = text_of(readable(state))
    assert "waits_for=the opening of n1.1.1" in text
    assert "Connection(name='n1.1.1', opening=True, peer='n0')" in text
    assert "awaits" not in text


def test_that_a_stream_has_ended_is_shown() -> None:
    server, client = shown_after("end")
    assert "reader=StreamReader(at_end=True, connection='n1.1.1')" in server
    assert "writers=[StreamWriter(closed=True, connection='n1.1.1')]" in server
    assert "writer=StreamWriter(closed=True, connection='n1.1.1')" in client


def test_a_class_of_the_same_name_is_shown_as_it_is() -> None:
    mine = Fields({TYPE: "Connection", "name": "x", "peer": 1, "address": None, "mine": 2})
    state = Fields({"node": Fields({TYPE: "StreamReader", "limit": 1, "to": mine})})
    assert readable(state) == state


def test_what_leads_back_ends() -> None:
    """A protocol of the program's own that knows its transport, each told where it is met first."""
    end = Fields(
        {
            TYPE: "Connection",
            "name": "n1.1.1",
            "peer": 1,
            "address": ("n1", 1),
            "protocol": Fields(
                {TYPE: "Mine", "transport": Same("sockets['connections']['n1.1.1']")}
            ),
        }
    )
    sockets = Fields({"connections": Fields({"n1.1.1": end})})
    state = Fields({"node": Same("sockets['connections']['n1.1.1']"), "sockets": sockets})
    assert text_of(readable(state)) == (
        "{'node': Connection(name='n1.1.1', peer='n1'), 'sockets': {'connections': {'n1.1.1': "
        "Connection(name='n1.1.1', peer='n1', protocol=Mine(transport=Connection(name='n1.1.1', "
        "peer='n1')))}}}"
    )


def test_paths_lead_through_what_holds_things() -> None:
    reader = Fields({TYPE: "StreamReader"})
    weak = Fields({TYPE: "weakref", "to": reader})
    held = Fields({TYPE: "deque", "(items)": (Fields({TYPE: "method", "of": weak}),)})
    state = Fields({"task a": Fields({"calls": Fields({"(state)": held})})})
    assert at("task a['calls'](state)[0].__self__()", state) is reader
    assert at("task a['calls'](state)[1]", state) is None
    assert at("task a['calls']{0}", state) is None
