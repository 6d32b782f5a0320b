"""Search: breadth-first over all global states, level by level, until nothing is new.

The one place that decides what happens next: expand a chunk of the frontier in the kernel, learn
the steps it did not know, expand again what had to wait, judge the new level, stop or go on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.judge import Judge
from indelible.checkers.explorer.kernel import (
    BATCH,
    COUNT,
    NOTES,
    POSITION,
    POSTPONED,
    RECENT_BITS,
    TRANSITIONS,
    expand,
)
from indelible.checkers.explorer.packed import OutOfBits, PackedSet
from indelible.checkers.explorer.rebuild import LearnedSteps, action_of, path_to
from indelible.checkers.explorer.tables import Tables
from indelible.checkers.findings import RAISES, Finding
from indelible.checkers.limits import GaveUp, Limits, Progress
from indelible.checkers.property import Property, world_of
from indelible.checkers.verdicts import Search, conclude
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action, Timer, node_name
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

__all__ = ["explore_exhaustively"]

CHUNK: Final = 1 << 16
"""Global states per call of the kernel: long enough to be fast, short enough to be interrupted."""

AHEAD: Final = 256
"""Local steps that an implementation may foresee at a time: it may take long over each."""


def explore_exhaustively(
    implementation: Implementation, scope: Scope, properties: Sequence[Property], limits: Limits
) -> Verdict:
    """Explore every behaviour of ``implementation`` inside ``scope``; see ``explore``."""
    return conclude(Exploration(implementation, scope, properties, limits))


class Exploration(Search):
    """The state of one search: what is known of the nodes, and which global states were found."""

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        limits: Limits,
    ) -> None:
        super().__init__(implementation, scope, limits)
        self.automata = LocalAutomata(implementation, scope)
        self.judge = Judge(self.automata, world_of(implementation, scope), properties)
        self.findings = self.judge.findings
        self._tables = Tables(self.automata)
        self.states = PackedSet(len(scope.nodes))
        self.levels: list[int] = []
        self._expanded = 0
        self._learned = LearnedSteps(self.automata)
        self._recent = (
            np.zeros(1 << RECENT_BITS, np.uint64),
            np.zeros(1 << RECENT_BITS, np.uint64),
        )
        # Kept between chunks, so that they are allocated once.
        self._postponed: NDArray[np.int64] = np.empty(CHUNK, np.int64)
        self._notes: NDArray[np.int64] = np.empty((0, 3), np.int64)
        self._buffers = (np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64))

    # --- what the verdict needs ------------------------------------------------------------------

    @property
    def states_distinct(self) -> int:
        return self.states.count

    @property
    def effect_types(self) -> set[type]:
        return self.automata.effect_types

    @property
    def timers_set(self) -> set[Timer]:
        return self.automata.timers_set

    @property
    def calls(self) -> int:
        return self.automata.calls

    @property
    def states_local(self) -> int:
        return sum(len(automaton.locals) for automaton in self.automata.automata)

    @property
    def steps_learned(self) -> int:
        return self._learned.count

    @property
    def whole_steps(self) -> int:
        """Distinct local steps that change something and that no crash cuts short."""
        return self._learned.count_whole()

    @property
    def values_met(self) -> Iterator[tuple[str, Sequence[Hashable]]]:
        automata = self.automata.automata
        widest = max(automata, key=lambda automaton: len(automaton.states))
        yield f"states of {node_name(widest.node)}", widest.states.values
        messages = {automaton.node: automaton.messages() for automaton in automata}
        receiver = max(messages, key=lambda node: len(messages[node]))
        yield f"messages to {node_name(receiver)}", messages[receiver]

    @property
    def memory_bytes(self) -> int:
        return self.states.memory_bytes + self._tables.memory_bytes + self.judge.memory_bytes

    def actions_to(self, finding: Finding) -> tuple[Action, ...]:
        """The trace that ends in a finding."""
        index, last = finding.witness
        if not self.levels:
            return ()  # The very first start of a node raised.
        path = path_to(self.states, self.levels, index, self.automata, self._learned)
        return path if last is None else (*path, action_of(self.automata, *last))

    # --- the search ------------------------------------------------------------------------------

    def run(self) -> None:
        """Search until the scope is exhausted or a property is violated. Raises ``GaveUp``."""
        try:
            initial = self.automata.start()
        except ImplementationRaised:
            self.findings.add(Finding(RAISES, 0, (0, None)))
            return
        self._tables.sync()
        self.states.add(initial)
        self.judge.judge_initial(initial)
        self.levels = [0, 1]
        self._judge_level(0, self.limits.check_time)
        while not self.is_done() and self.levels[-1] > self.levels[-2]:
            begin, end = self.levels[-2:]
            self.limits.check_depth(self.depth)
            try:
                for start in range(begin, end, CHUNK):
                    self._expand_chunk(self.worth_expanding(start, min(end, start + CHUNK)))
            except GaveUp:
                # What was found before a limit was hit is judged all the same, as far as it goes.
                with suppress(GaveUp):
                    self._judge_next_level(begin, end, lambda: None)
                raise
            self._judge_next_level(begin, end, self.limits.check_time)

    def is_done(self) -> bool:
        """Whether what was searched for is found, once a level is judged."""
        return self.violation() is not None

    def worth_expanding(self, begin: int, end: int) -> NDArray[np.int64]:
        """Which states of a judged level to look beyond."""
        return np.arange(begin, end, dtype=np.int64)

    def _judge_next_level(self, begin: int, end: int, pause: Callable[[], None]) -> None:
        """Judge what the states ``begin:end`` led to: steps that they take, and new states."""
        self.judge.judge_suspects(self.states, begin, end, self.depth)
        self.levels.append(self.states.count)
        if self.states.count > end:
            self.depth += 1
        self._judge_level(self.depth, pause)

    def _judge_level(self, depth: int, pause: Callable[[], None]) -> None:
        begin, end = self.levels[-2:]
        try:
            self.judge.judge_level(self.states, begin, end, depth, pause)
        except OutOfBits:
            raise GaveUp("two words cannot number what the properties read of the nodes") from None
        except MemoryError:
            raise GaveUp("the system refused more memory for what properties read") from None

    def _expand_chunk(self, todo: NDArray[np.int64]) -> None:
        """Expand the states ``todo``, learning what is not known."""
        while todo.size:
            notes, postponed = self._expand(todo)
            self._learn(notes)
            todo = postponed

    def _expand(self, todo: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Expand what is known; returns the unknown steps, and the states that wait for them."""
        guards = self._tables.guards
        notes_room = len(self.scope.nodes) * self._tables.words * 64
        self._prepare(notes_room)
        counters = np.zeros(5, np.int64)
        counters[COUNT] = self.states.count
        while True:
            self._make_room()
            states = self.states
            expand(
                todo,
                states.low,
                states.high,
                states.table_low,
                states.table_high,
                states.limit
                if self.limits.states_max is None
                else min(states.limit, self.limits.states_max + self._tables.fan_out + 1),
                states.layout,
                self._tables.steps,
                guards,
                *self._buffers,
                *self._recent,
                self._tables.fan_out,
                self._notes,
                self._postponed,
                counters,
            )
            self.transitions += int(counters[TRANSITIONS])
            counters[TRANSITIONS] = 0
            states.count = int(counters[COUNT])
            self._report()
            if counters[POSITION] == todo.size:
                break
            if counters[NOTES] + notes_room > self._notes.shape[0]:
                self._notes = np.concatenate((self._notes, np.empty_like(self._notes)))
        self._expanded += int(todo.size - counters[POSTPONED])
        return self._notes[: counters[NOTES]].copy(), self._postponed[: counters[POSTPONED]].copy()

    def _prepare(self, notes: int) -> None:
        """Buffers for what the kernel hands back: at least ``notes`` unknown steps per state."""
        if self._notes.shape[0] < 2 * notes:
            self._notes = np.empty((max(CHUNK, 4 * notes), 3), np.int64)
        size = BATCH + self._tables.fan_out
        if self._buffers[0].size < size:
            self._buffers = (
                np.empty(2 * size, np.uint64),
                np.empty(2 * size, np.uint64),
                np.empty(2 * size, np.int64),
            )

    def _make_room(self) -> None:
        """Check every limit, then make room for the successors of a good many states."""
        self.limits.check_time()
        self.limits.check_states(self.states.count)
        room = max(4 * self._tables.fan_out + BATCH, min(self.states.count // 8, 1 << 20))
        growth = self.states.growth_bytes(room)
        self.limits.check_memory(growth)
        try:
            self.states.reserve(room)
        except MemoryError:
            raise GaveUp(f"the system refused {growth / 2**20:,.0f} MiB more memory") from None

    def _learn(self, notes: NDArray[np.int64]) -> None:
        """Ask the implementation about the steps noted, and write them into the tables."""
        targets: list[int] = []
        for begin in range(0, len(notes), AHEAD):
            self._report()
            wanted = notes[begin : begin + AHEAD].tolist()
            self.automata.foresee(wanted)
            for index, local, bit in wanted:
                self.limits.check_time()
                targets.append(self.automata.automata[index].learn(local, bit))
        learned = np.column_stack((notes, np.array(targets, np.int64)))
        self._learned.add(learned)
        self._tables.sync()
        self._tables.install(learned)
        self.judge.judge_learned(learned)
        largest = [len(automaton.locals) for automaton in self.automata.automata]
        try:
            if self.states.widen(largest):
                self._recent[0][:] = 0  # They are packed in the old way.
        except OutOfBits:
            raise GaveUp(
                f"the nodes have {largest} local states, which two words cannot number"
            ) from None

    def _report(self) -> None:
        self.report(
            Progress(
                states_distinct=self.states.count,
                transitions=self.transitions,
                depth=self.depth,
                frontier=self.states.count - self._expanded,
                calls=self.automata.calls,
                memory_bytes=self.memory_bytes,
                seconds=self.limits.seconds,
            )
        )
