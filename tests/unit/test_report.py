"""Reports: the headline, what was covered and what was not, streams and their letters."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import Any

import pytest

from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation
from indelible.model.verdict import PropertyResult, Verdict
from indelible.report import headline, memory_text, render_report, time_text
from indelible.terminal import has_colour, shown, write_result

VIOLATION = Violation("two\nvalues", property="agreement")
HOLDS = Verdict(
    implementation="thing",
    scope=Scope(),
    outcome="holds",
    reason="the scope was exhausted",
    properties=(PropertyResult("agreement", "always", "holds"),),
    states_distinct=1234567,
    transitions=7654321,
    depth=12,
    exhausted=True,
    seconds=2.0,
    memory_bytes=3 << 30,
)
GAVE_UP = replace(
    HOLDS,
    outcome="inconclusive",
    reason="the limit of 10 states was reached",
    exhausted=False,
    properties=(
        PropertyResult("agreement", "always", "inconclusive"),
        PropertyResult("entry_decided", "sometimes", "inconclusive"),
    ),
)
VIOLATED = replace(
    HOLDS,
    outcome="violated",
    reason="agreement: two\nvalues",
    exhausted=False,
    properties=(PropertyResult("agreement", "always", "violated"),),
    trace=Trace("thing", Scope(), (), VIOLATION),
)


def test_headline_is_one_line_and_begins_with_the_outcome() -> None:
    assert headline(HOLDS) == "holds: all 1,234,567 states in the scope were explored"
    assert headline(GAVE_UP) == "inconclusive: the limit of 10 states was reached"
    assert headline(VIOLATED) == "violated: agreement: two values"


def test_report_counts_with_separators() -> None:
    report = render_report(HOLDS)
    for text in ("1,234,567 distinct", "7,654,321", "617,284 states/s", "3.0 GiB"):
        assert text in report


def test_report_has_every_bound_of_the_scope() -> None:
    report = render_report(HOLDS)
    for name, says in HOLDS.scope.lines():
        assert any(line.split() == [name, *says.split()] for line in report.splitlines())


def test_report_shows_the_notes() -> None:
    assert "note: made for ordered links" in render_report(
        replace(HOLDS, notes=("made for ordered links",))
    )


def test_what_is_open_is_not_called_holding() -> None:
    report = render_report(GAVE_UP)
    assert "? agreement      no violation so far" in report
    assert "? entry_decided  not reached so far" in report
    assert "holds" not in report
    assert "Not covered: behaviours of 12 events and more, except some; anything" in report


def test_a_violated_property_that_nobody_listed_is_listed() -> None:
    raised = replace(VIOLATION, property="implementation_raises")
    report = render_report(replace(VIOLATED, trace=Trace("thing", Scope(), (), raised)))
    assert "  ✗ implementation_raises  violated\n" in report


@pytest.mark.parametrize(
    ("fields", "said", "unsaid"),
    [
        ({}, "any restart", "middle of a step"),
        ({"restarts_max": 1}, "more restarts, crashes in the middle of a step", "any restart"),
        ({"restarts_max": None}, "middle of a step", "restarts"),
        ({"restarts_max": 1, "torn": True}, "more restarts", "middle of a step"),
        ({"submissions_max": 0}, "any command at all", "twice"),
        ({"submissions_max": 1}, "a command submitted twice", "any command at all"),
        ({"submissions_max": 2}, "a command submitted more than 2 times", "twice"),
        ({"submissions_max": None}, "other commands", "submitted"),
        ({"timeouts_max": None}, "other commands", "time-outs"),
        ({"may_time_out": (0,)}, "time-outs of other nodes", "lost"),
        ({"links": "unordered"}, "messages delivered twice", "reordered"),
        ({"links": "ordered"}, "messages lost, reordered or delivered twice", "middle"),
        ({"nodes": 5}, "more than 5 nodes", "messages"),
    ],
)
def test_not_covered_is_what_the_bounds_leave_out(
    fields: dict[str, Any], said: str, unsaid: str
) -> None:
    last = render_report(replace(HOLDS, scope=Scope(**fields))).splitlines()[-1]
    assert last.startswith("Not covered: anything beyond the scope: ")
    assert said in last
    assert unsaid not in last


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1 min 1 s"), (3600, "1 h 0 min")],
)
def test_time(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 MiB"), (5 << 20, "5 MiB"), (3 << 29, "1.5 GiB")])
def test_memory(size: int, text: str) -> None:
    assert memory_text(size) == text


def test_letters_that_a_stream_lacks_are_replaced() -> None:
    assert shown("✓ a → b…", "utf-8") == "✓ a → b…"
    assert shown("✓ ✗ a → b…", "ascii") == "+ x a -> b..."
    assert shown("é ✓", "latin-1") == "é +"
    assert shown("雪 →", "ascii") == r"\u96ea ->"
    assert shown("→", None) == "->"


class Pipe(io.StringIO):
    encoding = "utf-8"


class Terminal(Pipe):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert has_colour(Terminal())
    assert not has_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "")
    assert has_colour(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour(Terminal())


def test_colour_changes_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured, plain = Terminal(), Pipe()
    report = render_report(VIOLATED, ["Counterexample: [bold]not markup[/bold] " + "long " * 60])
    monkeypatch.setattr(sys, "stdout", coloured)
    write_result(report)
    monkeypatch.setattr(sys, "stdout", plain)
    write_result(report)
    assert plain.getvalue() == report + "\n"
    assert "\x1b[1;31mviolated" in coloured.getvalue()
    assert _without_colour(coloured.getvalue()) == plain.getvalue()


def _without_colour(text: str) -> str:
    parts = text.split("\x1b[")
    return parts[0] + "".join(part.split("m", 1)[1] for part in parts[1:])


def test_a_reader_that_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Broken())
    write_result("anything")
    assert not isinstance(sys.stdout, Broken)
    sys.stdout.close()
