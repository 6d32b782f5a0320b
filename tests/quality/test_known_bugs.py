"""Every known bug is found, and it is the bug that is to blame.

Found by the property it breaks, in so many states and so many events: a trace is a shortest one, so
its length is exact; states count whole levels, so they are exact too, and change only with the
protocol, its messages or what records remember.

To blame, because the clean implementation breaks nothing in the same scope: it is explored to the
end in every one, and every property judged there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import pytest

from indelible import Limits, Scope, explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.cluster import Cluster


class Found(NamedTuple):
    """What a search finds: the property broken, after how many states, and in how many events."""

    property: str
    states: int
    events: int


FOUND = {
    "promise_hides_accepted": Found("agreement", 5_623, 12),
    "ballot_zero_ignored": Found("agreement", 5_757, 12),
    "promise_reports_promised_ballot": Found("agreement", 490_068, 17),
    "promise_omits_decided": Found("agreement", 8_894, 13),
    "promise_forgotten_on_stepdown": Found("agreement", 731_980, 18),
    "ballot_not_unique": Found("agreement", 5_750, 12),
    "dup_promise_counted": Found("agreement", 5_572, 10),
    "stale_promise_counted": Found("agreement", 11_059, 9),
    "keep_old_promises": Found("agreement", 164_264, 15),
    "stale_adoption": Found("agreement", 11_059, 9),
    "bump_without_prepare": Found("agreement", 15_235, 14),
    "phase1_quorum_half": Found("agreement", 10_247, 12),
    "implied_promise": Found("agreement", 240_489, 15),
    "pick_last_arrived": Found("agreement", 490_068, 17),
    "pick_lowest": Found("agreement", 490_068, 17),
    "late_promise_rewrites": Found("agreement", 60_469, 14),
    "noop_overwrites": Found("agreement", 2_438, 11),
    "next_slot_from_own_log": Found("agreement", 6_086, 12),
    "choose_longest_log": Found("agreement", 490_068, 17),
    "accept_below_promise": Found("agreement", 6_284, 12),
    "accept_no_bump": Found("agreement", 7_456, 10),
    "ack_without_storing": Found("decided_implies_chosen", 1_120, 8),
    "ack_by_value": Found("decided_implies_chosen", 2_438, 11),
    "truncate_on_old_append": Found("agreement", 84_282, 10),
    "rollback_committed_on_stepdown": Found("agreement", 16_884, 12),
    "election_by_proposed_term": Found("agreement", 6_282, 12),
    "ack_any_ballot": Found("decided_implies_chosen", 73_434, 16),
    "dup_ack_counted": Found("decided_implies_chosen", 120, 9),
    "phase2_quorum_half": Found("decided_implies_chosen", 91, 4),
    "quorum_half_even": Found("decided_implies_chosen", 84, 8),
    "flex_misconfig": Found("agreement", 10_247, 12),
    "promise_not_durable": Found("agreement", 52_902, 13),
    "accept_not_durable": Found("agreement", 45_149, 13),
    "accept_saves_stale_promise": Found("agreement", 45_640, 13),
    "restart_reuse_ballot": Found("agreement", 8_026, 13),
    "wiped_disk_rejoins": Found("agreement", 59_511, 13),
    "corrupt_tail_truncated": Found("agreement", 48_112, 13),
    "commit_saved_before_entries": Found("log_prefix", 18_862, 12),
    "two_file_state": Found("one_value_per_ballot", 825, 5),
    "accept_revealed_before_saved": Found("agreement", 4_909, 8),
    "commit_index_trusted": Found("decided_implies_chosen", 9_876, 11),
    "apply_out_of_order": Found("log_prefix", 1_122, 10),
    "no_dedupe": Found("at_most_once", 138, 9),
}

# What takes more than about two seconds: many states, or many local ones.
SLOW = {name for name, found in FOUND.items() if found.states > 300_000}
SLOW |= {"truncate_on_old_append"}

# By name, how many events the catalogue takes, where it says: traces that were shortened by hand
# and by delta debugging on another Multi-Paxos, which a shortest one must not exceed.
CATALOGUE = {
    "promise_hides_accepted": 18,
    "pick_last_arrived": 23,
    "pick_lowest": 23,
    "ballot_zero_ignored": 16,
    "promise_reports_promised_ballot": 28,
    "accept_below_promise": 16,
    "accept_no_bump": 25,
    "ack_without_storing": 24,
    "promise_not_durable": 20,
    "accept_not_durable": 17,
    "accept_saves_stale_promise": 23,
    "restart_reuse_ballot": 19,
    "ballot_not_unique": 19,
    "ack_any_ballot": 24,
    "ack_by_value": 17,
    "dup_ack_counted": 9,
    "dup_promise_counted": 15,
    "stale_promise_counted": 31,
    "keep_old_promises": 18,
    "stale_adoption": 31,
    "bump_without_prepare": 34,
    "late_promise_rewrites": 20,
    "phase1_quorum_half": 12,
    "phase2_quorum_half": 10,
    "quorum_half_even": 20,
    "flex_misconfig": 20,
    "noop_overwrites": 20,
    "next_slot_from_own_log": 18,
    "promise_omits_decided": 21,
    "commit_index_trusted": 33,
    "apply_out_of_order": 24,
    "no_dedupe": 26,
    "wiped_disk_rejoins": 17,
    "corrupt_tail_truncated": 17,
}

# Few enough states for the plain search, which takes a second for some thousands.
PLAIN = [name for name, found in FOUND.items() if found.states < 3_000]
PLAIN_SLOW = {name for name in PLAIN if FOUND[name].states > 200}

# By the name of the first bug with that scope: states, transitions and depth of the clean
# implementation, explored to the end.
EXHAUSTED = {
    "promise_hides_accepted": (88_535, 279_679, 30),
    "promise_reports_promised_ballot": (15_852_168, 55_474_717, 45),
    "dup_promise_counted": (25_416, 108_526, 26),
    "stale_promise_counted": (450_916, 1_483_378, 26),
    "keep_old_promises": (3_419_610, 11_867_379, 44),
    "implied_promise": (703_489, 2_432_004, 31),
    "late_promise_rewrites": (390_314, 1_971_692, 26),
    "noop_overwrites": (10_829, 29_936, 23),
    "accept_no_bump": (3_787_719, 18_318_047, 27),
    "truncate_on_old_append": (356_988, 1_445_367, 20),
    "ack_any_ballot": (717_258, 4_107_221, 33),
    "dup_ack_counted": (354, 837, 16),
    "restart_reuse_ballot": (22_872, 64_334, 33),
    "commit_saved_before_entries": (33_852, 118_324, 21),
    "two_file_state": (13_420, 40_542, 17),
    "apply_out_of_order": (3_968, 11_884, 18),
    "no_dedupe": (126, 295, 13),
}
EXHAUSTED_SLOW = {name for name, counts in EXHAUSTED.items() if counts[0] > 100_000}


def parameters(names: Iterable[str], slow: Collection[str]) -> list[object]:
    """The names as parameters, some of them marked as slow."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


