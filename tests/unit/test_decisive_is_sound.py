"""No rule of what was decisive ever speaks of our own Multi-Paxos, whatever happens to it.

A sentence about a right implementation would be false. The walks are driven: nodes bid, are given
commands and are restarted, and messages of all kinds of links reach them late, or twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from indelible import Lead, Persist, Promise, Receive, Restart, Scope, Submit, Timeout, Vote
from indelible.checkers.decisive import broken_rules
from indelible.checkers.history import histories
from indelible.checkers.property import world_of
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.events import Torn
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums
from indelible.model.run import Run, replayed
from support.walks import walk

LINKS: tuple[Any, ...] = ("unordered_duplicating", "unordered", "ordered")
ELECTION = {"election": 3, "heartbeat": 2, "retransmit": 2}
SCOPES = {
    f"{count} nodes, {links}": Scope(
        nodes=count,
        commands=("a", "b", "c"),
        submissions_max=None,
        timeouts_max=ELECTION,
        restarts_max=4,
        torn=True,
        links=links,
    )
    for count in (1, 3, 5)
    for links in LINKS
} | {"named nodes": Scope(nodes=("ann", "bob", "cid"), timeouts_max=4, restarts_max=2, torn=True)}


WEIGHTS = {Receive: 6.0, Timeout: 0.2, Submit: 0.2, Restart: 0.02, Torn: 0.04}


def walked(implementation: Any, scope: Scope, seed: int, length: int = 45) -> Run:
    return replayed(
        implementation, scope, walk(implementation, scope, seed, length, weights=WEIGHTS)
    )


def sentences(implementation: Any, run: Run) -> list[str]:
    world = world_of(implementation, run.scope)
    return [says for history in histories(run, world) for says in broken_rules(history)]


class Forgetful(MultiPaxos):
    """Right, but a node that starts again does not repeat what it promised and voted."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        state, effects = super().start(node, nodes, storage)
        return Step(state, effects[-1:])


FLEXIBLE = MultiPaxos(FlexibleQuorums(phase1_size=3, phase2_size=1))


SEEDS = [range(6), pytest.param(range(100, 120), marks=pytest.mark.slow)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
@pytest.mark.parametrize("name", SCOPES)
@pytest.mark.parametrize("implementation", [MultiPaxos(), Forgetful()], ids=["clean", "forgetful"])
def test_a_right_implementation_breaks_no_rule(
    implementation: Any, name: str, seeds: range
) -> None:
    for seed in seeds:
        run = walked(implementation, SCOPES[name], seed, 45 if seed < 100 else 120)
        assert sentences(implementation, run) == []


def test_a_right_implementation_with_other_quorums_breaks_no_rule() -> None:
    for seed in range(20):
        run = walked(FLEXIBLE, SCOPES["3 nodes, unordered_duplicating"], seed)
        assert sentences(FLEXIBLE, run) == []


def test_the_walks_are_worth_something() -> None:
    """In them leaders are replaced, values chosen and decided, and saving steps torn."""
    seen: Counter[str] = Counter()
    for scope in SCOPES.values():
        for seed in range(4):
            run = walked(MultiPaxos(), scope, seed)
            for step in run.steps:
                seen.update({type(effect).__name__ for effect in step.effects})
                torn = isinstance(step.event, Torn)
                seen["saved, and torn"] += torn and Persist in map(type, step.effects)
                seen["said, and torn"] += (
                    torn and {Promise, Vote} & {*map(type, step.effects)} != set()
                )
                seen["restarted"] += isinstance(step.event, Restart)
            leaders = {step.node for step in run.steps if Lead in map(type, step.effects)}
            seen["leader replaced"] += len(leaders) > 1
    expected = {"Vote", "Decide", "Execute", "leader replaced", "restarted", "saved, and torn",
                "said, and torn"}  # fmt: skip
    assert not {what: seen[what] for what in expected if seen[what] < 5}
