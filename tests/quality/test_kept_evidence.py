"""The evidence of every known bug is kept, minimized, and listed; nothing else is kept beside it.

That each document still violates its property, and is what would be written now, is tested for
every trace of the repository (``tests/unit/test_kept_traces.py``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.trace import Evidence
from indelible.targets import find_target
from indelible.trace_files import SUFFIX, read_trace, trace_paths
from indelible.trace_index import index_text

TRACES = Path(__file__).parents[2] / "traces"

# By name: at most how many events. What needs fewer nodes than its scope has takes fewer events.
EVENTS_MAX = {
    "promise_hides_accepted": 12,
    "ballot_zero_ignored": 12,
    "promise_reports_promised_ballot": 17,
    "promise_omits_decided": 13,
    "promise_forgotten_on_stepdown": 18,
    "ballot_not_unique": 12,
    "dup_promise_counted": 10,
    "stale_promise_counted": 9,
    "keep_old_promises": 15,
    "stale_adoption": 9,
    "bump_without_prepare": 14,
    "phase1_quorum_half": 12,
    "implied_promise": 15,
    "pick_last_arrived": 17,
    "pick_lowest": 17,
    "late_promise_rewrites": 14,
    "noop_overwrites": 11,
    "next_slot_from_own_log": 12,
    "choose_longest_log": 17,
    "accept_below_promise": 12,
    "accept_no_bump": 10,
    "ack_without_storing": 8,
    "ack_by_value": 11,
    "truncate_on_old_append": 10,
    "rollback_committed_on_stepdown": 12,
    "election_by_proposed_term": 12,
    "ack_any_ballot": 16,
    "dup_ack_counted": 9,
    "phase2_quorum_half": 4,
    "quorum_half_even": 4,
    "flex_misconfig": 12,
    "promise_not_durable": 13,
    "accept_not_durable": 13,
    "accept_saves_stale_promise": 13,
    "restart_reuse_ballot": 5,
    "wiped_disk_rejoins": 13,
    "corrupt_tail_truncated": 13,
    "commit_saved_before_entries": 12,
    "two_file_state": 5,
    "accept_revealed_before_saved": 8,
    "commit_index_trusted": 11,
    "apply_out_of_order": 10,
    "no_dedupe": 9,
}


def evidence(name: str) -> Evidence:
    find_target(name)  # Its classes are needed to read its values.
    return read_trace(TRACES / "known_bugs" / f"{name}{SUFFIX}").read().evidence


def test_every_known_bug_has_its_evidence_and_nothing_else_has() -> None:
    kept = [path.name.removesuffix(SUFFIX) for path in trace_paths(TRACES / "known_bugs")]
    assert kept == sorted(KNOWN_BUGS)
    assert sorted(EVENTS_MAX) == sorted(KNOWN_BUGS)


@pytest.mark.parametrize("name", EVENTS_MAX)
def test_the_evidence_is_minimized_and_explained(name: str) -> None:
    kept = evidence(name)
    assert kept.target == name
    assert kept.property == KNOWN_BUGS[name].property
    assert kept.length == "shortest"
    assert len(kept.trace) <= EVENTS_MAX[name]
    assert kept.explanation.decisive is not None, "the step that matters can be named"
    assert kept.explanation.story == tuple(range(1, len(kept.trace) + 1)), "all of it matters"


def test_the_index_lists_what_there_is() -> None:
    text = (TRACES / "README.md").read_text(encoding="utf-8")
    assert text == index_text(TRACES), "renew it with: indelible bugs --save"
