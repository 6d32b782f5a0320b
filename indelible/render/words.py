"""Events, effects and steps in words, the same for every rendering. No layout lives here.

It knows the contract's words, and no protocol.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from indelible.model.canonical import canonical
from indelible.model.effects import (
    NO_OP,
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Slot,
    Storage,
    Value,
    Vote,
)
from indelible.model.events import (
    Event,
    Message,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
    node_name,
)
from indelible.model.log_json import Install, LoggedEffect
from indelible.model.record import Record
from indelible.model.run import RunStep
from indelible.render.programs import readable_step
from indelible.render.values import Change, changes, text_of

__all__ = [
    "effect_lines",
    "effect_text",
    "event_text",
    "found_text",
    "message_text",
    "names_text",
    "once",
    "one_line",
    "record_rows",
    "record_text",
    "shortened",
    "state_changes",
    "step_lines",
    "step_title",
    "value_text",
]

TESTIMONY: Final = (Promise, Vote, Lead)


def step_lines(step: RunStep) -> list[str]:
    """What a step changed and asked for, a line each, in the order in which it happened."""
    return _torn_lines(step) if isinstance(step.event, Torn) else _whole_lines(step)


def state_changes(step: RunStep) -> tuple[Change, ...]:
    """What differs in the implementation's state after a step, as it is read; in all of it where
    what is read is the same."""
    before, after = step.before.state, step.after.state
    read = tuple(changes(*readable_step(before, after)))
    return read or tuple(changes(before, after))


def _whole_lines(step: RunStep) -> list[str]:
    if step.raised:
        return [f"raises {step.raised}"]
    differing = state_changes(step)
    lines = [change.text("state") for change in differing]
    lines += _effects_text(step.all_effects, step.before.record.storage, differing)
    return lines + _timer_lines(step) or ["changes nothing of its own"]


def _torn_lines(step: RunStep) -> list[str]:
    """What was done before the crash, what the crash prevented, and what the restart did.

    Every effect is shown, timers too, because the crash counts them.
    """
    storage = step.before.record.storage
    lines = list(_effects_text(step.effects, storage, timers=True))
    storage = _last_persisted(step.effects, storage)
    lines += [f"never happens: {line}" for line in _effects_text(step.lost, storage, timers=True)]
    after = [change.text("state") for change in state_changes(step)]
    after += _effects_text(step.restarted, storage)
    return lines + [f"after restart: {line}" for line in (*after, *_timer_lines(step))]


def _timer_lines(step: RunStep) -> list[str]:
    """Timers that may fire now and could not before, and the other way round."""
    before = step.before.record.timers
    if isinstance(step.event, Timeout):
        before -= {step.event.timer}
    if isinstance(step.event, Restart | Torn):
        before = frozenset()
    after = step.after.record.timers
    words = [
        f"{verb} {_timers(timers)}"
        for verb, timers in (("arms", after - before), ("disarms", before - after))
        if timers
    ]
    return ["; ".join(words)] if words else []


def _timers(timers: Iterable[object]) -> str:
    names = [_name(timer) for timer in canonical(timers)]
    return f"timer{'s' if len(names) > 1 else ''} {', '.join(names)}"


def event_text(event: Event, effect_count: int | None = None) -> str:
    """What happens to the node, as the rest of a sentence that begins with its name."""
    match event:
        case Receive(source, message):
            return f"receives {text_of(message)} from {node_name(source)}"
        case Timeout(timer):
            return f"timer {_name(timer)} fires"
        case Submit(command):
            return f"is given {text_of(command)} by a client"
        case Restart():
            return "crashes and restarts"
        case Torn(whole, kept):
            total = f" of {effect_count}" if effect_count is not None else ""
            noun = "effect" if kept == 1 and not total else "effects"
            return f"{event_text(whole)}, crashes after {kept}{total} {noun}, restarts"


def step_title(step: RunStep) -> str:
    """What happened in a step, and where a crash cut it short; begins with the node's name."""
    what = event_text(step.event, len(step.effects) + len(step.lost))
    return f"{node_name(step.node)} {what}"


def _effects_text(
    effects: Sequence[Effect],
    storage: Storage | None,
    told: Collection[Change] = (),
    *,
    timers: bool = False,
) -> Iterator[str]:
    """The effects in order, like next to like; ``told``: changes that need no telling again."""
    for kind, group in groupby(effects, _kind):
        alike = list(group)
        if kind == "send":
            yield from _sends_text([effect for effect in alike if isinstance(effect, Send)])
        elif kind == "testimony" or (kind == "timer" and timers):
            yield "; ".join(effect_text(effect) for effect in alike)
        elif kind != "timer":
            for effect in alike:
                if isinstance(effect, Persist):
                    yield _persist_text(storage, effect.storage, told)
                    storage = effect.storage
                else:
                    yield effect_text(effect)


def _kind(effect: Effect) -> str:
    if isinstance(effect, TESTIMONY):
        return "testimony"
    if isinstance(effect, SetTimer | CancelTimer):
        return "timer"
    return "send" if isinstance(effect, Send) else ""


def _persist_text(before: Storage | None, after: Storage, told: Collection[Change]) -> str:
    if before == after:
        return "persists the same again"
    if before is None:
        return f"persists {text_of(after)}"
    differing = tuple(changes(before, after))
    if all(change.path[:1] not in ("", "[") and change in told for change in differing):
        parts = dict.fromkeys(re.split(r"[.\[]", change.path)[0] for change in differing)
        return f"persists {', '.join(parts)}"
    return f"persists {'; '.join(change.text('storage') for change in differing)}"


