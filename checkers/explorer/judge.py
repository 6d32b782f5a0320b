"""Judge: evaluates properties as rarely as what they read allows.

A property of one record or one local step is evaluated while learning, once per distinct
projection (and event, and list of effects, if it asks for them); a step that breaks one becomes a
*suspect*, and counts from the first reachable global state that takes it. A property of a pair or
of all records is evaluated once per distinct combination of projections among the global states,
which the kernel collects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.kernel import project
from indelible.checkers.explorer.packed import PackedSet
from indelible.checkers.explorer.parts import Branching, Interner
from indelible.checkers.explorer.projections import Combinations, Projections
from indelible.checkers.findings import RAISES, Finding, Findings
from indelible.checkers.property import Property, World
from indelible.model.effects import Effect
from indelible.model.events import Event, Restart, Torn

__all__ = ["Judge", "Suspect", "distinct_rows"]

CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True, order=True)
class Suspect:
    """A local step that breaks a property: counts when a global state takes it."""

    node: int
    local: int
    bit: int
    kept: int  # Effects kept by a crash in the middle, or -1 for the whole step.
    property: str


class Judge:
    """Judges local states and steps as they are learned, and global states level by level."""

    def __init__(
        self, automata: LocalAutomata, world: World, properties: Sequence[Property]
    ) -> None:
        self.findings = Findings(properties)
        self.suspects: list[Suspect] = []
        self._automata, self._world = automata, world
        self._projections: dict[tuple[str, ...], Projections] = {}
        always = [known for known in properties if known.kind == "always"]
        self._of_record = [known for known in always if known.reads == "record"]
        self._of_step = [known for known in always if known.reads == "step"]
        joint = [known for known in properties if known not in self._of_record + self._of_step]
        for known in properties:
            self._projections.setdefault(known.fields, Projections(known.fields, automata))
        nodes = len(automata.automata)
        self._combinations = [
            Combinations(
                projections,
                [known for known in joint if known.fields == projections.fields],
                PackedSet(nodes),
            )
            for projections in self._projections.values()
            if any(known.fields == projections.fields for known in joint)
        ]
        self._bad_locals: list[dict[int, list[str]]] = [{} for _ in range(nodes)]
        self._record_verdicts: dict[tuple[str, int, int], bool] = {}
        self._step_verdicts: dict[tuple[str, int, int, int, int, int, int], bool] = {}
        self._told: Interner[tuple[Effect, ...]] = Interner()
        nothing = np.zeros(0, np.int64)
        self._told_numbers = {known.name: nothing for known in self._of_step if known.wants_step}

    @property
    def memory_bytes(self) -> int:
        return sum(group.tuples.memory_bytes for group in self._combinations)

    # --- local states and steps ----------------------------------------------------------------

    def judge_initial(self, locals_: Sequence[int]) -> None:
        """The initial local states; the initial global state is judged as a level."""
        self._follow()
        for index, local in enumerate(locals_):
            for name in self._bad_locals[index].get(local, ()):
                self.findings.add(Finding(name, 0, (0, None)))

    def judge_learned(self, learned: NDArray[np.int64]) -> None:
        """A batch of learned steps, and the local states that came with them.

        Rows are (node index, local id, occurrence, what ``learn`` returned).
        """
        self._follow()
        plain = learned[learned[:, 3] > 0]
        if any(self._bad_locals):
            for index, local, bit, target in plain.tolist():
                bad = self._bad_locals[index].get(target, ())
                self._suspect(index, local, bit, -1, bad)
        effects = np.zeros(len(plain) if self._told_numbers else 0, np.int64)
        automata = self._automata.automata
        for row, (index, local, bit) in enumerate(plain[: len(effects), :3].tolist()):
            effects[row] = automata[index].effects_number(local, bit, -1)
        for known in self._of_step:
            self._judge_steps(known, plain, effects)
        for index, local, bit, number in learned[learned[:, 3] < 0].tolist():
            self._judge_branching(index, local, bit, self._automata.branchings[-number - 1])

    def _judge_branching(self, index: int, local: int, bit: int, branching: Branching) -> None:
        for kept, _ in branching.raised:
            self._suspect(index, local, bit, -1 if kept is None else kept, [RAISES])
        for kept, target in ((-1, branching.whole), *branching.torn):
            if target:
                bad = self._bad_locals[index].get(target, ())
                self._suspect(index, local, bit, kept, bad)
                for known in self._of_step:
                    if not self._step_holds(known, index, local, bit, kept, target):
                        self._suspect(index, local, bit, kept, [known.name])

    def _judge_steps(
        self, known: Property, plain: NDArray[np.int64], effects: NDArray[np.int64]
    ) -> None:
        """A property of a step on many whole steps: once per distinct pair of projections (and
        event, and list of effects it is told of, if it asks for them)."""
        projections = self._projections[known.fields].array()
        nodes = plain[:, 0]
        before, after = projections[nodes, plain[:, 1]], projections[nodes, plain[:, 3]]
        columns: list[NDArray[np.integer[Any]]] = [nodes, before, after]
        if known.reads_event:
            columns.append(plain[:, 2])
        if known.wants_step:
            columns.append(self._told_numbers_of(known)[effects])
        first, inverse = distinct_rows(columns)
        bad = np.zeros(len(first), np.bool_)
        for number, row in enumerate(first.tolist()):
            index, local, bit, target = plain[row].tolist()
            bad[number] = not self._step_holds(known, index, local, bit, -1, target)
        for row in np.flatnonzero(bad[inverse]).tolist():
            index, local, bit, _ = plain[row].tolist()
            self._suspect(index, local, bit, -1, [known.name])

    def _suspect(self, index: int, local: int, bit: int, kept: int, names: Iterable[str]) -> None:
        self.suspects += [Suspect(index, local, bit, kept, name) for name in names]

    def _follow(self) -> None:
        """Number the projections of new local states, and judge properties of one record."""
        nodes = range(len(self._automata.automata))
        new = {
            fields: [projections.follow(index) for index in nodes]
            for fields, projections in self._projections.items()
        }
        for known in self._of_record:
            projections = self._projections[known.fields]
            for index in nodes:
                column = projections.of_local[index]
                for local in new[known.fields][index]:
                    key = (known.name, index, column[local])
                    holds = self._record_verdicts.get(key)
                    if holds is None:
                        seen = projections.view(index, column[local])
                        holds = not known.violations(seen, world=self._world)
                        self._record_verdicts[key] = holds
                    if not holds:
                        self._bad_locals[index].setdefault(local, []).append(known.name)

    def _step_holds(
        self, known: Property, index: int, local: int, bit: int, kept: int, target: int
    ) -> bool:
        projections = self._projections[known.fields]
        column = projections.of_local[index]
        before, after = column[local], column[target]
        told = 0
        if known.wants_step:
            number = self._automata.automata[index].effects_number(local, bit, kept)
            told = int(self._told_numbers_of(known)[number])
        happened = (bit, kept) if known.reads_event else (0, 0)
        key = (known.name, index, before, after, *happened, told)
        holds = self._step_verdicts.get(key)
        if holds is None:
            event: Event = self._automata.automata[index].occurrences[bit].event
            if kept >= 0 and not isinstance(event, Restart | Torn):
                event = Torn(event, kept)
            seen = projections.view(index, before), event, projections.view(index, after)
            effects = self._told[told] if known.wants_step else ()
            holds = not known.violations(*seen, world=self._world, effects=effects)
            self._step_verdicts[key] = holds
        return holds

    def _told_numbers_of(self, known: Property) -> NDArray[np.int64]:
        """For each list of effects met so far the number of what a property is told of it."""
        numbers, met = self._told_numbers[known.name], self._automata.effects.values
        if len(numbers) < len(met):
            new = [self._told(known.told_of(effects)) for effects in met[len(numbers) :]]
            numbers = np.concatenate([numbers, np.array(new, np.int64)])
            self._told_numbers[known.name] = numbers
        return numbers

    # --- global states -------------------------------------------------------------------------

    def judge_suspects(self, states: PackedSet, begin: int, end: int, depth: int) -> None:
        """Which suspects do the states ``begin:end``, at ``depth``, take?"""
        if not self.suspects:
            return
        by_local: dict[tuple[int, int], list[Suspect]] = {}
        for suspect in self.suspects:
            by_local.setdefault((suspect.node, suspect.local), []).append(suspect)
        wanted = {
            node: np.array(sorted(local for at, local in by_local if at == node), np.int64)
            for node in {at for at, _ in by_local}
        }
        for start in range(begin, end, CHUNK):
            columns = states.columns(start, min(end, start + CHUNK))
            for node in sorted(wanted):
                for row in np.flatnonzero(np.isin(columns[node], wanted[node])).tolist():
                    locals_ = [int(column[row]) for column in columns]
                    for suspect in by_local[node, locals_[node]]:
                        torn = suspect.kept >= 0
                        if self._automata.is_enabled(locals_, node, suspect.bit, torn=torn):
                            witness = (start + row, (node, suspect.bit, suspect.kept))
                            self.findings.add(Finding(suspect.property, depth + 1, witness))

    def judge_level(
        self, states: PackedSet, begin: int, end: int, depth: int, pause: Callable[[], None]
    ) -> None:
        """Properties of pairs and of all records, on the states ``begin:end``, at ``depth``.

        ``pause`` is called now and then, and may raise to stop. Raises ``OutOfBits`` and
        ``MemoryError``.
        """
        for group in self._combinations:
            open_ = [known for known in group.properties if known.name not in self.findings.reached]
            if open_:
                self._collect(group, states, begin, end, pause)
                self._judge_tuples(group, open_, states, begin, end, depth, pause)

    def _collect(
        self,
        group: Combinations,
        states: PackedSet,
        begin: int,
        end: int,
        pause: Callable[[], None],
    ) -> None:
        tuples, most = group.tuples, [len(ids) for ids in group.projections.ids]
        if tuples.count == prod(most):
            return  # There are no others.
        projections = group.projections.array()
        tuples.widen(most)
        position = begin
        while position < end:
            pause()
            tuples.reserve(1024)
            position, count = project(
                states.low,
                states.high,
                states.layout,
                position,
                min(end, position + CHUNK),
                projections,
                tuples.low,
                tuples.high,
                tuples.table_low,
                tuples.table_high,
                tuples.layout,
                tuples.count,
                tuples.limit,
            )
            tuples.count = int(count)

    def _judge_tuples(
        self,
        group: Combinations,
        properties: Sequence[Property],
        states: PackedSet,
        begin: int,
        end: int,
        depth: int,
        pause: Callable[[], None],
    ) -> None:
        bad: dict[str, list[tuple[int, ...]]] = {}
        columns = group.tuples.columns(group.judged, group.tuples.count)
        group.judged = group.tuples.count
        for number, ids in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            if number % 1024 == 0:
                pause()
            for known in properties:
                if known.kind == "sometimes":
                    if known.name not in self.findings.reached and self._reached(group, known, ids):
                        self.findings.reached.add(known.name)
                elif not self._holds(group, known, ids):
                    bad.setdefault(known.name, []).append(ids)
        for name, tuples in bad.items():
            group.bad.setdefault(name, []).extend(tuples)
            index = self._first_with(group, tuples, states, begin, end)
            self.findings.add(Finding(name, depth, (index, None)))

    def violating(self, states: PackedSet, begin: int, end: int) -> dict[str, NDArray[np.int64]]:
        """Which of the states ``begin:end``, once judged, violate which property, by its name.

        A state does not tell of properties of a step; those are findings only.
        """
        found: dict[str, list[NDArray[np.int64]]] = {}
        for start in range(begin, end, CHUNK):
            columns = states.columns(start, min(end, start + CHUNK))
            for group in self._combinations:
                projections = group.projections.array()
                seen = np.column_stack([projections[at, own] for at, own in enumerate(columns)])
                for name, tuples in group.bad.items():
                    wrong = _are_among(seen, np.array(tuples, seen.dtype))
                    found.setdefault(name, []).append(start + np.flatnonzero(wrong))
            for known in self._of_record:
                wrong = np.zeros(len(columns[0]), np.bool_)
                for own, bad in zip(columns, self._bad_locals, strict=True):
                    locals_ = [local for local, names in bad.items() if known.name in names]
                    wrong |= np.isin(own, np.array(locals_, own.dtype))
                found.setdefault(known.name, []).append(start + np.flatnonzero(wrong))
        joined = {name: np.concatenate(indices) for name, indices in found.items()}
        return {name: indices for name, indices in joined.items() if indices.size}

    def _holds(self, group: Combinations, known: Property, ids: tuple[int, ...]) -> bool:
        if known.reads == "records":
            views = tuple(group.projections.view(index, own) for index, own in enumerate(ids))
            return not known.violations(views, world=self._world)
        return all(
            self._pair_holds(group, known, one, ids[one], other, ids[other])
            for one, other in _pairs(len(ids))
        )

    def _pair_holds(
        self, group: Combinations, known: Property, one: int, own: int, other: int, others: int
    ) -> bool:
        key = (known.name, one, own, other, others)
        holds = group.pairs.get(key)
        if holds is None:
            views = group.projections.view(one, own), group.projections.view(other, others)
            holds = group.pairs[key] = not known.violations(*views, world=self._world)
        return holds

    def _reached(self, group: Combinations, known: Property, ids: tuple[int, ...]) -> bool:
        views = tuple(group.projections.view(index, own) for index, own in enumerate(ids))
        if known.reads == "records":
            return known.holds(views, world=self._world)
        if known.reads == "pair":
            return any(
                known.holds(views[one], views[other], world=self._world)
                for one, other in _pairs(len(views))
            )
        return any(known.holds(seen, world=self._world) for seen in views)

    def _first_with(
        self,
        group: Combinations,
        tuples: Sequence[tuple[int, ...]],
        states: PackedSet,
        begin: int,
        end: int,
    ) -> int:
        wanted = set(tuples)
        projections = group.projections.array()
        for start in range(begin, end, CHUNK):
            columns = states.columns(start, min(end, start + CHUNK))
            keys = zip(
                *(projections[index, column].tolist() for index, column in enumerate(columns)),
                strict=True,
            )
            for row, key in enumerate(keys):
                if key in wanted:
                    return start + row
        raise AssertionError("a tuple of projections came from a state of this level")


def distinct_rows(
    columns: Sequence[NDArray[np.integer[Any]]],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each of the distinct rows is first, the rows in order, and for every row which of them
    it is. Columns are not negative; as one number, if they fit, rows are sorted much faster."""
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    if prod(sizes) >= 1 << 63:
        rows = np.column_stack(columns)
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first, inverse.reshape(-1)
    numbers = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        numbers = numbers * size + column
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return first, inverse


def _are_among(rows: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which rows are among the others, also where both are many."""
    _, ids = np.unique(np.concatenate((others, rows)), axis=0, return_inverse=True)
    ids = ids.reshape(-1)
    return np.isin(ids[len(others) :], ids[: len(others)])


def _pairs(nodes: int) -> list[tuple[int, int]]:
    """Every two nodes in either order, and each with itself."""
    return list(product(range(nodes), range(nodes)))
