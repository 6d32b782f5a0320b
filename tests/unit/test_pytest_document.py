"""docs/pytest.md tells the truth: what it shows is run, and prints what it says."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest

from support.pytest_projects import run_here

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/pytest.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(text: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


SHOWN = re.findall(r"^\$ pytest(.*)\n((?:(?!\$ |```).+\n)+)", DOCUMENT, re.MULTILINE)


@pytest.fixture
def documented(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyprojecttoml(block(DOCUMENT, "toml"))
    pytester.makepyfile(mine=block(README, "python"))
    return pytester


def test_there_is_something_to_run() -> None:
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("arguments", "lines"), SHOWN)
def test_what_is_shown_is_printed(arguments: str, lines: str, documented: pytest.Pytester) -> None:
    done = run_here(documented, "-o", "pythonpath=.", *shlex.split(arguments))
    for line in lines.splitlines():
        assert any(fnmatch(printed, line.replace("[", "[[]")) for printed in done.outlines), line
    if "collect" in arguments:
        shown = [line for line in done.outlines if "::" in line]
        assert shown == lines.splitlines()


def test_the_tests_by_hand_pass(documented: pytest.Pytester) -> None:
    documented.makepyfile(test_by_hand=block(DOCUMENT, "python"))
    done = run_here(documented, "-o", "pythonpath=.", "test_by_hand.py")
    done.assert_outcomes(passed=2)


def test_the_options_are_those_that_there_are(documented: pytest.Pytester) -> None:
    said = run_here(documented, "--help").stdout.str()
    options = set(re.findall(r"--indelible-\w+", said))
    assert options == set(re.findall(r"^\| `(--indelible-\w+)", DOCUMENT, re.MULTILINE))
