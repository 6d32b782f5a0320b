"""What a page shows of a command, held against what the command prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from support.commands import run_indelible

__all__ = ["Shown", "commands_shown", "differences"]

ELLIPSIS = "…"


class Shown(NamedTuple):
    """A command, ``indelible`` first, and the lines that a page shows below it."""

    command: str
    lines: tuple[str, ...]


def commands_shown(page: Path) -> list[Shown]:
    """Every ``$ indelible …`` in a code block of the page, with the lines up to the next one."""
    return list(_commands(page.read_text(encoding="utf-8")))


def _commands(text: str) -> Iterator[Shown]:
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("indelible "):
                yield Shown(command, tuple(output.rstrip().splitlines()))


def differences(shown: Shown, folder: Path) -> tuple[int, list[str]]:
    """Run the command in ``folder``: its exit code, and the lines that it does not print in this
    order. ``…`` stands for lines that are not shown; without it they follow one another."""
    code, printed = _printed(shown.command, folder)
    return code, list(_missing(shown.lines, printed))


def _printed(command: str, folder: Path) -> tuple[int, list[str]]:
    name, *words = shlex.split(command)
    assert name == "indelible"
    done = run_indelible(*words, folder=folder, environment={"NO_COLOR": "1"})
    return done.returncode, [line.rstrip() for line in (done.stdout or done.stderr).splitlines()]


def _missing(shown: tuple[str, ...], printed: list[str]) -> Iterator[str]:
    place, anywhere = 0, False
    for line in map(str.rstrip, shown):
        if line.strip() == ELLIPSIS:
            anywhere = True
        elif anywhere and line in printed[place:]:
            place, anywhere = printed.index(line, place) + 1, False
        elif not anywhere and printed[place : place + 1] == [line]:
            place += 1
        else:
            found = printed[place] if place < len(printed) else "nothing more"
            yield f"shown: {line!r}, printed: {found!r}"
