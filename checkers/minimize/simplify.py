"""Simplify: the same failure with fewer nodes, fewer commands, whole steps, and plainer names.

What is simpler than what is decided by ``weight`` alone; all else here is only a proposal, and
whether it still fails is for the pipeline to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

from indelible.checkers.minimize.schedule import Intent
from indelible.model.events import Command, Event, NodeId, Receive, Restart, Submit, Torn
from indelible.model.run import handled_event
from indelible.model.scope import Scope

__all__ = ["Candidate", "Weight", "simpler", "weight"]

Weight: TypeAlias = tuple[int, int, int, int, int, tuple[int, ...], tuple[int, ...]]


class Candidate(NamedTuple):
    """A scope and a schedule in it that may fail in the same way; it has to be played to know."""

    scope: Scope
    intents: tuple[Intent, ...]


def weight(scope: Scope, intents: Sequence[Intent]) -> Weight:
    """How hard a trace is to read; the lower of two is the simpler one.

    By the number of nodes, then of events, torn steps, restarts and commands, and then by names:
    the commands and the nodes that come earlier in the scope are met first.
    """
    commands = tuple(_commands_met(scope, intents))
    return (
        len(scope.nodes),
        len(intents),
        sum(isinstance(intent.event, Torn) for intent in intents),
        sum(isinstance(intent.event, Restart) for intent in intents),
        len(set(commands)),
        commands,
        tuple(scope.nodes.index(intent.node) for intent in intents),
    )


def simpler(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """What would be simpler than ``intents`` in ``scope``, if it still failed.

    Order: without two nodes or one (the last ones first), with one command fewer, a crash without
    the step it cut short, a whole step in place of a torn one; then the same events with commands,
    and with nodes, that swap their names. Only the first of these leaves the scope.

    Invariant: none asks for more events. A pipeline that takes only what weighs less comes to an
    end, because weights are well-ordered.
    """
    yield from _fewer_nodes(scope, intents)
    yield from _fewer_commands(scope, intents)
    yield from _whole_steps(scope, intents)
    yield from _earlier_commands(scope, intents)
    yield from _earlier_nodes(scope, intents)


def _fewer_nodes(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """Two at once too, because that is what it takes to make a majority smaller.

    Numbered nodes stay numbered from 0 on: the others move up.
    """
    for count in (2, 1):
        for dropped in combinations(reversed(scope.nodes), count):
            left = tuple(node for node in scope.nodes if node not in dropped)
            if not left:
                continue
            names = dict(zip(left, range(len(left)) if _are_numbered(scope) else left, strict=True))
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
) -> Any:
    if isinstance(may_submit, Mapping):
        return {command: _renamed(nodes, names) for command, nodes in may_submit.items()}
    return _renamed(may_submit, names)


def _are_numbered(scope: Scope) -> bool:
    return scope.nodes == tuple(range(len(scope.nodes)))


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
    """Each command as one that comes before it, where that may be submitted so often."""
    used = sorted(set(_commands_met(scope, intents)), reverse=True)
    for place in used:
        for other in reversed(used[used.index(place) + 1 :]):
            names = {scope.commands[place]: scope.commands[other]}
            yield Candidate(scope, tuple(_with_commands(intents, names)))


def _earlier_commands(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """The first commands of the scope, in the order in which they are submitted."""
    met = dict.fromkeys(_commands_met(scope, intents))
    names = {scope.commands[own]: scope.commands[place] for place, own in enumerate(met)}
    yield Candidate(scope, tuple(_with_commands(intents, names)))


def _earlier_nodes(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    """The nodes numbered in the order in which they act, or two of them swapped.

    Not every order, because there are too many; and not nodes that have names, because a name may
    say what a node is for. The scope stays, so that nobody does what was not asked about.
    """
    if not _are_numbered(scope):
        return
    acting = list(dict.fromkeys(intent.node for intent in intents))
    resting = [node for node in scope.nodes if node not in acting]
    yield Candidate(
        scope, tuple(_moved(intents, dict(zip(acting + resting, scope.nodes, strict=True))))
    )
    for one, other in combinations(scope.nodes, 2):
        names = {node: node for node in scope.nodes} | {one: other, other: one}
        yield Candidate(scope, tuple(_moved(intents, names)))


def _commands_met(scope: Scope, intents: Iterable[Intent]) -> Iterator[int]:
    """The places in the scope of the commands submitted, in the order of the events."""
    for intent in intents:
        event = handled_event(intent.event)
        if isinstance(event, Submit):
            yield scope.commands.index(event.command)


def _with_commands(
    intents: tuple[Intent, ...], names: Mapping[Command, Command]
) -> Iterator[Intent]:
    for node, event, origin in intents:
        match event:
            case Submit(own):
                yield Intent(node, Submit(names.get(own, own)), origin)
            case Torn(Submit(own), kept):
                yield Intent(node, Torn(Submit(names.get(own, own)), kept), origin)
            case _:
                yield Intent(node, event, origin)


def _whole_steps(scope: Scope, intents: tuple[Intent, ...]) -> Iterator[Candidate]:
    for index, (node, event, origin) in enumerate(intents):
        if isinstance(event, Torn):
            before, after = intents[:index], intents[index + 1 :]
            yield Candidate(scope, (*before, Intent(node, Restart()), *after))
            yield Candidate(scope, (*before, Intent(node, event.event, origin), *after))
