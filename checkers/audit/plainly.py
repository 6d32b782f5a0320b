"""The dumb twin of the judge: records of all nodes, and every property evaluated after every entry.

It keeps everything, and says in words what is wrong. It takes a log to be whole: what it does not
say has not happened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from indelible.checkers.audit.judge import RULES
from indelible.checkers.properties import BUILT_IN, out_of_order
from indelible.checkers.property import Property, World
from indelible.checkers.verdicts import violations_after
from indelible.model.cluster import ClusterState, LocalState
from indelible.model.effects import NO_OP, Effect, Execute, InstallSnapshot, LoggedEffect
from indelible.model.events import Command, Event, NodeId, Restart, Submit, Torn, node_name
from indelible.model.log_json import LoggedEvent, Start
from indelible.model.quorums import QuorumSystem
from indelible.model.record import Record, after_effects
from indelible.model.run import handled_event
from indelible.model.scope import Scope
from indelible.model.trace import Violation

__all__ = ["PlainAudit"]

LIFETIME: Final = "execution_not_repeated"


@dataclass(frozen=True, slots=True)
class _Known:
    """A node's record, and what it would be had the node never executed anything before it last
    started. ``installed``: the commands before this index came with a snapshot."""

    record: Record
    lifetime: Record
    installed: int = 0


class PlainAudit:
    """Takes events one by one. ``nodes`` are those that quorums are made of; ``others`` are judged
    like them."""

    def __init__(
        self,
        quorums: QuorumSystem,
        nodes: tuple[NodeId, ...],
        others: tuple[NodeId, ...] = (),
        names: Collection[str] = RULES,
    ) -> None:
        self._quorums = quorums
        self._members = nodes
        self._nodes = (*nodes, *others)
        self._names = [name for name in RULES if name in names]
        self._known = dict.fromkeys(self._nodes, _Known(Record(), Record()))
        self._commands: dict[Command, None] = {}
        self._scope = Scope(nodes=self._nodes, commands=())

    def step(
        self, node: NodeId, event: LoggedEvent, told: tuple[LoggedEffect, ...]
    ) -> Mapping[str, tuple[Violation, ...]]:
        """What is wrong after an event with its effects, by property, in the order of the rules."""
        happened: Event = Restart() if isinstance(event, Start) else event
        handled = handled_event(happened)
        if isinstance(handled, Submit):
            self._commands[handled.command] = None
        before = dict(self._known)
        known = before[node]
        effects = tuple([each for each in told if not isinstance(each, InstallSnapshot)])
        record = after_effects(known.record, node, effects, self._scope)
        installs = [at for at, each in enumerate(told) if isinstance(each, InstallSnapshot)]
        if installs:
            # The state is another one then, as if it had started again.
            begins = max(installs[-1], happened.kept if isinstance(happened, Torn) else 0)
            since = tuple([each for each in told[begins:] if isinstance(each, Execute)])
            lifetime = after_effects(Record(), node, since, self._scope)
        else:
            lifetime = self._lived(node, known, happened, effects)
        installed = _installed(known, record, told)
        self._known[node] = _Known(record, lifetime, installed)
        found = {}
        for name in self._names:
            if installs and name == LIFETIME:
                continue
            wrong = self._violations(BUILT_IN[name], before, (node, happened), effects)
            if _is_since(name, installed):
                wrong += SINCE_SNAPSHOT[name](node, record, installed)
            if wrong:
                found[name] = wrong
        return found

    def _lived(
        self, node: NodeId, known: _Known, event: Event, effects: tuple[Effect, ...]
    ) -> Record:
        executed = tuple(effect for effect in effects if isinstance(effect, Execute))
        match event:
            case Restart():
                return after_effects(Record(), node, executed, self._scope)
            case Torn(_, kept):
                executed = tuple(each for each in effects[kept:] if isinstance(each, Execute))
                return after_effects(Record(), node, executed, self._scope)
        return after_effects(known.lifetime, node, executed, self._scope)

    def _violations(
        self,
        known: Property,
        before: Mapping[NodeId, _Known],
        action: tuple[NodeId, Event],
        effects: tuple[Effect, ...],
    ) -> tuple[Violation, ...]:
        earlier, later = (self._state(known.name, each) for each in (before, self._known))
        # World.nodes also says whose record is whose; quorums are asked about the members only.
        world = World(self._nodes, tuple(self._commands), None, 0, self._as_asked())
        return violations_after(known, world, earlier, action, later, effects)

    def _state(self, name: str, known: Mapping[NodeId, _Known]) -> ClusterState:
        records = [each.lifetime if name == LIFETIME else each.record for each in known.values()]
        for at, each in enumerate(known.values()):
            if _is_since(name, each.installed):
                records[at] = Record()
        return ClusterState(tuple(LocalState(None, record) for record in records))

    def _as_asked(self) -> QuorumSystem:
        return _Within(self._quorums, self._members)


def _installed(known: _Known, record: Record, effects: tuple[LoggedEffect, ...]) -> int:
    """How many commands came with a snapshot, and were not all executed one by one before."""
    most = max([each.index for each in effects if isinstance(each, InstallSnapshot)], default=0)
    return most if most > _first_missing(record, known.installed) else known.installed


def _is_since(name: str, installed: int) -> bool:
    """Whether a property asks only for what came after a snapshot."""
    return bool(installed) and name in SINCE_SNAPSHOT


def _first_missing(record: Record, installed: int) -> int:
    indices = {index for index, _ in record.executed}
    return next(number for number in count(installed) if number not in indices)


def _gap(node: NodeId, record: Record, installed: int) -> tuple[Violation, ...]:
    missing = _first_missing(record, installed)
    last = max([index for index, _ in record.executed], default=0)
    if last <= missing:
        return ()
    says = f"{node_name(node)} executed number {last} before number {missing}"
    return (Violation(says, nodes=(node,), property="execution_without_gap"),)


def _stray(node: NodeId, record: Record, installed: int) -> tuple[Violation, ...]:
    """Whatever is executed since then is decided in slots that go up; which slots are in the
    snapshot, and what need not be executed again, nobody says."""
    slot = 0
    for index in sorted({index for index, _ in record.executed if index >= installed}):
        commands = [command for at, command in record.executed if at == index]
        if len(commands) > 1:
            continue  # What ``log_prefix`` is about.
        (command,) = commands
        fits = [at for at, value in record.decided if at >= slot and value == command]
        if not fits or command is NO_OP:
            says = f"{node_name(node)} {out_of_order(index, command, slot, {})}"
            return (Violation(says, None, (node,), (command,), property="execution_follows_log"),)
        slot = min(fits) + 1
    return ()


SINCE_SNAPSHOT: Final = {
    "execution_without_gap": _gap,
    "execution_follows_log": _stray,
}
"""What is wrong at a node that has installed a snapshot, if anything."""


@dataclass(frozen=True, slots=True)
class _Within:
    """Quorums of ``nodes`` only, whoever else there is."""

    quorums: QuorumSystem
    nodes: tuple[NodeId, ...]

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        mine = tuple(node for node in self.nodes if node in members)
        return self.quorums.is_phase1_quorum(mine, self.nodes)

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        mine = tuple(node for node in self.nodes if node in members)
        return self.quorums.is_phase2_quorum(mine, self.nodes)