def _sends_text(sends: Sequence[Send]) -> Iterator[str]:
    # Not by hash: what stands in for a message that was read from a file may have none.
    receivers: list[tuple[Message, list[NodeId]]] = []
    for send in sends:
        nodes = next((nodes for message, nodes in receivers if message == send.message), None)
        if nodes is None:
            receivers.append((send.message, [send.to]))
        else:
            nodes.append(send.to)
    for message, nodes in receivers:
        yield f"sends {text_of(message)} to {names_text(nodes)}"


def effect_text(effect: LoggedEffect) -> str:
    """What one effect does, as the rest of a sentence that begins with the node's name."""
    match effect:
        case Decide(slot, value):
            return f"decides {value_text(value)} in slot {slot}"
        case Execute(index, command):
            return f"executes {text_of(command)} as number {index}"
        case Reply(command, result):
            return f"answers the client of {text_of(command)}: {text_of(result)}"
        case Promise(ballot):
            text = text_of(ballot)  # As ours calls what is below all ballots.
            return "promises no ballot" if text == "none" else f"promises ballot {text}"
        case Vote(slot, ballot, value):
            return f"votes for {value_text(value)} in slot {slot} at ballot {text_of(ballot)}"
        case SetTimer(timer, _):
            return f"sets timer {_name(timer)}"
        case CancelTimer(timer):
            return f"cancels timer {_name(timer)}"
        case Lead(ballot):
            return f"leads ballot {text_of(ballot)}"
        case Install(index):
            return f"installs a snapshot of {index:,} command{'' if index == 1 else 's'}"
    return text_of(effect)


def effect_lines(step: RunStep) -> list[tuple[str, str]]:
    """Every effect in order, each with its part: ``done``, ``lost`` in a crash, or ``restarted``.

    Like effects stand in one line; timers are told too.
    """
    lines: list[tuple[str, str]] = []
    storage = step.before.record.storage
    for part, effects in (
        ("done", step.effects),
        ("lost", step.lost),
        ("restarted", step.restarted),
    ):
        lines += [(part, line) for line in _effects_text(effects, storage, timers=True)]
        if part == "done":
            storage = _last_persisted(effects, storage)
    return lines


def _last_persisted(effects: Sequence[Effect], storage: Storage | None) -> Storage | None:
    persisted = [effect.storage for effect in effects if isinstance(effect, Persist)]
    return persisted[-1] if persisted else storage


def record_text(record: Record) -> str:
    """What the world remembers of a node that a property may have read."""
    parts = [f"{name} {says}" for name, says in _testimony_rows(record) if says]
    return "; ".join(parts) or "nothing decided, voted or promised"


def _testimony_rows(record: Record) -> tuple[tuple[str, str], ...]:
    """What a node said for all to hear, by what it did; empty where it did not."""
    return (
        ("decided", _entries_text(record.decided)),
        ("executed", ", ".join(text_of(command) for _, command in record.executed)),
        (
            "voted for",
            ", ".join(
                f"{value_text(value)} in slot {slot} at {text_of(ballot)}"
                for slot, ballot, value in record.votes
            ),
        ),
        ("promised", "" if record.promised is None else text_of(record.promised)),
        ("led", ", ".join(text_of(ballot) for ballot in record.leaderships)),
    )


def record_rows(record: Record) -> tuple[tuple[str, str], ...]:
    """The same, and what only the node itself can tell: what it has saved, and its timers."""
    return (
        *_testimony_rows(record),
        ("persisted", "" if record.storage is None else text_of(record.storage)),
        ("armed timers", ", ".join(_name(timer) for timer in canonical(record.timers))),
    )


def _entries_text(entries: Iterable[tuple[Slot, Value]]) -> str:
    return ", ".join(f"{value_text(value)} in slot {slot}" for slot, value in entries)


def message_text(message: Message, limit: int = 60) -> str:
    """A message in one line of at most ``limit`` characters, for labels."""
    return shortened(one_line(text_of(message)), limit)


def shortened(text: str, limit: int) -> str:
    """The text, without its middle where it has more than ``limit`` characters.

    Both ends are kept, because values that are alike often differ in their last parts.
    """
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def one_line(text: str) -> str:
    """The text without line breaks and control characters, and such that UTF-8 can hold it.

    What would turn the direction of the letters after it is made visible: nobody shall read
    something else than what is there.
    """
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    return re.sub(r"[\ud800-\udfff\u202a-\u202e\u2066-\u2069]", "\ufffd", text)


def found_text(found: Mapping[str, object]) -> str:
    """By what a trace was found, and how it was made smaller."""
    words = [f"by {found['by']}"] if "by" in found else []
    states = found.get("states_distinct")
    if isinstance(states, int):
        words.append(f"in {states:,} states")
    minimized = found.get("minimized")
    if isinstance(minimized, Mapping) and "events_before" in minimized:
        words.append(f"minimized from {minimized['events_before']} events")
    return ", ".join(words)


def once(nodes: Sequence[object]) -> list[object]:
    """The nodes without repetitions; what a file says they are need not be hashable."""
    return [node for place, node in enumerate(nodes) if node not in nodes[:place]]


def names_text(nodes: Iterable[object]) -> str:
    """Nodes as people read them, with commas between them."""
    return ", ".join(
        node_name(node) if isinstance(node, int | str) else text_of(node) for node in nodes
    )


def _name(timer: object) -> str:
    return timer if isinstance(timer, str) else text_of(timer)


def value_text(value: Value) -> str:
    """A value of the log as people read it."""
    return "no-op" if value is NO_OP else text_of(value)
