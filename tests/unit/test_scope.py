"""The scope: what it says of itself, and that a malformed one is refused at the door."""

from __future__ import annotations

import copy
import dataclasses
import re
from typing import Any

import pytest

from indelible.model.errors import ScopeError
from indelible.model.scope import ALL_TIMERS, Scope


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"nodes": 0}, "a cluster of 0 nodes"),
        ({"nodes": -1}, "a cluster of -1 nodes"),
        ({"nodes": ()}, "a cluster of 0 nodes"),
        ({"nodes": 1.5}, "nodes is 1.5"),
        ({"nodes": True}, "nodes is True"),
        ({"nodes": "ab"}, "nodes is 'ab'"),
        ({"nodes": (1.5,)}, "node 1.5 is neither a number nor a string"),
        ({"nodes": (False,)}, "node False is neither a number nor a string"),
        ({"nodes": ("x", "x")}, "nodes names the same thing twice"),
        ({"commands": "ab"}, "commands is 'ab'"),
        ({"commands": 3}, "commands is 3"),
        ({"commands": ("a", "a")}, "commands names the same thing twice"),
        ({"commands": (["a"],)}, "commands has ['a'], which is not hashable"),
        ({"submissions_max": -1}, "submissions_max is -1"),
        ({"submissions_max": 1.0}, "submissions_max is 1.0"),
        ({"restarts_max": True}, "restarts_max is True"),
        ({"timeouts_max": "1"}, "timeouts_max is '1'"),
        ({"timeouts_max": {"election": -1}}, "timeouts_max['election'] is -1"),
        ({"may_submit": (3,)}, "may_submit names 3, which is not a node"),
        ({"may_submit": 0}, "may_submit is 0"),
        ({"may_time_out": ("n0",)}, "may_time_out names 'n0', which is not a node"),
        ({"may_time_out": (0, 0)}, "may_time_out names the same thing twice"),
        ({"torn": 1, "restarts_max": 1}, "torn is 1"),
        ({"torn": True}, "torn steps are asked for, but no restarts are allowed"),
        ({"links": "tcp"}, "unknown links 'tcp'"),
    ],
    ids=lambda value: repr(value) if isinstance(value, dict) else "",
)
def test_a_malformed_scope_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ScopeError) as caught:
        Scope(**fields)
    assert caught.value.fact.startswith(says)


def test_what_could_have_been_named_is_listed() -> None:
    with pytest.raises(ScopeError) as caught:
        Scope(links="tcp")  # type: ignore[arg-type]
    assert caught.value.available == "unordered_duplicating, unordered, ordered"
    with pytest.raises(ScopeError) as caught:
        Scope(nodes=("x", "y"), may_submit=("z",))
    assert caught.value.available == "'x', 'y'"


def test_a_scope_never_changes() -> None:
    bounds = {"election": 1}
    scope = Scope(timeouts_max=bounds)
    bounds["election"] = 9
    assert scope.timeouts_max == {"election": 1}
    with pytest.raises(TypeError):
        scope.timeouts_max["election"] = 9  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        scope.torn = True  # type: ignore[misc]


def test_nodes_are_counted_or_named() -> None:
    assert Scope(nodes=2).nodes == (0, 1)
    assert Scope(nodes=iter(["x", "y"])).nodes == ("x", "y")


def test_a_number_bounds_all_timers_of_a_node_together() -> None:
    scope = Scope(timeouts_max=2)
    assert scope.timeout_budget(0, "x") == scope.timeout_budget(0, "y") == (ALL_TIMERS, 2)


def test_a_mapping_bounds_each_timer_it_names_and_no_other() -> None:
    scope = Scope(timeouts_max={"x": 2, "y": None})
    assert scope.timeout_budget(0, "x") == ("x", 2)
    assert scope.timeout_budget(0, "y") == ("y", None)
    assert scope.timeout_budget(0, "z") == ("z", None)


