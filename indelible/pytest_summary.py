"""The section at the end of a run of pytest: what the checks covered, and what was not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from indelible.model.errors import TraceError
from indelible.pytest_items import FACT
from indelible.pytest_setting import Setting
from indelible.render.text import render_document
from indelible.terminal import shown, table_text
from indelible.trace_files import read_trace

__all__ = ["write_summary"]

ORDER: Final = (
    "violated", "unreached", "error", "inconclusive", "not observable", "reached", "holds",
    "nothing found",
)  # fmt: skip
"""Verdicts, those first that somebody has to look at."""


def write_summary(reporter: Any, setting: Setting) -> None:
    """Write it to pytest's terminal reporter, if a test of ours ran."""
    facts = list(_facts(reporter))
    traces = [each for each in facts if "kept" in each]
    rows = list(_searches([each for each in facts if "verdict" in each and "kept" not in each]))
    if not rows and not traces:
        return
    reporter.write_sep("=", f"indelible, profile {setting.profile}")
    if rows:
        reporter.write_line(table_text(rows))
    if traces:
        good = sum(each["kept"] for each in traces)
        reporter.write_line(f"{good} of {len(traces)} traces are as they are kept")
    for path in sorted({each["trace"] for each in facts if "trace" in each}):
        reporter.write_line(f"saved: {path}")
    if setting.replay is not None:
        reporter.write_line(f"\n{_shown_trace(setting.replay)}")


def _facts(reporter: Any) -> Iterator[dict[str, Any]]:
    """What our tests noted, one mapping for each."""
    for reports in reporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                own = {
                    name.removeprefix(FACT): value
                    for name, value in report.user_properties
                    if name.startswith(FACT)
                }
                if own:
                    yield {**own, "test": report.nodeid}


def _searches(facts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """A row for each scope of a check, and for each test that explored: verdicts and coverage."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for each in facts:
        groups.setdefault(_name(each), []).append(each)
    for name, group in sorted(groups.items()):
        counts = Counter(each["verdict"] for each in group)
        verdicts = [f"{counts[known]} {known}" for known in ORDER if counts[known]]
        yield name, ", ".join(verdicts), _covered(group)


def _covered(facts: Sequence[Mapping[str, Any]]) -> str:
    """How far the search went that went furthest."""
    largest = max(facts, key=lambda each: each.get("states_distinct", 0) or each.get("runs", 0))
    if "runs" in largest:
        return f"{largest['runs']:,} runs, seed {largest['seed']}"
    if "states_distinct" in largest:
        return f"{largest['states_distinct']:,} states, depth {largest['depth']}"
    return ""


def _name(facts: Mapping[str, Any]) -> str:
    if "check" not in facts:
        return str(facts["test"])
    return f"{facts['check']}[{facts['scope']}]" if facts["scope"] else str(facts["check"])


def _shown_trace(path: Path) -> str:
    """The trace as it was recorded, whatever became of it."""
    try:
        return shown(render_document(read_trace(path).recorded()), "utf-8")
    except TraceError as error:
        return str(error)
