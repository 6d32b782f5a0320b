"""JUnit XML: read back as its readers would, and by ``indelible check --junit``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from indelible import cli
from indelible.check_result import CheckResult, error_result, result_of
from indelible.cli import main
from indelible.model.trace import Evidence
from indelible.render.junit import render_junit
from indelible.render.text import render_text
from support.results import GAVE_UP, HOLDS, Thing, violated_by

THING = Thing()
HELD = result_of("mine:Thing", THING, HOLDS, ())  # type: ignore[arg-type]
OPEN = result_of("mine:Thing", THING, GAVE_UP, ())  # type: ignore[arg-type]

ALLOWED = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "testcase": {"properties", "failure", "error", "skipped"},
    "properties": {"property"},
}
"""Which elements may be in which, as readers of JUnit XML agree."""


def parsed(*results: CheckResult) -> ElementTree.Element:
    """The document, once it is known to have the usual shape, and true counts."""
    root = ElementTree.fromstring(render_junit(results).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        assert {child.tag for child in element} <= ALLOWED.get(element.tag, set())
    for element in (root, *root.iter("testsuite")):
        assert re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])
        counted = {"tests": "testcase", "failures": "failure", "errors": "error"}
        for name, tag in (*counted.items(), ("skipped", "skipped")):
            assert int(element.attrib[name]) == len(list(element.iter(tag)))
    for case in root.iter("testcase"):
        assert case.attrib.keys() == {"classname", "name"}
        assert len([child for child in case if child.tag != "properties"]) <= 1
    return root


def properties(element: ElementTree.Element) -> dict[str, str]:
    listed = element.findall("properties/property")
    return {known.attrib["name"]: known.attrib["value"] for known in listed}


def test_a_check_that_holds() -> None:
    root = parsed(HELD)
    assert root.attrib["failures"] == root.attrib["errors"] == "0"
    suite, *_ = root
    assert suite.attrib["name"] == "mine:Thing"
    assert properties(suite)["verdict"].startswith("holds: all 1,234,567 states")
    assert properties(suite)["scope.nodes"] == "3 (n0, n1, n2)"
    case, *_ = root.iter("testcase")
    assert properties(case) == {
        "result": "passed",
        "verdict": "holds",
        "scope": "3 nodes, 1 command; duplicating links",
        "states": "1234567",
        "depth": "12",
    }


def test_the_counterexample_is_the_text_of_the_failure(dup_ack_counted: Evidence) -> None:
    (failure,) = parsed(violated_by(dup_ack_counted)).iter("failure")
    assert failure.text == render_text(dup_ack_counted)
    assert failure.attrib["message"] == dup_ack_counted.trace.violation.explanation


def test_what_was_not_decided_does_not_pass() -> None:
    cases = {case.attrib["name"]: case for case in parsed(OPEN).iter("testcase")}
    (error,) = cases["agreement"].findall("error")
    assert "the limit of 10 states was reached" in error.attrib["message"]
    (error,) = cases["votes_are_safe"].findall("error")
    assert error.attrib["message"].startswith("not observable: never gave Vote so far (")
    cases = {case.attrib["name"]: case for case in parsed(HELD).iter("testcase")}
    (skipped,) = cases["votes_are_safe"].findall("skipped")
    assert skipped.attrib["message"] == "not observable: never gave Vote"


def test_an_error_is_an_error() -> None:
    (error,) = parsed(error_result("mine:Thing", "no module\n  remedy: write it")).iter("error")
    assert error.text == "no module\n  remedy: write it"


def test_several_checks_are_several_suites(dup_ack_counted: Evidence) -> None:
    root = parsed(HELD, OPEN, violated_by(dup_ack_counted))
    assert [suite.attrib["errors"] for suite in root] == ["0", "2", "0"]


def test_nothing_that_a_text_may_hold_breaks_the_document(
    nasty: Evidence, raised: Evidence
) -> None:
    controls = error_result("]]>\x00<&\ud800\x1b[31m", "a\x07b\ufffe\n\r\U0001f600")
    root = parsed(violated_by(nasty), violated_by(raised), controls)
    (error,) = root.iter("error")
    assert error.text == "a\\x07b\\xfffe\n\n\U0001f600"


def test_the_same_results_are_the_same_text(dup_ack_counted: Evidence) -> None:
    results = [violated_by(dup_ack_counted), OPEN]
    assert render_junit(results) == render_junit(results)


# --- the option ---------------------------------------------------------------------------------

CODE = """
from indelible import Decide, Scope, Submit

