"""Snapshots in logs: nobody asks for what one contains, and all else is judged as before."""

import json
import random

import pytest

from indelible.checkers.audit.entry import plain_entry
from indelible.checkers.audit.quick import QuickReader
from indelible.model.effects import Decide, Execute
from indelible.model.errors import WireError
from indelible.model.events import Restart, Timeout, Torn
from indelible.model.log_json import Install, Start, record_json
from indelible.model.quorums import MajorityQuorums
from indelible.recorder import Recorder
from support.logs import audited, check_log, plainly

GAP, FOLLOWS, AGAIN = "execution_without_gap", "execution_follows_log", "execution_not_repeated"


def log(*happened):
    """The log of one node; each is the effects of an event, or an event with its effects."""
    records = [record_json(0, Start((0,), None), ())]
    for each in happened:
        event, effects = each if is_event(each) else (Timeout("t"), each)
        records.append(record_json(0, event, effects))
    return [json.dumps({**record, "time": at}).encode() for at, record in enumerate(records)]


def is_event(each):
    return len(each) == 2 and isinstance(each[0], Restart | Torn | Timeout)


def both(slot, index, command):
    return (Decide(slot, command), Execute(index, command))


@pytest.mark.parametrize(
    ("name", "happened", "is_violated"),
    [
        (GAP, [(Install(2),), (Execute(2, "c"),)], False),
        (GAP, [(Install(2), Execute(2, "c")), (Execute(3, "d"),)], False),
        (GAP, [(Execute(2, "c"), Install(2))], False),
        (GAP, [(Restart(), (Install(2), Execute(2, "c")))], False),
        (GAP, [(Install(2),), (Restart(), (Execute(2, "c"),))], False),
        (GAP, [(Install(1),), (Execute(2, "c"),)], True),
        (GAP, [(Install(2),), (Execute(2, "c"),), (Execute(4, "e"),)], True),
        (GAP, [(Execute(0, "a"),), (Install(3),), (Execute(3, "d"),)], False),
        (FOLLOWS, [(Install(2),), both(5, 2, "c"), (Decide(6, None),), both(7, 3, "d")], False),
        (FOLLOWS, [(Install(2),), (Decide(5, "a"),), both(6, 2, "c")], False),
        (FOLLOWS, [(Install(2),), (Decide(5, None), Execute(2, "c"))], True),
        (FOLLOWS, [(Install(2),), (Decide(5, "a"), Execute(2, "c"))], True),
        (
            FOLLOWS,
            [
                (Install(2),),
                (Decide(5, "c"), Decide(6, "d")),
                (Execute(2, "d"),),
                (Execute(3, "c"),),
            ],
            True,
        ),
        (FOLLOWS, [(Install(2),), (Decide(5, None), Execute(2, None))], True),
        (AGAIN, [(Execute(0, "a"), Execute(1, "b")), (Install(1),), (Execute(1, "b"),)], False),
        (AGAIN, [(Execute(0, "a"), Execute(1, "b"), Install(1), Execute(1, "b"))], False),
        (AGAIN, [(Install(1),), (Execute(1, "b"),), (Execute(1, "b"),)], True),
        (AGAIN, [(Restart(), (Execute(1, "b"), Install(1), Execute(1, "b")))], False),
        (AGAIN, [(Execute(1, "b"),), (Install(2), Execute(1, "b"), Install(1))], False),
        (
            AGAIN,
            [(Torn(Timeout("t"), 2), (Install(1), Execute(1, "b"), Execute(1, "b")))],
            False,
        ),
        (
            AGAIN,
            [(Torn(Timeout("t"), 1), (Install(1), Execute(1, "b"), Execute(1, "b")))],
            True,
        ),
        (GAP, [(Install(10**12),), (Execute(10**12, "c"),)], False),
        (GAP, [(Install(10**12),), (Execute(10**12 + 1, "d"),)], True),
    ],
)
def test_what_a_snapshot_contains_is_not_asked_for(name, happened, is_violated):
    lines = log(*happened)
    found = check_log(lines, MajorityQuorums(), (0,), (name,))
    assert found == (name if is_violated else None)
    assert audited(lines, names={name}).outcome == ("violated" if is_violated else "holds")


@pytest.mark.parametrize("name", [GAP, FOLLOWS, AGAIN])
def test_random_logs_with_snapshots_are_judged_as_the_twin_judges_them(name):
    results = set()
    for seed in range(400):
        draw = random.Random(seed)
        happened, index, slot = [], 0, 0
        for _ in range(12):
            what = draw.random()
            command = draw.choice("abcdefgh")
            if what < 0.2:
                index = draw.choice((index, index + 2, max(index - 1, 0)))
                happened.append((Install(index),))
            elif what < 0.3:
                happened.append((Restart(), ()))
            elif what < 0.4:
                slot += draw.choice((0, 1))
                happened.append((Decide(slot, draw.choice((None, command))),))
            else:
                happened.append(both(slot, index, command))
                index, slot = index + draw.choice((0, 1, 1, 1, 1, 1, 2)), slot + 1
        lines = log(*happened)
        expected = plainly(lines, MajorityQuorums(), (0,), (name,))
        found = audited(lines, names={name}).finding
        assert (found and (found.number, found.property)) == (expected and expected[:2])
        results.add(found and found.property)
    assert results == {name, None}


def test_what_another_node_does_says_nothing_of_a_snapshot():
    happened = [(0, (Install(2), Execute(2, "c"))), (1, (Execute(0, "a"),)), (1, (Install(0),))]
    records = [record_json(node, Start((0, 1), None), ()) for node in (0, 1)]
    records += [record_json(node, Timeout("t"), effects) for node, effects in happened]
    lines = [json.dumps({**record, "time": at}).encode() for at, record in enumerate(records)]
    assert check_log(lines, MajorityQuorums(), (0, 1), (GAP,)) is None
    assert audited(lines, names={GAP}).outcome == "holds"


def test_both_readers_take_it():
    line = log((Install(3), Execute(3, "d")))[1]
    assert QuickReader(links=False).one(line) == plain_entry(line, links=False)
    assert QuickReader(links=False).several([line, line]) in (
        None,
        [plain_entry(line, links=False)] * 2,
    )


@pytest.mark.parametrize("index", ["2", -1, 1.5, True, None])
def test_how_much_it_contains_is_a_whole_number(index):
    effect = {"type": "install", "index": index}
    line = json.dumps({"node": 0, "event": {"type": "restart"}, "effects": [effect]}).encode()
    with pytest.raises(WireError, match="install"):
        QuickReader(links=False).one(line)


def test_a_recorder_records_it(tmp_path):
    path = tmp_path / "n0.jsonl"
    with Recorder(path, node=0, nodes=[0]) as recorder:
        recorder.start()
        recorder.record(Timeout("t"), [Install(2), Execute(2, "c")])
    assert audited(path.read_bytes().splitlines(), names={GAP}).outcome == "holds"
