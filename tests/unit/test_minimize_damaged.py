"""Traces that cannot be minimized, and the shortest there are: what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from indelible import (
    Restart,
    Submit,
    Violation,
    always,
)
from indelible.checkers.minimize.pipeline import minimize
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.errors import TraceError
from indelible.model.trace import Trace
from support.haystack import known_haystack
from support.relay import TELL, WIDE, Relay, nothing_stored, told


def trace_of(*actions, scope=WIDE):
    return Trace("relay", scope, actions, Violation("", property="nothing_stored"))


def test_a_trace_that_does_not_fit():
    with pytest.raises(TraceError, match="step 2 cannot happen"):
        minimize(Relay(), trace_of(TELL, (1, told(7))), nothing_stored)


@pytest.mark.parametrize("actions", [(), (TELL,)])
def test_a_trace_that_violates_nothing(actions):
    with pytest.raises(TraceError, match="the trace does not violate nothing_stored"):
        minimize(Relay(), trace_of(*actions), nothing_stored)
    with pytest.raises(TraceError, match="the trace does not raise"):
        minimize(Relay(), trace_of(*actions), None)


def test_a_trace_that_ends_in_an_exception_instead():
    with pytest.raises(TraceError, match="ValueError: boom"):
        minimize(Relay(), trace_of((0, Submit("boom"))), nothing_stored)


def test_what_is_wrong_from_the_start():
    @always(reads="record", fields=("timers",))
    def nothing_armed(record):
        """No timer is armed."""
        return not record.timers

    small = minimize(Relay(), trace_of(TELL, (1, told(0))), nothing_armed)
    assert (len(small.trace), small.length, small.ratio) == (0, "shortest", 0.0)
    again = minimize(Relay(), small.trace, nothing_armed)
    assert (len(again.trace), again.length, again.ratio) == (0, "shortest", 1.0)


@dataclass(frozen=True)
class Broken(Relay):
    """Cannot start; or not again, once something was stored."""

    again: bool = field(default=False)

    def start(self, node, nodes, storage):
        if not self.again or storage is not None:
            raise ValueError("no start")
        return super().start(node, nodes, storage)


def test_an_implementation_that_raises_in_start():
    small = minimize(Broken(), trace_of(TELL), None)
    assert (len(small.trace), small.length) == (0, "shortest")
    assert "no start" in small.trace.violation.explanation
    with pytest.raises(TraceError, match="no start"):
        minimize(Broken(), trace_of(TELL), nothing_stored)


def test_an_implementation_that_raises_as_it_restarts():
    scope = replace(WIDE, restarts_max=1)
    actions = ((2, Submit("a")), TELL, (1, told(0)), (1, Restart()))
    small = minimize(Broken(again=True), trace_of(*actions, scope=scope), None)
    assert small.trace.actions == (TELL, (1, told(0)), (1, Restart()))
    assert small.length == "shortest"


def test_a_clean_implementation_has_nothing_to_minimize():
    bug = KNOWN_BUGS["no_dedupe"]
    hay = known_haystack(bug, seed=0)
    with pytest.raises(TraceError):
        minimize(MultiPaxos(), hay, BUILT_IN[bug.property])


def test_a_step_that_changes_nothing_is_no_violation():
    """No search judges it; so a trace that ends with one violates nothing."""

    @always(reads="step", fields=("sent",))
    def never_idle(before, event, after):  # noqa: ARG001
        """Each step sends something."""
        return before.sent != after.sent or not before.sent

    watch = Watch(Relay(), replace(WIDE, timeouts_max=None), never_idle)
    found = replay(watch, [TELL, TELL])
    assert found.outcome == "holds"
