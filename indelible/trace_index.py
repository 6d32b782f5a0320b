"""The index of a folder of traces: a page that lists its documents, made from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from indelible.model.trace import Length
from indelible.model.trace_reader import Document
from indelible.trace_files import read_trace, trace_paths

__all__ = ["index_text"]

HEAD: Final = """\
# Traces

Counterexamples that are kept, one document each ([their format](../docs/traces.md)); every one of
them is replayed by the tests. This page is generated: `indelible bugs --save` renews the traces of
the known bugs, and the page.

`indelible show TRACE` tells one step by step, `indelible show TRACE --as html --output page.html`
draws it, `indelible replay TRACE` lets it happen again.

| trace | violates | events | why |
|---|---|---|---|
"""

MARKS: Final[dict[Length, str]] = {"shortest": "", "irreducible": " *", "as found": " **"}
"""Behind the number of events, unless it is the smallest."""


def index_text(folder: Path) -> str:
    """The page for every document in ``folder`` and below, in the order of their names."""
    return HEAD + "".join(_row(folder, path) for path in trace_paths(folder))


def _row(folder: Path, path: Path) -> str:
    document = read_trace(path)
    about = document.about
    name = path.relative_to(folder).as_posix()
    events = len(document.states) - 1 if document.states else 0
    cells = (
        f"[{document.target}]({name}){' (fixed)' if document.fixed else ''}",
        f"`{about['violation']['property']}`",
        f"{events}{MARKS[about['length']]}",
        "; ".join(_why(document)),
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _why(document: Document) -> Iterator[str]:
    """The decisive moment if there is one, or else what is violated."""
    decisive = document.about["explanation"]["decisive"]
    if decisive is None:
        yield document.about["violation"]["explanation"]
    else:
        yield f"step {decisive['step']}: {decisive['says']}"
