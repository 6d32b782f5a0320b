"""``--exec``: processes as targets wherever one is named, and never because a file says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli import main

SERVER = Path(__file__).parents[1] / "support" / "tiny_server.py"
COMMAND = f"{sys.executable} {SERVER} boom=raises"
SCOPE = ("--commands", "a,boom", "--may-submit", "0", "--timeouts", "0")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, [*words])


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trace of a process that raises, saved in a project that configures nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    checked = run("check", "--exec", COMMAND, *SCOPE, "--save", "--json")
    assert checked.exit_code == 1, checked.output
    (saved,) = json.loads(checked.stdout)["saved"]
    return tmp_path / saved


def test_a_process_is_checked_and_its_name_is_that_of_a_target(document: Path) -> None:
    about = json.loads(document.read_text())["#meta"]["indelible"]
    assert about["target"] == f"exec:{COMMAND}"
    assert about["violation"]["property"] == "implementation_raises"
    assert "boom: it was too much" in about["violation"]["explanation"]


def test_what_is_on_trial_is_named_once() -> None:
    for words in (("check", "multipaxos"), ("fuzz", "multipaxos")):
        twice = run(*words, "--exec", COMMAND)
        assert twice.exit_code == 2
        assert "TARGET and --exec both name what is on trial" in twice.stderr


@pytest.mark.usefixtures("document")
def test_random_runs_find_it() -> None:
    words = ("--runs", "30", "--seed", "1", "--workers", "1", "--quiet", "--no-save")
    fuzzed = run("fuzz", "--exec", COMMAND, *SCOPE, *words)
    assert fuzzed.exit_code == 1
    assert "boom: it was too much" in fuzzed.stdout


@pytest.mark.parametrize("command", ["replay", "minimize"])
def test_no_process_is_started_because_a_document_says_so(document: Path, command: str) -> None:
    refused = run(command, str(document))
    assert refused.exit_code == 2
    assert "is not started because a document says so" in refused.stderr
    assert f"--exec '{COMMAND}'" in refused.stderr
    assert run("replay", "--exec", COMMAND, str(document)).exit_code == 1
    assert run("minimize", "--exec", COMMAND, str(document)).exit_code == 0


def test_to_show_a_document_starts_nothing(document: Path, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    evil = f"exec:{sys.executable} -c \\\"open('{mark}', 'w')\\\""
    document.write_text(document.read_text().replace(f"exec:{COMMAND}", evil))
    assert run("show", str(document)).exit_code == 0
    assert run("replay", str(document)).exit_code == 2
    assert not mark.exists()


def test_a_configured_process_is_known(document: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.indelible.checks.tiny]\ntarget = "exec:{COMMAND}"\n'
        'scopes = { small = { commands = ["a", "boom"], timeouts_max = 0 } }\n'
    )
    assert run("replay", str(document)).exit_code == 1
    assert run("replay", "traces").exit_code == 0
    checked = run("check")
    assert checked.exit_code == 1
    assert "boom: it was too much" in checked.stdout


def test_a_configured_process_runs_in_the_folder_of_its_project(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.py").write_text(SERVER.read_text())
    here = f"exec:{sys.executable} server.py boom=raises"
    document.write_text(document.read_text().replace(f"exec:{COMMAND}", here))
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.indelible.checks.tiny]\ntarget = "{here}"\n'
        'scopes = { small = { commands = ["a", "boom"], timeouts_max = 0 } }\n'
    )
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert "boom: it was too much" in run("check").stdout
    assert run("replay", "../traces").exit_code == 0


@pytest.mark.usefixtures("document")
def test_how_to_replay_is_said_where_it_is_saved() -> None:
    words = ("--exec", COMMAND, *SCOPE, "--save")
    replaying = f"To replay: indelible replay traces/ --exec '{COMMAND}'\n"
    assert replaying in run("check", *words).stdout
    assert run("check", *words, "--quiet").stderr.endswith(replaying)
    fuzzed = run("fuzz", *words[:-1], "--runs", "30", "--seed", "1", "--workers", "1")
    assert replaying in fuzzed.stdout
    assert run("replay", "traces/", "--exec", COMMAND).exit_code == 0
    assert f"--exec '{COMMAND}'" in run("replay", "traces/").stdout


def test_marking_takes_the_documents_own_target(document: Path) -> None:
    own = run("replay", "--mark-fixed", "--exec", COMMAND, str(document))
    assert "still violates" in own.stderr
    other = run("replay", "--mark-fixed", "--target", "multipaxos", str(document))
    assert "leave out --target" in other.stderr
