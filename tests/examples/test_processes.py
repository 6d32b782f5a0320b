"""The examples in other languages: what their READMEs show is what is printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.shown import Shown, commands_shown, differences

EXAMPLES = Path(__file__).parents[2] / "examples"
JAVASCRIPT, RUST = EXAMPLES / "javascript-multipaxos", EXAMPLES / "rust-raft"
CLEAN, FIGURE_8 = commands_shown(RUST / "README.md")


@pytest.fixture(scope="module")
def raft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled example, as its README says to compile it."""
    folder = tmp_path_factory.mktemp("raft")
    (build,) = re.findall(r"^rustc .*", (RUST / "README.md").read_text(), re.MULTILINE)
    source, *_ = [part for part in build.split() if part.startswith("src/")]
    subprocess.run(build.replace(source, str(RUST / source)), shell=True, cwd=folder, check=True)
    return folder


def outcome(code: int) -> str:
    return {0: "holds", 1: "violated"}[code]


def test_all_that_is_shown_is_run() -> None:
    assert len(commands_shown(JAVASCRIPT / "README.md")) == 3


@pytest.mark.parametrize(
    "shown", commands_shown(JAVASCRIPT / "README.md"), ids=lambda shown: shown.command
)
def test_javascript(shown: Shown) -> None:
    code, missing = differences(shown, JAVASCRIPT)
    assert missing == []
    assert shown.lines[0].startswith(outcome(code))


def test_rust(raft: Path) -> None:
    assert differences(CLEAN, raft) == (0, [])


@pytest.mark.slow
def test_figure_8(raft: Path) -> None:
    assert differences(FIGURE_8, raft) == (1, [])
