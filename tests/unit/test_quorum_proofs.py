"""Concrete quorum systems: what is proved and measured is what trying all sets of nodes finds."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.checkers.lemmas import load, meeting, smallest
from indelible.checkers.lemmas import minimal as minimal_module
from indelible.checkers.lemmas.load import load_of
from indelible.checkers.lemmas.meeting import do_meet
from indelible.checkers.lemmas.minimal import all_minimal_quorums, minimal_quorums
from indelible.checkers.lemmas.quorum_report import system_obligations, system_report
from indelible.checkers.lemmas.shapes import dual, lightest_reaching, names_each_once, shapes_meet
from indelible.checkers.lemmas.smallest import fewest_nodes
from indelible.model.errors import ScopeError
from indelible.model.events import NodeId
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.model.thresholds import (
    Formula,
    Threshold,
    all_of,
    any_of,
    at_least,
    is_satisfied,
    named_nodes,
)
from support.quorum_systems import ALL_ZONES, NODES, SMALL, Made, Set, formulas, minimal, quorums

LIMIT = 10.0

FORMULAS = {
    f"{name}, phase {number}": (formula, small.nodes)
    for name, small in SMALL.items()
    for number, formula in enumerate(phases_of(small.system, small.nodes), start=1)
}


def disjoint_pair(one: Formula, other: Formula, nodes: tuple[NodeId, ...]) -> bool:
    return any(
        not first & second for first, second in product(quorums(one, nodes), quorums(other, nodes))
    )


def assert_meeting(met: meeting.Meeting, one: Formula, other: Formula, apart: bool) -> None:
    """What is said is so; and what is refuted is so by two sets that are disjoint quorums."""
    assert met.outcome == ("refuted" if apart else "proved")
    if met.outcome == "refuted":
        assert met.disjoint is not None
        first, second = met.disjoint
        assert is_satisfied(one, first)
        assert is_satisfied(other, second)
        assert not first & second


def assert_same_by_every_means(one: Formula, other: Formula, nodes: tuple[NodeId, ...]) -> None:
    apart = disjoint_pair(one, other, nodes)
    assert_meeting(do_meet(one, other, LIMIT), one, other, apart)
    assert_meeting(meeting._by_search(one, other, LIMIT), one, other, apart)
    if shapes_meet(one, other):
        assert not apart
    for by_some_means in (meeting._by_weight, meeting._one_by_one, meeting._at_hand):
        met = by_some_means(one, other)
        if met is not None:
            assert_meeting(met, one, other, apart)


@pytest.mark.parametrize("name", SMALL)
def test_whether_quorums_meet(name: str) -> None:
    small = SMALL[name]
    phases = phases_of(small.system, small.nodes)
    assert disjoint_pair(*phases, small.nodes) == ("apart" in name)
    assert_same_by_every_means(*phases, small.nodes)
    answers = [o.prove(LIMIT) for o in system_obligations(small.system, small.nodes, name)]
    assert answers[0].outcome == ("refuted" if "apart" in name else "proved")
    assert len(answers) == (5 if isinstance(small.system, JointQuorums) else 1)


@settings(max_examples=150, deadline=None)
@given(formulas, formulas)
def test_whether_quorums_of_any_two_formulas_meet(one: Formula, other: Formula) -> None:
    assert_same_by_every_means(one, other, NODES)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.data())
def test_weights_are_decided_without_a_search(weights: list[int], data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(1, sum(weights))) for _ in range(2))
    nodes = NODES[: len(weights)]
    one = Threshold(first, nodes, tuple(weights))
    other = Threshold(second, nodes, tuple(weights))
    apart = disjoint_pair(one, other, nodes)
    assert shapes_meet(one, other) == (not apart)
    assert_meeting(do_meet(one, other, 0), one, other, apart)
    sums = {
        sum(w for w, bit in zip(weights, bits, strict=True) if bit)
        for bits in product((0, 1), repeat=len(weights))
    }
    reached = lightest_reaching(tuple(weights), first)
    assert reached is not None
    assert reached[0] == min(known for known in sums if known >= first)
    assert sum(weights[place] for place in reached[1]) == reached[0]


@given(st.lists(st.sets(st.sampled_from(NODES), min_size=1), min_size=1), st.data())
def test_lists_are_decided_without_a_search(first: list[set[int]], data: st.DataObject) -> None:
    second = data.draw(st.lists(st.sets(st.sampled_from(NODES), min_size=1), min_size=1))
    phases = phases_of(ExplicitQuorums(first, second), NODES)
    apart = any(not one & other for one in first for other in second)
    assert_meeting(do_meet(*phases, 0), *phases, apart)


def test_the_shape_is_enough_for_every_system_that_has_one() -> None:
    for name, small in SMALL.items():
        if "explicit" not in name and "apart" not in name:
            assert shapes_meet(*phases_of(small.system, small.nodes)), name


@given(formulas)
def test_the_dual_is_what_stops_it(formula: Formula) -> None:
    stopping = set(map(frozenset, quorums(dual(formula), NODES)))
    for members in map(frozenset, _all_sets()):
        others = frozenset(NODES) - members
        assert (members in stopping) == (not is_satisfied(formula, others))


def _all_sets() -> list[Set]:
    return [frozenset(n for n in NODES if bits >> n & 1) for bits in range(2 ** len(NODES))]


def assert_fewest(formula: Formula, nodes: tuple[NodeId, ...]) -> None:
    size = len(quorums(formula, nodes)[0])
    for found in (fewest_nodes(formula, LIMIT), smallest._by_search(formula, LIMIT)):
        assert found is not None
        assert is_satisfied(formula, found)
        assert len(found) == size
    if names_each_once(formula):
        assert len(smallest._by_level(formula) or ()) == size


@pytest.mark.parametrize("name", FORMULAS)
def test_the_fewest_nodes(name: str) -> None:
    formula, nodes = FORMULAS[name]
    assert_fewest(formula, nodes)
    assert_fewest(dual(formula), nodes)


@settings(max_examples=100, deadline=None)
@given(formulas)
def test_the_fewest_nodes_of_any_formula(formula: Formula) -> None:
    assert_fewest(formula, NODES)


def assert_minimal(formula: Formula, nodes: tuple[NodeId, ...]) -> None:
    expected = minimal(quorums(formula, nodes))
    found = minimal_quorums(formula, 1_000)
    assert found.count == len(expected) == len(found.quorums)
    assert set(map(frozenset, found.quorums)) == expected
    assert [len(quorum) for quorum in found.quorums] == sorted(map(len, expected))
    few = minimal_quorums(formula, 2)
    assert few.count == len(expected)
    assert len(few.quorums) == min(2, len(expected))
    assert set(map(frozenset, few.quorums)) <= expected
    assert set(map(frozenset, minimal_module._some(formula, 3))) <= expected


@pytest.mark.parametrize("name", FORMULAS)
def test_the_minimal_quorums(name: str) -> None:
    assert_minimal(*FORMULAS[name])


@settings(max_examples=150, deadline=None)
@given(formulas)
def test_the_minimal_quorums_of_any_formula(formula: Formula) -> None:
    assert_minimal(formula, NODES)


FANO = ({0, 1, 2}, {0, 3, 4}, {0, 5, 6}, {1, 3, 5}, {1, 4, 6}, {2, 3, 6}, {2, 4, 5})

LOADS = {
    "5 of 9": (MajorityQuorums(), 9, Fraction(5, 9), Fraction(5, 9)),
    "3 and 2 of 4": (FlexibleQuorums(3, 2), 4, Fraction(3, 4), Fraction(1, 2)),
    "a grid": (GridQuorums(((0, 1, 2), (3, 4, 5))), 6, Fraction(1, 3), Fraction(1, 2)),
    # Naor and Wool: k/n where every quorum has k nodes and every node is in as many.
    "the Fano plane": (ExplicitQuorums(FANO), 7, Fraction(3, 7), Fraction(3, 7)),
    # Naor and Wool, on the tree system of height h: 2 / (h + 2).
    "a tree of height 1": (TreeQuorums((0, 1, 2)), 3, Fraction(2, 3), Fraction(2, 3)),
    "a tree of height 2": (TreeQuorums(tuple(range(7))), 7, Fraction(1, 2), Fraction(1, 2)),
    "a tree of height 3": (TreeQuorums(tuple(range(15))), 15, Fraction(2, 5), Fraction(2, 5)),
    "one node decides": (WeightedQuorums({0: 3, 1: 1, 2: 1}), 3, Fraction(1), Fraction(1)),
    # The heavy node with any other, or all the others: 1/3 of the time without it.
    "one node is heavy": (
        WeightedQuorums({0: 2, 1: 1, 2: 1, 3: 1}),
        4,
        Fraction(3, 5),
        Fraction(3, 5),
    ),
}


@pytest.mark.parametrize("name", LOADS)
def test_the_load_is_the_one_that_is_known(name: str) -> None:
    system, count, *expected = LOADS[name]
    phases = phases_of(system, tuple(range(count)))
    assert [load_of(formula, LIMIT).value for formula in phases] == expected


@settings(max_examples=60, deadline=None)
@given(formulas)
def test_the_load_by_its_shape_is_that_of_the_linear_program(formula: Formula) -> None:
    known = all_minimal_quorums(formula)
    assert known is not None
    solved = load._by_linear_program(named_nodes(formula), known, LIMIT).value
    assert solved == load_of(formula, LIMIT).value
    assert solved is not None
    # A quorum has at least so many of the nodes, which can do no better than to share the work.
    used = len({node for quorum in known for node in quorum})
    assert Fraction(min(map(len, known)), used) <= solved <= 1


def test_a_load_by_shape_is_tried_on_parts_of_unlike_load() -> None:
    """One of two groups is used more, as it has more nodes to share the work."""
    groups = HierarchicalQuorums((("a",), ("b", "c", "d")), (1, 1), (1, 1))
    assert load_of(phases_of(groups, tuple("abcd")).phase1, LIMIT).value == Fraction(1, 4)
    two_of_three = all_of((0, Threshold(1, (1, 2), (1, 1))))
    assert load_of(two_of_three, LIMIT).value == 1


# Large systems. How long each takes is measured in benchmarks/quorums.py.


def test_large_systems_are_decided_by_their_shape() -> None:
    numbers = tuple(range(1001))
    for system, count in (
        (MajorityQuorums(), 101),
        (MajorityQuorums(), 1001),
        (FlexibleQuorums(90, 12), 101),
        (GridQuorums(tuple(numbers[row : row + 16] for row in range(0, 256, 16))), 256),
        (TreeQuorums(numbers[:127]), 127),
        (WeightedQuorums({node: 1 + node % 17 for node in numbers[:30]}), 30),
    ):
        phases = phases_of(system, numbers[:count])
        assert do_meet(*phases, 0).outcome == "proved"
    apart = phases_of(FlexibleQuorums(50, 51), numbers[:101])
    assert_meeting(do_meet(*apart, 0), *apart, True)


def test_a_majority_of_101_is_measured() -> None:
    report = system_report(MajorityQuorums(), tuple(range(101)), "many").phase1
    assert report.smallest is not None
    assert len(report.smallest) == 51
    assert report.failures_tolerated == 50
    assert report.minimal_count == 199804427433372226016001220056
    assert len(report.minimal) == 10
    assert report.load.value == Fraction(51, 101)


def test_what_has_no_shape_is_searched() -> None:
    """Two weightings of the same nodes, of which neither says anything about the other."""
    nodes = tuple(range(12))
    one = Threshold(25, nodes, tuple(1 + node % 5 for node in nodes))
    other = Threshold(25, nodes, tuple(1 + node % 7 for node in nodes))
    met = do_meet(one, other, LIMIT)
    assert met.how.startswith("by z3")
    assert_meeting(met, one, other, disjoint_pair(one, other, nodes))


@pytest.mark.parametrize("top", [10**5, 10**9, 10**30])
def test_large_weights_are_decided_too(top: int) -> None:
    """Too many different sums to look at, and too large ones for sums of truth values."""
    weights = {node: top // 7 * (1 + node**3 % 97) + node**2 for node in range(30)}
    nodes, total = tuple(weights), sum(weights.values())
    heavy = WeightedQuorums(weights)
    phases = phases_of(heavy, nodes)
    assert do_meet(*phases, LIMIT).outcome == "proved"
    halves = phases_of(WeightedQuorums(weights, total * 4 // 9, total * 4 // 9), nodes)
    assert_meeting(do_meet(*halves, LIMIT), *halves, apart=True)
    assert_meeting(meeting._over_numbers(*halves, LIMIT), *halves, apart=True)
    fewest = system_report(heavy, nodes, "heavy").phase1.smallest
    assert fewest is not None
    by_weight = sorted(weights.values(), reverse=True)
    assert sum(by_weight[: len(fewest)]) > total / 2 >= sum(by_weight[: len(fewest) - 1])


@settings(max_examples=50, deadline=None)
@given(formulas, formulas)
def test_whole_numbers_say_the_same_as_truth_values(one: Formula, other: Formula) -> None:
    apart = disjoint_pair(one, other, NODES)
    assert_meeting(meeting._over_numbers(one, other, LIMIT), one, other, apart)
    assert_meeting(meeting._over_truth_values(one, other, LIMIT), one, other, apart)


# What is not known.


def matching(count: int) -> tuple[Formula, Formula]:
    """Disjoint quorums of these pair off so many people: an odd number of them cannot be.

    A node is a pair. The one takes a pair with each person in it; the other, for each person, all
    the pairs with that person but one. Half of each pair would do, so the reals are no help.
    """
    pairs = [(one, other) for other in range(count) for one in range(other)]
    with_each = [
        [f"{one}-{other}" for one, other in pairs if person in (one, other)]
        for person in range(count)
    ]
    return (
        all_of(any_of(nodes) for nodes in with_each),
        all_of(at_least(len(nodes) - 1, nodes) for nodes in with_each),
    )


def test_three_people_cannot_be_paired_off_and_four_can() -> None:
    met = do_meet(*matching(3), LIMIT)
    assert (met.outcome, met.how) == ("proved", "by z3, over truth values")
    met = do_meet(*matching(4), LIMIT)
    assert_meeting(met, *matching(4), apart=True)


@pytest.mark.parametrize("seconds", [0, 1e-9, 0.05, 0.5])
def test_what_cannot_be_decided_in_time_is_unknown(seconds: float) -> None:
    one, other = matching(25)
    assert do_meet(one, other, seconds).outcome == "unknown"
    (obligation,) = system_obligations(Made(one, other), named_nodes(one), "hard")
    answer = obligation.prove(seconds)
    assert answer.outcome == "unknown"
    assert answer.reason in (
        "there was no time left",
        "z3 gave up: timeout",
        "z3 gave up: canceled",
    )
    assert not answer.counterexample


def test_what_takes_too_long_is_not_measured() -> None:
    joint = JointQuorums(
        WeightedQuorums({node: 1 + node**3 % 97 for node in range(30)}), tuple(range(30)),
        MajorityQuorums(), tuple(range(25)),
    )  # fmt: skip
    report = system_report(joint, tuple(range(30)), "joint", timeout_seconds=0).phase1
    assert report.smallest is None
    assert report.minimal_count is None
    assert report.load.value is None
    assert report.capacity is None
    formula = phases_of(joint, tuple(range(30))).phase1
    for quorum in report.minimal:
        assert is_satisfied(formula, set(quorum))
        assert not any(is_satisfied(formula, set(quorum) - {node}) for node in quorum)
    explicit = phases_of(ExplicitQuorums(FANO), tuple(range(7))).phase1
    assert load_of(explicit, 0).value is None


# What a person reads.


def test_the_counterexample_names_the_nodes() -> None:
    nodes = ("london", "paris", "rome", "oslo")
    (obligation,) = system_obligations(FlexibleQuorums(2, 2), nodes, "halves")
    assert obligation.name == "halves: phase-1 meets phase-2"
    answer = obligation.prove(LIMIT)
    assert answer.outcome == "refuted"
    assert answer.counterexample == (
        "a phase-1 quorum: london, paris",
        "a phase-2 quorum: rome, oslo",
        "they share no node",
    )


def test_a_joint_system_is_held_against_both_configurations() -> None:
    nodes = ("a", "b", "c", "d", "e")
    joint = JointQuorums(MajorityQuorums(), nodes[:3], MajorityQuorums(), nodes[2:])
    obligations = system_obligations(joint, nodes, "change")
    assert [obligation.name for obligation in obligations] == [
        "change: phase-1 meets phase-2",
        "change: joint phase-1 meets old phase-2",
        "change: old phase-1 meets joint phase-2",
        "change: joint phase-1 meets new phase-2",
        "change: new phase-1 meets joint phase-2",
    ]
    assert {obligation.prove(LIMIT).outcome for obligation in obligations} == {"proved"}
    # Of the new configuration any two would do: then it does not even meet itself.
    loose = JointQuorums(MajorityQuorums(), nodes[:3], FlexibleQuorums(1, 1), nodes[3:])
    outcomes = [o.prove(LIMIT).outcome for o in system_obligations(loose, nodes, "loose")]
    assert outcomes == ["proved", "proved", "proved", "refuted", "refuted"]


def test_a_system_that_says_nothing_is_refused() -> None:
    for ask in (system_obligations, system_report):
        with pytest.raises(ScopeError, match="does not say what its quorums are made of"):
            ask(object(), (0, 1, 2), "mine")
        with pytest.raises(ScopeError, match="unknown here"):
            ask(GridQuorums((("a1",), ("b1",))), ALL_ZONES[:2], "mine")


def test_the_same_phase_twice_is_measured_once() -> None:
    report = system_report(MajorityQuorums(), (0, 1, 2), "three")
    assert report.phase1 is report.phase2
    flexible = system_report(FlexibleQuorums(3, 1), (0, 1, 2), "three")
    assert flexible.phase1.failures_tolerated == 0
    assert flexible.phase2.failures_tolerated == 2
    assert flexible.phase1.stopped_by is not None
    assert len(flexible.phase1.stopped_by) == 1
