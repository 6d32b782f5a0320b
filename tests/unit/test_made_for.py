"""Links and faults that an implementation is not made for are not held against it unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible import explore
from indelible.cli import main

IN_ORDER = '''
from indelible import Decide, Receive, Scope, Send, Submit

class InOrder:
    """Node 0 decides, and counts on its decisions arriving once and in order."""

    links = "ordered"
    crashes = False

    def start(self, node, nodes, storage):
        return 0, ()

    def handle(self, node, length, event):
        match event:
            case Submit(command) if node == 0:
                sends = tuple(Send(to, command) for to in (1, 2))
                return length + 1, (Decide(length, command), *sends)
            case Receive(_, command):
                return length + 1, (Decide(length, command),)
        return length, ()

class Careless(InOrder):
    links = "tcp"

class Scoped(InOrder):
    scope = Scope(nodes=3, commands=("a", "b"))

class Asking(InOrder):
    scope = Scope(nodes=3, commands=("a", "b"), links="unordered_duplicating")
'''

ASSUMED = [
    "assumed: links are ordered, as the implementation says it is made for",
    "assumed: no node crashes, as the implementation says it is not made for it",
]
EXCEEDED = [
    "the implementation is made for ordered links; this scope asks for more",
    "the implementation is not made to survive crashes; this scope asks for it",
]


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in_order.py").write_text(IN_ORDER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "in_order", raising=False)


def test_the_usual_scope_asks_for_no_more_and_the_report_says_what_was_assumed() -> None:
    ran = CliRunner().invoke(main, ["check", "in_order:InOrder", "--commands", "a,b", "--json"])
    assert ran.exit_code == 0, ran.output
    verdict = json.loads(ran.stdout)
    assert verdict["scope"]["links"] == "ordered"
    assert verdict["notes"] == ASSUMED


def test_what_is_asked_for_is_tried_and_the_report_says_that_it_is_more() -> None:
    words = ["check", "in_order:InOrder", "--commands", "a,b", "--links", "unordered", "--json"]
    ran = CliRunner().invoke(main, [*words, "--restarts", "1"])
    assert ran.exit_code == 1, ran.output
    assert json.loads(ran.stdout)["notes"] == EXCEEDED


def test_a_scope_that_says_no_links_asks_for_those_it_is_made_for() -> None:
    ran = CliRunner().invoke(main, ["check", "in_order:Scoped", "--json"])
    assert ran.exit_code == 0, ran.output
    verdict = json.loads(ran.stdout)
    assert verdict["scope"]["links"] == "ordered"
    assert verdict["notes"] == ASSUMED


def test_a_scope_that_says_its_links_asks_for_them() -> None:
    ran = CliRunner().invoke(main, ["check", "in_order:Asking", "--json"])
    assert ran.exit_code == 1, ran.output
    assert json.loads(ran.stdout)["notes"] == [EXCEEDED[0], ASSUMED[1]]


def test_python_is_asked_the_same() -> None:
    from in_order import Asking, Scoped

    assert explore(Scoped(), Scoped.scope).outcome == "holds"
    assert explore(Scoped()).scope.links == "ordered"
    assert explore(Scoped(), replace(Scoped.scope, torn=False)).outcome == "holds"
    assert explore(Scoped(), Asking.scope).outcome == "violated"


def test_random_runs_say_the_same() -> None:
    words = ["fuzz", "in_order:InOrder", "--runs", "20", "--seed", "1", "--workers", "1", "--json"]
    ran = CliRunner().invoke(main, [*words, "--no-save"])
    assert json.loads(ran.stdout)["notes"] == ASSUMED


def test_links_that_do_not_exist_are_told_with_those_that_do() -> None:
    ran = CliRunner().invoke(main, ["check", "in_order:Careless"])
    assert ran.exit_code == 2
    assert "the links of in_order:Careless are 'tcp'" in ran.stderr
    assert "available: 'unordered_duplicating', 'unordered', 'ordered'" in ran.stderr


def test_notes_of_an_implementation_are_repeated_if_they_are_notes(tmp_path: Path) -> None:
    module = tmp_path / "noted.py"
    module.write_text(
        IN_ORDER
        + '\n\nclass Noted(InOrder):\n    notes = ("read this",)\n'
        + '\n\nclass Keeping(InOrder):\n    notes = "its own"\n'
    )
    for name, expected in (("Noted", [*ASSUMED, "read this"]), ("Keeping", ASSUMED)):
        ran = CliRunner().invoke(main, ["check", f"noted:{name}", "--json"])
        assert json.loads(ran.stdout)["notes"] == expected
