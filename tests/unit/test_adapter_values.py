"""Values that nobody can change: told apart by what they are, whatever equality leaves out."""

from __future__ import annotations

import enum
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, total_ordering
from typing import Any, NamedTuple
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo

import pytest

from indelible import Scope, explore
from indelible.adapters import ObjectAdapter, Outbox
from indelible.impl.adapters.freeze import freeze, freeze_whole
from indelible.model.effects import Decide, Promise, Send, Vote
from indelible.model.events import Submit
from indelible.model.plain import Fields, Snapshot


@total_ordering
@dataclass(frozen=True)
class Ballot:
    """Compared by its number, as many do; the node is carried along."""

    number: int
    node: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ballot) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __lt__(self, other: Any) -> bool:
        return bool(self.number < other.number)


@dataclass(frozen=True)
class Hashed:
    """With a hash of its own."""

    value: Any

    def __hash__(self) -> int:
        return 1


@dataclass(frozen=True)
class Aside:
    """With a field that is not compared."""

    value: Any
    note: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Hiding:
    """With an attribute that is no field."""

    value: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", [])


def hiding(part: Any) -> Hiding:
    made = Hiding()
    made.hidden.append(part)  # type: ignore[attr-defined]
    return made


class Base:
    __slots__ = ("extra",)
    extra: Any


@dataclass(frozen=True)
class Slotted(Base):
    """With a slot that is no field."""

    value: int = 0


def slotted(part: Any) -> Slotted:
    made = Slotted()
    object.__setattr__(made, "extra", part)
    return made


@dataclass(frozen=True)
class Table(dict[str, Any]):
    """With all that a base keeps which is written in C."""

    value: int = 0


def table(part: Any) -> Table:
    made = Table()
    made["part"] = part
    return made


class Derived(Aside):
    """Derived from a dataclass, and none itself."""

    def __init__(self, value: Any, more: Any) -> None:
        super().__init__(value)
        object.__setattr__(self, "more", more)


class Point(NamedTuple):
    x: int
    y: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.x == other.x

    def __hash__(self) -> int:
        return hash(self.x)


class Folded(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Folded) and self.lower() == other.lower()

    def __hash__(self) -> int:
        return hash(self.lower())


class Role(enum.Enum):
    LEADER = "leader"
    FOLLOWER = "follower"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Role)

    def __hash__(self) -> int:
        return 1


class Zone(tzinfo):
    """At an offset that is its own affair."""

    def __repr__(self) -> str:
        return "Zone()"  # Without its address, since tests are named after it.

    def __init__(self, hours: int = 0) -> None:
        self.hours = [hours]

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(hours=1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Zone)

    def __hash__(self) -> int:
        return 1


NOON = datetime(2001, 1, 1, 12)
NAN = float("nan")

PAIRS = [
    (Ballot(1, 0), Ballot(1, 1)),
    (Aside(1, 0), Aside(1, 1)),
    (hiding(0), hiding(1)),
    (Hiding(0), hiding(1)),
    (slotted(0), slotted(1)),
    (table(0), table(1)),
    (Derived(1, 0), Derived(1, 1)),
    (Point(1, 0), Point(1, 1)),
    (Folded("a"), Folded("A")),
    (Role.LEADER, Role.FOLLOWER),
    (Decimal("1.0"), Decimal("1.00")),
    (Decimal(0), Decimal("-0")),
    (Decimal("nan"), Decimal("-nan")),
    (Decimal("nan"), Decimal("snan")),
    (Decimal(1), Fraction(1)),
    (0j, -0j),
    (complex(0.0, 1), complex(-0.0, 1)),
    (complex(NAN, 0), complex(0, NAN)),
    (0.0, -0.0),
    (range(1), range(0, 1, 5)),
    (NOON, NOON.replace(fold=1)),
    (NOON.replace(tzinfo=UTC), NOON.replace(hour=13, tzinfo=timezone(timedelta(hours=1)))),
    (NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=timezone(timedelta(0), "here"))),
    (NOON.replace(tzinfo=Zone(0)), NOON.replace(tzinfo=Zone(1))),
    (NOON.replace(tzinfo=ZoneInfo("UTC")), NOON.replace(tzinfo=UTC)),
    (time(12), time(12, fold=1)),
    (UUID(int=1), UUID(int=1, is_safe=SafeUUID.safe)),
]


class Holder:
    def __init__(self, part: Any) -> None:
        self.part = part


AROUND: dict[str, Callable[[Any], Any]] = {
    "itself": lambda part: part,
    "an attribute": Holder,
    "a tuple": lambda part: (part, 1),
    "a set": lambda part: {part},
    "a frozen set": lambda part: frozenset({part}),
    "a key": lambda part: {part: 1},
    "a dataclass": Aside,
}


def frozen(value: Any) -> Fields:
    return Fields({"state": freeze(value)})


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda value: repr(value)[:30])
def test_what_code_can_tell_apart_freezes_differently(one: Any, other: Any, around: str) -> None:
    if "set" in around or around == "a key":
        try:
            hash((one, other))
        except TypeError:
            pytest.skip("it does not hash")
    assert frozen(AROUND[around](one)) != frozen(AROUND[around](other))


PICKLED = [each for pair in PAIRS for each in pair if not isinstance(each, Slotted)]


