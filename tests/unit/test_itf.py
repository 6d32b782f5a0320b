"""Values to ITF and back: nothing is lost, nothing is run, and what is damaged says where."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indelible.impl.multipaxos import MultiPaxos
from indelible.model.canonical import canonical_text, same_types
from indelible.model.cluster import Cluster
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.itf import DIGITS_MAX, Opaque
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.model.scope import Scope

T = TypeVar("T")


class Ballot(NamedTuple):
    round: int
    node: Any


Point = namedtuple("Point", ["x", "y"])


@dataclass(frozen=True)
class Follower:
    pass


@dataclass(frozen=True, slots=True)
class Accept:
    ballot: Any
    value: Any = None


@dataclass
class Parent:
    base: Any


@dataclass(unsafe_hash=True)
class Derived(Parent):
    twice: Any = field(init=False, compare=False)
    scale: InitVar[int] = 2

    def __post_init__(self, scale: int) -> None:
        self.twice = (self.base, scale)


@dataclass(frozen=True, init=False)
class OwnInit:
    part: Any

    def __init__(self, *parts: Any) -> None:
        object.__setattr__(self, "part", parts)


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T

    @cached_property
    def shown(self) -> str:
        return repr(self.content)


@dataclass(frozen=True)
class Pair:
    tag: Any
    value: Any


class ValuePair(NamedTuple):
    value: Any
    tag: Any


class Colour(Enum):
    RED = 1
    GREEN = "g"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"


class Right(Flag):
    READ = 1
    WRITE = 2
    ALL = 3


class Bits(IntFlag):
    A = 1
    B = 4


class Log(tuple[Any, ...]):
    __slots__ = ()


class Voters(frozenset[Any]):
    pass


class Name(str):
    __slots__ = ()


class Slot(int):
    pass


class Weight(float):
    pass


class Digest(bytes):
    pass


class Table(dict[Any, Any]):
    pass


class Row(list[Any]):
    pass


class Bag(set[Any]):
    pass


class Frozen(Mapping[Any, Any]):
    """A mapping as third-party packages have them: built from a dict, and hashable."""

    def __init__(self, content: Any = ()) -> None:
        self._content = dict(content)

    def __getitem__(self, key: Any) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __hash__(self) -> int:
        return hash(frozenset(self._content.items()))


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed, once it is made, and keeps more than a dict does."""

    __slots__ = ("made",)

    def __init__(self, content: Any = ()) -> None:
        dict.__init__(self, content)
        self.made = True

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


class Other:
    class Ballot(NamedTuple):
        round: int
        node: Any

    @dataclass(frozen=True)
    class Decimal:
        digits: int


HASHABLE_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 64, 2000]).map(lambda bits: 2**bits),
    st.text(max_size=4),
    st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=3),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.binary(max_size=4),
    st.sampled_from([*Colour, *Level, *Word, *Right, *Bits]),
    st.sampled_from([Right(0), Bits.A | Bits.B, Bits(0), Bits(8), Follower()]),
    st.builds(Name, st.text(max_size=3)),
    st.builds(Slot, st.integers()),
    st.builds(Weight, st.floats(allow_nan=False)),
    st.builds(Digest, st.binary(max_size=3)),
    st.builds(Other.Decimal, st.integers()),
    st.builds(Opaque, st.text(st.characters(exclude_categories=["Cs"]), max_size=3)),
)


OF_ONE = [Derived, Box]
OF_TWO = [Ballot, Other.Ballot, Point, Accept, Pair, ValuePair, OwnInit]


def hashable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values one level deeper, all of them hashable."""
    several = st.sampled_from([tuple, frozenset, Log, Voters])
    mapping = st.sampled_from([Frozen, FrozenDict])
    pairs = st.dictionaries(inner, inner, max_size=3)
    return st.one_of(
        st.builds(lambda made, parts: made(parts), several, st.lists(inner, max_size=3)),
        st.builds(lambda made, parts: made(parts), mapping, pairs),
        st.builds(lambda made, part: made(part), st.sampled_from(OF_ONE), inner),
        st.builds(lambda made, one, two: made(one, two), st.sampled_from(OF_TWO), inner, inner),
    )


HASHABLE = st.recursive(HASHABLE_LEAVES, hashable, max_leaves=8)


def mutable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values one level deeper, any of which may hold one that is not hashable."""
    several = st.sampled_from([list, tuple, Row])
    sets = st.sampled_from([set, Bag, Counter])
    mapping = st.sampled_from([dict, MappingProxyType, Table, OrderedDict])
    pairs = st.dictionaries(HASHABLE, inner, max_size=3)
    return st.one_of(
        st.builds(lambda made, parts: made(parts), several, st.lists(inner, max_size=3)),
        st.builds(lambda made, parts: made(parts), sets, st.lists(HASHABLE, max_size=3)),
        st.builds(lambda made, parts: made(parts), mapping, pairs),
        st.builds(Accept, inner, inner),
    )


