"""Every trace that is kept is replayed, and nobody writes a test for it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from indelible import Submit
from indelible.model.trace import Moment
from indelible.model.trace_document import document_text
from indelible.trace_files import FOLDER, keep_trace, trace_paths, write_file
from support.documents import evidence_found, evidence_played
from support.kept_traces import problems_of

TRACES = Path(__file__).parents[2] / FOLDER
PLAIN = "support.odd_targets:Plain"


@pytest.mark.parametrize("path", list(trace_paths(TRACES)), ids=lambda path: path.stem)
def test_kept_trace(path: Path) -> None:
    assert problems_of(path) == []


# --- the test above can fail ----------------------------------------------------------------------


def test_a_trace_that_is_as_it_should_be(tmp_path: Path) -> None:
    for evidence in (
        evidence_found(PLAIN),
        evidence_found("dup_ack_counted", "decided_implies_chosen"),
        evidence_played("support.odd_targets:NeverStarts", [], "implementation_raises"),
        evidence_played("support.odd_targets:AtOnce", []),
        replace(evidence_found(PLAIN), length="as found", found={}),
    ):
        assert problems_of(keep_trace(evidence, tmp_path)) == []


CAREFUL = """
from indelible import *
class Node:
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=0)
    def start(self, node, nodes, storage):
        return None, ()
    def handle(self, node, state, event):
        return event.command, (Decide(0, DECIDED),)
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trace of an implementation that is changed afterwards."""
    change(monkeypatch, DECIDED="event.command")
    return keep_trace(evidence_found("kept_traces_node:Node"), tmp_path)


def change(monkeypatch: pytest.MonkeyPatch, **words: str) -> None:
    code = CAREFUL
    for word, now in words.items():
        code = code.replace(word, now)
    module = ModuleType("kept_traces_node")
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_one_that_no_longer_violates(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems_of(kept) == []
    change(monkeypatch, DECIDED="state or event.command")
    (problem,) = problems_of(kept)
    assert f"{kept} is not as it is kept" in problem
    assert "no longer violates: agreement holds after each of 2 steps" in problem


def test_one_that_does_not_fit(kept: Path) -> None:
    write_file(kept, kept.read_text().replace('"submissions_max": 1', '"submissions_max": 0'))
    (problem,) = problems_of(kept)
    assert "no longer fits: step 1 of 2 cannot happen" in problem


def test_one_that_violates_before_its_end(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, **{"(Decide(0, DECIDED),)": '(Decide(0, "a"), Decide(0, "b"))'})
    (problem,) = problems_of(kept)
    assert "still violates: agreement, after step 1 of 2" in problem


def test_one_that_raises(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, DECIDED="1 / 0")
    (problem,) = problems_of(kept)
    assert "no longer fits: step 1 of 2 raises an exception" in problem


def test_one_that_is_marked_fixed_and_violates(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(kept, kept.read_text().replace('"fixed": false', '"fixed": true'))
    (problem,) = problems_of(kept)
    assert "it was marked fixed: this is a regression" in problem
    change(monkeypatch, DECIDED="state or event.command")
    assert problems_of(kept) == []


@pytest.mark.parametrize("fixed", [True, False])
def test_one_that_is_stale(fixed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, DECIDED="event.command")
    evidence = evidence_found("kept_traces_node:Node")
    stale = replace(
        evidence, explanation=replace(evidence.explanation, milestones=(Moment(1, "not so"),))
    )
    path = keep_trace(stale, tmp_path)
    if fixed:  # What was so once is not written anew, but the layout is.
        write_file(path, path.read_text().replace('"fixed": false', '"fixed":  true'))
        change(monkeypatch, DECIDED="state or event.command")
    (problem,) = problems_of(path)
    assert "is not what would be written now" in problem
    assert f"indelible replay {path} --renew" in problem


def test_one_of_a_known_bug_that_is_stale(tmp_path: Path) -> None:
    evidence = evidence_found("dup_ack_counted", "decided_implies_chosen")
    path = tmp_path / "known_bugs" / "dup_ack_counted.itf.json"
    path.parent.mkdir()
    write_file(path, document_text(evidence).replace("although", "even though"))
    (problem,) = problems_of(path)
    assert "remedy: indelible bugs --save" in problem


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"version": 1', '"version": 2', "is of version 2"),
        ('"states": [', '"states": [null,', "states[0] is no object"),
        (f'"target": "{PLAIN}"', '"target": "gone:Gone"', "there is no module 'gone'"),
        ('"property": "agreement",\n', '"property": "gone",\n', "there is no property 'gone'"),
    ],
)
def test_one_that_cannot_be_read(old: str, new: str, says: str, tmp_path: Path) -> None:
    path = keep_trace(evidence_found(PLAIN), tmp_path)
    text = path.read_text()
    assert old in text
    write_file(path, text.replace(old, new))
    (problem,) = problems_of(path)
    assert says in problem


def test_one_that_is_cut_off(tmp_path: Path) -> None:
    path = keep_trace(evidence_played(PLAIN, [(0, Submit("b")), (0, Submit("a"))]), tmp_path)
    write_file(path, path.read_text()[:-100])
    (problem,) = problems_of(path)
    assert "it is cut off" in problem
