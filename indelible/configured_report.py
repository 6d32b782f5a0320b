"""What came of all configured checks, as text and as one JSON object. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from indelible.check_result import (
    GOOD,
    WORST_FIRST,
    CheckResult,
    exit_code,
    overall_outcome,
)
from indelible.configured_checks import Done
from indelible.report import time_text
from indelible.terminal import table_text
from indelible.verdict_json import SCHEMA_VERSION

__all__ = ["configured_headline", "configured_json", "configured_text"]

HEADINGS: Final = ("check", "verdict", "covered", "time", "scope")


def configured_headline(results: Sequence[CheckResult]) -> str:
    """The worst outcome, and which checks came to it, in one line."""
    if overall_outcome(results) == "holds":
        count = len(results)
        return f"holds: {f'all {count} checks, each' if count > 1 else 'the check,'} in its scope"
    groups = (
        (outcome, [result.name for result in results if result.outcome == outcome])
        for outcome in WORST_FIRST
        if outcome != "holds"
    )
    told = "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in groups if names)
    holding = sum(result.outcome == "holds" for result in results)
    return f"{told} ({holding} of {len(results)} hold)"


def configured_text(done: Sequence[Done]) -> str:
    """Everything a person needs to know: all of what does not pass, and a table of all."""
    results = [each.result for each in done]
    sections = [configured_headline(results)]
    sections += [_section(each) for each in done if each.result.outcome not in GOOD]
    rows = [HEADINGS, *(_row(result) for result in results)]
    return "\n\n".join([*sections, table_text(rows, right=[HEADINGS.index("time")])])


def _section(done: Done) -> str:
    title = f"== {done.job.name}: {done.job.check.target}"
    if done.found is None:
        return "\n".join((title, *(case.says for case in done.result.cases)))
    return f"{title}\n{done.found.text(done.saved)}"


def _row(result: CheckResult) -> tuple[str, ...]:
    time = time_text(result.seconds) if result.covered else ""
    return (result.name, result.outcome, result.covered, time, result.scope)


def configured_json(done: Sequence[Done], budget_seconds: float | None) -> str:
    """One object with all of them, in ASCII; documented in docs/json.md."""
    results = [each.result for each in done]
    content = {
        "version": SCHEMA_VERSION,
        "outcome": overall_outcome(results),
        "exit_code": exit_code(results),
        "budget_seconds": budget_seconds,
        "checks": [_object(each) for each in done],
    }
    return json.dumps(content, indent=2)


def _object(done: Done) -> dict[str, Any]:
    found = done.found
    return {
        "name": done.job.name,
        "check": done.job.check.name,
        "scope_name": done.job.scope.name or None,
        "target": done.job.check.target,
        "how": done.job.check.how,
        "outcome": done.result.outcome,
        "error": done.result.cases[0].says if found is None else None,
        "result": None if found is None else found.content(done.saved or ()),
    }
