"""Options: what may happen next on a stage, as values to draw from, to take and to list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

from indelible.checkers.walks.stage import WHOLE, Stage

__all__ = ["Kind", "Option", "event_of", "every_option", "take", "torn_options"]

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


def every_option(stage: Stage) -> Iterator[Option]:
    """Everything that may happen whole; some of it may change nothing."""
    scope = stage.scope
    for index in range(len(scope.nodes)):
        if stage.links == "ordered":
            for source, queue in enumerate(stage.queues[index]):
                if queue:
                    yield Option("deliver", index, source)
        for place in range(len(stage.fresh[index])):
            yield Option("deliver", index, place)
        for place in range(len(stage.seen[index])):
            yield Option("duplicate", index, place)
        for timer in stage.timers[index]:
            yield Option("timeout", index, timer)
        for place in range(len(scope.commands)):
            if stage.may_submit(index, place):
                yield Option("submit", index, place)
        if stage.restarts_left > 0:
            yield Option("restart", index)


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
