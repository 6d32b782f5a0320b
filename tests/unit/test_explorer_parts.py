"""The explorer's parts: packed sets beside Python's own, wide searches beside their plain twin, and
every limit at which a search gives up."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible import explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.explorer import memory, packed
from indelible.checkers.explorer.judge import distinct_rows
from indelible.checkers.explorer.kernel import project
from indelible.checkers.explorer.memory import GrowingArray
from indelible.checkers.explorer.packed import OutOfBits, PackedSet, Packing
from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN, Property, always, sometimes
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.effects import Persist, Send
from indelible.model.errors import ScopeError
from indelible.model.events import Receive, Submit
from indelible.model.implementation import Step
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

# --- packing ------------------------------------------------------------------------------------

LARGEST = st.lists(st.integers(1, 2**20), min_size=1, max_size=6).flatmap(
    lambda largest: st.tuples(
        st.just(largest), st.lists(st.tuples(*(st.integers(0, most) for most in largest)))
    )
)


@given(LARGEST)
def test_what_is_packed_comes_out_again(
    example: tuple[list[int], list[tuple[int, ...]]],
) -> None:
    largest, tuples = example
    packing = Packing.holding(largest)
    assert packing.holds(largest)
    assert packing.words[0] == 0
    for word in (0, 1):
        used = (bits for bits, at in zip(packing.bits, packing.words, strict=True) if at == word)
        assert sum(used) <= 64
    words = [packing.pack(each) for each in (tuple(largest), *tuples)]
    assert [packing.unpack(*each) for each in words] == [tuple(largest), *tuples]
    low, high = (np.array(column, np.uint64) for column in zip(*words, strict=True))
    columns = packing.columns(low, high if packing.word_count == 2 else None)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        tuple(largest),
        *tuples,
    ]


@pytest.mark.parametrize(
    ("bits", "words"),
    [((31, 31), 1), ((32, 31), 2), ((40, 24, 64), 2), ((64,), 1), ((1,) * 32, 1), ((1,) * 128, 2)],
)
def test_one_word_is_used_if_it_leaves_a_bit_to_spare(bits: tuple[int, ...], words: int) -> None:
    packing = Packing.holding([(1 << width) - 1 for width in bits])
    assert packing.word_count == words


@pytest.mark.parametrize("bits", [(65,), (40, 48, 48), (1,) * 129, (64, 1, 64)])
def test_more_than_two_words_are_refused(bits: tuple[int, ...]) -> None:
    with pytest.raises(OutOfBits):
        Packing.holding([(1 << width) - 1 for width in bits])


# --- packed sets --------------------------------------------------------------------------------


@pytest.fixture(params=["reserved", "copied"])
def memory_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Memory that grows in place, and memory on a system that reserves no address space."""
    if request.param == "copied":
        monkeypatch.setattr(memory, "physical_memory", lambda: None)
    return str(request.param)


IN_EITHER_MEMORY = pytest.mark.usefixtures("memory_kind")


