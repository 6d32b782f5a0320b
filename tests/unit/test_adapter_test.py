"""``indelible adapter test``: what conforms passes, and what misbehaves fails the right check."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli import main
from indelible.conformance.behaviour import SEEN
from indelible.conformance.check import Check, Finding, Skipped, run_checks
from indelible.conformance.host import Misbehaved, ProcessHost
from indelible.conformance.processes import PROCESS_CHECKS, ProcessCandidate
from indelible.conformance.report import NAME_WIDTH, finding_text, outcome_of, summary_text

ROOT = Path(__file__).parents[2]
SKELETON = ROOT / "indelible" / "skeletons" / "process.py"
SERVER = ROOT / "tests" / "support" / "misbehaving_server.py"

MISDEEDS = [
    ("prints_first", "hello", "stderr"),
    ("protocol=2", "hello", "protocol 2"),
    ('capabilities=["flying"]', "hello", '"flying"'),
    ('capabilities=["portable"]', "hello", "without 'snapshot'"),
    ('links="pigeons"', "hello", '"pigeons"'),
    ("prints_on_step", "steps", "stderr"),
    ("dies_on_step", "steps", "exit code 3"),
    ("hangs_on_step", "steps", "no answer within"),
    ("raises_on_submit", "steps", "KeyError: 'a'"),
    ("misspelt_effect", "steps", '"sned"'),
    ("sends_to_a_stranger", "steps", "sends to 9"),
    ("no_fingerprint", "start", "'fingerprint', which is no part"),
    ("reads_one_line_at_a_time", "at once", "no answer within"),
    ("draws_lots", "deterministic", "not deterministic"),
    ("shared_counter", "separate nodes", "share something"),
    ("remembers_its_log", "start again", "remembers"),
    ("half_a_fingerprint", "state", "the same twice"),
    ("remembers_over_a_restart", "restart", "over a restart"),
    ("votes_undeclared", "testimony", "votes, which its capabilities do not have"),
    ("declares_votes", "testimony", "votes, and none were seen"),
    ("snapshots_are_no_copies", "snapshot", "go on otherwise"),
    ("restores_nothing", "snapshot", "go on otherwise"),
    ("numbers_are_not_portable", "portable", "KeyError"),
    ("forgets_everything", "forget", "KeyError"),
    ("forgets_with_a_word", "forget", "'forgotten'"),
    ("takes_any_request", "unknown request", "not answered with an error"),
    ("takes_any_event", "unknown event", "not answered with an error"),
    ("counts_unknown_events", "unknown event", "go on otherwise"),
    ("short_buffer", "long line", "exit code 1"),
    ("goes_on_for_ever", "end", "does not end"),
    ("says_goodbye", "end", "nobody asked for"),
]
"""What is done wrong, which check is the first to fail, and what it says of it."""


def command(*words: str) -> str:
    return shlex.join([sys.executable, str(SERVER), str(SKELETON), *words])


def candidate(*words: str) -> ProcessCandidate:
    return ProcessCandidate(ProcessHost(command(*words), timeout=4), steps=30, seed=1)


def until_failure(tried: ProcessCandidate, last: str) -> Finding:
    """The first failure in the check ``last`` and those that it relies on."""
    needed = {last}
    for check in reversed(PROCESS_CHECKS):
        needed |= set(check.needs) if check.name in needed else set()
    checks = [check for check in PROCESS_CHECKS if check.name in needed]
    for found in run_checks(checks, tried):
        if found.result == "failed":
            return found
    return found


@pytest.mark.parametrize(("misdeed", "check", "says"), MISDEEDS)
def test_each_misdeed_fails_the_check_that_is_meant_for_it(
    misdeed: str, check: str, says: str
) -> None:
    found = until_failure(candidate(misdeed), check)
    assert (found.name, found.result) == (check, "failed"), found
    assert says in f"{found.says} {found.remedy}"


def test_every_check_is_failed_by_some_misdeed() -> None:
    failing = {check for _, check, _ in MISDEEDS}
    unseen = {"receive", "timeout", "submit"}  # See below.
    assert {check.name for check in PROCESS_CHECKS} - unseen == failing
    assert max(len(check.name) for check in PROCESS_CHECKS) == NAME_WIDTH


@pytest.mark.parametrize(
    ("misdeed", "unseen"),
    [
        ("sends_nothing", "receive"),
        ("no_timers", "timeout"),
        ("takes_no_commands", "submit"),
        ("never_the_same", "state"),
    ],
)
def test_what_never_happens_is_not_seen_and_said_so(misdeed: str, unseen: str) -> None:
    found = until_failure(candidate(misdeed), unseen)
    assert (found.name, found.result, bool(found.remedy)) == (unseen, "not seen", True)
    assert outcome_of([found]) == "inconclusive"
    assert outcome_of([found, Finding("one", "failed", "")]) == "does not conform"
    summary = summary_text([found], "next")
    assert f"not seen, and so not tried: {unseen}" in summary
    assert f"--allow-not-seen {unseen}" in summary
    assert outcome_of([found], [unseen]) == "conforms"
    assert f"Not seen, and so not tried, as allowed: {unseen}\nNext: next" in summary_text(
        [found], "next", [unseen]
    )
    assert set(SEEN) == {"receive", "timeout", "submit", "state"}


def test_the_skeleton_conforms() -> None:
    findings = list(run_checks(PROCESS_CHECKS, candidate()))
    assert {finding.name: finding.result for finding in findings if finding.result != "passed"} == {
        "testimony": "not applicable",
        "forget": "not applicable",
    }
    assert outcome_of(findings) == "conforms"


def test_snapshots_by_number_conform() -> None:
    checks = [check for check in PROCESS_CHECKS if check.name in ("snapshot", "portable", "forget")]
    results = [found.result for found in run_checks(checks, candidate("snapshots_by_number"))]
    assert results == ["passed", "not applicable", "passed"]


def test_portable_snapshots_need_not_be_forgotten() -> None:
    checks = [check for check in PROCESS_CHECKS if check.name in ("snapshot", "portable", "forget")]
    results = [found.result for found in run_checks(checks, candidate("knows_no_forget"))]
    assert results == ["passed", "passed", "not applicable"]


# --- what needs what failed ---------------------------------------------------------------------


def failing(_: object) -> str:
    raise Misbehaved("it is wrong", "do it right", sent="a" * 1000, received="b")


def skipping(_: object) -> str:
    raise Skipped("not applicable", "there is none")


def test_what_needs_what_failed_is_not_tried() -> None:
    checks: list[Check[None]] = [
        Check("one", failing),
        Check("two", lambda _: "good", ("one",)),
        Check("three", lambda _: "good", ("two",)),
        Check("four", skipping),
        Check("five", lambda _: "good", ("four",)),
    ]
    findings = list(run_checks(checks, None))
    assert [found.result for found in findings] == [
        "failed",
        "not tried",
        "not tried",
        "not applicable",
        "passed",
    ]
    assert outcome_of(findings) == "does not conform"
    assert summary_text(findings, "next") == (
        "Does not conform: 1 of 5 checks failed, 2 could not be tried"
    )
    failed = finding_text(findings[0]).splitlines()
    assert failed[0].split() == ["✗", "one", "it", "is", "wrong"]
    assert [line.split()[0] for line in failed[1:]] == ["sent", "received", "remedy"]
    assert failed[1].endswith("… (1,000 letters)")
    assert finding_text(findings[1]).endswith("not tried: this needs one, which failed")


# --- the command line ---------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["adapter", *arguments])


def test_the_command_tells_and_says_what_is_next() -> None:
    result = run("test", command(), "--steps", "20")
    assert result.exit_code == 0, result.output
    assert "✓ hello            fixed-leader, protocol 1" in result.stdout
    assert "– testimony" in result.stdout  # noqa: RUF001
    assert (
        result.stdout.splitlines()[-1] == f"Next: indelible check --exec {shlex.quote(command())}"
    )


def test_the_command_as_json_where_something_fails() -> None:
    result = run("test", command("protocol=2"), "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["version"], told["conforms"]) == (1, False)
    assert told["target"] == f"exec:{command('protocol=2')}"
    first, *others = told["checks"]
    assert first["name"] == "hello"
    assert first["shown"]["sent"] == '{"protocol":1,"request":"hello"}'
    assert '"protocol": 2' in first["shown"]["received"]
    assert {check["result"] for check in others} == {"not tried"}


SILENT = '''
class Silent:
    """Never sets a timer, and sends nothing."""

    def start(self, node, nodes, storage):
        return 0, ()

    def handle(self, node, state, event):
        return 0, ()
'''


def test_what_was_not_seen_is_no_pass_unless_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "silent_module.py").write_text(SILENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("test", "--target", "silent_module:Silent", "--json")
    codes = []
    for more in ((), ("--allow-not-seen", "timeout"), ("--allow-not-seen", "timeout,receive")):
        result = run(*words, *more)
        told = json.loads(result.stdout)
        codes.append(result.exit_code)
        assert told["exit_code"] == result.exit_code
        assert told["conforms"] == (result.exit_code == 0)
    assert codes == [3, 3, 0]
    assert told["outcome"] == "conforms"
    refused = run(*words, "--allow-not-seen", "hello")
    assert refused.exit_code == 2
    assert "receive, timeout, submit, state" in refused.output


def test_an_object_of_python() -> None:
    result = run("test", "--target", "multipaxos", "--steps", "40")
    assert result.exit_code == 0, result.output
    assert "gives votes, promises, leaders" in result.stdout


COUNTER = '''
from indelible import Send

class Counting:
    """What happens to one node shows at another."""

    made = 0

    def start(self, node, nodes, storage):
        return (nodes, 0), ()

    def handle(self, node, state, event):
        if self.asked != (node, state, event):
            type(self).made += 1
        type(self).asked = node, state, event
        print("counting")
        return (state[0], self.made), ()

    asked = None
'''


def test_an_object_of_python_that_counts_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "counting_module.py").write_text(COUNTER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    result = run("test", "--target", "counting_module:Counting")
    assert result.exit_code == 1
    assert "✗ deterministic" in result.stdout
    assert "counting" not in result.stdout.replace("counting_module", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name either the COMMAND"),
        (["server", "--target", "multipaxos"], "name either the COMMAND"),
        (["no-such-program-anywhere"], "could not be started"),
        (["'"], "makes no sense"),
        ([""], "empty"),
    ],
)
def test_what_cannot_be_tried_is_an_error(arguments: list[str], says: str) -> None:
    result = run("test", *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_the_schema_is_printed() -> None:
    told = json.loads(run("schema").stdout)
    assert "request_step" in told["$defs"]
