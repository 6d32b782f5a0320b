"""What came of the checks of conformance, as text and as a JSON object. Pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import Any, Final, Literal, TypeAlias

from indelible.conformance.check import Finding, Result

__all__ = ["EXIT_CODES", "Outcome", "finding_text", "findings_object", "outcome_of", "summary_text"]

Outcome: TypeAlias = Literal["conforms", "does not conform", "inconclusive"]

EXIT_CODES: Final[dict[Outcome, int]] = {"conforms": 0, "does not conform": 1, "inconclusive": 3}

MARKS: Final[dict[Result, str]] = {
    "passed": "✓",
    "failed": "✗",
    "not applicable": "–",  # noqa: RUF001
    "not seen": "?",
    "not tried": "–",  # noqa: RUF001
}

NAME_WIDTH: Final = len("unknown request")

SHOWN_MAX: Final = 600
"""How much of a line is shown; the JSON has all of it."""


def outcome_of(findings: Sequence[Finding], allowed: Collection[str] = ()) -> Outcome:
    """What is known: of what was not seen nothing is, unless it is ``allowed`` not to be seen."""
    if any(each.result in ("failed", "not tried") for each in findings):
        return "does not conform"
    return "inconclusive" if _unseen(findings, allowed) else "conforms"


def _unseen(findings: Sequence[Finding], allowed: Collection[str]) -> list[str]:
    unseen = [each.name for each in findings if each.result == "not seen"]
    return [name for name in unseen if name not in allowed]


def finding_text(finding: Finding) -> str:
    """A line that says what came of a check, and where it failed, what shows it and what to do."""
    says = finding.says if finding.result != "not tried" else f"not tried: {finding.says}"
    lines = [f"  {MARKS[finding.result]} {finding.name.ljust(NAME_WIDTH)}  {says}"]
    column = max(map(len, (*finding.shown, "remedy")))
    lines += [f"      {name.ljust(column)}  {_cut(text)}" for name, text in finding.shown.items()]
    if finding.remedy:
        lines.append(f"      {'remedy'.ljust(column)}  {finding.remedy}")
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}… ({len(text):,} letters)"


def summary_text(
    findings: Sequence[Finding], next_command: str, allowed: Collection[str] = ()
) -> str:
    """All of it in a line or three, and what to do next."""
    counts = {result: sum(each.result == result for each in findings) for result in MARKS}
    outcome = outcome_of(findings, allowed)
    if outcome == "does not conform":
        text = f"Does not conform: {counts['failed']} of {len(findings)} checks failed"
        untried = counts["not tried"]
        return text + (f", {untried} could not be tried" if untried else "")
    passed = f"{counts['passed']} of {len(findings)} checks passed"
    if outcome == "inconclusive":
        unseen = _unseen(findings, allowed)
        return (
            f"Inconclusive: {passed}, and not seen, and so not tried: {', '.join(unseen)}\n"
            "Next: do what the remedies say; or, if it is to be so: "
            f"--allow-not-seen {shlex.quote(','.join(unseen))}"
        )
    not_tried = [each.name for each in findings if each.result == "not seen"]
    lines = [f"Conforms, as far as was seen: {passed}"]
    lines += (
        [f"Not seen, and so not tried, as allowed: {', '.join(not_tried)}"] if not_tried else []
    )
    return "\n".join([*lines, f"Next: {next_command}"])


def findings_object(
    target: str, findings: Sequence[Finding], allowed: Collection[str] = ()
) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    outcome = outcome_of(findings, allowed)
    return {
        "version": 1,
        "target": target,
        "outcome": outcome,
        "exit_code": EXIT_CODES[outcome],
        "conforms": outcome == "conforms",
        "checks": [
            {
                "name": each.name,
                "result": each.result,
                "says": each.says,
                "remedy": each.remedy,
                "shown": dict(each.shown),
            }
            for each in findings
        ],
    }
