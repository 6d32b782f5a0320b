"""What goes wrong on a command line: one message, what was available, exit code 2, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible import cli
from indelible.cli import main

FILES = {
    "mine_here.py": """
from indelible import Decide, Implementation, always

class Mine:
    def start(self, node, nodes, storage): return 0, ()
    def handle(self, node, state, event): return state, ()

class NeedsMore(Mine):
    def __init__(self, size): pass

class OddScope(Mine):
    scope = 3

class Exits(Mine):
    def start(self, node, nodes, storage): raise SystemExit(0)

class Unhashable(Mine):
    def handle(self, node, state, event): return [], ()

class Fickle(Mine):
    calls = 0
    def handle(self, node, state, event):
        Fickle.calls += 1
        if Fickle.calls <= 2:
            return state, (Decide(0, "nobody's"),)
        return state, ()

class RaisesOnce(Mine):
    calls = 0
    def handle(self, node, state, event):
        RaisesOnce.calls += 1
        if RaisesOnce.calls == 1:
            raise ValueError("once")
        return state, ()

number = 3

@always(reads="record", fields=("decided",))
def mine_holds(record):
    return True

@always(reads="record", fields=("decided",))
def raises(record):
    return record.decided[0]

def undecorated(record):
    return True
""",
    "broken_here.py": "def f():\n    return 1 / 0\n\nf()\n",
    "syntax_here.py": "x = 1\ndef f(:\n",
    "needs_here.py": "import json\nimport a_module_that_is_not_there\n",
    "exits_here.py": "raise SystemExit(0)\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in FILES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="indelible")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # Targets.
        ("nosuch", ["no target 'nosuch'", "available: multipaxos"]),
        ("multipaxs", ["no target 'multipaxs'", "available: multipaxos"]),
        ("mine_here", ["no target 'mine_here'", "write mine_here:NAME"]),
        ("./mine_here.py", ["write mine_here:NAME"]),
        ("./mine_here.py:Mine", ["not the name of a module", "without a path", "mine_here"]),
        ("mine_her:Mine", ["no module 'mine_her'", "available: mine_here,"]),
        ("mine_here.inner:Mine", ["no module 'mine_here.inner'"]),
        ("mine_here:Min", ["'mine_here' has no 'Min'", "available: Mine, "]),
        ("mine_here:Mine.x", ["'Mine.x' has no 'x'", "available: Mine"]),
        ("mine_here:", ["names a module, and nothing in it", "available: ", "Mine"]),
        ("mine_here:number", ["has no start and handle", "type int", "available: ", "Mine"]),
        ("mine_here:Mine.start", ["has no start and handle", "type function"]),
        ("mine_here:NeedsMore", ["could not be made", "NeedsMore() raised TypeError", "'size'"]),
        ("mine_here:OddScope", ["the scope of mine_here:OddScope is 3"]),
        ("mine_here:Exits", ["the code on trial called exit(0)"]),
        ("mine_here:Unhashable", ["unhashable", "list", "remedy: use tuples"]),
        ("mine_here:Fickle", ["validity was violated, but is not when the same", "randomness"]),
        ("mine_here:RaisesOnce", ["implementation_raises was violated, but is not when"]),
        # Imports.
        ("broken_here:X", ["could not be imported: ZeroDivisionError", "broken_here.py:2"]),
        ("syntax_here:X", ["could not be imported: SyntaxError", "syntax_here.py:2"]),
        ("needs_here:X", ["ModuleNotFoundError", "a_module_that_is_not_there", "needs_here.py:2"]),
        ("exits_here:X", ["could not be imported: SystemExit: 0", "exits_here.py:1"]),
        # Properties.
        ("--property agrement", ["no property 'agrement'", "available: agreement, log_prefix"]),
        ("--property mine_here:mine_hold", ["has no 'mine_hold'", "available: mine_holds, raises"]),
        ("--property mine_here:undecorated", ["is not a property", "@always"]),
        ("--property nosuch_here:x", ["no module 'nosuch_here'"]),
        ("--property broken_here:x", ["could not be imported: ZeroDivisionError"]),
        ("--property agreement --property agreement", ["given twice"]),
        ("--no-internal --property votes_are_safe", ["--no-internal leaves out votes_are_safe"]),
        ("mine_here:Mine --property mine_here:raises", ["property raises raised IndexError"]),
        # Scopes.
        ("--torn --restarts 0", ["torn steps", "no restarts", "remedy: "]),
        ("mine_here:Mine --torn", ["torn steps", "no restarts"]),
        ("--nodes 0", ["a cluster of 0 nodes"]),
        ("--nodes a,a", ["names the same thing twice"]),
        ("--nodes ,", ["a cluster of 0 nodes"]),
        ("--may-time-out 7", ["names '7', which is not a node", "available: n0, n1, n2, or 'all'"]),
        ("--links carrier-pigeon", ["'carrier-pigeon'", "unordered_duplicating"]),
        ("--restarts many", ["neither a whole number from 0 nor 'none'"]),
        ("--submissions -1", ["neither a whole number from 0 nor 'none'"]),
        ("--timeouts tick=x", ["neither a whole number from 0 nor 'none'"]),
        ("--timeouts tick=1 --timeouts tick=2", ["'--timeouts'", "says two things"]),
        ("--timeouts 1 --timeouts tick=2", ["'--timeouts'", "says two things"]),
        ("--timeouts tick=1,tock", ["'tock' is not of the form TIMER=N"]),
        # Limits.
        ("--max-states 0", ["'0' is not a number of states"]),
        ("--max-states 0.5", ["not a number of states"]),
        ("--max-states 1e99", ["not a number of states"]),
        ("--max-states 1e9999", ["not a number of states"]),
        ("--max-memory 4X", ["'4X' is not a size; write it as 512M or 4G"]),
        ("--time-limit soon", ["'soon' is not a time; write it as 30s, 2m or 1h"]),
        ("--nosuch", ["No such option '--nosuch'"]),
        ("one two", ["unexpected extra argument"]),
    ],
)
def test_bad_input(words: str, said: list[str]) -> None:
    result = run("check", *words.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for text in said:
        assert text in result.stderr


def test_json_leaves_errors_on_stderr() -> None:
    result = run("check", "nosuch", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no target 'nosuch'" in result.stderr


@pytest.mark.parametrize(
    "words", ["properties", "properties --json", "check --max-states 1 --no-progress", "--help"]
)
def test_a_result_that_cannot_be_written(words: str) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "indelible", *words.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "Error: the result cannot be written to stdout: No space left on device\n"
        "  remedy: make room, or send it elsewhere\n"
    )


def test_unknown_command() -> None:
    result = run("chek")
    assert result.exit_code == 2
    assert "No such command 'chek'" in result.stderr


def test_internal_error_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("impossible")

    monkeypatch.setattr(cli, "_checked", fail)
    result = run("check", "mine_here:Mine")
    assert result.exit_code == 2
    assert "internal error: RuntimeError: impossible" in result.stderr
    assert "indelible --debug check" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run("--debug", "check", "mine_here:Mine").stderr


def test_debug_shows_the_traceback_of_a_usage_error_too() -> None:
    result = run("--debug", "check", "broken_here:X")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_interrupt_before_the_search_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_checked", interrupt)
    result = run("check", "mine_here:Mine")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "interrupted before" in result.stderr