@pytest.fixture
def spread(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What ``spread_table`` said each time a table grew."""
    said: list[bool] = []

    def watched(*arguments: Any) -> bool:
        said.append(kernel(*arguments))
        return said[-1]

    kernel = packed.spread_table
    monkeypatch.setattr(packed, "spread_table", watched)
    return said


def insert(into: PackedSet, tuples: list[tuple[int, ...]]) -> None:
    """Add the tuples that are not there yet, by the kernel, as the judge does."""
    largest = [max(column) for column in zip(*tuples, strict=True)]
    into.widen(largest)
    source = Packing.holding(largest)
    words = [source.pack(each) for each in tuples]
    low, high = (np.array(column, np.uint64) for column in zip(*words, strict=True))
    itself = np.tile(np.arange(max(largest) + 1, dtype=np.int32), (len(largest), 1))
    position = 0
    while position < len(tuples):
        into.reserve(1024)
        position, count = project(
            low,
            high if source.word_count == 2 else None,
            source.layout(),
            position,
            len(tuples),
            itself,
            into.low,
            into.high,
            into.table_low,
            into.table_high,
            into.layout,
            into.count,
            into.limit,
        )
        into.count = int(count)


def drawn(seed: int, count: int, components: int, most: int) -> list[tuple[int, ...]]:
    """Random tuples of numbers from 1; many come more than once."""
    draw = random.Random(seed)
    few = [tuple(draw.randint(1, most) for _ in range(components)) for _ in range(count)]
    return draw.choices(few, k=2 * count)


def assert_holds_exactly(known: PackedSet, tuples: Iterable[tuple[int, ...]]) -> None:
    expected = list(dict.fromkeys(tuples))
    columns = known.columns(0, known.count)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    insert(known, expected[::-1])
    assert known.count == len(expected), "all are found in the table"


@pytest.mark.parametrize(("components", "most", "words"), [(3, 100, 1), (9, 200, 2)])
def test_a_packed_set_is_a_set_in_the_order_of_discovery(
    memory_kind: str, spread: list[bool], components: int, most: int, words: int
) -> None:
    tuples = drawn(1, 40_000, components, most)
    known = PackedSet(components)
    for start in range(0, len(tuples), 7_000):
        insert(known, tuples[start : start + 7_000])
    assert known.packing.word_count == words
    assert (known.low.base is None) == (memory_kind == "copied")
    assert len(spread) > 5
    assert all(spread)
    assert_holds_exactly(known, tuples)


@IN_EITHER_MEMORY
def test_a_set_widens_from_one_word_to_two_as_it_stands() -> None:
    first, second = drawn(2, 10_000, 9, 6), drawn(3, 10_000, 9, 200)
    known = PackedSet(9)
    insert(known, first)
    assert known.packing.word_count == 1
    assert not known.widen([7] * 9), "there are bits to spare"
    insert(known, second)
    assert known.packing.word_count == 2
    assert_holds_exactly(known, first + second)


def test_a_table_that_hardly_grows_is_filled_anew(
    spread: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then hardly any tuple moves up, and too many would have to be set aside."""
    tuples = drawn(4, 40_000, 3, 1000)
    known = PackedSet(3)
    insert(known, tuples)
    monkeypatch.setattr(packed, "GROWTH", 1.0002)
    known.reserve(int(known.table_low.size * packed.FILLED_MAX) - known.count + 1)
    assert spread[-1] is False
    assert_holds_exactly(known, tuples)


def test_tuples_are_found_where_they_stand() -> None:
    tuples = [(number, 1 + number % 7, 200) for number in range(1, 5_000)]
    known = PackedSet(3)
    insert(known, tuples)
    wanted = [tuples[at] for at in (4_000, 17, 99)] + [(1, 1, 1)]
    assert known.find(wanted, 0, known.count) == [17, 99, 4_000]
    assert known.find(wanted, 18, 4_000) == [99]
    assert known.tuple_at(99) == tuples[99]


@IN_EITHER_MEMORY
def test_an_array_keeps_what_it_held_and_is_zero_beyond() -> None:
    array = GrowingArray()
    first = array.words.size
    array.words[:] = 7
    array.grow(3 * first)
    assert array.words.size == 3 * first
    assert set(array.words[:first].tolist()) == {7}
    assert not array.words[first:].any()


# --- searches in many bits, and in few ----------------------------------------------------------


@dataclass(frozen=True)
class Census:
    """Node 0 asks all others to be counted, and stores whom it has counted."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((nodes, storage or frozenset()))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        nodes, counted = state
        match event:
            case Submit("go"):
                return Step(state, tuple(Send(to, "count yourself") for to in nodes[1:]))
            case Receive(_, "count yourself"):
                return Step(state, (Send(0, "here"),))
            case Receive(source, "here"):
                counted |= {source}
                return Step((nodes, counted), (Persist(counted),))
        return Step(state)


@always(reads="records", fields=("storage", "sent"))
def counted_were_asked(records: Any) -> bool:
    """Nobody is counted unasked. Reads enough to tell all global states apart."""
    return all(records[node].sent for node in records[0].storage or ())


@sometimes(reads="record", fields=("storage",))
def three_are_counted(record: Any) -> bool:
    return len(record.storage or ()) == 3


@always(reads="records", fields=("storage",))
def never_first_and_last(records: Any) -> bool:
    """The first and the last of the others are not both counted."""
    return not {1, len(records) - 1} <= (records[0].storage or frozenset())


def census(nodes: int) -> Scope:
    return Scope(nodes=nodes, commands=("go",), may_submit=(0,), timeouts_max=0)


def facts(verdict: Verdict) -> dict[str, Any]:
    """All that two searches must agree on."""
    return {
        "outcome": verdict.outcome,
        "states_distinct": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "violated": verdict.violation and verdict.violation.property,
        "length": verdict.trace and len(verdict.trace),
        "properties": verdict.properties,
    }


def twins_agree(implementation: Any, scope: Scope, *properties: Property) -> Verdict:
    plain = explore_breadth_first(implementation, scope, properties, Limits())
    fast = explore(implementation, scope, properties=properties, limits=Limits())
    assert facts(fast) == facts(plain)
    return fast


@pytest.fixture
def words_used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many words each packing took, in the order in which they were made."""
    used: list[int] = []
    original = Packing.holding.__func__  # type: ignore[attr-defined]

    def watched(cls: Any, largest: Any) -> Packing:
        packing: Packing = original(cls, largest)
        used.append(packing.word_count)
        return packing

    monkeypatch.setattr(Packing, "holding", classmethod(watched))
    return used


@pytest.mark.parametrize("nodes", [5, 6])
def test_a_search_in_two_words_agrees_with_its_twin(
    nodes: int, monkeypatch: pytest.MonkeyPatch, words_used: list[int]
) -> None:
    """With words of 16 bits a small search begins in one word, and goes on in two."""
    monkeypatch.setattr(packed, "WORD_BITS", 16)
    verdict = twins_agree(Census(), census(nodes), counted_were_asked, three_are_counted)
    assert verdict.outcome == "holds"
    # Each of the others has not answered yet, or has, or is counted; and first nobody is asked.
    assert verdict.states_distinct == 1 + 3 ** (nodes - 1)
    assert set(words_used) == {1, 2}

    verdict = twins_agree(Census(), census(nodes), never_first_and_last)
    assert verdict.trace is not None
    assert len(verdict.trace) == 5


@dataclass(frozen=True)
class Relay:
    """A command is handed from node to node, to the last one."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((node, len(nodes)))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        command = event.message if isinstance(event, Receive) else event.command
        step = 1 if command == "up" else -1
        after = node + step
        return Step(state, (Send(after, command),) if 0 <= after < state[1] else ())


def test_a_search_with_many_nodes_begins_in_two_words() -> None:
    """One command goes up from node 0 or 4, one down, and they may pass each other at node 2."""

    @always(reads="records", fields=("sent",))
    def never_both(records: Any) -> bool:
        return len(records[2].sent) < 2

    scope = Scope(nodes=33, commands=("up", "down"), timeouts_max=0, may_submit=(0, 4))
    assert PackedSet(33).packing.word_count == 2
    assert twins_agree(Relay(), scope, never_both).outcome == "violated"
    verdict = twins_agree(Relay(), scope, three_are_counted)
    assert verdict.exhausted
    assert verdict.depth == 36, "33 nodes are told of the one, and 5 of the other"


@pytest.mark.parametrize(
    "scope",
    [
        Scope(nodes=2, commands=("a", "b"), may_time_out=(0,)),
        Scope(nodes=2, may_time_out=(0,), links="ordered", restarts_max=1, torn=True),
    ],
    ids=["duplicating", "ordered, torn"],
)
def test_local_states_that_outgrow_their_bits_again_and_again(
    scope: Scope, monkeypatch: pytest.MonkeyPatch, words_used: list[int]
) -> None:
    """Each packing has exactly the bits that are needed, and so is soon too narrow."""
    monkeypatch.setattr(packed, "_shared_out", lambda needed, _: tuple(needed))
    properties = [known for name, known in BUILT_IN.items() if name != "leader_replaced"]
    assert twins_agree(MultiPaxos(), scope, *properties).outcome == "holds"
    assert len(words_used) > 10


@dataclass(frozen=True)
class Ladder:
    """Climbs a rung with each command or message, if it is the next one; node 0 sends them all."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step(0, tuple(Send(to, rung) for to in nodes if to != node == 0 for rung in RUNGS))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        rung = event.message if isinstance(event, Receive) else event.command
        return Step(state + (rung == state))


RUNGS = range(70)


@always(reads="step", fields=())
def never_to_the_last(before: Any, event: Any, after: Any) -> bool:  # noqa: ARG001
    """The last rung but two is not climbed."""
    return event not in (Submit(67), Receive(0, 67))


@pytest.mark.parametrize(
    ("scope", "states"),
    [
        # Two ladders, one for each time the node is up; the restart's event is in the second word.
        (Scope(nodes=1, commands=RUNGS, submissions_max=None, restarts_max=1), 2 * 71),
        (Scope(nodes=2, commands=()), 71),
        (Scope(nodes=2, commands=(), links="ordered"), 71),
    ],
    ids=["submissions", "messages", "messages in order"],
)
def test_more_events_at_a_node_than_one_word_has_bits(scope: Scope, states: int) -> None:
    verdict = twins_agree(Ladder(), scope, BUILT_IN["agreement"])
    assert verdict.exhausted
    assert verdict.states_distinct == states
    verdict = twins_agree(Ladder(), scope, never_to_the_last)
    assert verdict.trace is not None
    assert len(verdict.trace) == 68


# --- limits -------------------------------------------------------------------------------------

SEARCHES: dict[str, Callable[[Limits], Verdict]] = {
    "fast": lambda limits: explore(
        Census(), census(8), properties=[counted_were_asked], limits=limits
    ),
    "plain": lambda limits: explore_breadth_first(
        Census(), census(8), (counted_were_asked,), limits
    ),
}
BOTH = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())


