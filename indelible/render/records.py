"""Records of a log in words: what happened to a node, and what a target does otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from indelible.checkers.audit.conformance import Difference
from indelible.checkers.audit.json_text import shown_as_json
from indelible.model.effects import Effect, Persist, Send
from indelible.model.events import NodeId, node_name
from indelible.model.log_json import LoggedEvent, Start
from indelible.model.node_json import canonical_json, effect_to_json
from indelible.render.values import text_of
from indelible.render.words import effect_text, event_text, one_line, shortened

__all__ = ["difference_lines", "difference_text", "record_text", "short_text"]

TEXT_MAX: Final = 200
"""So many letters a line of a record may have."""


def short_text(text: str) -> str:
    """The text as one line that is not too long."""
    return shortened(one_line(text), TEXT_MAX)


def record_text(node: NodeId, event: LoggedEvent) -> str:
    """What happened to the node."""
    if isinstance(event, Start):
        what = "starts" if event.storage is None else "starts with what it had persisted"
    else:
        what = event_text(shown_as_json(event))
    return short_text(f"{node_name(node)} {what}")


def difference_text(difference: Difference, target: str) -> str:
    """What is recorded and what the target does, in a sentence."""
    what = record_text(difference.node, difference.event)
    if difference.raised:
        return f"{what}; {target} raises {difference.raised}"
    recorded, expected = _texts(difference)
    at = next(
        (at for at, pair in enumerate(zip(recorded, expected, strict=False)) if pair[0] != pair[1]),
        min(len(recorded), len(expected)),
    )
    more = "more" if at else "at all"
    one, other = (
        side[at] if at < len(side) else f"nothing {more}" for side in (recorded, expected)
    )
    return f"{what}; recorded: {one}; {target}: {other}"


def difference_lines(difference: Difference) -> Iterator[str]:
    """Both lists of effects as one, each with who has it."""
    if difference.raised:
        yield f"raises    {difference.raised}"
        return
    recorded, expected = _texts(difference)
    changes = SequenceMatcher(None, recorded, expected, autojunk=False).get_opcodes()
    for change, low, high, other_low, other_high in changes:
        if change == "equal":
            yield from (f"both      {text}" for text in recorded[low:high])
        else:
            yield from (f"recorded  {text}" for text in recorded[low:high])
            yield from (f"target    {text}" for text in expected[other_low:other_high])
    if not recorded:
        yield "recorded  nothing"
    if not expected:
        yield "target    nothing"


def _texts(difference: Difference) -> tuple[list[str], list[str]]:
    """Both lists in words, or in JSON where words do not tell them apart."""
    recorded, expected = difference.recorded, difference.expected
    said = [_text(effect) for effect in recorded], [_text(effect) for effect in expected]
    if said[0] == said[1]:
        return [_json(effect) for effect in recorded], [_json(effect) for effect in expected]
    return said


def _text(effect: Effect) -> str:
    match shown_as_json(effect):
        case Send(to, message):
            return f"sends {_value(message)} to {node_name(to)}"
        case Persist(storage):
            return f"persists {_value(storage)}"
        case shown:
            return effect_text(shown)


def _value(value: object) -> str:
    return "null" if value is None else text_of(value)


def _json(effect: Effect) -> str:
    return canonical_json(effect_to_json(effect))
