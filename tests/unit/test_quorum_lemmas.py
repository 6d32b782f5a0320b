"""The lemmas for every n: proved, not vacuous, tight, and true as they are read.

The text of a lemma about sets that are counted is evaluated on sets of nodes, which knows nothing
of regions or z3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any, Final

import pytest
import z3

from indelible.checkers.lemmas.counting import counting_lemmas
from indelible.checkers.lemmas.lemma import Lemma, decide, lemma_obligations
from indelible.checkers.lemmas.obligation import Answer
from indelible.checkers.lemmas.quorum_lemmas import (
    quorum_lemmas,
    quorum_obligations,
    quorum_weakenings,
)
from indelible.model.errors import ScopeError

LIMIT: Final = 10.0
LEMMAS: Final = {lemma.name: lemma for lemma in quorum_lemmas()}
COUNTING: Final = {lemma.name: lemma for lemma in counting_lemmas()}
UNKNOWNS: Final = ("q1", "q2", "qc", "qf", "f")
LARGEST: Final = 3


def proved(lemma: Lemma) -> Answer:
    """What comes of the lemma itself, apart from its being tight and not vacuous."""
    return next(iter(lemma_obligations(lemma, "quorums"))).prove(LIMIT)


def test_there_is_a_lemma_for_each_kind() -> None:
    assert list(LEMMAS) == [
        "majority",
        "flexible",
        "weighted",
        "read-one-write-all",
        "fast-paxos",
        "byzantine-dissemination",
        "byzantine-masking",
        "single-server-change",
        "joint-consensus",
        "grid",
        "hierarchical",
        "tree",
    ]
    assert all(lemma.weaker for lemma in LEMMAS.values())


@pytest.mark.parametrize("obligation", quorum_obligations(), ids=lambda known: known.name)
def test_every_obligation_is_proved(obligation: Any) -> None:
    answer = obligation.prove(LIMIT)
    assert answer.outcome == "proved", answer
    shows_an_instance = "tight" in obligation.name or "vacuous" in obligation.name
    assert bool(answer.counterexample) == shows_an_instance
    assert obligation.prove(LIMIT).counterexample == answer.counterexample


@pytest.mark.parametrize("name", quorum_weakenings())
def test_no_hypothesis_can_be_dropped(name: str) -> None:
    lemma = name.partition(".")[0]
    obligations = {known.name: known for known in quorum_obligations(weaken=name)}
    assert obligations[lemma].prove(LIMIT).outcome == "refuted"
    assert obligations[f"{lemma}: not vacuous"].prove(LIMIT).outcome == "proved"
    others = [other for other in LEMMAS if other != lemma]
    assert set(others) < set(obligations)


def test_a_hypothesis_that_there_is_not_is_refused() -> None:
    for name in ("majority.C", "majority", "", ".A"):
        with pytest.raises(ScopeError, match="has a hypothesis") as caught:
            quorum_obligations(weaken=name)
        assert "majority.A, majority.B, flexible.A" in caught.value.available


@pytest.mark.parametrize("name", LEMMAS)
def test_a_lemma_that_is_made_wrong_is_found_out(name: str) -> None:
    lemma = LEMMAS[name]
    contradictory = replace(lemma, given={**lemma.given, "no": z3.BoolVal(False)})
    follows, possible, *_ = lemma_obligations(contradictory, "quorums")
    assert follows.prove(LIMIT).outcome == "proved"
    assert possible.prove(LIMIT).outcome == "refuted"
    loose = replace(lemma, weaker=tuple({key: lemma.given[key]} for key in lemma.given))
    for tight in list(lemma_obligations(loose, "quorums"))[2:]:
        answer = tight.prove(LIMIT)
        assert (answer.outcome, answer.counterexample) == (
            "refuted",
            ("the weaker lemma holds too",),
        )
    false = replace(lemma, then=z3.BoolVal(False))
    assert proved(false).outcome == "refuted"


def test_without_time_nothing_is_proved() -> None:
    for obligation in quorum_obligations():
        answer = obligation.prove(0)
        assert (answer.outcome, answer.reason) == ("unknown", "there was no time left")


def test_what_z3_cannot_decide_is_unknown() -> None:
    """Whether 114 is the sum of three cubes is an open question."""
    a, b, c = z3.Ints("a b c")
    found = decide([a * a * a + b * b * b + c * c * c == 114], 0.05)
    assert found.result == "unknown"
    assert found.model is None
    assert found.reason.startswith("z3 gave up: ")


# The text, on sets of nodes.


def read(formula: object) -> str:
    """The text of a formula as Python: sizes are lengths, and weights sums."""
    text = re.sub(r"\|([^|]+)\|", r"size(\1)", " ".join(str(formula).split()))
    text = text.replace("w(", "size(").replace("∩", "&").replace("∪", "|")  # noqa: RUF001
    return text.replace("Or(", "either(")


def either(one: bool, other: bool) -> bool:
    return one or other


class Reading:
    """A formula as it is read, to be evaluated on sets of nodes."""

    def __init__(self, formula: object) -> None:
        self._code = compile(read(formula), "<lemma>", "eval")

    def holds(self, world: Mapping[str, Any]) -> bool:
        weights = world["weights"]

        def size(nodes: set[int]) -> Any:
            return sum(weights[node] for node in nodes)

        result = eval(self._code, {**world, "size": size, "either": either})
        assert isinstance(result, bool)
        return result


def holds(formula: object, world: Mapping[str, Any]) -> bool:
    return Reading(formula).holds(world)


def names_of(lemma: Lemma) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its sets, and its unknown numbers, as its text has them."""
    words = set(re.findall(r"\b[A-Za-z]\w*", " ".join(lemma.text()[1:])))
    words -= {"given", "then", "not", "enough", "sum", "nodes", "change", "Or", "n", "w", "and"}
    words -= {"for"}
    return (
        tuple(sorted(word for word in words if word not in UNKNOWNS)),
        tuple(sorted(word for word in words if word in UNKNOWNS)),
    )


