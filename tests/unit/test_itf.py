"""Values to ITF and back: nothing is lost, nothing is run, and what is damaged says where."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field, make_dataclass
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indelible.model.canonical import canonical_text, same_types
from indelible.model.errors import TraceError
from indelible.model.itf import DEPTH_MAX, DIGITS_MAX, Opaque
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.value_text import text_of

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


class Plain:
    """No value: nothing says what it is made of."""


@dataclass(frozen=True)
class Memo:
    part: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "doubled", self.part * 2)


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
    st.sampled_from([0, 1, 2**64, -(2**64), 10 ** (DIGITS_MAX - 1)]),
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


def hashable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values one level deeper."""
    few = st.lists(inner, max_size=3)
    pairs = st.dictionaries(inner, inner, max_size=3)
    return st.one_of(
        few.map(tuple),
        few.map(frozenset),
        few.map(Log),
        few.map(Voters),
        pairs.map(Frozen),
        *(
            st.builds(made, inner, inner)
            for made in (Ballot, Other.Ballot, Point, Accept, Pair, ValuePair, OwnInit)
        ),
        st.builds(Derived, inner),
        st.builds(Box, inner),
    )


def mutable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    few = st.lists(inner, max_size=3)
    keys = st.recursive(HASHABLE_LEAVES, hashable, max_leaves=3)
    pairs = st.dictionaries(keys, inner, max_size=3)
    return st.one_of(
        few,
        few.map(tuple),
        few.map(Row),
        st.sets(keys, max_size=3),
        st.sets(keys, max_size=3).map(Bag),
        pairs,
        pairs.map(MappingProxyType),
        pairs.map(Table),
        pairs.map(OrderedDict),
        st.lists(keys, max_size=3).map(Counter),
        st.builds(Accept, inner, inner),
    )


HASHABLE = st.recursive(HASHABLE_LEAVES, hashable, max_leaves=8)
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
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_back_equal_and_of_the_same_types(value: Any) -> None:
    found = there_and_back(value)
    assert found == value
    assert same_types(found, value)
    assert canonical_text(found) == canonical_text(value)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow])
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
        (OrderedDict(b="x", a="y"), {"tag": "OrderedDict", "value": {"#map": [["b", "x"], ["a", "y"]]}}),
        (Follower(), {"tag": "Follower", "value": {}}),
        (Accept("b"), {"tag": "Accept", "value": {"ballot": "b", "value": {"tag": "None", "value": {"#tup": []}}}}),
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


# What can only be text.


class SetsInText:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Speechless:
    def __repr__(self) -> str:
        raise ValueError("no words")


class Finalised(tuple[Any, ...]):
    __slots__ = ()

    def __del__(self) -> None:
        pass


@dataclass(frozen=True)
class Described:
    part: Any

    def __str__(self) -> str:
        return f"<{self.part}>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plain(), f"<{__name__}.Plain object>"),
        (print, "<built-in function print>"),
        (Plain, f"<class '{__name__}.Plain'>"),
        (range(3), "range(0, 3)"),
        (bytearray(b"a"), "bytearray(b'a')"),
        (deque([1]), "deque([1])"),
        (SimpleNamespace(a=1), "namespace(a=1)"),
        (SetsInText("two\nlines\ud800"), r"two lines\ud800"),
        (Speechless(), "<Speechless: its text raised ValueError>"),
        (Memo(1), "Memo(part=1)"),
        (Finalised(("b", "a")), "('b', 'a')"),
        (defaultdict(list, {"b": 1, "a": 2}), "{'a': 2, 'b': 1}"),
        (10**DIGITS_MAX, f"{10**DIGITS_MAX:#x}"),
        (-(10**DIGITS_MAX), f"-{10**DIGITS_MAX:#x}"),
        (KeyError("x"), "KeyError('x')"),
    ],
)
def test_what_is_no_value_is_text(value: Any, text: str) -> None:
    found = there_and_back((value,))
    assert found == (Opaque(text),)
    assert str(found[0]) == text
    assert is_itf(written(value)[0])


