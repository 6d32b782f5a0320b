"""Every known bug is found: by the property it breaks, in so many states and so many events.

A trace is a shortest one, so its length is exact. States count whole levels, so they are exact too,
and change only with the protocol, its messages or what records remember.
"""

from __future__ import annotations

import pytest

from indelible import Limits, explore
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.cluster import Cluster

# By name: how many states, and how many events.
FOUND = {
    "promise_hides_accepted": (90_792, 12),
    "pick_last_arrived": (1_735_240, 12),
    "pick_lowest": (1_735_240, 12),
    "promise_reports_promised_ballot": (1_735_240, 12),
    "ballot_not_unique": (106_100, 12),
    "dup_promise_counted": (184_113, 9),
    "stale_promise_counted": (46_495, 8),
    "phase1_quorum_half": (21_640, 8),
    "noop_overwrites": (6_146, 11),
    "next_slot_from_own_log": (149, 5),
    "promise_omits_decided": (96_152, 12),
    "accept_below_promise": (189_306, 12),
    "ack_without_storing": (3_181, 7),
    "dup_ack_counted": (195, 9),
    "phase2_quorum_half": (9_629, 8),
    "flex_misconfig": (21_640, 8),
    "promise_not_durable": (936_595, 13),
    "accept_not_durable": (962_008, 13),
    "wiped_disk_rejoins": (1_307_424, 13),
    "corrupt_tail_truncated": (1_002_956, 13),
    "accept_revealed_before_saved": (1_053_374, 12),
    "commit_index_trusted": (236_749, 12),
    "apply_out_of_order": (1_462, 10),
    "no_dedupe": (469, 9),
}
LONG = 500_000


def by_size(name: str) -> object:
    marks = [pytest.mark.slow] if FOUND[name][0] > LONG else []
    return pytest.param(name, marks=marks)


def test_every_known_bug_is_here() -> None:
    assert list(FOUND) == list(KNOWN_BUGS)


@pytest.mark.parametrize("name", [by_size(name) for name in FOUND])
def test_a_known_bug_is_found_with_a_shortest_trace(name: str) -> None:
    bug = KNOWN_BUGS[name]
    verdict = explore(bug.implementation, bug.scope, properties=[bug.property])
    assert verdict.outcome == "violated"
    assert verdict.trace is not None
    assert verdict.trace.violation.property == bug.property
    assert (verdict.states_distinct, len(verdict.trace)) == FOUND[name]
    cluster = Cluster(bug.implementation, bug.scope)
    assert len(list(cluster.replay(verdict.trace.actions))) == len(verdict.trace)


@pytest.mark.parametrize("name", [by_size(name) for name in FOUND])
def test_the_clean_implementation_is_not_to_blame(name: str) -> None:
    """In the bug's scope, up to as many states as the bug took, the clean one breaks nothing."""
    bug = KNOWN_BUGS[name]
    limits = Limits(states_max=2 * FOUND[name][0])
    verdict = explore(MultiPaxos(), bug.scope, properties=[bug.property], limits=limits)
    assert verdict.trace is None
    assert verdict.exhausted or verdict.states_distinct > FOUND[name][0]
