"""Lines of a log as entries, in the order of one file. Whatever cannot be read becomes ``Lost``."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, Final, Protocol, TypeAlias

from indelible.checkers.audit.entry import EXECUTE, PROMISE, Entry
from indelible.model.errors import WireError

__all__ = ["LINE_MAX", "Again", "Item", "Lost", "Reader", "entries_of", "lines_of"]

CHUNK: Final = 1 << 18
LINE_MAX: Final = 1 << 24
"""So many bytes a line may have, without its end."""

READ_AT_ONCE: Final = 64
"""So many lines are read together, if they are there."""

SAYS_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Lost:
    """A line, or all from there on, that tells nothing; ``says`` why."""

    says: str


@dataclass(frozen=True, slots=True)
class Again:
    """A line that is the same as the one before it, and tells that something was executed, or of
    several promises: either it happened twice, or it was written twice."""

    entry: Entry


TOO_LONG: Final = Lost(f"the line has more than {LINE_MAX:,} bytes")

Item: TypeAlias = tuple[int, Entry | Lost | Again]


class Reader(Protocol):
    """From lines to what they tell."""

    def one(self, line: bytes) -> Entry:
        """What a line tells. Raises ``WireError``."""

    def several(self, lines: Sequence[bytes]) -> list[Entry] | None:
        """What each line tells; ``None`` if they must be read one by one."""


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | Lost]]:
    """The lines of a file, numbered from 1, each without its end. Blank ones are left out."""
    for first, block in _blocks(file):
        if isinstance(block, Lost):
            yield first, block
            continue
        for number, line in enumerate(block, first):
            if line and not line.isspace():
                yield number, line


def _blocks(file: BinaryIO) -> Iterator[tuple[int, list[bytes] | Lost]]:
    """Lines as they come, several at once, with the number of the first."""
    number, rest = 1, b""
    try:
        for chunk in _chunks(file):
            parts = (rest + chunk).split(b"\n")
            rest = parts.pop()
            if parts and len(parts[0]) > LINE_MAX:  # Its end came with what is too much.
                yield number, TOO_LONG
                number += 1
                del parts[0]
            yield number, parts
            number += len(parts)
            if len(rest) > LINE_MAX:
                yield number, TOO_LONG
                number += 1
                rest = _rest_of_line(file)
    except (OSError, EOFError, zlib.error) as error:
        yield number, Lost(f"the file cannot be read any further: {error}")
        return
    yield number, rest.split(b"\n")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """What a file has, piece by piece, up to where it cannot be read."""
    if not hasattr(file, "read1"):  # A pipe: what comes is not waited for.
        while chunk := file.read(CHUNK):
            yield chunk
        return
    parts: list[bytes] = []
    size = 0
    try:
        # To read many bytes of a compressed file at once would lose those before a damage.
        while part := file.read1(CHUNK):
            parts.append(part)
            size += len(part)
            if size >= CHUNK:
                yield b"".join(parts)
                parts.clear()
                size = 0
    except (OSError, EOFError, zlib.error):
        yield b"".join(parts)
        raise
    yield b"".join(parts)


def _rest_of_line(file: BinaryIO) -> bytes:
    """Skip to the end of a line, and give what was read of the next one."""
    while chunk := file.read(CHUNK):
        _, end, after = chunk.partition(b"\n")
        if end:
            return after
    return b""


def entries_of(file: BinaryIO, read: Reader) -> Iterator[Item]:
    """What the lines of a file tell, each with its number."""
    before = b""
    for first, block in _blocks(file):
        if isinstance(block, Lost):
            yield first, block
            continue
        for at in range(0, len(block), READ_AT_ONCE):
            lines = block[at : at + READ_AT_ONCE]
            told: Sequence[Entry | Lost | None] | None = read.several(lines)
            if told is None:
                told = [_read(read, line) for line in lines]
            for number, line, entry in zip(count(first + at), lines, told):
                if entry is None:
                    continue
                if line == before and isinstance(entry, Entry) and _counts_twice(entry):
                    yield number, Again(entry)
                else:
                    yield number, entry
                before = line


def _read(read: Reader, line: bytes) -> Entry | Lost | None:
    """What a line tells; nothing if it is blank."""
    if not line or line.isspace():
        return None
    try:
        return read.one(line)
    except WireError as error:
        return Lost(_shortened(str(error.fact)))


def _counts_twice(entry: Entry) -> bool:
    """Whether it makes a difference that it happens again. A single promise does not fall then."""
    kinds = [said[0] for said in entry.testimony]
    return EXECUTE in kinds or kinds.count(PROMISE) > 1


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SAYS_MAX else f"{text[:SAYS_MAX]}…"
