"""Digests: values that are no longer needed, but must be known again, in 64 bits each.

A digest follows from what a value says, never from the process that reads it. Two values of the
same digest would be taken for one: among a billion values that happens once in forty.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Final

from indelible.model.plain import Fields

__all__ = ["DigestMap", "DigestSet", "digest_of"]

KNOWN_MAX: Final = 1 << 14
"""Of so many values the digests are remembered: each is asked for several times."""

RECENT_MAX: Final = 1 << 14
"""So many entries are kept in a set or dict, before they move to an array."""

BLOCK: Final = 1 << 12
"""So many of an array are merged with another one's at once."""


@lru_cache(KNOWN_MAX)
def digest_of(value: Hashable) -> int:
    """64 bits that are the same for equal plain values, in every process."""
    said = _said(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little")


def _said(value: Hashable) -> str:
    """The value as text, the same for equal values and no others: where a part of it ends can be
    told from its beginning."""
    if isinstance(value, str):
        return f"'{len(value)}:{value}"
    if isinstance(value, tuple):
        return f"[{len(value)}:" + "".join(map(_said, value))
    if isinstance(value, Fields):
        pairs = chain.from_iterable(value.items())
        return f"{{{len(value)}:" + "".join(map(_said, pairs))
    return f"{value};"


class DigestSet:
    """Digests, in 8 bytes each, that are added and never dropped.

    New ones wait in a set; full sets become sorted arrays, and arrays of like size are merged, so
    that there are few.
    """

    def __init__(self, recent_max: int = RECENT_MAX) -> None:
        self._recent: set[int] = set()
        self._recent_max = recent_max
        self._sorted: list[array[int]] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(map(len, self._sorted))

    def __contains__(self, digest: int) -> bool:
        if digest in self._recent:
            return True
        for digests in self._sorted:
            at = bisect_left(digests, digest)
            if at < len(digests) and digests[at] == digest:
                return True
        return False

    def add(self, digest: int) -> None:
        """Add one that is not there."""
        self._recent.add(digest)
        if len(self._recent) >= self._recent_max:
            newest = array("Q", sorted(self._recent))
            self._recent = set()
            while self._sorted and len(self._sorted[-1]) <= 2 * len(newest):
                newest = _merged(self._sorted.pop(), newest)
            self._sorted.append(newest)


class DigestMap:
    """From digests to numbers below 2^64, in 16 bytes each: added once, never changed.

    They are kept as those of a ``DigestSet`` are.
    """

    def __init__(self, recent_max: int = RECENT_MAX) -> None:
        self._recent: dict[int, int] = {}
        self._recent_max = recent_max
        self._sorted: list[tuple[array[int], array[int]]] = []

    def __len__(self) -> int:
        return len(self._recent) + sum(len(keys) for keys, _ in self._sorted)

    def get(self, digest: int) -> int | None:
        """The number of a digest, if there is one."""
        number = self._recent.get(digest)
        if number is not None:
            return number
        for keys, numbers in self._sorted:
            at = bisect_left(keys, digest)
            if at < len(keys) and keys[at] == digest:
                return numbers[at]
        return None

    def add(self, digest: int, number: int) -> None:
        """Give a digest that has none a number."""
        self._recent[digest] = number
        if len(self._recent) >= self._recent_max:
            self._settle()

    def _settle(self) -> None:
        keys = sorted(self._recent)
        newest = array("Q", keys), array("Q", map(self._recent.__getitem__, keys))
        self._recent = {}
        while self._sorted and len(self._sorted[-1][0]) <= 2 * len(newest[0]):
            newest = _merged_pairs(self._sorted.pop(), newest)
        self._sorted.append(newest)


def _merged(one: array[int], other: array[int]) -> array[int]:
    digests = array("Q")
    for mine, others in _blocks(one, other):
        digests.extend(sorted(one[mine] + other[others]))
    return digests


def _merged_pairs(
    one: tuple[array[int], array[int]], other: tuple[array[int], array[int]]
) -> tuple[array[int], array[int]]:
    merged = array("Q"), array("Q")
    for mine, others in _blocks(one[0], other[0]):
        numbers = dict(zip(one[0][mine], one[1][mine], strict=True))
        numbers.update(zip(other[0][others], other[1][others], strict=True))
        keys = sorted(numbers)
        merged[0].extend(keys)
        merged[1].extend(map(numbers.__getitem__, keys))
    return merged


def _blocks(one: array[int], other: array[int]) -> Iterator[tuple[slice, slice]]:
    """Parts of two sorted arrays, of which the first is not empty, that can be merged one after
    another, so that little is sorted at once."""
    begin = 0
    for at in range(0, len(one), BLOCK):
        is_last = at + BLOCK >= len(one)
        end = len(other) if is_last else bisect_left(other, one[at + BLOCK], begin)
        yield slice(at, at + BLOCK), slice(begin, end)
        begin = end
