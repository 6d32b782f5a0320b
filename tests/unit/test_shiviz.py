"""ShiViz: its own regular expression parses the log, and the clocks say what happened before what.

The rules of clocks are those by which ShiViz judges a log: the host is in its own clock, its count
begins with 1 and grows by one.
"""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from indelible.model.causality import causal_past
from indelible.model.trace import Evidence
from indelible.render.shiviz import render_shiviz

ALL = (
    "dup_ack_counted",
    "revealed_before_saved",
    "nasty",
    "raised",
    "never_started",
    "nothing_happened",
)


def parsed(log: str) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Each event, host and clock, found as ShiViz finds them: anywhere, one after the other."""
    parser, delimiter, rest = log.split("\n", 2)
    assert parser == r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"
    assert delimiter == ""
    # In JavaScript a dot stops at each of these.
    pattern = parser.replace("(?<", "(?P<").replace(".*", "[^\\n\\r\\u2028\\u2029]*")
    for found in re.finditer(pattern, rest.strip()):
        yield found["event"], found["host"], json.loads(found["clock"])


def at_most(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(count <= other.get(host, 0) for host, count in one.items())


@pytest.mark.parametrize("name", ALL)
def test_the_parser_finds_every_event(name: str, request: pytest.FixtureRequest) -> None:
    evidence = request.getfixturevalue(name)
    events = list(parsed(render_shiviz(evidence)))
    assert len(events) == max(1, len(evidence.run.steps))
    counts: dict[str, int] = {}
    for number, (event, host, clock) in enumerate(events, start=1):
        if evidence.run.steps:
            assert event.startswith(f"step {number}: ")
        counts[host] = counts.get(host, 0) + 1
        assert clock[host] == counts[host]


@pytest.mark.parametrize("name", ALL)
def test_the_clocks_alone_tell_what_happened_before_what(
    name: str, request: pytest.FixtureRequest
) -> None:
    evidence = request.getfixturevalue(name)
    clocks = [clock for _, _, clock in parsed(render_shiviz(evidence))]
    for step in evidence.run.steps:
        past = {
            number
            for number, clock in enumerate(clocks, start=1)
            if at_most(clock, clocks[step.number - 1])
        }
        assert past == set(causal_past(evidence.run, [step.number]))


def test_each_node_is_one_host(nasty: Evidence) -> None:
    hosts = {host for _, host, _ in parsed(render_shiviz(nasty))}
    assert hosts == {"end", "note_over_n0", "n1", "a_b_c__x___script_", "_", "שלום"}


def test_nodes_that_are_written_alike_are_hosts_apart(walk: Callable[..., Evidence]) -> None:
    evidence = walk(30, nodes=("a b", "a_b", "a?b"))
    hosts = [host for _, host, _ in parsed(render_shiviz(evidence))]
    assert set(hosts) == {"a_b", "a_b_2", "a_b_3"}


def test_the_explanation_is_told(dup_ack_counted: Evidence) -> None:
    events = [event for event, _, _ in parsed(render_shiviz(dup_ack_counted))]
    assert events[4].endswith("; leads ballot 1.0; » n0 has won ballot 1.0")
    assert events[8].endswith(
        "; decisive: n0 counts the vote of n1 twice"
        "; violated: decided_implies_chosen: slot 0: n0 decided 'a', too early"
    )
