"""In GitHub Actions: annotations, the step summary, and how much of each there may be."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible.check_result import CheckResult, error_result, result_of
from indelible.cli import main
from indelible.model.trace import Evidence, Violation
from indelible.render.annotations import ANNOTATIONS_MAX, MESSAGE_MAX, render_annotations
from indelible.render.mermaid import render_mermaid
from indelible.render.step_summary import SUMMARY_BYTES_MAX, render_step_summary
from indelible.render.text import render_text
from support.results import GAVE_UP, HOLDS, Thing, violated_by

THING = Thing()
HELD = result_of("mine:Thing", THING, HOLDS, ())  # type: ignore[arg-type]
OPEN = result_of("mine:Thing", THING, GAVE_UP, ())  # type: ignore[arg-type]
ROOT = Path(__file__).parents[2]

COMMAND = re.compile(r"::error title=([^:,\r\n]+)(?:,file=([^:,\r\n]+),line=(\d+))?::([^\r\n]*)")


def decoded(text: str) -> str:
    """What the runner makes of an escaped text."""
    for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def annotations(*results: CheckResult) -> list[tuple[str, str]]:
    """Title and message of each, as the runner reads them."""
    found = []
    for line in render_annotations(results, ROOT):
        command = COMMAND.fullmatch(line)
        assert command is not None, line
        found.append((decoded(command[1]), decoded(command[4])))
    return found


# --- annotations --------------------------------------------------------------------------------


def test_what_holds_is_not_annotated() -> None:
    assert annotations(HELD) == []


def test_a_violation(dup_ack_counted: Evidence) -> None:
    ((title, says),) = annotations(violated_by(dup_ack_counted))
    assert title == "mine:Thing: decided_implies_chosen is violated"
    assert says.splitlines() == [
        "slot 0: n0 decided 'a', too early",
        "Decisive: step 9: n0 counts the vote of n1 twice",
        "The counterexample of 9 events is in the summary.",
    ]


def test_it_is_put_where_the_code_is(dup_ack_counted: Evidence) -> None:
    result = violated_by(dup_ack_counted)
    (line,) = render_annotations([result], ROOT)
    assert ",file=tests/support/results.py,line=" in line
    (line,) = render_annotations([result], Path("/elsewhere"))
    assert "file=" not in line


def test_what_is_undecided_is_one_annotation() -> None:
    assert annotations(OPEN) == [("mine:Thing: inconclusive", "the limit of 10 states was reached")]
    assert annotations(error_result("x", "no such thing\n  remedy: make it")) == [
        ("x: error", "no such thing")
    ]


def test_what_texts_hold_stays_text(nasty: Evidence) -> None:
    hostile = "100%\r\n::stop-commands::x,y:z"
    result = violated_by(nasty, name=hostile)
    ((title, _),) = annotations(result)
    assert title.startswith("100% ::stop-commands::x,y:z")


def test_no_more_than_are_shown(dup_ack_counted: Evidence) -> None:
    many = [violated_by(dup_ack_counted, f"check {n}") for n in range(ANNOTATIONS_MAX)]
    assert len(annotations(*many)) == ANNOTATIONS_MAX
    shown = annotations(*many, OPEN, HELD)
    assert len(shown) == ANNOTATIONS_MAX
    title, says = shown[-1]
    assert title == "and 2 more"
    assert says == "check 9: decided_implies_chosen is violated; mine:Thing: inconclusive"


def test_no_message_is_longer_than_is_shown(dup_ack_counted: Evidence) -> None:
    violation = Violation("x" * 10_000, property="agreement")
    trace = replace(dup_ack_counted.trace, violation=violation)
    ((title, says),) = annotations(
        violated_by(replace(dup_ack_counted, trace=trace), name="y" * 1000)
    )
    assert (len(title), len(says)) == (255, MESSAGE_MAX)


# --- the summary --------------------------------------------------------------------------------


def test_the_summary_has_a_row_for_each_check(dup_ack_counted: Evidence) -> None:
    summary = render_step_summary([HELD, OPEN, violated_by(dup_ack_counted)])
    assert summary.startswith("## Indelible: violated\n\n| |")
    rows = [line for line in summary.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[2].partition(":")[0] for row in rows[2:]] == [
        "holds", "inconclusive", "violated"
    ]  # fmt: skip
    assert {row.count("|") for row in rows} == {7}


def test_the_summary_has_the_diagram_and_the_steps(dup_ack_counted: Evidence) -> None:
    summary = render_step_summary([violated_by(dup_ack_counted)])
    assert f"\n\n```mermaid\n{render_mermaid(dup_ack_counted)}\n```\n\n" in summary
    assert f"\n\n```text\n{render_text(dup_ack_counted)}\n```\n\n</details>\n\n" in summary


def test_the_summary_says_what_was_not_decided() -> None:
    summary = render_step_summary([HELD, OPEN])
    assert summary.startswith("## Indelible: inconclusive")
    assert "- agreement: no violation so far (the limit of 10 states was reached)" in summary
    # Also where the check holds without it.
    assert summary.count("- votes&#95;are&#95;safe: not observable") == 2


def test_what_texts_hold_is_neither_markdown_nor_html(nasty: Evidence) -> None:
    summary = render_step_summary([violated_by(nasty, "a|b <img> `c` [d](e)\n# f")])
    outside = re.sub(r"(`{3,})\w+\n.*?\n\1\n", "", summary, flags=re.DOTALL)
    assert "<img>" not in outside
    assert "<script>" not in outside
    assert "`" not in outside
    assert {line.count("|") for line in outside.splitlines() if line.startswith("|")} == {7}
    assert not [line for line in outside.splitlines() if line.startswith("# ")]


def test_no_text_closes_the_fence_around_it(dup_ack_counted: Evidence) -> None:
    violation = replace(dup_ack_counted.trace.violation, explanation="```` x")
    trace = replace(dup_ack_counted.trace, violation=violation)
    summary = render_step_summary([violated_by(replace(dup_ack_counted, trace=trace))])
    assert "\n`````text\n" in summary


@pytest.mark.parametrize("bytes_max", [0, 10, 200, 1000, 3000, SUMMARY_BYTES_MAX])
def test_no_summary_is_longer_than_allowed(bytes_max: int, dup_ack_counted: Evidence) -> None:
    many = 500 if bytes_max == SUMMARY_BYTES_MAX else 20
    results = [violated_by(dup_ack_counted, f"ü{number}") for number in range(many)]
    summary = render_step_summary(results, bytes_max)
    assert len(summary.encode()) <= bytes_max
    whole = len(render_step_summary(results[:2]).encode())
    assert whole < SUMMARY_BYTES_MAX
    assert ("_More does not fit" in summary) == (len(summary) > 0)


def test_steps_without_end_leave_the_diagram(dup_ack_counted: Evidence) -> None:
    violation = replace(dup_ack_counted.trace.violation, explanation="x" * SUMMARY_BYTES_MAX)
    trace = replace(dup_ack_counted.trace, violation=violation)
    summary = render_step_summary([violated_by(replace(dup_ack_counted, trace=trace))])
    assert "```mermaid" in summary
    assert "```text" not in summary
    assert summary.endswith("_More does not fit into a summary._\n\n")


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def in_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the summary."""
    examples = ROOT / "tests" / "golden" / "examples"
    monkeypatch.chdir(examples)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(ROOT))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def test_stdout_stays_one_object(in_github: Path) -> None:
    result = CliRunner().invoke(main, ["check", "ledgers:Late", "--json"])
    assert json.loads(result.stdout)["exit_code"] == result.exit_code == 1
    assert result.stderr.startswith("::error title=ledgers%3ALate%3A agreement is violated,file=")
    assert "```mermaid\nsequenceDiagram\n" in in_github.read_text(encoding="utf-8")


