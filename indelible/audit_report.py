"""An audit as text and as one JSON object (docs/audit.md). Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from indelible.checkers.audit.audit import Audit, Seen
from indelible.checkers.audit.notes import Place
from indelible.checkers.audit.proof import BY_ABSENCE, Proof, Record
from indelible.model.events import node_name
from indelible.model.log_json import Start, effect_json
from indelible.model.node_json import event_to_json
from indelible.model.verdict import PropertyResult
from indelible.render.records import record_text, short_text
from indelible.render.words import effect_text, one_line
from indelible.report import MARKS, counted, table_lines
from indelible.verdict_json import SCHEMA_VERSION, property_objects, violation_object

__all__ = [
    "audit_headline",
    "audit_json",
    "counted_records",
    "place_object",
    "place_text",
    "progress_text",
    "render_audit",
]

NOT_COVERED: Final = (
    "Not covered: what is not in the log, other runs, how long anything takes, whether anything "
    "must happen at last."
)


def place_text(names: Sequence[str], place: Place) -> str:
    """Where a line is: ``log.jsonl:12``."""
    file, number = place
    return f"{names[file]}:{number}"


def progress_text(names: Sequence[str], seen: Seen) -> str:
    """How far an audit is."""
    return f"{seen.records:,} records, at {place_text(names, seen.place)}"


def audit_headline(audit: Audit, proof: Proof | None, names: Sequence[str]) -> str:
    """The outcome in one line, which begins with its one word."""
    records = counted_records(audit.records)
    if audit.outcome == "holds":
        return f"holds: {records}, as far as the log shows"
    if proof is None:
        return f"{audit.outcome}: {one_line(audit.reason)}"
    place = place_text(names, proof.records[-1].place)
    violation = proof.violation
    return one_line(f"violated: {violation.property}: {violation.explanation} ({place})")


def counted_records(count: int) -> str:
    """How many records."""
    return f"{count:,} record{'' if count == 1 else 's'}"


def render_audit(
    audit: Audit, proof: Proof | None, names: Sequence[str], sections: Sequence[Sequence[str]] = ()
) -> str:
    """Everything a person needs to know of an audit; ``sections`` are those about a target."""
    *told, compared = sections or ((),)
    mind = "" if proof is None else _reason(audit, proof.violation.property)
    shown = [
        [audit_headline(audit, proof, names)],
        [] if proof is None else list(_proof_lines(proof, names)),
        [f"Mind: {mind}."] if mind else [],
        *told,
        list(_log_lines(audit, names)),
        compared,
        list(_problem_lines(audit, names)),
        list(_property_lines(audit.properties, proof)),
        [NOT_COVERED],
    ]
    return "\n\n".join("\n".join(lines) for lines in shown if lines)


def _proof_lines(proof: Proof, names: Sequence[str]) -> Iterator[str]:
    by_absence = proof.violation.property in BY_ABSENCE
    what = "What the log says of it" if by_absence else "The records that show it"
    yield f"{what}:"
    for record in proof.records:
        yield f"  {place_text(names, record.place)}  {record_text(record.node, record.event)}"
        for effect in record.effects:
            yield f"      {short_text(effect_text(effect))}"


def _log_lines(audit: Audit, names: Sequence[str]) -> Iterator[str]:
    members = audit.members
    rows = [
        ("records", f"{audit.records:,}, of {counted(len(names), 'file')}"),
        ("nodes", ", ".join(map(node_name, members or audit.nodes)) or "none"),
    ]
    if members is None:
        rows[1] = ("nodes", f"{rows[1][1]}; no record says whether that is all of them")
    if audit.not_whole and not audit.problem_count:
        not_whole = ", ".join(map(node_name, audit.not_whole))
        rows.append(("not whole", f"{not_whole}: no very first start of it is in the log"))
    yield "Log"
    yield from table_lines(rows)


def _problem_lines(audit: Audit, names: Sequence[str]) -> Iterator[str]:
    if not audit.problem_count:
        return
    yield f"Problems: {audit.problem_count:,}"
    for problem in audit.problems:
        yield f"  {place_text(names, problem.place)}  {short_text(problem.says)}"
    more = audit.problem_count - len(audit.problems)
    if more:
        yield f"  and {more:,} more"


def _reason(audit: Audit, name: str) -> str:
    return next((known.reason for known in audit.properties if known.name == name), "")


def _property_lines(properties: Sequence[PropertyResult], proof: Proof | None) -> Iterator[str]:
    yield "Properties"
    width = max((len(known.name) for known in properties), default=0)
    for known in properties:
        says: str = "no violation so far" if known.result == "inconclusive" else known.result
        if known.reason and (proof is None or known.name != proof.violation.property):
            says += f": {one_line(known.reason)}"
        yield f"  {MARKS[known.result]} {known.name:<{width}}  {says}"


def audit_json(
    audit: Audit, proof: Proof | None, names: Sequence[str], conformance: Any = None
) -> str:
    """One object, in ASCII; ``conformance`` is the one about a target."""
    shown = {
        "version": SCHEMA_VERSION,
        "outcome": audit.outcome,
        "exit_code": audit.exit_code,
        "reason": audit.reason if proof is None else proof.violation.explanation,
        "files": list(names),
        "records": audit.records,
        "nodes": list(audit.members or audit.nodes),
        "nodes_complete": audit.members is not None,
        "not_whole": list(audit.not_whole),
        "problem_count": audit.problem_count,
        "problems": [
            {**place_object(names, known.place), "says": known.says} for known in audit.problems
        ],
        "properties": property_objects(audit.properties),
        "violation": None if proof is None else violation_object(proof.violation),
        "proof": [] if proof is None else [_record(record, names) for record in proof.records],
        "conformance": conformance,
    }
    return json.dumps(shown, indent=2)


def place_object(names: Sequence[str], place: Place) -> dict[str, Any]:
    return {"file": names[place[0]], "line": place[1]}


def _record(record: Record, names: Sequence[str]) -> dict[str, Any]:
    event = record.event
    happened: dict[str, Any] = (
        {"type": "start", "first": event.storage is None}
        if isinstance(event, Start)
        else event_to_json(event)
    )
    return {
        **place_object(names, record.place),
        "node": record.node,
        "event": happened,
        "effects": [effect_json(effect) for effect in record.effects],
    }
