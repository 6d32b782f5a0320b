"""The contract with the code on trial: what breaks it is named, down to the field."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

import pytest

from indelible.checkers.overdue import Overdue
from indelible.model.effects import Decide, Execute, Persist, Send, SetTimer
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Receive, Submit
from indelible.model.implementation import Step, ask_handle, ask_start, implementation_name

NODES = ("x", "y")


@dataclass(frozen=True)
class Log:
    entries: Any
    index: int = 0


@dataclass(frozen=True)
class Replica:
    log: Log
    pair: tuple[Any, ...] = ()


class Named(NamedTuple):
    term: Any


@dataclass(frozen=True)
class Answering:
    """Answers every question with what ``answer`` returns."""

    answer: Callable[[], Any]

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return self.answer()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return self.answer()


def asked(answer: Callable[[], Any], *, twice: bool = False) -> Step:
    return ask_handle(Answering(answer), "x", NODES, 0, Submit("a"), twice=twice)


def refused(answer: Callable[[], Any], *, twice: bool = False) -> ImplementationError:
    with pytest.raises(ImplementationError) as caught:
        asked(answer, twice=twice)
    return caught.value


# --- what a step may be -------------------------------------------------------------------------


def test_a_step_is_a_pair_and_effects_may_be_a_list() -> None:
    effects = (Decide(0, "a"), Execute(0, "a"))
    assert asked(lambda: (1, effects)) == asked(lambda: (1, list(effects))) == Step(1, effects)


@pytest.mark.parametrize("answer", [None, 1, [1, ()], (1,), (1, (), ()), "ab"])
def test_anything_but_a_pair_is_refused(answer: Any) -> None:
    error = refused(lambda: answer)
    assert error.fact == f"handle(x, Submit(command='a')) returned {answer!r}"
    assert "return (state, effects)" in error.remedy


@pytest.mark.parametrize("effects", [None, {Decide(0, "a")}, iter([Decide(0, "a")]), "ab"])
def test_effects_without_an_order_are_refused(effects: Any) -> None:
    error = refused(lambda: (1, effects))
    assert error.fact.endswith(f"returned effects of type {type(effects).__name__}")
    assert "return a tuple" in error.remedy


@pytest.mark.parametrize("effect", ["send", Receive("y", "m"), Send, None])
def test_what_is_no_effect_is_refused_by_its_place(effect: Any) -> None:
    error = refused(lambda: (1, (Decide(0, "a"), effect)))
    assert error.fact.endswith(f"returned {effect!r} as effect 1")
    assert error.available.startswith("Send, Persist, SetTimer")


def test_sending_to_what_is_no_node_is_refused() -> None:
    error = refused(lambda: (1, (Send("z", "m"),)))
    assert error.fact.endswith("sends to 'z', which is not a node")
    assert error.available == "'x', 'y'"


@pytest.mark.parametrize(
    "after", [5, None, (5, 1), (-1, 1), (1,), (1, 2, 3), (1.0, 2.0), (True, 2), [1, 2], "12"]
)
def test_a_timer_without_a_range_of_ticks_is_refused(after: Any) -> None:
    error = refused(lambda: (1, (SetTimer("t", after),)))
    assert error.fact.endswith(f"returned {SetTimer('t', after)!r}")
    assert "the least and the most ticks" in error.cause


@pytest.mark.parametrize("after", [(0, 0), (1, 1), (1, 10)])
def test_a_timer_has_a_range_of_ticks(after: tuple[int, int]) -> None:
    assert asked(lambda: (1, (SetTimer("t", after),))) == Step(1, (SetTimer("t", after),))


def test_a_state_that_is_a_pair_is_not_taken_for_a_step() -> None:
    state = (NODES, ())

    def answered(answer: Any) -> Step:
        return ask_handle(Answering(lambda: answer), "x", NODES, state, Submit("a"))

    with pytest.raises(ImplementationError, match="returned the state that it was given") as caught:
        answered(state)
    assert "(state, ())" in caught.value.remedy
    assert answered((state, ())) == Step(state, ())


# --- hashing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ([], "the state is a list"),
        (Replica(Log([1])), "the state.log.entries is a list"),
        (Replica(Log(()), (1, {2})), "the state.pair[1] is a set"),
        (Replica(Log(({"k": 1},))), "the state.log.entries[0] is a dict"),
        (Named(bytearray()), "the state.term is a bytearray"),
    ],
)
def test_a_state_that_does_not_hash_is_named_down_to_the_field(state: Any, place: str) -> None:
    assert refused(lambda: (state, ())).fact.endswith(f"unhashable: {place}")


@pytest.mark.parametrize(
    ("effect", "place"),
    [
        (Send("y", ["m"]), "effect 0 (Send).message is a list"),
        (Persist(Log({1})), "effect 0 (Persist).storage.entries is a set"),
        (Decide(0, {}), "effect 0 (Decide).value is a dict"),
        (SetTimer([], (1, 1)), "effect 0 (SetTimer).timer is a list"),
    ],
)
def test_an_effect_that_does_not_hash_is_named_down_to_the_field(effect: Any, place: str) -> None:
    error = refused(lambda: (0, (effect,)))
    assert error.fact.endswith(f"unhashable: {place}")
    assert "frozensets for sets" in error.remedy


# --- determinism --------------------------------------------------------------------------------


def alternating(*answers: Any) -> Callable[[], Any]:
    """Each answer in turn."""
    turns: Iterator[int] = count()
    return lambda: answers[next(turns) % len(answers)]


LOG = Replica(Log(("a",)), (1, 2))


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ((1, ()), (2, ()), "it differs in its state: first 1, then 2"),
        (
            (LOG, ()),
            (replace(LOG, log=Log(("a",), 7)), ()),
            "it differs in its state.log.index: first 0, then 7",
        ),
        (
            (LOG, ()),
            (replace(LOG, pair=(1, 3)), ()),
            "it differs in its state.pair[1]: first 2, then 3",
        ),
        ((LOG, ()), (replace(LOG, pair=(1,)), ()), "it differs in its state.pair: first (1, 2)"),
        ((Named(1), ()), (Named(2), ()), "it differs in its state.term: first 1, then 2"),
        (
            (LOG, (Persist(1), Send("y", 1))),
            (LOG, (Persist(1), Send("y", 2))),
            "it differs in its effects[1].message: first 1, then 2",
        ),
        ((LOG, (Persist(1),)), (LOG, ()), "it differs in its effects: first (Persist(storage=1),)"),
    ],
)
def test_an_answer_that_changes_is_named_down_to_the_field(
    one: Any, other: Any, differs: str
) -> None:
    error = refused(alternating(one, other), twice=True)
    assert f"{error.fact}: {error.cause}".startswith(
        f"handle(x, Submit(command='a')) is not deterministic: asked twice, {differs}"
    )
    assert asked(alternating(one, other)) == Step(*one), "asked once, nobody can tell"


@pytest.mark.parametrize("number", [float, Decimal])
def test_what_equals_nothing_is_named(number: Any) -> None:
    error = refused(lambda: (Replica(Log(number("nan"))), ()), twice=True)
    assert "it differs in its state.log.entries" in error.fact
    assert error.cause.startswith(f"it is {number('nan')!r}, which equals nothing, not even itself")
    assert "keep None" in error.remedy


class Identity:
    """Hashes, and equals nothing but itself."""


def test_an_object_without_equality_is_named() -> None:
    error = refused(lambda: (Replica(Log(Identity())), ()), twice=True)
    assert "it differs in its state.log.entries" in error.fact
    assert "an object without equality" in error.cause


@dataclass(unsafe_hash=True)
class Mutable:
    seen: int = 0


@dataclass(frozen=True)
class InPlace:
    """Writes to the state it is given, and returns it: it always equals itself."""

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        state.seen += 1
        return state, ()

    start = handle


def test_a_step_that_writes_to_its_input_is_refused() -> None:
    with pytest.raises(ImplementationError, match="changed the state it was given") as caught:
        ask_handle(InPlace(), "x", NODES, Mutable(), Submit("a"), twice=True)
    assert "return a new state" in caught.value.remedy


def test_a_fingerprint_is_the_first_suspect() -> None:
    class Told(Answering):
        fingerprint = len

    with pytest.raises(ImplementationError) as caught:
        ask_start(Told(alternating((1, ()), (2, ()))), 3, (3,), None, twice=True)
    assert caught.value.cause.startswith("first 1, then 2: a fingerprint that leaves out what ")


def test_a_start_is_held_to_the_same_contract() -> None:
    def start(answer: Callable[[], Any]) -> Step:
        return ask_start(Answering(answer), 3, (3,), ("s",), twice=True)

    assert start(lambda: (1, [])) == Step(1, ())
    with pytest.raises(ImplementationError) as caught:
        start(alternating((1, ()), (2, ())))
    assert caught.value.fact == (
        "start(n3, storage=('s',)) is not deterministic: asked twice, it differs in its state"
    )
    with pytest.raises(ImplementationError, match=r"start\(n3, .* sends to 4"):
        start(lambda: (1, (Send(4, "m"),)))


# --- exceptions ---------------------------------------------------------------------------------


def test_an_exception_is_a_finding_that_says_where() -> None:
    def broken() -> Any:
        return {}["missing"]

    with pytest.raises(ImplementationRaised) as caught:
        asked(broken)
    assert isinstance(caught.value.original, KeyError)
    line = broken.__code__.co_firstlineno + 1
    assert str(caught.value) == f"KeyError: 'missing' (in broken, test_implementation.py:{line})"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_what_the_implementation_raises_itself_is_a_finding(kind: type[BaseException]) -> None:
    def raising() -> Any:
        raise kind

    with pytest.raises(ImplementationRaised) as caught:
        asked(raising)
    assert isinstance(caught.value.original, kind)


def press_control_c() -> Any:
    signal.raise_signal(signal.SIGINT)


def end_the_test() -> Any:
    pytest.fail("ended")


def never_end() -> Any:
    raise Overdue("a step", 60)


@pytest.mark.parametrize(
    ("interrupted", "kind"),
    [
        (press_control_c, KeyboardInterrupt),
        (end_the_test, pytest.fail.Exception),
        (never_end, Overdue),
    ],
)
def test_an_interrupt_is_no_finding(
    interrupted: Callable[[], Any], kind: type[BaseException]
) -> None:
    with pytest.raises(kind):
        asked(interrupted)


class Nicknamed(InPlace):
    name = "nick"


def test_an_implementation_is_called_by_its_name_or_its_class() -> None:
    assert implementation_name(InPlace()) == "InPlace"
    assert implementation_name(Nicknamed()) == "nick"
