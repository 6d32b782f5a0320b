"""``indelible check`` as it is used: targets, scopes, properties, limits, outputs, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indelible.cli import main
from indelible.targets import DEFAULT_SCOPE

CODE = '''
from indelible import *

class Register:
    """Node 0 decides what it is told first; others forward nothing."""

    def start(self, node, nodes, storage):
        return storage, (SetTimer("tick", (1, 1)),)

    def handle(self, node, state, event):
        if isinstance(event, Submit) and node in (0, "a") and state is None:
            return event.command, (
                Persist(event.command), Decide(0, event.command), Execute(0, event.command)
            )
        return state, ()

class Torn(Register):
    scope = Scope(nodes=2, restarts_max=2, torn=True, may_time_out=(1,))

class Chatty(Register):
    def handle(self, node, state, event):
        print("hello from handle")
        return super().handle(node, state, event)

class Endless:
    def start(self, node, nodes, storage):
        return 0, (SetTimer("tick", (1, 1)),)

    def handle(self, node, state, event):
        return state + 1, (SetTimer("tick", (1, 1)),)

class Leaves(Register):
    def handle(self, node, state, event):
        raise SystemExit(0)

class Outer:
    class Inner(Register):
        pass
    made = Register()

print("hello from the module")

@always(reads="record", fields=("decided",))
def nothing_decided(record):
    """Nothing is decided."""
    return not record.decided

@sometimes(reads="record", fields=("decided",))
def something_decided(record):
    """Something is decided."""
    return bool(record.decided)

@always(reads="record", fields=("decided",))
def careless(record):
    """Raises."""
    return record.decided[0]
'''

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs ``indelible`` in a folder with ``targets_here.py``."""
    (tmp_path / "targets_here.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, words, prog_name="indelible")

    yield invoke
    for name in set(sys.modules) - known:
        if not name.startswith("indelible"):
            module = sys.modules[name]
            if str(tmp_path) in str(getattr(module, "__file__", "")):
                del sys.modules[name]


def verdict(result: Result) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def scope_of(run: Run, *words: str) -> dict[str, Any]:
    """The scope in which ``words`` make a check run."""
    scope: dict[str, Any] = verdict(run("check", *words, "--json", "--max-states", "1"))["scope"]
    return scope


def subprocess_of(*words: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "indelible", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        **more,
    )


# --- targets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["targets_here:Register", "targets_here:Outer.Inner", "targets_here:Outer.made"],
)
def test_target_holds(run: Run, target: str) -> None:
    result = run("check", target)
    assert (result.exit_code, result.stdout.split(":")[0]) == (0, "holds")


def test_no_target_is_our_multipaxos_in_the_default_scope(run: Run) -> None:
    shown = verdict(run("check", "--json", "--max-states", "1"))
    assert shown["implementation"] == "multipaxos"
    assert shown["scope"]["commands"] == list(DEFAULT_SCOPE.commands)
    assert "leader_replaced" in [known["name"] for known in shown["properties"]]


@pytest.mark.parametrize(
    "words",
    [["multipaxos"], ["indelible.impl.multipaxos:MultiPaxos"], ["--restarts", "0"]],
)
def test_leader_replaced_is_asked_for_in_the_default_check_only(run: Run, words: list[str]) -> None:
    shown = verdict(run("check", *words, "--json", "--max-states", "1"))
    assert shown["scope"]["nodes"] == list(DEFAULT_SCOPE.nodes)
    assert "leader_replaced" not in [known["name"] for known in shown["properties"]]


def test_known_bug_is_a_target_with_its_own_scope_and_is_found(run: Run) -> None:
    listed = json.loads(run("bugs", "--list", "--json").stdout)
    assert all(set(bug) == {"name", "row", "property", "mechanism", "source"} for bug in listed)
    (bug,) = (bug for bug in listed if bug["name"] == "commit_saved_before_entries")
    result = run("check", bug["name"], "--property", bug["property"], "--json")
    assert result.exit_code == 1
    assert verdict(result)["implementation"] == bug["name"]
    assert verdict(result)["scope"]["may_time_out"] == [0]
    assert verdict(result)["violation"]["property"] == bug["property"]


def test_list_of_known_bugs(run: Run) -> None:
    lines = run("bugs", "--list").stdout.splitlines()
    listed = json.loads(run("bugs", "--list", "--json").stdout)
    for bug, line in zip(listed, lines, strict=True):
        assert line.split()[:2] == [bug["name"], bug["property"]]
        assert line.endswith(bug["mechanism"])


# --- scopes -------------------------------------------------------------------------------------