@pytest.mark.parametrize("bound", [None, 5, {"x": 5}])
def test_a_node_that_may_not_time_out_has_no_budget(bound: Any) -> None:
    scope = Scope(timeouts_max=bound, may_time_out=(1,))
    assert scope.timeout_budget(0, "x")[1] == 0
    assert scope.timeout_budget(1, "x")[1] == (None if bound is None else 5)


def test_clients_submit_to_every_node_unless_it_says_to_which() -> None:
    assert [Scope().accepts_submissions(node, "a") for node in range(3)] == [True, True, True]
    only = Scope(may_submit=(2,))
    assert [only.accepts_submissions(node, "a") for node in range(3)] == [False, False, True]
    assert not Scope(may_submit=()).accepts_submissions(0, "a")


def test_clients_may_be_told_command_by_command_where_to_submit() -> None:
    scope = Scope(commands=("a", "b", "c"), may_submit={"a": (0, 2), "b": ()})
    assert [scope.accepts_submissions(node, "a") for node in range(3)] == [True, False, True]
    assert not any(scope.accepts_submissions(node, "b") for node in range(3))
    assert all(scope.accepts_submissions(node, "c") for node in range(3)), "c is not named"
    assert dict(scope.lines())["submissions_max"] == (
        "at most 1 of each command; a only to n0, n2; b only to no node"
    )
    assert scope == Scope(commands=("a", "b", "c"), may_submit={"b": [], "a": [0, 2]})


@pytest.mark.parametrize(
    ("may_submit", "says"),
    [
        ({"x": (0,)}, "may_submit names 'x', which is not a command"),
        ({"a": (0, 7)}, "may_submit names 7, which is not a node"),
        ({"a": 0}, "may_submit is 0"),
        ({"a": (1, 1)}, "may_submit names the same thing twice"),
    ],
)
def test_where_commands_are_submitted_is_checked(may_submit: Any, says: str) -> None:
    with pytest.raises(ScopeError, match=re.escape(says)):
        Scope(may_submit=may_submit)


def test_links_that_nobody_chose_are_those_an_implementation_is_made_for() -> None:
    assert Scope() == Scope(links="unordered_duplicating")
    assert Scope().made_for("ordered") == Scope(links="ordered")
    changed = copy.deepcopy(dataclasses.replace(Scope(), nodes=2))
    assert changed.made_for("ordered").links == "ordered"
    chosen = Scope(links="unordered_duplicating")
    assert chosen.made_for("ordered") is chosen


def test_every_field_shows_in_the_lines_of_a_report() -> None:
    """A bound that is not reported is a bound that nobody knows of."""
    plain = Scope()
    other: dict[str, Any] = {
        "nodes": 2,
        "commands": ("b",),
        "submissions_max": 7,
        "may_submit": (0,),
        "timeouts_max": 7,
        "may_time_out": (0,),
        "restarts_max": 7,
        "links": "ordered",
    }
    assert {*other, "torn"} == {field.name for field in dataclasses.fields(Scope)}
    for name, value in other.items():
        assert Scope(**{name: value}).lines() != plain.lines(), name
    whole, torn = Scope(restarts_max=1), Scope(restarts_max=1, torn=True)
    assert whole.lines() != torn.lines()


def test_the_lines_read_as_sentences() -> None:
    scope = Scope(
        nodes=2,
        commands=("a", "b"),
        submissions_max=None,
        may_submit=(0,),
        timeouts_max={"x": 1, "y": None},
        may_time_out=(),
        restarts_max=2,
        torn=True,
    )
    assert scope.lines() == (
        ("nodes", "2 (n0, n1)"),
        ("commands", "a, b"),
        ("submissions_max", "unbounded of each command; only to n0"),
        (
            "timeouts_max",
            "x at most 1, y unbounded; other timers unbounded (per node); only of no node",
        ),
        ("restarts_max", "at most 2 in all; steps may be torn by a crash"),
        ("links", "unordered_duplicating"),
    )