VALUES = st.one_of(HASHABLE, st.recursive(HASHABLE_LEAVES, mutable, max_leaves=6))


def written(value: object) -> tuple[Any, dict[str, str]]:
    """What is read from the file to which a value was written."""
    encoder = Encoder()
    data = encoder.encode(value)
    text = json.dumps([data, encoder.types], ensure_ascii=False).encode()
    data, types = json.loads(text)
    assert types == encoder.types
    return data, types


def there_and_back(value: object) -> Any:
    data, types = written(value)
    decoder = Decoder(types)
    found = decoder.decode(data)
    assert decoder.missing == ()
    assert written(found) == (data, types)
    return found


def is_itf(data: Any) -> bool:
    """Whether data is an expression of ADR-015, and no more than that."""
    match data:
        case bool():
            return True
        case str():
            return not any("\ud800" <= letter <= "\udfff" for letter in data)
        case list():
            return all(map(is_itf, data))
        case {"#bigint": str(text), **rest}:
            return not rest and re.fullmatch("-?[0-9]+", text, re.ASCII) is not None
        case {"#tup": list(parts), **rest} | {"#set": list(parts), **rest}:
            return not rest and all(map(is_itf, parts))
        case {"#map": list(pairs), **rest}:
            return not rest and all(
                isinstance(pair, list) and len(pair) == 2 and all(map(is_itf, pair))
                for pair in pairs
            )
        case {"#unserializable": str(text), **rest}:
            return not rest and is_itf(text)
        case dict():
            # A record, and a variant, which is one.
            if {*data} == {"tag", "value"} and not isinstance(data["tag"], str):
                return False
            return all(
                isinstance(name, str) and not name.startswith("#") and is_itf(part)
                for name, part in data.items()
            )
    return False


@pytest.mark.parametrize(
    "data", [None, 1, 1.5, {"#bigint": 1}, {"#tup": {}}, {"#map": [[True]]}, {"#x": True}, "\ud800"]
)
def test_the_judge_of_itf_refuses_what_is_not(data: Any) -> None:
    assert not is_itf(data)
    assert not is_itf([data])


@given(VALUES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_back_equal_and_of_the_same_types(value: Any) -> None:
    found = there_and_back(value)
    assert found == value
    assert same_types(found, value)
    assert canonical_text(found) == canonical_text(value)


@given(VALUES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_itf(value: Any) -> None:
    data, _ = written(value)
    assert is_itf(data)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (True, True),
        (1, {"#bigint": "1"}),
        (-12, {"#bigint": "-12"}),
        ("a\0", "a\0"),
        (None, {"tag": "None", "value": {"#tup": []}}),
        (1.0, {"tag": "float", "value": "1.0"}),
        (-0.0, {"tag": "float", "value": "-0.0"}),
        (-math.inf, {"tag": "float", "value": "-inf"}),
        (1 + 2j, {"tag": "complex", "value": "(1+2j)"}),
        (Decimal("1.00"), {"tag": "Decimal", "value": "1.00"}),
        (Fraction(1, 3), {"tag": "Fraction", "value": "1/3"}),
        (b"\xff", {"tag": "bytes", "value": "ff"}),
        ("\ud800", {"tag": "str", "value": "eda080"}),
        ((1, "a"), {"#tup": [{"#bigint": "1"}, "a"]}),
        (["a"], ["a"]),
        (frozenset({"b", "a"}), {"#set": ["a", "b"]}),
        ({"b", "a"}, {"tag": "set", "value": {"#set": ["a", "b"]}}),
        ({"b": "x", "a": "y"}, {"#map": [["a", "y"], ["b", "x"]]}),
        (MappingProxyType({"a": "x"}), {"tag": "mappingproxy", "value": {"#map": [["a", "x"]]}}),
        (Follower(), {"tag": "Follower", "value": {}}),
        (Accept("b", "x"), {"tag": "Accept", "value": {"ballot": "b", "value": "x"}}),
        (Ballot(1, "n"), {"tag": "Ballot", "value": {"round": {"#bigint": "1"}, "node": "n"}}),
        (Pair("a", "b"), {"tag": "Pair", "value": {"#map": [["tag", "a"], ["value", "b"]]}}),
        (Colour.RED, {"tag": "Colour", "value": "RED"}),
        (Right.ALL, {"tag": "Right", "value": "ALL"}),
        (Bits.A | Bits.B, {"tag": "Bits", "value": {"#bigint": "5"}}),
        (Log(("a",)), {"tag": "Log", "value": {"#tup": ["a"]}}),
        (Bag({"a"}), {"tag": "Bag", "value": {"tag": "set", "value": {"#set": ["a"]}}}),
        (Slot(3), {"tag": "Slot", "value": {"#bigint": "3"}}),
        (Frozen({"a": "x"}), {"tag": "Frozen", "value": {"#map": [["a", "x"]]}}),
    ],
)  # fmt: skip
def test_how_values_are_written(value: Any, data: Any) -> None:
    assert written(value)[0] == data
    assert same_types(there_and_back(value), value)


