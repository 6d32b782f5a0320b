"""A counterexample as text: who did what, what changed, what was sent, what is wrong and why.

A pure function of the evidence; the words are those of ``words.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from indelible.model.events import node_name
from indelible.model.run import Run, RunStep
from indelible.model.trace import Evidence, Length, Violation
from indelible.render.words import (
    event_text,
    found_text,
    names_text,
    once,
    record_text,
    step_lines,
    value_text,
)

__all__ = ["CLAIMS", "render_document", "render_text"]

CLAIMS: Final[dict[Length, str]] = {
    "shortest": ", the shortest there is",
    "irreducible": ", none of which can be left out",
    "as found": "",
}
"""What is claimed of a trace's length, as the rest of a sentence."""


def render_text(evidence: Evidence) -> str:
    """The trace step by step, then which property its last state violates, and why."""
    run = evidence.run
    width = max(len(node_name(node)) for node in run.scope.nodes)
    lines = [_title(len(evidence.trace), evidence.length)]
    notes = _notes(evidence)
    for step in run.steps:
        lines += _step(step, width, notes.get(step.number, []))
    lines += ["", *_violation(evidence.trace.violation), *_why(evidence)]
    lines += ["", *_end(run, width)]
    return "\n".join(lines).rstrip()


def render_document(evidence: Evidence) -> str:
    """The trace as ``render_text`` has it, with all else that is kept of it: what it is about, in
    which scope, and how it was found."""
    about = evidence.target or evidence.trace.implementation
    fixed = "; it is marked fixed" if evidence.fixed else ""
    rows = evidence.trace.scope.lines()
    width = max(len(name) for name, _ in rows)
    lines = [f"Trace of {about}, about {evidence.property}{fixed}", "", render_text(evidence), ""]
    lines += ["Scope", *(f"  {name:<{width}}  {says}" for name, says in rows)]
    found = found_text(evidence.found)
    lines += ["", f"Found {found}."] if found else []
    return "\n".join(lines)


def _title(length: int, claim: Length) -> str:
    if length == 0:
        return "Counterexample: the initial state."
    return f"Counterexample: {length} event{'s' if length > 1 else ''}{CLAIMS[claim]}."


def _notes(evidence: Evidence) -> dict[int, list[str]]:
    """What is worth pointing out, by the number of the step."""
    notes: dict[int, list[str]] = {}
    for moment in evidence.explanation.milestones:
        notes.setdefault(moment.step, []).append(f"» {moment.says}")
    return notes


def _step(step: RunStep, width: int, notes: list[str]) -> Iterator[str]:
    what = event_text(step.event, len(step.effects) + len(step.lost))
    yield f"{step.number:>4}  {node_name(step.node):<{width}}  {what}"
    indent = " " * (width + 10)
    for line in (*step_lines(step), *notes):
        yield indent + line


def _violation(violation: Violation) -> Iterator[str]:
    yield f"Violated: {violation.property}"
    yield f"      {violation.explanation}"
    if violation.slot is not None:
        yield f"      slot:   {violation.slot}"
    if violation.nodes:
        yield f"      nodes:  {names_text(once(violation.nodes))}"
    if violation.values:
        yield f"      values: {', '.join(value_text(value) for value in violation.values)}"


def _why(evidence: Evidence) -> Iterator[str]:
    explanation = evidence.explanation
    if explanation.decisive is not None:
        yield ""
        yield f"Decisive: step {explanation.decisive.step}"
        yield f"      {explanation.decisive.says}"
    aside = [step.number for step in evidence.run.steps if step.number not in explanation.story]
    if explanation.story and aside:
        yield ""
        yield f"Beside the point: step{'s' if len(aside) > 1 else ''} {_ranges(aside)}"
        yield "      the property is violated without what happened there"


def _ranges(numbers: list[int]) -> str:
    """Numbers in order, runs of them as ``3-7``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _end(run: Run, width: int) -> Iterator[str]:
    if run.end is None:
        return
    yield "At the end:"
    for node, local in zip(run.scope.nodes, run.end.nodes, strict=True):
        yield f"      {node_name(node):<{width}}  {record_text(local.record)}"
