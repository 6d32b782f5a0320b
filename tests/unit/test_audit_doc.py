"""What docs/audit.md shows is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from indelible.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def shown(language: str) -> str:
    """The first example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_what_is_printed(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "late.jsonl").write_text(shown("json"), encoding="utf-8")
    command, expected = shown("").split("\n", 1)
    result = CliRunner().invoke(main, command.removeprefix("$ indelible ").split())
    assert result.exit_code == 1
    assert result.stdout.startswith(expected)


def test_the_recorder_writes_what_is_read_and_compared(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    exec(shown("python"), {})
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    hasty = re.search(r"```python\n(from indelible import Decide.*?)```", readme, re.DOTALL)
    assert hasty
    (tmp_path / "mine.py").write_text(hasty[1], encoding="utf-8")
    sys.modules.pop("mine", None)
    command, expected = shown("conformance").split("\n", 1)
    result = CliRunner().invoke(main, command.removeprefix("$ indelible ").split())
    assert result.exit_code == 1
    assert result.stdout.startswith(expected)


def test_there_and_back(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "known_bugs").symlink_to(ROOT / "traces" / "known_bugs")
    show, audit, *expected = shown("roundtrip").splitlines()
    show, target = show.split(" > ")
    result = CliRunner().invoke(main, show.removeprefix("$ indelible ").split())
    Path(target).write_text(result.stdout, encoding="utf-8")
    result = CliRunner().invoke(main, audit.removeprefix("$ indelible ").split())
    assert result.exit_code == 1
    assert result.stdout.splitlines() + result.stderr.splitlines() == expected
