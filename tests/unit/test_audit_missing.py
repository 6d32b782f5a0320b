"""Records that are missing by their numbers may be what a log lacks, also if that shows later."""

from __future__ import annotations

import json
from io import BytesIO
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.audit import audit
from indelible.checkers.audit.judge import BY_MEMBERS
from indelible.checkers.audit.lines import entries_of
from indelible.checkers.audit.merge import in_order
from indelible.checkers.audit.quick import QuickReader
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.effects import Decide, Lead, Promise, Vote
from indelible.model.events import Restart, Submit, Timeout
from indelible.model.log_json import Start, record_json
from indelible.model.scope import Scope
from support.logs import MAJORITY, audited, lines_of

NODES = (0, 1, 2)


def numbered(records):
    """The records with their numbers, which begin anew with each start."""
    counts = {}
    for record in records:
        if record["event"]["type"] == "start" or record["node"] not in counts:
            counts[record["node"]] = count()
        yield {**record, "sequence": next(counts[record["node"]])}


def in_one(records, **asked):
    return audited([json.dumps(record).encode() for record in records], **asked)


def in_several(records, **asked):
    """The audit of a file for each node."""
    files = []
    for node in NODES:
        mine = [json.dumps(record).encode() for record in records if record["node"] == node]
        files.append(entries_of(BytesIO(b"\n".join(mine)), QuickReader(links=True)))
    return audit(in_order(files), MAJORITY, **asked)


def starts(nodes=NODES):
    return [record_json(node, Start(NODES, None), ()) for node in nodes]


TICK = Timeout("t")


def happens(node, *effects, event=TICK):
    return record_json(node, event, effects)


def found(report):
    return report.outcome, report.finding and (report.finding.property, report.finding.number)


@pytest.mark.parametrize("audited_in", [in_one, in_several])
def test_what_holds_is_not_violated_where_a_record_is_missing(audited_in):
    """Whichever it is, if the node has another one after it. Without numbers some would be."""
    scope = Scope(nodes=3, commands=("a", "b"), submissions_max=None, restarts_max=1)
    rare = {Restart: 0.02, Timeout: 0.05, Submit: 0.1}
    accused = 0
    for seed in range(4):
        lines = lines_of(MultiPaxos(), scope, seed, 80, weights=rare)
        bare = [json.loads(line) for line in lines]
        records = list(numbered(bare))
        assert audited_in(records).outcome == "holds"
        for at in range(3, len(records)):
            if any(later["node"] == records[at]["node"] for later in records[at + 1 :]):
                report = audited_in(records[:at] + records[at + 1 :])
                assert report.outcome == "inconclusive", report.reason
                accused += audited_in(bare[:at] + bare[at + 1 :]).outcome == "violated"
    assert accused


SAID = st.one_of(
    st.builds(Decide, st.integers(0, 1), st.sampled_from("aab")),
    st.builds(Vote, st.integers(0, 1), st.integers(1, 2), st.sampled_from("aab")),
    st.builds(Promise, st.integers(1, 2)),
    st.builds(Lead, st.integers(1, 2)),
)
HAPPENED = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("abt"), st.lists(SAID, max_size=2).map(tuple)),
    max_size=16,
)
EVENTS = {"t": Timeout("t"), "a": Submit("a"), "b": Submit("b")}


@settings(max_examples=200, deadline=None)
@given(HAPPENED, st.sampled_from(sorted(BY_MEMBERS)), st.booleans())
def test_where_none_is_missing_numbers_change_nothing(happened, name, is_one):
    records = [*starts((0, 1)), happens(0, Promise(0), Vote(9, 0, "z"), Lead(0))]
    records += [happens(node, *said, event=EVENTS[what]) for node, what, said in happened]
    audited_in = in_one if is_one else in_several
    expected = audited_in(records, names=(name,))
    assert found(audited_in(list(numbered(records)), names=(name,))) == found(expected)


