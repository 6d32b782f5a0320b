"""What became of a trace when it was replayed or minimized, as text and as JSON objects.

Replaying is done here too, from a document to its outcome; everything else is pure functions. The
objects are described in docs/json.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from indelible.checkers.minimize.pipeline import Minimized
from indelible.checkers.minimize.schedule import Played, play, schedule
from indelible.checkers.watch import Replay, ReplayOutcome, Watch, replay
from indelible.evidence import document_target, evidence_of, known_property
from indelible.model.errors import IndelibleError
from indelible.model.events import Action, node_name
from indelible.model.trace import Evidence, Trace
from indelible.model.trace_document import document_text
from indelible.model.trace_reader import Document
from indelible.render.text import CLAIMS, render_text
from indelible.render.words import event_text
from indelible.targets import Target

__all__ = [
    "Replayed",
    "Unreadable",
    "folder_exit_code",
    "folder_object",
    "folder_text",
    "minimized_object",
    "minimized_text",
    "renewed_text",
    "replay_exit_code",
    "replay_object",
    "replay_text",
    "replayed_document",
    "replayed_trace",
]

HEADLINES: Final[dict[ReplayOutcome, str]] = {
    "violates": "still violates",
    "holds": "no longer violates",
    "does not fit": "no longer fits",
}

ENABLED_MAX: Final = 20
"""How many enabled events are listed; there may be hundreds."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A document, on what it was replayed, and what became of it.

    ``missing`` are classes that the document names and are not there, or not what they were;
    ``followed`` is what happens when a trace that does not fit is followed as far as it can be.
    """

    target: Target
    document: Document
    evidence: Evidence
    missing: tuple[str, ...]
    found: Replay
    followed: Played | None = None

    @property
    def violates(self) -> bool:
        """Whether the property is still violated, be it on the way that is left of the trace."""
        followed = self.followed is not None and self.followed.violation is not None
        return followed or self.found.outcome == "violates"

    @property
    def raised(self) -> str:
        """The exception, if there was one, that keeps us from seeing whether it is violated."""
        return self.found.raised or (self.followed.raised if self.followed is not None else "")

    @property
    def expected(self) -> bool:
        """Whether the outcome is that for which the document is kept.

        A fixed one shows that the property is not violated, perhaps since a step of it cannot
        happen any more. An exception shows nothing.
        """
        if self.evidence.fixed:
            return not self.violates and not self.raised
        return self.found.outcome == "violates" and self.found.step == len(self.evidence.trace)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that could not be replayed at all, and why."""

    name: str
    error: IndelibleError


def replayed_document(document: Document, target: Target) -> Replayed:
    """Let the document's events happen again on ``target``. Raises ``TraceError``, and
    ``PropertyError`` where its property is not found."""
    known = known_property(document.property)
    reading = document.read()
    trace = reading.evidence.trace
    watch = Watch(target.implementation, trace.scope, known)
    found = replay(watch, trace.actions)
    followed = None
    if found.outcome == "does not fit" and not found.raised:
        followed = play(watch, schedule(trace.actions))
    return Replayed(target, document, reading.evidence, reading.missing, found, followed)


def replayed_trace(document: Document, other: str | None = None) -> Replayed:
    """Let the document's events happen again on the target that it names, or on the ``other``."""
    document.recorded()  # So that nothing is imported for what is no trace.
    return replayed_document(document, document_target(document, other))


def renewed_text(replayed: Replayed) -> str:
    """The document as it would be written now; it must still fit."""
    old = replayed.evidence
    if old.fixed:
        return document_text(replayed.document.recorded())
    trace = Trace(
        old.trace.implementation,
        old.trace.scope,
        replayed.found.actions,
        replayed.found.violation or old.trace.violation,
    )
    return document_text(
        evidence_of(
            replayed.target.implementation,
            trace,
            known_property(old.property),
            target=old.target,
            reference=old.property,
            length=old.length,
            found=old.found,
        )
    )


def replay_text(replayed: Replayed) -> str:
    """The outcome in one line, and then what a person needs in order to see why."""
    evidence, found = replayed.evidence, replayed.found
    length = len(evidence.trace)
    lines = [_headline(replayed)]
    if found.violation is not None:
        lines.append(f"  {found.violation.explanation}")
    if found.raised:
        lines.append(f"  {found.raised}")
    if found.expected is not None:
        lines.append(f"  expected  {_action(found.expected)}")
    if found.outcome == "does not fit" and not found.raised:
        lines += _enabled(found.enabled)
    if found.changed:
        one = len(found.changed) == 1
        which = (
            f"event of step {found.changed[0]} reads"
            if one
            else (f"events of steps {', '.join(map(str, found.changed))} read")
        )
        lines.append(f"  note: the {which} the same, but {'is' if one else 'are'} not equal")
    if replayed.followed is not None:
        lines += _followed(replayed.followed, length)
    if evidence.fixed and replayed.violates:
        lines.append("  it was marked fixed: this is a regression")
    elif evidence.fixed and replayed.raised:
        lines.append("  it was marked fixed, which an exception does not show: correct that first")
    return "\n".join(lines)


