"""Each stage of minimizing alone: what it takes for simpler, what it keeps, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible import (
    Restart,
    Scope,
    Submit,
    Timeout,
    Torn,
    Violation,
    always,
)
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import minimize
from indelible.checkers.minimize.removal import remove_events
from indelible.checkers.minimize.reorder import in_causal_order
from indelible.checkers.minimize.restrict import restricted, used_scope
from indelible.checkers.minimize.schedule import Intent, Origin, play, schedule
from indelible.checkers.minimize.shortest import search_shorter
from indelible.checkers.minimize.simplify import simpler, weight
from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.run import replayed
from indelible.model.trace import Trace
from support.haystack import known_haystack
from support.relay import TELL, WIDE, Relay, relay, told


def events(played):
    return [intent.event for intent in played.intents]


# --- schedule ----------------------------------------------------------------------------------


def test_a_message_is_known_by_who_sent_it_and_not_by_what_it_says():
    """Without a submission the same step sends another number, and that is what arrives."""
    watch = relay()
    played = play(watch, schedule([(0, Submit("a")), TELL, (1, told(1))]))
    assert [intent.origin for intent in played.intents] == [None, None, Origin(1, 0)]
    without = play(watch, played.intents, [1, 2])
    assert without.actions == (TELL, (1, told(0)))
    assert without.intents[1].origin == Origin(0, 0)
    assert without.violation is not None


def test_what_an_event_caused_goes_with_it():
    played = play(relay(), schedule([TELL, (1, told(0))]))
    assert play(relay(), played.intents, [1]).intents == ()


def test_what_changes_nothing_is_skipped():
    """A node that is told nothing new does nothing new; and the last event still counts."""
    watch = relay(BUILT_IN["agreement"])
    actions = [TELL, TELL, (1, told(0)), (1, told(0)), (2, told(0))]
    assert events(play(watch, schedule(actions))) == [TELL[1], TELL[1], told(0), told(0)]


def test_an_exception_is_skipped_unless_it_is_what_is_watched_for():
    actions = [(0, Submit("a")), (0, Submit("boom")), TELL, (1, told(1))]
    played = play(relay(), schedule(actions))
    assert played.actions == (actions[0], *actions[2:])
    assert played.violation is not None
    raised = play(relay(None), schedule(actions))
    assert raised.actions == tuple(actions[:2])
    assert raised.violation.property == RAISES


def test_a_torn_receive_is_resolved_too():
    watch = relay(restarts_max=1, torn=True)
    torn = Torn(told(1), 1)
    played = play(watch, schedule([(0, Submit("a")), TELL, (1, torn)]))
    assert played.intents[2] == Intent(1, torn, Origin(1, 0))
    assert play(watch, played.intents, [1, 2]).actions[1] == (1, Torn(told(0), 1))


@pytest.mark.parametrize("links", ["unordered", "ordered"])
def test_each_of_equal_messages_has_a_sender_of_its_own(links):
    """The second that arrives is the one that was sent second, and goes with its sender."""
    watch = relay(BUILT_IN["agreement"], links=links)
    played = play(watch, schedule([TELL, TELL, (1, told(0)), (1, told(0))]))
    assert [intent.origin for intent in played.intents[2:]] == [Origin(0, 0), Origin(1, 0)]
    without = play(watch, played.intents, [0, 2, 3])
    assert without.actions == (TELL, (1, told(0)))


def test_where_links_duplicate_the_first_sender_counts():
    watch = relay(BUILT_IN["agreement"])
    played = play(watch, schedule([TELL, (1, told(0)), TELL, (2, told(0))]))
    assert [intent.origin for intent in played.intents] == [
        None,
        Origin(0, 0),
        None,
        Origin(0, 0),
    ]


# --- removal -----------------------------------------------------------------------------------


def test_what_the_violation_can_do_without_is_removed():
    noise = [(2, Submit("a")), (2, Timeout("tell")), (0, told(1, source=2)), (0, Submit("b"))]
    intents = play(relay(BUILT_IN["agreement"]), schedule([*noise, TELL, (1, told(1))])).intents
    kept = remove_events(relay(), intents)
    assert len(kept) == 2
    assert events(play(relay(), kept))[-1].message == ("told", kept[-1].event.message[1])


def test_two_events_that_can_only_go_together_go():
    """No one of them can go alone, nor any run of them that is tried."""

    @always(reads="step", fields=("submissions",))
    def boom_while_even(before, event, after):  # noqa: ARG001
        """Nobody submits the third command while the first two were submitted equally often."""
        count_a, count_b, *_ = before.submissions or (0, 0)
        return event != Submit("c") or count_a != count_b

    watch = relay(boom_while_even, commands=("a", "b", "c"), submissions_max=3)
    intents = schedule([(0, Submit(command)) for command in "aaabbbc"])
    assert events(play(watch, remove_events(watch, intents))) == [Submit("c")]


# --- simplify ----------------------------------------------------------------------------------


def simplest(watch, actions):
    """What the pipeline makes of it, without a search."""
    trace = Trace("", watch.scope, tuple(actions), Violation("", property=""))
    return minimize(watch.implementation, trace, watch.property, search=False).trace


def test_five_nodes_become_two_that_are_numbered_from_0():
    watch = relay(nodes=range(5))
    trace = simplest(watch, [(4, Timeout("tell")), (2, told(0, source=4))])
    assert trace.scope.nodes == (0, 1)
    assert trace.actions == (TELL, (1, told(0)))


def test_nodes_that_have_names_keep_them():
    watch = relay(nodes=("x", "y", "z"))
    trace = simplest(watch, [("z", Timeout("tell")), ("y", told(0, source="z"))])
    assert trace.scope.nodes == ("y", "z")
    assert trace.actions[0] == ("z", Timeout("tell"))


def test_nodes_act_in_the_order_of_their_numbers_where_the_scope_lets_them():
    actions = [(1, Timeout("tell")), (0, told(0, source=1))]
    assert simplest(relay(nodes=2), actions).actions == (TELL, (1, told(0)))
    kept = simplest(relay(nodes=2, may_time_out=(1,)), actions)
    assert kept.actions == tuple(actions)
    assert kept.scope.may_time_out == (1,)


@always(reads="records", fields=("submissions",))
def never_two_submitted(records):
    """Clients submit no two commands."""
    return sum(sum(record.submissions) for record in records) < 2


def test_commands_are_merged_where_they_may_be_submitted_so_often():
    actions = [(0, Submit("b")), (0, Submit("a"))]
    watch = relay(never_two_submitted, commands=("x", "a", "b"))
    trace = simplest(watch, actions)
    assert [event.command for _, event in trace.actions] == ["x", "x"]
    assert (trace.scope.commands, trace.scope.submissions_max) == (("x",), 2)
    watch = relay(never_two_submitted, commands=("x", "a", "b"), submissions_max=1)
    trace = simplest(watch, actions)
    assert [event.command for _, event in trace.actions] == ["x", "a"]


def test_a_torn_step_becomes_a_whole_one_or_a_restart():
    watch = relay(restarts_max=1, torn=True)
    assert simplest(watch, [TELL, (1, Torn(told(0), 1))]).actions == (TELL, (1, told(0)))

    @always(reads="record", fields=("restarts",))
    def never_restarted(record):
        """No node restarts."""
        return record.restarts == 0

    watch = relay(never_restarted, restarts_max=1, torn=True)
    trace = simplest(watch, [TELL, (1, Torn(told(0), 1))])
    assert trace.actions == ((0, Restart()),)
    assert not trace.scope.torn


def test_every_candidate_of_a_scope_is_inside_it_and_asks_for_no_more_events():
    watch = relay(nodes=4, restarts_max=1, torn=True)
    actions = [(0, Submit("b")), (0, Submit("a")), TELL, (1, Torn(told(2), 1))]
    intents = play(watch, schedule(actions)).intents
    for candidate in simpler(watch.scope, intents):
        assert len(candidate.intents) == len(intents)
        fewer = len(candidate.scope.nodes) < 4
        assert fewer or candidate.scope == watch.scope
    assert {len(candidate.scope.nodes) for candidate in simpler(watch.scope, intents)} == {2, 3, 4}
    light = play(watch, schedule([TELL, (1, told(0))])).intents
    assert weight(watch.scope, light) < weight(watch.scope, intents)


def test_what_cannot_be_judged_with_fewer_nodes_keeps_them():
    @always(reads="records", fields=("storage",))
    def third_stores_nothing(records):
        """The third node stores nothing."""
        return records[2].storage is None

    trace = simplest(relay(third_stores_nothing, nodes=4), [TELL, (2, told(0))])
    assert trace.scope.nodes == (0, 1, 2)


# --- restrict ----------------------------------------------------------------------------------

USED = [(0, Submit("b")), (0, Submit("b")), TELL, (2, told(2)), (2, Restart())]


@pytest.mark.parametrize(
    ("bound", "used"),
    [
        (4, 1),
        (None, 1),
        ({"tell": 3, "other": 2}, {"tell": 1, "other": 0}),
        ({}, {"tell": 1}),
    ],
)
def test_the_scope_that_is_used(bound, used):
    scope = replace(WIDE, timeouts_max=bound, restarts_max=None, torn=True, submissions_max=None)
    run = replayed(Relay(), scope, tuple(USED))
    assert used_scope(run) == Scope(
        nodes=3,
        commands=("b",),
        submissions_max=2,
        may_submit=(0,),
        timeouts_max=used,
        may_time_out=(0,),
        restarts_max=1,
        torn=False,
    )


def test_a_bound_stays_where_the_property_would_not_see_the_same():
    """A timer that may not fire again is forgotten, so that none is armed in the scope used."""

    @always(reads="record", fields=("storage", "timers"))
    def stores_nothing_while_armed(record):
        """No node stores anything while a timer is armed."""
        return record.storage is None or not record.timers

    watch = relay(stores_nothing_while_armed)
    narrower, intents = restricted(watch, schedule([TELL, (1, told(0))]))
    assert narrower.scope.timeouts_max == 1
    assert narrower.scope.may_time_out is None
    assert narrower.scope.commands == ()
    assert play(narrower, intents).violation is not None


@pytest.mark.parametrize("search", [False, True])
def test_a_scope_that_makes_the_trace_shorter_is_narrowed_again(search):
    """The fewer commands there are, the fewer have to be submitted: one, of one."""

    @always(reads="records", fields=("submissions",))
    def fewer_submitted_than_there_are(records, *, world):
        """Fewer commands are submitted than there are."""
        return sum(sum(record.submissions) for record in records) < len(world.commands)

    scope = replace(WIDE, commands=("a", "b", "c"))
    actions = tuple((0, Submit(command)) for command in "aab")
    trace = Trace("", scope, actions, Violation(""))
    small = minimize(Relay(), trace, fewer_submitted_than_there_are, search=search)
    assert small.trace.actions == ((0, Submit("a")),)
    assert small.trace.scope.commands == ("a",)


def test_no_timer_that_the_trace_never_arms_is_let_loose():
    """One bound for all timers may not become bounds by name: others would be unbounded."""
    bug = KNOWN_BUGS["no_dedupe"]
    hay = known_haystack(bug, seed=1, events=40)
    trace = replace(hay, scope=replace(hay.scope, timeouts_max=60))
    small = minimize(bug.implementation, trace, BUILT_IN[bug.property])
    assert small.trace.scope.timeouts_max == 1
    assert len(small.trace) == 9


# --- search ------------------------------------------------------------------------------------


def test_an_exception_met_by_the_search_is_not_taken_for_the_bug():
    """It is nearer than the violation, and the search reports what is nearest."""
    watch = relay(submissions_max=1, timeouts_max=1)
    actions = ((0, Submit("a")), TELL, (1, told(1)))
    searched = search_shorter(watch, actions, Limits())
    assert searched.actions == actions
    assert not searched.proven
    assert "the implementation raises an exception within 1 events" in searched.says
    quiet = relay(submissions_max=1, timeouts_max=1, commands=("a",))
    searched = search_shorter(quiet, actions, Limits())
    assert len(searched.actions) == 2
    assert searched.proven


def test_what_a_search_may_not_say_yet_proves_nothing():
    """It waits for a vote before it says that the property is violated, and a replay does not."""

    @always(reads="record", fields=("storage", "votes"))
    def nothing_stored_by_voters(record):
        """No node stores anything, whatever it votes for."""
        return record.storage is None

    watch = relay(nothing_stored_by_voters, submissions_max=1, timeouts_max=1, commands=("a",))
    searched = search_shorter(watch, ((0, Submit("a")), TELL, (1, told(1))), Limits())
    assert not searched.proven
    assert "nothing_stored_by_voters is not observable" in searched.says
    assert search_shorter(watch, (TELL, (1, told(0))), Limits()).proven


# --- reorder -----------------------------------------------------------------------------------


@always(reads="record", fields=("storage",))
def never_stored_two(record):
    """No node stores two."""
    return record.storage != 2


def test_events_are_told_as_a_story():
    """What n2 tells comes in one piece, and right before it what made it tell that."""
    actions = [
        (2, Submit("a")),
        (0, Submit("b")),
        (2, Timeout("tell")),
        (0, Submit("b")),
        TELL,
        (1, told(1, source=2)),
        (1, told(2)),
    ]
    ordered = in_causal_order(relay(never_stored_two), schedule(actions))
    assert ordered == (
        (2, Submit("a")),
        (2, Timeout("tell")),
        (1, told(1, source=2)),
        (0, Submit("b")),
        (0, Submit("b")),
        TELL,
        (1, told(2)),
    )
    assert in_causal_order(relay(never_stored_two), schedule(ordered)) == ordered


def test_an_order_that_the_property_minds_stays():
    @always(reads="records", fields=("storage", "submissions", "sent"))
    def tells_before_all_else(records):
        """Nothing is stored at all, and nothing is submitted before something is sent."""
        submitted = any(any(record.submissions) for record in records)
        stored = any(record.storage is not None for record in records)
        return not stored and (not submitted or any(record.sent for record in records))

    actions = (TELL, (2, Submit("a")), (1, told(0)))
    assert in_causal_order(relay(), schedule(actions)) == (actions[1], actions[0], actions[2])
    assert in_causal_order(relay(tells_before_all_else), schedule(actions)) == actions
