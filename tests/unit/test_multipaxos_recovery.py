"""Recovery: what a restarted node is bound by, and random runs with crashes anywhere."""

from __future__ import annotations

import random

import pytest

from indelible.impl.multipaxos import (
    Accepted,
    Ballot,
    MultiPaxos,
    Prepare,
    Promised,
    Refused,
    Replica,
    Storage,
)
from indelible.impl.multipaxos.log import at
from indelible.impl.multipaxos.timers import AWAIT_LEADER
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect, Persist, Promise, Send, Vote
from indelible.model.events import Action, Receive, Restart, Timeout, Torn
from indelible.model.implementation import Step
from indelible.model.scope import Scope

NODES = (0, 1, 2)
PAXOS = MultiPaxos()
B10, B21 = Ballot(1, 0), Ballot(2, 1)
VOTES = (Vote(0, B10, "a"), Vote(2, B21, "c"))


class TestStart:
    def test_a_restarted_node_is_bound_as_before_and_says_so_again(self) -> None:
        assert PAXOS.start(2, NODES, Storage(B21, VOTES)) == Step(
            Replica(2, NODES, B21, VOTES), (Promise(B21), *VOTES, AWAIT_LEADER)
        )

    def test_it_refuses_below_its_saved_promise(self) -> None:
        replica = PAXOS.start(2, NODES, Storage(B21, VOTES)).state
        effects = PAXOS.handle(2, replica, Receive(0, Prepare(B10))).effects
        assert effects == (Send(0, Refused(B10, B21)),)

    def test_it_reports_its_saved_votes(self) -> None:
        replica = PAXOS.start(2, NODES, Storage(B21, VOTES)).state
        effects = PAXOS.handle(2, replica, Receive(0, Prepare(Ballot(3, 0)))).effects
        assert Send(0, Promised(Ballot(3, 0), VOTES, ())) in effects

    def test_it_never_bids_with_a_ballot_it_has_used(self) -> None:
        first = PAXOS.handle(1, Replica(1, NODES), Timeout("election"))
        saved = next(effect for effect in first.effects if isinstance(effect, Persist)).storage
        assert isinstance(saved, Storage)
        restarted = PAXOS.start(1, NODES, saved).state
        second = PAXOS.handle(1, restarted, Timeout("election"))
        assert second.state.promised > first.state.promised

    def test_a_leader_restarts_as_a_follower(self) -> None:
        replica = PAXOS.start(0, NODES, Storage(B10, VOTES[:1])).state
        assert replica == Replica(0, NODES, B10, VOTES[:1])


SCOPE = Scope(
    commands=("a", "b", "c"),
    submissions_max=None,
    timeouts_max=None,
    restarts_max=None,
    torn=True,
)


@pytest.mark.parametrize("seed", range(4))
def test_in_random_runs_nothing_is_told_before_it_is_saved(seed: int) -> None:
    """Loss, repetition, restarts and torn steps: whatever is told is saved, and replicas fit."""
    cluster = Cluster(PAXOS, SCOPE, twice=True)
    choose = random.Random(seed)
    state = cluster.initial()
    told = 0
    for _ in range(150):
        action = _likely(choose, cluster, state)
        index = SCOPE.nodes.index(action[0])
        storage = state.nodes[index].record.storage
        outcome = cluster.outcome(state, action)
        told += _require_saved(storage, outcome.effects)
        state = outcome.state
        replica = state.nodes[index].state
        assert isinstance(replica, Replica)
        replica.check()
    assert told > 0, "a run in which nobody promises or votes tests nothing"


def _likely(choose: random.Random, cluster: Cluster, state: ClusterState) -> Action:
    """Any enabled action, but crashes, time-outs and old news less often than fresh messages."""
    enabled = cluster.enabled(state)
    common = [
        (node, event)
        for node, event in enabled
        if not isinstance(event, Restart | Torn | Timeout)
        and cluster.step(state, (node, event)) != state
    ]
    return choose.choice(common if common and choose.random() < 0.85 else enabled)


def _require_saved(storage: object, effects: tuple[Effect, ...]) -> int:
    """Walk the effects in order with the storage as it is at each; how many answers were told."""
    told = 0
    for effect in effects:
        if isinstance(effect, Persist):
            storage = effect.storage
        elif isinstance(effect, Send) and isinstance(effect.message, Promised):
            assert isinstance(storage, Storage)
            assert storage.promised >= effect.message.ballot
            told += 1
        elif isinstance(effect, Send) and isinstance(effect.message, Accepted):
            assert isinstance(storage, Storage)
            vote = at(storage.votes, effect.message.slot)
            assert vote is not None
            assert vote.ballot >= effect.message.ballot
            told += 1
    return told
