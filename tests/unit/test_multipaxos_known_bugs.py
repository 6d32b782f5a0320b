"""The registry of known bugs: complete, documented, each one method away from the clean code."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from indelible.checkers.properties import BUILT_IN
from indelible.impl.known_bugs import KNOWN_BUGS, PENDING, KnownBug
from indelible.impl.multipaxos import Accept, Accepted, Ballot, MultiPaxos, Replica
from indelible.model.effects import Persist, Send
from indelible.model.events import Receive

EVERY_BUG = pytest.mark.parametrize("bug", KNOWN_BUGS.values(), ids=KNOWN_BUGS.keys())
ROWS = 50


def test_every_row_of_the_catalogue_is_a_known_bug_or_pending_and_only_once() -> None:
    rows = [bug.row for bug in KNOWN_BUGS.values() if bug.row is not None]
    rows += [pending.row for pending in PENDING]
    assert sorted(rows) == list(range(1, ROWS + 1))


def test_one_known_bug_is_our_own() -> None:
    assert [name for name, bug in KNOWN_BUGS.items() if bug.row is None] == [
        "accept_revealed_before_saved"
    ]


def test_what_is_pending_has_a_name_of_its_own_and_a_reason() -> None:
    names = {pending.name for pending in PENDING}
    assert len(names) == len(PENDING)
    assert not names & set(KNOWN_BUGS)
    assert all(pending.reason for pending in PENDING)


@EVERY_BUG
def test_a_bug_is_found_by_its_name(bug: KnownBug) -> None:
    assert KNOWN_BUGS[bug.name] is bug
    assert bug.name != MultiPaxos.name


@EVERY_BUG
def test_a_bug_overrides_one_thing(bug: KnownBug) -> None:
    variant = type(bug.implementation)
    methods = [name for name, value in vars(variant).items() if inspect.isfunction(value)]
    overridden = [name for name in methods if not name.startswith("__")]
    settings = [
        field.name
        for field in dataclasses.fields(variant)
        if getattr(bug.implementation, field.name) != getattr(bug.clean, field.name)
    ]
    assert len(overridden) + len(settings) == 1
    assert all(hasattr(MultiPaxos, name) for name in overridden)


@EVERY_BUG
def test_what_a_bug_breaks_is_the_clean_implementation(bug: KnownBug) -> None:
    assert type(bug.clean) is MultiPaxos
    assert bug.clean.name == MultiPaxos.name


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