@pytest.mark.parametrize(
    "value",
    [
        Plain(),
        Memo(1),
        deque([1]),
        SimpleNamespace(a=Colour.RED),
        Finalised((Colour.RED, Ballot(1, None), frozenset({"b", "a"}), {"b": [1], "a": ()})),
        Finalised((Described(1), Follower(), Box(b"a"), 1.5, MappingProxyType({1: 2}))),
    ],
)
def test_the_text_is_what_reports_show(value: Any) -> None:
    assert there_and_back(value).text == text_of(value)


def test_numbers_longer_than_python_converts_are_text() -> None:
    for value in (10**5000, Slot(10**5000)):
        assert there_and_back(value) == Opaque(f"{10**5000:#x}")
    assert type(there_and_back(Fraction(1, 10**5000))) is Opaque


def test_the_text_of_a_class_that_keeps_more_has_no_order_of_a_set() -> None:
    value = Memo(0)
    object.__setattr__(value, "part", frozenset("abcdef"))
    assert str(there_and_back(value)) == "Memo(part={'a', 'b', 'c', 'd', 'e', 'f'})"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (frozenset({Plain(), Plain(), 1}), f"{{1, {', '.join([f'<{__name__}.Plain object>'] * 2)}}}"),
        ({float("nan"), float("nan")}, "{nan, nan}"),
        ({SetsInText("x"): 1, SetsInText("x"): 2}, "{x: 1, x: 2}"),
        (MappingProxyType({SetsInText("x"): 1, SetsInText("x"): 2}), "{x: 1, x: 2}"),
        (Voters({Plain(), Plain()}), f"{{{', '.join([f'<{__name__}.Plain object>'] * 2)}}}"),
    ],
)  # fmt: skip
def test_elements_that_read_the_same_are_text_together(value: Any, text: str) -> None:
    assert there_and_back(value) == Opaque(text)


def test_a_mapping_that_is_not_made_of_a_dict_is_text() -> None:
    class Strange(Frozen):
        def __init__(self, first: Any, second: Any) -> None:
            super().__init__({first: second})

    assert there_and_back(Strange(1, 2)) == Opaque("{1: 2}")


def test_a_value_in_itself_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append((cycle, cycle))
    with pytest.raises(TraceError, match="state contains itself"):
        Encoder().encode(cycle, "state")


def nested(depth: int, wrap: Any) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS = [
    lambda value: (value,),
    lambda value: frozenset({value}),
    lambda value: Frozen({value: 1}),
    lambda value: Pair(value, value if value == "end" else "x"),
    lambda value: [{1: value}],
    lambda value: OrderedDict({1: value}),
    lambda value: Log((value,)),
]


