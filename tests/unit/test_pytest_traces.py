"""Saved traces as tests, and the fixtures for hand-written ones, in runs of pytest on a project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.pytest_projects import case_of, configure, project, run, run_here

__all__ = ["project"]

TRACE = "traces/nodes-Hasty-agreement.itf.json"
TEST = f"{TRACE}::replay"


@pytest.fixture
def kept(project: pytest.Pytester) -> pytest.Pytester:
    """A project in which a check has been violated, and its trace been saved."""
    configure(project, "Hasty", "agreement")
    run_here(project, "pyproject.toml").assert_outcomes(failed=1)
    assert (project.path / TRACE).is_file()
    return project


def correct(project: pytest.Pytester) -> None:
    nodes = project.path / "nodes.py"
    nodes.write_text(nodes.read_text().replace("class Hasty(", "class Old(") + "\nHasty = Careful")


def mark_fixed(project: pytest.Pytester) -> None:
    trace = project.path / TRACE
    trace.write_text(trace.read_text().replace('"fixed": false', '"fixed": true'))


def test_a_trace_that_still_violates_is_as_it_is_kept(kept: pytest.Pytester) -> None:
    done = run_here(kept, TEST, "--junitxml=junit.xml")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["1 of 1 traces are as they are kept"])
    properties = {each.attrib["name"]: each.attrib["value"] for each in _properties(kept)}
    assert properties == {
        "indelible.target": "nodes:Hasty",
        "indelible.property": "agreement",
        "indelible.verdict": "violates",
        "indelible.kept": "1",
    }


def _properties(project: pytest.Pytester) -> list[object]:
    return list(case_of(project, "replay").iter("property"))


def test_a_trace_that_no_longer_violates_wants_to_be_marked_fixed(kept: pytest.Pytester) -> None:
    correct(kept)
    done = run_here(kept)
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(
        [
            "no longer violates: agreement holds after each of 2 steps on nodes:Hasty",
            f"  remedy: if that was the purpose: indelible replay --mark-fixed {TRACE}",
            "0 of 1 traces are as they are kept",
        ]
    )
    mark_fixed(kept)
    run_here(kept).assert_outcomes(passed=3)


def test_a_trace_that_raises_is_not_as_it_is_kept(kept: pytest.Pytester) -> None:
    nodes = kept.path / "nodes.py"
    nodes.write_text(nodes.read_text() + "\nHasty.handle = lambda *given: 1 / 0\n")
    done = run_here(kept, TEST)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["  remedy: correct the exception first*"])
    mark_fixed(kept)
    done = run_here(kept, TEST)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["  it was marked fixed, which an exception does not show*"])


def test_a_fixed_trace_that_violates_again_is_a_regression(kept: pytest.Pytester) -> None:
    mark_fixed(kept)
    done = run_here(kept, "traces")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["still violates: agreement*", "  it was marked fixed: this is a regression",
         "   1  n0  is given 'a' by a client"]
    )  # fmt: skip
    assert "Traceback" not in done.stdout.str()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"submissions_max": 1', '"submissions_max": 0', "no longer fits: step 1 of 2 cannot*"),
        ('"nodes:Hasty"', '"nodes:Gone"', "module 'nodes' has no 'Gone'"),
        ('"version": 1', '"version": 2', "*is of version 2*"),
        ('"states": [', '"states": [[', f"*{TRACE}*"),
    ],
)
def test_a_trace_that_cannot_be_replayed_fails(
    old: str, new: str, says: str, kept: pytest.Pytester
) -> None:
    trace = kept.path / TRACE
    assert old in trace.read_text()
    trace.write_text(trace.read_text().replace(old, new))
    done = run_here(kept, TEST)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([says])
    assert "Traceback" not in done.stdout.str()


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_one_trace_is_replayed_and_shown(workers: tuple[str, ...], kept: pytest.Pytester) -> None:
    """Wherever it is, and whatever is configured."""
    moved = (kept.path / TRACE).rename(kept.mkdir("elsewhere") / "x.itf.json")
    kept.makepyprojecttoml("")
    done = (run if workers else run_here)(kept, f"--indelible-replay={moved}", *workers)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(
        ["Trace of nodes:Hasty, about agreement", "   1  n0  is given 'a' by a client"]
    )


def test_a_configured_folder_of_traces(kept: pytest.Pytester) -> None:
    (kept.path / "traces").rename(kept.path / "evidence")
    configure(kept, "Hasty", "agreement", top="traces = 'evidence'")
    run_here(kept, "evidence").assert_outcomes(passed=1)
    run_here(kept, "tests").assert_outcomes(passed=2, failed=1)
    assert not (kept.path / "traces").exists()


def test_a_trace_that_cannot_be_saved_hides_no_counterexample(project: pytest.Pytester) -> None:
    project.path.joinpath("traces").write_text("no folder")
    configure(project, "Hasty", "agreement")
    done = run_here(project, "pyproject.toml")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["   1  n0  is given 'a' by a client", "Not saved: *traces*"])


# --- fixtures -------------------------------------------------------------------------------------

HERE = ("-o", "pythonpath=.", "tests")

OWN = """
import pytest
from indelible import Limits, Scope, Submit
from nodes import Careful, Hasty, nothing_decided

