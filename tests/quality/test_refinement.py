"""Known bugs break the refinement, mostly some events before they break what can be seen.

Searched for in each bug's own scope, where ``test_known_bugs`` pins in how many events the property
is violated. A bug that is not caught here says why: the proof is about what is decided, and not
about what is executed.

Most of the time goes into judging what nodes say by the proof, which is a function of what was said
before, whatever the bug. So all these tests run in one process, and what was judged is kept.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from indelible.checkers.refinement import search
from indelible.checkers.refinement.search import check_refinement
from indelible.checkers.refinement.steps import Refiner
from indelible.impl.known_bugs import KNOWN_BUGS

pytestmark = pytest.mark.xdist_group("refinement")

kept_refiner = cache(Refiner)
"""The same one for the same nodes, quorums and protocol."""


@pytest.fixture(autouse=True)
def _what_was_judged_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "Refiner", kept_refiner)


class Broken(NamedTuple):
    """The law that is broken, after how many events, and how many states were met by then."""

    law: str
    events: int
    states: int


BROKEN = {
    "promise_hides_accepted": Broken("propose_again.highest_vote", 9, 1_900),
    "ballot_zero_ignored": Broken("propose_again.highest_vote", 9, 1_900),
    "promise_reports_promised_ballot": Broken("propose_again.highest_vote", 13, 130_650),
    "promise_omits_decided": Broken("propose_again.highest_vote", 11, 6_524),
    "promise_forgotten_on_stepdown": Broken("promise.not_left", 5, 368),
    "ballot_not_unique": Broken("ballots_are_owned", 6, 311),
    "dup_promise_counted": Broken("hear.promised", 4, 50),
    "stale_promise_counted": Broken("hear.promised", 4, 43),
    "keep_old_promises": Broken("hear.promised", 8, 4_362),
    "stale_adoption": Broken("hear.promised", 4, 43),
    "bump_without_prepare": Broken("propose_freely.elected", 8, 1_070),
    "phase1_quorum_half": Broken("hear.promised", 1, 1),
    "implied_promise": Broken("hear.promised", 2, 9),
    "pick_last_arrived": Broken("propose_again.highest_vote", 13, 130_650),
    "pick_lowest": Broken("propose_again.highest_vote", 13, 130_650),
    "late_promise_rewrites": Broken("propose_freely.slot_unused", 10, 5_665),
    "noop_overwrites": Broken("propose_again.highest_vote", 8, 792),
    "next_slot_from_own_log": Broken("propose_again.slot_unused", 9, 1_889),
    "choose_longest_log": Broken("propose_again.highest_vote", 13, 130_650),
    "accept_below_promise": Broken("vote.not_left", 6, 267),
    "accept_no_bump": Broken("promise.not_left", 4, 72),
    "ack_without_storing": Broken("decide.quorum_voted", 8, 1_329),
    "ack_by_value": Broken("decide.quorum_voted", 11, 3_472),
    "truncate_on_old_append": Broken("propose_again.highest_vote", 7, 3_552),
    "rollback_committed_on_stepdown": Broken("propose_again.highest_vote", 8, 1_454),
    "election_by_proposed_term": Broken("vote.not_left", 6, 267),
    "ack_any_ballot": Broken("decide.quorum_voted", 16, 116_101),
    "dup_ack_counted": Broken("decide.quorum_voted", 9, 102),
    "phase2_quorum_half": Broken("decide.quorum_voted", 4, 50),
    "quorum_half_even": Broken("decide.quorum_voted", 8, 72),
    "flex_misconfig": Broken("quorums_meet", 0, 0),
    "promise_not_durable": Broken("promise.not_left", 4, 158),
    "accept_not_durable": Broken("propose_again.highest_vote", 10, 13_148),
    "accept_saves_stale_promise": Broken("promise.not_left", 6, 832),
    "restart_reuse_ballot": Broken("propose_freely.slot_unused", 9, 2_824),
    "wiped_disk_rejoins": Broken("promise.not_left", 4, 174),
    "corrupt_tail_truncated": Broken("propose_again.highest_vote", 10, 12_994),
    "commit_saved_before_entries": Broken("decide.quorum_voted", 9, 2_138),
    "two_file_state": Broken("propose_freely.slot_unused", 5, 456),
    "accept_revealed_before_saved": Broken("promise.not_left", 4, 239),
    "commit_index_trusted": Broken("decide.quorum_voted", 11, 10_677),
}

ALLOWED = {
    "apply_out_of_order": "decides as it should, and executes in another order",
    "no_dedupe": "decides as it should, and executes a command twice",
}
"""The bugs that do nothing that the proved protocol forbids, and what they do wrong."""


def found_by_property() -> dict[str, Any]:
    """What ``test_known_bugs`` pins of every bug."""
    file = Path(__file__).with_name("test_known_bugs.py")
    spec = importlib.util.spec_from_file_location("pinned_known_bugs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pinned: dict[str, Any] = module.FOUND
    return pinned


def test_every_bug_is_tried() -> None:
    assert sorted({*BROKEN, *ALLOWED}) == sorted(KNOWN_BUGS)


def test_no_bug_breaks_the_refinement_later_than_its_property() -> None:
    found = found_by_property()
    earlier = {name: found[name].events - broken.events for name, broken in BROKEN.items()}
    assert min(earlier.values()) == 0
    assert sum(count > 0 for count in earlier.values()) == EARLIER


EARLIER = 33
"""How many break it earlier."""

QUICK_STATES = 900


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if broken.states <= QUICK_STATES else [pytest.mark.slow])
        for name, broken in BROKEN.items()
    ],
)
def test_a_bug_breaks_the_refinement(name: str) -> None:
    bug = KNOWN_BUGS[name]
    found = check_refinement(bug.implementation, bug.scope)
    assert found.outcome == "violated"
    assert found.trace is not None
    broken = Broken(found.trace.violation.property, len(found.trace), found.states)
    assert broken == BROKEN[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALLOWED)
def test_a_bug_of_execution_decides_nothing_wrong(name: str) -> None:
    bug = KNOWN_BUGS[name]
    found = check_refinement(bug.implementation, bug.scope)
    assert found.outcome == "holds", found.trace


CLEAN = sorted({name for name, broken in BROKEN.items() if 0 < broken.events <= 6})


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAN)
def test_without_the_bug_there_is_nothing_to_find(name: str) -> None:
    """As far as the bug takes and some events further: it is the bug that is to blame."""
    bug = KNOWN_BUGS[name]
    found = check_refinement(bug.clean, bug.scope, depth_max=BROKEN[name].events + 3)
    assert found.outcome in ("inconclusive", "holds")
    assert found.trace is None


def test_the_documentation_has_the_same_table() -> None:
    found = found_by_property()
    text = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `(\w+)` \| `([\w.]+)` \| (\d+) \| `(\w+)` \| (\d+) \|$", text, re.MULTILINE
    )
    assert rows == [
        (name, broken.law, str(broken.events), found[name].property, str(found[name].events))
        for name, broken in BROKEN.items()
    ]
    for name, why in ALLOWED.items():
        assert f"`{name}` {why}" in " ".join(text.split())
