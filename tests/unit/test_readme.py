"""The README tells the truth: its snippets run, and print what it shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.commands import run_indelible

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
MINE, RULES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHOWN = re.findall(r"^\$ (indelible check .*)\n(violated: .*)$", README, re.MULTILINE)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    (folder / "rules.py").write_text(RULES, encoding="utf-8")
    name, *words = command.split()
    assert name == "indelible"
    return run_indelible(*words, folder=folder)


def test_there_is_something_to_run() -> None:
    assert len(SHOWN) == 4


@pytest.mark.parametrize(("command", "verdict"), SHOWN)
def test_a_shown_command_prints_what_is_shown(command: str, verdict: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == verdict


def test_the_shown_steps_are_those_printed(tmp_path: Path) -> None:
    shown = re.search(r"```\nCounterexample.*?\n   …\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] in run("indelible check dup_ack_counted", tmp_path).stdout


def test_the_shown_counts_are_those_of_the_default_check(tmp_path: Path) -> None:
    said = run("indelible check", tmp_path).stdout
    for name in ("states", "transitions", "depth", "local states", "local steps"):
        line = next(line for line in README.splitlines() if line.startswith(f"  {name} "))
        assert line in said


def test_the_shown_replay_is_that_of_what_was_kept(tmp_path: Path) -> None:
    section = re.search(r"## Keep a counterexample\n.*?```\n(.*?)```", README, re.DOTALL)
    assert section is not None
    _, *commands = section[1].split("$ ")
    assert len(commands) == 2
    for command in commands:
        words, shown = command.split("\n", 1)
        assert run(words, tmp_path).stdout == shown