class Alone:
    scope = Scope(nodes=1, timeouts_max=0)

    def start(self, node, nodes, storage):
        return None, ()

    def handle(self, node, state, event):
        return state, (Decide(0, event.command),) if isinstance(event, Submit) else ()

class Wrong(Alone):
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=0)

class Mutable(Alone):
    def start(self, node, nodes, storage):
        return [], ()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "junit_targets.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "junit_targets", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "tag"),
    [
        (["junit_targets:Alone"], 0, None),
        (["junit_targets:Wrong"], 1, "failure"),
        (["junit_targets:Alone", "--max-states", "1"], 3, "error"),
        (["junit_targets:Alone", "--property", "votes_are_safe"], 3, "error"),
        (["junit_targets:Missing"], 2, "error"),
        (["junit_targets:Mutable"], 2, "error"),
    ],
)
def test_a_check_writes_it(project: Path, words: list[str], code: int, tag: str | None) -> None:
    file = project / "reports" / "junit.xml"
    result = CliRunner().invoke(main, ["check", *words, "--quiet", "--junit", str(file)])
    assert result.exit_code == code
    root = ElementTree.parse(file).getroot()
    bad = [element.tag for element in root.iter() if element.tag in ("failure", "error")]
    assert set(bad) == ({tag} if tag else set())
    assert root[0].attrib["name"] == words[0]
    assert [path.name for path in file.parent.iterdir()] == ["junit.xml"]


def test_what_was_there_is_replaced(project: Path) -> None:
    file = project / "junit.xml"
    file.write_text("<" * 100_000, encoding="utf-8")
    CliRunner().invoke(main, ["check", "junit_targets:Alone", "--junit", str(file)])
    assert len(ElementTree.parse(file).getroot()) == 1


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_what_is_no_report_is_not_replaced(project: Path, command: str) -> None:
    words = [command, "junit_targets:Alone", "--junit", "junit_targets.py"]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--junit junit_targets.py is there already, and is no XML" in result.stderr
    assert (project / "junit_targets.py").read_text(encoding="utf-8") == CODE


def test_folders_are_made_below_the_current_one_only(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "inside").mkdir()
    monkeypatch.chdir(project / "inside")
    words = ["check", "multipaxos", "--max-states", "9", "--junit"]
    result = CliRunner().invoke(main, [*words, "../misspelled/junit.xml"])
    assert (result.exit_code, result.stdout) == (2, "")
    says = f"../misspelled/junit.xml cannot be written: there is no folder {project}/misspelled\n"
    assert says in result.stderr
    assert not (project / "misspelled").exists()
    assert CliRunner().invoke(main, [*words, "a/b/junit.xml"]).exit_code == 3
    assert CliRunner().invoke(main, [*words, "../junit.xml"]).exit_code == 3
    assert (project / "inside" / "a" / "b" / "junit.xml").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "good"],
        ["check", "good", "--budget", "1s"],
        ["fuzz", "junit_targets:Alone", "--traces", "taken/traces"],
        ["check", "junit_targets:Alone", "--save", "--traces", "taken/traces"],
    ],
)
def test_what_went_wrong_before_the_search_is_in_it(project: Path, words: list[str]) -> None:
    table = '[tool.indelible.checks.good]\ntarget = "junit_targets:Alone"\nscop = {}\n'
    if "taken/traces" not in words:
        (project / "pyproject.toml").write_text(table, encoding="utf-8")
    (project / "taken").write_text("", encoding="utf-8")
    file = project / "junit.xml"
    file.write_text("<testsuites/>", encoding="utf-8")  # Of a check that passed.
    result = CliRunner().invoke(main, [*words, "--junit", str(file)])
    assert result.exit_code == 2, result.output
    (case,) = ElementTree.parse(file).getroot().iter("testcase")
    (error,) = case.iter("error")
    assert error.tag == "error"
    says = result.stderr.splitlines()[0].removeprefix("Error: ")
    assert says in "".join((error.get("message", ""), error.text or ""))


def test_a_place_that_cannot_be_written_to_is_told_before_the_search(project: Path) -> None:
    (project / "taken").write_text("", encoding="utf-8")
    words = ["check", "junit_targets:Alone", "--junit", "taken/junit.xml"]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "taken" in result.stderr.splitlines()[0]
    assert "remedy: choose another place" in result.stderr


def test_a_check_that_is_killed_leaves_no_report_that_passes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project / "junit.xml"
    words = ["check", "junit_targets:Alone", "--quiet", "--junit", str(file)]
    assert CliRunner().invoke(main, words).exit_code == 0

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_checked", die)
    CliRunner().invoke(main, words)
    (error,) = ElementTree.parse(file).getroot().iter("error")
    assert error.attrib["message"] == "it did not come to an end"
