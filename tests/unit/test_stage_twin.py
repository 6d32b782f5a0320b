"""``Stage`` and ``Cluster`` agree: on what may happen, on what it does, and on what it changes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Scope
from indelible.checkers.walks.options import Option, every_option, take, torn_options
from indelible.checkers.walks.reactions import Reactions
from indelible.checkers.walks.stage import Stage
from indelible.checkers.walks.strategies import oldest
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.cluster import Cluster, ClusterState, LocalState
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action, Receive, Restart, Submit, Timeout, Torn
from indelible.model.implementation import Implementation
from indelible.model.scope import LINKS
from support.random_implementation import SCOPES, RandomImplementation


def options_of(stage: Stage) -> list[Option]:
    whole = list(every_option(stage))
    return whole + [torn for option in whole for torn in torn_options(stage, option)]


def event_of(stage: Stage, option: Option) -> Action:
    """What an option is, found by what it would do."""
    kind, index, which, kept = option
    numbers = stage.reactions.events
    if kind == "restart":
        return stage.scope.nodes[index], Restart()
    if kind == "timeout":
        event = Timeout(which)
    elif kind == "submit":
        event = Submit(stage.scope.commands[which])
    elif kind == "duplicate":
        event = numbers[stage.seen[index][which]]
    elif stage.links == "ordered":
        event = numbers[stage.queues[index][which][0]]
    else:
        event = numbers[stage.fresh[index][which]]
    return stage.scope.nodes[index], event if kept < 0 else Torn(event, kept)


def state_of(stage: Stage) -> ClusterState:
    states = (stage.reactions.states[state] for state in stage.states)
    return ClusterState(
        tuple(LocalState(state, stage.record(index)) for index, state in enumerate(states))
    )


def compare_a_walk(implementation: Implementation, scope: Scope, seed: int, length: int) -> set:
    """Take random options of a stage, and the same on the cluster; says which kinds of events."""
    cluster = Cluster(implementation, scope, twice=False)
    draw = random.Random(seed)
    kinds: set[type] = set()
    try:
        stage, state = Stage(Reactions(implementation, scope)), cluster.initial()
    except ImplementationRaised:
        with pytest.raises(ImplementationRaised):
            cluster.initial()
        return kinds
    for _ in range(length):
        assert state_of(stage) == state
        options = options_of(stage)
        events = [event_of(stage, option) for option in options]
        assert set(events) == set(cluster.enabled(state))
        if not options:
            break
        place = draw.randrange(len(options))
        steps = len(stage.actions)
        try:
            changed = take(stage, options[place])
        except ImplementationRaised:
            with pytest.raises(ImplementationRaised):
                cluster.step(state, events[place])
            assert stage.actions[-1] == events[place]
            break
        after = cluster.step(state, events[place])
        assert changed == (after != state)
        assert stage.actions[steps:] == ([events[place]] if changed else [])
        state = after
        kinds.add(type(events[place][1]))
    return kinds


@settings(max_examples=400, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES, length=st.integers(0, 12))
def test_a_stage_is_a_cluster_whatever_runs_on_it(seed: int, scope: Scope, length: int) -> None:
    compare_a_walk(RandomImplementation(seed), scope, seed, length)


UNCOUNTED = Scope(nodes=2, submissions_max=None, timeouts_max=None, restarts_max=None, torn=True)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), links=st.sampled_from(LINKS))
def test_what_is_not_counted_may_change_nothing(seed: int, links: str) -> None:
    compare_a_walk(RandomImplementation(seed), replace(UNCOUNTED, links=links), seed, 12)


@pytest.mark.parametrize("links", LINKS)
def test_a_stage_is_a_cluster_for_multipaxos(links: str) -> None:
    scope = Scope(
        nodes=3,
        commands=("a", "b"),
        submissions_max=2,
        timeouts_max={"election": 3, "heartbeat": 1, "retransmit": 2},
        restarts_max=2,
        torn=True,
        links=links,
    )
    kinds = set().union(*(compare_a_walk(MultiPaxos(), scope, seed, 60) for seed in range(6)))
    assert kinds == {Receive, Timeout, Submit, Restart, Torn}


def walk_on(stage: Stage, draw: random.Random, length: int) -> None:
    """Let random options happen, and now and then lose a message."""
    for _ in range(length):
        index = draw.randrange(len(stage.states))
        if stage.fresh[index] and draw.random() < 0.1:
            stage.lose(index, draw.randrange(len(stage.fresh[index])))
        if options := list(every_option(stage)):
            take(stage, draw.choice(options))


ROOMY = Scope(nodes=3, commands=("a", "b"), submissions_max=2, timeouts_max=3, restarts_max=2)


@pytest.mark.parametrize("links", LINKS)
def test_what_happens_to_a_copy_does_not_happen_to_the_stage(links: str) -> None:
    draw, reactions = random.Random(links), Reactions(MultiPaxos(), replace(ROOMY, links=links))
    for _ in range(20):
        stage = Stage(reactions)
        walk_on(stage, draw, 30)
        before, options = state_of(stage), list(every_option(stage))
        other = stage.copy()
        assert state_of(other) == before
        walk_on(other, draw, 30)
        assert state_of(other) != before
        assert (state_of(stage), list(every_option(stage))) == (before, options)
        assert stage.senders == senders_of(stage)


@pytest.mark.parametrize("links", LINKS)
def test_the_oldest_messages_are_the_first_of_their_senders(links: str) -> None:
    draw, reactions = random.Random(links), Reactions(MultiPaxos(), replace(ROOMY, links=links))
    for _ in range(20):
        stage = Stage(reactions)
        walk_on(stage, draw, draw.randrange(60))
        assert stage.senders == senders_of(stage)
        if links != "ordered":
            places: dict[tuple[int, int], int] = {}
            for index, senders in enumerate(senders_of(stage)):
                for place, source in enumerate(senders):
                    places.setdefault((index, source), place)
            assert list(oldest(stage).items()) == list(places.items())


def senders_of(stage: Stage) -> list[list[int]]:
    return [[stage.reactions.source(event) for event in fresh] for fresh in stage.fresh]
