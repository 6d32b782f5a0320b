"""``indelible new-adapter``: each skeleton runs at once, and the command that is printed works."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible.cli import main
from support.commands import run_indelible

KINDS = [
    ("objects", "mine.py"),
    ("asyncio", "mine.py"),
    ("process", "mine.py"),
    ("process", "mine.js"),
]


@pytest.mark.parametrize(("kind", "file"), KINDS)
def test_a_skeleton_holds_as_it_is(kind: str, file: str, tmp_path: Path) -> None:
    written = CliRunner().invoke(main, ["new-adapter", kind, str(tmp_path / file)])
    assert written.exit_code == 0, written.output
    (command,) = re.findall(r"^  indelible (.*)$", written.output, re.MULTILINE)
    done = run_indelible(
        *shlex.split(command),
        "--time-limit",
        "60s",
        folder=tmp_path,
        environment={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.stdout.startswith("holds: "), done.stdout + done.stderr
    assert "entry_decided           reached" in done.stdout


@pytest.mark.parametrize(("runs", "file"), [(sys.executable, "mine.py"), ("node", "mine.js")])
def test_a_process_refuses_arguments_that_it_does_not_know(
    runs: str, file: str, tmp_path: Path
) -> None:
    CliRunner().invoke(main, ["new-adapter", "process", str(tmp_path / file)])
    command = shlex.join([runs, str(tmp_path / file), "--brake", "x"])
    checked = CliRunner().invoke(main, ["check", "--exec", command])
    assert checked.exit_code == 2
    assert "unknown arguments: --brake x" in checked.stderr


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("mine")
    refused = CliRunner().invoke(main, ["new-adapter", "objects", str(file)])
    assert refused.exit_code == 2
    assert "is there already" in refused.stderr
    assert file.read_text() == "mine"
    assert CliRunner().invoke(main, ["new-adapter", "objects", str(file), "--force"]).exit_code == 0
    assert "class Hosted(ObjectAdapter)" in file.read_text()


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for words, says in (
        (("objects", "my-node.py"), "cannot be imported"),
        (("asyncio", "mine.py", "--language", "javascript"), "--language is for a process"),
        (("objects", "json.py"), "would hide the module 'json'"),
        (("asyncio", "sys.py"), "would hide the module 'sys'"),
        (("process", "click.py"), "would hide the module 'click'"),
        (("objects", "indelible.py"), "would hide the module 'indelible'"),
        (("process", "server.rs"), "skeletons in python (.py), javascript (.js)"),
        (("process", "mine.py", "--language", "javascript"), "not end as a file of javascript"),
    ):
        refused = CliRunner().invoke(
            main, ["new-adapter", words[0], str(tmp_path / words[1]), *words[2:]]
        )
        assert refused.exit_code == 2
        assert says in " ".join(refused.stderr.split())
        assert not (tmp_path / words[1]).exists()


def test_a_module_of_the_same_folder_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where Python looks there first."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for file in ("mine.py", "server"):
        (tmp_path / file).write_text("")
        kind = "objects" if file.endswith(".py") else "process"
        done = CliRunner().invoke(main, ["new-adapter", kind, file, "--force"])
        assert done.exit_code == 0, done.stderr
