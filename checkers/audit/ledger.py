"""Ledgers: for each number (a slot, an index) who said which value, and who voted for which.

What was touched lately is kept as cells; the rest as a digest for each value, and the number of a
*pattern*: who of the nodes did what, without the values. Few patterns are ever met, and neighbours
mostly have the same, so that a cell takes eight bytes then; and it comes back as it was, when it is
touched again. Nothing is dropped.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from indelible.checkers.audit.digests import digest_of
from indelible.model.effects import Ballot

__all__ = ["CHUNK", "Cell", "Ledger", "Pattern"]

Votes: TypeAlias = tuple[tuple[Ballot, tuple[int, ...]], ...]

CHUNK: Final = 256
"""So many neighbours are settled together."""

LIVE_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class _Digest:
    """Stands for a value of which only that is left."""

    digest: int


class Pattern(NamedTuple):
    """A cell without its values: for each of them the nodes that said it, as bits; and the votes,
    as (ballot, for each value the nodes that voted for it)."""

    said: tuple[int, ...]
    votes: Votes


class Cell:
    """The values of one number, in the order in which they were met.

    - ``said[i]``: the nodes that decided (or executed) value ``i``, as bits.
    - ``votes``: for each ballot, in the order in which it was met, the same for votes.
    """

    __slots__ = ("said", "values", "votes")

    def __init__(self) -> None:
        self.values: list[Hashable] = []
        self.said: list[int] = []
        self.votes: dict[Ballot, list[int]] = {}

    def place_of(self, value: Hashable) -> int:
        """The place of a value among the values, which it gets now if it had none."""
        for place, known in enumerate(self.values):
            if known == value:
                return place
            if type(known) is _Digest and known.digest == digest_of(value):
                self.values[place] = value
                return place
        self.values.append(value)
        self.said.append(0)
        for masks in self.votes.values():
            masks.append(0)
        return len(self.values) - 1

    def votes_at(self, ballot: Ballot) -> list[int]:
        """Who voted for which value at a ballot, as bits, to be changed."""
        masks = self.votes.get(ballot)
        if masks is None:
            masks = self.votes[ballot] = [0] * len(self.values)
        return masks

    def pattern(self) -> Pattern:
        """The cell without its values."""
        votes = tuple([(ballot, tuple(masks)) for ballot, masks in self.votes.items()])
        return Pattern(tuple(self.said), votes)


class _Chunk:
    """Settled cells of neighbours: the digest of each that has one value, and the number of its
    pattern, from 1; 0 where there is none. A pattern that all of them have is kept once."""

    __slots__ = ("_count", "_patterns", "digests")

    def __init__(self) -> None:
        self.digests = array("Q", bytes(8 * CHUNK))
        self._patterns = array("I", [0])
        self._count = 0

    def pattern(self, place: int) -> int:
        return self._patterns[place if len(self._patterns) > 1 else 0]

    def put(self, place: int, pattern: int) -> None:
        """Give a cell a pattern, or none."""
        patterns = self._patterns
        if len(patterns) == 1:
            patterns *= CHUNK
        self._count += bool(pattern) - bool(patterns[place])
        patterns[place] = pattern
        if self._count == CHUNK and patterns.count(pattern) == CHUNK:
            self._patterns = patterns[:1]


class Ledger:
    """All cells, by number."""

    def __init__(self, live_max: int = LIVE_MAX) -> None:
        self.live: dict[int, Cell] = {}
        self._live_max = live_max
        self._chunks: dict[int, _Chunk] = {}
        self._several: dict[int, tuple[int, ...]] = {}
        self._patterns: list[Pattern] = []
        self._pattern_numbers: dict[Pattern, int] = {}

    def cell(self, number: int) -> Cell:
        """The cell of a number, to be changed; a new one, if there was none."""
        cell = self.live.get(number)
        if cell is None:
            cell = self.live[number] = self._recalled(number) or Cell()
        return cell

    def tidy(self) -> None:
        """Settle cells if there are too many; no cell that was got before may be changed then."""
        if len(self.live) >= 2 * self._live_max:
            self._settle()

    def has_said(self, number: int, bit: int, value: Hashable) -> bool:
        """Whether the node of ``bit`` has said ``value`` of this number."""
        cell = self.live.get(number)
        if cell is not None and len(cell.said) == 1 and cell.values[0] == value:
            return bool(cell.said[0] & bit)
        digest = None
        for known in self.said_by(number, bit):
            if type(known) is not _Digest:
                if known == value:
                    return True
                continue
            digest = digest_of(value) if digest is None else digest
            if known.digest == digest:
                return True
        return False

    def voters(self, number: int, value: Hashable) -> dict[Ballot, int]:
        """Who has voted for ``value`` of this number, as bits, for each ballot."""
        cell = self.live.get(number) or self._recalled(number, forget=False)
        if cell is None:
            return {}
        place = cell.place_of(value)
        return {ballot: masks[place] for ballot, masks in cell.votes.items()}

    def votes(self, number: int) -> Mapping[Ballot, Sequence[int]]:
        """For each ballot, who has voted for each of the values of this number, as bits."""
        cell = self.live.get(number) or self._recalled(number, forget=False)
        return {} if cell is None else cell.votes

    def said_by(self, number: int, bit: int) -> tuple[Hashable, ...]:
        """What the node of ``bit`` has said of this number, a digest standing for what was
        settled."""
        cell = self.live.get(number) or self._recalled(number, forget=False)
        if cell is None:
            return ()
        said = zip(cell.values, cell.said, strict=True)
        return tuple([value for value, mask in said if mask & bit])

    def digests_of(self, number: int, bit: int) -> tuple[int, ...]:
        """The digests of what the node of ``bit`` has said of this number."""
        return tuple(
            [
                value.digest if type(value) is _Digest else digest_of(value)
                for value in self.said_by(number, bit)
            ]
        )

    def digests_by(self, bit: int) -> Iterator[tuple[int, int]]:
        """Everything that the node of ``bit`` has said, as (number, digest), by number."""
        for number in sorted(self._numbers()):
            for digest in self.digests_of(number, bit):
                yield number, digest

    def patterns(self) -> Iterator[tuple[int, Pattern]]:
        """Every pattern there is, each with the least number that has it, by that number."""
        least: dict[Pattern, int] = {}
        for number in sorted(self._numbers()):
            cell = self.live.get(number)
            pattern = self._patterns[self._settled(number)] if cell is None else cell.pattern()
            least.setdefault(pattern, number)
        return iter([(number, pattern) for pattern, number in least.items()])

    def __len__(self) -> int:
        return sum(1 for _ in self._numbers())

    def _numbers(self) -> Iterator[int]:
        yield from self.live
        for number, chunk in self._chunks.items():
            for place in range(CHUNK):
                if chunk.pattern(place):
                    yield number * CHUNK + place

    def _settled(self, number: int) -> int:
        """The number of the pattern of a settled cell, or -1."""
        chunk, place = divmod(number, CHUNK)
        found = self._chunks.get(chunk)
        return -1 if found is None else found.pattern(place) - 1

    def _settle(self) -> None:
        """Those that were touched first make room; to be touched again, they have come back."""
        said, votes, known = None, None, 0  # Neighbours mostly have the same pattern.
        for number in list(self.live)[: self._live_max]:
            cell = self.live.pop(number)
            cast_here = list(cell.votes.items())
            if cell.said != said or cast_here != votes:
                said, votes = cell.said, cast_here
                pattern = cell.pattern()
                known = self._pattern_numbers.setdefault(pattern, len(self._patterns))
                if known == len(self._patterns):
                    self._patterns.append(pattern)
            at, place = divmod(number, CHUNK)
            chunk = self._chunks.get(at)
            if chunk is None:
                chunk = self._chunks[at] = _Chunk()
            digests = [
                value.digest if type(value) is _Digest else digest_of(value)
                for value in cell.values
            ]
            if len(digests) == 1:
                chunk.digests[place] = digests[0]
            else:
                self._several[number] = tuple(digests)
            chunk.put(place, known + 1)

    def _recalled(self, number: int, *, forget: bool = True) -> Cell | None:
        """A settled cell as it was; ``forget``: it is settled no more."""
        known = self._settled(number)
        if known < 0:
            return None
        at, place = divmod(number, CHUNK)
        chunk = self._chunks[at]
        digests = self._several.get(number, (chunk.digests[place],))
        pattern = self._patterns[known]
        cell = Cell()
        cell.values = [_Digest(digest) for digest in digests]
        cell.said = list(pattern.said)
        cell.votes = {ballot: list(masks) for ballot, masks in pattern.votes}
        if forget:
            chunk.put(place, 0)
            self._several.pop(number, None)
        return cell
