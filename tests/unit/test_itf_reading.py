"""Reading ITF whose classes are gone or have changed, and what was damaged or made up."""

from __future__ import annotations

import json
import sys
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, make_dataclass
from enum import Enum, StrEnum
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indelible.model.errors import TraceError
from indelible.model.itf import DIGITS_MAX
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.render.values import text_of


class Ballot(NamedTuple):
    round: int
    node: Any


@dataclass(frozen=True)
class Follower:
    pass


@dataclass(frozen=True, slots=True)
class Accept:
    ballot: Any
    value: Any = None


@dataclass(frozen=True)
class Pair:
    tag: Any
    value: Any


class Colour(Enum):
    RED = 1
    GREEN = "g"


class Word(StrEnum):
    YES = "yes"


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


class Row(list[Any]):
    pass


class Table(dict[Any, Any]):
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


def written(value: object) -> tuple[Any, dict[str, str]]:
    """What is read from the file to which a value was written."""
    encoder = Encoder()
    return json.loads(json.dumps(encoder.encode(value))), encoder.types


IN_MODULE = [
    Ballot(1, "n"),
    Accept(Ballot(2, "m"), frozenset({"a", "b"})),
    Accept([1, {2: 3}]),
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
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_data_is_a_value_or_a_trace_error(data: Any) -> None:
    try:
        value = Decoder(TYPES).decode(data)
    except TraceError:
        return
    # What could be read is written in one way.
    data, types = written(value)
    assert written(Decoder(types).decode(data)) == (data, types)
