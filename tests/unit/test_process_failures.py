"""What processes do wrong: each is a finding or an error that says what happened, and none a hang.

A finding has a trace, as an exception of Python has. An error is about the process itself.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest

from indelible import Scope, Submit, explore
from indelible.adapters import ProcessAdapter
from indelible.impl.adapters import process_guard
from indelible.impl.adapters.process_pool import TRUSTED_AGAIN, Pool
from indelible.impl.adapters.process_text import log_end
from indelible.impl.adapters.process_worker import NotTheSame
from indelible.model.errors import ImplementationError, ImplementationRaised, WireError
from indelible.model.node_json import plain
from support import tiny_server
from support.tiny import BOOM, command, tiny

FINDINGS = {
    "raises": "ErrorAnswer: boom: it was too much",
    "exits": "ProcessDied: the process ended with exit code 3",
    "killed": "ProcessDied: the process was ended by SIGKILL",
    "half then exits": 'ended with exit code 0 after {"effec without a line end',
    "closes": "the process closed its stdout",
    "hangs": "NoAnswer: no answer within 0.5 s",
    "half": 'without a line end; it was asked {"request":"step"',
}

ERRORS = {
    "prints": "a word of debugging",
    "twice": "without being asked",
    "large": "an answer of more than 100,000 bytes",
    "bytes": "the line is not UTF-8: invalid start byte at byte 13",
    "nothing": "the answer has no 'effects'",
    "array": "the line is JSON, but no object: [{",
    "deep": "the line is nested too deep",
    "nested": "the line is nested too deep",
    "digits": "the line has a number of more than 4,300 digits",
    "half a character": r'a text has "\ud83d", which is half a character',
    "half a key": r'a text has "\udca9", which is half a character',
    "empty": "the process answered an empty line",
    "empty line more": "the process said an empty line without being asked",
    "key twice": 'an object has the key "effects" more than once',
    "no number": "fingerprint is nan, which is no number of JSON",
    "more": "the answer has 'extra', which is no part of it",
    "effect": 'effects[0].type is "sned"',
    "stranger": "sends to 9, which is not a node",
}

AT_HELLO = {
    "exits": "ended with exit code 3",
    "hangs": "no answer within 1.5 s",
    "prints": "a word of debugging",
    "bytes": "not UTF-8",
    "array": "no object",
    "nothing": "protocol null",
    "raises": "boom: it was too much",
    "version": "protocol 2",
    "more": "'extra'",
    "capability": '"flying"',
    "only portable": "'portable' without 'snapshot'",
    "links": "carrier pigeons",
    "scope": "scope.nodes is 0; asked",
    "scope field": 'scope has no field "node"; asked ',
}

MODES = [(), ("snapshot",), ("portable",)]


@pytest.mark.parametrize("wrong", FINDINGS)
def test_a_step_that_it_does_not_survive_is_a_finding(wrong):
    adapter = tiny(f"boom={wrong}", timeout=patience(wrong), workers=1)
    verdict = explore(adapter, BOOM)
    assert verdict.outcome == "violated"
    assert FINDINGS[wrong] in verdict.reason
    assert [event for _, event in verdict.trace.actions] == [Submit("boom")]


@pytest.mark.parametrize("wrong", ERRORS)
def test_an_answer_that_is_none_is_an_error(wrong):
    adapter = tiny(f"boom={wrong}", answer_bytes_max=100_000, workers=1)
    with pytest.raises(ImplementationError) as error:
        explore(adapter, BOOM)
    assert ERRORS[wrong] in str(error.value)


@pytest.mark.parametrize("wrong", AT_HELLO)
def test_what_is_wrong_with_hello_is_told_at_once(wrong):
    with pytest.raises(ImplementationError) as error:
        _ = tiny(f"hello={wrong}", timeout=patience(wrong)).name
    assert AT_HELLO[wrong] in str(error.value)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: " ".join(mode) or "replay")
@pytest.mark.parametrize("wrong", ["exits", "raises"])
def test_the_right_step_is_blamed_wherever_a_state_comes_from(mode, wrong):
    """Also where many steps were asked together, of several processes."""
    scope = Scope(nodes=3, commands=("a", "b", "boom"), links="unordered")
    verdict = explore(tiny(f"boom={wrong}", *mode, workers=2), scope)
    assert FINDINGS[wrong] in verdict.reason
    assert [event for _, event in verdict.trace.actions] == [Submit("boom")]


@pytest.mark.parametrize("wrong", ["exits", "killed", "closes", "half then exits", "array", "deep"])
def test_what_ends_a_talk_has_a_likely_cause_and_a_remedy(wrong):
    with pytest.raises(ImplementationError) as error:
        _ = tiny(f"hello={wrong}").name
    assert error.value.cause
    assert error.value.remedy


def test_what_resembles_a_slip_is_named_first():
    with pytest.raises(ImplementationError) as error:
        _ = tiny("hello=scope field").name
    assert error.value.available.startswith("nodes, ")


@pytest.mark.parametrize("wrong", ["deep", "digits"])
def test_the_reason_comes_before_a_line_that_is_long(wrong):
    with pytest.raises(ImplementationError, match=r"the line (is nested|has a number)") as error:
        submit_boom(tiny(f"boom={wrong}"))
    assert error.value.fact.startswith("the line ")
    assert "write the log to stderr" not in error.value.remedy


@pytest.mark.parametrize(
    ("fine", "says"), [("nearly", tiny_server.nested(99)), ("emoji", "\U0001f4a9")]
)
def test_what_is_just_about_an_answer_is_one(fine, says):
    assert submit_boom(tiny(f"boom={fine}"))["fingerprint"] == plain(says)


def test_a_question_that_has_no_answer_is_not_waited_for_a_third_time(monkeypatch):
    adapter = tiny("boom=hangs", timeout=0.3)
    asked = []
    talk = Pool._talk
    monkeypatch.setattr(
        Pool, "_talk", lambda self, requests: asked.append(requests) or talk(self, requests)
    )
    first, _ = adapter.start(0, (0, 1), None)
    with pytest.raises(ImplementationRaised, match="no answer within"):
        adapter.handle(0, first, Submit("boom"))
    known = len(asked)
    with pytest.raises(ImplementationRaised, match="no answer within"):
        adapter.handle(0, first, Submit("boom"))
    again, _ = adapter.start(0, (0, 1), None)
    started = len(asked)
    with pytest.raises(ImplementationRaised, match="no answer within"):
        adapter.handle(0, again, Submit("boom"))
    assert (started - known, len(asked)) == (1, started)
    adapter._pool._failure = None  # As after many good answers.
    adapter.foresee([(0, again, Submit("boom"))])
    assert not any(chain(*(each.values() for each in asked[started:])))


def test_a_process_starts_in_the_folder_in_which_its_adapter_was_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hello = '{"protocol": 1, "name": "here"}'
    Path("server.py").write_text(f"for _ in open(0): print({hello!r}, flush=True)\n")
    adapter = ProcessAdapter([sys.executable, "server.py"])
    monkeypatch.chdir("/")
    assert adapter.name == "here"


def test_an_answer_that_is_another_one_keeps_its_cause_when_it_does_not_come_again():
    pool = tiny(workers=1)._pool
    pool._failure = NotTheSame("the process is not deterministic", cause="an order")
    assert pool._not_again() is pool._failure
    pool._failure = ImplementationError("an answer that is none", cause="a line too many")
    assert "this happened once" in pool._not_again().cause


def test_the_log_is_told():
    with pytest.raises(ImplementationRaised, match="its log ends: that is the end"):
        submit_boom(tiny("boom=exits"))


V8 = """node.js:7
  throw new TypeError("my bug");
  ^

