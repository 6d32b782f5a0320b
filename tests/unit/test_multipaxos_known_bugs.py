"""The registry of known bugs: complete, documented, each one method away from the clean code."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS, KnownBug
from indelible.impl.multipaxos import Accept, Accepted, Ballot, MultiPaxos, Replica
from indelible.model.effects import Persist, Send
from indelible.model.events import Receive

EVERY_BUG = pytest.mark.parametrize("bug", KNOWN_BUGS.values(), ids=KNOWN_BUGS.keys())


def test_the_catalogue_is_covered_where_it_must_be() -> None:
    rows = {bug.row for bug in KNOWN_BUGS.values() if bug.row is not None}
    assert {1, 3, 6, 9, 10, 16, 17, 23, 24, 27, 32, 33} <= rows
    assert len(rows) + 1 == len(KNOWN_BUGS), "a row twice, or more than one bug of our own"


@EVERY_BUG
def test_a_bug_is_found_by_its_name(bug: KnownBug) -> None:
    assert KNOWN_BUGS[bug.name] is bug
    assert bug.name != MultiPaxos.name


@EVERY_BUG
def test_a_bug_overrides_one_thing(bug: KnownBug) -> None:
    variant = type(bug.implementation)
    methods = [name for name, value in vars(variant).items() if inspect.isfunction(value)]
    overridden = [name for name in methods if not name.startswith("__")]
    defaults = [
        field.name
        for field in dataclasses.fields(variant)
        if getattr(bug.implementation, field.name) != getattr(MultiPaxos(), field.name)
    ]
    assert len(overridden) + len(defaults) == 1
    assert all(hasattr(MultiPaxos, name) for name in overridden)


@EVERY_BUG
def test_a_bug_tells_its_mechanism_property_and_source(bug: KnownBug) -> None:
    assert bug.mechanism.endswith(".")
    assert bug.mechanism != inspect.getdoc(MultiPaxos)
    assert bug.property in BUILT_IN
    assert bug.source


def test_the_bug_of_our_own_answers_before_it_saves() -> None:
    bug = KNOWN_BUGS["accept_revealed_before_saved"].implementation
    ballot = Ballot(1, 0)
    effects = bug.handle(1, Replica(1, (0, 1, 2)), Receive(0, Accept(ballot, 0, "a"))).effects
    saved = next(i for i, effect in enumerate(effects) if isinstance(effect, Persist))
    assert effects.index(Send(0, Accepted(ballot, 0))) < saved
