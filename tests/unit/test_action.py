"""What is there to copy for CI systems: the action, and the workflows that the documents show."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from indelible.cli import check

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SHOWN = {
    name: [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    for name in ("README.md", "docs/ci.md")
    if (text := (ROOT / name).read_text(encoding="utf-8"))
}


def options(words: list[str]) -> dict[str, Any]:
    """What ``indelible check`` makes of its options; it ends the test if it does not know one."""
    assert words[:2] == ["indelible", "check"]
    with check.make_context("check", list(words[2:])) as context:
        return context.params


# --- the action ---------------------------------------------------------------------------------


def test_the_action_is_a_composite_one() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        assert ("run" in step) == (step.get("shell") == "bash")
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1"))
    for known in ACTION["inputs"].values():
        assert known.keys() == {"description", "default"}
        assert isinstance(known["default"], str)


def test_every_input_is_used_and_every_one_used_is_there() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", str(STEPS)))
    assert used == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.(\w+)", str(ACTION["outputs"]))) <= {
        step.get("id") for step in STEPS
    }


def test_no_input_is_pasted_into_a_script() -> None:
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def test_the_inputs_are_documented() -> None:
    documented = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for name, known in ACTION["inputs"].items():
        shown = f"`{known['default']}`" if known["default"] else ""
        assert re.search(rf"^\| `{name}` \| {re.escape(shown)} ?\|", documented, re.MULTILINE)


FAKE = """#!/usr/bin/env python3
import json, os, sys
with open(os.environ["CALLS"], "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def script(tmp_path: Path) -> Any:
    """Runs a step of the action with other programs in place of pip and ours, and says with what
    they were called, and with which code it ended."""
    fake = tmp_path / "bin" / "indelible"
    fake.parent.mkdir()
    fake.write_text(FAKE, encoding="utf-8")
    fake.chmod(0o755)
    (tmp_path / "pip.py").write_text(FAKE, encoding="utf-8")
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)

    def run(name: str, code: int = 0, **given: str) -> tuple[list[list[str]], int]:
        import json

        (step,) = (step for step in STEPS if step["name"] == name)
        inputs = {key: known["default"] for key, known in ACTION["inputs"].items()}
        inputs |= {key.replace("_", "-"): value for key, value in given.items()}
        values = {f"inputs.{key}": value for key, value in inputs.items()}
        values["github.action_path"] = str(ROOT)
        environment = {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)
            for key, text in step["env"].items()
        }
        calls = tmp_path / "calls"
        calls.write_text("", encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=tmp_path,
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(tmp_path),
                "GITHUB_OUTPUT": str(tmp_path / "output"),
                "CALLS": str(calls),
                "CODE": str(code),
                **environment,
            },
            check=False,
            capture_output=True,
        )
        lines = calls.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines], done.returncode

    return run


def outputs(folder: Path) -> dict[str, str]:
    """What the last step said of itself."""
    lines = (folder / "output").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_what_is_written_is_kept_wherever_it_is(script: Any, tmp_path: Path) -> None:
    (words,), _ = script("Check", traces="/elsewhere/traces", junit="../junit.xml")
    assert (words[words.index("--traces") + 1], words[words.index("--junit") + 1]) == (
        "/elsewhere/traces",
        "../junit.xml",
    )
    told = outputs(tmp_path)
    assert (told["traces"], told["junit"]) == ("/elsewhere/traces", f"{tmp_path.parent}/junit.xml")
    (keep,) = (step for step in STEPS if step.get("uses", "").startswith("actions/upload-artifact"))
    (check,) = (step for step in STEPS if step["name"] == "Check")
    assert keep["with"]["path"].splitlines() == [
        f"${{{{ steps.{check['id']}.outputs.{name} }}}}" for name in ("traces", "junit")
    ]


def test_each_job_of_a_matrix_has_an_artifact_of_its_own() -> None:
    # upload-artifact takes a name once in a run; contexts of defaults: action_yaml.json of
    # github.com/actions/runner.
    default = ACTION["inputs"]["artifact"]["default"]
    assert set(re.findall(r"\$\{\{ (.*?) \}\}", default)) == {"github.job", "strategy.job-index"}


def test_it_checks_what_is_configured(script: Any, tmp_path: Path) -> None:
    (words,), code = script("Check")
    assert (code, words[0]) == (0, "check")
    given = options(["indelible", *words])
    assert (given["target"], given["budget"], given["save"]) == (None, 600, True)
    assert given["junit"] == Path("indelible-junit.xml")
    assert outputs(tmp_path) == {
        "traces": f"{tmp_path}/traces",
        "junit": f"{tmp_path}/indelible-junit.xml",
        "exit-code": "0",
    }


def test_it_checks_what_it_is_told_to(script: Any) -> None:
    (words,), _ = script(
        "Check", target="my_paxos:MyPaxos", budget="", args="--nodes 5 --commands 'a b,c'"
    )
    given = options(["indelible", *words])
    assert (given["target"], given["budget"]) == ("my_paxos:MyPaxos", None)
    assert given["nodes"] == 5
    assert given["commands"] == ("a b", "c")


@pytest.mark.parametrize("code", [1, 2, 3])
def test_it_fails_as_the_check_does(script: Any, code: int, tmp_path: Path) -> None:
    assert script("Check", code)[1] == code
    assert outputs(tmp_path)["exit-code"] == str(code)


def test_no_option_is_lost_where_they_make_no_sense(script: Any) -> None:
    calls, code = script("Check", args="--nodes '5")
    assert calls == []
    assert code != 0


def test_no_input_is_code(script: Any, tmp_path: Path) -> None:
    evil = '$(touch evil) `touch evil`; touch evil "'
    (words,), _ = script("Check", target=evil, junit=evil, budget=evil)
    assert words.count(evil) == 3
    assert not (tmp_path / "evil").exists()


def test_it_installs_its_own_code_or_a_version(script: Any) -> None:
    install = ["install", "--quiet"]
    assert script("Install Indelible") == ([[*install, str(ROOT)]], 0)
    (words,), _ = script("Install Indelible", version="1.2", requirements=". -r 'my file.txt'")
    assert words == [*install, "indelible==1.2", ".", "-r", "my file.txt"]


def test_it_fails_where_it_cannot_install(script: Any) -> None:
    assert script("Install Indelible", 1)[1] == 1


# --- what is shown ------------------------------------------------------------------------------


def test_there_is_something_to_copy() -> None:
    assert [len(blocks) for blocks in SHOWN.values()] == [1, 2]


@pytest.mark.parametrize("name", SHOWN)
def test_the_shown_workflow_uses_the_action_as_it_is(name: str) -> None:
    workflow = SHOWN[name][0]
    # YAML 1.1 takes the word 'on' for a truth value; GitHub does not.
    assert {str(key) for key in workflow} >= {"True", "jobs"}
    (job,) = workflow["jobs"].values()
    assert job["runs-on"] == "ubuntu-latest"
    *_, step = job["steps"]
    assert step["uses"].startswith("OWNER/indelible@")
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_shown_job_for_gitlab_writes_what_it_keeps() -> None:
    (job,) = SHOWN["docs/ci.md"][1].values()
    _, command = job["script"]
    given = options(shlex.split(command))
    assert (given["target"], given["budget"]) == (None, 600)
    assert str(given["junit"]) == job["artifacts"]["reports"]["junit"]
    assert job["artifacts"]["paths"] == [f"{given['folder']}/"]
    assert job["artifacts"]["when"] == "always"
