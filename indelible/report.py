"""A verdict as text: the outcome, what was covered, and what was not.

Pure functions of a verdict. Whether a stream is a terminal, has colours or knows a letter is the
business of ``terminal.py``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from indelible.model.scope import Links, Scope
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult, Result, Verdict
from indelible.targets import PROCESS

__all__ = [
    "MARKS",
    "counted",
    "events_text",
    "headline",
    "judged_properties",
    "memory_text",
    "render_report",
    "result_text",
    "saved_lines",
    "scope_lines",
    "scope_summary",
    "table_lines",
    "time_text",
]

MARKS: Final[dict[Result, str]] = {
    "holds": "✓",
    "reached": "✓",
    "violated": "✗",
    "unreached": "✗",
    "inconclusive": "?",
    "not observable": "?",
}


LINKS_TEXT: Final[dict[Links, str]] = {
    "unordered_duplicating": "duplicating links",
    "unordered": "unordered links",
    "ordered": "ordered links",
}


def headline(verdict: Verdict) -> str:
    """The outcome in one line, which begins with its one word."""
    if verdict.outcome == "holds":
        return f"holds: all {verdict.states_distinct:,} states in the scope were explored"
    return f"{verdict.outcome}: {' '.join(verdict.reason.split())}"


def render_report(
    verdict: Verdict,
    traces: Sequence[str] = (),
    saved: Sequence[Path] | None = None,
    evidence: Sequence[Evidence] = (),
) -> str:
    """Everything a person needs to know of a check.

    ``traces`` are the texts of its counterexamples, and ``saved`` the files that keep them, where
    they were to be kept; ``evidence`` is what these files hold, if they are to be replayed by hand.
    """
    sections = [
        [headline(verdict)],
        *_counterexamples(verdict, traces),
        [] if saved is None else saved_lines(saved, evidence),
        list(_coverage(verdict)),
        list(scope_lines(verdict.scope)),
        list(_properties(verdict)),
        [f"note: {note}" for note in verdict.notes],
        [f"Not covered: {_not_covered(verdict)}"],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def saved_lines(saved: Sequence[Path], evidence: Sequence[Evidence] = ()) -> list[str]:
    """Which files keep the counterexamples, or that there are none; and, as nobody guesses that,
    how they are replayed if they are about a process."""
    if not saved:
        return ["Saved: nothing, as there is no counterexample"]
    lines = [f"Saved: {path}" for path in saved]
    if evidence and evidence[0].target.startswith(PROCESS):
        command = shlex.quote(evidence[0].target.removeprefix(PROCESS))
        lines.append(f"To replay: indelible replay {saved[0].parent}/ --exec {command}")
    return lines


def scope_summary(scope: Scope) -> str:
    """What a scope allows, in a few words."""
    words = [counted(len(scope.nodes), "node"), counted(len(scope.commands), "command")]
    if scope.restarts_max != 0:
        restarts = scope.restarts_max
        words.append("restarts" if restarts is None else counted(restarts, "restart"))
    words += ["torn steps"] if scope.torn else []
    return f"{', '.join(words)}; {LINKS_TEXT[scope.links]}"


def counted(count: int, name: str) -> str:
    """How many of what, in the singular where it is one."""
    return f"{count} {name}{'' if count == 1 else 's'}"


def _counterexamples(verdict: Verdict, traces: Sequence[str]) -> Iterator[list[str]]:
    yield list(traces[:1])
    for trace, difference in zip(traces[1:], verdict.differences, strict=True):
        yield [f"Another, that differs in its {difference}:", trace]


def _coverage(verdict: Verdict) -> Iterator[str]:
    seconds = time_text(verdict.seconds)
    rate = verdict.states_distinct / verdict.seconds if verdict.seconds else 0
    rows = (
        ("implementation", verdict.implementation),
        ("states", f"{verdict.states_distinct:,} distinct"),
        ("transitions", f"{verdict.transitions:,}"),
        ("depth", events_text(verdict.depth)),
        ("local states", f"{verdict.states_local:,} of single nodes"),
        ("local steps", f"{verdict.steps_learned:,}, in {verdict.calls:,} calls"),
        ("time", f"{seconds}, {rate:,.0f} states/s"),
        ("memory", memory_text(verdict.memory_bytes)),
    )
    yield "Covered"
    yield from table_lines(rows)


def scope_lines(scope: Scope) -> Iterator[str]:
    """Every bound of a scope, under a heading."""
    yield "Scope"
    yield from table_lines(scope.lines())


def _properties(verdict: Verdict) -> Iterator[str]:
    yield "Properties"
    results = judged_properties(verdict)
    width = max((len(known.name) for known in results), default=0)
    for known in results:
        yield f"  {MARKS[known.result]} {known.name:<{width}}  {result_text(known, verdict)}"


def judged_properties(verdict: Verdict) -> tuple[PropertyResult, ...]:
    """What is known of each property; also of what nobody had to ask for: that the implementation
    raises no exception, where it did."""
    results = verdict.properties
    violation = verdict.violation
    if violation is not None and violation.property not in {known.name for known in results}:
        return (PropertyResult(violation.property, "always", "violated"), *results)
    return results


def result_text(known: PropertyResult, verdict: Verdict) -> str:
    """The result of one property of a verdict in words, with the reason, if there is one."""
    says = _result_text(known, verdict)
    return f"{says}: {known.reason}" if known.reason else says


def _result_text(known: PropertyResult, verdict: Verdict) -> str:
    if known.result != "inconclusive":
        return known.result
    where = "so far" if verdict.trace is None else f"within {events_text(verdict.depth)}"
    return f"no violation {where}" if known.kind == "always" else f"not reached {where}"


def table_lines(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and what they say, in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, says in rows:
        yield f"  {name:<{width}}  {says}"


def _not_covered(verdict: Verdict) -> str:
    beyond = f"anything beyond the scope: {_beyond(verdict.scope)}"
    if verdict.exhausted:
        return f"{beyond}."
    if verdict.trace is not None:
        return f"behaviours longer than the counterexample; {beyond}."
    # The last level found may be judged in part only.
    return f"behaviours of {events_text(verdict.depth)} and more, except some; {beyond}."


def _beyond(scope: Scope) -> str:
    """What the bounds of the scope leave out, and what no scope covers."""
    left_out = [f"more than {len(scope.nodes)} nodes", "other commands"]
    if scope.submissions_max is not None:
        more = {0: "any command at all", 1: "a command submitted twice"}
        often = f"a command submitted more than {scope.submissions_max} times"
        left_out.append(more.get(scope.submissions_max, often))
    if scope.may_submit is not None:
        left_out.append("submissions to other nodes")
    if scope.timeouts_max is not None:
        left_out.append("more time-outs")
    if scope.may_time_out is not None:
        left_out.append("time-outs of other nodes")
    if scope.restarts_max is not None:
        left_out.append("more restarts" if scope.restarts_max else "any restart")
    if scope.restarts_max != 0 and not scope.torn:
        left_out.append("crashes in the middle of a step")
    if scope.links == "unordered":
        left_out.append("messages delivered twice")
    if scope.links == "ordered":
        left_out.append("messages lost, reordered or delivered twice")
    return ", ".join((*left_out, "how long anything takes", "whether anything must happen at last"))


def events_text(count: int) -> str:
    """How many events."""
    return f"{count:,} event{'' if count == 1 else 's'}"


def memory_text(size: int) -> str:
    """Bytes as people read them."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:,.0f} MiB"


def time_text(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
