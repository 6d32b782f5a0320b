"""Rebuild: a shortest path to a state, found backwards, without parent pointers.

The predecessors of a state differ from it in one node, by a learned step; the one taken is the
first in the level before that exists and may take that step. Levels are slices of the states in
the order of discovery, so each step scans one slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.packed import PackedSet
from indelible.model.events import Action, Restart, Torn

__all__ = ["LearnedSteps", "LocalStep", "action_of", "path_to"]


class LocalStep(NamedTuple):
    """A learned step of one node: ``kept`` is -1 for the whole step, or where a crash cut it."""

    node: int
    before: int
    bit: int
    kept: int


class LearnedSteps:
    """Every step learned so far, as rows (node index, local id, occurrence, what was learned)."""

    def __init__(self, automata: LocalAutomata) -> None:
        self._branchings = automata.branchings
        self._batches: list[NDArray[np.int32]] = []
        self.count = 0

    def add(self, batch: NDArray[np.int64]) -> None:
        self.count += len(batch)
        self._batches.append(batch[batch[:, 3] != 0].astype(np.int32))

    def count_whole(self) -> int:
        """How many change something, and are not cut short by a crash."""
        whole = 0
        for batch in self._batches:
            targets = batch[:, 3]
            whole += int(np.count_nonzero(targets > 0))
            for number in targets[targets < 0].tolist():
                whole += self._branchings[-number - 1].whole != 0
        return whole

    def into(self, node: int, local: int) -> list[LocalStep]:
        """The steps of a node that lead to ``local``, in order."""
        rows = self._of_node(node)
        steps = [
            LocalStep(node, before, bit, -1)
            for _, before, bit, _ in rows[rows[:, 3] == local].tolist()
        ]
        for _, before, bit, number in rows[rows[:, 3] < 0].tolist():
            branching = self._branchings[-number - 1]
            steps += [
                LocalStep(node, before, bit, kept)
                for kept, target in ((-1, branching.whole), *branching.torn)
                if target == local
            ]
        return sorted(steps)

    def _of_node(self, node: int) -> NDArray[np.int32]:
        if len(self._batches) > 1:
            self._batches = [np.concatenate(self._batches)]
        (rows,) = self._batches
        chosen: NDArray[np.int32] = rows[rows[:, 0] == node]
        return chosen


def action_of(automata: LocalAutomata, index: int, bit: int, kept: int) -> Action:
    """The (node, event) of an occurrence at a node, torn after ``kept`` effects unless -1."""
    automaton = automata.automata[index]
    event = automaton.occurrences[bit].event
    if kept >= 0:
        assert not isinstance(event, Restart | Torn)
        event = Torn(event, kept)
    return automaton.node, event


def path_to(
    states: PackedSet,
    levels: Sequence[int],
    target: int,
    automata: LocalAutomata,
    steps: LearnedSteps,
) -> tuple[Action, ...]:
    """The actions of a shortest path from the initial state to the state of index ``target``.

    ``levels[d]`` is the index of the first state at depth ``d``.
    """
    depth = max(at for at, first in enumerate(levels) if first <= target)
    actions: list[Action] = []
    locals_ = states.tuple_at(target)
    for level in range(depth - 1, -1, -1):
        locals_, action = _before(locals_, states, levels[level : level + 2], automata, steps)
        actions.append(action)
    return tuple(reversed(actions))


def _before(
    locals_: tuple[int, ...],
    states: PackedSet,
    level: Sequence[int],
    automata: LocalAutomata,
    steps: LearnedSteps,
) -> tuple[tuple[int, ...], Action]:
    candidates: dict[tuple[int, ...], list[LocalStep]] = {}
    for index, local in enumerate(locals_):
        for step in steps.into(index, local):
            earlier = (*locals_[:index], step.before, *locals_[index + 1 :])
            candidates.setdefault(earlier, []).append(step)
    for found in states.find(list(candidates), level[0], level[1]):
        earlier = states.tuple_at(found)
        for step in sorted(candidates[earlier]):
            if automata.is_enabled(earlier, step.node, step.bit, torn=step.kept >= 0):
                return earlier, action_of(automata, step.node, step.bit, step.kept)
    raise AssertionError("every state but the initial one was reached from the level before")
