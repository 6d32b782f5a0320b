"""What a recorder writes is read as what happened, whoever calls it, and whenever it ends."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from indelible.checkers.audit.entry import event_of_line
from indelible.checkers.audit.lines import Lost, entries_of
from indelible.checkers.audit.quick import QuickReader
from indelible.cli import main
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.effects import Decide, Persist, Send, Vote
from indelible.model.errors import WireError
from indelible.model.events import Receive, Restart, Submit, Torn
from indelible.model.log_json import Start
from indelible.model.plain import Fields
from indelible.model.run import replayed
from indelible.model.scope import Scope
from indelible.recorder import Recorder
from indelible.render.log import log_lines
from support.walks import walk


class Ballot(NamedTuple):
    round: int
    node: int


@dataclass(frozen=True)
class Accept:
    ballot: Ballot
    values: frozenset[str]


class Color(Enum):
    RED = 1


def recorder(path, **asked):
    return Recorder(path, 0, (0, 1), **asked)


def records(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_what_is_written_is_what_happened(tmp_path):
    path = tmp_path / "log.jsonl"
    with recorder(path, clock=iter(range(10, 20)).__next__, sync=True) as log:
        log.start()
        log.record(Submit("a"), [Vote(0, Ballot(1, 0), "a"), Send(1, {"x": [1, {2}]})])
        log.record(Receive(1, Accept(Ballot(1, 0), frozenset("ba"))), [Decide(0, b"\x01")])
        log.record(Torn(Submit("b"), 1), [Persist({"b": Color.RED})])
        log.start({"b": Color.RED})
        log.record(Restart())
    told = [event_of_line(line) for line in path.read_bytes().splitlines()]
    red = Fields({"b": Fields({"type": "Color", "name": "RED"})})
    ballot = Fields({"type": "Ballot", "round": 1, "node": 0})
    accept = Fields({"type": "Accept", "ballot": ballot, "values": ("a", "b")})
    assert told == [
        (0, Start((0, 1), None), ()),
        (0, Submit("a"), (Vote(0, (1, 0), "a"), Send(1, Fields({"x": (1, (2,))})))),
        (0, Receive(1, accept), (Decide(0, Fields({"type": "bytes", "hex": "01"})),)),
        (0, Torn(Submit("b"), 1), (Persist(red),)),
        (0, Start((0, 1), red), ()),
        (0, Restart(), ()),
    ]
    assert [record["sequence"] for record in records(path)] == [0, 1, 2, 3, 0, 1]
    assert [record["time"] for record in records(path)] == [10, 11, 12, 13, 14, 15]


def test_each_line_is_there_before_the_call_returns(tmp_path):
    path = tmp_path / "log.jsonl"
    log = recorder(path)
    log.start()
    assert len(records(path)) == 1
    log.record(Submit("a"))
    assert len(records(path)) == 2
    log.close()
    log.close()
    with pytest.raises(ValueError, match="closed"):
        log.record(Submit("b"))
    assert len(records(path)) == 2


def test_what_json_cannot_say_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "log.jsonl"
    with recorder(path) as log:
        log.start()
        with pytest.raises(WireError, match="complex"):
            log.record(Submit("a"), [Decide(0, 1j)])
        log.record(Submit("b"))
    assert [record["sequence"] for record in records(path)] == [0, 2]


def test_many_threads_write_whole_lines_in_the_order_of_their_numbers(tmp_path):
    path = tmp_path / "log.jsonl"
    with recorder(path) as log:
        log.start()

        def write(name):
            for number in range(200):
                log.record(Submit(f"{name}-{number}" * 50))

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [record["sequence"] for record in records(path)] == list(range(801))


def test_several_recorders_may_share_a_file(tmp_path):
    path = tmp_path / "log.jsonl"
    with Recorder(path, "x", ("x", "y")) as one, Recorder(path, "y", ("x", "y")) as other:
        for log in (one, other, one, other):
            log.start()
            log.record(Submit("a"))
    assert [record["node"] for record in records(path)] == ["x", "x", "y", "y"] * 2


@pytest.mark.parametrize("cut", [1, 20])
def test_a_line_that_was_cut_short_spoils_no_other(tmp_path, cut):
    path = tmp_path / "log.jsonl"
    with recorder(path) as log:
        log.start()
        log.record(Submit("a"))
    path.write_bytes(path.read_bytes()[:-cut])
    with recorder(path) as log:
        log.start({"a": 1})
    items = list(entries_of(BytesIO(path.read_bytes()), QuickReader(links=False)))
    assert [isinstance(told, Lost) for _, told in items] == [False, cut > 1, False]


def test_a_short_write_goes_on_and_one_that_fails_spoils_no_other(tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    write, answers = os.write, [3, OSError, 5, None, None]

    def short(file, data):
        answer = answers.pop(0) if answers else None
        if answer is OSError:
            raise OSError(28, "No space left on device")
        return write(file, data[:answer])

    monkeypatch.setattr("os.write", short)
    with recorder(path) as log:
        with pytest.raises(OSError, match="No space"):
            log.start()
        log.start()
        log.record(Submit("a"))
    first, told, *rest = path.read_bytes().splitlines()
    assert len(first) == 3
    assert json.loads(told) == {"node": 0, "lost": 1}
    assert [json.loads(line)["sequence"] for line in rest] == [0, 1]


def full(*_):
    raise OSError(28, "No space left on device")


def cut(file, data, write=os.write):
    """Writes the beginning of a line, and no more."""
    if data.endswith(b"}\n") and data.lstrip().startswith(b"{"):
        return write(file, data[:20])
    return full(file, data)


def audited(path):
    told = json.loads(CliRunner().invoke(main, ["audit", str(path), "--json"]).stdout)
    return told["outcome"], [(problem["line"], problem["says"]) for problem in told["problems"]]


def lose(log, call, monkeypatch, write=full):
    """The call of a recorder fails, since nothing can be written."""
    with monkeypatch.context() as patched:
        patched.setattr("os.write", write)
        with pytest.raises(OSError, match="No space"):
            call(log)


def decides(slot, value):
    return lambda log: log.record(Submit(value), [Decide(slot, value)])


@pytest.mark.parametrize(
    ("calls", "problems"),
    [
        ([decides(1, "c")], [(4, "1 record is missing: n1 goes from 0 to 2")]),
        ([lambda log: log.start({})], [(4, "a line has no 'event'")]),
    ],
)
def test_a_record_that_could_not_be_written_is_missed(tmp_path, monkeypatch, calls, problems):
    """n1 decides something else, of which only the loss is told."""
    path = tmp_path / "log.jsonl"
    with recorder(path) as log, Recorder(path, 1, (0, 1)) as other:
        log.start()
        other.start()
        decides(0, "a")(log)
        lose(other, decides(0, "b"), monkeypatch)
        for call in calls:
            call(other)
    assert audited(path) == ("inconclusive", problems)


def test_a_start_that_could_not_be_written_is_missed(tmp_path, monkeypatch):
    """Numbers would go on as if it had not been."""
    path = tmp_path / "log.jsonl"
    with recorder(path) as log:
        log.start()
    with recorder(path) as log:
        lose(log, lambda log: log.start({}), monkeypatch)
        lose(log, decides(0, "a"), monkeypatch)
        decides(1, "b")(log)
    told = [record.get("sequence", record.get("lost")) for record in records(path)]
    assert told == [0, 2, 2]
    outcome, problems = audited(path)
    assert outcome == "inconclusive"
    assert problems[0] == (2, "a line has no 'event'")


def test_a_line_cut_short_is_ended_by_whoever_writes_next(tmp_path, monkeypatch):
    """Another recorder of the file, or the same one after it could write nothing at all."""
    path = tmp_path / "log.jsonl"
    with recorder(path) as log, Recorder(path, 1, (0, 1)) as other:
        log.start()
        other.start()
        lose(log, decides(0, "a"), monkeypatch, cut)
        lose(log, decides(1, "a"), monkeypatch)
        decides(2, "b")(other)
        lose(log, decides(3, "a"), monkeypatch, cut)
        lose(log, decides(4, "a"), monkeypatch)
        decides(5, "b")(log)
    items = entries_of(BytesIO(path.read_bytes()), QuickReader(links=False))
    told = [[said[1] for said in one.testimony] for _, one in items if not isinstance(one, Lost)]
    assert told == [[], [], [2], [5]]


def test_a_run_that_is_recorded_is_the_run(tmp_path):
    """What ``show --as log`` says of it, and so conforms to the implementation."""
    scope = Scope(nodes=3, commands=("a", "b"), restarts_max=1, torn=True)
    run = replayed(MultiPaxos(), scope, walk(MultiPaxos(), scope, 5, 60))
    path = tmp_path / "log.jsonl"
    logs = {node: Recorder(path, node, scope.nodes) for node in scope.nodes}
    for node, effects in zip(scope.nodes, run.started, strict=True):
        logs[node].start(None, effects)
    for step in run.steps:
        logs[step.node].record(step.event, step.all_effects)
    for log in logs.values():
        log.close()
    lines = [json.loads(line) for line in log_lines(run)]
    ours = [{key: record[key] for key in ("node", "event", "effects")} for record in records(path)]
    assert ours == lines
    result = CliRunner().invoke(main, ["audit", str(path), "--target", "multipaxos", "--json"])
    assert json.loads(result.stdout)["conformance"]["result"] == "holds"


def test_missing_records_are_noticed_by_their_numbers(tmp_path):
    path = tmp_path / "log.jsonl"
    with recorder(path) as log, Recorder(path, 1, (0, 1)) as other:
        log.start()
        other.start()
        for slot in range(4):
            log.record(Submit(slot), [Decide(slot, slot)])
        other.record(Submit("x"))
        log.start({})
        log.record(Submit("y"))
    lines = path.read_bytes().splitlines(keepends=True)

    def outcome(kept):
        path.write_bytes(b"".join(kept))
        result = CliRunner().invoke(main, ["audit", str(path), "--json"])
        told = json.loads(result.stdout)
        return told["outcome"], [problem["says"] for problem in told["problems"]]

    assert outcome(lines) == ("holds", [])
    assert outcome(lines[:3] + lines[5:]) == (
        "inconclusive",
        ["2 records are missing: n0 goes from 1 to 4"],
    )
    assert outcome(lines[:4] + lines[3:]) == (
        "inconclusive",
        ["record 2 of n0 comes after its record 2"],
    )
    assert outcome([*lines[:8], lines[0]]) == ("holds", [])