def _headline(replayed: Replayed) -> str:
    evidence, found, target = replayed.evidence, replayed.found, replayed.target.name
    name, length = evidence.trace.violation.property, len(evidence.trace)
    headline = HEADLINES[found.outcome]
    if found.outcome == "violates":
        where = f"after step {found.step} of {length}" if found.step else "from the start"
        return f"{headline}: {name}, {where}, on {target}"
    if found.outcome == "holds":
        steps = f"{length} step{'' if length == 1 else 's'}"
        return f"{headline}: {name} holds after each of {steps} on {target}"
    if not found.raised:
        return f"{headline}: step {found.step} of {length} cannot happen on {target}"
    if not found.step:
        return f"{headline}: {target} raises an exception when it starts"
    return f"{headline}: step {found.step} of {length} raises an exception on {target}"


def _enabled(actions: tuple[Action, ...]) -> list[str]:
    shown = [_action(action) for action in actions[:ENABLED_MAX]]
    if len(actions) > ENABLED_MAX:
        shown.append(f"and {len(actions) - ENABLED_MAX} more")
    names = ["  enabled   ", *["            "] * len(shown)]
    return [f"{name}{text}" for name, text in zip(names, shown or ["nothing"], strict=False)]


def _followed(followed: Played, length: int) -> list[str]:
    """What happens when the trace is followed as far as it can be."""
    took_place = len(followed.actions)
    lines = [f"  followed all the same: {took_place} of {length} steps could happen,"]
    if followed.raised:
        lines.append(f"  but for one in which {followed.raised}")
    if followed.violation is None:
        return [*lines, "  and the property holds after each of them"]
    return [*lines, f"  and violate the property: {followed.violation.explanation}"]


def _action(action: Action) -> str:
    node, event = action
    return f"{node_name(node)} {event_text(event)}"


def replay_object(replayed: Replayed) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    evidence, found, followed = replayed.evidence, replayed.found, replayed.followed
    violation = found.violation
    return {
        "version": 1,
        "trace": replayed.document.name,
        "target": replayed.target.name,
        "property": evidence.trace.violation.property,
        "outcome": found.outcome,
        "events": len(evidence.trace),
        "step": found.step,
        "explanation": found.raised or None if violation is None else violation.explanation,
        "expected": None if found.expected is None else _action(found.expected),
        "enabled": [_action(action) for action in found.enabled],
        "changed": list(found.changed),
        "followed": None
        if followed is None
        else {
            "events": len(followed.actions),
            "explanation": followed.violation and followed.violation.explanation,
        },
        "fixed": evidence.fixed,
        "as_kept": replayed.expected,
    }


def folder_text(folder: Path, replays: Sequence[Replayed | Unreadable]) -> str:
    """A line for each document, and how many are as they are kept."""
    lines = [_line(each) for each in replays]
    good = sum(isinstance(each, Replayed) and each.expected for each in replays)
    return "\n".join([*lines, f"{good} of {len(replays)} traces in {folder} are as they are kept"])


def _line(each: Replayed | Unreadable) -> str:
    if isinstance(each, Unreadable):
        name = "" if each.error.fact.startswith(each.name) else f"{each.name}: "
        remedy = f"\n    remedy: {each.error.remedy}" if each.error.remedy else ""
        return f"  ? {name}{each.error.fact}{remedy}"
    headline = _headline(each)
    if each.evidence.fixed:
        headline += "; it is marked fixed" if each.expected else "; it was marked fixed"
    elif each.found.outcome == "violates" and not each.expected:
        headline += ", earlier than it did"
    return f"  {'✓' if each.expected else '✗'} {each.document.name}: {headline}"


def folder_object(replays: Sequence[Replayed | Unreadable]) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    return {
        "version": 1,
        "traces": [
            {"version": 1, "trace": each.name, "error": str(each.error)}
            if isinstance(each, Unreadable)
            else replay_object(each)
            for each in replays
        ],
    }


def replay_exit_code(replayed: Replayed) -> int:
    """1 if it violates its property, 0 if not, 3 if it no longer fits. Of a document that is marked
    fixed: 0 if it is as it is kept, 1 if it violates its property on whatever way, 3 if it raises.
    """
    if replayed.evidence.fixed:
        return 1 if replayed.violates else 3 if replayed.raised else 0
    return {"violates": 1, "holds": 0, "does not fit": 3}[replayed.found.outcome]


def folder_exit_code(replays: Sequence[Replayed | Unreadable]) -> int:
    """2 if one cannot be replayed, else 1 if one that was fixed violates again, else 3 if one is
    otherwise not as it is kept, else 0."""
    if any(isinstance(each, Unreadable) for each in replays):
        return 2
    wrong = [each for each in replays if isinstance(each, Replayed) and not each.expected]
    if any(each.evidence.fixed and each.violates for each in wrong):
        return 1
    return 3 if wrong else 0


def minimized_text(evidence: Evidence, smaller: Minimized, place: Path) -> str:
    """How much smaller the trace is, what is known of its length, and the trace."""
    after = len(smaller.trace)
    ratio = f"{smaller.ratio:.0%} of them"
    headline = f"minimized: {smaller.before} events to {after}, {ratio}{CLAIMS[smaller.length]}"
    return "\n".join((headline, f"saved as {place}", "", render_text(evidence)))


def minimized_object(smaller: Minimized) -> dict[str, Any]:
    """How a trace was minimized, as plain dicts, lists and scalars."""
    return {
        "events_before": smaller.before,
        "events": len(smaller.trace),
        "ratio": round(smaller.ratio, 4),
        "length": smaller.length,
        "stages": [
            {
                "name": stage.name,
                "events": stage.events,
                "nodes": stage.nodes,
                "says": stage.says,
            }
            for stage in smaller.stages
        ],
    }
