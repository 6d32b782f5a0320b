"""Random campaigns in CI: what they find fails, what they do not find proves nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from indelible.cli import main

CODE = """
from indelible import Decide, Scope, Submit

class Alone:
    scope = Scope(nodes=1, commands=("a",), timeouts_max=0)

    def start(self, node, nodes, storage):
        return None, ()

    def handle(self, node, state, event):
        return state, (Decide(0, event.command),) if isinstance(event, Submit) else ()

class Wrong(Alone):
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=0)

class Brittle(Alone):
    def handle(self, node, state, event):
        raise ValueError("no")

class Silent(Alone):
    def handle(self, node, state, event):
        return state, ()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fuzz_result_targets.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "fuzz_result_targets", raising=False)
    return tmp_path


def fuzz(target: str, *words: str) -> tuple[Result, dict[str, str]]:
    """The result, and what JUnit XML says of each case."""
    target = f"fuzz_result_targets:{target}"
    more = ("--runs", "20", "--workers", "1", "--seed", "1", "--quiet", "--junit", "junit.xml")
    result = CliRunner().invoke(main, ["fuzz", target, *more, *words])
    suites = ElementTree.parse("junit.xml").getroot()
    assert suites[0].attrib["name"] == target
    kinds = {
        case.attrib["name"]: next((part.tag for part in case if part.tag != "properties"), "passed")
        for case in suites.iter("testcase")
    }
    return result, kinds


ASKED = ("--property", "agreement", "--property", "entry_decided")


@pytest.mark.parametrize(
    ("target", "code", "kinds"),
    [
        ("Alone", 0, {"agreement": "passed", "entry_decided": "passed"}),
        ("Wrong", 1, {"agreement": "failure", "entry_decided": "passed"}),
        ("Silent", 3, {"agreement": "error", "entry_decided": "error"}),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_campaign_tells_of_each_property(target: str, code: int, kinds: dict[str, str]) -> None:
    result, found = fuzz(target, *ASKED)
    assert (result.exit_code, found) == (code, kinds)


@pytest.mark.usefixtures("folder")
def test_an_exception_is_a_failure_of_its_own() -> None:
    result, found = fuzz("Brittle", *ASKED)
    assert result.exit_code == 1
    assert found["implementation_raises"] == "failure"


@pytest.mark.usefixtures("folder")
def test_an_error_is_told() -> None:
    result, found = fuzz("Missing")
    assert (result.exit_code, found) == (2, {"verdict": "error"})


@pytest.mark.usefixtures("folder")
def test_the_seed_is_kept() -> None:
    fuzz("Alone", *ASKED)
    facts = {
        known.attrib["name"]: known.attrib["value"]
        for known in ElementTree.parse("junit.xml").getroot()[0].findall("properties/property")
    }
    assert (facts["seed"], facts["runs"]) == ("1", "20")
    assert facts["verdict"].startswith("nothing found")


def test_github_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    result, _ = fuzz("Wrong", *ASKED)
    assert "::error title=fuzz_result_targets%3AWrong%3A agreement is violated" in result.stderr
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert "sequenceDiagram" in summary
    fuzz("Alone", *ASKED)
    assert "## Indelible: nothing found" in (folder / "summary.md").read_text(encoding="utf-8")
