"""The dumb twin of the explorer: plain breadth-first search over ``Cluster``.

Short and obviously right: every state, every transition and every property is evaluated afresh. It
defines what the explorer must agree with: states, transitions, depth, property, length of trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indelible.checkers.findings import RAISES, Finding, Findings
from indelible.checkers.limits import Limits, Progress
from indelible.checkers.property import Property, world_of
from indelible.checkers.verdicts import Search, conclude, reached_in, violations_after
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect, SetTimer
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action, Timer
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

__all__ = ["explore_breadth_first"]


def explore_breadth_first(
    implementation: Implementation, scope: Scope, properties: Sequence[Property], limits: Limits
) -> Verdict:
    """Explore every behaviour of ``implementation`` inside ``scope``, slowly."""
    return conclude(BreadthFirst(implementation, scope, properties, limits))


class BreadthFirst(Search):
    """States in the order of discovery, with the action and the state they were found from."""

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        limits: Limits,
    ) -> None:
        super().__init__(implementation, scope, limits)
        self.findings = Findings(properties)
        self._cluster = Cluster(implementation, scope, twice=False)
        self._world = world_of(implementation, scope)
        self._index: dict[ClusterState, int] = {}
        self._states: list[ClusterState] = []
        self._found_from: list[tuple[int, Action] | None] = []
        self._effect_types: set[type] = set()
        self._timers_set: set[Timer] = set()

    @property
    def states_distinct(self) -> int:
        return len(self._states)

    @property
    def effect_types(self) -> set[type]:
        return self._effect_types

    @property
    def timers_set(self) -> set[Timer]:
        return self._timers_set

    def actions_to(self, finding: Finding) -> tuple[Action, ...]:
        index, last = finding.witness
        actions = [] if last is None else [last[1]]
        origin = self._found_from[index] if self._states else None
        while origin is not None:
            index, action = origin
            actions.append(action)
            origin = self._found_from[index]
        return tuple(reversed(actions))

    def run(self) -> None:
        try:
            initial = self._cluster.initial()
        except ImplementationRaised:
            self.findings.add(Finding(RAISES, 0, (0, None)))
            return
        for node in self.scope.nodes:
            step = self.implementation.start(node, self.scope.nodes, None)
            self._see(tuple(step[1]))
        self._add(initial, None)
        self._judge(0, None, None, initial, (), 0)
        begin, end = 0, 1
        while not self.violation() and end > begin:
            self.limits.check_depth(self.depth)
            for index in range(begin, end):
                self._expand(index)
            begin, end = end, len(self._states)
            if end > begin:
                self.depth += 1

    def _expand(self, index: int) -> None:
        self.limits.check_time()
        self.limits.check_states(len(self._states))
        before = self._states[index]
        for number, action in enumerate(self._cluster.enabled(before)):
            witness = (index, (number, action))
            try:
                after, effects = self._cluster.outcome(before, action)
            except ImplementationRaised:
                self.findings.add(Finding(RAISES, self.depth + 1, witness))
                continue
            self._see(effects)
            if after != before:
                self.transitions += 1
                self._add(after, (index, action))
                self._judge(self.depth + 1, before, action, after, effects, witness)
        self.report(
            Progress(
                states_distinct=len(self._states),
                transitions=self.transitions,
                depth=self.depth,
                frontier=len(self._states) - index,
                calls=0,
                memory_bytes=0,
                seconds=self.limits.seconds,
            )
        )

    def _see(self, effects: tuple[Effect, ...]) -> None:
        self._effect_types.update(type(effect) for effect in effects)
        self._timers_set.update(effect.timer for effect in effects if isinstance(effect, SetTimer))

    def _add(self, state: ClusterState, found_from: tuple[int, Action] | None) -> None:
        if state not in self._index:
            self._index[state] = len(self._states)
            self._states.append(state)
            self._found_from.append(found_from)

    def _judge(
        self,
        depth: int,
        before: ClusterState | None,
        action: Action | None,
        after: ClusterState,
        effects: tuple[Effect, ...],
        witness: Any,
    ) -> None:
        for known in self.findings.properties:
            if known.kind == "sometimes":
                if reached_in(known, self._world, after):
                    self.findings.reached.add(known.name)
            elif violations_after(known, self._world, before or after, action, after, effects):
                self.findings.add(Finding(known.name, depth, witness or (0, None)))
