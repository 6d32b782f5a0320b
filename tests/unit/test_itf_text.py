"""What ITF and Python's classes leave no way to write: it is text, or it is refused; and no text,
tag or order depends on the process that writes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from indelible.model.errors import TraceError
from indelible.model.itf import DEPTH_MAX, DIGITS_MAX, Opaque
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from indelible.render.values import text_of


class Ballot(NamedTuple):
    round: int
    node: Any


@dataclass(frozen=True)
class Follower:
    pass


@dataclass(frozen=True)
class Box:
    content: Any


@dataclass(frozen=True)
class Pair:
    tag: Any
    value: Any


class Colour(Enum):
    RED = 1
    GREEN = "g"


class Log(tuple[Any, ...]):
    __slots__ = ()


class Voters(frozenset[Any]):
    pass


class Slot(int):
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


PLAIN = f"<{__name__}.Plain object>"


class Says:
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


def written(value: object) -> tuple[Any, dict[str, str]]:
    """What is read from the file to which a value was written."""
    encoder = Encoder()
    return json.loads(json.dumps(encoder.encode(value))), encoder.types


def there_and_back(value: object) -> Any:
    data, types = written(value)
    decoder = Decoder(types)
    found = decoder.decode(data)
    assert decoder.missing == ()
    assert written(found) == (data, types)
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plain(), PLAIN),
        (print, "<built-in function print>"),
        (Plain, f"<class '{__name__}.Plain'>"),
        (range(3), "range(0, 3)"),
        (bytearray(b"a"), "bytearray(b'a')"),
        (deque([1]), "deque([1])"),
        (SimpleNamespace(a=1), "namespace(a=1)"),
        (Says("two\nlines\ud800"), r"two lines\ud800"),
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
        (frozenset({Plain(), Plain(), 1}), f"{{1, {PLAIN}, {PLAIN}}}"),
        ({float("nan"), float("nan")}, "{nan, nan}"),
        ({Says("x"): 1, Says("x"): 2}, "{x: 1, x: 2}"),
        (MappingProxyType({Says("x"): 1, Says("x"): 2}), "{x: 1, x: 2}"),
        (Voters({Plain(), Plain()}), f"{{{PLAIN}, {PLAIN}}}"),
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
one, other = (
    make_dataclass("Vote", ["slot"], frozen=True, namespace={"__module__": name})
    for name in ("one", "other")
)
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
            [sys.executable, "-P", "-c", PRINT],
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
