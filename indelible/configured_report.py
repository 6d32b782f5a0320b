"""What came of all configured checks, as text and as one JSON object. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from indelible.check_result import WORST_FIRST, CheckResult, exit_code, overall_outcome
from indelible.configured_checks import Done
from indelible.render.text import render_text
from indelible.report import render_report, time_text
from indelible.terminal import table_text
from indelible.verdict_json import SCHEMA_VERSION, verdict_object

__all__ = ["configured_headline", "configured_json", "configured_text"]

HEADINGS: Final = ("check", "verdict", "states", "depth", "time", "scope")
NUMBERS: Final = (2, 3, 4)


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


def configured_text(done: Sequence[Done], left_out: Sequence[str], *, saving: bool) -> str:
    """Everything a person needs to know: all of what does not hold, and a table of all."""
    sections = [configured_headline([each.result for each in done])]
    sections += [_section(each, saving=saving) for each in done if each.result.outcome != "holds"]
    rows = [HEADINGS, *(_row(each) for each in done)]
    sections.append(table_text(rows, right=NUMBERS))
    sections += [f"Not run, being random tests: {', '.join(left_out)}"] if left_out else []
    return "\n\n".join(sections)


def _section(done: Done, *, saving: bool) -> str:
    title = f"== {done.job.name}: {done.job.check.target}"
    if done.checked is None:
        return "\n".join((title, *(case.says for case in done.result.cases)))
    texts = [render_text(each) for each in done.checked.evidence]
    return f"{title}\n{render_report(done.checked.verdict, texts, done.saved if saving else None)}"


def _row(done: Done) -> tuple[str, ...]:
    if done.checked is None:
        return (done.job.name, done.result.outcome, "", "", "", "")
    verdict = done.checked.verdict
    return (
        done.job.name,
        verdict.outcome,
        f"{verdict.states_distinct:,}",
        str(verdict.depth),
        time_text(verdict.seconds),
        done.result.scope,
    )


def configured_json(
    done: Sequence[Done], left_out: Sequence[str], budget_seconds: float | None
) -> str:
    """One object with all of them, in ASCII; documented in docs/json.md."""
    results = [each.result for each in done]
    content = {
        "version": SCHEMA_VERSION,
        "outcome": overall_outcome(results),
        "exit_code": exit_code(results),
        "budget_seconds": budget_seconds,
        "checks": list(_objects(done)),
        "not_run": list(left_out),
    }
    return json.dumps(content, indent=2)


def _objects(done: Sequence[Done]) -> Iterator[dict[str, Any]]:
    for each in done:
        about = {
            "name": each.job.name,
            "check": each.job.check.name,
            "scope_name": each.job.scope.name or None,
            "target": each.job.check.target,
            "outcome": each.result.outcome,
        }
        if each.checked is None:
            yield {**about, "reason": each.result.cases[0].says, "verdict": None}
        else:
            verdict = each.checked.verdict
            implementation = each.checked.asked.target.implementation
            says = verdict_object(implementation, verdict, each.saved)
            yield {**about, "reason": verdict.reason, "verdict": says}
