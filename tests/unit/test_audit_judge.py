"""Audits find what evaluating every property after every record finds: the judge and its twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.judge import RULES
from indelible.evidence import document_target
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.events import Restart, Submit, Timeout, Torn
from indelible.model.quorums import MajorityQuorums
from indelible.model.scope import Scope
from indelible.render.log import log_lines
from indelible.trace_files import read_trace, trace_paths
from support.logs import audited, check_log, lines_of, timed
from support.random_implementation import SCOPES, RandomImplementation

TRACES = [
    path
    for path in trace_paths(Path(__file__).parents[2] / "traces")
    if read_trace(path).property in RULES
]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.integers(0, 10**6))
def test_random_implementations(seed, scope, draw):
    implementation = RandomImplementation(seed)
    lines = lines_of(implementation, scope, draw, 40)
    check_log(lines, MajorityQuorums(), scope.nodes)


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
