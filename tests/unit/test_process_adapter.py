"""Processes as implementations: what they say of themselves, what is shown, asked and forgotten."""

from __future__ import annotations

import json
import shlex

import pytest

from indelible import Receive, Scope, Submit, explore
from indelible.impl.adapters.process_pipe import Pipe, Talk, converse
from indelible.impl.adapters.process_pool import Pool
from indelible.model.errors import ImplementationError
from indelible.model.plain import Fields, Snapshot
from indelible.targets import find_target
from support.tiny import command, tiny

SCOPE = Scope(nodes=3, commands=("a", "b"), timeouts_max=0, restarts_max=1)
MODES = [(), ("snapshot",), ("portable",)]


def test_a_name_is_a_command_line():
    """Without a shell: what a shell would do with it is not done."""
    name = "exec:" + shlex.join(command("portable", "a b", "$HOME"))
    target = find_target(name)
    assert target.name == name
    assert target.implementation.command == command("portable", "a b", "$HOME")
    assert target.implementation.name == "tiny"


def test_a_process_says_what_it_is_made_for():
    target = find_target("exec:" + shlex.join(command("tcp")))
    assert target.implementation.links == "ordered"
    assert not target.implementation.crashes
    assert target.scope == Scope(nodes=2, commands=("x",), timeouts_max={"t": 1}, links="ordered")


def test_an_attribute_of_a_module_is_a_target_too(tmp_path, monkeypatch):
    """And nothing is started because the module is imported."""
    words = command("portable")
    (tmp_path / "hosted_elsewhere.py").write_text(
        f"from indelible.adapters import ProcessAdapter\n"
        f"mine = ProcessAdapter({words!r})\nbad = ProcessAdapter('no-such-program')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert explore(find_target("hosted_elsewhere:mine").implementation, SCOPE).outcome == "holds"
    with pytest.raises(ImplementationError, match="could not be started"):
        find_target("hosted_elsewhere:bad")


def test_a_state_is_the_fingerprint():
    adapter = tiny()
    state, _ = adapter.start(0, (0, 1), None)
    after, effects = adapter.handle(0, state, Submit("a"))
    assert str(after) == "{'log': ('a'), 'node': 0}"
    assert effects[-1].message == Fields({"type": "Decided", "slot": 0, "value": "a"})
    assert str(effects[-1].message) == "Decided(slot=0, value='a')"


@pytest.mark.parametrize(
    ("said", "is_state"),
    [
        (7, {"fingerprint": 7}),
        ("7", {"fingerprint": "7"}),
        ([1, {"a": None}], {"fingerprint": (1, Fields({"a": None}))}),
        ({"a": 1}, {"a": 1}),
        ({}, {}),
        ({"fingerprint": 7}, {"fingerprint": Fields({"fingerprint": 7})}),
    ],
)
def test_any_fingerprint_will_do_and_none_is_taken_for_another(said, is_state):
    state, _ = tiny("says=" + json.dumps(said)).start(0, (0,), None)
    assert state == Snapshot(is_state)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_each_node_goes_on_from_where_it_is_asked_to(mode):
    """Back and forth, and after a crash; what it is told again is not taken for new."""
    adapter = tiny(*mode, workers=2)
    fresh, _ = adapter.start(0, (0, 1), None)
    a, _ = adapter.handle(0, fresh, Submit("a"))
    ab, _ = adapter.handle(0, a, Submit("b"))
    b, _ = adapter.handle(0, fresh, Submit("b"))
    other, _ = adapter.start(1, (0, 1), None)
    ba, _ = adapter.handle(0, b, Submit("a"))
    again, _ = adapter.start(0, (0, 1), ("a", "b"))
    assert again == ab
    assert [state["log"] for state in (fresh, a, ab, b, ba)] == [
        *((), ("a",), ("a", "b"), ("b",), ("b", "a"))
    ]
    abc, _ = adapter.handle(0, ab, Submit("c"))
    assert abc["log"] == ("a", "b", "c")
    told, _ = adapter.handle(
        1, other, Receive(0, Fields({"type": "Decided", "slot": 0, "value": "a"}))
    )
    assert told["log"] == ("a",)
    assert adapter.handle(0, ab, Submit("c"))[0] == abc


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_what_is_foreseen_is_asked_before_and_as_often(mode, monkeypatch):
    asked = []
    at_once = Pool._asked
    monkeypatch.setattr(
        Pool, "_asked", lambda self, question: asked.append(question) or at_once(self, question)
    )
    adapter = tiny(*mode, workers=3)
    starts = [adapter.start(node, (0, 1), None)[0] for node in (0, 1)]
    questions = [
        (node, state, Submit(value))
        for node, state in enumerate(starts)
        for value in "abcdefghijklm"
        for _ in range(2)
    ]
    adapter.foresee(questions)
    asked.clear()
    for question in questions:
        adapter.handle(*question)
    assert not asked
    adapter.handle(*questions[0])
    assert len(asked) == 1


def test_a_search_foresees_nearly_all_that_it_asks(monkeypatch):
    asked = []
    at_once = Pool._asked
    monkeypatch.setattr(
        Pool, "_asked", lambda self, question: asked.append(question) or at_once(self, question)
    )
    verdict = explore(tiny(), SCOPE)
    assert verdict.calls > 100
    starts = [question for question in asked if question.place is None]
    assert len(asked) - len(starts) <= len(verdict.trace or ())


@pytest.mark.parametrize("number", [1, 3])
def test_snapshots_are_forgotten_when_nobody_will_ask_for_them(number):
    adapter = tiny("snapshot", workers=number)
    fresh, _ = adapter.start(0, (0, 1), None)
    states = [adapter.handle(0, fresh, Submit(f"{value}"))[0] for value in range(60)]
    adapter.foresee([(0, state, Submit("last")) for state in states])
    assert sum(kept(worker) for worker in adapter._pool._workers) == 60
    del states
    adapter.foresee([])
    assert len(adapter._pool._workers) == number
    # In each process the node is somewhere still.
    assert sum(kept(worker) for worker in adapter._pool._workers) <= number


def kept(worker):
    """How many snapshots the process has, once it has forgotten what it is to forget."""
    lines = [request.line for request in worker.forgetting()]
    *_, last = converse([Talk(worker.pipe, [*lines, b'{"request":"kept"}'])])[0]
    return json.loads(last)["kept"]


def test_a_place_with_a_long_history_goes_as_it_came():
    """Deeper than Python's stack."""
    adapter = tiny("snapshot")
    state, _ = adapter.start(0, (0, 1), None)
    for _ in range(3_000):
        state, _ = adapter.handle(0, state, Submit("a"))
    del state
    assert adapter.start(0, (0, 1), None)[0]["log"] == ()


def test_a_snapshot_that_leaves_something_out_is_found():
    with pytest.raises(ImplementationError, match="not deterministic"):
        explore(tiny("portable", "loses"), SCOPE)


def test_several_processes_answer_at_the_same_time():
    """Each line to each; one that fails does not harm the others."""
    pipes = [Pipe(command(*words)) for words in ((), ("hello=exits",), ("slow=0",))]
    hello = b'{"request":"hello"}'
    answers = converse([Talk(pipe, [hello] * 50) for pipe in pipes])
    assert [len(lines) for lines in answers] == [50, 0, 50]
    assert [pipe.failure is None for pipe in pipes] == [True, False, True]
    for pipe in pipes:
        pipe.kill()
