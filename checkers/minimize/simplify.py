"""Simplify: the same failure with fewer nodes, fewer commands, and whole steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from indelible.checkers.minimize.schedule import Intent
from indelible.model.events import Command, Event, NodeId, Receive, Restart, Submit, Torn
from indelible.model.scope import Scope

__all__ = ["Candidate", "simpler"]


class Candidate(NamedTuple):
    """A scope and a schedule in it that may fail in the same way; it has to be played to know."""

    scope: Scope
    intents: tuple[Intent, ...]


def simpler(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """What would be simpler than ``intents`` in ``scope``, if it still failed.

    Order: without one node or two (the last ones first), with one command fewer, a crash without
    the step it cut short, a whole step in place of a torn one. Each has fewer nodes, commands,
    events at a crash or crashes than what it came from, and no more events: a pipeline that takes
    only what fails must come to an end.
    """
    yield from _fewer_nodes(scope, intents)
    yield from _fewer_commands(scope, intents)
    yield from _whole_steps(scope, intents)


def _fewer_nodes(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """Two at once too, because that is what it takes to make a majority smaller.

    Numbered nodes stay numbered from 0 on: the others move up.
    """
    for count in (2, 1):
        for dropped in combinations(reversed(scope.nodes), count):
            left = tuple(node for node in scope.nodes if node not in dropped)
            if not left:
                continue
            numbered = scope.nodes == tuple(range(len(scope.nodes)))
            names = dict(zip(left, range(len(left)) if numbered else left, strict=True))
            smaller = replace(
                scope,
                nodes=tuple(names.values()),
                may_submit=_renamed_by_command(scope.may_submit, names),
                may_time_out=_renamed(scope.may_time_out, names),
            )
            yield Candidate(smaller, tuple(_moved(intents, names)))


def _renamed_by_command(
    may_submit: tuple[NodeId, ...] | Mapping[Command, tuple[NodeId, ...]] | None,
    names: Mapping[NodeId, NodeId],
) -> tuple[NodeId, ...] | Mapping[Command, tuple[NodeId, ...] | None] | None:
    if isinstance(may_submit, Mapping):
        return {command: _renamed(nodes, names) for command, nodes in may_submit.items()}
    return _renamed(may_submit, names)


def _renamed(
    nodes: tuple[NodeId, ...] | None, names: Mapping[NodeId, NodeId]
) -> tuple[NodeId, ...] | None:
    return None if nodes is None else tuple(names[node] for node in nodes if node in names)


def _moved(intents: tuple[Intent, ...], names: Mapping[NodeId, NodeId]) -> Iterator[Intent]:
    """The schedule among the nodes that are left, under their new names.

    Indices must stay as they are, since messages are known by them: what happened at a node that
    is gone stays in the schedule as something that is never enabled.
    """
    for node, event, origin in intents:
        yield Intent(names.get(node, _NOWHERE), _event_with(event, names), origin)


_NOWHERE = "(no longer a node)"


def _event_with(event: Event, names: Mapping[NodeId, NodeId]) -> Event:
    match event:
        case Receive(source, message):
            return Receive(names.get(source, _NOWHERE), message)
        case Torn(Receive(source, message), kept):
            return Torn(Receive(names.get(source, _NOWHERE), message), kept)
    return event


def _fewer_commands(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    used = [command for command in scope.commands if command in _submitted(intents)]
    for position, command in reversed(list(enumerate(used))):
        for other in used[:position]:
            yield Candidate(scope, tuple(_with_command(intents, command, other)))


def _submitted(intents: tuple[Intent, ...]) -> set[Command]:
    events = (
        intent.event.event if isinstance(intent.event, Torn) else intent.event for intent in intents
    )
    return {event.command for event in events if isinstance(event, Submit)}


def _with_command(
    intents: tuple[Intent, ...], command: Command, other: Command
) -> Iterator[Intent]:
    for node, event, origin in intents:
        match event:
            case Submit(own) if own == command:
                yield Intent(node, Submit(other), origin)
            case Torn(Submit(own), kept) if own == command:
                yield Intent(node, Torn(Submit(other), kept), origin)
            case _:
                yield Intent(node, event, origin)


def _whole_steps(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    for index, (node, event, origin) in enumerate(intents):
        if isinstance(event, Torn):
            before, after = intents[:index], intents[index + 1 :]
            yield Candidate(scope, (*before, Intent(node, Restart()), *after))
            yield Candidate(scope, (*before, Intent(node, event.event, origin), *after))
