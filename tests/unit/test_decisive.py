"""The rules of what was decisive: the least run in which each speaks, and near misses.

Each run is written down as who does what; the sentences are those that people read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from indelible import (
    NO_OP,
    Decide,
    Execute,
    Lead,
    Persist,
    Promise,
    Receive,
    Restart,
    Scope,
    Send,
    Submit,
    Vote,
)
from indelible.checkers.decisive import RULES, broken_rules
from indelible.checkers.history import histories
from indelible.checkers.property import world_of
from indelible.model.events import Action, Torn
from indelible.model.run import replayed
from support.scripted import Scripted

ONE, TWO, THREE = Submit("1"), Submit("2"), Submit("3")
CRASH = Restart()


def spoken(script: Mapping[Any, Any], *actions: Action, **fields: Any) -> list[tuple[int, str]]:
    """Every sentence about a run, with the number of its step. Three nodes, three events each."""
    bounds: dict[str, Any] = {
        "commands": ("1", "2", "3"),
        "submissions_max": None,
        "restarts_max": None,
        "torn": True,
    }
    implementation, scope = Scripted(script), Scope(**(bounds | fields))
    run = replayed(implementation, scope, actions)
    assert len(run.steps) == len(actions)
    world = world_of(implementation, scope)
    return [(own.step.number, says) for own in histories(run, world) for says in broken_rules(own)]


VOTE = Vote(0, 1, "a")
VOTES_A = {(node, ONE): (VOTE,) for node in (0, 1)}
CHOOSE_A = ((0, ONE), (1, ONE))


# --- saving -------------------------------------------------------------------------------------


LOST = "n0 crashes without having saved its vote for 'a' in slot 0 at ballot 1, cast in step {}"
SAVE = Persist("s")


def test_a_vote_is_lost_in_a_crash_if_nothing_was_saved_since() -> None:
    script = {(0, ONE): (VOTE,), (0, TWO): (SAVE,)}
    assert spoken(script, (0, ONE), (0, CRASH)) == [(2, LOST.format(1))]
    assert spoken(script, (0, TWO), (0, ONE), (1, CRASH), (0, CRASH)) == [(4, LOST.format(2))]


def test_a_promise_is_lost_likewise() -> None:
    says = "n0 crashes without having saved its promise of ballot 4, given in step 1"
    assert spoken({(0, ONE): (Promise(4),)}, (0, ONE), (0, CRASH)) == [(2, says)]


def test_a_vote_is_lost_where_another_step_is_torn() -> None:
    script = {(0, ONE): (VOTE,), (0, TWO): (Send(1, "m"), Send(1, "n"))}
    assert spoken(script, (0, ONE), (0, Torn(TWO, 1))) == [(2, LOST.format(1))]


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        # It was saved in the same step, before or after.
        ({(0, ONE): (SAVE, VOTE)}, ((0, ONE), (0, CRASH))),
        ({(0, ONE): (VOTE, SAVE)}, ((0, ONE), (0, CRASH))),
        # Something was saved later: nobody can see what.
        ({(0, ONE): (VOTE,), (0, TWO): (SAVE,)}, ((0, ONE), (0, TWO), (0, CRASH))),
        ({(0, ONE): (VOTE,), (0, TWO): (SAVE, Send(1, "m"))}, ((0, ONE), (0, Torn(TWO, 1)))),
        # It was saved in a torn step, and is said only when the same is asked again.
        ({(0, ONE): (SAVE, VOTE)}, ((0, Torn(ONE, 1)), (0, ONE), (0, CRASH))),
        # It is said again as the node starts again, so it was saved.
        ({(0, TWO): (SAVE,), (0, ONE): (VOTE,), (0, "start", "s"): (VOTE,)},
         ((0, TWO), (0, ONE), (0, CRASH))),
        ({(0, TWO): (SAVE,), (0, ONE): (Send(1, "m"), VOTE), (0, "start", "s"): (VOTE,)},
         ((0, TWO), (0, Torn(ONE, 1)), (0, CRASH))),
        # It is another node that crashes.
        ({(0, ONE): (VOTE,)}, ((0, ONE), (1, CRASH))),
    ],
)  # fmt: skip
def test_a_vote_that_may_have_been_saved_is_not_called_lost(script: Any, actions: Any) -> None:
    assert spoken(script, *actions) == []


def test_a_message_that_is_sent_again_is_no_news_to_who_saved_it_before() -> None:
    """On links that deliver once the second copy is another message, and says the same."""
    script = {(1, ONE): (Send(0, "m"),), (0, Receive(1, "m")): (SAVE, VOTE)}
    actions = ((1, ONE), (0, Torn(Receive(1, "m"), 1)), (1, ONE), (0, Receive(1, "m")), (0, CRASH))
    assert spoken(script, *actions, links="unordered") == []


TORN = (
    "n0 crashes after it has cast its vote for 'a' in slot 0 at ballot 1, and before it has saved "
    "it"
)


def test_a_vote_is_torn_from_the_saving_that_comes_after_it() -> None:
    script = {(0, ONE): (VOTE, Send(1, "m"), SAVE)}
    assert spoken(script, (0, Torn(ONE, 1))) == [(1, TORN)]
    assert spoken(script, (0, Torn(ONE, 2))) == [(1, TORN)]
    says = "n0 crashes after it has promised ballot 4, and before it has saved that"
    assert spoken({(0, ONE): (Promise(4), SAVE)}, (0, Torn(ONE, 1))) == [(1, says)]


@pytest.mark.parametrize(
    ("effects", "actions"),
    [
        ((SAVE, VOTE, Send(1, "m")), ((0, Torn(ONE, 2)),)),
        ((SAVE, VOTE, Persist("t")), ((0, Torn(ONE, 2)),)),  # Saved, and something else after it.
        ((VOTE, SAVE), ((0, ONE), (0, CRASH))),
        ((VOTE, SAVE), ((0, ONE), (0, Torn(ONE, 1)))),  # It was said and saved before.
        ((VOTE, Persist(None)), ((0, Torn(ONE, 1)),)),  # It saves what it has stored already.
    ],
)
def test_a_vote_that_is_saved_first_cannot_be_torn_from_it(effects: Any, actions: Any) -> None:
    assert spoken({(0, ONE): effects}, *actions) == []


def test_a_vote_said_again_by_the_restart_was_not_torn() -> None:
    script = {(0, ONE): (VOTE, SAVE), (0, "start"): (VOTE,)}
    assert spoken(script, (0, Torn(ONE, 1))) == []


def test_a_vote_that_a_node_never_cast() -> None:
    script = {(0, ONE): (SAVE,), (0, "start", "s"): (VOTE,)}
    says = "n0 starts again with a vote for 'a' in slot 0 at ballot 1, which it never cast"
    assert spoken(script, (0, ONE), (0, CRASH)) == [(2, says)]
    assert spoken(script, (0, ONE), (0, CRASH), (0, CRASH)) == [(2, says)]


@pytest.mark.parametrize(
    "actions",
    [
        ((0, ONE), (0, CRASH)),
        ((0, Torn(ONE, 1)),),  # Saved, and not yet said.
        ((0, Torn(ONE, 2)),),
        ((0, Torn(ONE, 1)), (0, CRASH)),
    ],
)
def test_a_vote_that_was_cast_is_said_again(actions: Any) -> None:
    script = {(0, ONE): (SAVE, VOTE, Send(1, "m")), (0, "start", "s"): (VOTE,)}
    assert spoken(script, *actions) == []


# --- votes --------------------------------------------------------------------------------------


def test_a_vote_against_what_is_chosen() -> None:
    script = VOTES_A | {(2, TWO): (Vote(0, 2, "b"),)}
    says = (
        "n2 votes for 'b' in slot 0 at ballot 2 although 'a' is already chosen there, at ballot 1"
    )
    assert spoken(script, *CHOOSE_A, (2, TWO)) == [(3, says)]
    assert spoken(script, CHOOSE_A[0], (2, TWO), CHOOSE_A[1]) == []  # Not chosen yet.


@pytest.mark.parametrize(
    "vote", [Vote(0, 2, "a"), Vote(1, 2, "b"), Vote(0, 0, "b"), Vote(0, 1, "a")]
)
def test_a_vote_for_what_is_chosen_elsewhere_or_below_it_is_none_against_it(vote: Vote) -> None:
    assert spoken(VOTES_A | {(2, TWO): (vote,)}, *CHOOSE_A, (2, TWO)) == []


def test_what_a_node_says_as_it_starts_again_it_has_voted_before() -> None:
    script = VOTES_A | {
        (2, TWO): (SAVE, Vote(0, 2, "b")),
        (2, "start", "s"): (),
        (2, "start", "t"): (Vote(0, 2, "b"),),
        (2, THREE): (Persist("t"),),
    }
    actions = ((2, Torn(TWO, 1)), *CHOOSE_A, (2, THREE), (2, CRASH))
    assert spoken(script, *actions) == []


def test_a_vote_below_a_promise() -> None:
    script = {(0, ONE): (Promise(3), Promise(2)), (0, TWO): (VOTE,), (0, THREE): (Vote(0, 3, "a"),)}
    says = "n0 votes for 'a' in slot 0 at ballot 1 although it has promised ballot 3, in step 1"
    assert (2, says) in spoken(script, (0, ONE), (0, TWO))
    assert spoken({(0, "start"): (Promise(3),), (0, TWO): (VOTE,)}, (0, TWO)) == [
        (1, says.replace("in step 1", "when it first started"))
    ]
    near = {(0, ONE): (Promise(3),), (0, THREE): (Vote(0, 3, "a"),), (1, TWO): (VOTE,)}
    assert spoken(near, (0, ONE), (0, THREE), (1, TWO)) == [], "at it, and by another node"
    assert spoken({(0, ONE): (VOTE, Promise(3))}, (0, ONE)) == [], "before it"


TWICE = (
    "{} votes for {} in slot 0 at ballot 1 although {} has voted for 'a' there in the same ballot, "
    "{}"
)


def test_two_values_in_a_ballot() -> None:
    script = {(0, ONE): (VOTE,), (1, ONE): (Vote(0, 1, NO_OP),), (0, TWO): (Vote(0, 1, "b"),)}
    says = TWICE.format("n1", "a no-op", "n0", "in step 1")
    assert spoken(script, (0, ONE), (1, ONE)) == [(2, says)]
    says = TWICE.format("n0", "'b'", "it", "in step 1")
    assert spoken(script, (0, ONE), (0, TWO)) == [(2, says)]
    both = {(0, ONE): (VOTE, Vote(0, 1, "b"))}
    assert spoken(both, (0, ONE)) == [(1, TWICE.format("n0", "'b'", "it", "in the same step"))]


@pytest.mark.parametrize("vote", [Vote(0, 1, "a"), Vote(1, 1, "b"), Vote(0, 2, "b")])
def test_one_value_in_each_ballot_and_slot(vote: Vote) -> None:
    assert spoken({(0, ONE): (VOTE,), (1, ONE): (vote,)}, (0, ONE), (1, ONE)) == []


# --- leading ------------------------------------------------------------------------------------


def test_two_leaders_of_a_ballot() -> None:
    script = {(0, ONE): (Lead(1),), (1, ONE): (Lead(1),), (2, ONE): (Lead(2),)}
    says = "n1 leads ballot 1 although n0 has won it already, in step 1"
    assert spoken(script, (0, ONE), (1, ONE)) == [(2, says)]
    assert spoken(script, (0, ONE), (2, ONE), (0, ONE)) == []


def test_to_lead_takes_a_quorum_of_promises() -> None:
    script = {(0, ONE): (Promise(1),), (0, TWO): (Lead(1),), (1, ONE): (Promise(1),)}
    says = "n0 leads ballot 1 although no quorum has promised it: only n0 has"
    assert spoken(script, (0, ONE), (0, TWO)) == [(2, says)]
    five = "n0 leads ballot 1 although no quorum has promised it: only n0 and n1 have"
    assert spoken(script, (0, ONE), (1, ONE), (0, TWO), nodes=5) == [(3, five)]
    assert spoken(script, (0, ONE), (1, ONE), (0, TWO)) == []
    assert spoken(script, (1, ONE), (0, TWO)) == [], "whoever leads stands by its own ballot"
    at_once = {(0, TWO): (Promise(1), Lead(1)), (1, ONE): (Promise(1),)}
    assert spoken(at_once, (1, ONE), (0, TWO)) == [], "its promise is given in the same step"
    assert spoken(at_once, (0, TWO), nodes=1) == []
    assert spoken(at_once, (0, TWO)) == [(1, says)]


def test_a_ballot_that_nobody_promised_was_given_away_beforehand() -> None:
    script = {(0, ONE): (Lead(0),), (1, ONE): (Promise(1),)}
    assert spoken(script, (1, ONE), (0, ONE)) == []


def test_a_promise_that_a_crash_left_unsaid_may_have_been_saved() -> None:
    script = {
        (0, ONE): (Promise(1),),
        (1, ONE): (SAVE, Promise(1)),
        (2, ONE): (Promise(1),),
        (0, TWO): (Lead(1),),
    }
    assert spoken(script, (0, ONE), (1, Torn(ONE, 1)), (0, TWO)) == []


def test_a_leadership_is_won_once_and_not_again_by_a_restart() -> None:
    script = {(0, "start"): (Lead(1),), (0, ONE): (Promise(1), SAVE), (0, TWO): (Lead(1),)}
    assert spoken(script, (0, ONE), (0, TWO), (0, CRASH)) == []


def test_a_promise_falls() -> None:
    script = {(0, ONE): (SAVE, Promise(3)), (0, TWO): (Promise(2),), (0, THREE): (Promise(4),)}
    says = "n0 promises ballot 2, although it has promised ballot 3, which is higher"
    assert spoken(script, (0, ONE), (0, TWO)) == [(2, says)]
    assert spoken(script, (0, TWO), (0, ONE), (0, THREE), (1, TWO)) == []


def test_a_promise_falls_in_a_restart() -> None:
    script = {(0, ONE): (SAVE, Promise(3)), (0, "start"): (Promise(2),)}
    says = "n0 starts again with its promise fallen from ballot 3 to 2"
    assert spoken(script, (0, ONE), (0, CRASH)) == [(2, says)]


# --- deciding and executing ---------------------------------------------------------------------


def test_a_decision_before_a_quorum_has_voted() -> None:
    decide = {(2, TWO): (Decide(0, "a"),)}
    says = "n2 decides 'a' in slot 0 although no quorum has voted for it: {}"
    assert spoken(VOTES_A | decide, (0, ONE), (2, TWO)) == [
        (2, says.format("at ballot 1 only n0 has"))
    ]
    assert spoken(VOTES_A | decide, *CHOOSE_A, (2, TWO)) == []
    apart = {(0, ONE): (VOTE,), (1, ONE): (Vote(0, 2, "a"),)}
    found = spoken(apart | decide, *CHOOSE_A, (2, TWO))
    assert found == [(3, says.format("at ballot 1 only n0 has; at ballot 2 only n1 has"))]
    other = {(0, ONE): (Vote(0, 1, "b"),), (1, ONE): (Vote(1, 1, "a"),)}
    found = spoken(other | decide, *CHOOSE_A, (2, TWO))
    assert found == [(3, says.format("nobody has"))]
    assert spoken(decide, (2, TWO)) == [], "nobody says how it votes"


def test_a_node_may_decide_by_a_vote_of_the_same_step_or_one_that_was_left_unsaid() -> None:
    script = {(0, ONE): (VOTE,), (1, ONE): (VOTE, Decide(0, "a"))}
    assert spoken(script, *CHOOSE_A) == []
    script = {(0, ONE): (VOTE,), (1, ONE): (SAVE, VOTE), (2, TWO): (Decide(0, "a"),)}
    assert spoken(script, (0, ONE), (1, Torn(ONE, 1)), (2, TWO)) == []


LOG = {(node, ONE): (Vote(0, 1, "a"), Vote(1, 1, "b")) for node in (0, 1)}


def test_a_command_executed_over_a_gap() -> None:
    says = "n2 executes 'b', decided in slot 1, although it has not decided slot 0"
    script = LOG | {(2, TWO): (Decide(1, "b"), Execute(0, "b")), (2, ONE): (Decide(0, "a"),)}
    assert spoken(script, *CHOOSE_A, (2, TWO)) == [(3, says)]
    assert spoken(script, *CHOOSE_A, (2, ONE), (2, TWO)) == []


def test_a_command_decided_twice_may_be_executed_below_a_gap() -> None:
    """What is decided in slots 0 and 2 is executed for slot 0, whatever is missing in between."""
    votes = tuple(Vote(slot, 1, value) for slot, value in enumerate("aba"))
    script = {(node, ONE): votes for node in (0, 1)}
    script[2, TWO] = (Decide(2, "a"), Decide(0, "a"), Execute(0, "a"))
    assert spoken(script, *CHOOSE_A, (2, TWO)) == []


def test_a_log_may_begin_anywhere() -> None:
    """Nobody uses slot 0 here, so nothing is missing from it."""
    script = {(node, ONE): (Vote(1, 1, "b"),) for node in (0, 1)}
    script[2, TWO] = (Decide(1, "b"), Execute(0, "b"))
    assert spoken(script, *CHOOSE_A, (2, TWO)) == []


def test_a_command_executed_again() -> None:
    script = {
        (0, ONE): (Execute(0, "a"),),
        (0, TWO): (Execute(1, "a"),),
        (1, TWO): (Execute(1, "a"),),
    }
    says = "n0 executes 'a' as number 1 although it has executed it as number 0, in step 1"
    assert spoken(script, (0, ONE), (0, TWO)) == [(2, says)]
    assert spoken(script, (0, ONE), (0, ONE), (1, TWO)) == [], "the same again, or another node"
    both = {(0, ONE): (Execute(0, "a"), Execute(1, "a"))}
    assert spoken(both, (0, ONE)) == [(1, says.replace("in step 1", "in the same step"))]


# --- ballots, values and names of any kind ------------------------------------------------------


@dataclass(frozen=True)
class Odd:
    """A ballot that compares with nothing, and has no text of its own."""

    parts: frozenset[str]


def test_ballots_that_do_not_compare_break_no_rule_and_no_judge() -> None:
    odd = Odd(frozenset({"x", "y", "z"}))
    script = {
        (0, ONE): (Vote(0, odd, "a"), Promise(odd)),
        (1, ONE): (Vote(0, odd, "b"), Lead(odd)),
        (2, ONE): (Vote(0, 1, "b"), Vote(1, "q", "b"), Decide(0, "a"), Promise(2)),
    }
    text = "Odd(parts={'x', 'y', 'z'})"
    vote, decision = spoken(script, (0, ONE), (1, ONE), (2, ONE))
    says = TWICE.format("n1", "'b'", "n0", "in step 1").replace("ballot 1", f"ballot {text}")
    assert vote == (2, says)
    says = "n2 decides 'a' in slot 0 although no quorum has voted for it"
    assert decision == (3, f"{says}: at ballot {text} only n0 has")


def test_values_and_names_are_shown_without_the_order_of_a_set() -> None:
    value = frozenset({"x", "y", "z"})
    script = {("ann", ONE): (Vote(0, "b1", value),), ("bob", ONE): (Vote(0, "b1", "v"),)}
    says = (
        "bob votes for 'v' in slot 0 at ballot b1 although ann has voted for {'x', 'y', 'z'} there "
        "in the same ballot, in step 1"
    )
    assert spoken(script, ("ann", ONE), ("bob", ONE), nodes=("ann", "bob", "cid")) == [(2, says)]


def test_a_step_that_raises_breaks_no_rule() -> None:
    assert spoken({(0, ONE): "oh"}, (0, ONE)) == []


def test_every_rule_has_a_run_here_in_which_it_speaks() -> None:
    """A new rule must come with one."""
    assert [rule.__name__ for rule in RULES] == [
        "vote_not_saved",
        "vote_torn_from_save",
        "vote_never_cast",
        "vote_against_chosen",
        "vote_below_promise",
        "two_values_in_a_ballot",
        "two_leaders_of_a_ballot",
        "lead_without_quorum",
        "promise_forgotten",
        "decided_before_chosen",
        "executed_over_gap",
        "executed_again",
    ]
