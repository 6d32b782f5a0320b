"""Watch and replay: a property judged step by step, and what becomes of a trace played again."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible import Decide, Receive, Restart, Scope, Send, Submit, always
from indelible.checkers.findings import RAISES
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.property import world_of
from indelible.checkers.verdicts import violations_after
from indelible.checkers.watch import Watch, replay
from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.implementation import Step
from indelible.model.itf import Opaque
from indelible.model.itf_decoder import Decoder
from indelible.model.itf_encoder import Encoder
from support.effect_properties import cancels_last
from support.random_implementation import SCOPES, RandomImplementation
from support.walks import walk


@always(reads="step", fields=("storage",))
def storage_stays(before: Any, event: Any, after: Any) -> bool:
    """What is stored never changes but when a node starts again; nor is there a restart of 2."""
    return before.storage == after.storage and not (isinstance(event, Restart) and after.node == 2)


@always(reads="record", fields=("timers",))
def at_most_one_timer(record: Any) -> bool:
    """No node has two timers armed."""
    return len(record.timers) < 2


@always(reads="records", fields=("sent", "submissions", "restarts"))
def little_happens(records: Any) -> bool:
    """Few messages are sent, and few commands submitted."""
    return sum(len(own.sent) + sum(own.submissions) + own.restarts for own in records) < 6


ALWAYS = [known for known in BUILT_IN.values() if known.kind == "always"]
PROPERTIES = (*ALWAYS, storage_stays, at_most_one_timer, little_happens, cancels_last)


@pytest.mark.parametrize("known", PROPERTIES, ids=lambda known: known.name)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), scope=SCOPES)
def test_a_property_is_judged_as_if_it_were_evaluated_after_every_step(
    known: Any, seed: int, scope: Scope
) -> None:
    implementation = RandomImplementation(seed)
    actions = walk(implementation, scope, seed, 12)
    try:
        state = Cluster(implementation, scope).initial()
    except ImplementationRaised:
        return
    world = world_of(implementation, scope)
    found, steps = violations_after(known, world, state, None, state, ()), 0
    for before, outcome in Cluster(implementation, scope).replay(actions):
        if found:
            break
        steps += 1
        if outcome.state != before:  # To no search is a step that changes nothing a step.
            last, (after, effects) = actions[steps - 1], outcome
            found = violations_after(known, world, before, last, after, effects)
    judged = replay(Watch(implementation, scope, known), actions)
    assert judged.outcome == ("violates" if found else "holds")
    assert judged.violation == (found[0] if found else None)
    assert (judged.step, judged.actions) == (steps, actions[:steps])


def test_each_of_the_properties_is_violated_in_some_walk() -> None:
    """Without this the test above could hold of nothing."""
    scope = Scope(nodes=3, timeouts_max=2, restarts_max=2, torn=True)
    left = {known.name for known in PROPERTIES}
    for seed in range(400):
        implementation = RandomImplementation(seed)
        actions = walk(implementation, scope, seed, 12)
        for known in PROPERTIES:
            watch = Watch(implementation, scope, known)
            if known.name in left and actions and replay(watch, actions).violation:
                left.remove(known.name)
    assert not left


# --- outcomes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    text: str


class Teller:
    """Told a word, it decides that, and tells its neighbour; a second word is too much."""

    word: Any = Word

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((0, nodes), ())

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        count, nodes = state
        match event:
            case Submit(command):
                other = nodes[1 - nodes.index(node)]
                return Step((count, nodes), (Decide(0, command), Send(other, self.word(command))))
            case Receive(_, word) if isinstance(word, self.word):
                if count:
                    raise KeyError(word.text)
                return Step((count + 1, nodes), (Decide(0, word.text),))
        return Step(state, ())


SCOPE = Scope(nodes=2, commands=("a", "b"))
A, B = (0, Submit("a")), (0, Submit("b"))
TELL_A, TELL_B = (1, Receive(0, Word("a"))), (1, Receive(0, Word("b")))
AGREEMENT = BUILT_IN["agreement"]


def test_a_trace_violates_at_the_first_step_that_does_and_no_further() -> None:
    found = replay(Watch(Teller(), SCOPE, AGREEMENT), (A, TELL_A, B, TELL_B))
    assert (found.outcome, found.step, found.actions) == ("violates", 3, (A, TELL_A, B))
    assert found.violation is not None
    assert found.violation.explanation == "slot 0: n0 decided 'a', n0 decided 'b'"


def test_a_trace_may_hold_to_its_end() -> None:
    found = replay(Watch(Teller(), SCOPE, AGREEMENT), (A, TELL_A))
    assert (found.outcome, found.step, found.violation) == ("holds", 2, None)
    assert (found.expected, found.enabled, found.changed) == (None, (), ())


def test_a_trace_that_does_not_fit_says_what_was_expected_and_what_could_happen() -> None:
    found = replay(Watch(Teller(), SCOPE, AGREEMENT), (A, TELL_B, B))
    assert (found.outcome, found.step, found.actions) == ("does not fit", 2, (A,))
    assert (found.violation, found.expected) == (None, TELL_B)
    assert found.enabled == (B, TELL_A, (1, Submit("b")))


def test_an_exception_is_a_violation_to_who_watches_for_it() -> None:
    found = replay(Watch(Teller(), SCOPE, None), (A, B, TELL_A, TELL_B, TELL_A))
    assert (found.outcome, found.step) == ("violates", 4)
    assert found.violation is not None
    assert found.violation.property == RAISES
    assert found.violation.explanation.startswith("the implementation raised KeyError: 'b' (in ha")


def test_an_exception_is_an_end_to_who_watches_for_something_else() -> None:
    """It neither holds nor is violated: the trace does not fit."""
    watch = Watch(Teller(), SCOPE, BUILT_IN["log_prefix"])
    found = replay(watch, (A, B, TELL_A, TELL_B))
    assert (found.outcome, found.step, found.violation) == ("does not fit", 4, None)
    assert (found.actions, found.expected) == ((A, B, TELL_A), TELL_B)
    assert found.raised.startswith("the implementation raised KeyError: 'b' (in ha")
    state = watch.cluster.initial()
    for action in (A, B, TELL_A):
        judged = watch.step(state, action)
        assert judged.state is not None
        state = judged.state
    judged = watch.step(state, TELL_B)
    assert (judged.state, judged.effects, judged.violation) == (None, (), None)
    assert "KeyError" in judged.raised


class Stillborn(Teller):
    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        raise RuntimeError("no")


def test_who_cannot_start_raises_from_the_start() -> None:
    found = replay(Watch(Stillborn(), SCOPE, None), (A,))
    assert (found.outcome, found.step, found.actions) == ("violates", 0, ())
    other = replay(Watch(Stillborn(), SCOPE, AGREEMENT), (A,))
    assert (other.outcome, other.step, other.expected) == ("does not fit", 0, None)
    assert "no" in other.raised


# --- messages that are the same but for their class ---------------------------------------------

OtherWord = make_dataclass("Word", [("text", str)], frozen=True)


class Pair(NamedTuple):
    text: str


@pytest.mark.parametrize("word", [OtherWord, Pair])
def test_a_message_of_another_class_is_taken_for_the_own_that_reads_the_same(word: Any) -> None:
    """What it hands to the implementation is a message that the implementation itself sent."""

    class Other(Teller):
        pass

    Other.word = Pair if word is Pair else Word
    alien = (1, Receive(0, word("a") if word is not Pair else ("a",)))
    found = replay(Watch(Other(), SCOPE, AGREEMENT), (A, alien, (1, Submit("b"))))
    assert found.outcome == "violates"
    assert found.changed == (2,)
    _, event = found.actions[1]
    assert isinstance(event, Receive)
    assert type(event.message) is Other.word
    assert found.violation is not None
    assert found.violation.explanation == "slot 0: n0 decided 'a', n1 decided 'b'"


def test_nothing_is_changed_where_the_classes_are_the_same() -> None:
    assert replay(Watch(Teller(), SCOPE, AGREEMENT), (A, TELL_A)).changed == ()


class Dater(Teller):
    """Its messages hold what a document can only write as text."""

    word: Any = timedelta

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        match event:
            case Submit(command):
                return Step(state, (Send(1 - node, timedelta(len(command))),))
            case Receive(_, message):
                return Step(state, (Decide(0, message.days),))
        return Step(state, ())


def test_a_message_that_was_written_as_text_is_replayed() -> None:
    actions = ((0, Submit("a")), (1, Receive(0, timedelta(1))))
    encoder = Encoder()
    data = encoder.encode(actions)
    read: Any = Decoder(encoder.types).decode(data)
    assert read != actions
    found = replay(Watch(Dater(), SCOPE, AGREEMENT), read)
    assert (found.outcome, found.actions) == ("holds", actions)
    assert found.changed == (2,)
    other = (read[0], (1, Receive(0, Opaque("datetime.timedelta(days=7)"))))
    assert replay(Watch(Dater(), SCOPE, AGREEMENT), other).outcome == "does not fit"
