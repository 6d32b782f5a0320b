"""``indelible check`` in a project that configures checks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from indelible import configured_checks, configured_searches
from indelible.checkers.limits import Limits
from indelible.cli import main
from indelible.configuration import read_configuration
from indelible.configured_checks import configured_jobs, run_jobs
from indelible.model.errors import ConfigurationError

CODE = """
from indelible import *

class Alone:
    scope = Scope(nodes=1, commands=("a",), timeouts_max=0)

    def start(self, node, nodes, storage):
        return None, ()

    def handle(self, node, state, event):
        return state, (Decide(0, event.command),) if isinstance(event, Submit) else ()

class Wrong(Alone):
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=0)

class Noisy(Wrong):
    def handle(self, node, state, event):
        print("noise")
        return super().handle(node, state, event)

class Endless:
    scope = Scope(nodes=1, timeouts_max=None)

    def start(self, node, nodes, storage):
        return 0, (SetTimer("tick", (1, 1)),)

    def handle(self, node, state, event):
        return state + 1, (SetTimer("tick", (1, 1)),)

class Mutable(Alone):
    def start(self, node, nodes, storage):
        return [], ()

@always(reads="record", fields=("decided",))
def nothing_decided(record):
    return not record.decided
"""

HOLDS = '[tool.indelible.checks.good]\ntarget = "configured_targets:Alone"\n'
SCOPES = '[tool.indelible.checks.good.scopes]\none = {}\ntwo = { nodes = 2, commands = ["b"] }\n'
VIOLATED = '[tool.indelible.checks.bad]\ntarget = "configured_targets:Wrong"\n'
ENDLESS = '[tool.indelible.checks.long]\ntarget = "configured_targets:Endless"\n'
BROKEN = '[tool.indelible.checks.broken]\ntarget = "configured_targets:Mutable"\n'
MISSING = '[tool.indelible.checks.missing]\ntarget = "configured_targets:Missing"\n'
RANDOM = '[tool.indelible.checks.random]\ntarget = "configured_targets:Alone"\nhow = "fuzz"\n'
OWN = 'properties = ["agreement", "configured_targets:nothing_decided"]\n'

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``indelible check`` in a project that is configured so."""
    (tmp_path / "configured_targets.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "configured_targets", raising=False)

    def invoke(configured: str, *words: str) -> Result:
        Path("pyproject.toml").write_text(configured, encoding="utf-8")
        return CliRunner().invoke(main, ["check", *words], prog_name="indelible")

    return invoke


def checks(result: Result) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(result.stdout)["checks"]}


# --- which --------------------------------------------------------------------------------------


def test_without_a_target_all_that_is_configured_is_checked(run: Run) -> None:
    found = checks(run(VIOLATED + HOLDS + SCOPES, "--json"))
    assert list(found) == ["bad", "good[one]", "good[two]"]
    assert [each["outcome"] for each in found.values()] == ["violated", "holds", "holds"]
    assert found["good[two]"]["result"]["scope"]["nodes"] == [0, 1]
    assert found["good[one]"]["result"]["scope"]["nodes"] == [0]


