"""What became of a trace when it was replayed or minimized, as text and as JSON objects.

Pure functions; the objects are described in docs/json.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from indelible.checkers.minimize.pipeline import Minimized
from indelible.checkers.minimize.schedule import Played
from indelible.checkers.watch import Replay, ReplayOutcome
from indelible.model.events import Action, node_name
from indelible.model.trace import Evidence
from indelible.render.text import CLAIMS, render_text
from indelible.render.words import event_text

__all__ = ["minimized_object", "minimized_text", "replay_object", "replay_text"]

HEADLINES: Final[dict[ReplayOutcome, str]] = {
    "violates": "still violates",
    "holds": "no longer violates",
    "does not fit": "no longer fits",
}

ENABLED_MAX: Final = 20
"""How many enabled events are listed; there may be hundreds."""


def replay_text(target: str, evidence: Evidence, found: Replay, adapted: Played | None) -> str:
    """The outcome in one line, and then what a person needs in order to see why."""
    property_name = evidence.trace.violation.property
    headline = HEADLINES[found.outcome]
    length = len(evidence.trace)
    if found.outcome == "does not fit":
        assert found.expected is not None
        lines = [
            f"{headline}: step {found.step} of {length} cannot happen on {target}",
            f"  expected  {_action(found.expected)}",
            *_enabled(found.enabled),
        ]
    elif found.violation is not None:
        where = f"after step {found.step} of {length}" if length else "from the start"
        lines = [
            f"{headline}: {property_name}, {where}, on {target}",
            f"  {found.violation.explanation}",
        ]
    else:
        lines = [f"{headline}: {property_name} holds after each of {length} steps on {target}"]
    if found.changed:
        numbers = ", ".join(map(str, found.changed))
        lines.append(f"  note: the events of steps {numbers} read the same, but are not equal")
    if adapted is not None:
        lines += _adapted(adapted, length)
    if evidence.fixed and found.outcome == "violates":
        lines.append("  it was marked fixed: this is a regression")
    return "\n".join(lines)


def _enabled(actions: tuple[Action, ...]) -> list[str]:
    shown = [_action(action) for action in actions[:ENABLED_MAX]]
    if len(actions) > ENABLED_MAX:
        shown.append(f"and {len(actions) - ENABLED_MAX} more")
    names = ["  enabled   ", *["            "] * len(shown)]
    return [f"{name}{text}" for name, text in zip(names, shown or ["nothing"], strict=False)]


def _adapted(adapted: Played, length: int) -> list[str]:
    """What happens when the trace is followed as far as it can be."""
    took_place = len(adapted.actions)
    lines = [
        f"  followed all the same: {took_place} of {length} steps could happen",
    ]
    if adapted.violation is None:
        return [*lines, "  and the property holds after each of them"]
    return [*lines, f"  and violate it: {adapted.violation.explanation}"]


def _action(action: Action) -> str:
    node, event = action
    return f"{node_name(node)} {event_text(event)}"


def replay_object(
    target: str, evidence: Evidence, found: Replay, adapted: Played | None
) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    violation = found.violation
    return {
        "version": 1,
        "target": target,
        "property": evidence.trace.violation.property,
        "outcome": found.outcome,
        "events": len(evidence.trace),
        "step": found.step,
        "explanation": None if violation is None else violation.explanation,
        "expected": None if found.expected is None else _action(found.expected),
        "enabled": [_action(action) for action in found.enabled],
        "followed": None
        if adapted is None
        else {
            "events": len(adapted.actions),
            "explanation": adapted.violation and adapted.violation.explanation,
        },
        "fixed": evidence.fixed,
    }


def minimized_text(evidence: Evidence, smaller: Minimized, place: Path) -> str:
    """How much smaller the trace is, what is known of its length, and the trace."""
    after = len(smaller.trace)
    headline = f"minimized: {smaller.before} events to {after}{CLAIMS[smaller.length]}"
    return "\n".join((headline, f"saved as {place}", "", render_text(evidence)))


def minimized_object(smaller: Minimized) -> dict[str, Any]:
    """How a trace was minimized, as plain dicts, lists and scalars."""
    return {
        "events_before": smaller.before,
        "events": len(smaller.trace),
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
