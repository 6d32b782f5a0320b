"""Mermaid: the diagram says what the run says, and is one that Mermaid's grammar takes."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest

from indelible.model.events import Receive, Submit
from indelible.model.run import handled_event
from indelible.model.trace import Evidence
from indelible.render.mermaid import LENGTH_MAX, NOTES_MAX, render_mermaid

# Stricter than Mermaid: only what we write, and in every text only letters that mean nothing, or
# entities by number.
TEXT = r"(?:[^\n;#\"<>&%$\\`{}]|#\d{1,7};)+"
LINES = (
    r"sequenceDiagram",
    r"    actor client",
    rf"    participant n\d+(?: as {TEXT})?",
    r"    rect rgba\(\d+, \d+, \d+, 0\.\d+\)",
    r"    end",
    rf"    Note over n\d+(?:,n\d+)?: {TEXT}",
    rf"    (?:n\d+|client)-?->>(?:n\d+|client): {TEXT}",
)
RENDERED = ("dup_ack_counted", "revealed_before_saved", "nasty", "raised", "never_started")


def texts(diagram: str) -> list[str]:
    """What a reader sees: all texts, with the entities resolved."""
    lines = [line.split(": ", 1)[-1].split(" as ", 1)[-1] for line in diagram.splitlines()]
    return [unescape(re.sub(r"#(\d+);", r"&#\1;", line)).strip() for line in lines]


@pytest.mark.parametrize("name", [*RENDERED, "nothing_happened"])
def test_every_line_is_of_a_known_form(name: str, request: pytest.FixtureRequest) -> None:
    diagram = render_mermaid(request.getfixturevalue(name))
    depth = 0
    for line in diagram.splitlines():
        assert any(re.fullmatch(form, line) for form in LINES), line
        depth += line.startswith("    rect") - (line == "    end")
        assert depth in (0, 1)
        assert not re.search(r"(?i)style|classdef|\bend\b", line.split(": ", 1)[-1].strip("end "))
    assert depth == 0
    assert len(diagram) < LENGTH_MAX


def test_an_arrow_for_each_message_and_submission(dup_ack_counted: Evidence) -> None:
    run, diagram = dup_ack_counted.run, render_mermaid(dup_ack_counted)
    for step in run.steps:
        match handled_event(step.event):
            case Receive(source, _):
                assert f"    n{source}->>n{step.node}: {step.number}  " in diagram
            case Submit():
                assert f"    client->>n{step.node}: {step.number}  'a'" in diagram
    assert len(re.findall(r"(?m)^    \w+->>\w+: \d+  ", diagram)) == 8
    assert "n1->>n0: 9  Accepted(ballot=1.0, slot=0) (from step 7, again)" in diagram
    assert "n0-->>client: answer to 'a': 0" in diagram


def test_the_decisive_step_and_the_violation_are_marked(dup_ack_counted: Evidence) -> None:
    lines = render_mermaid(dup_ack_counted).splitlines()
    begin, end = lines.index("    rect rgba(255, 170, 0, 0.25)"), lines.index("    end")
    assert lines[begin + 1].startswith("    n1->>n0: 9  Accepted")
    assert lines[end - 1] == "    Note over n0,n3: decisive: n0 counts the vote of n1 twice"
    assert lines[-4:] == [
        "    rect rgba(255, 0, 0, 0.2)",
        "    Note over n0,n3: Violated: decided_implies_chosen",
        "    Note over n0,n3: slot 0: n0 decided 'a', too early",
        "    end",
    ]


def test_a_torn_step_tells_what_was_kept_and_what_was_lost(revealed_before_saved: Evidence) -> None:
    diagram = render_mermaid(revealed_before_saved)
    for note in (
        "crashes after 2 of 4 effects, restarts",
        "sends Accepted(ballot=1.0, slot=0) to n0",
        "never happens: persists votes: added Vote(slot=0, ballot=1.0, value='a')",
        "after restart: promises ballot 1.0",
    ):
        assert f"    Note over n2: {note}\n" in diagram


def test_testimony_milestones_and_time_outs_are_notes(dup_ack_counted: Evidence) -> None:
    diagram = render_mermaid(dup_ack_counted)
    for note in (
        "n0: 1  timer election fires",
        "n0: leads ballot 1.0",
        "n0,n3: » n0 has won ballot 1.0",
        "n1: votes for 'a' in slot 0 at ballot 1.0",
        "n0: decides 'a' in slot 0",
    ):
        assert f"    Note over {note}\n" in diagram


def test_what_is_raised_is_a_note(raised: Evidence) -> None:
    assert "raises ValueError: no <event>" in "\n".join(texts(render_mermaid(raised)))


def test_nothing_but_the_violation_where_nothing_happened(never_started: Evidence) -> None:
    assert render_mermaid(never_started).splitlines() == [
        "sequenceDiagram",
        "    participant n0",
        "    rect rgba(255, 0, 0, 0.2)",
        "    Note over n0: Violated: raises",
        "    Note over n0: raises",
        "    end",
    ]


def test_names_are_shown_as_they_are(nasty: Evidence) -> None:
    shown = texts(render_mermaid(nasty))
    for name in ("end", "note over n0", 'a;b#c"(x) <script>', "(no name)", "שלום"):
        assert name in shown


def test_a_long_run_loses_words_first_and_then_its_beginning(
    walk: Callable[..., Evidence],
) -> None:
    short = walk(50, nodes=5)
    assert "left out" not in render_mermaid(short)
    long = replace(short, run=replace(short.run, steps=short.run.steps * 40))
    diagram = render_mermaid(long)
    assert LENGTH_MAX - 2000 < len(diagram) <= LENGTH_MAX
    assert re.search(r"\n    Note over n0,n4: steps 1 to \d+ are left out\n", diagram)
    assert diagram.endswith("Violated: agreement\n    Note over n0,n4: made up\n    end")


def test_so_many_notes_a_step_and_no_more(walk: Callable[..., Evidence]) -> None:
    diagram = render_mermaid(walk(100))
    notes = max(len(group) for group in re.findall(r"(?:    Note over n\d: \D.*\n)+", diagram))
    assert notes
    assert re.search(rf"(?:    Note over n\d: .*\n){{{NOTES_MAX - 1}}}.*: and \d+ more\n", diagram)