def assert_gave_up(verdict: Verdict, reason: str) -> None:
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == reason
    assert not verdict.exhausted
    assert [known.result for known in verdict.properties] == ["inconclusive"]
    assert verdict.states_distinct < 1 + 3**7


@BOTH
def test_a_limit_of_states(search: Callable[[Limits], Verdict]) -> None:
    verdict = search(Limits(states_max=1_000))
    assert_gave_up(verdict, "the limit of 1,000 states was reached")
    assert 1_000 < verdict.states_distinct < 1_100


@BOTH
def test_a_limit_that_is_not_reached_changes_nothing(search: Callable[[Limits], Verdict]) -> None:
    states = 1 + 3**7
    verdict = search(Limits(states_max=states, seconds_max=1e9, memory_bytes_max=1 << 60))
    assert (verdict.outcome, verdict.states_distinct) == ("holds", states)


@BOTH
def test_a_limit_of_time(search: Callable[[Limits], Verdict]) -> None:
    assert_gave_up(search(Limits(seconds_max=0)), "the time limit of 0 s was reached")


def test_a_limit_of_memory() -> None:
    verdict = SEARCHES["fast"](Limits(memory_bytes_max=1 << 20))
    assert_gave_up(verdict, "the memory limit of 1.0 MiB for the whole process was reached")


