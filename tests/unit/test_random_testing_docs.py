"""docs/random-testing.md tells the truth: its snippets run, and say what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from indelible.checkers.stateful.profiles import PROFILES
from support.commands import run_indelible

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "random-testing.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
(MINE, *_) = re.findall(
    r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    environment.pop("CI", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_there_is_something_to_run() -> None:
    assert len(SNIPPETS) == 5


def test_the_test_fails_as_shown(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(SNIPPETS[0], encoding="utf-8")
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py")
    assert done.returncode == 1, done.stderr
    shown = re.search(r"and says:\n\n```\n(.*?)```", DOCS, re.DOTALL)
    assert shown is not None
    for line in shown[1].splitlines():
        assert line in done.stdout
    assert len(list((tmp_path / "traces").iterdir())) == 1


@pytest.mark.parametrize(
    ("command", "shown"),
    re.findall(r"^\$ indelible (fuzz .*)\n((?:.+\n|\n)*?)```", DOCS, re.MULTILINE),
)
def test_a_command_says_what_is_shown(command: str, shown: str, tmp_path: Path) -> None:
    done = run_indelible(*command.split(), "--workers", "1", folder=tmp_path)
    for line in shown.splitlines():
        assert line in done.stdout


def test_two_commands_are_shown() -> None:
    assert DOCS.count("$ indelible fuzz ") == 2


@pytest.mark.parametrize("snippet", SNIPPETS[1:], ids=lambda snippet: snippet.split("\n", 1)[0])
def test_a_snippet_runs(snippet: str, tmp_path: Path) -> None:
    done = run(tmp_path, "-P", "-c", snippet)
    assert done.returncode == 0, done.stderr


def test_the_profiles_are_those_that_are_registered() -> None:
    for name, chosen in PROFILES.items():
        row = f"| `{name}` | {chosen['max_examples']:,} | {chosen['stateful_step_count']} |"
        assert row in DOCS
