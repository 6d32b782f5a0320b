"""Implementations that a seed makes up, and small scopes for them: what nobody thinks of."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

from indelible import (
    CancelTimer,
    Decide,
    Execute,
    Lead,
    Persist,
    Promise,
    Receive,
    Scope,
    Send,
    SetTimer,
    Vote,
)


@dataclass(frozen=True)
class RandomImplementation:
    """Whatever a seed says: a table from (node, state, event) to a step, made up when asked.

    Messages are small numbers, and handling one only ever sends smaller ones, so that the number
    of messages is bounded on every kind of link.
    """

    seed: int

    def _draw(self, *what):
        return random.Random(repr((self.seed, what)))

    def start(self, node, nodes, storage):
        draw = self._draw("start", node, storage)
        return (storage or 0, nodes), self._effects(draw, node, nodes, ceiling=2)

    def handle(self, node, state, event):
        draw = self._draw("handle", node, state, event)
        number, nodes = state
        if draw.random() < 0.02:
            raise ValueError(f"drawn at {number}")
        ceiling = event.message if isinstance(event, Receive) else 2
        if draw.random() < 0.3:
            return state, ()
        effects = self._effects(draw, node, nodes, ceiling)
        return (draw.randrange(3), nodes), effects

    def _effects(self, draw, node, nodes, ceiling):
        return tuple(self._effect(draw, node, nodes, ceiling) for _ in range(draw.randrange(4)))

    def _effect(self, draw, node, nodes, ceiling):
        kind = draw.randrange(10)
        if kind < 4 and ceiling > 0:
            return Send(draw.choice(nodes), draw.randrange(ceiling))
        if kind < 5:
            return Persist(draw.randrange(3))
        if kind < 7:
            return SetTimer(draw.choice("xy"), (1, 2))
        if kind < 8:
            return CancelTimer(draw.choice("xy"))
        return draw.choice(
            (
                Decide(draw.randrange(2), draw.choice("ab")),
                Execute(draw.randrange(2), draw.choice("ab")),
                Promise(draw.randrange(3)),
                Vote(0, draw.randrange(3), draw.choice("ab")),
                Lead(draw.randrange(3)),
            )
        )


SCOPES = st.builds(
    Scope,
    nodes=st.sampled_from([1, 2, 3]),
    commands=st.sampled_from([(), ("a",), ("a", "b")]),
    submissions_max=st.sampled_from([0, 1, 2, None]),
    timeouts_max=st.sampled_from([0, 1, 2, {"x": 1, "y": 0}, {"x": 2, "y": 1}]),
    may_time_out=st.sampled_from([None, (0,), ()]),
    restarts_max=st.sampled_from([1, 2]),
    torn=st.booleans(),
    links=st.sampled_from(["unordered_duplicating", "unordered", "ordered"]),
) | st.builds(
    Scope,
    nodes=st.sampled_from([2, 3]),
    commands=st.sampled_from([("a",), ("a", "b")]),
    submissions_max=st.sampled_from([1, None]),
    timeouts_max=st.sampled_from([1, None]),
    restarts_max=st.sampled_from([0, None]),
    links=st.just("unordered_duplicating"),
)
