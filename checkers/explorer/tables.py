"""Tables: what was learned of the local automata, as arrays for the kernels.

The only writer of those arrays. ``sync`` copies new local states and sent sets, ``install`` the
steps of a batch; arrays grow by doubling, and old contents never change meaning.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.automata import Automaton, LocalAutomata
from indelible.checkers.explorer.kernel import (
    COUNTS,
    FIRST_WORD,
    KNOWN,
    PER_WORD,
    SENT,
    Guards,
    Steps,
    compact,
    install,
)
from indelible.checkers.explorer.parts import Occurrence
from indelible.model.errors import ScopeError
from indelible.model.events import Restart, Submit
from indelible.model.scope import Scope

__all__ = ["Tables"]

WORD: Final = 64
WORD_MASK: Final = (1 << WORD) - 1


class Guard:
    """A budget of the whole cluster: the event it forbids, and its field in the packed counts."""

    def __init__(self, event: Submit | Restart, most: int, shift: int) -> None:
        self.event, self.most, self.shift = event, most, shift
        self.width = most.bit_length()


class Tables:
    """Arrays that mirror ``automata``."""

    def __init__(self, automata: LocalAutomata) -> None:
        self._automata, self._branchings = automata.automata, automata.branchings
        self._scope = automata.scope
        nodes = len(self._automata)
        self._guards = _guards(automata.scope)
        self._local_counts = [1] * nodes  # Local ids start at 1; row 0 is never used.
        self._sent_counts = [0] * nodes
        self._successor_count, self._live_count = 1, 1
        self._branch_count = 1
        self.fan_out = 1
        self._degrees = np.zeros((nodes, 16), np.int64)
        self._steps = Steps(
            rows=np.zeros((nodes, 16, FIRST_WORD + PER_WORD), np.uint64),
            asked=np.zeros((nodes, 16, 1), np.uint64),
            successors=np.zeros(64, np.int32),
            branches=np.zeros(64, np.int32),
            sent_bits=np.zeros((nodes, 16, nodes, 1), np.uint64),
            always_bits=np.zeros((nodes, 1), np.uint64),
        )

    @property
    def steps(self) -> Steps:
        return self._steps

    @property
    def guards(self) -> Guards:
        """The budgets of the whole cluster, as the kernels need them."""
        bits = np.zeros((len(self._guards), self.words), np.uint64)
        restarts = -1
        for number, guard in enumerate(self._guards):
            if isinstance(guard.event, Restart):
                restarts = number
            # Submissions and restarts are the first events of every node, in the same order.
            occurrence = self._automata[0].occurrences.ids[Occurrence(guard.event, 0)]
            bits[number] = _words(1 << occurrence, self.words)
        return Guards(
            shift=np.array([guard.shift for guard in self._guards], np.uint64),
            mask=np.array([(1 << guard.width) - 1 for guard in self._guards], np.uint64),
            most=np.array([guard.most for guard in self._guards], np.uint64),
            bits=bits,
            restarts=restarts,
        )

    @property
    def words(self) -> int:
        """How many words the events of a node take."""
        return int(self._steps.always_bits.shape[1])

    @property
    def memory_bytes(self) -> int:
        return int(sum(array.nbytes for array in self._steps))

    def sync(self) -> None:
        """Make room for, and copy, the local states and sent sets met since the last time."""
        self._widen()
        for automaton in self._automata:
            self._sync_sent(automaton)
            self._sync_locals(automaton)
            self._steps.always_bits[automaton.index] = _words(automaton.always_bits, self.words)

    def install(self, learned: NDArray[np.int64]) -> None:
        """Write learned steps: rows (node index, local id, occurrence, what ``learn`` returned)."""
        entries = learned[np.lexsort((learned[:, 2], learned[:, 1], learned[:, 0]))]
        degrees = (entries[:, 3] != 0).astype(np.int64)
        for row in np.flatnonzero(entries[:, 3] < 0).tolist():
            entries[row, 3], degrees[row] = self._branch(-int(entries[row, 3]))
        self._reserve_successors(entries)
        self._successor_count = int(install(entries, self._steps, self._successor_count))
        self._live_count += int(np.count_nonzero(entries[:, 3]))
        np.add.at(self._degrees, (entries[:, 0], entries[:, 1]), degrees)
        self.fan_out = int(self._degrees.max(axis=1).sum())

    def _branch(self, number: int) -> tuple[int, int]:
        """Write a branching; minus its place (0 if it leads nowhere), and its number of targets."""
        branching = self._branchings[number - 1]
        torn = [target for _, target in branching.torn if target]
        if not torn:
            return branching.whole, int(branching.whole > 0)
        place = self._branch_count
        self._branch_count += 2 + len(torn)
        if self._branch_count > self._steps.branches.size:
            branches = _enlarged(self._steps.branches, 0, 2 * self._branch_count)
            self._steps = self._steps._replace(branches=branches)
        self._steps.branches[place : self._branch_count] = (branching.whole, len(torn), *torn)
        return -place, int(branching.whole > 0) + len(torn)

    def _reserve_successors(self, entries: NDArray[np.int64]) -> None:
        """Room for the worst case: each new step moves a whole block of up to 64."""
        room = self._successor_count + WORD * len(entries)
        if room <= self._steps.successors.size:
            return
        # At most half of the array is gaps after this, and it at least doubles what is in use.
        tight = np.zeros(2 * (self._live_count + WORD * len(entries)), np.int32)
        counts = np.array(self._local_counts, np.int64)
        self._successor_count = int(compact(self._steps, counts, tight, 1))
        self._steps = self._steps._replace(successors=tight)

    def _widen(self) -> None:
        locals_ = 1 + max(len(automaton.locals) for automaton in self._automata)
        sents = max(len(automaton.sents) for automaton in self._automata)
        words = 1 + max(len(automaton.occurrences) for automaton in self._automata) // WORD
        steps = self._steps
        if locals_ > steps.rows.shape[1]:
            size = max(locals_, 2 * steps.rows.shape[1])
            steps = steps._replace(
                rows=_enlarged(steps.rows, 1, size),
                asked=_enlarged(steps.asked, 1, size),
            )
            self._degrees = _enlarged(self._degrees, 1, size)
        if sents > steps.sent_bits.shape[1]:
            size = max(sents, 2 * steps.sent_bits.shape[1])
            steps = steps._replace(sent_bits=_enlarged(steps.sent_bits, 1, size))
        if words > self.words:
            steps = steps._replace(
                rows=_enlarged(steps.rows, 2, FIRST_WORD + words * PER_WORD),
                asked=_enlarged(steps.asked, 2, words),
                sent_bits=_enlarged(steps.sent_bits, 3, words),
                always_bits=_enlarged(steps.always_bits, 1, words),
            )
        self._steps = steps

    def _sync_sent(self, automaton: Automaton) -> None:
        index, words = automaton.index, self.words
        for number in range(self._sent_counts[index], len(automaton.sents)):
            for at, mask in enumerate(automaton.sents[number]):
                self._steps.sent_bits[index, number, at] = _words(mask, words)
        self._sent_counts[index] = len(automaton.sents)

    def _sync_locals(self, automaton: Automaton) -> None:
        first, index = self._local_counts[automaton.index], automaton.index
        new = automaton.locals.values[first - 1 :]
        if not new:
            return
        last = first + len(new)
        self._local_counts[index] = last
        rows = self._steps.rows[index, first:last]
        rows[:, SENT] = [parts.sent for parts in new]
        rows[:, COUNTS] = [self._packed_counts(automaton, parts.behaviour) for parts in new]
        idle = [automaton.idle(parts.behaviour) for parts in new]
        for word in range(self.words):
            column = FIRST_WORD + word * PER_WORD + KNOWN
            rows[:, column] = [bits >> (WORD * word) & WORD_MASK for bits in idle]

    def _packed_counts(self, automaton: Automaton, behaviour: int) -> int:
        record = automaton.behaviours[behaviour].rest
        return sum(self._used(guard, record) << guard.shift for guard in self._guards)

    def _used(self, guard: Guard, record: Any) -> int:
        if isinstance(guard.event, Restart):
            return int(record.restarts)
        if not record.submissions:
            return 0
        return int(record.submissions[self._scope.commands.index(guard.event.command)])


def _guards(scope: Scope) -> list[Guard]:
    """One field per bounded budget of the whole cluster; together they fit one word."""
    budgets: list[tuple[Submit | Restart, int]] = []
    if scope.submissions_max is not None:
        budgets += [(Submit(command), scope.submissions_max) for command in scope.commands]
    if scope.restarts_max:
        budgets.append((Restart(), scope.restarts_max))
    guards: list[Guard] = []
    shift = 0
    for event, most in budgets:
        guards.append(Guard(event, most, shift))
        shift += guards[-1].width
    if shift > WORD:
        raise ScopeError(
            f"the budgets of this scope need {shift} bits to count, more than {WORD}",
            cause="each command needs a counter up to submissions_max, and so do restarts",
            remedy="use fewer commands, smaller bounds, or None (unbounded)",
        )
    return guards


def _words(mask: int, words: int) -> list[int]:
    return [mask >> (WORD * number) & WORD_MASK for number in range(words)]


def _enlarged(array: Any, axis: int, size: int) -> Any:
    """The same contents in a larger array, zero where it is new."""
    shape = list(array.shape)
    shape[axis] = size
    larger = np.zeros(shape, array.dtype)
    larger[tuple(slice(length) for length in array.shape)] = array
    return larger
