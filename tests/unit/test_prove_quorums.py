"""indelible prove, about quorums: the lemmas, and systems that a project names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible import proofs
from indelible.checkers.lemmas.quorum_lemmas import quorum_obligations
from indelible.checkers.lemmas.safety import safety_obligations
from indelible.cli import main
from indelible.proofs import Part, obligations_of
from indelible.quorum_config import NODES_MAX

PROJECT = """
[tool.indelible.quorums]
three = {kind = "majority", nodes = ["a", "b", "c"]}
apart = {kind = "flexible", nodes = 5, phase1 = 3, phase2 = 2}
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["prove", *words])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_all_is_both() -> None:
    quorums, safety = quorum_obligations(), safety_obligations()
    assert len(obligations_of("all", None)) == len(quorums) + len(safety)
    assert len(obligations_of("quorums", None)) == len(quorums)


def test_a_hypothesis_can_be_left_out() -> None:
    result = run("quorums", "--weaken", "flexible.sum")
    assert result.exit_code == 1
    assert result.stdout.startswith("refuted without flexible.sum: ")


def test_what_shows_that_a_lemma_is_tight_is_told() -> None:
    lines = run("quorums").stdout.splitlines()
    at = next(
        n for n, line in enumerate(lines) if "byzantine-dissemination: tight in nodes" in line
    )
    assert lines[at + 1].strip() == (
        "by f = 1, nodes = {n0, n1, n2}, A = {n0, n2}, B = {n1, n2}, F = {n2}"
    )


def test_a_law_of_paxos_is_none_of_quorums() -> None:
    result = run("quorums", "--weaken", "vote.not_left")
    assert result.exit_code == 2
    assert "available: " in result.stderr


@pytest.mark.usefixtures("project")
def test_a_system_whose_quorums_meet() -> None:
    result = run("--quorums", "three")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "proved: 1 obligation"
    assert "three: 3 nodes (a, b, c)" in lines


@pytest.mark.usefixtures("project")
def test_a_system_whose_quorums_do_not() -> None:
    result = run("quorums", "--quorums", "apart")
    assert result.exit_code == 1
    assert "      a phase-1 quorum: n0, n1, n2" in result.stdout.splitlines()
    said = json.loads(run("--quorums", "apart", "--json").stdout)
    assert said["outcome"] == "refuted"
    assert said["quorums"]["name"] == "apart"


@pytest.mark.parametrize("kind", ["majority", "read-one-write-all"])
def test_as_many_nodes_as_a_system_may_have(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f'[tool.indelible.quorums]\nlarge = {{kind = "{kind}", nodes = {NODES_MAX}}}\n'
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run("--quorums", "large")
    assert result.exit_code == 0, result.output
    assert f"large: {NODES_MAX} nodes" in result.stdout


@pytest.mark.usefixtures("project")
def test_a_system_that_nobody_named() -> None:
    result = run("--quorums", "tree")
    assert result.exit_code == 2
    assert "there is no quorum system 'tree'" in result.stderr
    assert "available: " in result.stderr


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [("safety",), ("all",), ("--weaken", "flexible.sum")])
def test_one_system_is_one_question(words: tuple[str, ...]) -> None:
    result = run(*words, "--quorums", "three")
    assert result.exit_code == 2
    assert "--quorums is about one system" in result.stderr


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [(), ("all",), ("quorums",)])
def test_the_systems_of_the_project_are_proved_too(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PARTS", {"quorums": Part(lambda _: (), lambda: ())})
    result = run(*words, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert [(known["name"], known["outcome"]) for known in said["obligations"]] == [
        ("three: phase-1 meets phase-2", "proved"),
        ("apart: phase-1 meets phase-2", "refuted"),
    ]
    assert "quorums" not in said


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [("safety",), ("all", "--weaken", "one")])
def test_they_are_no_part_of_a_theorem(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PARTS", {"safety": Part(lambda _: (), lambda: ("one",))})
    assert json.loads(run(*words, "--json").stdout)["obligations"] == []


def test_a_system_that_is_broken_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '[tool.indelible.quorums]\nthree = {kind = "majority"}\n'
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = run("quorums")
    assert result.exit_code == 2
    assert "tool.indelible.quorums.three says nothing of 'nodes'" in result.stderr
