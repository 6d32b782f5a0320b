"""A counterexample as one HTML page: a space-time diagram to walk through, without a network.

A pure function of the evidence. All words are made here, by ``words.py``; ``page.html`` holds the
style and the script, which only draws and moves. Values of the code on trial reach the page as
escaped text or as JSON, never as markup, and the page allows no script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from string import Template
from typing import Any, Final

from indelible.model.cluster import LocalState
from indelible.model.effects import Decide, Lead, Send, Vote
from indelible.model.events import Message, NodeId, Receive, Restart, Submit, Timeout, Torn
from indelible.model.events import node_name as name_of
from indelible.model.run import Run, RunStep, handled_event
from indelible.model.trace import Evidence
from indelible.render.programs import readable
from indelible.render.text import CLAIMS, render_text
from indelible.render.values import parts_of
from indelible.render.words import (
    effect_lines,
    effect_text,
    event_text,
    found_text,
    names_text,
    once,
    one_line,
    record_rows,
    state_changes,
    value_text,
)

__all__ = ["render_html"]

PAGE: Final = "page.html"

Sent = tuple[int, NodeId, NodeId, Message]


class Page(Template):
    """The template: its placeholders begin with ``@@``, because scripts are full of dollars."""

    delimiter = "@@"


def render_html(evidence: Evidence) -> str:
    """The page. The same evidence gives the same bytes."""
    page = resources.files("indelible.render").joinpath(PAGE).read_text(encoding="utf-8")
    violation = evidence.trace.violation
    return Page(page).substitute(
        policy=_policy(page),
        title=_escaped(f"{violation.property} · {_target(evidence)}"),
        property=_escaped(violation.property),
        sentence=_escaped(violation.explanation),
        facts=_list(_facts(evidence)),
        scope=_list(evidence.run.scope.lines()),
        text="\n".join(_escaped(line) for line in render_text(evidence).splitlines()),
        data=_json(_data(evidence)),
    )


def _policy(page: str) -> str:
    """What a browser may run and fetch: the page's one style, its one script, and nothing else."""
    hashes = {}
    for kind in ("style", "script"):
        (code,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)
        digest = hashlib.sha256(code.encode()).digest()
        hashes[kind] = f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'"
    return f"default-src 'none'; {hashes['style']}; {hashes['script']}; base-uri 'none'"


def _escaped(text: str) -> str:
    return html.escape(one_line(text))


def _json(data: object) -> str:
    """JSON that neither ends the element it stands in nor begins another."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _list(rows: tuple[tuple[str, str], ...]) -> str:
    return "".join(
        f"<div><dt>{_escaped(name)}</dt><dd>{_escaped(says)}</dd></div>" for name, says in rows
    )


def _target(evidence: Evidence) -> str:
    return evidence.target or evidence.trace.implementation


def _facts(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What the head of the page says, besides the property and why it is false."""
    violation, count = evidence.trace.violation, len(evidence.run.steps)
    length = f"{count} event{'' if count == 1 else 's'}{CLAIMS[evidence.length]}"
    kept = "to show that it does not happen any more" if evidence.fixed else ""
    decisive = evidence.explanation.decisive
    facts = (
        ("target", _target(evidence)),
        ("slot", "" if violation.slot is None else str(violation.slot)),
        ("nodes", names_text(once(violation.nodes))),
        ("values", ", ".join(value_text(value) for value in violation.values)),
        ("decisive", "" if decisive is None else f"step {decisive.step}: {decisive.says}"),
        ("length", length if count else "none: it is the initial state"),
        ("found", found_text(evidence.found)),
        ("kept", kept),
    )
    return tuple((name, says) for name, says in facts if says)


def _data(evidence: Evidence) -> dict[str, Any]:
    """Everything that the script draws, as text and numbers; nodes by their place."""
    run = evidence.run
    states = _States()
    never = _never_received(run)
    initial = run.initial.nodes if run.initial is not None else ()
    events = [_event(evidence, step, states, never[step.number]) for step in run.steps]
    return {
        "nodes": [one_line(name_of(node)) for node in run.scope.nodes],
        "start": [states.index(local) for local in initial],
        "never": never[0],
        "events": events,
        "states": states.known,
    }