def worlds(lemma: Lemma) -> Iterator[dict[str, Any]]:
    """Every choice of sets of up to three nodes, all of the same weight."""
    sets, unknowns = names_of(lemma)
    for count in range(1, LARGEST + 1):
        nodes = range(count)
        subsets = [{n for n in nodes if bits >> n & 1} for bits in range(2**count)]
        for chosen in product(subsets, repeat=len(sets)):
            for numbers in product(range(1, count + 1), repeat=len(unknowns)):
                yield {
                    "n": count,
                    "weights": dict.fromkeys(nodes, 1),
                    **dict(zip(sets, chosen, strict=True)),
                    **dict(zip(unknowns, numbers, strict=True)),
                }


@pytest.mark.parametrize("name", COUNTING)
def test_the_text_is_true_of_sets_of_nodes(name: str) -> None:
    lemma = COUNTING[name]
    given = [Reading(known) for known in lemma.given.values()]
    then = Reading(lemma.then)
    instances = [world for world in worlds(lemma) if all(known.holds(world) for known in given)]
    if not name.startswith("byzantine"):  # These take four nodes.
        assert instances
    assert all(then.holds(world) for world in instances)


def shown(lines: tuple[str, ...]) -> dict[str, Any]:
    """The world that the lines of a counterexample show."""
    world: dict[str, Any] = {"weights": {}}
    for line in lines:
        if weighs := re.fullmatch(r"n(\d+) weighs (\S+)", line):
            world["weights"][int(weighs[1])] = Fraction(weighs[2])
            continue
        name, _, value = line.partition(" = ")
        nodes = {int(number) for number in re.findall(r"n(\d+)", value)}
        world[name] = nodes if value.startswith("{") else Fraction(value)
    world["weights"] = world["weights"] or dict.fromkeys(world["nodes"], 1)
    # Whatever the unknown numbers are: what weighs nothing in any set is not shown.
    world["n"] = sum(world["weights"].values())
    return world


@pytest.mark.parametrize("name", COUNTING)
def test_what_is_shown_is_a_counterexample(name: str) -> None:
    lemma = COUNTING[name]
    tight = list(lemma_obligations(lemma, "quorums"))[2:]
    for weaker, obligation in zip(lemma.weaker, tight, strict=True):
        world = shown(obligation.prove(LIMIT).counterexample)
        hypotheses = {**lemma.given, **weaker}
        assert all(holds(known, world) for known in hypotheses.values())
        assert not holds(lemma.then, world)
    for hypothesis in lemma.given:
        dropped = lemma.without(hypothesis)
        world = shown(proved(dropped).counterexample)
        assert all(holds(known, world) for known in dropped.given.values())
        assert not holds(lemma.then, world)


def test_a_counterexample_is_small() -> None:
    answers = {o.name: o.prove(LIMIT).counterexample for o in quorum_obligations()}
    assert answers["majority: tight in A and B"] == ("nodes = {n0, n1}", "A = {n0}", "B = {n1}")
    assert answers["flexible: tight in sum"] == (
        "q1 = 1",
        "q2 = 1",
        "nodes = {n0, n1}",
        "A = {n0}",
        "B = {n1}",
    )
    assert answers["fast-paxos: tight in sum"][2] == "nodes = {n0, n1}"
    assert answers["byzantine-dissemination: tight in nodes"][1] == "nodes = {n0, n1, n2}"
    assert answers["byzantine-masking: tight in nodes"][1] == "nodes = {n0, n1, n2, n3}"
    assert answers["single-server-change: tight in change"][0] == "nodes = {n0, n1}"


def test_a_lemma_is_text() -> None:
    assert LEMMAS["fast-paxos"].text() == (
        "fast-paxos: a classic quorum and two fast ones share a node if qc + 2*qf > 2*n",
        "  given C: |C| >= qc",
        "  given F: |F| >= qf",
        "  given G: |G| >= qf",
        "  given sum: qc + 2*qf > 2*n",
        "  then |C ∩ F ∩ G| >= 1",
        "  not enough: qc + 2*qf >= 2*n",
    )
    assert "  then |(A ∩ B) - F| > f" in LEMMAS["byzantine-masking"].text()
