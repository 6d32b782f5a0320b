"""What is raised when a node is pickled, copied or looked at is never an exception of the node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from indelible import Scope, explore
from indelible.adapters import ObjectAdapter, Outbox
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Submit
from indelible.model.implementation import ask_handle

NODES = (0, 1)


class Delegating:
    """The usual wrapper: without attributes, as unpickling makes it first, it never ends."""

    def __init__(self) -> None:
        self.inner: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Refusing:
    """It has its own idea of what to raise for an attribute that there is none of."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.append = self.kept.append

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class SlottedProxy:
    """Without a dict, and with somebody else's when asked for one."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept = Delegating()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kept, name)


class LateRefusal:
    """It is unpickled a few times only."""

    made = 0

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def append(self, what: Any) -> None:
        self.kept.append(what)

    def __setstate__(self, state: Any) -> None:
        if len(state["kept"]) > 2:
            raise ValueError("enough")
        self.__dict__.update(state)


class Node:
    def __init__(self, outbox: Outbox, part: Any) -> None:
        self.outbox, self.part, self.slot = outbox, part, 0

    def on(self, command: Any) -> None:
        self.part.append(command)
        self.outbox.decide(self.slot, command)
        self.slot += 1


class Adapter(ObjectAdapter):
    crashes = False

    def __init__(self, kind: Callable[[], Any], snapshots: Any = None) -> None:
        self.kind, self.snapshots = kind, snapshots

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Node(outbox, self.kind())

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        pass

    def submit(self, instance: Any, command: Any) -> Any:
        instance.on(command)


SCOPE = Scope(nodes=2, commands=("a", "b", "c", "d"), may_submit=[0], links="ordered")

KINDS = (Delegating, Refusing, SlottedProxy, LateRefusal)


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_copied_is_made_anew_by_what_happened_to_it(kind: type) -> None:
    plainly = explore(Adapter(list), SCOPE)
    adapter = Adapter(kind)
    found = explore(adapter, SCOPE)
    assert adapter.snapshots_in_use == "replay"
    assert found.outcome == plainly.outcome == "holds"
    assert (found.states_distinct, found.calls) == (plainly.states_distinct, plainly.calls)


def test_a_state_of_which_no_copy_can_be_made_any_more_is_gone_on_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indelible.impl.adapters.copying.ALWAYS", 2)
    adapter = Adapter(LateRefusal)
    state, _ = adapter.start(0, NODES, None)
    for slot, command in enumerate("abcd"):
        state, effects = adapter.handle(0, state, Submit(command))
        assert effects[0].slot == slot  # type: ignore[union-attr]
    again, _ = adapter.handle(0, state, Submit("e"))
    assert adapter.handle(0, state, Submit("e"))[0] == again


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_that_is_asked_for_and_cannot_be_made_is_an_error(kind: type) -> None:
    adapter = Adapter(kind, "copy")
    with pytest.raises(ImplementationError, match=r"cannot be copied: to .* raises") as raised:
        explore(adapter, SCOPE)
    assert "snapshots = 'replay'" in raised.value.remedy


def test_a_message_that_is_not_unpickled_is_an_error_of_whoever_sends_it() -> None:
    class Sends(Adapter):
        def submit(self, instance: Any, command: Any) -> Any:
            instance.outbox.send(1, Delegating())

    adapter = Sends(list)
    state, _ = adapter.start(0, NODES, None)
    with pytest.raises(ImplementationError, match="cannot be copied: maximum recursion"):
        ask_handle(adapter, 0, NODES, state, Submit("a"))


# --- what is nested deeply ------------------------------------------------------------------------


class Chain:
    """A list as lists are not kept in Python."""

    def __init__(self, length: int = 500) -> None:
        self.head: Any = None
        self.length = length

    def append(self, what: Any) -> None:
        for _ in range(self.length):
            self.head = (what, self.head)


class Linked(Chain):
    def append(self, what: Any) -> None:
        for _ in range(self.length):
            link = Chain()
            link.head, self.head = self.head, link


@pytest.mark.parametrize("kind", [Chain, Linked])
@pytest.mark.parametrize("snapshots", [None, "replay"])
def test_a_state_that_is_nested_too_deeply_is_an_error(kind: type, snapshots: Any) -> None:
    adapter = Adapter(kind, snapshots)
    state, _ = adapter.start(0, NODES, None)
    with pytest.raises(ImplementationError) as raised:
        ask_handle(adapter, 0, NODES, state, Submit("a"))
    assert "is nested too deeply to be told: part.head" in raised.value.fact
    assert len(raised.value.fact) < 200
    assert "fingerprint" in raised.value.remedy


@pytest.mark.parametrize("kind", [Chain, Linked])
@pytest.mark.parametrize("snapshots", [None, "replay"])
def test_it_can_be_told_by_a_fingerprint(kind: type, snapshots: Any) -> None:
    class Told(Adapter):
        def fingerprint(self, instance: Any) -> Any:
            return instance.slot

    adapter = Told(kind, snapshots)
    state, _ = adapter.start(0, NODES, None)
    for slot in range(3):
        after, effects = ask_handle(adapter, 0, NODES, state, Submit("a"), twice=True)
        assert effects[0].slot == slot  # type: ignore[union-attr]
        state = after
    assert adapter.snapshots_in_use == "replay"


def test_a_message_that_is_nested_too_deeply_is_an_error() -> None:
    class Sends(Adapter):
        def submit(self, instance: Any, command: Any) -> Any:
            made = Chain()
            made.append([command])
            instance.outbox.send(1, made.head)

    adapter = Sends(list)
    state, _ = adapter.start(0, NODES, None)
    with pytest.raises(ImplementationError, match="nested too deeply"):
        ask_handle(adapter, 0, NODES, state, Submit("a"))


@pytest.mark.parametrize("message", ["text", ("a", 1), [1]], ids=repr)
def test_code_that_calls_itself_for_ever_is_a_finding_whatever_it_is_doing(message: Any) -> None:
    class Endless(Adapter):
        def submit(self, instance: Any, command: Any) -> Any:
            instance.outbox.send(1, message)
            self.submit(instance, command)

    adapter = Endless(list)
    state, _ = adapter.start(0, NODES, None)
    with pytest.raises(ImplementationRaised, match="RecursionError"):
        ask_handle(adapter, 0, NODES, state, Submit("a"))
