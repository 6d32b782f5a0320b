"""Several files as one log: what is merely concurrent violates nothing, whatever their order."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import pairwise, permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.audit import audit
from indelible.checkers.audit.lines import entries_of
from indelible.checkers.audit.merge import in_order
from indelible.checkers.audit.quick import QuickReader
from indelible.model.errors import IndelibleError
from support.logs import MAJORITY, audited

ABSENCES = ("validity", "decided_implies_chosen", "leaders_are_promised")
SAFE = "votes_are_safe"


def record(node, event, *effects, **more):
    return {"node": node, "event": event, "effects": list(effects), **more}


def start(node, nodes=(0, 1)):
    return record(node, {"type": "start", "nodes": list(nodes), "storage": None})


def tick(node, *effects, **more):
    return record(node, {"type": "timeout", "timer": "t"}, *effects, **more)


def submit(node, *effects, **more):
    return record(node, {"type": "submit", "command": "a"}, *effects, **more)


def receive(node, source, message, *effects):
    return record(node, {"type": "receive", "source": source, "message": message}, *effects)


def send(to, message):
    return {"type": "send", "to": to, "message": message}


DECIDE = {"type": "decide", "slot": 0, "value": "a"}
VOTE = {"type": "vote", "slot": 0, "ballot": 1, "value": "a"}
LEAD = {"type": "lead", "ballot": 1}
PROMISE = {"type": "promise", "ballot": 1}


def merged(*files, **asked):
    """The audit of files, and where its finding is."""
    read = QuickReader(links=True)
    items = [
        entries_of(BytesIO(b"\n".join(json.dumps(line).encode() for line in lines)), read)
        for lines in files
    ]
    return audit(in_order(items), MAJORITY, **asked)


CONCURRENT = {
    "submitted elsewhere": ([tick(0, DECIDE)], [tick(1), submit(1)]),
    "submitted later, says a clock": ([tick(0, DECIDE, time=4)], [submit(1, time=5)]),
    "voted elsewhere": ([submit(0, VOTE), tick(0, DECIDE)], [tick(1), tick(1), tick(1, VOTE)]),
    "promised elsewhere": (
        [submit(0, PROMISE), tick(0, LEAD), tick(0, DECIDE, VOTE)],
        [tick(1), tick(1, PROMISE), tick(1, VOTE)],
    ),
}


@pytest.mark.parametrize("what", CONCURRENT)
def test_what_is_concurrent_may_have_come_before(what):
    one, other = CONCURRENT[what]
    report = merged([start(0), *one], [start(1), *other], names=("validity",))
    assert report.outcome == "holds"


HAPPENED_BEFORE = {
    "validity": ([tick(0, DECIDE, send(1, "m"))], [receive(1, 0, "m"), submit(1)]),
    "decided_implies_chosen": (
        [submit(0, VOTE), tick(0, DECIDE, send(1, "m"))],
        [receive(1, 0, "m", VOTE)],
    ),
    "leaders_are_promised": (
        [submit(0, PROMISE), tick(0, LEAD, send(1, "m")), tick(0, DECIDE)],
        [receive(1, 0, "m", PROMISE)],
    ),
}


@pytest.mark.parametrize("name", HAPPENED_BEFORE)
def test_what_comes_later_in_every_order_comes_too_late(name):
    one, other = HAPPENED_BEFORE[name]
    for files in permutations([[start(0), *one], [start(1), *other]]):
        report = merged(*files, names=(name,))
        assert report.finding.property == name


def test_what_waits_for_a_message_that_nobody_sent_may_have_come_before():
    """Only when the other log is at its end it is known that nothing was sent there."""
    report = merged(
        [start(0), tick(0, DECIDE), tick(0)],
        [start(1), receive(1, 0, "m"), submit(1)],
        names=("validity",),
    )
    assert (report.outcome, report.finding) == ("inconclusive", None)
    (validity,) = report.properties
    assert "not logged by n0" in validity.reason


def test_votes_that_are_unsafe_in_the_end_are_in_every_order():
    lower = [submit(0, PROMISE, LEAD, VOTE)]
    other = {**VOTE, "ballot": 2, "value": "b"}
    nodes = (0, 1, 2)
    files = [
        [start(0, nodes), *lower],
        [start(1, nodes)],
        [start(2, nodes), tick(2, {**PROMISE, "ballot": 2}, other)],
    ]
    report = merged(*files, names=(SAFE,))
    assert (report.finding.property, report.records) == (SAFE, 5)
    files[1] += [tick(1), tick(1), tick(1, {**PROMISE, "ballot": 3})]
    files[0] += [tick(0, {**PROMISE, "ballot": 3}, DECIDE)]
    report = merged(*files, names=(SAFE,))
    assert report.finding is None


def test_a_node_in_two_files_is_refused():
    split = [[start(0), tick(0)], [start(1), tick(0, DECIDE)]]
    for files in permutations(split):
        with pytest.raises(IndelibleError, match="both have records of n0"):
            merged(*files)


def test_more_messages_than_are_remembered_are_said_to_be_too_many():
    lines = [[start(0)], [start(1), tick(1), receive(1, 0, "0")]]
    lines[0] += [tick(0, *(send(1, f"{number}") for number in range(3)))]
    read = QuickReader(links=True)
    items = [
        entries_of(BytesIO(b"\n".join(json.dumps(line).encode() for line in file)), read)
        for file in lines
    ]
    report = audit(in_order(items, 2), MAJORITY)
    assert report.problem_count == 1
    assert "more than 2 messages were under way" in report.problems[0].says


EFFECTS = st.sampled_from(
    [DECIDE, VOTE, LEAD, PROMISE, {**VOTE, "ballot": 2, "value": "b"}, {**PROMISE, "ballot": 2},
     {**LEAD, "ballot": 2}]
)  # fmt: skip
RECORDS = st.tuples(
    st.sampled_from(["submit", "tick", "receive"]), st.lists(EFFECTS, max_size=2), st.booleans()
)


@st.composite
def logs(draw):
    """Files of two or three nodes: a message for each that is sent, and only those are received."""
    count = draw(st.integers(2, 3))
    nodes = range(count)
    drawn = [draw(st.lists(RECORDS, min_size=1, max_size=6 // count)) for _ in nodes]
    under_way = [
        (node, (node + 1) % count, f"{node}.{at}")
        for node in nodes
        for at, (_, _, is_sent) in enumerate(drawn[node])
        if is_sent
    ]
    files = []
    for node in nodes:
        lines, mine = [start(node, nodes)], [sent for sent in under_way if sent[1] == node]
        for at, (kind, effects, is_sent) in enumerate(drawn[node]):
            said = list(effects)
            if is_sent:
                said.append(send((node + 1) % count, f"{node}.{at}"))
            if kind == "receive" and mine:
                source, _, message = mine.pop(draw(st.integers(0, len(mine) - 1)))
                lines.append(receive(node, source, message, *said))
            else:
                lines.append(submit(node, *said) if kind == "submit" else tick(node, *said))
        files.append(lines)
    return files


def orders(files):
    """All orders of the lines, starts first, in which what is received was sent before."""
    firsts = [lines[0] for lines in files]

    def rest(places, sent):
        if all(place == len(lines) for place, lines in zip(places, files, strict=True)):
            yield []
        for file, place in enumerate(places):
            if place == len(files[file]):
                continue
            line = files[file][place]
            event = line["event"]
            if event["type"] == "receive" and event["message"] not in sent:
                continue
            more = {each["message"] for each in line["effects"] if each["type"] == "send"}
            after = [*places[:file], place + 1, *places[file + 1 :]]
            for others in rest(after, sent | more):
                yield [line, *others]

    for found in rest([1] * len(files), frozenset()):
        yield firsts + found


@settings(max_examples=150, deadline=None)
@given(logs(), st.sampled_from([*ABSENCES, SAFE]))
def test_violated_is_what_no_order_allows(files, name):
    """The twin judges every order there is."""
    found = {
        audited(
            [json.dumps({**line, "x": at}).encode() for at, line in enumerate(lines)], names=(name,)
        ).finding
        is not None
        for lines in orders(files)
    }
    assume(found)
    falls = any(
        one["ballot"] > other["ballot"]
        for lines in files
        for promises in [
            [each for line in lines for each in line["effects"] if each["type"] == "promise"]
        ]
        for one, other in pairwise(promises)
    )
    results = set()
    for given_files in permutations(files):
        report = merged(*given_files, names=(name,))
        results.add((report.outcome, report.finding and report.finding.property))
    assert len(results) == 1
    ((outcome, property_name),) = results
    if name in ABSENCES and not falls:
        assert (property_name is not None) == (found == {True})
    elif property_name:
        assert found == {True}
    elif outcome == "holds":
        assert False in found