@BOTH
def test_somebody_asks_to_stop(search: Callable[[Limits], Verdict]) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 3

    verdict = search(Limits(interrupted=stop))
    assert_gave_up(verdict, "interrupted")
    assert len(asked) == 4


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


@BOTH
def test_an_interrupt_that_nobody_handles_goes_on(search: Callable[[Limits], Verdict]) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(Limits(report=interrupt))


@BOTH
def test_an_interrupt_that_is_handled_ends_the_search(
    search: Callable[[Limits], Verdict],
) -> None:
    """The handler may raise wherever it is called, even where no limit is checked."""
    handled: list[bool] = []

    def handle(progress: object) -> None:
        handled.append(True)
        interrupt(progress)

    verdict = search(Limits(report=handle, interrupted=lambda: bool(handled)))
    assert_gave_up(verdict, "interrupted")


@pytest.mark.parametrize(
    ("nodes", "says"),
    [(9, "the system refused 0 MiB more memory"), (8, "memory for what properties read")],
    ids=["for states", "for properties"],
)
def test_a_system_that_refuses_memory(
    nodes: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of 4096 places is not to grow. What properties read is given more room at once, and
    so is refused first where the states all but fit."""
    monkeypatch.setattr(memory, "physical_memory", lambda: 4608 * 8)
    monkeypatch.setattr(packed, "FILLED_MAX", 0.75)
    verdict = explore(Census(), census(nodes), properties=[counted_were_asked], limits=Limits())
    assert verdict.outcome == "inconclusive"
    assert says in verdict.reason


def test_local_states_that_two_words_cannot_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "WORD_BITS", 6)
    verdict = explore(Census(), census(5), properties=[counted_were_asked], limits=Limits())
    assert_gave_up(
        verdict, "the nodes have [16, 2, 2, 2, 2] local states, which two words cannot number"
    )


def test_more_nodes_than_two_words_can_number_are_refused() -> None:
    with pytest.raises(ScopeError, match="a cluster of 129 nodes"):
        explore(Census(), census(129))


def test_more_budgets_than_a_word_can_count_are_refused() -> None:
    with pytest.raises(ScopeError, match="the budgets of this scope need 65 bits"):
        explore(Ladder(), Scope(nodes=2, commands=tuple(range(64)), restarts_max=1))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), max_size=12),
    st.sampled_from([1, 1 << 20, 1 << 40]),
)
def test_distinct_rows_are_those_that_numpy_finds(
    rows: list[tuple[int, int, int]], scale: int
) -> None:
    table = scale * np.array(rows, np.int64).reshape(-1, 3)
    first, inverse = distinct_rows([*table.T])
    distinct, expected, found = np.unique(table, axis=0, return_index=True, return_inverse=True)
    assert first.tolist() == expected.tolist()
    assert inverse.tolist() == found.reshape(-1).tolist()
    assert (table[first] == distinct).all()


@dataclass
class Keeping:
    """Keeps something of each step, as a search does."""

    kept: list[list[int]]

    def start(self, node: int, nodes: tuple[int, ...], storage: Any) -> Step:
        return Step(0)

    def handle(self, node: int, state: int, event: Any) -> Step:
        self.kept.append([])
        return Step(state + 1 if state < 9 else state)


def test_what_a_search_keeps_is_old_when_it_ends_and_what_was_frozen_stays_so() -> None:
    def is_old() -> bool:
        implementation = Keeping([])
        explore(implementation, Scope(nodes=1, commands=("a",), submissions_max=None))
        return any(each is implementation.kept[0] for each in gc.get_objects(2))

    gc.unfreeze()  # What the tests froze themselves, so that they run faster.
    try:
        assert is_old()
    finally:
        gc.freeze()
    assert not is_old()
    assert gc.get_freeze_count() > 0
