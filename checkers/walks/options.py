"""Options: what may happen next on a stage, as values to draw from, to take and to list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Literal, NamedTuple, TypeAlias

from indelible.checkers.walks.stage import WHOLE, Stage

__all__ = ["Kind", "Option", "even_option", "event_of", "every_option", "take", "torn_options"]

Kind: TypeAlias = Literal["deliver", "duplicate", "timeout", "submit", "restart"]


class Option(NamedTuple):
    """One thing that may happen: a ``kind`` of event at a ``node``, by its place in the scope.

    ``which`` is the place of the message in ``fresh`` or ``seen`` (on ordered links, of its sender
    in the scope), the timer, or the place of the command in the scope. A crash after ``kept``
    effects cuts it short, unless that is ``WHOLE``.
    """

    kind: Kind
    node: int
    which: Any = 0
    kept: int = WHOLE


Block: TypeAlias = tuple[Kind, int, Sequence[Any]]
"""Options that differ only in ``which``: their kind, their node, and all those, in order."""


def blocks(stage: Stage) -> Iterator[Block]:
    """Everything that may happen whole, in blocks; some of it may change nothing."""
    ordered, open_commands = stage.links == "ordered", stage.open_commands
    for index, accepts in enumerate(stage.reactions.accepts):
        if ordered:
            yield "deliver", index, [at for at, queue in enumerate(stage.queues[index]) if queue]
        if stage.fresh[index]:
            yield "deliver", index, range(len(stage.fresh[index]))
        if stage.seen[index]:
            yield "duplicate", index, range(len(stage.seen[index]))
        if stage.timers[index]:
            yield "timeout", index, stage.timers[index]
        if open_commands:
            yield "submit", index, [place for place in open_commands if accepts[place]]
        if stage.restarts_left > 0:
            yield "restart", index, (0,)


def every_option(stage: Stage) -> Iterator[Option]:
    """Everything that may happen whole, one by one."""
    for kind, index, whiches in blocks(stage):
        for which in whiches:
            yield Option(kind, index, which)


def even_option(stage: Stage, draw: Random) -> Option | None:
    """One of ``every_option``, each as likely as any other; they are counted, and never listed."""
    there = list(blocks(stage))
    count = 0
    for block in there:
        count += len(block[2])
    if not count:
        return None
    place = draw.randrange(count)
    for kind, index, whiches in there:
        if place < len(whiches):
            return Option(kind, index, whiches[place])
        place -= len(whiches)
    raise AssertionError("an option beyond the last one")


def torn_options(stage: Stage, option: Option) -> tuple[Option, ...]:
    """The crashes that may cut this option short."""
    if option.kind == "restart":
        return ()
    cuts = stage.cuts(option.node, event_of(stage, option))
    return tuple(option._replace(kept=kept) for kept in cuts)


def take(stage: Stage, option: Option) -> bool:
    """Let it happen; says whether it changed anything. Raises ``ImplementationRaised``."""
    kind, index, which, kept = option
    match kind:
        case "deliver":
            if stage.links == "ordered":
                return stage.deliver_next(index, which, kept)
            return stage.deliver(index, which, kept)
        case "duplicate":
            return stage.deliver_again(index, which, kept)
        case "timeout":
            return stage.fire(index, which, kept)
        case "submit":
            return stage.submit(index, which, kept)
        case "restart":
            return stage.restart(index)


def event_of(stage: Stage, option: Option) -> int:
    """The number of the event that an option is; a restart is none."""
    index, which = option.node, option.which
    event: int
    match option.kind:
        case "deliver" if stage.links == "ordered":
            event = stage.queues[index][which][0]
        case "deliver":
            event = stage.fresh[index][which]
        case "duplicate":
            event = stage.seen[index][which]
        case "timeout":
            event = stage.reactions.timeout(which)
        case _:
            event = stage.reactions.submission(which)
    return event