def test_an_error_is_annotated_too(in_github: Path) -> None:
    result = CliRunner().invoke(main, ["check", "ledgers:Nothing"])
    assert result.exit_code == 2
    assert "::error title=ledgers%3ANothing%3A error::module 'ledgers' has no" in result.stderr
    assert in_github.read_text(encoding="utf-8").startswith("## Indelible: error")


def test_a_wrong_configuration_is_annotated_too(
    in_github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(in_github.parent)
    Path("pyproject.toml").write_text("[tool.indelible]\nchekcs = {}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 2
    assert "::error title=indelible check%3A error::" in result.stderr
    assert in_github.read_text(encoding="utf-8").startswith("## Indelible: error")


def test_a_summary_is_added_to_what_is_there_within_the_limit(in_github: Path) -> None:
    in_github.write_text("before\n", encoding="utf-8")
    CliRunner().invoke(main, ["check", "ledgers:Late", "-q"])
    assert in_github.read_text(encoding="utf-8").startswith("before\n## Indelible")
    in_github.write_text("x" * (SUMMARY_BYTES_MAX - 900), encoding="utf-8")
    CliRunner().invoke(main, ["check", "ledgers:Late", "-q"])
    assert SUMMARY_BYTES_MAX - 900 < in_github.stat().st_size <= SUMMARY_BYTES_MAX


def test_a_summary_that_cannot_be_written_changes_no_verdict(
    in_github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(in_github / "no" / "folder"))
    result = CliRunner().invoke(main, ["check", "ledgers:Late", "-q"])
    assert result.exit_code == 1
    assert "no step summary: " in result.stderr


def test_elsewhere_nothing_is_written(in_github: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    result = CliRunner().invoke(main, ["check", "ledgers:Late", "-q"])
    assert result.stderr == ""
    assert not in_github.exists()