@pytest.mark.parametrize("wrap", WRAPS)
def test_deep_values_come_back_or_are_refused(wrap: Any) -> None:
    deepest = 0
    for depth in (DEPTH_MAX // 2, DEPTH_MAX):
        value = nested(depth, wrap)
        try:
            assert there_and_back(value) == value
        except TraceError:
            break
        deepest = depth
    assert deepest
    with pytest.raises(TraceError, match="state is nested more than"):
        Encoder().encode(nested(DEPTH_MAX + 1, wrap), "state")
    with pytest.raises(TraceError, match="nested more than"):
        Encoder().encode(nested(5000, WRAPS[0]))


@pytest.mark.parametrize("form", ["#tup", "#set", "list", "#map", "tag", "set"])
def test_deep_data_is_refused(form: str) -> None:
    def wrap(data: Any) -> Any:
        return {
            "list": [data],
            "#map": {"#map": [["key", data]]},
            "tag": {"tag": "Box", "value": {"content": data}},
            "set": {"tag": "set", "value": data},
        }.get(form, {form: [data]})

    with pytest.raises(TraceError, match="nested more than"):
        Decoder({"Box": f"dataclass {__name__}:Box"}).decode(nested(5000, wrap))


# Nothing depends on the process.

PRINT = """
import json, sys
from collections import namedtuple
from dataclasses import dataclass, make_dataclass
from types import MappingProxyType
from indelible.model.itf_encoder import Encoder
one, other = (make_dataclass("Vote", ["slot"], frozen=True, module=m) for m in ("one", "other"))
class Plain:
    pass
parts = [one("a"), other("a"), one("b"), 1, "x", None, 2.5, ("y",), Plain(), frozenset("abcdef")]
value = (frozenset(parts), {part: part for part in parts}, MappingProxyType(dict.fromkeys("cab")),
    frozenset({Plain(), Plain(), frozenset("abc")}))
encoder = Encoder()
data = encoder.encode(value)
print(json.dumps([data, encoder.types]))
"""


def test_what_is_written_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-P", "-c", PRINT.replace(", module=m", ", namespace={'__module__': m}")],
            env={"PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }  # fmt: skip
    (output,) = outputs
    assert '"Vote": "dataclass one:Vote", "other:Vote": "dataclass other:Vote"' in output


# Stand-ins.

IN_MODULE = [
    Ballot(1, "n"),
    Accept(Ballot(2, "m"), frozenset({"a", "b"})),
    Derived([1, {2: 3}]),
    Follower(),
    Pair(1, 2),
    Colour.RED,
    Word.YES,
    Log((1, Ballot(1, 2))),
    Voters({1, 2}),
    Name("a"),
    Slot(3),
    Weight(0.5),
    Digest(b"a"),
    Row([1]),
    Table({1: 2}),
    Frozen({1: 2}),
]


@pytest.mark.parametrize("value", IN_MODULE, ids=lambda value: type(value).__name__)
def test_a_class_that_is_not_loaded_is_stood_in_for(value: Any) -> None:
    encoder = Encoder()
    data = json.loads(json.dumps(encoder.encode((value, value))))
    types = {tag: entry.replace(__name__, "not.loaded") for tag, entry in encoder.types.items()}
    decoder = Decoder(types)
    found, again = decoder.decode(data)  # type: ignore[misc]
    assert f"not.loaded:{type(value).__name__}" in decoder.missing
    assert set(decoder.missing) == {entry.rpartition(" ")[2] for entry in types.values()}
    assert "not" not in sys.modules
    assert text_of(found) == text_of(value)
    assert type(found) is type(again)
    assert type(found) is not type(value)
    assert type(found).__name__ == type(value).__name__
    assert found == again
    if type(value).__hash__ is not None:
        assert {found, again} == {found}
    # And it is written as what it stands for.
    rewritten = Encoder()
    assert rewritten.encode((found, again)) == data
    assert rewritten.types == types


def test_stand_ins_are_apart_where_their_contents_are() -> None:
    decoder = Decoder({"X": "dataclass a:X", "E": "enum a:E", "M": "mapping a:M"})

    def made(tag: str, data: Any) -> Any:
        return decoder.decode({"tag": tag, "value": data})

    assert made("X", {"a": "1"}) != made("X", {"a": "2"})
    assert type(made("X", {"a": "1"})) is type(made("X", {"a": "2"}))
    assert made("X", {"a": "1"}) != made("X", {"b": "1"})
    assert made("E", "A") != made("E", "B")
    assert made("E", "A") != "A"
    assert made("M", {"#map": []}) != made("M", {"#map": [["a", "b"]]})
    assert dict(made("M", {"#map": [["a", "b"]]})) == {"a": "b"}
    with pytest.raises(AttributeError):
        made("X", {"a": "1"}).a = 2
    with pytest.raises(AttributeError):
        made("E", "A").content = "B"
    # Fields that a dataclass has under another meaning.
    assert text_of(made("X", {"mro": "1", "self": "2", "a": "3"})) == "X(mro='1', self='2', a='3')"
    assert decoder.missing == ("a:E", "a:M", "a:X")


def test_an_unhashable_field_does_not_keep_a_stand_in_from_a_set() -> None:
    hidden = make_dataclass(
        "Hidden", [("log", Any, field(hash=False))], frozen=True, namespace={"__module__": "gone"}
    )
    data, types = written(frozenset({hidden([1]), hidden([2])}))
    found = Decoder(types).decode(data)
    assert text_of(found) == "{Hidden(log=[1]), Hidden(log=[2])}"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("implementation_on_trial")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def define(module: ModuleType, name: str, cls: Any) -> Any:
    cls.__module__, cls.__qualname__, cls.__name__ = module.__name__, name, name
    setattr(module, name, cls)
    return cls


@pytest.mark.parametrize(
    "now",
    [
        None,
        "no class",
        make_dataclass("X", ["a"]),
        make_dataclass("X", ["a", "b", "c"]),
        make_dataclass("X", ["a", "c"]),
        namedtuple("X", ["a", "b"]),
        Colour,
        Plain,
        make_dataclass("X", ["a", "b"], bases=(Exception,)),
        make_dataclass("X", ["a", "b"], namespace={"__del__": print}),
    ],
)
def test_a_class_that_has_changed_is_stood_in_for(module: ModuleType, now: Any) -> None:
    was = define(module, "X", make_dataclass("X", ["a", "b"], frozen=True))
    data, types = written(was(1, 2))
    del module.X  # type: ignore[attr-defined]
    if now is not None:
        module.X = now  # type: ignore[attr-defined]
    decoder = Decoder(types)
    assert text_of(decoder.decode(data)) == "X(a=1, b=2)"
    assert decoder.missing == ("implementation_on_trial:X",)


def test_a_member_that_is_gone_is_stood_in_for(module: ModuleType) -> None:
    data, types = written((define(module, "E", Enum("E", ["A", "B"])).B,))
    define(module, "E", Enum("E", ["A"]))
    decoder = Decoder(types)
    assert text_of(decoder.decode(data)) == "(E.B)"
    assert decoder.missing == ("implementation_on_trial:E",)
    assert decoder.decode({"tag": "E", "value": "A"}) is module.E.A


def test_fields_in_another_order_are_the_same_fields(module: ModuleType) -> None:
    data, types = written(define(module, "X", make_dataclass("X", ["a", "b"]))(1, 2))
    now = define(module, "X", make_dataclass("X", ["b", "a"]))
    assert Decoder(types).decode(data) == now(2, 1)


# What is not to be trusted.


def test_nothing_is_imported() -> None:
    assert "antigravity" not in sys.modules
    for entry in ("dataclass antigravity:X", "str antigravity:X", "dataclass xml.sax.saxutils:X"):
        decoder = Decoder({"X": entry})
        decoder.decode({"tag": "X", "value": {} if entry.startswith("dataclass") else "x"})
        assert decoder.missing == (entry.rpartition(" ")[2],)
    assert not {"antigravity", "xml.sax.saxutils"} & sys.modules.keys()


def test_no_attribute_of_a_module_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for")

    monkeypatch.setitem(sys.modules, "lazy_module", Lazy("lazy_module"))
    decoder = Decoder({"X": "dataclass lazy_module:X.Y"})
    decoder.decode({"tag": "X", "value": {}})
    assert decoder.missing == ("lazy_module:X.Y",)


@pytest.mark.parametrize("kind", ["dataclass", "named tuple", "enum", "mapping", "str", "dict"])
@pytest.mark.parametrize(
    "path", ["os:system", "os:_Environ", "subprocess:Popen", "builtins:eval", "shelve:Shelf", "os:"]
)
def test_hostile_classes_are_not_touched(kind: str, path: str) -> None:
    data: dict[str, Any] = {"dataclass": {"args": "x"}, "named tuple": {"args": "x"}}
    data |= {"enum": "x", "str": "x"}
    value = {"tag": "X", "value": data.get(kind, {"#map": [["args", "x"]]})}
    if path == "os:":
        with pytest.raises(TraceError):
            Decoder({"X": f"{kind} {path}"})
        return
    decoder = Decoder({"X": f"{kind} {path}"})
    found = decoder.decode(value)
    assert type(found).__name__ == path.partition(":")[2]
    assert decoder.missing == (path,)


def test_a_field_with_code_behind_it_is_not_set(module: ModuleType) -> None:
    class Watched:
        a: int

    define(module, "X", dataclass(Watched))
    data, types = written(module.X(1))
    Watched.a = property(int, lambda *_: pytest.fail("was set"))  # type: ignore[assignment]
    decoder = Decoder(types)
    decoder.decode(data)
    assert decoder.missing == ("implementation_on_trial:X",)


TYPES = {
    "Ballot": f"named tuple {__name__}:Ballot",
    "Colour": f"enum {__name__}:Colour",
    "Log": f"tuple {__name__}:Log",
    "Pair": f"dataclass {__name__}:Pair",
    "Table": f"dict {__name__}:Table",
    "Gone": "dataclass gone:Gone",
    "Gone2": "named tuple gone:Gone2",
    "Gone3": "dataclass gone:\0",
    "GoneLog": "tuple gone:GoneLog",
}
MALFORMED: list[Any] = [
    None,
    1,
    1.5,
    float("nan"),
    10**5000,
    b"a",
    (),
    "\ud800",
    {},
    {"a": "b"},
    {1: "b"},
    {"#tup": [], "#set": []},
    {"#other": []},
    {"#bigint": 1},
    {"#bigint": ""},
    {"#bigint": "1.0"},
    {"#bigint": "01"},
    {"#bigint": "-0"},
    {"#bigint": "+1"},
    {"#bigint": "1_0"},
    {"#bigint": " 1"},
    {"#bigint": "1\n"},
    {"#bigint": "\u0661"},
    {"#bigint": "9" * (DIGITS_MAX + 1)},
    {"#bigint": "9" * 100_000},
    {"#unserializable": 1},
    {"#unserializable": "\ud800"},
    {"#tup": {}},
    {"#tup": "ab"},
    {"#set": {"a": "b"}},
    {"#set": ["a", "a"]},
    {"#set": [["a"]]},
    {"#set": [{"tag": "Decimal", "value": "sNaN"}]},
    {"#map": {"a": "b"}},
    {"#map": ["ab"]},
    {"#map": [["a"]]},
    {"#map": [["a", "b", "c"]]},
    {"#map": [{"#tup": ["a", "b"]}]},
    {"#map": [["a", "b"], ["a", "c"]]},
    {"#map": [[["a"], "b"]]},
    {"tag": 1, "value": "a"},
    {"tag": ["Ballot"], "value": "a"},
    {"tag": "Nothing", "value": "a"},
    {"tag": "\ud800", "value": "a"},
    {"tag": "None", "value": {}},
    {"tag": "None", "value": {"#tup": ["a"]}},
    {"tag": "float", "value": 1.0},
    {"tag": "float", "value": "1"},
    {"tag": "float", "value": "1e999"},
    {"tag": "complex", "value": "1 + 2j"},
    {"tag": "Decimal", "value": "one"},
    {"tag": "Decimal", "value": "\u0661"},
    {"tag": "Decimal", "value": "1e99999999999999999999"},
    {"tag": "Fraction", "value": "1/0"},
    {"tag": "Fraction", "value": "2/4"},
    {"tag": "Fraction", "value": "1/2/3"},
    {"tag": "Fraction", "value": "1e999999999"},
    {"tag": "bytes", "value": "f"},
    {"tag": "bytes", "value": "FF"},
    {"tag": "bytes", "value": "ff ff"},
    {"tag": "str", "value": "61"},
    {"tag": "str", "value": "zz"},
    {"tag": "set", "value": ["a"]},
    {"tag": "mappingproxy", "value": {"#set": []}},
    {"tag": "Ballot", "value": "a"},
    {"tag": "Ballot", "value": {"#map": [["round", "a"]]}},
    {"tag": "Ballot", "value": {"#map": 5}},
    {"tag": "Ballot", "value": {1: "a"}},
    {"tag": "Ballot", "value": {"#tup": []}},
    {"tag": "Ballot", "value": {"round": 1, "node": "a"}},
    {"tag": "Pair", "value": {"tag": "a", "value": "b"}},
    {"tag": "Pair", "value": {"#map": [["tag", "a"], ["tag", "b"]]}},
    {"tag": "Pair", "value": {"#map": [{"tag": 1, "a": 2}, {"value": 1, "b": 2}]}},
    {"tag": "Pair", "value": {"#map": [[["tag"], "a"], ["value", "b"]]}},
    {"tag": "Colour", "value": True},
    {"tag": "Colour", "value": ["RED"]},
    {"tag": "Log", "value": ["a"]},
    {"tag": "GoneLog", "value": ["a"]},
    {"tag": "Table", "value": {"tag": "Table", "value": {"#map": []}}},
    {"tag": "Gone", "value": {"a b": "c"}},
    {"tag": "Gone", "value": {"class": "c"}},
    {"tag": "Gone", "value": {"__class__": "c"}},
    {"tag": "Gone", "value": {"ﬁ": "c"}},
    {"tag": "Gone", "value": {"\ud800": "c"}},
    {"tag": "Gone2", "value": {"_a": "c"}},
    {"tag": "Gone3", "value": {"a": "c"}},
]


@pytest.mark.parametrize("data", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_data_says_where_and_what_to_do(data: Any) -> None:
    for place, whole in [
        ("states[3].votes", data),
        ("states[3].votes[1]", ["x", data]),
        ("states[3].votes[0][1]", {"#map": [["x", data]]}),
        ("states[3].votes.node", {"tag": "Ballot", "value": {"round": "x", "node": data}}),
    ]:
        with pytest.raises(TraceError) as raised:
            Decoder(TYPES).decode(whole, "states[3].votes")
        assert raised.value.fact.startswith(place)
        assert raised.value.cause
        assert raised.value.remedy
        # It can be printed.
        str(raised.value).encode()


@pytest.mark.parametrize(
    "types",
    [
        [],
        None,
        {"X": 1},
        {"X": ""},
        {"X": "a:b"},
        {"X": "class a:b"},
        {"X": "dataclass a"},
        {"X": "dataclass a:"},
        {"X": "dataclass :b"},
        {"X": "dataclass \ud800:b"},
        {"\ud800": "dataclass a:b"},
        {1: "dataclass a:b"},
    ],
)
def test_malformed_types_are_refused(types: Any) -> None:
    with pytest.raises(TraceError, match="types") as raised:
        Decoder(types)
    str(raised.value).encode()


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=3),
        st.sampled_from(["RED", "1", "round", "node"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["#tup", "#set", "#map", "#bigint", "tag", "value", "node", "mro"]),
            inner,
            max_size=2,
        ),
        st.builds(
            lambda tag, value: {"tag": tag, "value": value},
            st.sampled_from(
                [*TYPES, "None", "set", "float", "Decimal", "Fraction", "bytes", "str"]
            ),
            inner,
        ),
    ),
    max_leaves=12,
)


@given(JSON)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_data_is_a_value_or_a_trace_error(data: Any) -> None:
    try:
        value = Decoder(TYPES).decode(data)
    except TraceError:
        return
    there = Encoder().encode(value)
    assert is_itf(there)