def test_from_a_folder_below(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(HOLDS)
    monkeypatch.chdir(tmp_path / "below")
    result = CliRunner().invoke(main, ["check", "-q"])
    assert result.stdout == "holds: the check, in its scope\n"


def test_a_check_by_its_name(run: Run) -> None:
    assert list(checks(run(VIOLATED + HOLDS, "good", "--json"))) == ["good"]


def test_any_other_target_is_what_it_always_is(run: Run) -> None:
    result = run(VIOLATED, "configured_targets:Alone", "--json", "--nodes", "2")
    assert json.loads(result.stdout)["implementation"] == "Alone"
    result = run(VIOLATED, "multipaxos", "--json", "--max-states", "1")
    assert json.loads(result.stdout)["implementation"] == "multipaxos"


@pytest.mark.parametrize("configured", ["", "[tool.indelible]\n", "[tool.other]\n"])
def test_where_nothing_is_configured_our_multipaxos_is_checked(run: Run, configured: str) -> None:
    result = run(configured, "--json", "--max-states", "1")
    assert json.loads(result.stdout)["implementation"] == "multipaxos"


@pytest.mark.parametrize("words", [("--budget", "1m"), ("--profile", "ci")])
def test_who_counts_on_a_configuration_is_told_that_there_is_none(
    run: Run, words: tuple[str, ...]
) -> None:
    result = run("", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no checks are configured here" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("--nodes", "2"), ("--property", "agreement"), ("--no-internal",), ("bad", "--restarts", "1")],
)
def test_what_the_configuration_says_is_not_said_otherwise(
    run: Run, words: tuple[str, ...]
) -> None:
    result = run(VIOLATED, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "options ask for another scope or other properties" in result.stderr


def test_a_profile_is_for_what_is_configured(run: Run) -> None:
    result = run(HOLDS, "configured_targets:Alone", "--profile", "ci")
    assert result.exit_code == 2
    assert "is no configured check" in result.stderr
    assert "there is no profile 'no'" in run(HOLDS, "--profile", "no").stderr


def test_properties_are_those_configured_and_each_counts(run: Run) -> None:
    found = checks(run(HOLDS + OWN, "--json"))["good"]
    assert [each["name"] for each in found["result"]["properties"]] == [
        "agreement", "nothing_decided"
    ]  # fmt: skip
    asked = 'properties = ["votes_are_safe"]\n'
    assert checks(run(HOLDS + asked, "--json"))["good"]["outcome"] == "inconclusive"


def test_random_runs_are_made_and_prove_less(run: Run) -> None:
    result = run(HOLDS + RANDOM, "--json", "--budget", "1s")
    assert result.exit_code == 0
    found = checks(result)
    assert json.loads(result.stdout)["outcome"] == "nothing found"
    assert (found["random"]["how"], found["random"]["outcome"]) == ("fuzz", "nothing found")
    assert found["random"]["result"]["runs"] > 0
    assert 0.3 < found["random"]["result"]["seconds"] < 3
    wrong = RANDOM.replace("Alone", "Wrong") + 'properties = ["agreement", "entry_decided"]\n'
    result = run(wrong, "--budget", "1s", "--save")
    assert result.exit_code == 1
    assert "Violated: agreement" in result.stdout
    assert "Saved: traces/configured_targets-Wrong-agreement.itf.json" in result.stdout


def test_random_runs_without_end_make_no_sense(run: Run) -> None:
    found = checks(run(RANDOM + 'budget = { time = "none" }\n', "--json"))
    assert "random runs have no end" in found["random"]["error"]


# --- what comes out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "code", "headline"),
    [
        (HOLDS + SCOPES, 0, "holds: all 2 checks, each in its scope"),
        (HOLDS + VIOLATED, 1, "violated: bad (1 of 2 hold)"),
        (ENDLESS + HOLDS, 3, "inconclusive: long (1 of 2 hold)"),
        (ENDLESS + VIOLATED, 1, "violated: bad; inconclusive: long (0 of 2 hold)"),
        (BROKEN + HOLDS + ENDLESS, 2, "error: broken; inconclusive: long (1 of 3 hold)"),
        (MISSING + VIOLATED, 1, "violated: bad; error: missing (0 of 2 hold)"),
    ],
)
def test_the_worst_decides(run: Run, configured: str, code: int, headline: str) -> None:
    result = run(configured, "--quiet", "--max-states", "50")
    assert (result.exit_code, result.stdout) == (code, f"{headline}\n")


def test_what_went_wrong_is_told_where_it_did(run: Run) -> None:
    found = checks(run(MISSING + BROKEN + HOLDS, "--json"))
    assert found["missing"]["result"] is None
    assert "has no 'Missing'" in found["missing"]["error"]
    assert "hash" in found["broken"]["error"]
    assert found["good"]["outcome"] == "holds"


def test_the_object_is_documented(run: Run) -> None:
    whole = json.loads(run(HOLDS, "--json", "--budget", "1m").stdout)
    assert (whole["version"], whole["outcome"], whole["exit_code"]) == (1, "holds", 0)
    assert whole["budget_seconds"] == 60.0
    documented = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    section = documented.partition("# The JSON of `indelible check --json` for configured checks")[
        2
    ]
    assert all(f"`{field}`" in section for field in (*whole, *whole["checks"][0]))


def test_junit_has_a_suite_for_each(run: Run) -> None:
    run(MISSING + VIOLATED + HOLDS + SCOPES, "--junit", "junit.xml", "-q")
    root = ElementTree.parse("junit.xml").getroot()
    assert [(suite.attrib["name"], suite.attrib["failures"]) for suite in root] == [
        ("missing", "0"), ("bad", "1"), ("good[one]", "0"), ("good[two]", "0")
    ]  # fmt: skip


def test_counterexamples_are_kept_where_the_project_keeps_them(run: Run) -> None:
    run('[tool.indelible]\ntraces = "evidence"\n' + VIOLATED, "--save", "-q")
    (kept,) = Path("evidence").iterdir()
    assert kept.name == "configured_targets-Wrong-agreement.itf.json"
    found = checks(run(VIOLATED, "--save", "--json", "--traces", "elsewhere"))
    (saved,) = found["bad"]["result"]["saved"]
    assert Path(saved).parent == Path("elsewhere")


# --- for how long -------------------------------------------------------------------------------


def test_the_budget_is_split_over_all(run: Run) -> None:
    run(HOLDS)  # So that the kernels are compiled.
    two = ENDLESS + 'scopes = { x = {}, y = {} }\nbudget = { time = "20ms" }\n'
    found = checks(run(two + HOLDS, "--budget", "900ms", "--json"))
    # About 300 ms each: the 20 ms that are configured are not what counts.
    for name in ("long[x]", "long[y]"):
        verdict = found[name]["result"]
        assert verdict["outcome"] == "inconclusive"
        assert verdict["seconds"] > 0.1
    assert found["good"]["outcome"] == "holds"


def test_a_check_that_takes_too_long_costs_no_other_its_part(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    given: list[float | None] = []

    def slow(job: Any, limits: Limits, _: int) -> Any:
        begun.append(job.name)
        given.append(limits.seconds_max)
        time.sleep(0.4)  # As an import may, of which no search knows.
        raise ConfigurationError("it took too long")

    monkeypatch.setattr(configured_checks, "_prepare", lambda: begun.append("prepared"))
    monkeypatch.setitem(configured_searches.SEARCHES, "explore", slow)
    run(ENDLESS + "scopes = { x = {}, y = {}, z = {} }\n", "--budget", "300ms")
    assert begun == ["prepared", "long[x]", "long[y]", "long[z]"]
    assert given == pytest.approx([0.1, 0.1, 0.1], abs=0.001)


def test_what_is_printed_does_not_mix_with_the_result(run: Run) -> None:
    result = run('[tool.indelible.checks.bad]\ntarget = "configured_targets:Noisy"\n', "--json")
    assert json.loads(result.stdout)["outcome"] == "violated"
    assert "noise" in result.stderr


def test_without_a_budget_the_time_is_what_is_configured(run: Run) -> None:
    found = checks(run(ENDLESS + 'budget = { time = "200ms" }\n', "--json"))
    assert found["long"]["result"]["reason"] == "the time limit of 0.2 s was reached"
    nightly = ENDLESS + '[tool.indelible.profiles.nightly]\ntime = "100ms"\n'
    found = checks(run(nightly, "--json", "--profile", "nightly"))
    assert found["long"]["result"]["reason"] == "the time limit of 0.1 s was reached"
    found = checks(run(nightly, "--json", "--profile", "nightly", "--time-limit", "50ms"))
    assert found["long"]["result"]["reason"] == "the time limit of 0.05 s was reached"


def test_other_bounds_than_time_are_the_configured_ones(run: Run) -> None:
    few = ENDLESS + "budget = { states = 30 }\n"
    found = checks(run(few, "--json", "--budget", "1m"))
    assert found["long"]["result"]["reason"] == "the limit of 30 states was reached"
    found = checks(run(few, "--json", "--max-states", "20"))
    assert found["long"]["result"]["reason"] == "the limit of 20 states was reached"


def test_a_budget_for_one_target_is_its_time(run: Run) -> None:
    result = run("", "configured_targets:Endless", "--budget", "100ms", "--json")
    assert json.loads(result.stdout)["reason"] == "the time limit of 0.1 s was reached"


def test_what_did_not_begin_is_inconclusive(run: Run) -> None:
    run(HOLDS + SCOPES)
    configuration = read_configuration(Path.cwd())
    assert configuration is not None
    asked: list[str] = []
    limits = Limits(interrupted=lambda: len(asked) > 0)
    told = run_jobs(
        configured_jobs(configuration), limits, told=lambda done: asked.append(done.job.name)
    )
    assert [done.result.headline.partition(":")[0] for done in told] == ["holds", "inconclusive"]
    assert told[1].result.headline == "inconclusive: interrupted before it began"


def test_nothing_to_check_is_no_success(run: Run) -> None:
    run(HOLDS)
    configuration = read_configuration(Path.cwd())
    assert configuration is not None
    with pytest.raises(ConfigurationError):
        configured_jobs(configuration, "other")


def test_a_search_begins_anew_with_more_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[tuple[str, float]] = []
    original = configured_searches.check_asked

    def noted(asked: Any, limits: Limits) -> Any:
        assert limits.seconds_max is not None
        shares.append((asked.target.name.rpartition(":")[2], limits.seconds_max))
        return original(asked, limits)

    monkeypatch.setattr(configured_searches, "check_asked", noted)
    run(ENDLESS + HOLDS + SCOPES, "--budget", "2.9s", "-q")
    assert [name for name, _ in shares] == ["Endless", "Alone", "Alone", "Endless"]
    assert shares[3][1] > shares[0][1] > 0.8
