"""Measure the proofs: `python benchmarks/proofs.py [--bugs]`. A script, not a test.

Prints how long all obligations take, and the slowest of each protocol; how long the search for a
run takes where an axiom is left out; how many states are counted both ways; and how fast the
refinement is checked. With `--bugs` it prints the table of docs/proofs.md instead: after how many
events each known bug breaks the refinement, and the property by which it shows. Times are of the
processor, since other work on the machine says nothing about ours.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from indelible import explore
from indelible.checkers.lemmas.bounded import count_states, run_lines, shortest_violation
from indelible.checkers.lemmas.finite import levels
from indelible.checkers.lemmas.induction import induction_obligations
from indelible.checkers.lemmas.instances import multi_paxos_instance, single_decree_instance
from indelible.checkers.lemmas.safety import PROTOCOLS
from indelible.checkers.refinement.search import check_refinement
from indelible.impl.known_bugs import KNOWN_BUGS, scopes
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.quorums import FlexibleQuorums

T = TypeVar("T")


def main() -> None:
    """Print everything that was asked for."""
    if "--bugs" in sys.argv:
        table_of_bugs()
        return
    obligations()
    bounded()
    counted()
    refined()


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the processor's time it takes."""
    began = time.process_time()
    return work(), time.process_time() - began


def obligations() -> None:
    """Everything that `indelible prove safety` does."""
    for protocol in PROTOCOLS:
        times = {}
        for obligation in induction_obligations(protocol):
            answer, seconds = timed(lambda known=obligation: known.prove(10.0))
            times[obligation.name] = seconds
            assert answer.outcome == "proved", (obligation.name, answer)
        slowest = max(times, key=times.__getitem__)
        print(f"{protocol.name}: {len(times)} obligations in {sum(times.values()):.2f} s, "
              f"the slowest {slowest} in {times[slowest]:.2f} s")  # fmt: skip


def bounded() -> None:
    """Runs that go wrong because quorums do not meet."""
    for name, instance in (
        ("single-decree, 2 nodes, quorums of 1",
         single_decree_instance(nodes=2, quorums=FlexibleQuorums(1, 1))),
        ("multi-paxos, 3 nodes, quorums of 1 and 2",
         multi_paxos_instance(quorums=FlexibleQuorums(1, 2))),
    ):  # fmt: skip
        run, seconds = timed(
            lambda known=instance: shortest_violation(known, depth_max=16, timeout_seconds=300)
        )
        assert run is not None
        print(f"{name}: {run_lines(run)[0]} {seconds:.1f} s")


def counted() -> None:
    """The reachable states of small instances, by search and by solver."""
    for name, instance in (
        ("single-decree, 2 nodes, 2 ballots, 2 values", single_decree_instance(nodes=2)),
        ("multi-paxos, 1 node, 2 ballots, 2 values", multi_paxos_instance(nodes=1)),
    ):
        found, plain = timed(lambda known=instance: [len(level) for level in levels(known)])
        solved, by_solver = timed(lambda known=instance: count_states(known, depth_max=99))
        assert list(solved) == found
        print(
            f"{name}: {sum(found)} states, searched in {plain:.2f} s, solved in {by_solver:.2f} s"
        )


def refined() -> None:
    """Our Multi-Paxos held against the proof."""
    found, seconds = timed(lambda: check_refinement(MultiPaxos(), scopes.ONE_COMMAND, depth_max=15))
    print(f"refinement: {found.states:,} states to depth {found.depth} in {seconds:.1f} s, "
          f"{found.states / seconds:,.0f} states/s ({found.outcome})")  # fmt: skip


def table_of_bugs() -> None:
    """A row for each bug that breaks the refinement; a sentence for each that does not."""
    earlier = []
    for name, bug in KNOWN_BUGS.items():
        found = check_refinement(bug.implementation, bug.scope)
        verdict = explore(bug.implementation, bug.scope, properties=[bug.property])
        assert verdict.trace is not None
        if found.trace is None:
            print(f"{name}: {found.outcome} in {found.states:,} states")
            continue
        earlier.append(len(verdict.trace) - len(found.trace))
        print(f"| `{name}` | `{found.trace.violation.property}` | {len(found.trace)} "
              f"| `{bug.property}` | {len(verdict.trace)} |", flush=True)  # fmt: skip
    before = [count for count in earlier if count > 0]
    print(f"{len(before)} of {len(earlier)} earlier, "
          f"by {sum(before) / len(before):.1f} events on average")  # fmt: skip


if __name__ == "__main__":
    main()
