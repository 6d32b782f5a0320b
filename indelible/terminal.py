"""Streams: what a terminal can show, and the one function that writes results to stdout.

Reports are made as plain text; colour is laid over them here, and letters that a stream cannot
encode are replaced here. Importing this does not load rich: it is used on terminals only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from typing import Final, TextIO

from indelible.model.errors import IndelibleError

__all__ = ["has_colour", "is_terminal", "shown", "table_text", "unwritable", "write_result"]

PLAIN: Final = str.maketrans(
    {"✓": "+", "✗": "x", "–": "-", "→": "->", "…": "...", "∅": "{}", "»": ">"}  # noqa: RUF001
)
"""What to write where a stream cannot encode the letter."""

BIDIRECTIONAL: Final = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Letters that put those after them in another order, so that a text reads as what it is not."""

CONTROLS: Final = {
    code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))
} | {code: f"\\u{code:04x}" for code in BIDIRECTIONAL}
"""Letters by which a text could steer a terminal: what is shown may come from anywhere."""

# Regular expressions of what is coloured in a report, and how.
STYLES: Final = (
    (r"\Aholds: .*", "bold green"),
    (r"\Aviolated: .*", "bold red"),
    (r"\Ainconclusive: .*", "bold yellow"),
    (r"(?m)^(Covered|Scope|Properties|Counterexample: .*|At the end:)$", "bold"),
    (r"(?m)^Violated: .*$", "bold red"),
    (r"(?m)^Decisive: .*$", "bold"),
    (r"(?m)^ +» .*$", "green"),
    (r"(?m)^  (✓|\+) ", "green"),
    (r"(?m)^  (✗|x) ", "red"),
    (r"(?m)^  \? ", "yellow"),
    (r"(?m)^ {1,3}\d+  \S.*$", "bold"),
    (r"(?m)^ +(never happens|after restart): ", "italic"),
    (r" (→|->) ", "cyan"),
)


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is looking."""
    try:
        return stream.isatty()
    except ValueError:  # A closed stream.
        return False


def has_colour(stream: TextIO) -> bool:
    """Colour only where somebody is looking who has not asked for none (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def shown(text: str, encoding: str | None) -> str:
    """The text in letters that ``encoding`` has, and that steer nothing."""
    text = text.translate(CONTROLS)
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(PLAIN)
        return plain.encode(encoding, "backslashreplace").decode(encoding)
    return text


def table_text(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows in columns; those of the numbers ``right`` are set to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def write_result(text: str) -> None:
    """Write to stdout; a reader that has gone away is no error. Raises ``IndelibleError``."""
    stream = sys.stdout
    text = shown(text, stream.encoding)
    try:
        if has_colour(stream):
            _write_coloured(text, stream)
        else:
            stream.write(f"{text}\n")
        stream.flush()
    except OSError as error:
        # Python flushes stdout once more at exit, and would complain.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        if not isinstance(error, BrokenPipeError):
            raise unwritable(error) from None


def unwritable(error: OSError) -> IndelibleError:
    """What to say where stdout cannot be written."""
    return IndelibleError(
        f"the result cannot be written to stdout: {error.strerror or error}",
        remedy="make room, or send it elsewhere",
    )


def _write_coloured(text: str, stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    styled = Text(text)
    for pattern, style in STYLES:
        styled.highlight_regex(pattern, style)
    console = Console(file=stream, force_terminal=True)
    console.print(styled, soft_wrap=True, highlight=False, markup=False)
