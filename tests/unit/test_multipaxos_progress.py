"""Progress: whatever happened before, one candidate that is left alone brings everybody up to date.

Safety is the checkers' business; these runs ask whether retransmission, refusals, no-ops and
catching up are enough to get out of any corner.
"""

from __future__ import annotations

import random
from collections import deque

import pytest

from indelible.impl.multipaxos import MultiPaxos, Replica
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect, Send
from indelible.model.events import Action, Command, NodeId, Receive, Restart, Submit, Timeout
from indelible.model.quorums import FlexibleQuorums
from indelible.model.scope import Scope

COMMANDS = ("a", "b", "c")
LAST = "after the storm"


class Run:
    """A run in which the test decides what is delivered."""

    def __init__(self, paxos: MultiPaxos, nodes: int) -> None:
        self.paxos = paxos
        self.scope = Scope(
            nodes=nodes,
            commands=(*COMMANDS, LAST),
            submissions_max=None,
            timeouts_max=None,
            restarts_max=None,
        )
        self.cluster = Cluster(paxos, self.scope, twice=False)
        self.state: ClusterState = self.cluster.initial()
        self.under_way: deque[Action] = deque()

    def happen(self, action: Action) -> None:
        self.state, effects = self.cluster.outcome(self.state, action)
        self.under_way.extend(_arrivals(action[0], effects))

    def storm(self, choose: random.Random, steps: int) -> None:
        """Messages are lost, late and repeated; timers fire; nodes restart; clients insist."""
        for _ in range(steps):
            node = choose.choice(self.scope.nodes)
            kind = choose.random()
            if self.under_way and kind < 0.75:
                index = choose.randrange(len(self.under_way))
                action = self.under_way[index]
                if choose.random() < 0.9:
                    del self.under_way[index]
                if choose.random() < 0.85:
                    self.happen(action)
            elif kind < 0.9:
                self.happen((node, Submit(choose.choice(COMMANDS))))
            elif kind < 0.98:
                timers = sorted(str(timer) for timer in self.state.nodes[node].record.timers)  # type: ignore[index]
                self.happen((node, Timeout(choose.choice(timers))))
            else:
                self.happen((node, Restart()))

    def calm(self, node: NodeId) -> None:
        """Everything under way is lost; from now on the network works, and one node has timers."""
        self.under_way.clear()
        for _ in range(6):
            for timer in ("election", "retransmit", "heartbeat"):
                if timer in self.state.nodes[node].record.timers:  # type: ignore[index]
                    self.happen((node, Timeout(timer)))
                while self.under_way:
                    self.happen(self.under_way.popleft())

    def histories(self) -> list[tuple[Command, ...]]:
        """What each node has executed since it was last started."""
        return [
            self.paxos.executed(local.state.decided)
            for local in self.state.nodes
            if isinstance(local.state, Replica)
        ]

    def known(self) -> set[object]:
        """Every command that any node ever knew to be decided."""
        values = {value for local in self.state.nodes for _, value in local.record.decided}
        return values - {None}


def _arrivals(source: NodeId, effects: tuple[Effect, ...]) -> list[Action]:
    return [
        (effect.to, Receive(source, effect.message))
        for effect in effects
        if isinstance(effect, Send)
    ]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("nodes", "paxos"),
    [
        (3, MultiPaxos()),
        (4, MultiPaxos(FlexibleQuorums(phase1_size=3, phase2_size=2))),
        (5, MultiPaxos()),
    ],
    ids=["3 nodes", "4 nodes, flexible quorums", "5 nodes"],
)
def test_after_the_storm_everybody_agrees_and_goes_on(
    nodes: int, paxos: MultiPaxos, seed: int
) -> None:
    run = Run(paxos, nodes)
    run.storm(random.Random(seed), steps=300)
    survivor = seed % nodes
    run.calm(survivor)
    run.happen((survivor, Submit(LAST)))
    run.calm(survivor)

    first, *others = run.histories()
    assert others == [first] * (nodes - 1)
    assert first[-1] == LAST
    assert len(set(first)) == len(first)
    assert run.known() <= set(first)


def test_storms_do_decide_something() -> None:
    """Otherwise the test above would only show that an idle cluster stays idle."""
    decided = 0
    for seed in range(10):
        run = Run(MultiPaxos(), 3)
        run.storm(random.Random(seed), steps=300)
        decided += len(run.known())
    assert decided >= 15
