"""indelible prove: what is printed, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import count

import pytest
from click.testing import CliRunner, Result

from indelible import proofs
from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.checkers.lemmas.safety import bad_run
from indelible.checkers.lemmas.solving import stoppable
from indelible.cli import main
from indelible.model.quorums import MajorityQuorums
from indelible.proof_text import proof_headline, proof_text
from indelible.proofs import Part, Proof, attempted, measured, obligations_of, proof_object
from indelible.quorum_config import NamedQuorums

PROVED = Answer("proved", 0.25)
REFUTED = Answer("refuted", 0.5, ("n0 breaks it", "before  nothing"))
UNKNOWN = Answer("unknown", 2.0, reason="timeout")


def obligation(name: str, answer: Answer) -> Obligation:
    return Obligation("group", name, f"The law of {name}.", lambda _: answer)


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Things to prove that take no time: of what is left out, one is refuted, one unknown."""

    def obligations(weaken: str | None) -> tuple[Obligation, ...]:
        answer = {None: PROVED, "one": REFUTED, "other": UNKNOWN}[weaken]
        return (obligation("first", PROVED), obligation("second", answer))

    parts = {"safety": Part(obligations, lambda: ("one", "other"))}
    monkeypatch.setattr(proofs, "PARTS", parts)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["prove", *words])


@pytest.mark.usefixtures("some")
def test_everything_proved() -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[:5] == [
        "proved: all 2 obligations",
        "",
        "group",
        "  ✓ first   0.250 s  The law of first.",
        "  ✓ second  0.250 s  The law of second.",
    ]
    assert result.stdout.splitlines()[-1].endswith(" s in all, 0.25 s for the slowest")
    assert result.stderr == ""


@pytest.mark.usefixtures("some")
def test_something_refuted() -> None:
    result = run("safety", "--weaken", "one")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "refuted without one: 1 refuted of 2 obligations, first second of group"
    assert "  ✗ second  0.500 s  The law of second." in lines
    at = lines.index("Refuted: second of group")
    assert lines[at + 1 : at + 3] == ["      n0 breaks it", "      before  nothing"]


@pytest.mark.usefixtures("some")
def test_unknown_is_not_proved() -> None:
    result = run("--weaken", "other", "--quiet")
    assert result.exit_code == 3
    assert result.stdout == (
        "unknown without other: 1 unknown of 2 obligations, first second of group\n"
    )
    assert "  ? second  2.000 s  timeout" in run("--weaken", "other").stdout.splitlines()


