"""Rebuild: a shortest path to a state, found backwards, without parent pointers.

The predecessors of a state differ from it in one node, by a learned step; the one taken is the
first in the level before that exists and may take that step. Levels are slices of the states in
the order of discovery, so each step scans one slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.packed import PackedSet
from indelible.model.events import Action, Restart, Torn

__all__ = ["LocalStep", "StepList", "action_of", "path_to"]


class LocalStep(NamedTuple):
    """A learned step of one node: ``kept`` is -1 for the whole step, or where a crash cut it."""

    before: int
    bit: int
    kept: int
    after: int


StepList = Sequence[Sequence[LocalStep]]


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
    steps: StepList,
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
    steps: StepList,
) -> tuple[tuple[int, ...], Action]:
    candidates: dict[tuple[int, ...], list[tuple[int, LocalStep]]] = {}
    for index, own in enumerate(steps):
        for step in own:
            if step.after == locals_[index]:
                earlier = (*locals_[:index], step.before, *locals_[index + 1 :])
                candidates.setdefault(earlier, []).append((index, step))
    for found in states.find(list(candidates), level[0], level[1]):
        earlier = states.tuple_at(found)
        for index, step in sorted(candidates[earlier]):
            if automata.is_enabled(earlier, index, step.bit, torn=step.kept >= 0):
                return earlier, action_of(automata, index, step.bit, step.kept)
    raise AssertionError("every state but the initial one was reached from the level before")