@pytest.mark.parametrize("value", PICKLED, ids=repr)
def test_a_copy_freezes_alike(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert frozen(again) == frozen(value) == frozen(value)


class Unhappy(enum.IntEnum):
    ONE = 1


@dataclass(frozen=True, slots=True)
class Plain:
    a: int
    b: Any = None


@dataclass(frozen=True, order=True)
class Ordered:
    a: Any
    late: int = field(default=3, init=False)

    def __repr__(self) -> str:
        return "Ordered"


class Pair(NamedTuple):
    one: Any
    two: Any


@pytest.mark.parametrize(
    "value",
    [Plain(1, (2, "a")), Ordered(1), Pair(1, frozenset({2})), Unhappy.ONE, Decimal("1.0"), 1j],
    ids=repr,
)
def test_what_python_compares_by_all_that_it_is_stays_itself(value: Any) -> None:
    assert freeze(value) is value


@pytest.mark.parametrize("value", [Ballot(1, 0), Hashed(1), Aside(1), Point(1, 2)], ids=repr)
def test_what_is_compared_in_its_own_way_is_told_and_is_no_part_that_could_be_shared(
    value: Any,
) -> None:
    whole = freeze_whole([value, value])
    assert isinstance(freeze(value), Snapshot)
    assert len(whole.parts) == 1
    assert whole.content[0] == whole.content[1] == freeze(value)  # type: ignore[index]


def test_an_attribute_that_is_no_field_may_change_and_is_shared() -> None:
    one = hiding(0)
    assert freeze([one, one]) != freeze([one, hiding(0)])


def test_zones_that_libraries_give_to_everybody_are_not_shared_parts() -> None:
    for zone in (ZoneInfo("UTC"), Zone()):
        parts = freeze_whole(Holder([zone, NOON.replace(tzinfo=zone)])).parts
        assert len(parts) == 2


# --- from states to verdicts ----------------------------------------------------------------------

PICKED: dict[str, Callable[[int], Any]] = {
    "ballot": lambda which: Ballot(1, which),
    "hidden": hiding,
    "decimal": lambda which: Decimal("1.0" if which == 0 else "1.00"),
    "tuple": lambda which: (1, which),
}
"""What is kept of the node that was heard of; the last is what anybody can tell apart."""


def said(value: Any) -> str:
    match value:
        case Ballot():
            return "ab"[value.node]
        case Hiding():
            return "ab"[value.hidden[0]]  # type: ignore[attr-defined]
        case Decimal():
            return "a" if str(value) == "1.0" else "b"
    return "ab"[value[1]]


class Believing:
    def __init__(self, outbox: Outbox, node: int) -> None:
        self.outbox, self.node, self.heard = outbox, node, None


class Believes(ObjectAdapter):
    """Node 2 keeps what it hears first, and when it has heard of both decides by it."""

    crashes = False
    scope = Scope(nodes=3, commands=("a", "b"), may_submit={"a": [0], "b": [1]}, links="ordered")

    def __init__(self, picked: str, is_kept: bool) -> None:
        self.picked, self.is_kept = PICKED[picked], is_kept

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Believing(outbox, node)

    def submit(self, instance: Any, command: Any) -> Any:
        if command == "a":
            instance.outbox.decide(0, "a")
        picked = self.picked(instance.node)
        return [Send(2, instance.node if self.is_kept else picked)]

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        picked = self.picked(message) if self.is_kept else message
        if instance.heard is None:
            instance.heard = picked if self.is_kept else said(picked)
        else:
            heard = said(instance.heard) if self.is_kept else instance.heard
            instance.outbox.decide(0, heard)


@pytest.mark.parametrize("picked", PICKED)
def test_equal_values_in_states_do_not_hide_a_violation(picked: str) -> None:
    verdict = explore(Believes(picked, is_kept=True), Believes.scope)
    assert verdict.violation is not None
    assert verdict.violation.property == "agreement"


@pytest.mark.parametrize("picked", ["ballot", "hidden", "tuple"])
def test_equal_values_in_messages_do_not_either(picked: str) -> None:
    verdict = explore(Believes(picked, is_kept=False), Believes.scope)
    assert verdict.violation is not None
    assert verdict.violation.property == "agreement"


@dataclass(frozen=True, order=True)
class Lazy:
    """A ballot that remembers something."""

    number: int

    @cached_property
    def text(self) -> str:
        return str(self.number)


@pytest.mark.parametrize("made", [lambda: Ballot(1, 0), lambda: Lazy(1), lambda: (1, 0)])
def test_ballots_stay_what_their_class_compares(made: Callable[[], Any]) -> None:
    class Votes(ObjectAdapter):
        def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
            return Believing(outbox, node)

        def submit(self, instance: Any, command: Any) -> Any:
            ballot = made()
            assert getattr(ballot, "text", "1") == "1"
            instance.outbox.promise(ballot)
            return [Vote(0, ballot, "a"), Decide(0, [1])]

    adapter = Votes()
    state, _ = adapter.start(0, (0,), None)
    _, effects = adapter.handle(0, state, Submit("a"))
    assert effects[:2] == (Promise(made()), Vote(0, made(), "a"))
    assert effects[2] == Decide(0, Snapshot({"value": freeze([1])}))