def test_without_options_the_scope_is_the_targets(run: Run) -> None:
    scope = scope_of(run, "targets_here:Torn")
    assert (scope["nodes"], scope["restarts_max"], scope["torn"]) == ([0, 1], 2, True)
    assert scope_of(run, "targets_here:Register")["nodes"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["--nodes", "2"], "nodes", [0, 1]),
        (["--nodes", "a,b"], "nodes", ["a", "b"]),
        (["--nodes", "3,5"], "nodes", [3, 5]),
        (["--commands", "x, y,z"], "commands", ["x", "y", "z"]),
        (["--commands", ""], "commands", []),
        (["--submissions", "2"], "submissions_max", 2),
        (["--submissions", "none"], "submissions_max", None),
        (["--timeouts", "0"], "timeouts_max", 0),
        (["--timeouts", "none"], "timeouts_max", None),
        (["--timeouts", "tick=2,tock=none"], "timeouts_max", {"tick": 2, "tock": None}),
        (
            ["--timeouts", "tick=2", "--timeouts", "tock=none"],
            "timeouts_max",
            {"tick": 2, "tock": None},
        ),
        (
            ["--commands", "a,b", "--may-submit", "a=0", "--may-submit", "b=1,a=2"],
            "may_submit",
            {"'a'": [0, 2], "'b'": [1]},
        ),
        (["--may-submit", "0", "--may-submit", "2"], "may_submit", [0, 2]),
        (["--may-time-out", "0", "--may-time-out", "n2"], "may_time_out", [0, 2]),
        (["--commands", "x", "--commands", "y,z"], "commands", ["x", "y", "z"]),
        (["--may-time-out", "0,n2"], "may_time_out", [0, 2]),
        (["--may-time-out", "all"], "may_time_out", None),
        (["--nodes", "a,b", "--may-time-out", "b"], "may_time_out", ["b"]),
        (["--restarts", "3"], "restarts_max", 3),
        (["--restarts", "none"], "restarts_max", None),
        (["--restarts", "1", "--torn"], "torn", True),
        (["--links", "ordered"], "links", "ordered"),
    ],
)
def test_scope_option(run: Run, words: list[str], field: str, value: object) -> None:
    untouched = scope_of(run, "targets_here:Register")
    scope = scope_of(run, "targets_here:Register", *words)
    assert scope[field] == value
    assert untouched[field] != value or words == ["--may-time-out", "all"]


def test_other_nodes_take_the_places_of_those_that_may_time_out(run: Run) -> None:
    assert scope_of(run, "targets_here:Torn", "--nodes", "a,b,c")["may_time_out"] == ["b"]
    assert scope_of(run, "targets_here:Torn", "--nodes", "1")["may_time_out"] == []
    assert scope_of(run, "targets_here:Torn", "--may-time-out", "all")["may_time_out"] is None


def test_a_timer_option_leaves_other_timers_as_they_were(run: Run) -> None:
    scope = scope_of(run, "multipaxos", "--timeouts", "election=2")
    assert scope["timeouts_max"] == {"election": 2, "heartbeat": 0, "retransmit": 0}


def test_no_restarts_means_no_torn_steps(run: Run) -> None:
    assert scope_of(run, "targets_here:Torn", "--restarts", "0")["torn"] is False
    assert scope_of(run, "targets_here:Torn", "--no-torn")["torn"] is False


# --- properties ---------------------------------------------------------------------------------


def names(result: Result) -> list[str]:
    return [known["name"] for known in verdict(result)["properties"]]


def test_properties_by_name_are_those_judged(run: Run) -> None:
    result = run(
        "check", "targets_here:Register", "--json",
        "--property", "agreement", "--property", "targets_here:something_decided",
    )  # fmt: skip
    assert names(result) == ["agreement", "something_decided"]
    assert result.exit_code == 0


def test_own_property_is_violated(run: Run) -> None:
    result = run("check", "targets_here:Register", "--property", "targets_here:nothing_decided")
    assert result.exit_code == 1
    assert "violated: nothing_decided: Nothing is decided." in result.stdout


def test_no_internal_leaves_out_what_no_client_can_see(run: Run) -> None:
    with_internal = names(run("check", "targets_here:Register", "--json"))
    without = names(run("check", "targets_here:Register", "--json", "--no-internal"))
    assert {"votes_are_safe", "one_leader_per_ballot"} <= set(with_internal) - set(without)
    assert {"agreement", "entry_decided"} <= set(without)


def test_a_property_asked_for_must_be_observable(run: Run) -> None:
    result = run("check", "targets_here:Register", "--property", "votes_are_safe", "--property",
                 "agreement")  # fmt: skip
    assert result.exit_code == 3
    assert "inconclusive: votes_are_safe is not observable" in result.stdout


