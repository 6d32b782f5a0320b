"""A concrete quorum system: what is to be proved of it, and what its operators want to know.

Fault tolerance, minimal quorums and load as in "Read-Write Quorum Systems Made Practical"
(Whittaker and others), for each phase by itself: how often either is run is not known here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Final

from indelible.checkers.lemmas.load import Load, load_of
from indelible.checkers.lemmas.meeting import do_meet
from indelible.checkers.lemmas.minimal import minimal_quorums
from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.checkers.lemmas.quorum_lemmas import GROUP
from indelible.checkers.lemmas.shapes import dual
from indelible.checkers.lemmas.smallest import fewest_nodes
from indelible.checkers.lemmas.solving import raise_if_stopped
from indelible.model.events import NodeId, node_name
from indelible.model.quorums import JointQuorums, Phases, phases_of
from indelible.model.thresholds import Formula

__all__ = ["PhaseReport", "SystemReport", "system_obligations", "system_report"]

LISTED_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class PhaseReport:
    """One phase. What could not be computed in time is ``None``.

    - ``smallest``: a smallest quorum; ``stopped_by``: the fewest nodes whose loss leaves none.
    - ``minimal``: some minimal quorums, ``minimal_count`` how many there are.
    """

    formula: Formula
    smallest: tuple[NodeId, ...] | None
    stopped_by: tuple[NodeId, ...] | None
    minimal: tuple[tuple[NodeId, ...], ...]
    minimal_count: int | None
    load: Load

    @property
    def failures_tolerated(self) -> int | None:
        """However these fall, a quorum is left (its fault tolerance)."""
        return None if self.stopped_by is None else len(self.stopped_by) - 1

    @property
    def capacity(self) -> Fraction | None:
        """How many times the throughput of one node the system could reach (1 / load)."""
        return None if self.load.value is None else 1 / self.load.value


@dataclass(frozen=True, slots=True)
class SystemReport:
    """Both phases of a system over these nodes."""

    name: str
    nodes: tuple[NodeId, ...]
    phase1: PhaseReport
    phase2: PhaseReport


def system_obligations(
    system: object, nodes: tuple[NodeId, ...], name: str
) -> tuple[Obligation, ...]:
    """That the quorums of the two phases meet; of a joint system also with old and new ones.

    Raises ``ScopeError`` if the system says nothing that could be proved (``phases_of``).
    """
    phases = phases_of(system, nodes)
    pairs = [("phase-1", phases.phase1, "phase-2", phases.phase2)]
    if isinstance(system, JointQuorums):
        for when, other in (
            ("old", phases_of(system.old, system.old_nodes)),
            ("new", phases_of(system.new, system.new_nodes)),
        ):
            pairs += _with_either(when, phases, other)
    return tuple(
        Obligation(
            GROUP,
            f"{name}: {first} meets {second}",
            f"every {first} quorum shares a node with every {second} quorum",
            partial(_met, first, one, second, other, nodes),
        )
        for first, one, second, other in pairs
    )


def _with_either(
    when: str, joint: Phases, other: Phases
) -> list[tuple[str, Formula, str, Formula]]:
    return [
        ("joint phase-1", joint.phase1, f"{when} phase-2", other.phase2),
        (f"{when} phase-1", other.phase1, "joint phase-2", joint.phase2),
    ]


def _met(
    first: str,
    one: Formula,
    second: str,
    other: Formula,
    nodes: tuple[NodeId, ...],
    timeout_seconds: float,
) -> Answer:
    began = time.monotonic()
    met = do_meet(one, other, timeout_seconds)
    seconds = time.monotonic() - began
    if met.disjoint is None:
        reason = met.how if met.outcome == "unknown" else ""
        return Answer(met.outcome, seconds, reason=reason)
    lines = [
        f"a {phase} quorum: {', '.join(map(node_name, _in_order(quorum, nodes)))}"
        for phase, quorum in zip((first, second), met.disjoint, strict=True)
    ]
    return Answer("refuted", seconds, (*lines, "they share no node"))


def system_report(
    system: object, nodes: tuple[NodeId, ...], name: str, timeout_seconds: float = 1.0
) -> SystemReport:
    """What can be said of a system; each number that takes longer to find is left out.

    Raises ``ScopeError`` if the system says nothing that could be measured (``phases_of``).
    """
    phases = phases_of(system, nodes)
    raise_if_stopped()
    phase1 = _phase_report(phases.phase1, nodes, timeout_seconds)
    if phases.phase1 == phases.phase2:
        return SystemReport(name, nodes, phase1, phase1)
    return SystemReport(name, nodes, phase1, _phase_report(phases.phase2, nodes, timeout_seconds))


def _phase_report(
    formula: Formula, nodes: tuple[NodeId, ...], timeout_seconds: float
) -> PhaseReport:
    smallest = fewest_nodes(formula, timeout_seconds)
    raise_if_stopped()
    stopped_by = fewest_nodes(dual(formula), timeout_seconds)
    raise_if_stopped()
    minimal = minimal_quorums(formula, LISTED_MAX)
    raise_if_stopped()
    return PhaseReport(
        formula,
        None if smallest is None else _in_order(smallest, nodes),
        None if stopped_by is None else _in_order(stopped_by, nodes),
        tuple(_in_order(frozenset(quorum), nodes) for quorum in minimal.quorums),
        minimal.count,
        load_of(formula, timeout_seconds),
    )


def _in_order(quorum: frozenset[NodeId], nodes: tuple[NodeId, ...]) -> tuple[NodeId, ...]:
    return tuple(node for node in nodes if node in quorum)
