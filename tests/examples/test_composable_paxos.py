"""``examples/composable-paxos``: what its README says of the library is what is found."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from support.shown import Shown, commands_shown, differences

EXAMPLE = Path(__file__).parents[2] / "examples" / "composable-paxos"
SHOWN = commands_shown(EXAMPLE / "README.md")


def test_the_library_is_the_one_that_is_spoken_of() -> None:
    assert version("composable-paxos") == "1.0.0"


def test_what_is_shown_is_a_violation_and_a_scope_that_holds() -> None:
    assert [shown.lines[0].partition(":")[0] for shown in SHOWN] == [
        "violated",
        "violated",
        "holds",
    ]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.command)
def test_a_command_prints_what_is_shown(shown: Shown) -> None:
    code, missing = differences(shown, EXAMPLE)
    assert missing == []
    assert code == (0 if shown.lines[0].startswith("holds") else 1)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    wrong = Shown("indelible properties", ("…", "there is no such line"))
    (difference,) = differences(wrong, EXAMPLE)[1]
    assert difference.startswith("shown: 'there is no such line', printed: ")
