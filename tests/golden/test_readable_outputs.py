"""What people read, held against files; ``--rewrite`` writes them anew, for you to read.

Times, memory, and how the explorer went about it are masked; all else must not change by itself,
least of all with the hash seed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible.checkers.explore import explore
from indelible.checkers.properties import BUILT_IN
from indelible.cli import main
from indelible.evidence import evidence_of
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.render.mermaid import render_mermaid
from indelible.render.shiviz import render_shiviz

HERE = Path(__file__).parent
EXAMPLES = HERE / "examples"
EXPECTED = HERE / "expected"

OUTPUTS = {
    "help.txt": "--help",
    "check_help.txt": "check --help",
    "properties.txt": "properties",
    "holds.txt": "check ledgers:Careful",
    "holds_when_asked.txt": "check ledgers:Careful --property agreement --restarts 0",
    "violated_at_once.txt": "check ledgers:Hasty",
    "violated_by_a_torn_step.txt": "check ledgers:Late",
    "violated_between_two_saves.txt": "check ledgers:TwoSaves",
    "violated_in_time.txt": "check ledgers:Hurried",
    "violated_own_property.txt": "check ledgers:Careful --property ledgers:nothing_decided",
    "violated_with_sets.txt": "check ledgers:Polling --property ledgers:nothing_decided",
    "violated_initially.txt": "check ledgers:Careful --property ledgers:decided_from_the_start",
    "raises.txt": "check ledgers:Brittle",
    "never_reached.txt": "check ledgers:Silent",
    "not_observable.txt": "check ledgers:Careful --property agreement --property votes_are_safe",
    "limit.txt": "check ledgers:Careful --max-states 3",
    "quiet.txt": "check ledgers:Hasty --quiet",
    "violated.json": "check ledgers:Hasty --json",
    "torn.json": "check ledgers:Late --json",
    "raises.json": "check ledgers:Brittle --json",
    "wrong_target.txt": "check ledger:Careful",
    "wrong_attribute.txt": "check ledgers:Carefull",
    "wrong_property.txt": "check --property agrement",
    "wrong_scope.txt": "check --torn --restarts 0",
    "known_bug.txt": "check noop_overwrites --property agreement",
    "known_bug_torn.txt": "check accept_revealed_before_saved",
    "multipaxos_limit.txt": "check --max-states 1000",
    "replay_help.txt": "replay --help",
    "show.txt": "show late.itf.json",
    "replay_violates.txt": "replay late.itf.json",
    "replay_holds.txt": "replay hasty.itf.json --target ledgers:Careful",
    "replay_does_not_fit.txt": "replay late.itf.json --target ledgers:Careful",
    "replay.json": "replay late.itf.json --target ledgers:Careful --json",
    "replay_folder.txt": "replay .",
    "minimize.txt": f"minimize late.itf.json --output {os.devnull}",
    "fuzz_help.txt": "fuzz --help",
    "fuzz_violated.txt": "fuzz ledgers:Late --seed 1 --runs 40 --workers 1 --no-save",
    "fuzz_nothing_found.txt": "fuzz ledgers:Careful --seed 1 --runs 40 --workers 1 --no-save",
    "fuzz_coverage.txt": "fuzz ledgers:Careful --seed 1 --runs 9 --coverage --no-save",
    "fuzz.json": "fuzz ledgers:Hasty --seed 1 --runs 9 --workers 1 --no-save --json",
    "audit_help.txt": "audit --help",
    "audit_violated.txt": "audit late.jsonl",
    "audit_violated.json": "audit late.jsonl --json",
    "audit_by_absence.txt": "audit unvoted.jsonl",
    "audit_holds.txt": "audit careful.jsonl",
    "audit_damaged.txt": "audit damaged.jsonl",
    "show_log.txt": "show late.itf.json --as log",
    "prove_help.txt": "prove --help",
    "prove_safety.txt": "prove safety",
    "damaged_trace.txt": "replay ledgers.py",
}

# In a project that configures checks, in the folder of that name.
CONFIGURED = {
    "configured.txt": "check --budget 10m",
    "configured.json": "check --json careful",
    "configured_quiet.txt": "check --quiet",
    "configured_otherwise.txt": "check --nodes 5",
}

# The counterexample of known_bug.txt once more.
RENDERINGS = {"known_bug.mermaid": render_mermaid, "known_bug.shiviz": render_shiviz}

MASKS = (
    (r"(?m)^  (local states|local steps|time|memory)(  +)\S.*$", r"  \1\2…"),
    (r'"(states_local|steps_learned|calls|seconds|memory_bytes)": [\d.]+', r'"\1": 0'),
    (r"\d\.\d s(?=  | \|)", "  … s"),
    (r"(?m)^(  events  +[\d,]+), [\d,]+/s$", r"\1, …"),
    (r"(?m) +\d+\.\d{3} s  |^[\d.]+ s in all, [\d.]+ s for the slowest$", "  …  "),
    (re.escape(str(EXAMPLES)), "(here)"),
)
LIMIT_MASKS = ((r"(?m)^  (states|transitions)(  +)\S.*$", r"  \1\2…"),)


def masked(text: str, *, limited: bool) -> str:
    """The text without what varies: where a limit was hit, this includes how far it came."""
    for pattern, replacement in MASKS + (LIMIT_MASKS if limited else ()):
        text = re.sub(pattern, replacement, text)
    return text


def compared(name: str, text: str, *, rewrite: bool) -> None:
    path = EXPECTED / name
    if rewrite:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OUTPUTS)
def test_output(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "path", list(sys.path))
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        main, OUTPUTS[name].split(), prog_name="indelible"
    )
    shown = f"$ indelible {OUTPUTS[name]}\n{result.output}exit code {result.exit_code}\n"
    if name.endswith(".json"):
        shown = result.stdout
    text = masked(shown, limited="--max-states" in OUTPUTS[name])
    compared(name, text, rewrite=request.config.getoption("--rewrite"))


@pytest.mark.parametrize("name", RENDERINGS)
def test_rendering(name: str, request: pytest.FixtureRequest) -> None:
    bug = KNOWN_BUGS["noop_overwrites"]
    trace = explore(bug.implementation, bug.scope, properties=[BUILT_IN[bug.property]]).trace
    assert trace is not None
    evidence = evidence_of(
        bug.implementation, trace, BUILT_IN[bug.property], target=bug.name, length="shortest"
    )
    rewrite = request.config.getoption("--rewrite")
    compared(name, RENDERINGS[name](evidence) + "\n", rewrite=rewrite)


@pytest.mark.parametrize("name", CONFIGURED)
def test_output_of_configured_checks(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES / "project")
    monkeypatch.syspath_prepend(EXAMPLES)
    words = CONFIGURED[name].split()
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, words, prog_name="indelible")
    shown = f"$ indelible {CONFIGURED[name]}\n{result.output}exit code {result.exit_code}\n"
    text = masked(result.stdout if name.endswith(".json") else shown, limited=True)
    compared(name, text, rewrite=request.config.getoption("--rewrite"))


def test_step_summary_and_annotations(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(EXAMPLES / "project")
    monkeypatch.syspath_prepend(EXAMPLES)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(EXAMPLES))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    stderr = CliRunner().invoke(main, ["check", "--quiet"]).stderr
    rewrite = request.config.getoption("--rewrite")
    compared("annotations.txt", stderr, rewrite=rewrite)
    summary = masked((tmp_path / "summary.md").read_text(encoding="utf-8"), limited=True)
    compared("step_summary.md", summary, rewrite=rewrite)


DOCUMENTS = {"late.itf.json": "ledgers:Late", "hasty.itf.json": "ledgers:Hasty"}
"""Traces that commands are tried on, and the targets that they were found in."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_trace_document(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "path", list(sys.path))
    words = ["check", DOCUMENTS[name], "--save", "--traces", str(tmp_path), "--quiet"]
    assert CliRunner().invoke(main, words).exit_code == 1
    (kept,) = tmp_path.iterdir()
    text = kept.read_text(encoding="ascii")
    if request.config.getoption("--rewrite"):
        (EXAMPLES / name).write_text(text, encoding="ascii")
    assert text == (EXAMPLES / name).read_text(encoding="ascii")


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize(
    "name", ["violated_by_a_torn_step.txt", "violated_with_sets.txt", "torn.json"]
)
def test_output_does_not_depend_on_the_hash_seed(name: str, seed: str) -> None:
    command = [sys.executable, "-P", "-m", "indelible", *OUTPUTS[name].split()]
    run = subprocess.run(
        command,
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    shown = f"$ indelible {OUTPUTS[name]}\n{run.stdout}exit code {run.returncode}\n"
    text = run.stdout if name.endswith(".json") else shown
    assert masked(text, limited=False) == (EXPECTED / name).read_text(encoding="utf-8")


def test_every_expected_file_is_compared() -> None:
    assert {path.name for path in EXPECTED.iterdir()} == {
        *OUTPUTS, *CONFIGURED, *RENDERINGS, "annotations.txt", "step_summary.md"
    }  # fmt: skip
