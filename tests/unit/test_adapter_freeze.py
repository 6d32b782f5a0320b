"""Freezing: two values freeze to the same if and only if code could not tell them apart."""

from __future__ import annotations

import importlib
import pickle
import random
import sqlite3
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.impl.adapters.freeze import freeze
from indelible.model.errors import ImplementationError
from indelible.model.plain import Fields, Snapshot


class FrozenBox:
    """An object that keeps what it is given under the names ``a``, ``b``, ``c``."""

    def __init__(self, *parts: Any) -> None:
        self.__dict__.update(zip("abc", parts, strict=False))


class Slotted:
    __slots__ = ("a", "b", "c")

    def __init__(self, *parts: Any) -> None:
        for name, part in zip("abc", parts, strict=False):
            setattr(self, name, part)


def frozen(value: Any) -> Fields:
    """A value as states and messages have one: in a mapping, which compares types too."""
    return Fields({"state": freeze(value)})


# --- the twin: are two graphs of objects the same but for their addresses? ----------------------

Parts = list[tuple[Any, Any]]


def parts_of(value: Any) -> Parts:
    """What a value that can be changed consists of, by name or number."""
    if isinstance(value, FrozenBox):
        return sorted(vars(value).items())
    if isinstance(value, Slotted):
        return [(name, getattr(value, name)) for name in "abc" if hasattr(value, name)]
    return sorted(value.items()) if isinstance(value, dict) else list(enumerate(value))


def alike(one: Any, other: Any, there: dict[int, int], back: dict[int, int]) -> bool:
    """Walk both at once, and pair what can be changed; everything has one partner."""
    if type(one) is not type(other):
        return False
    if isinstance(one, set):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    if isinstance(one, tuple):
        pairs = list(zip(one, other, strict=False))
        return len(one) == len(other) and all(alike(a, b, there, back) for a, b in pairs)
    if not isinstance(one, list | dict | deque | FrozenBox | Slotted):
        return repr(one) == repr(other)
    if id(one) in there or id(other) in back:
        return there.get(id(one)) == id(other) and back.get(id(other)) == id(one)
    there[id(one)], back[id(other)] = id(other), id(one)
    ones, others = parts_of(one), parts_of(other)
    return [name for name, _ in ones] == [name for name, _ in others] and all(
        alike(a, b, there, back) for (_, a), (_, b) in zip(ones, others, strict=True)
    )


# --- graphs -----------------------------------------------------------------------------------

CONSTANTS = st.sampled_from([0, 1, True, False, 1.0, 0.0, -0.0, None, "", "a", b"a"])
KINDS = ("list", "dict", "deque", "box", "slotted")


@st.composite
def recipes(draw: st.DrawFn) -> list[tuple[str, list[Any]]]:
    """A graph of up to four things that can be changed, each with up to three parts: constants,
    sets of them, references to the things, and tuples of all that."""
    count = draw(st.integers(1, 4))
    reference = st.builds(lambda to: ("to", to), st.integers(0, count - 1))
    constant = st.builds(lambda value: ("is", value), CONSTANTS)
    some = st.builds(lambda values: ("is", values), st.sets(st.sampled_from("abc"), max_size=2))
    part = st.one_of(constant, reference, some)
    several = st.builds(lambda parts: ("of", parts), st.lists(part, max_size=2))
    thing = st.tuples(st.sampled_from(KINDS), st.lists(st.one_of(part, several), max_size=3))
    return draw(st.lists(thing, min_size=count, max_size=count))


def made(recipe: list[tuple[str, list[Any]]], *, backwards: bool = False) -> Any:
    """The graph, dicts filled in one order or the other."""
    empty: dict[str, Callable[[], Any]] = {
        "list": list,
        "dict": dict,
        "deque": deque,
        "box": FrozenBox,
        "slotted": Slotted,
    }
    things = [empty[kind]() for kind, _ in recipe]

    def part(described: tuple[str, Any]) -> Any:
        how, what = described
        if how == "to":
            return things[what]
        return tuple(map(part, what)) if how == "of" else (set(what) if type(what) is set else what)

    for thing, (_, described) in zip(things, recipe, strict=True):
        named = list(zip("abc", map(part, described), strict=False))
        if isinstance(thing, dict):
            thing.update(reversed(named) if backwards else named)
        elif isinstance(thing, FrozenBox | Slotted):
            for name, each in named:
                setattr(thing, name, each)
        else:
            thing.extend(each for _, each in named)
    return things[0]


