"""The index of a folder of traces: a page that lists its documents, made from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from indelible.model.trace import Evidence, Length
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
    evidence = read_trace(path).recorded()
    name = path.relative_to(folder).as_posix()
    cells = (
        f"[{evidence.target}]({name}){' (fixed)' if evidence.fixed else ''}",
        f"`{evidence.trace.violation.property}`",
        f"{len(evidence.trace)}{MARKS[evidence.length]}",
        _why(evidence),
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _why(evidence: Evidence) -> str:
    """The decisive moment if there is one, or else what is violated."""
    decisive = evidence.explanation.decisive
    if decisive is None:
        return evidence.trace.violation.explanation
    return f"step {decisive.step}: {decisive.says}"