def first_bugs() -> list[str]:
    """The first bug of each distinct question to the clean implementation."""
    questions: list[tuple[MultiPaxos, Scope]] = []
    names: list[str] = []
    for name, bug in KNOWN_BUGS.items():
        question = (bug.clean, bug.scope)
        if question not in questions:
            questions.append(question)
            names.append(name)
    return names


def test_every_known_bug_is_here() -> None:
    assert list(FOUND) == list(KNOWN_BUGS)


@pytest.mark.parametrize("name", parameters(FOUND, SLOW))
def test_a_known_bug_is_found_with_a_shortest_trace(name: str) -> None:
    bug = KNOWN_BUGS[name]
    verdict = explore(bug.implementation, bug.scope, properties=[bug.property])
    assert verdict.outcome == "violated"
    assert verdict.trace is not None
    broken = verdict.trace.violation.property
    assert Found(broken, verdict.states_distinct, len(verdict.trace)) == FOUND[name]
    cluster = Cluster(bug.implementation, bug.scope)
    assert len(list(cluster.replay(verdict.trace.actions))) == len(verdict.trace)


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_trace_is_longer_than_the_one_of_the_catalogue(name: str) -> None:
    assert FOUND[name].events <= CATALOGUE[name]


@pytest.mark.parametrize("name", parameters(PLAIN, PLAIN_SLOW))
def test_no_counterexample_is_shorter(name: str) -> None:
    """The plain search evaluates the property after every event of every state, level by level."""
    bug = KNOWN_BUGS[name]
    known = BUILT_IN[bug.property]
    verdict = explore_breadth_first(bug.implementation, bug.scope, (known,), Limits())
    assert verdict.trace is not None
    assert verdict.trace.violation.property == bug.property
    assert len(verdict.trace) == FOUND[name].events


def test_every_scope_of_a_known_bug_is_here_once() -> None:
    assert sorted(EXHAUSTED) == sorted(first_bugs())


@pytest.mark.parametrize("name", parameters(EXHAUSTED, EXHAUSTED_SLOW))
def test_the_clean_implementation_holds_where_a_bug_shows(name: str) -> None:
    bug = KNOWN_BUGS[name]
    verdict = explore(bug.clean, bug.scope, limits=Limits())
    assert verdict.outcome == "holds"
    assert (verdict.states_distinct, verdict.transitions, verdict.depth) == EXHAUSTED[name]
    assert {known.result for known in verdict.properties} == {"holds", "reached"}
