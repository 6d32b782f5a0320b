"""``examples/asyncio-paxos``: what its README shows is what is printed, and it runs on its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.shown import Shown, commands_shown, differences

EXAMPLE = Path(__file__).parents[2] / "examples" / "asyncio-paxos"
SHOWN = commands_shown(EXAMPLE / "README.md")
QUICK = [shown for shown in SHOWN if "--torn" not in shown.command]


def check(shown: Shown) -> None:
    code, missing = differences(shown, EXAMPLE)
    assert missing == []
    assert code == (0 if shown.lines[0].startswith("holds") else 1)


def test_what_is_shown() -> None:
    assert len(SHOWN) == 4
    assert len(QUICK) == 3


@pytest.mark.parametrize("shown", QUICK, ids=lambda shown: shown.command)
def test_a_command_prints_what_is_shown(shown: Shown) -> None:
    check(shown)


@pytest.mark.slow
@pytest.mark.parametrize("shown", [each for each in SHOWN if each not in QUICK])
def test_a_longer_command_prints_what_is_shown(shown: Shown) -> None:
    check(shown)


def test_the_program_knows_nothing_of_indelible() -> None:
    assert "import indelible" not in (EXAMPLE / "paxos.py").read_text()


def test_the_program_runs_on_real_sockets(tmp_path: Path) -> None:
    for port in (9000, 9001, 9002):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                pytest.skip(f"port {port} is in use")
    command = [sys.executable, "-u", str(EXAMPLE / "paxos.py")]
    others = [subprocess.Popen([*command, node], cwd=tmp_path) for node in ("0", "1")]
    proposer = subprocess.Popen([*command, "2", "x"], cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        assert proposer.stdout is not None
        assert proposer.stdout.readline() == b"decided: x\n"
    finally:
        for process in (*others, proposer):
            process.kill()
            process.wait()