VOTE, DECIDE = Vote(0, 1, "a"), Decide(0, "a")
SUBMITTED = happens(0, VOTE, event=Submit("a"))
UNCHOSEN = [*starts(), SUBMITTED, happens(0, DECIDE)]
LACKING = {
    "votes": ("decided_implies_chosen", [SUBMITTED, happens(0, DECIDE)]),
    "submission": ("validity", [happens(2, event=Submit("z")), happens(0, DECIDE)]),
    "promise": ("leaders_are_promised", [happens(0, Promise(2), Lead(2), DECIDE)]),
    "safety": (
        "votes_are_safe",
        [
            happens(0, Promise(1), Lead(1), DECIDE),
            happens(0, Promise(2), Lead(2)),
            happens(0, Vote(0, 2, "b")),
        ],
    ),
}


@pytest.mark.parametrize("audited_in", [in_one, in_several])
@pytest.mark.parametrize("what", LACKING)
def test_what_is_lacking_may_be_in_a_record_that_is_missing(what, audited_in):
    name, records = LACKING[what]
    records = [*starts(), *records]
    end = happens(1), happens(1)
    whole = list(numbered([*records, *end]))
    number = len(records)
    assert found(in_one(whole, names=(name,))) == ("violated", (name, number))
    assert found(in_one(whole[:-2], names=(name,))) == ("violated", (name, number))
    assert audited_in(whole, names=(name,)).outcome == "violated"
    report = audited_in([*whole[:-2], whole[-1]], names=(name,))
    assert found(report) == ("inconclusive", None)
    (known,) = report.properties
    assert known.result == "inconclusive"
    if audited_in is in_one:
        assert "may be in what is: 1 record is missing: n1 goes from" in known.reason


def test_no_more_is_read_than_it_takes():
    """n2 alone could not have made a quorum of what nobody else voted for."""
    lone = [*starts(), happens(1, event=Submit("a")), happens(0, DECIDE)]
    more = [happens(0), happens(1), *[happens(0)] * 50]
    votes = happens(0, Vote(1, 1, "b"))
    report = in_one(list(numbered([*starts(), votes, *lone[3:], *more])))
    assert found(report) == ("violated", ("decided_implies_chosen", 6))
    assert report.records == 8
    report = in_one(list(numbered([*UNCHOSEN, *more])))  # n2 could, with n0.
    assert found(report) == ("violated", ("decided_implies_chosen", 5))
    assert report.records == len(UNCHOSEN) + len(more)
    assert in_one([*UNCHOSEN, *more]).records == 5


def test_a_record_is_missing_before_anybody_can_tell_that_something_is_violated():
    """Until somebody votes, votes are not logged, for all that is known."""
    records = list(numbered([*starts(), happens(1, event=Submit("a")), happens(0, DECIDE)]))
    others = [{**happens(node), "sequence": 5} for node in (1, 2)]
    vote = happens(0, Vote(1, 1, "b"))
    assert found(in_one([*records, vote])) == ("violated", ("decided_implies_chosen", 5))
    assert found(in_one([*records, *others, vote])) == ("inconclusive", None)


def test_a_node_that_starts_later_does_not_make_up_for_another():
    records = [
        *starts((0, 1)),
        SUBMITTED,
        happens(0, DECIDE),
        happens(1),
        happens(1),
        *starts((2,)),
    ]
    whole = list(numbered(records))
    assert found(in_one(whole)) == ("violated", ("decided_implies_chosen", 4))
    assert found(in_one([*whole[:4], *whole[5:]])) == ("inconclusive", None)


def test_what_is_violated_after_that_is_reported():
    records = list(numbered([*UNCHOSEN, happens(1), happens(1), happens(2, Decide(0, "b"))]))
    assert found(in_one(records)) == ("violated", ("decided_implies_chosen", 5))
    assert found(in_one([*records[:5], *records[6:]])) == ("violated", ("agreement", 7))


def test_whoever_stops_before_it_can_be_known_does_not_know(monkeypatch):
    monkeypatch.setattr("indelible.checkers.audit.audit.ASKED_EVERY", 1)
    records = list(numbered([*UNCHOSEN, happens(0), happens(1), happens(2)]))
    for stop, outcome in [(4, "inconclusive"), (6, "inconclusive"), (9, "violated")]:
        asked = count()
        report = in_one(records, interrupted=lambda: next(asked) >= stop)  # noqa: B023
        assert report.outcome == outcome
