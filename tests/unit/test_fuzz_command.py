"""indelible fuzz: what it prints and keeps, how it ends, and that a seed decides it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from indelible import Decide, Scope, Step, Submit, fuzz_command
from indelible.checkers.limits import Limits
from indelible.checkers.walks import share as share_module
from indelible.checkers.walks.coverage import Coverage
from indelible.checkers.walks.runs import EVENTS_DEFAULT, STRATEGIES, Campaign, events_most
from indelible.checkers.walks.share import Bounds
from indelible.cli import main
from indelible.fuzz_command import EVENTS_DEFAULT as SHOWN_EVENTS
from indelible.fuzz_command import STRATEGIES as SHOWN_STRATEGIES
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.errors import ScopeError
from indelible.trace_files import trace_paths

BUG = "dup_ack_counted"

LONG = ("targeted", "mixed")

SMALL = ("--nodes", "3", "--commands", "a", "--submissions", "1", "--restarts", "0", "--no-torn")
SMALL += ("--timeouts", "election=1,heartbeat=0,retransmit=0", "--may-time-out", "n0,n1")
SMALL += ("--may-submit", "all", "--links", "unordered_duplicating")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["fuzz", *words, "--workers", "1"])


def read(result: Result) -> dict[str, Any]:
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def steady(result: Result) -> dict[str, Any]:
    """What does not depend on the clock."""
    return {name: value for name, value in read(result).items() if name != "seconds"}


def test_a_known_bug_is_found_minimized_and_kept(tmp_path: Path) -> None:
    result = run(BUG, "--seed", "1", "--runs", "100")
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("violated: decided_implies_chosen: slot 0: ")
    assert "minimized, of " in result.stdout
    assert re.search(r"Counterexample: \d events, the shortest there is\.", result.stdout)
    assert "seed            1, strategy mixed" in result.stdout
    (path,) = trace_paths(tmp_path / "traces")
    assert f"Saved: traces/{path.name}" in result.stdout
    replayed = CliRunner().invoke(main, ["replay", str(path)])
    assert replayed.exit_code == 1
    assert "still violates" in replayed.stdout
    found = json.loads(path.read_text())["#meta"]["indelible"]["found"]
    assert found["by"] == "random testing"
    assert found["seed"] == 1
    again = run(BUG, "--seed", "1", "--run", str(found["run"]), "--no-save", "--json")
    assert read(again)["runs"] == 1
    assert read(again)["kept"][0]["run"] == found["run"]


def test_the_same_seed_gives_the_same_campaign() -> None:
    words = (BUG, "--seed", "7", "--runs", "40", "--json", "--no-save")
    first = steady(run(*words))
    assert first["kept"]
    assert steady(run(*words)) == first
    other = steady(run(BUG, "--seed", "8", *words[3:]))
    assert other["events"] != first["events"]


def test_it_does_not_depend_on_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).parents[2])
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", root)])
    words = (BUG, "--seed", "3", "--runs", "40", "--json", "--no-save")
    one = steady(run(*words))
    two = steady(CliRunner().invoke(main, ["fuzz", *words, "--workers", "2"]))
    assert two.pop("workers") == 2
    del one["workers"]
    # Each worker counts for itself which states it has met.
    assert two.pop("node_states") <= one.pop("node_states")
    assert two == one
    first = steady(run(*words, "--first"))
    assert (
        steady(CliRunner().invoke(main, ["fuzz", *words, "--first", "--workers", "2"]))["kept"]
        == first["kept"]
    )


def test_nothing_found() -> None:
    result = run("--seed", "1", "--runs", "3", "--no-save")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("nothing found: no violation in 3 runs of ")
    assert "? agreement " in result.stdout
    assert "no violation found" in result.stdout
    assert "✓ entry_decided" in result.stdout
    assert "Random runs prove nothing" in result.stdout
    assert "5 (n0, n1, n2, n3, n4)" in result.stdout


def test_what_reaches_nothing_is_inconclusive() -> None:
    result = run("--seed", "1", "--runs", "3", "--timeouts", "0", "--no-save")
    assert result.exit_code == 3, result.output
    assert result.stdout.startswith("inconclusive: no run reached entry_decided: they show nothing")
    assert "✗ entry_decided" in result.stdout
    assert "unreached" in result.stdout


def test_no_time_is_inconclusive() -> None:
    result = run("--time", "0.000001ms", "--seed", "1", "--no-save")
    assert result.exit_code == 3, result.output


class Mute:
    """Says nothing of what it does."""

    scope = Scope(nodes=1)

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step(0)

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        return Step(0)


class Twofaced(Mute):
    """Decides what nobody else does."""

    scope = Scope(nodes=2, commands=("a", "b"))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        return Step(1, (Decide(0, node),))


def test_without_testimony_it_is_inconclusive() -> None:
    result = run(f"{__name__}:Mute", "--property", "agreement", "--runs", "3", "--no-save")
    assert result.exit_code == 3, result.output
    says = "agreement is not observable (the implementation never gave Decide in these runs)"
    assert f"inconclusive: {says}" in result.stdout


class Unvoted(Mute):
    """Decides what it is given, and never says who voted."""

    scope = Scope(nodes=2, commands=("a", "b"))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        return Step(1, (Decide(0, event.command),)) if isinstance(event, Submit) else Step(state)


def test_what_is_not_observable_hides_nothing() -> None:
    result = run(f"{__name__}:Unvoted", "--seed", "1", "--runs", "40", "--no-save")
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("violated: agreement: ")
    assert re.search(r"failed runs +agreement in \d+\n", result.stdout)
    assert re.search(r"\? decided_implies_chosen +not observable: ", result.stdout)
    asked = run(f"{__name__}:Unvoted", "--property", "votes_are_safe", "--runs", "9", "--no-save")
    assert asked.exit_code == 3
    assert "votes_are_safe is not observable" in asked.stdout


def test_an_implementation_of_ones_own() -> None:
    result = run(f"{__name__}:Twofaced", "--property", "agreement", "--seed", "1", "--runs", "9")
    assert result.exit_code == 1, result.output
    assert "agreement: slot 0: n0 decided" in result.stdout


def test_quiet_says_one_line() -> None:
    result = run("--seed", "1", "--runs", "3", "--no-save", "--quiet")
    assert len(result.stdout.splitlines()) == 1


def test_options_that_contradict_each_other() -> None:
    result = run("--run", "3")
    assert (result.exit_code, "name its --seed" in result.output) == (2, True)
    result = CliRunner().invoke(main, ["fuzz", "--coverage", "--workers", "2"])
    assert (result.exit_code, "leave out --workers" in result.output) == (2, True)
    result = run("no_such_bug", "--runs", "1")
    assert (result.exit_code, "there is no target" in result.output) == (2, True)
    result = run("--strategy", "luck")
    assert result.exit_code == 2


def test_the_options_are_those_of_a_campaign() -> None:
    assert SHOWN_STRATEGIES == STRATEGIES
    assert SHOWN_EVENTS == EVENTS_DEFAULT


# --- steps that do not end, and what else code on trial may do ------------------------------------


class Hangs(Unvoted):
    """Never ends when it hears of b."""

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        while isinstance(event, Submit) and event.command == "b":
            time.sleep(0.01)
        return super().handle(node, state, event)


class HangsLate(Unvoted):
    """Decides what it is given, and hangs when it is given a fourth thing."""

    scope = Scope(nodes=2, commands=("a", "b"), submissions_max=4)

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        while state == 3:
            time.sleep(0.01)
        return Step(state + 1, super().handle(node, state, event).effects)


class Interrupts(Mute):
    """Raises what only Ctrl-C should."""

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        raise KeyboardInterrupt


def test_a_step_that_does_not_end_ends_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_module, "TIME_PATIENCE", 0.8)
    words = ("--property", "votes_are_safe", "--seed", "1", "--time", "50ms", "--no-save")
    result = run(f"{__name__}:Hangs", *words)
    assert result.exit_code == 3, result.output
    says = r"inconclusive: run (\d+) of seed 1 was given up: handle\(n\d, Submit\(command='b'\)\) "
    run_again = re.match(says, result.stdout)
    assert run_again, result.stdout
    monkeypatch.setattr(share_module, "STEP_SECONDS", 0.2)
    again = run(f"{__name__}:Hangs", "--seed", "1", "--run", run_again[1], "--no-save")
    assert again.exit_code == 3
    assert again.stdout.startswith(f"inconclusive: run {run_again[1]} of seed 1 was given up: ")


def test_what_was_found_before_a_step_that_does_not_end_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share_module, "STEP_SECONDS", 0.2)
    words = ("--seed", "1", "--strategy", "uniform", "--property", "agreement", "--no-save")
    result = run(f"{__name__}:HangsLate", *words)
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("violated: agreement: ")
    assert re.search(r"note: run \d+ of seed 1 was given up: handle\(n\d, ", result.stdout)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_in_a_step_that_does_not_end(workers: int, tmp_path: Path) -> None:
    (tmp_path / "awkward.py").write_text(AWKWARD)
    words = ("awkward:Hangs", "--workers", str(workers), "--seed", "1", "-q", "--no-save")
    process = fuzz_process(*words, cwd=tmp_path)
    assert process.stderr is not None
    for _ in range(workers):
        assert process.stderr.readline() == "hangs\n"
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert re.match(
        r"inconclusive: interrupted; run \d+ of seed 1 was given up: handle\(n\d, ", output
    )
    assert "leaked" not in errors
    assert "Traceback" not in errors


def test_an_interruption_that_nobody_pressed() -> None:
    result = run(f"{__name__}:Interrupts", "--runs", "3", "--no-save")
    assert result.exit_code == 1
    assert "the implementation raised KeyboardInterrupt" in result.stdout


def test_no_more_processes_than_make_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_command.os, "cpu_count", lambda: 2)
    assert fuzz_command._processes(None, None) == 2
    assert fuzz_command._processes(100_000, 2) == 2
    assert fuzz_command._processes(16, None) == 16
    assert fuzz_command._processes(3, 0) == 3
    with pytest.raises(click.UsageError, match="2 cores can take 16 processes at most"):
        fuzz_command._processes(17, None)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_has_no_more_events_than_is_said(strategy: Any) -> None:
    scope = Scope(nodes=2, commands=("a", "b"), timeouts_max=None, restarts_max=None)
    campaign = Campaign(MultiPaxos(), scope, (), seed=1, strategy=strategy, events_max=13)
    most = max(campaign.run(number).events for number in range(6))
    assert 0 < most <= events_most(strategy, 13) == (189 if strategy in LONG else 13)
    words = ("--strategy", strategy, "--events", "13", "--runs", "3", "--seed", "1", "--no-save")
    says = "of at most 13 events, or 189 if targeted\n" if strategy in LONG else "13 events\n"
    assert says in run(*words).stdout
    found = read(run(*words, "--json"))
    assert (found["events_max"], found["events_most"]) == (13, events_most(strategy, 13))


# --- coverage ------------------------------------------------------------------------------------


def test_coverage_is_a_share_of_what_the_explorer_counts() -> None:
    found = read(run(*SMALL, "--seed", "1", "--runs", "30", "--coverage", "--json", "--no-save"))
    covered = found["coverage"]
    assert covered["global_states"]["total"] == 22_452
    assert covered["local_states"]["total"] == 636
    for share in covered.values():
        assert 0 < share["seen"] < share["total"]
    checked = json.loads(CliRunner().invoke(main, ["check", *SMALL, "--json"]).stdout)
    assert checked["states_distinct"] == 22_452


def test_coverage_reaches_everything_where_there_is_little() -> None:
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=1, restarts_max=1)
    coverage = Coverage(MultiPaxos(), scope, Limits())
    campaign = Campaign(MultiPaxos(), scope, (), seed=1, strategy="uniform")
    for number in range(400):
        for leg in campaign.run(number).legs:
            coverage.follow(leg)
    covered = coverage.covered()
    assert covered.global_states.ratio == covered.local_states.ratio == 1
    assert covered.local_steps.ratio == 1


@pytest.mark.parametrize("links", ["unordered", "ordered"])
def test_coverage_follows_crashes_on_all_links(links: Any) -> None:
    timeouts = {"election": 1, "heartbeat": 0, "retransmit": 0}
    scope = Scope(nodes=2, timeouts_max=timeouts, restarts_max=1, torn=True, links=links)
    coverage = Coverage(MultiPaxos(), scope, Limits(states_max=2_000_000))
    campaign = Campaign(MultiPaxos(), scope, (), seed=1)
    for number in range(20):
        for leg in campaign.run(number).legs:
            coverage.follow(leg)
    covered = coverage.covered()
    for share in (covered.global_states, covered.local_states, covered.local_steps):
        assert 0 < share.seen <= share.total


def test_no_coverage_of_what_cannot_be_exhausted() -> None:
    with pytest.raises(ScopeError, match="no share of it can be given: the limit of 1,000 states"):
        Coverage(MultiPaxos(), Scope(nodes=3, timeouts_max=2), Limits(states_max=1_000))


def test_exhausting_takes_a_part_of_the_time() -> None:
    words = ("--time", "4s", "--seed", "1", "--no-save", "--coverage")
    result = run(*words)
    assert result.exit_code == 2
    assert "no share of it can be given: the time limit of 2 s was reached" in result.stderr
    assert Bounds(4.0, 7).shortened(1.5) == Bounds(2.5, 7)
    assert Bounds(4.0).shortened(5.0) == Bounds(0.0)
    assert Bounds(None, 7).shortened(1.5) == Bounds(None, 7)


# --- processes -----------------------------------------------------------------------------------


def fuzz_process(*words: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "indelible", "fuzz", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
        start_new_session=True,
    )  # fmt: skip


def test_ctrl_c_ends_all_workers_and_reports(tmp_path: Path) -> None:
    words = ("--time", "10m", "--workers", "2", "--seed", "1", "--progress")
    process = fuzz_process(*words, cwd=tmp_path)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "runs" in line, line
    os.killpg(process.pid, signal.SIGINT)  # As a terminal does: to every process.
    began = time.monotonic()
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert output.startswith("inconclusive: interrupted")
    assert "Traceback" not in errors
    assert time.monotonic() - began < 30


def test_workers_end_with_the_first_process(tmp_path: Path) -> None:
    """Whatever ends it: they hold its stderr, which is closed when the last of them is gone."""
    process = fuzz_process("--time", "10m", "--workers", "2", "--progress", cwd=tmp_path)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert "runs" in line, line
        process.kill()
        process.communicate(timeout=20)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_worker_that_is_killed_is_told(tmp_path: Path) -> None:
    (tmp_path / "abrupt.py").write_text(
        "import os\n"
        "from indelible import Step\n"
        "class Abrupt:\n"
        "    def start(self, node, nodes, storage):\n"
        "        return Step(0)\n"
        "    def handle(self, node, state, event):\n"
        "        os._exit(9)\n"
    )
    process = fuzz_process("abrupt:Abrupt", "--runs", "9", "--workers", "2", cwd=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "a worker process ended with exit code 9" in errors


AWKWARD = """
import os
from collections import namedtuple
from indelible import Decide, Receive, Scope, Send, Step, Submit

