"""indelible bugs: all are found, a missed one makes it fail, and evidence is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indelible.bug_hunt import catch
from indelible.cli import main
from indelible.impl import known_bugs
from indelible.impl.known_bugs import KNOWN_BUGS, PENDING
from indelible.impl.multipaxos import MultiPaxos
from indelible.trace_files import trace_paths
from indelible.trace_index import index_text

QUICK = ("dup_ack_counted", "two_file_state")


class Harmless(MultiPaxos):
    """Nothing is wrong with it."""

    name = "harmless"


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["bugs", *words])


@pytest.fixture
def with_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known bug that is none, so that it has to be missed."""
    bug = replace(KNOWN_BUGS["no_dedupe"], implementation=Harmless())
    known: Mapping[str, Any] = {**KNOWN_BUGS, "harmless": bug}
    monkeypatch.setattr(known_bugs, "KNOWN_BUGS", MappingProxyType(known))
    monkeypatch.setattr("indelible.bug_hunt.KNOWN_BUGS", MappingProxyType(known))


def test_bugs_that_are_found() -> None:
    result = run(*QUICK, "--workers", "1")
    assert result.exit_code == 0, result.output
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["bug", "property", "needs", "events", "states", "time"]
    assert [row.split()[0] for row in rows[:2]] == list(QUICK)
    assert "4 nodes, 1 command; duplicating links" in rows[0]
    assert rows[-1] == "2 of 2 found, by the property that each breaks"


def test_side_by_side_they_are_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests look for targets in the folder that they run in; workers start with such a path.
    root = str(Path(__file__).parents[2])
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", root)])
    one, other = (
        [{**each, "seconds": 0} for each in json.loads(run(*QUICK, "--json", *words).stdout)]
        for words in (["--workers", "1"], ["--workers", "2"])
    )
    assert one == other
    assert [each["found"] for each in one] == [True, True]
    assert [each["events"] for each in one] == [9, 5]


@pytest.mark.usefixtures("with_harmless")
def test_a_bug_that_is_missed_makes_it_fail() -> None:
    result = run("harmless", "dup_ack_counted", "--workers", "1")
    assert result.exit_code == 1
    assert "missed" in result.stdout.splitlines()[1]
    last = result.stdout.splitlines()[-1]
    assert last == "MISSED harmless: at_most_once is not violated (the scope was exhausted)"
    assert "1 of 2 found" in result.stdout


@pytest.mark.usefixtures("with_harmless")
def test_another_property_than_the_one_expected_is_no_catch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Raises(MultiPaxos):
        name = "raises"

        def free_slot(self, replica: Any) -> int:
            raise ValueError("no slot is free")

    bug = replace(KNOWN_BUGS["no_dedupe"], implementation=Raises())
    monkeypatch.setattr("indelible.bug_hunt.KNOWN_BUGS", {"raises": bug})
    caught = catch("raises")
    assert not caught.caught
    assert caught.violated == "implementation_raises"


def test_evidence_is_kept_and_listed(tmp_path: Path) -> None:
    result = run(*QUICK, "--workers", "1", "--save", "--traces", str(tmp_path))
    assert result.exit_code == 0, result.output
    names = [path.relative_to(tmp_path).as_posix() for path in trace_paths(tmp_path)]
    assert names == [f"known_bugs/{name}.itf.json" for name in QUICK]
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == index_text(tmp_path)


def test_what_waits_is_listed_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"no_dedupe": KNOWN_BUGS["no_dedupe"]}
    monkeypatch.setattr(known_bugs, "KNOWN_BUGS", few)
    lines = run("--workers", "1").stdout.splitlines()
    start = lines.index(f"{len(PENDING)} more wait for what our Multi-Paxos does not have yet:")
    waiting = lines[start + 1 :]
    assert waiting == [f"  {bug.name}: {bug.reason}" for bug in PENDING]


def test_ctrl_c_tells_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(names: Any, _workers: int) -> Any:
        yield catch(names[0])
        raise KeyboardInterrupt

    monkeypatch.setattr("indelible.bug_hunt.catches", interrupted)
    result = run(*QUICK)
    assert result.exit_code == 3
    assert "interrupted: 1 of 2 searches were done" in result.stderr
    assert result.stdout.splitlines()[1].startswith("dup_ack_counted")


def test_what_waits_has_its_reason_when_it_is_asked_for() -> None:
    result = run("lease_from_reply")
    assert result.exit_code == 2
    assert (
        "lease_from_reply cannot be searched for yet\n  cause: the protocol has no" in result.stderr
    )


def test_an_unknown_name_is_told_with_those_that_resemble_it() -> None:
    result = run("dup_ack_count")
    assert result.exit_code == 2
    assert "there is no known bug 'dup_ack_count'" in result.stderr
    assert "available: dup_ack_counted, " in result.stderr


def test_a_hunt_says_which_quorums_a_bug_needs() -> None:
    assert catch("dup_promise_counted").needs.endswith("; quorums of 3 and 1")
    assert catch("keep_old_promises").needs.endswith("; quorums n0+n1, then n0 or n1")