def test_list_of_properties(run: Run) -> None:
    text = run("properties").stdout
    listed = json.loads(run("properties", "--json").stdout)
    assert {"agreement", "leader_replaced"} <= {known["name"] for known in listed}
    for known in listed:
        assert set(known) == {"name", "kind", "reads", "internal", "says"}
        assert any(
            line.startswith(known["name"]) and line.endswith(known["says"])
            for line in text.splitlines()
        )


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--max-states", "100"], "the limit of 100 states was reached"),
        (["--max-states", "1e2"], "the limit of 100 states was reached"),
        (["--max-states", "1_00"], "the limit of 100 states was reached"),
        (["--max-states", "0.1k"], "the limit of 100 states was reached"),
        (["--max-memory", "10M"], "the memory limit of 10.0 MiB for the whole process was reached"),
        (
            ["--max-memory", "0.01GiB"],
            "the memory limit of 10.2 MiB for the whole process was reached",
        ),
        (["--time-limit", "300ms"], "the time limit of 0.3 s was reached"),
        (["--time-limit", "0.3"], "the time limit of 0.3 s was reached"),
        (["--time-limit", "0.005m"], "the time limit of 0.3 s was reached"),
    ],
)
def test_limit_is_inconclusive(run: Run, words: list[str], reason: str) -> None:
    result = run("check", "targets_here:Endless", "--timeouts", "none", "--json", *words)
    assert result.exit_code == 3
    assert (verdict(result)["outcome"], verdict(result)["reason"]) == ("inconclusive", reason)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_with_a_report(tmp_path: Path) -> None:
    (tmp_path / "targets_here.py").write_text(CODE, encoding="utf-8")
    words = ("check", "targets_here:Endless", "--timeouts", "none", "--progress")
    with subprocess_of(*words, cwd=tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:  # Until the search is under way.
            if "states" in line:
                break
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert stdout.startswith("inconclusive: interrupted\n")
    assert "transitions" in stdout
    assert "Traceback" not in stderr


# --- outputs ------------------------------------------------------------------------------------


def test_quiet_is_one_line(run: Run) -> None:
    result = run("check", "targets_here:Register", "--quiet")
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("holds: all ")


def test_what_the_code_on_trial_prints_is_not_the_result(run: Run) -> None:
    result = run("check", "targets_here:Chatty", "--json")
    assert verdict(result)["implementation"] == "Chatty"
    assert "hello from handle" in result.stderr
    assert "hello from the module" in result.stderr


def test_json_of_a_check_that_holds(run: Run) -> None:
    result = run("check", "targets_here:Register", "--json")
    shown = verdict(result)
    assert set(shown) == {
        "version", "implementation", "outcome", "exit_code", "reason", "exhausted", "scope",
        "properties", "states_distinct", "transitions", "depth", "states_local", "steps_learned",
        "calls", "seconds", "memory_bytes", "notes", "violation", "trace", "others", "saved",
    }  # fmt: skip
    assert (shown["version"], shown["outcome"], shown["exit_code"]) == (1, "holds", 0)
    assert shown["exhausted"] is True
    assert (shown["violation"], shown["trace"]) == (None, None)
    documented = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    assert all(f"`{field}`" in documented for field in shown)


def test_json_of_a_counterexample(run: Run) -> None:
    words = ("check", "targets_here:Register", "--property", "targets_here:nothing_decided")
    shown = verdict(run(*words, "--json"))
    assert shown["violation"] == {
        "property": "nothing_decided",
        "explanation": "Nothing is decided.",
        "slot": None,
        "nodes": [],
        "values": [],
    }
    (step,) = shown["trace"]
    assert step == {
        "number": 1,
        "node": 0,
        "event": {"type": "Submit", "command": "a"},
        "changes": [{"path": "", "old": "None", "new": "'a'"}],
        "effects": [
            {"type": "Persist", "storage": "a"},
            {"type": "Decide", "slot": 0, "value": "a"},
            {"type": "Execute", "index": 0, "command": "a"},
        ],
        "effects_lost": [],
        "effects_restart": [],
        "raised": None,
    }
    documented = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    assert all(f"`{field}`" in documented for field in step)


def test_progress_goes_to_stderr_when_asked_for(run: Run) -> None:
    words = ("check", "targets_here:Register")
    assert "frontier" not in run(*words).stderr
    shown = run(*words, "--progress")
    assert "frontier" in shown.stderr
    assert "frontier" not in shown.stdout
    assert "frontier" in run(*words, "--progress", "--quiet").stderr


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("properties",)])
def test_nothing_heavy_is_imported_before_it_is_used(words: tuple[str, ...]) -> None:
    heavy = "numba", "numpy", "z3", "rich", "hypothesis", "llvmlite"
    code = (
        "import sys\nfrom indelible.cli import main\n"
        f"main({list(words)!r}, standalone_mode=False)\n"
        f"sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert run.stdout
    assert run.stderr.strip() == ""


def test_version(run: Run) -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("indelible")
