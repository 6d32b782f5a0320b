"""What all tests share: the option that writes readable outputs anew, and evidence to render."""

import asyncio
import gc
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indelible.checkers.properties import BUILT_IN
from indelible.evidence import evidence_of
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import Ballot, MultiPaxos
from indelible.impl.multipaxos.messages import Accept, Accepted, Prepare, Promised
from indelible.model.cluster import Cluster
from indelible.model.events import Action, Receive, Submit, Timeout, Torn
from indelible.model.scope import Scope
from indelible.model.trace import Evidence, Explanation, Moment, Trace, Violation

pytest_plugins = ["pytester"]

LOW, HIGH = Ballot(1, 0), Ballot(1, 1)
NASTY = (
    'end; <b>x</b> & &lt; %%{init: {}}%% $$x$$ "it\'s" </script><script>alert(1)</script>'
    " style:#35;x; classDef:#a; ->> -x `c` \\n \u2028 \u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write the files in tests/golden/expected anew"
    )


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so that nothing is gained by looking through it for garbage;
    and to look less often saves a tenth of the time of tests that compute."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 5)


@pytest.fixture(autouse=True)
def not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command does when it runs in GitHub Actions, it does in no test that did not ask."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def no_other_loop() -> Iterator[None]:
    """A browser that other tests have opened in this process keeps its loop running."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a test starts find the installed packages, not the folders of the repository:
    who looks for targets puts the current folder on the path, and workers inherit it."""
    root = str(Path(__file__).parents[1])
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", root)])


ELECTION = {"election": 1, "heartbeat": 0, "retransmit": 0}


def _known_bug(
    name: str, scope: Scope, actions: tuple[Action, ...], says: str, story: Explanation
) -> Evidence:
    bug = KNOWN_BUGS[name]
    violation = Violation(says, slot=0, nodes=(0, 1), values=("a",), property=bug.property)
    trace = Trace(name, scope, actions, violation)
    known = BUILT_IN[bug.property]
    found = {"by": "exhaustive search", "states_distinct": 1234}
    evidence = evidence_of(
        bug.implementation, trace, known, target=name, length="shortest", found=found
    )
    return replace(evidence, explanation=story)


@pytest.fixture(scope="session")
def dup_ack_counted() -> Evidence:
    """Nine events: one vote is delivered twice, and counted twice."""
    accepted = Receive(1, Accepted(LOW, 0))
    actions: tuple[Action, ...] = (
        (0, Timeout("election")),
        (1, Receive(0, Prepare(LOW))),
        (0, Receive(1, Promised(LOW, (), ()))),
        (2, Receive(0, Prepare(LOW))),
        (0, Receive(2, Promised(LOW, (), ()))),
        (0, Submit("a")),
        (1, Receive(0, Accept(LOW, 0, "a"))),
        (0, accepted),
        (0, accepted),
    )
    story = Explanation(
        (1, 2, 3, 4, 5, 6, 7, 8, 9),
        (Moment(5, "n0 has won ballot 1.0"),),
        Moment(9, "n0 counts the vote of n1 twice"),
    )
    scope = Scope(nodes=4, timeouts_max=ELECTION, may_time_out=(0,))
    return _known_bug("dup_ack_counted", scope, actions, "slot 0: n0 decided 'a', too early", story)


