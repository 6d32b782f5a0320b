"""Logs against implementations: what conforms, the first record that differs, what nobody knows."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.as_trace import crash_events
from indelible.checkers.audit.conformance import Comparison
from indelible.checkers.audit.entry import event_of_line
from indelible.checkers.audit.quick import effect_kinds
from indelible.model.cluster import Cluster
from indelible.model.effects import Decide, Persist, Send, SetTimer
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Receive, Restart, Submit, Timeout, Torn
from indelible.model.node_json import EFFECT_KINDS
from indelible.model.scope import LINKS, Scope
from support.logs import lines_of
from support.random_implementation import SCOPES, RandomImplementation


def compared(implementation, lines, scope, **asked):
    """What becomes of a log of lines that can all be read."""
    comparison = Comparison(implementation, effect_kinds(lines), scope.commands, **asked)
    for number, line in enumerate(lines):
        comparison.take((0, number), *event_of_line(line))
        if comparison.difference:
            break
    return comparison


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.integers(0, 10**6))
def test_a_run_of_an_implementation_conforms_to_it(seed, scope, draw):
    implementation = RandomImplementation(seed)
    lines = lines_of(implementation, scope, draw, 40)
    found = compared(implementation, lines, scope)
    assert (found.difference, found.left_out, found.missing) == (None, frozenset(), ())
    if found.unknown is None:
        assert found.compared == len(lines)
    else:  # All effects of a kind were cut off by crashes: it may as well not have been recorded.
        assert "of a kind that no record has" in found.unknown[1]
        assert not {EFFECT_KINDS["send"], EFFECT_KINDS["persist"]} <= effect_kinds(lines)


def damaged(lines, draw):
    """The log with one record in which an effect is gone, is another, or comes elsewhere."""
    records = [json.loads(line) for line in lines]
    told = [record for record in records if record["effects"]]
    if not told:
        return None
    effects = draw.choice(told)["effects"]
    at = draw.randrange(len(effects))
    match draw.choice(["gone", "other", "twice", "swapped"]):
        case "gone":
            del effects[at]
        case "other":
            effects[at] = {"type": "decide", "slot": 77, "value": "other"}
        case "twice":
            effects.insert(at, effects[at])
        case "swapped":
            effects.reverse()
    return [json.dumps(record).encode() for record in records]


def first_difference(true, lines):
    """The twin: the first record that differs, knowing what should be there. Kinds of effects that
    are nowhere in the log are not compared."""
    logs = [[json.loads(line)["effects"] for line in log] for log in (true, lines)]
    kinds = {effect["type"] for effects in logs[1] for effect in effects}
    for number, (expected, recorded) in enumerate(zip(*logs, strict=True)):
        if [effect for effect in expected if effect["type"] in kinds] != recorded:
            return number
    return None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.integers(0, 10**6))
def test_the_first_record_that_differs(seed, scope, draw):
    implementation = RandomImplementation(seed)
    true = lines_of(implementation, scope, draw, 30, weights={Torn: 0})
    lines = damaged(true, random.Random(draw))
    if lines is None:
        return
    found, expected = compared(implementation, lines, scope), first_difference(true, lines)
    assert found.unknown is None
    assert (found.difference and found.difference.place) == (
        None if expected is None else (0, expected)
    )
    if expected is not None:
        said = json.loads(lines[expected])["effects"]
        assert len(found.difference.recorded) == len(said)
        assert found.compared == expected


ONE_NODE_TORN = Scope(
    nodes=1, commands=("a", "b"), restarts_max=1, torn=True, links="ordered", timeouts_max=0
)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.integers(0, 10**6), st.sampled_from(list(EFFECT_KINDS)))
@example(616, ONE_NODE_TORN, 0, "vote")
def test_what_is_not_recorded_is_not_compared(seed, scope, draw, kind):
    """Without a kind of effect, also where steps are torn: nothing differs, and it is said."""
    implementation = RandomImplementation(seed)
    whole = [json.loads(line) for line in lines_of(implementation, scope, draw, 30)]
    gives = False
    for record in whole:
        effects, event = record["effects"], record["event"]
        gives = gives or any(effect["type"] == kind for effect in effects)
        if event["type"] == "torn":
            kept = effects[: event["kept"]]
            event["kept"] = sum(effect["type"] != kind for effect in kept)
        record["effects"] = [effect for effect in effects if effect["type"] != kind]
    found = compared(implementation, [json.dumps(each).encode() for each in whole], scope)
    assert found.difference is None
    if found.unknown is None:
        expected = {EFFECT_KINDS[kind]} if gives else frozenset()
        assert found.left_out <= expected
        # No record tells whether the last one was given before a crash, or cut off.
        is_torn = any(record["event"]["type"] == "torn" for record in whole)
        assert is_torn or found.left_out == expected
        assert found.compared == len(whole)
    else:
        assert "of a kind that no record has" in found.unknown[1]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.sampled_from(LINKS), st.integers(0, 10**6))
def test_a_crash_anywhere_is_one_that_a_cluster_has(seed, given_scope, links, draw):
    """It leads where it would have led, by events that are enabled."""
    scope = Scope(
        nodes=given_scope.nodes,
        commands=given_scope.commands,
        submissions_max=None,
        timeouts_max=None,
        restarts_max=None,
        torn=True,
        links=links,
    )
    cluster, chance = Cluster(RandomImplementation(seed), scope, twice=False), random.Random(draw)
    with suppress(ImplementationRaised):
        check_crashes(cluster, chance, links)


def check_crashes(cluster, chance, links):
    """After each of some events, a crash in the middle of another."""
    state = cluster.initial()
    for _ in range(12):
        node, event = chance.choice(cluster.enabled(state))
        if isinstance(event, Receive | Timeout | Submit):
            whole = cluster.outcome(state, (node, event)).effects
            kept = chance.randint(0, len(whole))
            expected = cluster.step(state, (node, Torn(event, kept)))
            reached = state
            for each in crash_events(Torn(event, kept), whole, links):
                assert cluster.is_enabled(reached, (node, each))
                reached = cluster.step(reached, (node, each))
            assert lasting(reached) == lasting(expected)
            event = Torn(event, kept) if chance.random() < 0.3 else event
        state = cluster.step(state, (node, event))


def lasting(state):
    """A message that is lost in a crash may as well be under way, where links lose."""
    unordered = [local.record for local in state.nodes]
    ordered = any(receipt.message is None for record in unordered for receipt in record.received)
    return [
        (local.state, local.record if ordered else local.record._replace(received=frozenset()))
        for local in state.nodes
    ]


class Echo:
    """Decides what it is given, and tells another, who decides it, too; it persists the number."""

    def start(self, node, nodes, storage):
        return (node, nodes, storage or 0), (SetTimer("t", (1, 3)),)

    def handle(self, node, state, event):
        _, nodes, count = state
        match event:
            case Submit(command):
                to = nodes[(nodes.index(node) + 1) % len(nodes)]
                after = (node, nodes, count + 1)
                return after, (Persist(count + 1), Decide(count, command), Send(to, (command,)))
            case Receive(_, (command,)):
                return (node, nodes, count + 1), (Persist(count + 1), Decide(count, command))
        return state, (SetTimer("t", (1, 3)),)


ECHO_SCOPE = Scope(nodes=2, commands=("a", ("b", 1)))
TIMER = {"type": "set_timer", "timer": "t", "after": [1, 3]}


def record(node, event, *effects):
    return json.dumps({"node": node, "event": event, "effects": list(effects)}).encode()


def start(node, storage=None, nodes=(0, 1), effects=(TIMER,)):
    return record(node, {"type": "start", "nodes": list(nodes), "storage": storage}, *effects)


def given_a(node, count, command="a"):
    return record(
        node,
        {"type": "submit", "command": command},
        {"type": "persist", "storage": count + 1},
        {"type": "decide", "slot": count, "value": command},
        {"type": "send", "to": 1 - node, "message": [command]},
    )


def received(node, count, command="a"):
    return record(
        node,
        {"type": "receive", "source": 1 - node, "message": [command]},
        {"type": "persist", "storage": count + 1},
        {"type": "decide", "slot": count, "value": command},
    )


GOOD = [start(0), start(1), given_a(0, 0), received(1, 0), given_a(1, 1)]


def echoed(*lines, **asked):
    return compared(Echo(), lines, ECHO_SCOPE, **asked)


def test_what_happened_is_told_in_the_implementations_own_values():
    again = [record(0, {"type": "restart"}, TIMER), start(1, 2), given_a(0, 1, ["b", 1])]
    found = echoed(*GOOD, *again)
    assert (found.unknown, found.difference, found.compared) == (None, None, 8)
    assert [(node, event) for node, event, _ in found.happened] == [
        (0, Submit("a")),
        (1, Receive(0, ("a",))),
        (1, Submit("a")),
        (0, Restart()),
        (1, Restart()),
        (0, Submit(("b", 1))),
    ]


UNKNOWN = {
    "begins with its very first start": [start(0, 5)],
    "not begin with its very first": [start(0), given_a(1, 0)],
    "other nodes": [start(0), start(1, nodes=(1, 0))],
    "not among the nodes": [start(2)],
    "n0 sent the message": [start(0), start(1), received(1, 0)],
    "other storage": [*GOOD, start(0, 7)],
    "other storage than": [*GOOD, start(0)],
    "has not armed": [start(0), record(0, {"type": "timeout", "timer": "u"}, TIMER)],
    "no command in the scope": [start(0), given_a(0, 0, ["c"])],
}


@pytest.mark.parametrize("why", UNKNOWN)
def test_what_nobody_knows_does_not_conform_and_does_not_differ(why):
    found = echoed(*UNKNOWN[why])
    assert found.difference is None
    assert found.happened is None
    assert found.skipped == 1
    place, says = found.unknown
    assert place == (0, len(UNKNOWN[why]) - 1)
    assert why.removeprefix("begins ") in says


def test_a_crash_keeps_what_was_persisted_before_it():
    torn = {"type": "torn", "event": {"type": "submit", "command": "a"}, "kept": 1}
    cut = record(0, torn, {"type": "persist", "storage": 1}, TIMER)
    found = echoed(start(0), cut, start(0, 1), given_a(0, 1))
    assert (found.unknown, found.difference, found.compared) == (None, None, 4)


def test_where_a_crash_was_is_not_guessed():
    """Without a record of what was persisted, nobody knows whether it was before the crash."""
    torn = {"type": "torn", "event": {"type": "submit", "command": "a"}, "kept": 0}
    found = echoed(start(0), record(0, torn, TIMER))
    assert "of a kind that no record has" in found.unknown[1]
    assert found.difference is None


def test_a_timer_that_fired_is_armed_no_more():
    class Once(Echo):
        def handle(self, node, state, event):
            return state, ()

    fires = record(0, {"type": "timeout", "timer": "t"})
    found = compared(Once(), [start(0), fires, fires], ECHO_SCOPE)
    assert "has not armed" in found.unknown[1]
    assert found.compared == 2


def test_other_nodes_are_compared_all_the_same():
    """One of which something is lost is left alone; another differs, and that is known."""
    wrong = given_a(0, 5)
    found = echoed(start(0), start(1, 3), given_a(1, 0), wrong)
    assert found.unknown[0] == (0, 1)
    assert found.skipped == 2
    assert found.difference.place == (0, 3)


def test_a_line_that_is_lost_may_be_anybodys():
    comparison = Comparison(Echo(), effect_kinds(GOOD))
    comparison.take((0, 1), *event_of_line(GOOD[0]))
    comparison.lose((0, 2), "no JSON")
    comparison.take((0, 3), *event_of_line(given_a(0, 5)))
    assert comparison.difference is None
    assert comparison.unknown == ((0, 2), "no JSON")
    assert (comparison.compared, comparison.skipped) == (1, 1)


@pytest.mark.parametrize("repeats", [True, False])
def test_a_line_that_may_have_been_written_twice_accuses_nobody(repeats):
    twice = given_a(0, 0)
    comparison = Comparison(Echo(), effect_kinds(GOOD))
    for number, line in enumerate([start(0), start(1), twice, twice]):
        told = event_of_line(line)
        comparison.take((0, number), *told, repeats=repeats and number == 3)
    assert (comparison.difference is None) == repeats
    assert (comparison.unknown is not None) == repeats


def test_after_such_a_line_has_changed_the_node_nothing_is_known_of_it():
    """As the same line happened twice it conforms; if it was written twice, what follows is wrong
    for another reason than it seems."""
    silent = [record(0, {"type": "submit", "command": "a"})] * 2
    wrong = record(0, {"type": "submit", "command": "a"}, {"type": "decide", "slot": 1, "value": 3})

    class Counting(Echo):
        def handle(self, node, state, event):
            node, nodes, count = state
            return (node, nodes, count + 1), () if count < 2 else (Decide(count, "a"),)

    comparison = Comparison(Counting(), effect_kinds([start(0), wrong]))
    lines = [start(0), *silent, wrong]
    for number, (before, line) in enumerate(pairwise([b"", *lines])):
        comparison.take((0, number), *event_of_line(line), repeats=before == line)
    assert comparison.difference is None
    assert comparison.compared == 3
    assert "the same as the one before it" in comparison.unknown[1]


def test_an_exception_differs():
    class Broken(Echo):
        def handle(self, node, state, event):
            raise KeyError("gone")

    found = compared(Broken(), GOOD, ECHO_SCOPE)
    assert found.difference.place == (0, 2)
    assert found.difference.raised.startswith("KeyError: 'gone'")


def test_an_implementation_that_is_not_deterministic_is_an_error():
    answers = iter(range(100))

    class Moody(Echo):
        def handle(self, node, state, event):
            return state, (Decide(next(answers), "a"),)

    with pytest.raises(ImplementationError, match="not deterministic"):
        compared(Moody(), [start(0), given_a(0, 1)], ECHO_SCOPE)


def test_numbers_are_the_same_if_json_means_the_same():
    told = given_a(0, 0)
    assert echoed(start(0), told.replace(b'"storage": 1', b'"storage": 1.0')).difference is None
    wrong = told.replace(b'"storage": 1', b'"storage": true')
    assert echoed(start(0), wrong).difference.place == (0, 1)


def test_messages_that_read_the_same_are_not_taken_for_one_another():
    class Sets(Echo):
        def handle(self, node, state, event):
            match event:
                case Submit(_):
                    return state, (Send(1, ("a",)), Send(1, frozenset({"a"})))
            return state, ()

    sends = [{"type": "send", "to": 1, "message": ["a"]}] * 2
    lines = [
        start(0),
        start(1),
        record(0, {"type": "submit", "command": "a"}, *sends),
        record(1, {"type": "receive", "source": 0, "message": ["a"]}),
    ]
    found = compared(Sets(), lines, ECHO_SCOPE)
    assert "several messages" in found.unknown[1]


def test_messages_sent_long_ago_are_forgotten_and_it_is_told():
    assert echoed(*GOOD, sent_max=1).unknown is None
    found = echoed(*GOOD[:3], given_a(0, 1, ["b", 1]), received(1, 0), sent_max=1)
    assert "sent the message" in found.unknown[1]


def test_processes_take_any_command():
    lines = [start(0), given_a(0, 0, {"c": 1})]
    assert echoed(*lines).unknown is not None
    assert echoed(*lines, plain=True).difference is None
    assert echoed(*lines, plain=True).unknown is None
