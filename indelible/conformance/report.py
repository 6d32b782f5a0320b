"""What came of the checks of conformance, as text and as a JSON object. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from indelible.conformance.check import Finding, Result

__all__ = ["conforms", "finding_text", "findings_object", "summary_text"]

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


def conforms(findings: Sequence[Finding]) -> bool:
    """Whether nothing failed. What was not seen, nobody knows; the summary says so."""
    return all(each.result not in ("failed", "not tried") for each in findings)


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


def summary_text(findings: Sequence[Finding], next_command: str) -> str:
    """All of it in a line or three, and what to do next."""
    counts = {result: sum(each.result == result for each in findings) for result in MARKS}
    if not conforms(findings):
        text = f"Does not conform: {counts['failed']} of {len(findings)} checks failed"
        untried = counts["not tried"]
        return text + (f", {untried} could not be tried" if untried else "")
    lines = [f"Conforms, as far as was seen: {counts['passed']} of {len(findings)} checks passed"]
    unseen = [each.name for each in findings if each.result == "not seen"]
    lines += [f"Not seen, and so not tried: {', '.join(unseen)}"] if unseen else []
    return "\n".join([*lines, f"Next: {next_command}"])


def findings_object(target: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    return {
        "version": 1,
        "target": target,
        "conforms": conforms(findings),
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
