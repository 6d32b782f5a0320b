"""A counterexample as a Mermaid sequence diagram, as GitHub draws it.

A pure function of the evidence: only the diagram, without a fence around it. Messages are drawn
where they are received; those that never arrive are left out, since every broadcast has some and
they would bury the others. Nothing but escaped text of ours reaches Mermaid, and no HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from indelible.model.effects import Decide, Effect, Lead, Reply, Vote
from indelible.model.events import Receive, Restart, Submit, Timeout, Torn, node_name
from indelible.model.run import RunStep, handled_event
from indelible.model.trace import Evidence
from indelible.render.values import text_of
from indelible.render.words import (
    effect_text,
    event_text,
    message_text,
    one_line,
    shortened,
    step_lines,
)

__all__ = ["LENGTH_MAX", "render_mermaid"]

LENGTH_MAX: Final = 50_000
"""Mermaid refuses longer diagrams, in the configuration that GitHub uses."""

WIDTHS: Final = (72, 36, 18)
"""How many characters of a text are shown: the first with which the diagram is short enough."""

NOTES_MAX: Final = 8
"""How many notes a step may have; testimony of a restarted node repeats all that it ever said."""

DECISIVE: Final = "rect rgba(255, 170, 0, 0.25)"
VIOLATED: Final = "rect rgba(255, 0, 0, 0.2)"


def render_mermaid(evidence: Evidence) -> str:
    """The run as a diagram of at most ``LENGTH_MAX`` characters.

    Long texts lose their middle; of a run that is longer still only the end is shown.
    """
    for width in WIDTHS:
        blocks = [_step(evidence, step, width) for step in evidence.run.steps]
        diagram = _diagram(evidence, blocks, 0, width)
        if len(diagram) <= LENGTH_MAX:
            return diagram
    left_out = len(blocks)
    spare = LENGTH_MAX - len(_diagram(evidence, blocks, left_out, width))
    while left_out and (spare := spare - len("\n".join(blocks[left_out - 1])) - 1) >= 0:
        left_out -= 1
    return _diagram(evidence, blocks, left_out, width)


def _diagram(evidence: Evidence, blocks: Sequence[list[str]], left_out: int, width: int) -> str:
    nodes = evidence.run.scope.nodes
    lines = ["sequenceDiagram"]
    if _has_clients(evidence):
        lines.append("    actor client")
    for index, node in enumerate(nodes):
        name = f"n{index}"
        label = _escaped(node_name(node), width) or "(no name)"
        lines.append(f"    participant {name}" + (f" as {label}" if label != name else ""))
    everyone = _everyone(evidence)
    if left_out:
        lines.append(f"    Note over {everyone}: steps 1 to {left_out} are left out")
    for block in blocks[left_out:]:
        lines += block
    violation = evidence.trace.violation
    lines.append(f"    {VIOLATED}")
    lines.append(f"    Note over {everyone}: Violated: {_escaped(violation.property, width)}")
    if violation.explanation:
        says = _escaped(violation.explanation, 2 * width)
        lines.append(f"    Note over {everyone}: {says}")
    return "\n".join([*lines, "    end"])


def _has_clients(evidence: Evidence) -> bool:
    return any(
        isinstance(handled_event(step.event), Submit)
        or any(isinstance(effect, Reply) for effect in step.all_effects)
        for step in evidence.run.steps
    )


def _step(evidence: Evidence, step: RunStep, width: int) -> list[str]:
    """The lines of one step: what arrived, what is worth a note, what the client hears."""
    lines = [*_happens(evidence, step, width), *_notes(evidence, step, width)]
    at = _name(evidence, step)
    for effect in step.all_effects:
        if isinstance(effect, Reply):
            answer = f"answer to {text_of(effect.command)}: {text_of(effect.result)}"
            lines.append(f"{at}-->>client: {_escaped(answer, width)}")
    decisive = evidence.explanation.decisive
    if decisive is not None and decisive.step == step.number:
        note = f"Note over {_everyone(evidence)}: decisive: {_escaped(decisive.says, 2 * width)}"
        lines = [DECISIVE, *lines, note, "end"]
    return [f"    {line}" for line in lines]


def _happens(evidence: Evidence, step: RunStep, width: int) -> Iterator[str]:
    at, number = _name(evidence, step), step.number
    match handled_event(step.event):
        case Receive(source, message):
            sender = f"n{evidence.run.scope.nodes.index(source)}"
            text = _escaped(message_text(message, width), width)
            yield f"{sender}->>{at}: {number}  {text}{_of(evidence, step)}"
        case Submit(command):
            yield f"client->>{at}: {number}  {_escaped(text_of(command), width)}"
        case Timeout() | Restart() as event:
            yield f"Note over {at}: {number}  {_escaped(event_text(event), width)}"


def _of(evidence: Evidence, step: RunStep) -> str:
    """Which step sent the message, where it was not the last one, and whether it came before."""
    again = any(
        (earlier.node, earlier.cause) == (step.node, step.cause)
        and handled_event(earlier.event) == handled_event(step.event)
        for earlier in evidence.run.steps[: step.number - 1]
    )
    if step.cause == step.number - 1:
        return ""
    sent = f"from step {step.cause}" if step.cause else "from the start"
    return f" ({sent}{', again' if again else ''})"


def _notes(evidence: Evidence, step: RunStep, width: int) -> Iterator[str]:
    notes = [_escaped(text, width) for text in _worth_noting(step)]
    if len(notes) > NOTES_MAX:
        notes[NOTES_MAX - 1 :] = [f"and {len(notes) - NOTES_MAX + 1} more"]
    for note in notes:
        yield f"Note over {_name(evidence, step)}: {note}"
    for moment in evidence.explanation.milestones:
        if moment.step == step.number:
            yield f"Note over {_everyone(evidence)}: » {_escaped(moment.says, 2 * width)}"


def _worth_noting(step: RunStep) -> Iterator[str]:
    """What arrows do not show; of a crash in the middle of a step also what it kept and lost."""
    if step.raised:
        yield f"raises {step.raised}"
    elif isinstance(step.event, Torn):
        count = len(step.effects) + len(step.lost)
        yield f"crashes after {step.event.kept} of {count} effects, restarts"
        yield from step_lines(step)
    else:
        yield from (effect_text(effect) for effect in step.all_effects if _is_told(effect))


def _is_told(effect: Effect) -> bool:
    return isinstance(effect, Lead | Vote | Decide)


def _name(evidence: Evidence, step: RunStep) -> str:
    return f"n{evidence.run.scope.nodes.index(step.node)}"


def _everyone(evidence: Evidence) -> str:
    """Where a whole sentence is noted, which over one node would push its neighbours away."""
    nodes = evidence.run.scope.nodes
    return "n0" if len(nodes) == 1 else f"n0,n{len(nodes) - 1}"


def _escaped(text: str, width: int) -> str:
    """Text that Mermaid shows as it is, and takes for nothing else.

    Its own entities stand for what ends a statement, begins a comment, a directive, HTML or a
    formula, and break up the words that its grammar, or its search for styles, would trip over.
    """
    text = shortened(one_line(text), width).strip()
    text = re.sub(r"[#;\"<>&%$\\`{}]", lambda found: f"#{ord(found[0])};", text)
    words = r"(?i)\bend\b|style|classdef"
    return re.sub(words, lambda found: f"#{ord(found[0][0])};{found[0][1:]}", text)
