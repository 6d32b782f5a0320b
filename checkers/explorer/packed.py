"""Sets of tuples of small integers, packed exactly into one or two words each. No fingerprints.

A ``Packing`` says how many bits each component has; a ``PackedSet`` holds the tuples in the order
of discovery, beside a table to look them up. When a component outgrows its bits the packing
widens, so a number never wraps. Global states are such tuples (of local ids), and so are the
combinations of projections that a property was judged on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.memory import GrowingArray
from indelible.checkers.explorer.table import LINE, Layout, fill_table, repack, spread_table

__all__ = ["OutOfBits", "PackedSet", "Packing", "Words"]

Words = NDArray[np.uint64]

WORD_BITS = 64
FILLED_MAX = 0.8
"""How full the table may get; between two growths it holds 9 to 14 bytes per one-word tuple."""
GROWTH = 1.5


class OutOfBits(Exception):
    """The components need more than two words."""


@dataclass(frozen=True, slots=True)
class Packing:
    """The bits of each component, and the word (0 or 1) in which they lie.

    The first component lies in word 0. Counting starts at 1, so a packed word 0 is never 0.
    """

    bits: tuple[int, ...]
    words: tuple[int, ...]

    @classmethod
    def holding(cls, largest: Sequence[int]) -> Packing:
        """A packing that holds each component up to ``largest``, with all spare bits shared out.

        One word if that is enough with a spare bit each, else two. Raises ``OutOfBits``.
        """
        needed = [max(1, number.bit_length()) for number in largest]
        if sum(needed) + len(needed) <= WORD_BITS or len(needed) == 1:
            if sum(needed) > WORD_BITS:
                raise OutOfBits
            return cls(_shared_out(needed, WORD_BITS), (0,) * len(needed))
        for split in _splits(needed):
            first, second = needed[:split], needed[split:]
            if max(sum(first), sum(second)) <= WORD_BITS:
                bits = _shared_out(first, WORD_BITS) + _shared_out(second, WORD_BITS)
                return cls(bits, (0,) * len(first) + (1,) * len(second))
        raise OutOfBits

    @property
    def word_count(self) -> int:
        return 1 + max(self.words)

    def holds(self, largest: Sequence[int]) -> bool:
        return all(number < 1 << bits for number, bits in zip(largest, self.bits, strict=True))

    def layout(self) -> Layout:
        """What the kernels need of it."""
        return Layout(
            np.array(self.words, np.int64),
            np.array(self._shifts(), np.uint64),
            np.array([(1 << bits) - 1 for bits in self.bits], np.uint64),
        )

    def pack(self, components: Sequence[int]) -> tuple[int, int]:
        """The low and high word of one tuple."""
        packed = [0, 0]
        for component, word, shift in zip(components, self.words, self._shifts(), strict=True):
            packed[word] |= component << shift
        return packed[0], packed[1]

    def unpack(self, low: int, high: int) -> tuple[int, ...]:
        """The components of one tuple."""
        return tuple(
            ((high if word else low) >> shift) & ((1 << bits) - 1)
            for word, shift, bits in zip(self.words, self._shifts(), self.bits, strict=True)
        )

    def columns(self, low: Words, high: Words | None) -> list[NDArray[np.int64]]:
        """The components of many tuples, one array per component."""
        return [
            (
                ((high if word and high is not None else low) >> np.uint64(shift))
                & np.uint64((1 << bits) - 1)
            ).astype(np.int64)
            for word, shift, bits in zip(self.words, self._shifts(), self.bits, strict=True)
        ]

    def _shifts(self) -> list[int]:
        shifts, used = [], [0, 0]
        for word, bits in zip(self.words, self.bits, strict=True):
            shifts.append(used[word])
            used[word] += bits
        return shifts


def _shared_out(needed: Sequence[int], total: int) -> tuple[int, ...]:
    """The needed bits, and what is left over shared out evenly; at most 40 bits each."""
    bits = list(needed)
    spare = total - sum(bits)
    while spare > 0 and min(bits) < 40:
        smallest = bits.index(min(bits))
        bits[smallest] += 1
        spare -= 1
    return tuple(bits)


def _splits(needed: Sequence[int]) -> list[int]:
    """Where to split the components over two words, the most even split first."""
    total = sum(needed)
    return sorted(range(1, len(needed)), key=lambda at: (abs(total - 2 * sum(needed[:at])), at))


class PackedSet:
    """Distinct tuples in the order of discovery, in ``low`` and ``high``; ``count`` says how many.

    The kernels insert; this class makes room. ``high`` is ``None`` while one word is enough.
    """

    def __init__(self, components: int) -> None:
        self.packing = Packing.holding((1,) * components)
        self.layout = self.packing.layout()
        self.count = 0
        self._low, self._table_low = GrowingArray(), GrowingArray()
        self._high: GrowingArray | None = None
        self._table_high: GrowingArray | None = None
        if self.packing.word_count == 2:
            self._high, self._table_high = GrowingArray(), GrowingArray()

    @property
    def low(self) -> Words:
        return self._low.words

    @property
    def high(self) -> Words | None:
        return None if self._high is None else self._high.words

    @property
    def table_low(self) -> Words:
        return self._table_low.words

    @property
    def table_high(self) -> Words | None:
        return None if self._table_high is None else self._table_high.words

    @property
    def limit(self) -> int:
        """How many tuples fit before it must grow."""
        return min(self.low.size, int(self.table_low.size * FILLED_MAX))

    @property
    def memory_bytes(self) -> int:
        arrays = (self.low, self.high, self.table_low, self.table_high)
        return sum(array.nbytes for array in arrays if array is not None)

    def growth_bytes(self, room: int) -> int:
        """How much more memory ``reserve(room)`` would take."""
        words = self.packing.word_count
        capacity, size = self._sizes(room)
        return 8 * words * (max(0, capacity - self.low.size) + max(0, size - self.table_low.size))

    def reserve(self, room: int) -> None:
        """Make room for ``room`` more tuples. Raises ``MemoryError``."""
        capacity, size = self._sizes(room)
        if capacity > self.low.size:
            for array in (self._low, self._high):
                if array is not None:
                    array.grow(capacity)
        if size > self.table_low.size:
            self._grow_table(size)

    def widen(self, largest: Sequence[int]) -> bool:
        """Make every component hold numbers up to ``largest``. Raises ``OutOfBits``.

        Says whether the packing changed.
        """
        if self.packing.holds(largest):
            return False
        packing = Packing.holding(largest)
        layout = packing.layout()
        old_high = self.high
        if packing.word_count == 2 and self._high is None:
            self._high, self._table_high = GrowingArray(), GrowingArray()
            self._high.grow(self.low.size)
            self._table_high.grow(self.table_low.size)
        # A tuple is read whole before it is written, so the words may be written in place.
        repack(self.low, old_high, self.layout, self.count, self.low, self.high, layout)
        self.packing, self.layout = packing, layout
        self._refill_table()
        return True

    def add(self, components: Sequence[int]) -> None:
        """Add one tuple that is not there yet; the kernels add all others."""
        self.widen(components)
        self.reserve(1)
        low, high = self.packing.pack(components)
        self.low[self.count] = low
        if self.high is not None:
            self.high[self.count] = high
        self.count += 1
        self._refill_table()

    def tuple_at(self, index: int) -> tuple[int, ...]:
        return self.packing.unpack(
            int(self.low[index]), 0 if self.high is None else int(self.high[index])
        )

    def columns(self, begin: int, end: int) -> list[NDArray[np.int64]]:
        """The components of the tuples ``begin:end``, one array per component."""
        high = None if self.high is None else self.high[begin:end]
        return self.packing.columns(self.low[begin:end], high)

    def find(self, tuples: Sequence[tuple[int, ...]], begin: int, end: int) -> list[int]:
        """The indices in ``begin:end``, in order, of those of ``tuples`` that stand there."""
        wanted = [self.packing.pack(components) for components in tuples]
        lows = np.array(sorted({low for low, _ in wanted}), np.uint64)
        chosen = set(wanted)
        found: list[int] = []
        for start in range(begin, end, 1 << 20):
            stop = min(end, start + (1 << 20))
            near = start + np.flatnonzero(np.isin(self.low[start:stop], lows))
            for index in near.tolist():
                high = 0 if self.high is None else int(self.high[index])
                if (int(self.low[index]), high) in chosen:
                    found.append(index)
        return found

    def _sizes(self, room: int) -> tuple[int, int]:
        capacity, size = self.low.size, self.table_low.size
        needed = self.count + room
        if capacity < needed:
            capacity = max(needed, int(capacity * 1.0625))
        while int(size * FILLED_MAX) < needed:
            size = int(size * GROWTH) // LINE * LINE
        return capacity, size

    def _grow_table(self, size: int) -> None:
        old_size = self.table_low.size
        for array in (self._table_low, self._table_high):
            if array is not None:
                array.grow(size)
        if not spread_table(self.table_low, self.table_high, old_size):
            self._refill_table()

    def _refill_table(self) -> None:
        self.table_low[:] = 0
        fill_table(self.low, self.high, self.table_low, self.table_high, self.count)
