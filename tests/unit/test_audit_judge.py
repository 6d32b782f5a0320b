"""Audits find what evaluating every property after every record finds: the judge and its twin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.judge import RULES
from indelible.evidence import document_target
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.effects import Decide, Execute, Lead, Promise, Vote
from indelible.model.events import Restart, Submit, Timeout, Torn
from indelible.model.log_json import Start, record_json
from indelible.model.quorums import MajorityQuorums
from indelible.model.scope import Scope
from indelible.render.log import log_lines
from indelible.trace_files import read_trace, trace_paths
from support.logs import audited, check_log, lines_of, record_of, timed
from support.random_implementation import SCOPES, RandomImplementation

TRACES = [
    path
    for path in trace_paths(Path(__file__).parents[2] / "traces")
    if read_trace(path).property in RULES
]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 10**6),
    SCOPES,
    st.integers(0, 10**6),
    st.just(RULES) | st.sampled_from([(name,) for name in RULES]),
)
def test_random_implementations(seed, scope, draw, names):
    """All properties, of which the first is told; and each alone, whatever else is violated."""
    lines = lines_of(RandomImplementation(seed), scope, draw, 40)
    check_log(lines, MajorityQuorums(), scope.nodes, names)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name)
def test_kept_counterexamples_as_logs(path):
    """A log of a counterexample violates what the counterexample does, with its last record."""
    document = read_trace(path)
    evidence = document.read().evidence
    lines = timed(log_lines(evidence.run))
    quorums = getattr(document_target(document).implementation, "quorums", MajorityQuorums())
    check_log(lines, quorums, evidence.trace.scope.nodes)
    violated = evidence.trace.violation.property
    report = audited(lines, quorums, names={violated})
    assert report.finding.property == violated
    assert report.finding.place == (0, len(lines))


def test_multipaxos_is_not_accused():
    """Whatever happens to our own: restarts, torn steps, several leaders."""
    scope = Scope(nodes=3, commands=("a", "b"), submissions_max=None, restarts_max=3, torn=True)
    rare = {Restart: 0.02, Torn: 0.02, Timeout: 0.05, Submit: 0.05}
    results = set()
    for seed in range(8):
        lines = lines_of(MultiPaxos(), scope, seed, 250, weights=rare)
        assert check_log(lines, MajorityQuorums(), scope.nodes) is None
        report = audited(lines)
        assert report.outcome in ("holds", "inconclusive")
        results |= {(known.name, known.result) for known in report.properties}
    assert {(name, "holds") for name in RULES} <= results
    assert {result for _, result in results} <= {"holds", "not observable"}


DECIDES_A, DECIDES_B = Decide(0, "a"), Decide(0, "b")
ALONE = [
    ("stability", [(DECIDES_A, DECIDES_B)], None),
    ("stability", [(DECIDES_A,), (DECIDES_A,), (DECIDES_B,)], 3),
    ("agreement", [(DECIDES_A, DECIDES_B)], 1),
    ("execution_follows_log", [(Decide(0, None), Execute(0, None))], 1),
    ("execution_follows_log", [(Execute(0, "a"), DECIDES_A)], None),
    ("execution_follows_log", [(DECIDES_A,), (Execute(0, "b"),)], 2),
    ("execution_follows_log", [(Decide(1, "a"), Execute(0, "a")), (DECIDES_A,)], 1),
    ("execution_follows_log", [(Decide(1, "a"), Execute(0, "a"), DECIDES_A)], None),
    ("execution_follows_log", [(DECIDES_A,), (Decide(1, "b"),), (Execute(0, "b"),)], 3),
    ("execution_follows_log", [(Decide(0, None), Decide(1, "b")), (Execute(0, "b"),)], None),
    (
        "execution_follows_log",
        [
            (DECIDES_A, Execute(0, "a"), Decide(1, "a"), Decide(2, "b"), Execute(1, "b")),
            (Decide(3, "b"), Execute(2, "b"), Decide(4, "c"), Decide(5, "d")),
            (Execute(3, "d"),),
        ],
        3,
    ),
    (
        "execution_follows_log",
        [(DECIDES_A, DECIDES_B, Execute(0, "b")), (Decide(1, "a"), Execute(1, "a"))],
        None,
    ),
    ("execution_follows_log", [(DECIDES_A, DECIDES_B, Execute(0, "b"), Execute(1, "a"))], 1),
    ("execution_without_gap", [(Execute(1, "b"), Execute(0, "a"))], None),
    ("execution_without_gap", [(Execute(0, "a"),), (Execute(2, "b"),)], 2),
    ("execution_not_repeated", [(Execute(0, "a"), Execute(1, "b")), (Execute(0, "a"),)], 2),
    ("at_most_once", [(Execute(0, "a"),), (Execute(1, "b"),), (Execute(2, "a"),)], 3),
    ("promise_never_falls", [(Promise(2),), (Promise(2), Promise(3)), (Promise(2),)], 3),
    ("promise_never_falls", [(Promise(1),), (Promise(3), Promise(1), Promise(3))], 2),
    ("votes_keep_promises", [(Promise(2), Vote(0, 1, "a")), (Vote(0, 1, "a"),)], 1),
    ("votes_keep_promises", [(Vote(0, 1, "a"), Promise(2), Vote(0, 1, "a"))], None),
    ("votes_keep_promises", [(Promise(1),), (Promise(3), Promise(1), Vote(0, 1, "a"))], None),
    ("votes_keep_promises", [(Promise(2),), (Vote(0, 1, "a"),)], 2),
    ("leaders_are_promised", [(Lead(1), Promise(2))], None),
    ("leaders_are_promised", [(Lead(2), Promise(1))], 1),
    ("leaders_are_promised", [(Promise(2), Lead(2)), (Promise(1),)], 2),
    ("votes_are_safe", [(Promise(2), Vote(0, 2, "a"), Lead(2)), (Lead(1),)], None),
    ("votes_are_safe", [(Vote(0, 2, "a"),), (Lead(1),), (Promise(1),)], 2),
    ("votes_are_safe", [(Promise(2), Vote(0, 1, "b"), Vote(0, 2, "a"), Lead(2))], 1),
    ("votes_are_safe", [(Promise(2), Lead(1), Lead(2), Vote(0, 2, "a")), (Promise(1),)], 2),
    ("votes_are_safe", [(Promise(2), Lead(2), Vote(0, 2, "a")), (Lead(1), Promise(1))], 2),
]


@pytest.mark.parametrize(("name", "happened", "number"), ALONE)
def test_each_rule_alone_as_its_property(name, happened, number):
    """Of a single node, which is its own quorum; the record is counted after its start."""
    lines = [record_of({"type": "start", "nodes": [0], "storage": None}, ())]
    lines += [record_of({"type": "submit", "command": "a"}, effects) for effects in happened]
    check_log(lines, MajorityQuorums(), (0,), (name,))
    finding = audited(lines, names=(name,)).finding
    assert (finding and finding.number) == (number and number + 1)


SAID = st.one_of(
    st.builds(Decide, st.integers(0, 1), st.sampled_from("aab")),
    st.builds(Vote, st.integers(0, 1), st.integers(1, 3), st.sampled_from("aab")),
    st.builds(Promise, st.integers(1, 3)),
    st.builds(Lead, st.integers(1, 3)),
    st.builds(Execute, st.integers(0, 2), st.sampled_from("ab")),
)
HAPPENED = st.tuples(
    st.integers(0, 2), st.sampled_from("abtr"), st.lists(SAID, max_size=2).map(tuple)
)
ALL_SAID = (Promise(0), Vote(9, 0, "a"), Lead(0), Decide(9, "a"))
"""Every kind of testimony, so that nothing waits for any."""


@settings(max_examples=300, deadline=None)
@given(
    st.lists(HAPPENED, min_size=2, max_size=16),
    st.just(RULES) | st.sampled_from([(name,) for name in RULES]),
)
def test_whatever_a_log_says_is_judged_and_shown_by_no_more_than_it_takes(happened, names):
    """What no implementation of ours would do; the proof is checked to be minimal."""
    nodes = (0, 1, 2)
    events = {"t": Timeout("t"), "r": Restart(), "a": Submit("a"), "b": Submit("b")}
    records = [record_json(node, Start(nodes, None), ()) for node in nodes]
    records.append(record_json(1, Submit("a"), (Promise(0), Vote(9, 0, "a"))))
    records.append(record_json(0, Submit("b"), ALL_SAID))
    records += [record_json(node, events[what], effects) for node, what, effects in happened]
    lines = [json.dumps({**record, "time": at}).encode() for at, record in enumerate(records)]
    check_log(lines, MajorityQuorums(), nodes, names)


def test_of_unsafe_votes_those_are_shown_that_chose_another_value():
    """Promises say nothing that matters where something was chosen."""
    nodes = (0, 1, 2)
    chosen = [(0, Promise(1)), (1, Promise(1)), (0, Lead(1)), (0, Vote(0, 1, "a"))]
    happened = [*chosen, (1, Vote(0, 1, "a")), (2, Promise(2)), (2, Vote(0, 2, "b"))]
    records = [record_json(node, Start(nodes, None), ()) for node in nodes]
    records += [record_json(node, Timeout("t"), (effect,)) for node, effect in happened]
    lines = [json.dumps({**record, "time": at}).encode() for at, record in enumerate(records)]
    assert check_log(lines, MajorityQuorums(), nodes, ("votes_are_safe",)) == "votes_are_safe"


def test_an_unsafe_vote_is_shown_though_its_node_votes_again_at_that_ballot():
    nodes = (0, 1)
    both = (Promise(2), Lead(2), Vote(0, 2, "b"), Vote(0, 2, "a"))
    records = [record_json(node, Start(nodes, None), ()) for node in nodes]
    records += [
        record_json(0, Timeout("t"), each) for each in ((Promise(1), Vote(0, 1, "a")), both)
    ]
    lines = [json.dumps({**record, "time": at}).encode() for at, record in enumerate(records)]
    assert check_log(lines, MajorityQuorums(), nodes, ("votes_are_safe",)) == "votes_are_safe"


def test_promises_of_a_line_that_is_there_twice_need_not_fall():
    """The second of two equal lines may be the first, written once more."""
    start = record_of({"type": "start", "nodes": [0], "storage": None}, ())
    submit = {"type": "submit", "command": "a"}
    rises = record_of(submit, (Promise(1), Promise(3), Decide(0, "a")))
    name = "promise_never_falls"
    report = audited([start, rises, rises], names={name})
    assert report.outcome == "inconclusive"
    assert name in report.reason
    assert audited([start, rises], names={name}).outcome == "holds"
    falls = record_of(submit, (Promise(1),))
    assert audited([start, rises, falls], names={name}).outcome == "violated"
