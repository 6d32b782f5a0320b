"""``examples/composable-paxos``: what its README says of the library is what is found."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from support.shown import Shown, commands_shown, differences

EXAMPLE = Path(__file__).parents[2] / "examples" / "composable-paxos"
SHOWN = commands_shown(EXAMPLE / "README.md")
QUICK = [
    shown
    for shown in SHOWN
    if "--links" not in shown.command and "CoLocated --nodes" not in shown.command
]


def test_the_library_is_the_one_that_is_spoken_of() -> None:
    assert version("composable-paxos") == "1.0.0"


def outcomes(target: str) -> list[str]:
    found = [shown for shown in SHOWN if f"hosting:{target} " in f"{shown.command} "]
    return [shown.lines[0].partition(":")[0] for shown in found]


def test_what_is_shown_of_each_hosting() -> None:
    assert outcomes("Hosted") == ["violated", "violated", "violated", "holds"]
    assert outcomes("CoLocated") == ["holds", "violated"]
    assert outcomes("OwnFirst") == ["holds"]
    assert outcomes("CountSaved") == ["holds"]
    assert len(SHOWN) == 8
    assert len(QUICK) == 4


def check(shown: Shown) -> None:
    code, missing = differences(shown, EXAMPLE)
    assert missing == []
    assert code == (0 if shown.lines[0].startswith("holds") else 1)


@pytest.mark.parametrize("shown", QUICK, ids=lambda shown: shown.command)
def test_a_command_prints_what_is_shown(shown: Shown) -> None:
    check(shown)


@pytest.mark.slow
@pytest.mark.parametrize("shown", [each for each in SHOWN if each not in QUICK])
def test_a_longer_command_prints_what_is_shown(shown: Shown) -> None:
    check(shown)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    wrong = Shown("indelible properties", ("…", "there is no such line"))
    (difference,) = differences(wrong, EXAMPLE)[1]
    assert difference.startswith("shown: 'there is no such line', printed: ")