TypeError: my bug
    at deep (node.js:7:9)
    at deep (node.js:8:3)
    at deep (node.js:8:3)
    at deep (node.js:8:3)
    at deep (node.js:8:3)

Node.js v20.20.2
"""

PYTHON = """a line of its log
Traceback (most recent call last):
  File "node.py", line 9, in <module>
    deep(4)
  File "node.py", line 7, in deep
    raise TypeError("my bug")
TypeError: my bug
"""


@pytest.mark.parametrize("log", [V8, PYTHON])
def test_the_message_of_an_exception_is_told_wherever_the_stack_is(log):
    told = log_end(log)
    assert "TypeError: my bug" in told.split(" | ")
    assert "7" in told
    assert log_end("earlier\n" * 90 + log).removeprefix("earlier | ") == told


def test_the_end_of_a_log_is_short():
    assert log_end("") == ""
    assert log_end("one\n\n  two\n") == "one | two"
    assert log_end("\n".join("abcdefgh")) == "e | f | g | h"
    assert log_end("a" * 10_000) == "a" * 200 + "…"
    assert log_end("a\n" + " x\n" * 9) == "a | … | x | x | x | x"


def test_an_error_tells_what_was_sent_and_what_came_back():
    with pytest.raises(ImplementationError) as error:
        submit_boom(tiny("boom=array"))
    assert '"command":"boom"' in error.value.fact
    assert '[{"effects": [' in error.value.fact


def test_a_new_process_answers_after_one_died():
    adapter = tiny("boom=exits")
    with pytest.raises(ImplementationRaised):
        submit_boom(adapter)
    state, _ = adapter.start(0, (0, 1), None)
    assert adapter.handle(0, state, Submit("a"))[0]["log"] == ("a",)


def test_questions_are_asked_together_again_once_many_were_answered_well(monkeypatch):
    adapter = tiny("boom=exits", workers=2)
    state, _ = adapter.start(0, (0, 1), None)
    together = []
    talk = adapter._pool._talk
    monkeypatch.setattr(
        adapter._pool, "_talk", lambda asked: together.append(len(asked)) or talk(asked)
    )

    def is_foreseen(*commands):
        """Whether what is foreseen is asked at once."""
        together.clear()
        adapter.foresee([(0, state, Submit(command)) for command in commands])
        return bool(together)

    assert is_foreseen("a", "boom")
    for good in (TRUSTED_AGAIN - 1, 0, TRUSTED_AGAIN):
        with pytest.raises(ImplementationRaised):
            adapter.handle(0, state, Submit("boom"))
        for _ in range(good):
            assert not is_foreseen("a", "b")
            assert adapter.handle(0, state, Submit("a"))[0]["log"] == ("a",)
    assert is_foreseen("a", "b")
    assert adapter.handle(0, state, Submit("b"))[0]["log"] == ("b",)
    assert is_foreseen("a", "boom")
    with pytest.raises(ImplementationRaised):
        adapter.handle(0, state, Submit("boom"))


def test_a_system_that_cannot_wait_for_processes_is_told(monkeypatch):
    monkeypatch.delattr("select.poll")
    with pytest.raises(ImplementationError, match="cannot be hosted on this system") as error:
        _ = tiny().name
    assert "Windows" in error.value.cause


def test_a_process_that_dies_once_and_not_again_is_told_of(tmp_path):
    """A crash that does not come back is not passed over."""
    mark = tmp_path / "died"
    adapter = tiny("boom=exits once", f"mark={mark}")
    with pytest.raises(ImplementationError) as error:
        submit_boom(adapter)
    assert "exit code 3" in error.value.fact
    assert "this happened once" in error.value.cause


def test_a_process_that_dies_of_what_adds_up_is_told_of():
    """It is no finding about the step that it came to."""
    with pytest.raises(ImplementationError, match="exit code 5") as error:
        explore(tiny("requests=7", "plain", workers=1), Scope(nodes=2, commands=("a", "b")))
    assert "adds up" in error.value.cause


def test_a_process_that_dies_after_its_answer_is_told_of():
    adapter = tiny("boom=ends later")
    state = submit_boom(adapter)
    time.sleep(0.2)
    with pytest.raises(ImplementationRaised, match="exit code 4"):
        adapter.handle(0, state, Submit("a"))


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: " ".join(mode) or "replay")
def test_chance_is_found_out(mode):
    with pytest.raises(ImplementationError, match="not deterministic"):
        explore(tiny("boom=random", *mode), BOOM)


def test_a_log_that_fills_its_pipe_stops_nobody():
    assert submit_boom(tiny("boom=logs"))["log"] == ("boom",)


def test_a_process_that_does_not_read_stops_nobody():
    """Far more is written than a pipe holds."""
    with pytest.raises(ImplementationError, match="no answer within"):
        tiny("deaf", timeout=0.2).start(0, (0, 1), "x" * 10**6)
    adapter = tiny("boom=deaf", timeout=0.5)
    state = submit_boom(adapter)
    with pytest.raises(ImplementationRaised, match="NoAnswer"):
        adapter.handle(0, state, Submit("x" * 10**6))


@pytest.mark.parametrize("command_line", ["", "  ", "'", "node a.js | tee log", "node a.js 2> log"])
def test_a_command_line_that_makes_no_sense(command_line):
    with pytest.raises(ImplementationError):
        ProcessAdapter(command_line)


def test_a_program_that_is_not_there():
    with pytest.raises(ImplementationError, match=r"could not be started: .*No such file"):
        _ = ProcessAdapter("no-such-program --serve").hello


def test_a_command_that_json_cannot_say():
    adapter = tiny()
    state, _ = adapter.start(0, (0, 1), None)
    with pytest.raises(WireError, match="command is"):
        adapter.handle(0, state, Submit(frozenset("a")))


def test_processes_end_with_their_adapter():
    before = children()
    adapter = tiny(workers=3)
    explore(adapter, BOOM)
    running = children() - before
    assert running
    del adapter
    gc.collect()  # A search is made of cycles.
    assert not running & children()


def test_a_closed_adapter_starts_again_when_it_is_asked():
    adapter = tiny()
    before = children()
    adapter.start(0, (0, 1), None)
    running = children() - before
    assert running
    adapter.close()
    assert not running & children()
    assert adapter.start(0, (0, 1), None)[0]["log"] == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_ours_whatever_ends_it(number, tmp_path: Path):
    """Also what they have started, and though they are asleep. Ctrl-C at a terminal goes to all
    processes in front; it is for us only."""
    pids = tmp_path / "pids"
    server = ["/bin/sh", "-c", f'echo $$ >>{pids}; sleep 50 & echo $! >>{pids}; exec "$@"', "sh"]
    code = (
        "from indelible import Submit\n"
        "from indelible.adapters import ProcessAdapter\n"
        f"adapter = ProcessAdapter({[*server, *command('slow=30')]!r}, workers=1)\n"
        "state, _ = adapter.start(0, (0, 1), None)\n"
        "print('ready', flush=True)\n"
        "adapter.handle(0, state, Submit('a'))\n"
    )
    ours = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        text=True,
    )
    assert ours.stdout.readline() == "ready\n"
    theirs = [int(line) for line in pids.read_text().split()]
    assert len(theirs) == 2
    assert all(is_running(pid) for pid in theirs)
    time.sleep(0.2)  # It is asked, and asleep.
    ours.send_signal(number)
    ours.communicate(timeout=10)
    for _ in range(100):
        if not any(is_running(pid) for pid in theirs):
            return
        time.sleep(0.1)
    raise AssertionError("they outlive the checker")


def test_who_ended_is_not_guarded_any_more(tmp_path):
    """Its number may be another's."""
    stranger = subprocess.Popen(["sleep", "50"], start_new_session=True)
    code = (
        "from indelible.impl.adapters import process_guard\n"
        f"process_guard.started({stranger.pid})\nprocess_guard.ended({stranger.pid})\n"
        "print(process_guard.guard_pid())"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, cwd=tmp_path, check=True
        )
        while is_running(int(done.stdout)):
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            stranger.wait(0.5)
    finally:
        stranger.kill()
        stranger.wait()


def patience(wrong):
    """How long to wait: hardly, where there is nothing to wait for."""
    return 0.5 if wrong in ("hangs", "half") else 10


def submit_boom(adapter):
    state, _ = adapter.start(0, (0, 1), None)
    return adapter.handle(0, state, Submit("boom"))[0]


def children():
    """The processes that ours has started and not seen end, as the system lists them; without
    the one that guards them."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"PPid:\t{os.getpid()}\n" in status.read_text():
                found.add(int(status.parent.name))
    return found - {process_guard.guard_pid()}


def is_running(pid):
    """Whether it is there; of the dead that nobody has buried yet it is not said."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
