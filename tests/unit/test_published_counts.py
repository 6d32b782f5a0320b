"""Counts that independent tools published, for a model that can be restated here.

Two-phase commit after Gray and Lamport ("Consensus on Transaction Commit", section 3 and the TLA+
module TwoPhase): TLC reports 288 distinct states for three resource managers, and the tests of
Stateright's ``examples/2pc.rs`` pin 288 and 8,832 for three and five.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from indelible import CancelTimer, Receive, Scope, Send, SetTimer, Timeout, always, explore

MANAGER = 0
AFTER = (1, 1)


@dataclass(frozen=True)
class TransactionManager:
    """Node 0: its decision, and who told it to be prepared before that."""

    resources: tuple[int, ...]
    phase: str = "init"
    prepared: frozenset[int] = frozenset()


@dataclass(frozen=True)
class TwoPhaseCommit:
    """What TLA+ writes as an action that may happen at any time is a timer here."""

    def start(self, node, nodes, storage):
        if node == MANAGER:
            return TransactionManager(nodes[1:]), (SetTimer("abort", AFTER),)
        return "working", (SetTimer("prepare", AFTER), SetTimer("give up", AFTER))

    def handle(self, node, state, event):
        match state, event:
            case TransactionManager(), Timeout(decision):
                return self._decide(state, "committed" if decision == "commit" else "aborted")
            case TransactionManager(phase="init"), Receive(resource, "prepared"):
                prepared = state.prepared | {resource}
                ready = len(prepared) == len(state.resources)
                effects = (SetTimer("commit", AFTER),) if ready else ()
                return replace(state, prepared=prepared), effects
            case "working", Timeout("prepare"):
                return "prepared", (CancelTimer("give up"), Send(MANAGER, "prepared"))
            case "working", Timeout("give up"):
                return "aborted", (CancelTimer("prepare"),)
            case _, Receive(_, ("committed" | "aborted") as decision):
                return decision, (CancelTimer("prepare"), CancelTimer("give up"))
        return state, ()

    def _decide(self, state, decision):
        sends = tuple(Send(resource, decision) for resource in state.resources)
        return replace(state, phase=decision), (*sends, CancelTimer("abort"), CancelTimer("commit"))


@always(reads="records", fields=("sent",))
def one_decision(records):
    """The manager never tells both decisions."""
    return len({envelope.message for envelope in records[MANAGER].sent}) <= 1


@pytest.mark.parametrize(("resources", "states_distinct"), [(3, 288), (5, 8_832)])
def test_two_phase_commit(resources, states_distinct):
    scope = Scope(nodes=resources + 1, commands=(), timeouts_max=None)
    verdict = explore(TwoPhaseCommit(), scope, properties=[one_decision])
    assert verdict.outcome == "holds"
    assert verdict.states_distinct == states_distinct
