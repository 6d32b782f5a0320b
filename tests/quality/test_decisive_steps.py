"""What is told of each known bug: the first step that broke a rule, in the words people read.

They are the product: whoever changes one should read it aloud, beside the mechanism of its bug.
"""

from __future__ import annotations

import pytest

from indelible import Limits, explore
from indelible.checkers.explain import explain
from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.run import replayed
from indelible.model.trace import Moment

DECISIVE = {
    "promise_hides_accepted": Moment(
        10,
        "n1 votes for 'b' in slot 0 at ballot 1.1 although 'a' is already chosen there, at "
        "ballot 1.0",
    ),
    "pick_last_arrived": Moment(
        12,
        "n2 votes for 'b' in slot 0 at ballot 2.2 although 'a' is already chosen there, at "
        "ballot 1.1",
    ),
    "pick_lowest": Moment(
        12,
        "n2 votes for 'b' in slot 0 at ballot 2.2 although 'a' is already chosen there, at "
        "ballot 1.1",
    ),
    "promise_reports_promised_ballot": Moment(
        12,
        "n2 votes for 'b' in slot 0 at ballot 2.2 although 'a' is already chosen there, at "
        "ballot 1.1",
    ),
    "ballot_not_unique": Moment(
        6,
        "n0 leads ballot 1.0 although n1 has won it already, in step 4",
    ),
    "dup_promise_counted": Moment(
        6,
        "n0 leads ballot 1.0 although no quorum has promised it: only n0 and n2 have",
    ),
    "stale_promise_counted": Moment(
        7,
        "n0 leads ballot 2.0 although no quorum has promised it: only n0 has",
    ),
    "phase1_quorum_half": Moment(
        1,
        "n0 leads ballot 1.0 although no quorum has promised it: only n0 has",
    ),
    "noop_overwrites": Moment(
        9,
        "n1 votes for a no-op in slot 0 at ballot 1.1 although 'a' is already chosen there, "
        "at ballot 1.0",
    ),
    "next_slot_from_own_log": Moment(
        5,
        "n0 votes for 'b' in slot 0 at ballot 1.0 although it has voted for 'a' there in the "
        "same ballot, in step 4",
    ),
    "promise_omits_decided": Moment(
        10,
        "n1 votes for a no-op in slot 0 at ballot 1.1 although 'a' is already chosen there, "
        "at ballot 1.0",
    ),
    "accept_below_promise": Moment(
        8,
        "n2 votes for 'a' in slot 0 at ballot 1.0 although it has promised ballot 1.1, in step 6",
    ),
    "ack_without_storing": Moment(
        7,
        "n0 decides 'a' in slot 0 although no quorum has voted for it: at ballot 1.0 only n0 has",
    ),
    "dup_ack_counted": Moment(
        9,
        "n0 decides 'a' in slot 0 although no quorum has voted for it: at ballot 1.0 only n0 "
        "and n1 have",
    ),
    "phase2_quorum_half": Moment(
        5,
        "n0 decides 'a' in slot 0 although no quorum has voted for it: at ballot 1.0 only n0 has",
    ),
    "flex_misconfig": Moment(
        7,
        "n0 votes for 'b' in slot 0 at ballot 1.1 although 'a' is already chosen there, at "
        "ballot 1.0",
    ),
    "promise_not_durable": Moment(
        3,
        "n0 crashes without having saved its promise of ballot 1.1, given in step 2",
    ),
    "accept_not_durable": Moment(
        8,
        "n2 crashes without having saved its vote for 'a' in slot 0 at ballot 1.0, cast in step 6",
    ),
    "wiped_disk_rejoins": Moment(
        4,
        "n0 promises ballot 1.0, although it has promised ballot 1.1, which is higher",
    ),
    "corrupt_tail_truncated": Moment(
        11,
        "n1 votes for 'b' in slot 0 at ballot 1.1 although 'a' is already chosen there, at "
        "ballot 1.0",
    ),
    "accept_revealed_before_saved": Moment(
        6,
        "n2 crashes after it has cast its vote for 'a' in slot 0 at ballot 1.0, and before it"
        " has saved it",
    ),
    "commit_index_trusted": Moment(
        12,
        "n0 decides 'b' in slot 0 although no quorum has voted for it: at ballot 1.0 only n0 has",
    ),
    "apply_out_of_order": Moment(
        10,
        "n1 executes 'b', decided in slot 1, although it has not decided slot 0",
    ),
    "no_dedupe": Moment(
        9,
        "n0 executes 'a' as number 1 although it has executed it as number 0, in step 7",
    ),
}
QUICK = {
    "stale_promise_counted",
    "phase1_quorum_half",
    "noop_overwrites",
    "next_slot_from_own_log",
    "ack_without_storing",
    "dup_ack_counted",
    "phase2_quorum_half",
    "flex_misconfig",
    "apply_out_of_order",
    "no_dedupe",
}


def by_size(name: str) -> object:
    return pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow])


def test_every_known_bug_has_a_decisive_step() -> None:
    assert list(DECISIVE) == list(KNOWN_BUGS)


@pytest.mark.parametrize("name", [by_size(name) for name in DECISIVE])
def test_the_decisive_step_of_a_known_bug(name: str) -> None:
    """Nothing in a shortest trace is beside the point, so the story is all of it."""
    bug = KNOWN_BUGS[name]
    verdict = explore(bug.implementation, bug.scope, properties=[bug.property], limits=Limits())
    assert verdict.trace is not None
    run = replayed(bug.implementation, bug.scope, verdict.trace.actions)
    told = explain(bug.implementation, run, BUILT_IN[bug.property], verdict.trace.violation)
    assert told.decisive == DECISIVE[name]
    assert told.story == tuple(range(1, len(verdict.trace) + 1))
