"""Objects as implementations: what foreign code does, and what is said where it does it wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indelible.adapters import ObjectAdapter, Outbox
from indelible.cli import main
from indelible.model.effects import Decide, Persist, Send, SetTimer
from indelible.model.errors import ImplementationError
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.implementation import ask_handle, ask_start
from indelible.model.plain import Fields, Snapshot

NODES = (0, 1, 2)


class Message:
    """A message that its receiver changes."""

    def __init__(self, value: Any) -> None:
        self.value, self.seen = value, []


class Node:
    def __init__(self, outbox: Outbox, node: int) -> None:
        self.outbox, self.node, self.received = outbox, node, []


class Adapter(ObjectAdapter):
    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        made = Node(outbox, node)
        made.received.extend(storage or ())
        return made

    def receive(self, instance: Any, source: Any, message: Any) -> Any:
        assert type(message) is Message
        message.seen.append(instance.node)
        instance.received.append(message.value)
        instance.outbox.persist(instance.received)
        return [Decide(0, message.value)]

    def timeout(self, instance: Any, timer: Any) -> Any:
        instance.outbox.send(1, instance.received)
        instance.received.append(timer)

    def submit(self, instance: Any, command: Any) -> Any:
        message = Message([command])
        instance.outbox.send(1, message)
        message.value.append("changed after it was sent")
        instance.outbox.send(2, message)
        instance.outbox.set_timer("again")


def started(adapter: ObjectAdapter, node: int = 0, storage: Any = None) -> Any:
    return adapter.start(node, NODES, storage)[0]


def test_effects_come_from_the_outbox_and_from_what_is_returned() -> None:
    adapter = Adapter()
    state, effects = adapter.handle(0, started(adapter), Submit("a"))
    first, second, timer = effects
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert timer == SetTimer("again", (1, 1))
    assert str(first.message).endswith("Message(seen=[], value=['a'])")
    assert str(second.message).endswith(
        "Message(seen=[], value=['a', 'changed after it was sent'])"
    )
    _, effects = adapter.handle(1, started(adapter, 1), Receive(0, first.message))
    assert [type(effect) for effect in effects] == [Persist, Decide]
    # What was sent is as it was, whatever its receiver did to the copy that it was given.
    assert str(first.message).endswith("Message(seen=[], value=['a'])")
    assert state == started(adapter)


def test_states_are_values_and_no_step_changes_the_one_it_came_from() -> None:
    adapter = Adapter()
    before = started(adapter)
    told = str(before)
    after, _ = adapter.handle(0, before, Timeout("again"))
    assert str(before) == told
    assert told.endswith("Node(node=0, outbox='Outbox(0)', received=[])")
    assert after["received"] == ("again",)
    assert adapter.handle(0, before, Timeout("again"))[0] == after
    assert hash(adapter.handle(0, before, Timeout("again"))[0]) == hash(after)
    assert adapter.snapshots_in_use == "copy"


def test_what_is_persisted_is_what_a_restarted_node_is_given() -> None:
    adapter = Adapter()
    _, effects = adapter.handle(0, started(adapter), Submit("a"))
    assert isinstance(effects[0], Send)
    _, effects = adapter.handle(1, started(adapter, 1), Receive(0, effects[0].message))
    assert isinstance(effects[0], Persist)
    assert str(started(adapter, 1, effects[0].storage)["received"]) == "[['a']]"


def test_messages_of_a_document_have_no_origin_and_the_message_of_the_node_is_taken() -> None:
    adapter = Adapter()
    _, effects = adapter.handle(0, started(adapter), Submit("a"))
    message = effects[0].message  # type: ignore[union-attr]
    read = Snapshot(dict(message))
    assert read == message
    assert hash(read) == hash(message)
    assert read.origin is None


def test_a_fingerprint_says_what_is_the_same() -> None:
    class Counted(Adapter):
        def fingerprint(self, instance: Any) -> Any:
            return {"received": sorted(set(instance.received))}

        def timeout(self, instance: Any, timer: Any) -> None:
            instance.received.append(timer)

    adapter = Counted()
    once, _ = adapter.handle(0, started(adapter), Timeout("again"))
    twice, _ = adapter.handle(0, once, Timeout("again"))
    assert once == twice
    assert once == Snapshot({"received": once["received"], "(node)": 0})
    assert started(adapter, 1) != started(adapter, 0)


class Misbehaving(Adapter):
    """Does in a step what it is told to."""

    def __init__(self, step: Callable[[Any], Any]) -> None:  # Without super().__init__().
        self.step = step

    def submit(self, instance: Any, command: Any) -> Any:
        return self.step(instance)


def answer(adapter: ObjectAdapter) -> Any:
    state = ask_start(adapter, 0, NODES, None).state
    return ask_handle(adapter, 0, NODES, state, Submit("a"))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda _: "garbage", "a method returned 'garbage'"),
        (lambda _: 7, "a method returned 7"),
        (lambda _: [Decide(0, "a"), "b"], "a method returned 'b' among its effects"),
        (lambda node: node.outbox.send(7, "a"), "sends to 7, which is not a node"),
        (lambda node: node.outbox.decide(-1, "a"), "whole numbers from 0"),
        (lambda node: node.outbox.send(1, (each for each in "a")), "cannot be"),
    ],
)
def test_what_a_step_does_wrong_is_told(step: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(ImplementationError) as raised:
        answer(Misbehaving(step))
    assert says in str(raised.value)


def test_an_outbox_is_closed_between_steps() -> None:
    with pytest.raises(ImplementationError, match="while it was handling nothing"):
        Outbox(0).send(1, "a")


def test_methods_that_are_missing_are_named() -> None:
    class Empty(ObjectAdapter):
        pass

    class Silent(ObjectAdapter):
        def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
            return Node(outbox, node)

    class Nothing(Silent):
        def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
            return None

    with pytest.raises(ImplementationError, match=r"Empty has no build\("):
        started(Empty())
    with pytest.raises(ImplementationError, match=r"Silent has no submit\(instance, command\)"):
        answer(Silent())
    with pytest.raises(ImplementationError, match=r"Nothing\.build returned None"):
        started(Nothing())
    with pytest.raises(ImplementationError, match="the snapshots of Odd are 'often'"):
        started(type("Odd", (Silent,), {"snapshots": "often"})())


def test_only_states_that_a_node_was_in_are_gone_on_from() -> None:
    with pytest.raises(ImplementationError, match="is not a state that a node was in"):
        Adapter().handle(0, Snapshot(Fields({"received": ()})), Submit("a"))


MINE = '''
from indelible import Scope
from indelible.adapters import ObjectAdapter

class Request:
    def __init__(self, value): self.value, self.path = value, []

class Node:
    """Decides whatever it is told first, which is not what others may have been told."""

    def __init__(self, outbox, node, nodes):
        self.outbox, self.node, self.nodes = outbox, node, nodes
        self.log, self.acceptor = [], {"promised": 0, "votes": {}}

    def on_request(self, source, request):
        request.path.append(source)
        self.acceptor["promised"] += 1
        self.acceptor["votes"][request.value] = request.path
        if not self.log:
            self.log.append(request)
            self.outbox.decide(0, request.value)

class Adapter(ObjectAdapter):
    scope = Scope(nodes=3, commands=("a", "b"), timeouts_max=0)

    def build(self, outbox, node, nodes, storage): return Node(outbox, node, nodes)
    def receive(self, node, source, message): node.on_request(source, message)
    def submit(self, node, command):
        for to in node.nodes:
            node.outbox.send(to, Request(command))
'''


def test_a_bug_in_objects_is_found_kept_replayed_and_minimized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_objects.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "own_objects", raising=False)
    checked = CliRunner().invoke(main, ["check", "own_objects:Adapter", "--save"])
    assert checked.exit_code == 1, checked.output
    assert "receives Request(path=[], value='a') from n0" in checked.output
    assert "acceptor.promised: 0 → 1" in checked.output, checked.output
    assert "acceptor.votes.a: added [0]" in checked.output, checked.output
    (document,) = (tmp_path / "traces").iterdir()
    replayed = CliRunner().invoke(main, ["replay", str(document)])
    assert "still violates: agreement" in replayed.output
    shown = CliRunner().invoke(main, ["show", str(document)])
    assert "receives Request(path=[], value='a') from n0" in shown.output, shown.output
    minimized = CliRunner().invoke(main, ["minimize", str(document)])
    assert minimized.exit_code in (0, 1), minimized.output
    again = CliRunner().invoke(main, ["replay", str(document)])
    assert "still violates: agreement" in again.output
