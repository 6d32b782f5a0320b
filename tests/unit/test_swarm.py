"""Swarm: a kind of event that a run goes without never happens in it."""

from __future__ import annotations

import random

from indelible import Scope
from indelible.checkers.walks.options import take
from indelible.checkers.walks.reactions import Reactions
from indelible.checkers.walks.stage import Stage
from indelible.checkers.walks.strategies import Swarm
from indelible.impl.multipaxos import MultiPaxos

SCOPE = Scope(commands=("a", "b"), submissions_max=2, timeouts_max=3, restarts_max=3)
WITHOUT = {"duplicate": "_duplicate", "restart": "_restart"}


def kinds_of(seed: int) -> tuple[Swarm, set[str]]:
    """A run, and the kinds of events in it."""
    stage = Stage(Reactions(MultiPaxos(), SCOPE))
    swarm = Swarm(random.Random(seed), stage, 200)
    kinds = set()
    for _ in range(200):
        option = swarm.choose(stage)
        if option is None:
            break
        kinds.add(option.kind)
        take(stage, option)
    return swarm, kinds


def test_a_kind_without_odds_never_happens_and_one_with_odds_does() -> None:
    runs = [kinds_of(seed) for seed in range(60)]
    for kind, odds in WITHOUT.items():
        assert {kind in kinds for swarm, kinds in runs if not getattr(swarm, odds)} == {False}
        assert any(kind in kinds for swarm, kinds in runs if getattr(swarm, odds))
