"""The same code tried directly and as a process must come to the same: counts, verdict and trace.

However a process is brought to where a node is to go on, and however many processes there are.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from indelible import Scope, explore
from indelible.adapters import ProcessAdapter
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN, default_properties
from indelible.checkers.walks.runs import Campaign
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.events import Receive, Torn
from indelible.model.node_json import plain
from indelible.model.scope import LINKS
from support.random_implementation import RandomImplementation
from support.relay import Relay
from support.wire_host import encoded

HOST = Path(__file__).parents[1] / "support" / "wire_host.py"

MODES = {"replay": (), "handles": ("snapshot",), "portable": ("snapshot", "portable")}
WORKERS = (1, 4)

QUIET = (BUILT_IN["agreement"], BUILT_IN["execution_without_gap"])

SEEDS = range(9)

NARROW = Scope(nodes=2, commands=("a", "b"), timeouts_max=1, restarts_max=1, torn=True)


def hosted(name, *words, workers=2):
    """An implementation of Python as a process."""
    return ProcessAdapter((sys.executable, "-P", str(HOST), name, *words), workers=workers)


def facts(verdict):
    """All that two searches must agree on; an exception is told in other words."""
    return {
        "outcome": verdict.outcome,
        "states": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "local": (verdict.states_local, verdict.steps_learned, verdict.calls),
        "violated": verdict.violation and verdict.violation.property,
        "trace": verdict.trace is not None and [*map(on_the_wire, verdict.trace.actions)],
        "properties": [(known.name, known.result) for known in verdict.properties],
    }


def on_the_wire(action):
    """An action, with a message as a process sends it."""
    node, event = action
    if isinstance(event, Torn):
        return node, Torn(on_the_wire((node, event.event))[1], event.kept)
    if isinstance(event, Receive):
        return node, Receive(event.source, plain(encoded(event.message)))
    return action


@cache
def of_known_bug():
    """What comes of a known bug when it is tried directly."""
    bug = KNOWN_BUGS["dup_ack_counted"]
    return facts(explore(bug.implementation, bug.scope))


@cache
def of_seed(seed):
    """What comes of an implementation that a seed makes up."""
    return explore(RandomImplementation(seed), scope_of(seed), properties=QUIET)


def scope_of(seed):
    """A small scope, with each kind of links in turn."""
    return replace(NARROW, links=LINKS[seed % 3])


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("mode", MODES)
def test_a_known_bug(mode, workers):
    """With messages that are objects, ballots, votes, and a counterexample of a dozen events."""
    bug, direct = KNOWN_BUGS["dup_ack_counted"], of_known_bug()
    assert direct["outcome"] == "violated"
    process = hosted("dup_ack_counted", *MODES[mode], workers=workers)
    wired = explore(process, bug.scope)
    assert facts(wired) == direct


@pytest.mark.parametrize("seed", SEEDS)
def test_random_implementations(seed):
    """Raising, crashing, sending to themselves: what nobody thinks of."""
    words = (f"seed={seed}", *list(MODES.values())[seed // 3])
    process = hosted("random", *words, workers=WORKERS[seed % 2])
    assert facts(explore(process, scope_of(seed), properties=QUIET)) == facts(of_seed(seed))


def test_random_implementations_are_worth_a_comparison():
    """Some raise, some do not; without this the test above could compare nothing."""
    verdicts = [of_seed(seed) for seed in SEEDS]
    assert {verdict.outcome for verdict in verdicts} >= {"holds", "violated"}
    assert max(verdict.states_distinct for verdict in verdicts) > 1_000


@pytest.mark.parametrize("mode", MODES)
def test_the_plain_twin_of_the_explorer(mode):
    """Which asks for steps one by one, in any order, and not of the same node each time."""
    limits = Limits()
    direct = explore_breadth_first(RandomImplementation(3), NARROW, QUIET, limits)
    wired = explore_breadth_first(hosted("random", "seed=3", *MODES[mode]), NARROW, QUIET, limits)
    assert facts(wired) == facts(direct)


@pytest.mark.parametrize("mode", MODES)
def test_random_runs(mode):
    """Equal states of two nodes are one to them, and two to a process."""
    bug = KNOWN_BUGS["dup_ack_counted"]
    direct = Campaign(bug.implementation, bug.scope, default_properties(), seed=1)
    wired = Campaign(
        hosted("dup_ack_counted", *MODES[mode]), bug.scope, default_properties(), seed=1
    )
    for number in range(12):
        one, other = direct.run(number), wired.run(number)
        assert one.events == other.events
        assert (one.failure is None) == (other.failure is None)


def test_a_history_is_a_state_without_a_fingerprint():
    """Every history is a state, and the verdict stands."""
    scope = Scope(nodes=2, commands=("a",), timeouts_max=1, links="ordered")
    direct = explore(Historian(Relay()), scope, properties=QUIET)
    for mode in (MODES["replay"], MODES["portable"]):
        wired = explore(hosted("relay", "plain", *mode), scope, properties=QUIET)
        assert facts(wired) == facts(direct)
        assert any("tells no fingerprint" in note for note in wired.notes)
    told = explore(hosted("relay"), scope, properties=QUIET)
    assert told.states_distinct < direct.states_distinct
    assert told.notes == wired.notes[:-1]


class Historian:
    """An implementation whose state is all that happened to it."""

    def __init__(self, known):
        self._known = known

    def start(self, node, nodes, storage):
        state, effects = self._known.start(node, nodes, storage)
        return (state, storage, ()), effects

    def handle(self, node, state, event):
        after, effects = self._known.handle(node, state[0], event)
        return (after, state[1], (*state[2], event)), effects