def test_numbers_are_in_order_of_size() -> None:
    data, _ = written(frozenset({100, 20, 3, -1, -20}))
    assert [int(part["#bigint"]) for part in data["#set"]] == [-20, -1, 3, 20, 100]


def test_an_ordered_dict_keeps_its_order() -> None:
    data, _ = written(OrderedDict(b="x", a="y"))
    assert data == {"tag": "OrderedDict", "value": {"#map": [["b", "x"], ["a", "y"]]}}
    assert list(there_and_back(OrderedDict(b="x", a="y"))) == ["b", "a"]


def test_the_longest_number_comes_back() -> None:
    longest = 10**DIGITS_MAX - 1
    assert there_and_back((longest, -longest)) == (longest, -longest)


def test_not_a_number_comes_back() -> None:
    assert math.isnan(there_and_back(math.nan))
    assert there_and_back(Decimal("sNaN12")).to_eng_string() == "sNaN12"


def test_equal_values_of_different_types_stay_apart() -> None:
    found = there_and_back((1, True, 1.0, Fraction(1), Decimal(1), Slot(1), Level.LOW, Bits.A))
    assert [type(part) for part in found] == [
        int,
        bool,
        float,
        Fraction,
        Decimal,
        Slot,
        Level,
        Bits,
    ]


def test_fields_are_set_and_no_constructor_is_called() -> None:
    value = Derived(1)
    object.__setattr__(value, "twice", "as it was")
    assert there_and_back(value).twice == "as it was"
    assert there_and_back(OwnInit(1, 2)) == OwnInit(1, 2)


def test_what_is_computed_from_fields_is_not_kept() -> None:
    box = Box[int](3)
    assert box.shown == "3"
    assert there_and_back(box) == box
    assert "shown" not in vars(there_and_back(box))


def test_classes_of_the_same_name_are_told_apart() -> None:
    encoder = Encoder()
    encoder.encode((Other.Ballot(1, 2), Ballot(1, 2), Other.Decimal(1)))
    assert encoder.types == {
        "Ballot": f"named tuple {__name__}:Other.Ballot",
        f"{__name__}:Ballot": f"named tuple {__name__}:Ballot",
        f"{__name__}:Other.Decimal": f"dataclass {__name__}:Other.Decimal",
    }
    found = there_and_back(frozenset({Other.Decimal(1), Decimal(1)}))
    assert {type(part) for part in found} == {Decimal, Other.Decimal}


def test_classes_of_one_path_but_of_different_kinds_are_told_apart() -> None:
    one = type("Twin", (int,), {"__module__": "nowhere", "__qualname__": "Twin"})
    other = type("Twin", (str,), {"__module__": "nowhere", "__qualname__": "Twin"})
    third = type("Twin", (bytes,), {"__module__": "nowhere", "__qualname__": "Twin"})
    encoder = Encoder()
    encoder.encode((one(1), other("a"), third(b"")))
    assert list(encoder.types) == ["Twin", "bytes nowhere:Twin", "nowhere:Twin"]


def test_types_are_gathered_over_several_values() -> None:
    encoder = Encoder()
    encoder.encode(Slot(1))
    encoder.encode((Log(), Slot(2)))
    assert list(encoder.types) == ["Log", "Slot"]


def test_a_run_of_our_own_comes_back() -> None:
    budgets = {"election": 1, "heartbeat": 1, "retransmit": 0}
    scope = Scope(nodes=3, commands=("a", "b"), may_time_out=(0,), timeouts_max=budgets)
    cluster = Cluster(MultiPaxos(), scope)
    state = cluster.initial()
    order = [Receive, Timeout, Submit]
    while True:
        # Whatever is new: what was sent before an election, and that before what clients ask for.
        enabled = sorted(cluster.enabled(state), key=lambda action: order.index(type(action[1])))
        new = [action for action in enabled if cluster.step(state, action) != state]
        if not new:
            break
        outcome = cluster.outcome(state, new[0])
        step = (new[0], outcome.effects, state := outcome.state)
        found = there_and_back(step)
        assert found == step
        assert same_types(found, step)
    assert all(node.record.decided for node in state.nodes)