@pytest.fixture(scope="session")
def revealed_before_saved() -> Evidence:
    """Twelve events: a crash falls between telling of a vote and saving it."""
    actions: tuple[Action, ...] = (
        (0, Timeout("election")),
        (1, Timeout("election")),
        (2, Receive(0, Prepare(LOW))),
        (0, Receive(2, Promised(LOW, (), ()))),
        (0, Submit("a")),
        (2, Torn(Receive(0, Accept(LOW, 0, "a")), 2)),
        (0, Receive(2, Accepted(LOW, 0))),
        (2, Receive(1, Prepare(HIGH))),
        (1, Receive(2, Promised(HIGH, (), ()))),
        (1, Submit("b")),
        (0, Receive(1, Accept(HIGH, 0, "b"))),
        (1, Receive(0, Accepted(HIGH, 0))),
    )
    story = Explanation(
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
        (Moment(7, "'a' is chosen in slot 0"),),
        Moment(6, "n2 forgets a vote that it has told of"),
    )
    says = "slot 0: n0 decided 'a', n1 decided 'b'"
    scope = Scope(
        commands=("a", "b"),
        timeouts_max=ELECTION,
        may_time_out=(0, 1),
        restarts_max=1,
        torn=True,
    )
    return _known_bug("accept_revealed_before_saved", scope, actions, says, story)


@pytest.fixture(scope="session")
def walk() -> Callable[..., Evidence]:
    """A random walk of Multi-Paxos: so many events inside a scope, from a seed."""

    def walked(count: int, seed: int = 1, **scope_fields: Any) -> Evidence:
        fields = {"commands": ("a", "b", "c"), "submissions_max": 3, "timeouts_max": None}
        scope = Scope(**{**fields, "restarts_max": 9, "torn": True, **scope_fields})
        cluster, dice = Cluster(MultiPaxos(), scope, twice=False), random.Random(seed)
        state, actions = cluster.initial(), []
        while len(actions) < count:
            action = dice.choice(cluster.enabled(state))
            following = cluster.step(state, action)
            # Few events that change nothing: there are many, and they show little.
            if following != state or dice.random() < 0.1:
                actions.append(action)
                state = following
        violation = Violation("made up", property="agreement")
        trace = Trace("multipaxos", scope, tuple(actions), violation)
        known = BUILT_IN["agreement"]
        return evidence_of(MultiPaxos(), trace, known, target="multipaxos")

    return walked


@pytest.fixture(scope="session")
def nasty(walk: Callable[..., Evidence]) -> Evidence:
    """A walk whose nodes, commands and violation have all that a format may trip over."""
    nodes = ("end", "note over n0", "n1", 'a;b#c"(x)\n<script>', "", "\u05e9\u05dc\u05d5\u05dd")
    evidence = walk(60, nodes=nodes, commands=(NASTY, "end", "x" * 5000))
    violation = Violation(NASTY, slot=0, nodes=nodes, values=(None, NASTY), property=NASTY)
    moments = (Moment(3, NASTY), Moment(3, "a second one"))
    return replace(
        evidence,
        target=NASTY,
        trace=replace(evidence.trace, violation=violation),
        explanation=Explanation((1, 2, 60), moments, Moment(7, NASTY)),
        found={"by": NASTY, "seed": None},
    )


class Unwilling:
    """Raises when it is started; or, if it ``starts``, at the first event."""

    name = "unwilling"
    scope = Scope(nodes=1, commands=("a",), timeouts_max=0)

    def __init__(self, *, starts: bool) -> None:
        self.starts = starts

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        if not self.starts:
            raise ValueError("no <start>")
        return "started", ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        raise ValueError("no <event>")


@pytest.fixture(scope="session")
def raised() -> Evidence:
    """One event, at which the implementation raises."""
    trace = Trace(
        "unwilling", Unwilling.scope, ((0, Submit("a")),), Violation("raises", property="raises")
    )
    return evidence_of(Unwilling(starts=True), trace, None)


@pytest.fixture(scope="session")
def never_started() -> Evidence:
    """No event at all: the node could not even start."""
    trace = Trace("unwilling", Unwilling.scope, (), Violation("raises", property="raises"))
    evidence = evidence_of(Unwilling(starts=False), trace, None)
    assert evidence.run.initial is None
    return evidence


@pytest.fixture(scope="session")
def nothing_happened(walk: Callable[..., Evidence]) -> Evidence:
    """No event either, but every node has a state: what is wrong is wrong from the start."""
    return walk(0)
