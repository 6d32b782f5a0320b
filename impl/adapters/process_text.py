"""What errors say of a process: its lines, its log, its end. Texts only, whoever tells them."""

from __future__ import annotations

import signal
from typing import Final

__all__ = ["GOES_ON", "ending", "log_end", "shown", "why_ended"]

LOG_LINES: Final = 4
LOG_LINE: Final = 200
SHOWN: Final = 300

GOES_ON: Final = (
    "answer each line of stdin until stdin ends, and leave stdout open; the same command line in a "
    "shell, in this folder, shows what it does"
)
"""The remedy where a process ended."""


def shown(line: bytes) -> str:
    """A line as errors show it: cut short if it is long."""
    if not line.strip():
        return "an empty line"
    text = line.decode(errors="backslashreplace")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(line):,} bytes)"


def log_end(log: str) -> str:
    """The last lines of a log, in one, and the last without indentation; … for those left out.

    An uncaught exception's message is such a line: Python prints it last, Node.js and Java before
    an indented stack, of which the last lines alone would say nothing.
    """
    lines = [line.rstrip() for line in log.split("\n") if line.strip()]
    margin = [number for number, line in enumerate(lines) if not line[0].isspace()]
    kept = {*range(len(lines))[-LOG_LINES:], *margin[-LOG_LINES:]}
    parts: list[str] = []
    for number in range(min(kept, default=0), len(lines)):
        if number in kept:
            line = lines[number].strip()
            parts.append(line if len(line) <= LOG_LINE else f"{line[:LOG_LINE]}…")
        elif parts[-1] != "…":
            parts.append("…")
    return " | ".join(parts)


def ending(code: int | None) -> str:
    """How a process ended, by its exit code; ``None`` if it is there still."""
    if code is None:
        return "closed its stdout"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def why_ended(code: int | None) -> str:
    """The likely cause of that."""
    if code is None:
        return "something in it closes stdout, or puts another file in its place"
    if code < 0:
        return "the system ended it, for want of memory or for a fault in its code, or somebody did"
    if code == 0:
        return "it came to its end, or calls exit: it does not read on until stdin ends"
    return "it gave up, as over an exception that nobody caught, or a word of its command line"