@given(recipes(), st.data())
def test_values_freeze_alike_if_and_only_if_they_are(recipe: Any, data: st.DataObject) -> None:
    other = [(kind, list(parts)) for kind, parts in recipe]
    if data.draw(st.booleans(), "change a part"):
        at = data.draw(st.integers(0, len(other) - 1))
        _, parts = other[at]
        if parts:
            parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(
                st.one_of(
                    st.builds(lambda value: ("is", value), CONSTANTS),
                    st.builds(lambda to: ("to", to), st.integers(0, len(other) - 1)),
                )
            )
        else:
            other[at] = (data.draw(st.sampled_from(KINDS)), parts)
    one, two = made(recipe), made(other, backwards=True)
    assert (frozen(one) == frozen(two)) == alike(one, two, {}, {})


@given(recipes(), recipes())
def test_values_that_have_nothing_to_do_with_each_other(one: Any, two: Any) -> None:
    first, second = made(one), made(two)
    assert (frozen(first) == frozen(second)) == alike(first, second, {}, {})


@given(recipes())
def test_a_copy_by_pickle_freezes_alike(recipe: Any) -> None:
    value = made(recipe)
    assert freeze(pickle.loads(pickle.dumps(value))) == freeze(value)


@given(recipes())
def test_reordering_changes_the_order_of_dicts_and_nothing_else(recipe: Any) -> None:
    one, two = made(recipe), made(recipe, backwards=True)
    before = freeze(one)
    assert freeze(one, reorder=True) == freeze(two, reorder=True) == freeze(one) == before
    if isinstance(two, dict):
        assert list(two) == sorted(two)


def test_a_dict_that_something_is_walking_is_not_reordered() -> None:
    def walk(values: dict[str, int]) -> Iterator[str]:
        yield from values

    values = {"b": 1, "a": 2}
    walking = walk(values)
    assert next(walking) == "b"
    frozen = freeze({"values": values, "walking": walking}, reorder=True)
    assert isinstance(frozen, Snapshot)
    assert frozen["(orders)"] == Fields({"['values']": (1, 0)})
    assert list(walking) == ["a"]


# --- what must be told apart --------------------------------------------------------------------

SHARED: list[int] = []


@dataclass(frozen=True)
class Vote:
    value: Any


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        ([1], [True]),
        ([0.0], [-0.0]),
        ([1], (1,)),
        ([{1}], [frozenset({1})]),
        ({"a": 1}, {"a": 1.0}),
        ([SHARED, SHARED], [[], []]),
        ([(SHARED,), SHARED], [([],), []]),
        (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
        (defaultdict(list), defaultdict(set)),
        (deque([1], maxlen=1), deque([1], maxlen=2)),
        (Vote([1]), Vote((1,))),
        (FrozenBox(1), {"type": "FrozenBox", "a": 1}),
        (FrozenBox(None), FrozenBox()),
        (bytearray(b"a"), b"a"),
        (iter([1, 2]), iter([2])),
        ({FrozenBox(1): 1}, {FrozenBox(2): 1}),
        ({frozenset("ab"): 1}, {frozenset("ac"): 1}),
    ],
)
def test_told_apart(one: Any, other: Any) -> None:
    assert frozen(one) != frozen(other)


def test_keys_told_apart_by_address_are_not_taken_for_one_another() -> None:
    def registry(met_again: int) -> list[Any]:
        keys = [FrozenBox(1), FrozenBox(2)]
        return [dict.fromkeys(keys, 0), keys[met_again]]

    assert freeze(registry(0)) == freeze(registry(0))
    assert freeze(registry(0)) != freeze(registry(1))


def test_a_class_is_told_though_an_attribute_is_called_type() -> None:
    one, other = FrozenBox(), Slotted()
    one.type = "prepare"  # type: ignore[attr-defined]
    frozen = freeze(one)
    assert str(frozen) == "prepare((class)='FrozenBox')"
    assert isinstance(frozen, Snapshot)
    assert frozen != freeze(other)