class Base:
    scope = Scope(nodes=2, commands=("a", "b"))

    def start(self, node, nodes, storage):
        print("started")
        return Step(0)

    def handle(self, node, state, event):
        if isinstance(event, Submit):
            return Step(1, (Decide(0, event.command), Send(1 - node, self.message(event.command))))
        return Step(1, (Decide(0, event.message.command),))

    message = namedtuple("Hidden", "command")

class Exits(Base):
    def handle(self, node, state, event):
        os._exit(0)

class Dies(Base):
    def handle(self, node, state, event):
        raise KeyboardInterrupt

class Hangs(Base):
    def start(self, node, nodes, storage):
        return Step(0)

    def handle(self, node, state, event):
        print("hangs", flush=True)
        while True:
            pass
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_messages_that_no_other_process_understands(workers: str, tmp_path: Path) -> None:
    """And what the code on trial prints does not mix with the result."""
    (tmp_path / "awkward.py").write_text(AWKWARD)
    words = ("awkward:Base", "--property", "agreement", "--seed", "1", "--runs", "40", "--json")
    process = fuzz_process(*words, "--workers", workers, cwd=tmp_path)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    found = json.loads(output)
    assert found["failures"]["agreement"] > 1
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("Exits", 2, "ended with exit code 0"),
        ("Dies", 1, "the implementation raised KeyboardInterrupt"),
    ],
)
def test_a_campaign_that_a_worker_did_not_end_well_does_not_pass(
    name: str, code: int, says: str, tmp_path: Path
) -> None:
    (tmp_path / "awkward.py").write_text(AWKWARD)
    words = ("--runs", "9", "--workers", "2", "--no-save")
    process = fuzz_process(f"awkward:{name}", *words, cwd=tmp_path)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert says in output + errors
    assert "report it" not in errors


def test_the_progress_of_exhausting_a_scope_is_told(tmp_path: Path) -> None:
    words = ("--coverage", "--runs", "1", "--seed", "1", "--progress", "--no-save")
    process = fuzz_process(*words, cwd=tmp_path)
    assert process.stderr is not None
    assert " states " in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no share of it can be given: interrupted" in errors
