"""Results as a step summary: the Markdown that GitHub shows on the page of a run.

A pure function. First a table of all checks, then for each violation the sentence, the diagram, and
the steps folded away. GitHub refuses a summary above 1 MiB altogether; so diagrams and steps that
have no room any more are left out, and it is said that they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from indelible.check_result import Case, CheckOutcome, CheckResult, overall_outcome
from indelible.model.trace import Evidence
from indelible.render.mermaid import render_mermaid
from indelible.render.text import render_text
from indelible.render.words import one_line, shortened
from indelible.report import time_text

__all__ = ["SUMMARY_BYTES_MAX", "render_step_summary"]

SUMMARY_BYTES_MAX: Final = 2**20
"""All that one step may write, whoever wrote it."""

MARKS: Final[dict[CheckOutcome, str]] = {
    "holds": "✅",
    "nothing found": "✅",
    "violated": "❌",
    "inconclusive": "❔",
    "error": "⚠️",
}

CELL_MAX: Final = 300
"""How many characters of a text a cell of the table, or a sentence, shows."""

LEFT_OUT: Final = "_More does not fit into a summary._"


def render_step_summary(results: Sequence[CheckResult], bytes_max: int = SUMMARY_BYTES_MAX) -> str:
    """The summary, of at most ``bytes_max`` bytes in UTF-8; empty if not even a line fits."""
    room = bytes_max - _size(LEFT_OUT)
    written: list[str] = []
    is_whole = True
    for part in _parts(results):
        if _size(part) <= room:
            written.append(part)
            room -= _size(part)
        else:
            is_whole = False
    if not written:
        return ""
    return "".join(f"{part}\n\n" for part in (*written, *([] if is_whole else [LEFT_OUT])))


def _size(part: str) -> int:
    return len(f"{part}\n\n".encode())


def _parts(results: Sequence[CheckResult]) -> Iterator[str]:
    """Blocks of Markdown, what matters most first."""
    yield f"## Indelible: {overall_outcome(results)}"
    yield "\n".join(_table(results))
    for result in results:
        for case in result.cases:
            if case.status == "failed":
                yield from _violation(result, case)
    for result in results:
        undecided = [case for case in result.cases if case.status != "passed"]
        if undecided and result.outcome != "violated":
            yield "\n".join(_undecided(result, undecided))


def _table(results: Sequence[CheckResult]) -> Iterator[str]:
    yield "| | check | verdict | covered | scope | time |"
    yield "|---|---|---|---|---|---|"
    for result in results:
        cells = (
            MARKS[result.outcome],
            result.name,
            result.headline,
            result.covered,
            result.scope,
            time_text(result.seconds),
        )
        yield f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _violation(result: CheckResult, case: Case) -> Iterator[str]:
    title = f"### {_escaped(result.name)}: {_escaped(case.name)} is violated"
    yield f"{title}\n\nViolated: {_escaped(case.says)}"
    for evidence in case.evidence:
        yield _fenced(render_mermaid(evidence), "mermaid")
        yield _folded(evidence)


def _folded(evidence: Evidence) -> str:
    count = len(evidence.trace)
    title = f"The counterexample, {count} event{'' if count == 1 else 's'}"
    steps = _fenced(render_text(evidence), "text")
    return f"<details><summary>{title}</summary>\n\n{steps}\n\n</details>"


def _undecided(result: CheckResult, cases: Sequence[Case]) -> Iterator[str]:
    yield f"<details><summary>{_escaped(result.name)}: what was not decided</summary>\n"
    yield from (f"- {_escaped(case.name)}: {_escaped(case.says)}" for case in cases)
    yield "\n</details>"


def _fenced(text: str, language: str) -> str:
    """A block of code, with a fence that no line of it can be."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _escaped(text: str) -> str:
    """Text that Markdown, and HTML in it, show as it is, in one line, also in a table."""
    text = html.escape(shortened(one_line(text), CELL_MAX), quote=False)
    return re.sub(r"[\\`*_\[\]|~#$@]", lambda found: f"&#{ord(found[0])};", text)