def test_names_do_not_depend_on_what_is_met_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "namesakes"
    folder.mkdir()
    (folder / "__init__.py").write_text("from namesakes.one import Other\n")
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text("class Accept: pass\nclass Other: pass\n")
    (folder / "two.py").write_text("from namesakes.one import Other\nclass Accept: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    one, two = (importlib.import_module(f"namesakes.{name}") for name in ("one", "two"))
    assert str(freeze(two.Accept())) == "namesakes.two.Accept"
    assert str(freeze(one.Accept())) == "namesakes.one.Accept"
    assert freeze(one.Accept()) != freeze(two.Accept())
    assert str(freeze(one.Other())).endswith("Other")
    assert not str(freeze(one.Other())).startswith("namesakes")


@pytest.mark.parametrize(
    "value",
    [
        {2: "a", 10: "b", 1: "c"},
        {-7: "a", -5: "b", 3: "c"},
        {"b": 1, "type": 2, "a": [3]},
        {True: "a", 0: "b", 12: "c"},
        {("b", 1): [1], ("a", 2): [2]},
    ],
)
def test_dicts_are_in_the_order_of_all_fields(value: dict[Any, Any]) -> None:
    frozen = freeze(value)
    assert isinstance(frozen, Fields)
    again = Fields(dict(reversed(list(frozen.items()))))
    assert list(frozen.items()) == list(again.items())
    assert (hash(frozen), frozen) == (hash(again), again)
    box = FrozenBox()
    vars(box).update((str(key), part) for key, part in value.items())
    whole = freeze(box)
    assert isinstance(whole, Snapshot)
    assert list(whole) == list(Snapshot(dict(reversed(list(whole.items())))))


def test_attributes_may_be_called_anything() -> None:
    box = FrozenBox()
    names = ("kind", "said", "value", "self", "content", "origin", "(items)")
    vars(box).update(dict.fromkeys(names, 1))
    frozen = freeze(box)
    assert isinstance(frozen, Snapshot)
    assert set(frozen) == {"type", *names}


def test_a_generator_is_where_it_stands_and_what_it_is_about_to_use() -> None:
    def walk(values: list[int]) -> Iterator[None]:
        for _ in values:
            yield

    def at(steps: int) -> Any:
        walking = walk([1, 1, 1])
        for _ in range(steps):
            next(walking)
        return freeze(walking)

    # The same line, the same variables: only the iterator on the stack differs.
    assert at(1) == at(1)
    assert at(1) != at(2)


def test_closures_are_what_they_hold() -> None:
    def counter(start: int) -> Callable[[], int]:
        count = start

        def up() -> int:
            nonlocal count
            count += 1
            return count

        return up

    one, other = counter(0), counter(1)
    assert freeze(one) != freeze(other)
    one()
    assert freeze(one) == freeze(other)


def test_what_cannot_be_changed_stays_itself() -> None:
    for value in (1, "a", (1, (2,)), frozenset({1}), Vote((1, "a")), Vote, len):
        frozen = freeze(value)
        assert frozen is value or isinstance(frozen, Snapshot)
    vote = Vote((1, frozenset({2})))
    assert freeze(vote) is vote


def test_cycles_end() -> None:
    box = FrozenBox()
    box.a = box  # type: ignore[attr-defined]
    assert str(freeze(box)) == "FrozenBox(a=the same as the whole)"


class Peer:
    def __init__(self, number: int) -> None:
        self.others, self.serial, self.of = set(), number, None  # type: ignore[var-annotated]


def mesh(numbers: Iterable[int]) -> Any:
    """Things of which each has a set of all others, and a set of them that they know of."""
    of: Any = FrozenBox(set())
    peers = [Peer(number) for number in numbers]
    for peer in peers:
        peer.others, peer.of = {*peers} - {peer}, of
        of.a.add(peer)
    return of


def test_sets_of_what_leads_back_to_them_end_and_have_an_order() -> None:
    expected = freeze(mesh(range(6)))
    kept = [mesh(random.Random(seed).sample(range(6), 6)) for seed in range(20)]
    assert {freeze(each) for each in kept} == {expected}
    assert freeze(mesh([*range(5), 9])) != expected


def test_locks_are_whether_they_are_held() -> None:
    lock, again = threading.RLock(), threading.RLock()
    assert freeze(lock) == freeze(again)
    with lock:
        assert freeze(lock) != freeze(again)


@pytest.mark.parametrize(
    "part",
    [
        threading.Thread(target=print),
        threading.local(),
        sqlite3.connect(":memory:"),
        weakref.WeakValueDictionary({1: FrozenBox}),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_cannot_be_told_is_refused_by_its_path(part: Any) -> None:
    with pytest.raises(ImplementationError, match=r"told exactly: a\[1\] is of type"):
        freeze(FrozenBox([0, part]))


def test_no_hash_seed_shows(tmp_path: Path) -> None:
    code = (
        "from indelible.impl.adapters.freeze import freeze\n"
        "class FrozenBox:\n"
        "    def __init__(self, part): self.part = part\n"
        "print(freeze(FrozenBox([{'a', 'b', 'c', 'd'}, {frozenset('ab'): 1, frozenset('cd'): 2},\n"
        "                  {FrozenBox(1): 1, FrozenBox('x'): {FrozenBox(3)}}, {1, 'a', None}])))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            cwd=tmp_path,
            env={"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(outputs) == 1
    assert outputs.pop().startswith("FrozenBox(part=[{")


def test_fields_survive_a_process_of_another_hash_seed(tmp_path: Path) -> None:
    code = """
import pickle, sys
from indelible.model.plain import Fields, Snapshot
sys.stdout.buffer.write(pickle.dumps([Fields({"a": "b"}), Snapshot({"c": "d"}, 1)]))
"""
    made_there = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
    ).stdout
    fields, snapshot = pickle.loads(made_there)
    assert {fields: 1}[Fields({"a": "b"})] == 1
    assert snapshot == Snapshot({"c": "d"})
    assert snapshot.origin == 1
