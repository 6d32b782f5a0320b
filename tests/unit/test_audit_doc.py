"""What docs/audit.md shows is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from indelible.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


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


def test_the_recorder_writes_what_is_read(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(shown("python"), names)
    path = tmp_path / "log.jsonl"
    with path.open("w", encoding="utf-8") as file:
        recorder = names["Recorder"](file, 0, [0], None)
        decided = {"type": "decide", "slot": 0, "value": "a"}
        recorder.happened({"type": "submit", "command": "a"}, [decided])
    result = CliRunner().invoke(main, ["audit", str(path), "--quiet"])
    assert (result.exit_code, result.stdout) == (0, "holds: 2 records, as far as the log shows\n")
