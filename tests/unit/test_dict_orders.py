"""The order of dicts: it counts, or decides nothing, or is an error; never a wrong verdict."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import pytest
from click.testing import CliRunner

from indelible import Scope
from indelible.adapters import ObjectAdapter, Outbox
from indelible.checkers.explore import explore
from indelible.cli import main
from indelible.impl.adapters import dict_orders
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import InputEvent, Receive, Submit, Timeout
from indelible.model.implementation import ask_handle, ask_start
from support.queues import HostedQueues, Node, Queues

NODES = (0, 1, 2)
Says: TypeAlias = Literal["counts", "ignored"] | None
SAYS: tuple[Says, ...] = (None, "counts", "ignored")
Way: TypeAlias = Literal["copy", "replay"]


class Led(Node):
    """The first orders; the others decide in the order in which they heard of it. Right."""

    def put(self, command: str) -> None:
        self.outbox.decide(len(self.pending), command)
        self.pending[command] = True
        self.tell(("append", command))
        if len(self.pending) == 2:
            self.tell(("commit", None))

    def on(self, message: Any) -> None:
        kind, command = message
        if kind == "append":
            self.pending[command] = True
            return
        for slot, each in enumerate(self.pending):
            self.outbox.decide(slot, each)


class Counting(Node):
    """Walks its dicts, and nothing depends on how."""

    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        super().__init__(outbox, node, nodes, storage)
        self.heard = dict.fromkeys(nodes, 0)

    def put(self, command: str) -> None:
        self.pending[command] = True
        for slot, each in {ord(each) - ord("a"): each for each in self.pending}.items():
            self.outbox.decide(slot, each)
            self.outbox.reply(each, "done")
        for node, count in self.heard.items():
            self.outbox.send(node, ("count", sum(self.heard.values()) + count))
            self.outbox.set_timer(("again", node))
        if len(self.pending) == 2:
            self.outbox.send(0, sorted(self.pending))

    def on(self, message: Any) -> None:
        self.heard[0] = len(self.pending)


def adapter_of(
    its_kind: type[Node],
    says: Says = None,
    fingerprint: Callable[[Any], Any] | None = None,
    snapshots: Way | None = None,
) -> ObjectAdapter:
    class Adapter(HostedQueues):
        kind = its_kind

    adapter = Adapter()
    adapter.dict_order, adapter.snapshots = says, snapshots
    if fingerprint is not None:
        adapter.fingerprint = fingerprint
    return adapter


def asked(adapter: ObjectAdapter, *events: InputEvent, storage: Any = None) -> Any:
    """The last step; each is asked twice."""
    step = ask_start(adapter, 0, NODES, storage, twice=True)
    for event in events:
        step = ask_handle(adapter, 0, NODES, step.state, event, twice=True)
    return step


PUTS = (Submit("b"), Submit("c"), Submit("a"))
ONE_LEADS = Scope(nodes=2, commands=("a", "b"), links="ordered", may_submit=(0,))

# --- whole explorations ------------------------------------------------------------------------


@pytest.mark.parametrize("snapshots", ["copy", "replay"])
@pytest.mark.parametrize(
    ("kind", "scope", "truth", "states"),
    [(Queues, HostedQueues.scope, "violated", 26), (Led, ONE_LEADS, "holds", 13)],
)
def test_where_the_order_decides_it_is_an_error_or_the_verdict_is_right(
    kind: type[Node],
    scope: Scope,
    truth: str,
    states: int,
    snapshots: Way,
) -> None:
    with pytest.raises(ImplementationError, match="were put into its pending: its eff") as raised:
        explore(adapter_of(kind, snapshots=snapshots), scope)
    assert "dict_order = 'counts'" in raised.value.remedy
    counted = explore(adapter_of(kind, "counts", snapshots=snapshots), scope)
    assert (counted.outcome, counted.states_distinct) == (truth, states)
    ignored = explore(adapter_of(kind, "ignored", snapshots=snapshots), scope)
    assert ignored.outcome not in (truth, "inconclusive"), "this is what it was all about"


def test_the_error_says_what_differs_and_what_to_do() -> None:
    with pytest.raises(ImplementationError) as raised:
        asked(adapter_of(Queues), *PUTS[:2], Timeout("commit"))
    assert str(raised.value).splitlines()[0] == (
        "what n0 does upon Timeout(timer='commit') depends on the order in which keys were put "
        "into its pending: its effects[0].value is 'b', and with the keys in another order 'c'"
    )


@pytest.mark.parametrize("snapshots", ["copy", "replay"])
def test_code_that_walks_dicts_to_no_effect_is_let_alone(
    snapshots: Way,
) -> None:
    scope = Scope(nodes=2, commands=("a", "b"), timeouts_max=0, may_submit=(0,))
    verdicts = [explore(adapter_of(Counting, says, snapshots=snapshots), scope) for says in SAYS]
    assert [verdict.outcome for verdict in verdicts] == ["holds"] * 3
    assert [verdict.states_distinct for verdict in verdicts] == [9, 13, 9]


def test_fuzzing_finds_it_too() -> None:
    """Each step that a run takes first is asked twice there."""
    words = ("support.queues:HostedQueues", "--workers", "1", "--runs", "50")
    result = CliRunner().invoke(main, ["fuzz", *words])
    assert "into its pending" in result.output


def test_later_steps_are_tried_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dict_orders, "ALWAYS", 0)
    monkeypatch.setattr(dict_orders, "THOROUGHLY", 0)
    adapter = adapter_of(Queues)
    state = asked(adapter, *PUTS[:2]).state  # The start, and two steps.
    with pytest.raises(ImplementationError, match="into its pending"):
        ask_handle(adapter, 0, NODES, state, Timeout("commit"), twice=True)
    adapter = adapter_of(Queues)
    state = asked(adapter, *PUTS[:2], PUTS[0]).state  # One step more: this one is not tried.
    ask_handle(adapter, 0, NODES, state, Timeout("commit"), twice=True)


# --- what is noticed ---------------------------------------------------------------------------


class Middle(Node):
    def put(self, command: str) -> None:
        if len(self.pending) == 3:
            self.outbox.decide(0, list(self.pending)[1])
        super().put(command)


class Paired(Node):
    """Two dicts are walked together: to reverse both changes nothing."""

    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        super().__init__(outbox, node, nodes, storage)
        self.upper: dict[str, int] = {}

    def put(self, command: str) -> None:
        pairs = sorted(zip(self.pending, self.upper, strict=True))
        if len(pairs) == 2:
            self.outbox.reply(command, tuple(pairs))
        super().put(command)
        self.upper[command.upper()] = 1


class Commonest(Node):
    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        super().__init__(outbox, node, nodes, storage)
        self.pending = Counter()

    def put(self, command: str) -> None:
        if len(self.pending) == 2:
            self.outbox.decide(0, self.pending.most_common(1)[0][0])
        self.pending[command] += 1


class Remembering(Node):
    """The order decides what it becomes, and nothing else yet."""

    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        super().__init__(outbox, node, nodes, storage)
        self.first = ""

    def put(self, command: str) -> None:
        self.first = next(iter(self.pending), "")
        super().put(command)


class Writing(Node):
    def put(self, command: str) -> None:
        if len(self.pending) == 2:
            self.outbox.send(1, json.dumps(self.pending))
        super().put(command)


class Executing(Node):
    def put(self, command: str) -> None:
        super().put(command)
        for each in self.pending:
            self.outbox.execute("abc".index(each), each)


class Raising(Node):
    """Raises in one order only."""

    def put(self, command: str) -> None:
        if len(self.pending) == 2:
            assert next(iter(self.pending)) == "c"
        super().put(command)


class NotRaising(Node):
    """In the order that its dict is put in it raises, and really it does not."""

    def put(self, command: str) -> None:
        if len(self.pending) == 2:
            assert next(iter(self.pending)) != "b"
        super().put(command)


@pytest.mark.parametrize(
    "kind",
    [Middle, Paired, Commonest, Remembering, Writing, Executing, Raising, NotRaising],
)
@pytest.mark.parametrize("snapshots", ["copy", "replay"])
def test_it_is_noticed(kind: type[Node], snapshots: Way) -> None:
    events = (Submit("c"), Submit("b"), Submit("a"), Submit("d"))
    with pytest.raises(ImplementationError, match="into its pending: "):
        asked(adapter_of(kind, snapshots=snapshots), *events)


def test_what_raises_in_any_order_is_a_finding_as_ever() -> None:
    class Always(Node):
        def put(self, command: str) -> None:
            super().put(command)
            assert len(self.pending) < 3, next(iter(self.pending))

    with pytest.raises(ImplementationRaised):
        asked(adapter_of(Always), *PUTS)


def test_the_guilty_one_of_several_is_named() -> None:
    class Several(Queues):
        def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
            super().__init__(outbox, node, nodes, storage)
            self.heard, self.votes = dict.fromkeys(nodes, 0), {"x": {1: "y", 2: "z"}}

        def fire(self) -> None:
            self.outbox.decide(0, next(iter(self.votes["x"].values())))

    with pytest.raises(ImplementationError, match=r"into its votes\['x'\]: "):
        asked(adapter_of(Several), Timeout("commit"))


def test_an_ordered_dict_is_a_remedy() -> None:
    class Ordered(Queues):
        def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
            super().__init__(outbox, node, nodes, storage)
            self.pending = OrderedDict()

    assert explore(adapter_of(Ordered), HostedQueues.scope).outcome == "violated"


# --- messages and storage ----------------------------------------------------------------------


class Telling(Node):
    """What was sent, or stored, is decided in its order."""

    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        super().__init__(outbox, node, nodes, storage)
        self.on({"of": storage or {}})

    def put(self, command: str) -> None:
        super().put(command)
        self.outbox.send(0, {"of": self.pending})
        self.outbox.persist(self.pending)

    def on(self, message: Any) -> None:
        for slot, each in enumerate(message["of"]):
            self.outbox.decide(slot, each)


def test_the_order_of_a_message_is_noticed_or_counts() -> None:
    def told(adapter: ObjectAdapter) -> Any:
        *_, sent, _ = asked(adapter, *PUTS[1:]).effects
        return [each.value for each in asked(adapter, Receive(0, sent.message)).effects]

    with pytest.raises(ImplementationError, match=r"into \['of'\] of the message: its effects"):
        told(adapter_of(Telling))
    assert told(adapter_of(Telling, "counts")) == ["c", "a"]
    assert told(adapter_of(Telling, "ignored")) == ["a", "c"]


def test_the_order_of_what_was_stored_is_noticed_or_counts() -> None:
    def restarted(adapter: ObjectAdapter) -> Any:
        *_, stored = asked(adapter, *PUTS[1:]).effects
        return [each.value for each in asked(adapter, storage=stored.storage).effects]

    with pytest.raises(ImplementationError, match=r"upon its start .* into the storage: its eff"):
        restarted(adapter_of(Telling))
    assert restarted(adapter_of(Telling, "counts")) == ["c", "a"]
    assert restarted(adapter_of(Telling, "ignored")) == ["a", "c"]


def test_values_are_judged_by_what_is_in_them() -> None:
    """To Python equal dicts are equal, in whatever order."""

    class Deciding(Node):
        def put(self, command: str) -> None:
            super().put(command)
            self.outbox.decide(0, self.pending)

    adapter = adapter_of(Deciding, "counts")
    one, other = (asked(adapter, *events) for events in (PUTS, PUTS[::-1]))
    assert one.effects == other.effects
    assert one.state != other.state


# --- a fingerprint -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fingerprint", "says", "is_noticed", "are_told_apart"),
    [
        (lambda node: node.pending, None, True, False),
        (lambda node: node.pending, "ignored", False, False),
        (lambda node: node.pending, "counts", False, True),
        (lambda node: tuple(node.pending), None, False, True),
    ],
)
def test_a_fingerprint_says_what_the_order_of_dicts_must_not_decide(
    fingerprint: Callable[[Any], Any],
    says: Says,
    is_noticed: bool,
    are_told_apart: bool,
) -> None:
    adapter = adapter_of(Queues, says, fingerprint)
    one, other = (asked(adapter, *events).state for events in (PUTS[:2], PUTS[1::-1]))
    assert (one != other) is are_told_apart
    if is_noticed:
        with pytest.raises(ImplementationError, match="into its pending"):
            ask_handle(adapter, 0, NODES, one, Timeout("commit"), twice=True)
    else:
        ask_handle(adapter, 0, NODES, one, Timeout("commit"), twice=True)


# --- what is let alone -------------------------------------------------------------------------

SHARED = {"b": 1, "a": 2}


class Sharing(Node):
    def put(self, command: str) -> None:
        self.shared = SHARED
        super().put(command)
        self.outbox.decide(0, next(iter(self.shared)))


def test_a_dict_that_is_kept_outside_of_nodes_stays_as_it_is() -> None:
    step = asked(adapter_of(Sharing), *PUTS)
    assert step.effects[0].value == "b"
    assert list(SHARED) == ["b", "a"]


def test_the_order_of_sends_to_different_nodes_is_a_note() -> None:
    """Only a crash in the middle can tell, and only where messages are not lost anyway."""

    class Peers(Node):
        def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
            super().__init__(outbox, node, nodes, storage)
            self.peers = dict.fromkeys(nodes, 0)

        def put(self, command: str) -> None:
            for peer in self.peers:
                self.outbox.send(peer, command)

    adapter = adapter_of(Peers)
    before = adapter.concluding()  # Of what other tests have loaded.
    asked(adapter, PUTS[0])
    *others, note = adapter.concluding()
    assert others == [*before]
    assert "sent follows from the order of dicts (peers), and only one was tried" in note


def test_a_dict_order_that_there_is_not_is_refused() -> None:
    with pytest.raises(ImplementationError, match="the dict_order of Adapter is 'sorted'"):
        asked(adapter_of(Node, "sorted"))  # type: ignore[arg-type]