def _event(
    evidence: Evidence, step: RunStep, states: _States, never: list[tuple[int, int]]
) -> dict[str, Any]:
    nodes, story = evidence.run.scope.nodes, evidence.explanation.story
    handled = handled_event(step.event)
    count = len(step.effects) + len(step.lost)
    return {
        "node": nodes.index(step.node),
        "kind": _kind(step),
        "words": one_line(event_text(step.event, count)),
        "source": nodes.index(handled.source) if isinstance(handled, Receive) else None,
        "client": isinstance(handled, Submit),
        "cause": step.cause,
        "aside": bool(story) and step.number not in story,
        "notes": [(kind, one_line(says)) for kind, says in _notes(evidence, step)],
        "changes": [
            [one_line(part) if part is not None else None for part in change]
            for change in state_changes(step)
        ],
        "effects": [(part, one_line(says)) for part, says in effect_lines(step)],
        "before": states.index(step.before),
        "after": states.index(step.after),
        "never": never,
    }


def _kind(step: RunStep) -> str:
    if step.raised:
        return "raised"
    match step.event:
        case Receive():
            return "receive"
        case Timeout():
            return "timeout"
        case Submit():
            return "submit"
        case Restart():
            return "restart"
        case Torn():
            return "torn"


def _notes(evidence: Evidence, step: RunStep) -> Iterator[tuple[str, str]]:
    """What stands below an event in the diagram, a line each: (kind, words)."""
    explanation = evidence.explanation
    told = [effect for effect in step.all_effects if isinstance(effect, Vote | Decide | Lead)]
    if step.raised:
        yield "raised", f"raises {step.raised}"
    if told:
        yield "told", "; ".join(effect_text(effect) for effect in told)
    for moment in explanation.milestones:
        if moment.step == step.number:
            yield "milestone", moment.says
    if explanation.decisive is not None and explanation.decisive.step == step.number:
        yield "decisive", explanation.decisive.says
    if step.number == evidence.run.steps[-1].number:
        violation = evidence.trace.violation
        yield "violated", f"{violation.property}: {violation.explanation}"


def _never_received(run: Run) -> dict[int, list[tuple[int, int]]]:
    """By the step that sent them (0: the start), the messages that no step receives.

    Each as (sender, receiver) with how the links count: where they may deliver a message twice,
    one receipt stands for all equal messages of the step; elsewhere each stands for itself.
    """
    nodes, twice = run.scope.nodes, run.scope.links == "unordered_duplicating"
    received: Counter[Sent] = Counter()
    for step in run.steps:
        handled = handled_event(step.event)
        if isinstance(handled, Receive) and step.cause is not None:
            received[step.cause, handled.source, step.node, handled.message] += 1
    never: dict[int, list[tuple[int, int]]] = {0: []}
    for number, sender, receiver, message in _sent(run):
        key = number, sender, receiver, message
        missing = never.setdefault(number, [])
        if not received[key]:
            missing.append((nodes.index(sender), nodes.index(receiver)))
        elif not twice:
            received[key] -= 1
    return {step.number: never.get(step.number, []) for step in run.steps} | {0: never[0]}


def _sent(run: Run) -> Iterator[Sent]:
    for node, effects in zip(run.scope.nodes, run.started, strict=False):
        for effect in effects:
            if isinstance(effect, Send):
                yield 0, node, effect.to, effect.message
    for step in run.steps:
        for send in step.sends:
            yield step.number, step.node, send.to, send.message


class _States:
    """The states and records of nodes as rows of words, each kept once."""

    def __init__(self) -> None:
        self.known: list[tuple[Any, Any]] = []
        self._indices: dict[tuple[Any, Any], int] = {}

    def index(self, local: LocalState) -> int:
        """Where the words for this state stand among those known."""
        rows = (_shown(parts_of(readable(local.state))), _shown(record_rows(local.record)))
        if rows not in self._indices:
            self._indices[rows] = len(self.known)
            self.known.append(rows)
        return self._indices[rows]


def _shown(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((one_line(name), one_line(says)) for name, says in rows)
