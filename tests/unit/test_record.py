"""The record: what the world remembers of a node after each event and effect, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.model.effects import (
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import ImplementationError
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.record import (
    Envelope,
    Receipt,
    Record,
    after_effects,
    after_event,
    after_restart,
    is_deliverable,
    may_fire,
    new_envelopes,
    submissions_of,
)
from indelible.model.scope import ALL_TIMERS, Links, Scope

NOTHING = Record()
UNBOUNDED = Scope(
    commands=("a", "b"), submissions_max=None, timeouts_max=None, restarts_max=None, links="ordered"
)
BOUNDED = Scope(commands=("a", "b"), submissions_max=2, timeouts_max=2, restarts_max=2)


def after(*effects: Effect, scope: Scope = UNBOUNDED, record: Record = NOTHING) -> Record:
    return after_effects(record, 0, effects, scope)


# --- sending ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "numbers"),
    [
        ("unordered_duplicating", {("x", 0), ("y", 0)}),
        ("unordered", {("x", 1), ("y", 1), ("x", 2)}),
        ("ordered", {("x", 1), ("y", 2), ("x", 3)}),
    ],
)
def test_envelopes_are_numbered_as_far_as_the_links_tell_them_apart(
    links: Links, numbers: set[tuple[str, int]]
) -> None:
    """x, y, then x again to node 1; what goes to node 2 is counted on its own."""
    first = new_envelopes(frozenset(), [Send(1, "x"), Send(2, "x"), Send(1, "y")], links)
    second = new_envelopes(frozenset(first), [Send(1, "x"), Reply("a", "no envelope")], links)
    sent = {(each.message, each.number) for each in (*first, *second) if each.to == 1}
    assert sent == numbers
    assert [each for each in first if each.to == 2] == [Envelope(2, "x", first[0].number)]


@pytest.mark.parametrize("links", ["unordered", "ordered"])
def test_sending_twice_in_one_step_is_sending_twice(links: Links) -> None:
    envelopes = new_envelopes(frozenset(), [Send(1, "x"), Send(1, "x")], links)
    assert envelopes == (Envelope(1, "x", 1), Envelope(1, "x", 2))


# --- receiving ----------------------------------------------------------------------------------


def test_what_duplicating_links_deliver_is_not_counted() -> None:
    scope = Scope(links="unordered_duplicating")
    record = after_event(Record(), 0, Receive(1, "x"), scope)
    assert record == Record()
    assert is_deliverable(record, 1, "x", 0, scope.links)


def test_unordered_links_deliver_each_copy_once() -> None:
    scope = Scope(links="unordered")
    record = after_event(Record(), 0, Receive(1, "x"), scope)
    assert record.received == {Receipt(1, "x", 1)}
    assert not is_deliverable(record, 1, "x", 1, scope.links)
    assert is_deliverable(record, 1, "x", 2, scope.links)
    assert is_deliverable(record, 1, "y", 1, scope.links), "messages are counted apart"
    assert is_deliverable(record, 2, "x", 1, scope.links), "sources are counted apart"


def test_ordered_links_deliver_the_next_one_only() -> None:
    scope = Scope(links="ordered")
    assert not is_deliverable(Record(), 1, "y", 2, scope.links)
    record = after_event(Record(), 0, Receive(1, "x"), scope)
    assert record.received == {Receipt(1, None, 1)}
    assert is_deliverable(record, 1, "y", 2, scope.links)
    assert not is_deliverable(record, 1, "x", 1, scope.links)
    assert is_deliverable(record, 2, "z", 1, scope.links), "each source has a link of its own"
    record = after_event(record, 0, Receive(1, "y"), scope)
    assert record.received == {Receipt(1, None, 2)}, "one receipt per link, whatever came"


# --- budgets ------------------------------------------------------------------------------------


def test_what_is_not_bounded_is_not_counted() -> None:
    record = after(SetTimer("t", (1, 1)))
    for event in (Submit("a"), Timeout("t")):
        record = after_event(record, 0, event, UNBOUNDED)
    assert after_restart(record, UNBOUNDED) == Record()
    assert submissions_of(record, "a", UNBOUNDED) == 0


def test_submissions_are_counted_by_command() -> None:
    record = Record()
    for command in ("b", "b", "a"):
        record = after_event(record, 0, Submit(command), BOUNDED)
    assert record.submissions == (1, 2)
    assert submissions_of(record, "b", BOUNDED) == 2
    assert submissions_of(Record(), "b", BOUNDED) == 0


def test_timeouts_are_counted_together_or_by_timer() -> None:
    by_timer = Scope(timeouts_max={"x": 2, "y": 1})
    together, apart = Record(), Record()
    for timer in ("x", "y"):
        together = after_event(together, 0, Timeout(timer), BOUNDED)
        apart = after_event(apart, 0, Timeout(timer), by_timer)
    assert together.timeouts == {(ALL_TIMERS, 2)}
    assert apart.timeouts == {("x", 1), ("y", 1)}
    assert not may_fire(together, 0, "x", BOUNDED)
    assert may_fire(apart, 0, "x", by_timer)
    assert not may_fire(apart, 0, "y", by_timer)
    assert may_fire(apart, 0, "z", by_timer), "a timer that the mapping does not name"


def test_a_restart_takes_the_timers_and_is_counted() -> None:
    before = after(
        SetTimer("t", (1, 1)), Persist("p"), Decide(0, "a"), Execute(0, "a"), Promise(3), Lead(3)
    )
    record = after_restart(before, BOUNDED)
    assert record == before._replace(timers=frozenset(), restarts=1)
    assert after_restart(record, BOUNDED).restarts == 2


# --- timers -------------------------------------------------------------------------------------


def test_timers_are_armed_anew_and_disarmed_in_order() -> None:
    assert after(SetTimer("x", (1, 1)), SetTimer("x", (5, 9))).timers == {"x"}
    assert after(SetTimer("x", (1, 1)), CancelTimer("x")).timers == set()
    assert after(CancelTimer("x"), SetTimer("x", (1, 1))).timers == {"x"}


def test_a_timer_that_fires_is_no_longer_armed() -> None:
    record = after(SetTimer("x", (1, 1)), SetTimer("y", (1, 1)), scope=BOUNDED)
    assert after_event(record, 0, Timeout("x"), BOUNDED).timers == {"y"}


def test_timers_are_dropped_when_none_may_fire_any_more() -> None:
    """Not only the one that fired last: all that share its budget, also those armed before."""
    record = after(SetTimer("x", (1, 1)), SetTimer("y", (1, 1)), scope=BOUNDED)
    for _ in range(2):
        assert record.timers == {"x", "y"}
        record = after_event(record, 0, Timeout("x"), BOUNDED)
        record = after(SetTimer("x", (1, 1)), scope=BOUNDED, record=record)
    assert record.timers == set()


# --- what was decided, executed and testified ---------------------------------------------------


def test_entries_are_sets_in_order_of_their_number() -> None:
    said = (Decide(2, "c"), Decide(0, "a"), Decide(2, "c"), Execute(1, "b"), Execute(0, "a"))
    record = after(*said)
    assert record.decided == ((0, "a"), (2, "c"))
    assert record.executed == ((0, "a"), (1, "b"))
    assert record == after(*reversed(said)), "no order of what does not contradict is kept"


def test_a_contradicting_entry_stands_after_the_first() -> None:
    assert after(Decide(0, "b"), Decide(1, "c"), Decide(0, "a")).decided == (
        (0, "b"),
        (0, "a"),
        (1, "c"),
    )


def test_votes_are_a_set_in_order_of_slot_and_ballot() -> None:
    said = (Vote(1, 1, "x"), Vote(0, 2, "y"), Vote(0, 1, "z"), Vote(0, 2, "y"))
    assert after(*said).votes == ((0, 1, "z"), (0, 2, "y"), (1, 1, "x"))


def test_ballots_without_an_order_are_the_implementations_fault() -> None:
    with pytest.raises(ImplementationError, match="cannot be compared") as caught:
        after(Vote(0, (1, 0), "x"), Vote(0, None, "x"))
    assert "give ballots an order" in caught.value.remedy


def test_a_promise_replaces_the_last_and_leaderships_add_up() -> None:
    record = after(Promise(5), Lead(5), Promise(3), Lead(3), Lead(5))
    assert record.promised == 3, "to judge that is the business of a property"
    assert record.leaderships == (5, 3)


@pytest.mark.parametrize("effect", [Reply("a", "ok"), Send(1, "x")])
def test_other_effects_leave_no_mark(effect: Any) -> None:
    """What is sent is added by ``new_envelopes``."""
    assert after(effect) == Record()