@pytest.mark.usefixtures("some")
def test_as_json() -> None:
    result = run("--weaken", "one", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["outcome"] == "refuted"
    assert said["exit_code"] == 1
    assert said["weakened"] == "one"
    assert said["obligations"][1] == {
        "group": "group",
        "name": "second",
        "says": "The law of second.",
        "outcome": "refuted",
        "seconds": 0.5,
        "reason": "",
        "counterexample": ["n0 breaks it", "before  nothing"],
    }


@pytest.mark.usefixtures("some")
def test_progress_goes_to_stderr_when_it_is_asked_for() -> None:
    result = run("--progress", "--quiet")
    assert result.stderr.splitlines() == ["1 of 2  group  first", "2 of 2  group  second"]
    assert result.stdout == "proved: all 2 obligations\n"


@pytest.mark.usefixtures("some")
def test_what_cannot_be_left_out() -> None:
    result = run("--weaken", "ome")
    assert result.exit_code == 2
    assert "there is nothing called 'ome' that could be left out" in result.stderr
    assert "available: one, other" in result.stderr
    assert result.stdout == ""


def test_what_cannot_be_proved() -> None:
    result = run("liveness")
    assert result.exit_code == 2
    assert "'safety', 'all'" in result.stderr.replace('"', "'")


def test_after_an_interruption_the_rest_is_unknown() -> None:
    answers = iter([False, True])
    todo = [obligation("first", PROVED), obligation("second", PROVED)]
    proof = attempted(todo, timeout_seconds=1, interrupted=lambda: next(answers))
    assert proof.outcome == "unknown"
    assert [answer.reason for _, answer in proof.results] == ["", "interrupted"]


# 13 pigeons in 12 holes: too long for z3. The progress line says that it has begun.
PIGEONS = """
import sys, time, z3
from indelible import proofs
from indelible.checkers.lemmas.lemma import decide
from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.cli import main

def pigeons(limit):
    at = [[z3.Bool(f"{pigeon} in {hole}") for hole in range(12)] for pigeon in range(13)]
    apart = [z3.AtMost(*hole, 1) for hole in zip(*at)]
    began = time.monotonic()
    found = decide([*map(z3.Or, at), *apart], limit)
    return Answer("unknown", time.monotonic() - began, reason=found.reason)

todo = [Obligation("group", name, "says", pigeons) for name in ("first", "second")]
proofs.PARTS = {"safety": proofs.Part(lambda _: tuple(todo), lambda: ())}
main(["prove", "--timeout", "5m", "--progress"])
"""


def test_ctrl_c_ends_z3_and_reports() -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", PIGEONS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "1 of 2  group  first\n"
    time.sleep(1)  # Well inside of z3.
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert output.startswith("unknown: 2 unknown of 2 obligations, first first of group\n")
    assert output.count("interrupted") == 2
    assert errors == ""
    assert time.monotonic() - began < 20


def test_after_an_interruption_no_run_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    weaken = "decide.quorum_voted"
    monkeypatch.setattr(proofs, "bad_run", lambda *_: pytest.fail("it was looked for"))
    answers = iter([False, True])
    refuted = [obligation("first", REFUTED)]
    proof = attempted(
        refuted, weakened=weaken, timeout_seconds=1, interrupted=lambda: next(answers)
    )
    assert proof.bad_run_reason == "interrupted"


@pytest.mark.parametrize("after", range(6))
def test_an_interruption_ends_the_search_for_a_run(after: int) -> None:
    """Wherever it comes: before each question to z3, and between the actions that are grounded."""
    asked = count()
    with stoppable(lambda: next(asked) >= after), pytest.raises(KeyboardInterrupt):
        bad_run("vote.not_left", 30.0)
    assert next(asked) == after + 1


def test_an_interruption_ends_the_report_of_a_system() -> None:
    named = NamedQuorums("mine", MajorityQuorums(), (0, 1, 2))
    assert measured(named) is not None
    for after in range(4):
        asked = count()
        assert measured(named, lambda asked=asked, after=after: next(asked) >= after) is None


def test_nothing_to_prove_is_not_proved() -> None:
    assert Proof((), 0.0).outcome == "unknown"
    assert proof_headline(Proof((), 0.0)).startswith("unknown: ")


def test_one_is_not_all() -> None:
    one = ((obligation("first", PROVED), PROVED),)
    assert proof_headline(Proof(one, 1.0)) == "proved: 1 obligation"


def test_refuted_and_unknown_are_both_told() -> None:
    todo = [(obligation("first", UNKNOWN), UNKNOWN), (obligation("second", REFUTED), REFUTED)]
    proof = Proof(tuple(todo), 1.0)
    assert proof.outcome == "refuted"
    assert proof_headline(proof) == (
        "refuted: 1 refuted and 1 unknown of 2 obligations, first second of group"
    )


def test_a_run_that_goes_wrong_is_shown() -> None:
    """Two events: anybody may decide anything without votes."""
    weaken = "decide.quorum_voted"
    todo = [known for known in obligations_of("safety", weaken) if known.name == "decide/agreement"]
    proof = attempted(todo, weakened=weaken, timeout_seconds=60)
    assert proof.outcome == "refuted"
    text = proof_text(proof)
    assert f"Without {weaken}, this can happen:\nCounterexample: 2 events, the shortest" in text
    assert proof_object(proof)["run"] == list(proof.bad_run)


def test_why_no_run_is_shown() -> None:
    weaken, name = "votes_bind", "vote/latest_is_highest"
    todo = [known for known in obligations_of("safety", weaken) if known.name == name]
    proof = attempted(todo, weakened=weaken, timeout_seconds=60)
    assert "No run shows what goes wrong: it is a conjunct" in proof_text(proof)


def test_an_answer_says_why() -> None:
    with pytest.raises(ValueError, match="refuted without a counterexample"):
        Answer("refuted", 0.0)
    with pytest.raises(ValueError, match="unknown without a reason"):
        Answer("unknown", 0.0)


def test_what_is_not_about_proofs_does_not_load_z3() -> None:
    """Neither the package, nor the command line with its help, nor the refinement."""
    code = (
        "import sys, indelible, indelible.cli, indelible.checkers.refinement.search\n"
        "from click.testing import CliRunner\n"
        "CliRunner().invoke(indelible.cli.main, ['prove', '--help'])\n"
        "sys.exit('z3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
