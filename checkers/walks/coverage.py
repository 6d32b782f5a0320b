"""Coverage: how much of a scope random runs have seen, where the scope could be exhausted.

Runs are followed on the local automata of an exhaustive search, whose numbers of states are exact;
so what is counted as seen is what the explorer counts as a state. Nobody can say how much random
testing covers of a scope that nobody has exhausted, and this does not try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.parts import Occurrence
from indelible.checkers.explorer.search import Exploration
from indelible.checkers.limits import Limits
from indelible.checkers.verdicts import run_to_limit
from indelible.model.errors import ScopeError
from indelible.model.events import Action, Event, Receive, Torn
from indelible.model.implementation import Implementation
from indelible.model.record import next_envelope
from indelible.model.scope import Scope

__all__ = ["Coverage", "Covered", "Share"]

CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    seen: int
    total: int

    @property
    def ratio(self) -> float:
        return self.seen / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Covered:
    """What runs have seen of a scope: of its distinct global states, of the distinct local states
    of its nodes, and of the distinct local steps (a node's local state and a whole event that
    changes it; steps that a crash cuts short are not counted)."""

    global_states: Share
    local_states: Share
    local_steps: Share


class Coverage:
    """Counts what runs see of a scope. Making it explores the scope, with no property judged.

    ``follow`` is told of whole runs. Raises ``ScopeError`` where the scope is not exhausted within
    ``limits``.
    """

    def __init__(self, implementation: Implementation, scope: Scope, limits: Limits) -> None:
        self._scope = scope
        exploration = Exploration(implementation, scope, (), limits)
        gave_up = run_to_limit(exploration)
        raised = exploration.violation()
        if gave_up or raised:
            raise ScopeError(
                "the scope could not be exhausted, and so no share of it can be given: "
                + (gave_up or "the implementation raises an exception in it"),
                cause="only of a scope that was exhausted is known how much there is in it",
                remedy="choose a smaller scope, give it more time, or leave out --coverage",
            )
        self._automata: LocalAutomata = exploration.automata
        self._initial = self._automata.start()
        states = exploration.states
        self._states = states.count
        reachable: list[set[int]] = [set() for _ in scope.nodes]
        for start in range(0, states.count, CHUNK):
            columns = states.columns(start, min(states.count, start + CHUNK))
            for known, column in zip(reachable, columns, strict=True):
                known.update(np.unique(column).tolist())
        self._locals = sum(map(len, reachable))
        self._steps = exploration.whole_steps
        self._seen_global = {self._initial}
        self._seen_local = set(enumerate(self._initial))
        self._seen_steps: set[tuple[int, int, int]] = set()

    def covered(self) -> Covered:
        """What was seen so far."""
        return Covered(
            Share(len(self._seen_global), self._states),
            Share(len(self._seen_local), self._locals),
            Share(len(self._seen_steps), self._steps),
        )

    def follow(self, actions: tuple[Action, ...]) -> None:
        """A run: its events one after another, each of which changed something."""
        locals_ = list(self._initial)
        for node, event in actions:
            index = self._scope.nodes.index(node)
            before = locals_[index]
            locals_[index] = self._after(index, before, event)
            self._seen_local.add((index, locals_[index]))
            self._seen_global.add(tuple(locals_))

    def _after(self, index: int, before: int, event: Event) -> int:
        """The next local state of a node, as the explorer numbers it."""
        automaton = self._automata.automata[index]
        whole = event.event if isinstance(event, Torn) else event
        bit = automaton.occurrences.ids[Occurrence(whole, self._number(index, before, whole))]
        target = automaton.learn(before, bit)
        if not isinstance(event, Torn):
            if target < 0:
                target = self._automata.branchings[-target - 1].whole
            self._seen_steps.add((index, before, bit))
            return target or before
        torn = dict(self._automata.branchings[-target - 1].torn)
        return torn[event.kept] or before

    def _number(self, index: int, before: int, event: Event) -> int:
        if not isinstance(event, Receive):
            return 0
        node, record = self._scope.nodes[index], self._automata.automata[index].record(before)
        links = self._scope.links
        return next_envelope(record, node, event.source, event.message, links).number
