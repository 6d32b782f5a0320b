"""The pytest plugin, in real runs of pytest in other processes, on small projects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from indelible.checkers import overdue
from support.pytest_projects import CHECK, case_of, configure, project, properties_of, run, run_here

__all__ = ["project"]

ROOT = Path(__file__).parents[2]

# --- what is collected ----------------------------------------------------------------------------


def collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    lines = run_here(project, "--collect-only", "-q", *arguments).outlines
    return [line for line in lines if "::" in line]


def test_checks_and_traces_belong_to_every_folder(project: pytest.Pytester) -> None:
    scopes = "scopes = { small = { commands = ['a'] }, large = { nodes = 3 } }\n"
    configure(project, "Careful", "agreement", "nodes:nothing_decided", more=scopes)
    project.mkdir("traces").joinpath("x.itf.json").write_text("{}")
    checks = [
        f"pyproject.toml::c[{scope}-{name}]"
        for scope in ("small", "large")
        for name in ("agreement", "nothing_decided")
    ]
    own, trace = "tests/test_own.py::test_own", "traces/x.itf.json::replay"
    assert sorted(collected(project)) == sorted([*checks, own, trace])
    assert sorted(collected(project, "tests")) == sorted([*checks, own, trace])
    assert sorted(collected(project, "tests", ".")) == sorted([*checks, own, trace])
    assert collected(project, "tests/test_own.py") == [own]
    assert collected(project, "traces") == [trace]
    assert collected(project, "pyproject.toml") == checks
    assert collected(project, checks[2]) == [checks[2]]
    assert collected(project, "-k", "large and agreement") == [checks[2]]
    assert collected(project, "-m", "not indelible") == [own]


@pytest.mark.parametrize("text", ["", "[tool.other]\nindelible = 1\n"])
def test_a_project_that_configures_nothing_is_left_alone(
    text: str, project: pytest.Pytester
) -> None:
    project.makepyprojecttoml(text)
    project.mkdir("traces").joinpath("x.itf.json").write_text("{}")
    done = run(project, "-v")
    done.assert_outcomes(passed=1)
    assert not [line for line in done.outlines if "indelible, profile" in line]


def test_the_project_itself_collects_nothing_of_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", "-n0", "tests/paper"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "tests/paper/" in done.stdout
    assert "pyproject.toml" not in done.stdout
    assert "itf.json" not in done.stdout


def test_the_plugin_costs_next_to_nothing(project: pytest.Pytester) -> None:
    """Where nothing is asked of it, nothing slow is loaded, not even what reads configurations."""
    slow = "{'numba', 'numpy', 'z3', 'rich', 'indelible.configuration', 'indelible.targets'}"
    code = f"import sys\ndef test_own(): assert not {slow} & sys.modules.keys()\n"
    project.makepyprojecttoml("")
    project.path.joinpath("tests", "test_own.py").write_text(code)
    done = run(project, "-W", "ignore")
    done.assert_outcomes(passed=1)
    # Collecting checks is quick, too.
    configure(project, "Careful", "agreement")
    code = "import sys\ndef test_own(): assert not {'numba', 'numpy', 'z3'} & sys.modules.keys()\n"
    project.path.joinpath("tests", "test_own.py").write_text(code)
    run(project, "-W", "ignore", "tests").assert_outcomes(passed=2)


# --- what becomes of a check ----------------------------------------------------------------------


def test_a_clean_target_passes(project: pytest.Pytester) -> None:
    configure(project, "Careful", "agreement", "stability", "entry_decided")
    done = run(project, "-v", "--junitxml=junit.xml")
    done.assert_outcomes(passed=4)
    assert done.ret == 0
    done.stdout.fnmatch_lines(
        ["*= indelible, profile dev =*", "c  1 reached, 2 holds  * states, depth *"]
    )
    assert properties_of(project, "c[agreement]") == {
        "check": "c",
        "scope": "",
        "target": "nodes:Careful",
        "how": "explore",
        "verdict": "holds",
        "states_distinct": "10",
        "depth": "2",
    }


@pytest.mark.parametrize("workers", [(), ("-n2",), ("-n2", "--dist=loadgroup")])
def test_a_buggy_target_fails_with_the_counterexample(
    workers: tuple[str, ...], project: pytest.Pytester
) -> None:
    configure(project, "Hasty", "agreement", "stability", "validity")
    done = run(project, "--junitxml=junit.xml", "tests", *workers)
    done.assert_outcomes(failed=2, passed=2)
    text = done.stdout.str()
    assert "Traceback" not in text
    assert "Error" not in text
    for line in (
        "*_ c[[]agreement] _*",
        "violated: agreement: slot 0: n0 decided 'a', n0 decided 'b'",
        "Counterexample: 2 events, the shortest there is.",
        "   1  n0  is given 'a' by a client",
        "Violated: agreement",
        "  nodes  * 2 (n0, n1)",
        "Saved: traces/nodes-Hasty-agreement.itf.json",
        "Once it is corrected: indelible replay --mark-fixed traces/nodes-Hasty-agree*.json",
        "*= indelible, profile dev =*",
        "c  2 violated, 1 holds  * states, depth *",
        "saved: traces/nodes-Hasty-agreement.itf.json",
        "saved: traces/nodes-Hasty-stability.itf.json",
        "FAILED pyproject.toml::c[[]agreement]* - *violated: agreement: *",
    ):
        done.stdout.fnmatch_lines([line])
    assert properties_of(project, "c[agreement]") == {
        "check": "c",
        "scope": "",
        "target": "nodes:Hasty",
        "how": "explore",
        "verdict": "violated",
        "states_distinct": "11",
        "depth": "2",
        "trace": "traces/nodes-Hasty-agreement.itf.json",
    }
    (failure,) = case_of(project, "c[agreement]").iter("failure")
    assert failure.text is not None
    assert failure.text.startswith("violated: agreement: ")
    assert "is given 'a' by a client" in failure.text


def test_what_holds_beside_what_is_violated_was_explored_to_its_end(
    project: pytest.Pytester,
) -> None:
    """Both explorations of it: with all properties until the first violation, and without."""
    more = "scope = { commands = ['a', 'b', 'c'] }\n"
    configure(project, "Hasty", "agreement", "validity", more=more)
    run_here(project, "--junitxml=junit.xml").assert_outcomes(failed=1, passed=2)
    violated, holds = (properties_of(project, f"c[{name}]") for name in ("agreement", "validity"))
    configure(project, "Hasty", "validity", more=more)
    run_here(project, "--junitxml=junit.xml", "pyproject.toml").assert_outcomes(passed=1)
    alone = properties_of(project, "c[validity]")
    assert holds == alone
    assert int(violated["states_distinct"]) < int(alone["states_distinct"])


def test_an_exception_fails_every_property(project: pytest.Pytester) -> None:
    configure(project, "Falls", "agreement", "validity")
    done = run_here(project, "pyproject.toml")
    done.assert_outcomes(failed=2)
    says = "violated: implementation_raises: the implementation raised ValueError: it falls"
    assert len([line for line in done.outlines if line.startswith(says)]) == 2


def test_a_step_that_never_ends_is_no_pass_and_named(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "STEP_SECONDS", 0.5)
    monkeypatch.setattr(overdue, "LOOK_SECONDS", 0.1)
    configure(project, "Hangs", "agreement")
    project.makepyfile(test_hangs="def test_hangs(explore): explore('nodes:Hangs')")
    done = run_here(project, "pyproject.toml", "test_hangs.py")
    done.assert_outcomes(failed=2)
    says = "inconclusive: *handle(n0, Submit(command='a')) had not ended after 0.* s"
    done.stdout.fnmatch_lines([says, says])


def test_what_is_never_reached_fails(project: pytest.Pytester) -> None:
    configure(project, "Careful", "entry_decided", more="scope = { commands = [] }\n")
    done = run_here(project, "pyproject.toml")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["violated: never reached in this scope: entry_decided (*"])


INCONCLUSIVE = "budget = { states = 2 }\n"
REASON = "inconclusive: agreement: the limit of 2 states was reached"


def test_inconclusive_is_not_a_pass(project: pytest.Pytester) -> None:
    configure(project, "Careful", "agreement", "entry_decided", more=INCONCLUSIVE)
    done = run_here(project, "pyproject.toml", "--junitxml=junit.xml")
    done.assert_outcomes(failed=1, passed=1)  # That an entry is decided was seen all the same.
    done.stdout.fnmatch_lines([REASON, "c  1 inconclusive, 1 reached  *"])
    assert properties_of(project, "c[agreement]")["verdict"] == "inconclusive"
    done = run_here(project, "pyproject.toml", "--indelible-inconclusive=skip", "-rs")
    done.assert_outcomes(skipped=1, passed=1)
    done.stdout.fnmatch_lines([f"SKIPPED * {REASON}*"])


def test_inconclusive_is_skipped_where_that_is_configured(project: pytest.Pytester) -> None:
    skip = "inconclusive = 'skip'"
    configure(project, "Careful", "agreement", more=INCONCLUSIVE, top=skip)
    run_here(project, "pyproject.toml").assert_outcomes(skipped=1)
    run_here(project, "pyproject.toml", "--indelible-inconclusive=fail").assert_outcomes(failed=1)
    configure(project, "Hasty", "agreement", top=skip)
    run_here(project, "pyproject.toml").assert_outcomes(failed=1)


def test_what_nobody_can_see_is_not_a_pass(project: pytest.Pytester) -> None:
    configure(project, "Careful", "log_prefix", "agreement")
    done = run_here(project, "pyproject.toml")
    done.assert_outcomes(failed=1, passed=1)
    says = "not observable: log_prefix: the implementation never gave Execute"
    done.stdout.fnmatch_lines([says])
    # Of the default ones nobody said that it should be.
    project.makepyprojecttoml(CHECK.format("Careful", []).replace("properties = []", ""))
    done = run_here(project, "pyproject.toml", "-rs")
    assert done.ret == 0
    done.stdout.fnmatch_lines([f"SKIPPED * {says}"])


def test_a_profile_gives_the_budget(project: pytest.Pytester) -> None:
    profile = "[tool.indelible.profiles.nightly]\nstates = 2\n"
    configure(project, "Careful", "agreement", more=profile)
    run_here(project, "pyproject.toml").assert_outcomes(passed=1)
    done = run_here(project, "pyproject.toml", "--indelible-profile=nightly")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([REASON, "*= indelible, profile nightly =*"])


def test_random_runs_follow_from_the_seed(project: pytest.Pytester) -> None:
    more = "how = 'fuzz'\nbudget = { time = '300ms' }\n"
    configure(project, "Hasty", "agreement", "validity", more=more)
    arguments = ("pyproject.toml", "--junitxml=junit.xml", "--indelible-seed=7")
    done = run_here(project, *arguments)
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(
        ["violated: agreement: *", "c  1 violated, 1 nothing found  * runs, seed 7"]
    )
    first = properties_of(project, "c[agreement]")
    assert (first["how"], first["seed"], first["verdict"]) == ("fuzz", "7", "violated")
    run_here(project, *arguments)
    assert properties_of(project, "c[agreement]") == first
    run_here(project, "pyproject.toml", "--junitxml=junit.xml", "-n0")
    assert properties_of(project, "c[agreement]")["seed"] != "7"


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("[tool.indelible]\ntracs = 1", (), "ERROR: *[[]tool.indelible]: there is no key 'tracs'"),
        ("[tool.indelible]", ("--indelible-profile=x",), "ERROR: *there is no profile 'x'"),
        ("", ("--indelible-profile=x",), "ERROR: *there is no profile 'x'"),
        ("", ("--indelible-replay=x",), "ERROR: --indelible-replay: there is no file *x"),
    ],
)
def test_a_bad_question_is_a_usage_error(
    text: str, arguments: tuple[str, ...], says: str, project: pytest.Pytester
) -> None:
    project.makepyprojecttoml(text)
    done = run_here(project, *arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([says])
    assert "Traceback" not in done.stdout.str() + done.stderr.str()


@pytest.mark.parametrize(
    ("target", "more", "says"),
    [
        ("Gone", "", "module 'nodes' has no 'Gone'"),
        ("Careful", "scope = { may_time_out = [7] }\n", "*c.scope]: may_time_out names 7, which *"),
    ],
)
def test_a_check_that_cannot_be_asked_fails(
    target: str, more: str, says: str, project: pytest.Pytester
) -> None:
    configure(project, target, "agreement", "validity", more=more)
    done = run_here(project, "pyproject.toml")
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines([says, "c  2 error*"])
    assert "Traceback" not in done.stdout.str()
