"""What a newcomer does, with the package installed as it is: the example project, by its README,
and the scripts of the action.

Everything happens in a copy of the files that belong to the project, in an environment of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = Path("examples", "write-once-register")
README = (ROOT / EXAMPLE / "README.md").read_text(encoding="utf-8")
INSTALL, FAILURES, FIX, KEEP = re.findall(r"^```\w*\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
WRONG, RIGHT = (line[1:] for line in FIX.splitlines())

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("newcomer")]

Bash = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the project, without what was made from them."""
    made = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "*.egg-info", "traces", "tests", "venv"
    )
    clone: Path = tmp_path_factory.mktemp("newcomer") / "clone"
    shutil.copytree(ROOT, clone, ignore=made)
    shutil.copytree(ROOT / EXAMPLE / "tests", clone / EXAMPLE / "tests")
    return clone


@pytest.fixture(scope="module")
def bash(clone: Path) -> Bash:
    """Runs commands in the example's folder, in a virtual environment of its own."""
    venv = clone.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    own = {"HOME", "LANG", "TMPDIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"}
    kept = {name: value for name, value in os.environ.items() if name in own}

    def run(script: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=clone / EXAMPLE,
            env={
                **kept,
                "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
                "VIRTUAL_ENV": str(venv),
                "PYTHONIOENCODING": "utf-8",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_COMPILE": "0",  # Python compiles what is imported, a small part of it.
                **more,
            },
            check=False,
            capture_output=True,
            encoding="utf-8",
        )

    return run


def step(name: str) -> str:
    """The script of a step of the action."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (found,) = (step for step in action["runs"]["steps"] if step["name"] == name)
    return str(found["run"])


@pytest.fixture(scope="module")
def installed(clone: Path, bash: Bash) -> Bash:
    """The same, once the action has installed the package, and the README's commands the rest."""
    done = bash(step("Install Indelible"), OWN_CODE=str(clone), VERSION="", REQUIREMENTS="")
    assert done.returncode == 0, done.stderr
    *commands, last = INSTALL.splitlines()
    assert last == "pytest"
    done = bash("\n".join(commands))
    assert done.returncode == 0, done.stderr
    shutil.rmtree(clone / "indelible")  # So that nothing but the installed package can be used.
    return bash


def test_the_example_fails_and_passes_once_it_is_corrected(installed: Bash, clone: Path) -> None:
    project = clone / EXAMPLE
    shutil.rmtree(project / "traces", ignore_errors=True)
    first = installed("pytest")
    assert first.returncode == 1, first.stdout + first.stderr
    failed = re.findall(r"^FAILED \S+", first.stdout, re.MULTILINE)
    assert failed == FAILURES.splitlines()
    assert "violated: agreement: slot 0: n0 decided 'a', n1 decided 'b'" in first.stdout
    assert "Counterexample: 13 events, the shortest there is." in first.stdout
    assert "» 'b' is now chosen in slot 0" in first.stdout

    code = project / "register.py"
    wrong = code.read_text(encoding="utf-8")
    assert wrong.count(WRONG) == 1
    code.write_text(wrong.replace(WRONG, RIGHT), encoding="utf-8")
    try:
        second = installed("pytest traces")  # The rest is run below, and passes.
        assert second.returncode == 1
        assert "FAILED traces/" in second.stdout
        last = installed(f"set +e\n{KEEP}")  # As in a shell that somebody types into.
        assert last.returncode == 0, last.stdout + last.stderr
        assert installed("indelible check --quiet").stdout.startswith("holds: all 2 checks")
    finally:
        code.write_text(wrong, encoding="utf-8")
    assert installed("pytest").returncode == 1  # The guard, too.


def test_the_action_checks_the_example(installed: Bash, clone: Path, tmp_path: Path) -> None:
    environment = {
        "TARGET": "",
        "BUDGET": "5m",
        "ARGS": "--no-progress",
        "JUNIT": str(tmp_path / "junit.xml"),
        "TRACES": str(tmp_path / "traces"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(clone),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    done = installed(step("Check"), **environment)
    assert done.returncode == 1, done.stderr
    outputs = (tmp_path / "output").read_text(encoding="utf-8").splitlines()
    assert outputs == [
        f"traces={tmp_path / 'traces'}", f"junit={tmp_path / 'junit.xml'}", "exit-code=1"
    ]  # fmt: skip
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [(suite.attrib["name"], suite.attrib["failures"]) for suite in suites] == [
        ("register[calm]", "1"), ("register[crashing]", "1")
    ]  # fmt: skip
    assert done.stderr.count(f"file={(EXAMPLE / 'register.py').as_posix()},line=") == 2
    assert "sequenceDiagram" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert len(list((tmp_path / "traces").iterdir())) == 2