def test_holds(explore):
    assert explore(Careful()).states_distinct == 10

def test_scope(explore):
    assert explore("nodes:Hasty", Scope(commands=("a",))).outcome == "holds"

def test_named(explore):
    explore("nodes:Hasty", properties=["validity", "agreement"])

def test_object(explore):
    explore(Careful(), properties=[nothing_decided])

def test_vacuous(explore):
    explore(Careful(), Scope(commands=()))

def test_limit(explore):
    explore(Careful(), limits=Limits(states_max=2))

def test_unseen(explore):
    explore(Careful(), properties=["log_prefix"])

def test_question(explore):
    explore(Careful)

def test_cluster(cluster):
    for hasty in cluster(Hasty()), cluster("nodes:Hasty"):
        state = hasty.step(hasty.initial(), (1, Submit("a")))
        assert state.nodes[1].record.decided == ((0, "a"),)
        assert len(hasty.enabled(state)) == 2
    assert len(cluster(Hasty(), Scope(nodes=1, commands=("a",))).initial().nodes) == 1
"""


def test_fixtures(project: pytest.Pytester) -> None:
    project.makepyprojecttoml("[tool.indelible]")
    project.path.joinpath("tests", "test_own.py").write_text(OWN)
    done = run_here(project, *HERE, "--junitxml=junit.xml")
    done.assert_outcomes(passed=3, failed=6)
    for line in (
        "violated: agreement: slot 0: n0 decided 'a', n0 decided 'b'",
        f"Saved: {TRACE}",
        "violated: nothing_decided: Nothing is ever decided.",
        "Saved: .pytest_cache/d/indelible/Careful-nothing_decided.itf.json",
        "violated: never reached in this scope: entry_decided (*",
        "inconclusive: the limit of 2 states was reached",
        "inconclusive: no property is observable: *",
        "E * Careful is a class, not an implementation",
        "tests/test_own.py::test_holds * 1 holds * 10 states, depth 2",
    ):
        done.stdout.fnmatch_lines([line])
    assert [path.name for path in (project.path / "traces").iterdir()] == [Path(TRACE).name]
    facts = {each.attrib["name"] for each in case_of(project, "test_holds").iter("property")}
    assert facts == {
        f"indelible.{name}" for name in ("target", "verdict", "states_distinct", "depth")
    }
    skipped = run_here(project, *HERE, "--indelible-inconclusive=skip")
    skipped.assert_outcomes(passed=4, failed=4, skipped=2)  # One is the trace that was saved.


def test_fixtures_where_nothing_is_configured(project: pytest.Pytester) -> None:
    project.path.joinpath("tests", "test_own.py").write_text(OWN)
    done = run_here(project, *HERE, "--indelible-profile=ci", "-k", "holds or limit")
    done.assert_outcomes(passed=1, failed=1)
    run_here(project, *HERE, "-k", "holds or limit").assert_outcomes(passed=1, failed=1)


def test_fixtures_are_documented(project: pytest.Pytester) -> None:
    done = run_here(project, "--fixtures", "-v")
    text = re.sub(r"\s+", " ", done.stdout.str())
    assert "explores every behaviour of ``target`` inside ``scope``" in text
    assert "is a ``Cluster`` on which a test can let events happen one by one" in text
