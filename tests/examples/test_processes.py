"""The examples in other languages: what their READMEs show is what is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.shown import Shown, commands_shown, differences

EXAMPLES = Path(__file__).parents[2] / "examples"
JAVASCRIPT, RUST = EXAMPLES / "javascript-multipaxos", EXAMPLES / "rust-raft"
SHOWN = commands_shown(JAVASCRIPT / "README.md")
QUICK = [
    shown
    for shown in SHOWN
    if "--break" in shown.command or shown.command.endswith('"node server.js"')
]
RULES = ("promises", "highest", "no-ops")
ALONE = "holds: all 24 states in the scope were explored"
CLEAN, FIGURE_8 = commands_shown(RUST / "README.md")


@pytest.fixture(scope="module")
def raft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled example, as its README says to compile it."""
    folder = tmp_path_factory.mktemp("raft")
    (build,) = re.findall(r"^rustc .*", (RUST / "README.md").read_text(), re.MULTILINE)
    source, *_ = [part for part in build.split() if part.startswith("src/")]
    subprocess.run(build.replace(source, str(RUST / source)), shell=True, cwd=folder, check=True)
    return folder


def check_javascript(shown: Shown) -> None:
    code, missing = differences(shown, JAVASCRIPT)
    assert missing == []
    outcome = {0: "holds", 1: "violated", 3: "inconclusive"}[code]
    assert shown.lines[0].startswith(outcome)


def test_all_that_is_shown_is_run() -> None:
    assert len(SHOWN) == 8
    assert len(QUICK) == 5


@pytest.mark.parametrize("shown", QUICK, ids=lambda shown: shown.command)
def test_javascript(shown: Shown) -> None:
    check_javascript(shown)


@pytest.mark.slow
@pytest.mark.parametrize("shown", [shown for shown in SHOWN if shown not in QUICK])
def test_javascript_longer(shown: Shown) -> None:
    check_javascript(shown)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_that_can_be_broken_is_shown_broken(rule: str) -> None:
    (shown, *_) = [shown for shown in SHOWN if f"--break {rule}" in shown.command]
    assert shown.lines[0].startswith("violated")


def refusal(words: list[str], folder: Path) -> str:
    """What a process that ends at once, and answers nothing, writes to stderr."""
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize("wrong", ["--break promise", "--brake promises", "--slow much", "no-ops"])
def test_javascript_refuses_a_slip_in_its_arguments(wrong: str) -> None:
    usage = f"usage: server.js [--break {'|'.join(RULES)}] [--slow MILLISECONDS]"
    assert usage in refusal(["node", "server.js", *wrong.split()], JAVASCRIPT)


def test_a_refusal_is_told() -> None:
    command = ["check", "--exec", "node server.js --break promise"]
    told = refusal([sys.executable, "-P", "-m", "indelible", *command], JAVASCRIPT)
    assert f"there is no rule 'promise' to break: {', '.join(RULES)}" in told


@pytest.mark.parametrize("wrong", ["--break figure-9", "--brake figure-8", "--break", "figure-8"])
def test_rust_refuses_a_slip_in_its_arguments(raft: Path, wrong: str) -> None:
    assert "usage: raft [--break figure-8]" in refusal(["./raft", *wrong.split()], raft)


def test_rust_elects_a_single_server(raft: Path) -> None:
    alone = "indelible check --exec ./raft --nodes 1 --may-submit all --may-time-out all"
    assert differences(Shown(f"{alone} --quiet", (ALONE,)), raft) == (0, [])


def test_rust(raft: Path) -> None:
    assert differences(CLEAN, raft) == (0, [])


@pytest.mark.slow
def test_figure_8(raft: Path) -> None:
    assert differences(FIGURE_8, raft) == (1, [])
