"""Measure proofs about quorums: `python benchmarks/quorums.py`. A script, not a test.

Every obligation of the lemmas for every n, the slowest first and all together; then concrete
systems, each with what decided it, and how long that and the report took.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from indelible.checkers.lemmas.meeting import do_meet
from indelible.checkers.lemmas.quorum_lemmas import quorum_obligations
from indelible.checkers.lemmas.quorum_report import system_report
from indelible.model.events import NodeId
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    FormulaQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    Phases,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.model.thresholds import Threshold

LIMIT = 60.0
SHOWN = 5
NODES = tuple(range(30))


class TwoWeightings(FormulaQuorums):
    """Thirty nodes with other weights in phase 1 than in phase 2, and so without a shape."""

    def __init__(self, choose: random.Random, percent: int) -> None:
        first, second = (tuple(choose.randint(1, 100) for _ in NODES) for _ in range(2))
        self._phases = Phases(
            Threshold(sum(first) * percent // 100, NODES, first),
            Threshold(sum(second) * percent // 100, NODES, second),
        )

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        return self._phases


def main() -> None:
    """Print everything."""
    lemmas()
    print(f"\n{'system':<34} {'meets':<9} {'s':>7} {'report s':>9}  by")
    for name, system, count in systems():
        show(name, system, tuple(range(count)))


def lemmas() -> None:
    """The lemmas for every n."""
    answers = [(known.prove(LIMIT), known.name) for known in quorum_obligations()]
    proved = sum(answer.outcome == "proved" for answer, _ in answers)
    total = sum(answer.seconds for answer, _ in answers)
    print(f"{proved} of {len(answers)} obligations proved in {total:.2f} s; the slowest:")
    for answer, name in sorted(answers, key=lambda known: -known[0].seconds)[:SHOWN]:
        print(f"  {answer.seconds:>6.3f} s  {name}")


def show(name: str, system: FormulaQuorums, nodes: tuple[NodeId, ...]) -> None:
    """One line: one system."""
    phases = phases_of(system, nodes)
    began = time.perf_counter()
    met = do_meet(*phases, LIMIT)
    decided = time.perf_counter()
    system_report(system, nodes, name)
    ended = time.perf_counter()
    print(
        f"{name:<34} {met.outcome:<9} {decided - began:>7.3f} {ended - decided:>9.3f}  {met.how}",
        flush=True,
    )


def systems() -> Iterator[tuple[str, FormulaQuorums, int]]:
    """Large regular systems, and irregular ones of thirty nodes."""
    yield "majority of 101", MajorityQuorums(), 101
    yield "majority of 1,001", MajorityQuorums(), 1001
    yield "50 and 51 of 101", FlexibleQuorums(50, 51), 101
    rows = tuple(tuple(range(row, row + 16)) for row in range(0, 256, 16))
    yield "grid of 256", GridQuorums(rows), 256
    yield "tree of 127", TreeQuorums(tuple(range(127))), 127
    groups = tuple(
        tuple(tuple(range(start, start + 5)) for start in range(zone, zone + 25, 5))
        for zone in range(0, 125, 25)
    )
    yield "hierarchy of 125", HierarchicalQuorums(groups), 125
    yield "hierarchy of 125, too few", HierarchicalQuorums(groups, (3, 3, 2), (3, 3, 3)), 125
    for seed in range(3):
        choose = random.Random(seed)
        weights = {node: choose.randint(1, 100) for node in NODES}
        yield f"30 weights, {seed}", WeightedQuorums(weights), 30
        joint = JointQuorums(WeightedQuorums(weights), NODES, MajorityQuorums(), NODES[:25])
        yield f"joint of 30 weights and 25, {seed}", joint, 30
        quorums = [choose.sample(NODES, choose.randint(8, 20)) for _ in range(40)]
        yield f"40 quorums of 30, {seed}", ExplicitQuorums(quorums), 30
        for percent in (55, 62, 70):
            system = TwoWeightings(choose, percent)
            yield f"two weightings of 30, {percent} %, {seed}", system, 30


if __name__ == "__main__":
    main()
