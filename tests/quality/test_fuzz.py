"""Random testing finds every known bug, from a seed, within a stated number of runs.

Each is looked for in its own scope, with every property on, by the runs that `indelible fuzz NAME
--seed 1` makes; so a number here is that of the first run that fails. Each takes some seconds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible.checkers.properties import default_properties
from indelible.checkers.walks.runs import Campaign
from indelible.cli import main
from indelible.impl.known_bugs import KNOWN_BUGS

SEED = 1

SEEDS = {"ack_any_ballot": 4}
"""Others, where the first run that fails has a number in the thousands with that one."""

FOUND: dict[str, tuple[int, str]] = {
    "promise_hides_accepted": (20, "votes_are_safe"),
    "ballot_zero_ignored": (92, "votes_are_safe"),
    "promise_reports_promised_ballot": (167, "votes_are_safe"),
    "promise_omits_decided": (38, "votes_are_safe"),
    "promise_forgotten_on_stepdown": (1, "promise_never_falls"),
    "ballot_not_unique": (4, "one_leader_per_ballot"),
    "dup_promise_counted": (2, "leaders_are_promised"),
    "stale_promise_counted": (0, "leaders_are_promised"),
    "keep_old_promises": (2, "leaders_are_promised"),
    "stale_adoption": (0, "leaders_are_promised"),
    "bump_without_prepare": (5, "votes_are_safe"),
    "phase1_quorum_half": (0, "leaders_are_promised"),
    "implied_promise": (2, "leaders_are_promised"),
    "pick_last_arrived": (167, "votes_are_safe"),
    "pick_lowest": (167, "votes_are_safe"),
    "late_promise_rewrites": (35, "one_value_per_ballot"),
    "noop_overwrites": (5, "votes_are_safe"),
    "next_slot_from_own_log": (20, "one_value_per_ballot"),
    "choose_longest_log": (167, "votes_are_safe"),
    "accept_below_promise": (5, "votes_keep_promises"),
    "accept_no_bump": (89, "votes_are_safe"),
    "ack_without_storing": (5, "decided_implies_chosen"),
    "ack_by_value": (20, "decided_implies_chosen"),
    "truncate_on_old_append": (131, "votes_are_safe"),
    "rollback_committed_on_stepdown": (2, "execution_not_repeated"),
    "election_by_proposed_term": (5, "votes_keep_promises"),
    "ack_any_ballot": (113, "decided_implies_chosen"),
    "dup_ack_counted": (2, "decided_implies_chosen"),
    "phase2_quorum_half": (2, "decided_implies_chosen"),
    "quorum_half_even": (2, "decided_implies_chosen"),
    "flex_misconfig": (2, "votes_are_safe"),
    "promise_not_durable": (2, "promise_never_falls"),
    "accept_not_durable": (155, "votes_are_safe"),
    "accept_saves_stale_promise": (2, "promise_never_falls"),
    "restart_reuse_ballot": (23, "one_value_per_ballot"),
    "wiped_disk_rejoins": (2, "promise_never_falls"),
    "corrupt_tail_truncated": (155, "votes_are_safe"),
    "commit_saved_before_entries": (38, "agreement"),
    "two_file_state": (140, "one_value_per_ballot"),
    "accept_revealed_before_saved": (35, "promise_never_falls"),
    "commit_index_trusted": (20, "agreement"),
    "apply_out_of_order": (2, "log_prefix"),
    "no_dedupe": (2, "at_most_once"),
}
"""The number of the first run that fails, and the property that it violates."""

QUICK_RUNS = 60


def test_every_known_bug_is_looked_for() -> None:
    assert FOUND.keys() == KNOWN_BUGS.keys()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if number <= QUICK_RUNS else [pytest.mark.slow])
        for name, (number, _) in FOUND.items()
    ],
)
def test_random_runs_find_a_known_bug(name: str) -> None:
    bug = KNOWN_BUGS[name]
    seed = SEEDS.get(name, SEED)
    campaign = Campaign(bug.implementation, bug.scope, default_properties(), seed=seed)
    for number in range(FOUND[name][0]):
        run = campaign.run(number)
        assert run.failure is None or run.failure.waits
    last = campaign.run(FOUND[name][0])
    assert last.failure is not None
    assert last.failure.violated[0] == FOUND[name][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stale_adoption", "restart_reuse_ballot"])
def test_the_two_that_are_known_to_be_hard(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command, on two processes, within two minutes, up to a minimized trace."""
    monkeypatch.chdir(tmp_path)
    words = [
        "fuzz",
        name,
        "--seed",
        str(SEED),
        "--workers",
        "2",
        "--time",
        "2m",
        "--first",
        "--json",
    ]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    assert found["kept"][0]["run"] == FOUND[name][0]
    assert found["seconds"] < 120
    assert Path(found["saved"][0]).exists()


@pytest.mark.slow
def test_the_clean_implementation_has_none_of_them() -> None:
    """Some of the same runs, in every one of these scopes; an equal question is asked once."""
    asked: list[object] = []
    for bug in KNOWN_BUGS.values():
        if (bug.clean, bug.scope) in asked:
            continue
        asked.append((bug.clean, bug.scope))
        campaign = Campaign(bug.clean, bug.scope, default_properties(), seed=SEED)
        for number in range(QUICK_RUNS // 4):
            assert campaign.run(number).failure is None, (bug.name, number)
