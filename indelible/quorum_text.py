"""Quorum systems in words and in JSON: what it takes, who can be lost, what work there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from indelible.model.events import NodeId, node_name
from indelible.model.thresholds import Formula, Threshold

if TYPE_CHECKING:
    from indelible.checkers.lemmas.quorum_report import PhaseReport, SystemReport

__all__ = ["formula_text", "system_lines", "system_object"]

NODES_SHOWN: Final = 12
NOT_COMPUTED: Final = "not computed: it took too long"


def formula_text(formula: Formula) -> str:
    """What it takes to be a quorum, as ``2 of (n0, n1, n2)``."""
    if not isinstance(formula, Threshold):
        return node_name(formula)
    parts = list(map(formula_text, formula.parts))
    if len(parts) == 1:
        return parts[0]
    if set(formula.weights) == {1}:
        count = "all" if formula.least == len(parts) else str(formula.least)
        return f"{count} of ({', '.join(parts)})"
    weighed = (f"{part}: {weight}" for part, weight in zip(parts, formula.weights, strict=True))
    return f"weight {formula.least} of ({', '.join(weighed)})"


def system_lines(report: SystemReport) -> tuple[str, ...]:
    """The report, for a person to read."""
    names = _listed(report.nodes)
    lines = [f"{report.name}: {len(report.nodes)} nodes ({names})"]
    if report.phase1 == report.phase2:
        return (*lines, "  both phases", *_phase_lines(report.phase1))
    for title, phase in (("phase 1", report.phase1), ("phase 2", report.phase2)):
        lines += [f"  {title}", *_phase_lines(phase)]
    return tuple(lines)


def _phase_lines(phase: PhaseReport) -> Iterator[str]:
    if len(text := formula_text(phase.formula)) <= 200:
        yield f"    a quorum is       {text}"
    yield f"    smallest          {_size(phase.smallest)}"
    yield f"    tolerates         {_tolerated(phase)}"
    yield f"    fails without     {_size(phase.stopped_by)}"
    shown = [quorum for quorum in phase.minimal if len(quorum) <= NODES_SHOWN]
    yield f"    minimal quorums   {_minimal(phase, len(shown))}"
    for quorum in shown:
        yield f"                      {_listed(quorum)}"
    if phase.load.value is None or phase.capacity is None:
        yield f"    load              not computed: {phase.load.how}"
        return
    load = _number(phase.load.value)
    yield f"    load              {load} at the busiest node ({phase.load.how})"
    yield f"    capacity          {_number(phase.capacity)} times that of one node"


def _size(quorum: tuple[NodeId, ...] | None) -> str:
    if quorum is None:
        return NOT_COMPUTED
    return f"{_count(len(quorum), 'node')} ({_listed(quorum)})"


def _tolerated(phase: PhaseReport) -> str:
    match phase.failures_tolerated:
        case None:
            return NOT_COMPUTED
        case 0:
            return "not even 1 failure, if it is the wrong one"
        case number:
            return f"any {_count(number, 'failure')}"


def _minimal(phase: PhaseReport, shown: int) -> str:
    count = "too many to count" if phase.minimal_count is None else f"{phase.minimal_count:,}"
    if not shown:
        return count
    return f"{count}:" if shown == phase.minimal_count else f"{count}; some of them:"


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    return f"{float(value):.3f}" if value.denominator > 1_000 else f"{value} = {float(value):.3f}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _listed(nodes: Iterable[NodeId]) -> str:
    names = list(map(node_name, nodes))
    if len(names) <= NODES_SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: NODES_SHOWN - 1])}, … and {len(names) - NODES_SHOWN + 1} more"


def system_object(report: SystemReport) -> dict[str, Any]:
    """The report as JSON: fractions as text, ``null`` for what was not computed."""
    return {
        "name": report.name,
        "nodes": list(report.nodes),
        "phase1": _phase_object(report.phase1),
        "phase2": _phase_object(report.phase2),
    }


def _phase_object(phase: PhaseReport) -> dict[str, Any]:
    return {
        "quorum": formula_text(phase.formula),
        "smallest": _array(phase.smallest),
        "failures_tolerated": phase.failures_tolerated,
        "stopped_by": _array(phase.stopped_by),
        "minimal": [list(quorum) for quorum in phase.minimal],
        "minimal_count": phase.minimal_count,
        "load": None if phase.load.value is None else str(phase.load.value),
        "load_how": phase.load.how,
    }


def _array(nodes: tuple[NodeId, ...] | None) -> list[NodeId] | None:
    return None if nodes is None else list(nodes)
