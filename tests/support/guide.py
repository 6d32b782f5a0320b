"""A page that is read from the beginning: its files are saved, its changes made, its commands run.

A block of code whose first line is a comment with the name of a file is that file. A block of
``diff`` changes the file that its first line names. A block with ``$`` shows commands and what they
print, as in ``support.shown``. Nothing here knows what a page is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from support.shown import Shown, differences

__all__ = ["Section", "follow", "sections"]

NAMED = re.compile(r"^(?:#|//) (\w+\.\w+)\n")
OUTCOMES = {0: "holds", 1: "violated", 3: "inconclusive"}


@dataclass(frozen=True)
class Section:
    """What stands below a heading; ``before`` are the blocks of the page that come earlier."""

    title: str
    blocks: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def commands(self) -> list[Shown]:
        """The commands that it shows."""
        return [shown for _, text in self.blocks for shown in _shown(text)]


def sections(text: str) -> list[Section]:
    """The sections of the page, each from one ``##`` to the next."""
    found: list[Section] = []
    before: tuple[tuple[str, str], ...] = ()
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title = part.partition("\n")[0]
        blocks = tuple(re.findall(r"^```(\w*)\n(.*?)^```", part, re.DOTALL | re.MULTILINE))
        found.append(Section(title, blocks, before))
        before += blocks
    return found


def follow(section: Section, folder: Path) -> list[str]:
    """Do in ``folder`` what the section says, and say what comes out otherwise than it shows.

    Of the sections before only the files are needed, as their readers have them by then.
    """
    for kind, text in section.before:
        _write(kind, text, folder)
    wrong: list[str] = []
    for kind, text in section.blocks:
        _write(kind, text, folder)
        for shown in _shown(text):
            code, missing = differences(shown, folder)
            wrong += [f"{shown.command}: {line}" for line in missing]
            outcome = shown.lines[0].partition(":")[0]
            if outcome in OUTCOMES.values() and OUTCOMES.get(code) != outcome:
                wrong.append(f"{shown.command}: exit code {code}")
    return wrong


def _write(kind: str, text: str, folder: Path) -> None:
    """Save the block, if it is a file, or a change of one."""
    if kind == "diff":
        _change(text, folder)
    elif kind == "toml":
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    elif kind:
        named = NAMED.match(text)
        assert named, f"a block of code does not begin with the name of its file: {text[:60]!r}"
        (folder / named[1]).write_text(text, encoding="utf-8")
    else:
        assert text.startswith("$ "), f"neither a file nor a command: {text[:60]!r}"


def _change(text: str, folder: Path) -> None:
    first, *lines = text.splitlines(keepends=True)
    assert first.startswith("--- "), f"a change does not begin with the name of its file: {first!r}"
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    path = folder / first.removeprefix("--- ").strip()
    before = path.read_text(encoding="utf-8")
    assert before.count(old) == 1, f"{path.name} does not have once what is changed: {old!r}"
    path.write_text(before.replace(old, new), encoding="utf-8")


def _shown(text: str) -> list[Shown]:
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    outputs = [part.partition("\n") for part in parts]
    return [Shown(command, tuple(shown.rstrip().splitlines())) for command, _, shown in outputs]
