"""Trace documents: what is written is read again, and written again byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from indelible import Receive, Restart, Submit, Timeout
from indelible.checkers.findings import RAISES
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.cluster import ClusterState
from indelible.model.events import Torn
from indelible.model.run import Run, RunStep
from indelible.model.trace import Evidence, Explanation, Moment
from indelible.model.trace_document import document_text
from indelible.model.trace_reader import parse_document
from indelible.render.text import render_document
from support.documents import evidence_found, evidence_played
from support.odd_targets import COMMANDS, Colour, Put

ODD = "support.odd_targets:"
TESTS = Path(__file__).parents[1]


def odd() -> Evidence:
    """Events of all kinds but one, and values of all kinds in every place."""
    actions = (
        ("ann", Torn(Submit(COMMANDS[1]), 2)),
        ("bob", Submit(COMMANDS[4])),
        ("ann", Timeout("tick")),
        (7, Timeout(Colour.RED)),
        (7, Receive("bob", Put("None", COMMANDS[4]))),
        ("bob", Submit(COMMANDS[3])),
    )
    return evidence_played(f"{ODD}Odd", actions)


MADE = {
    "odd values": odd,
    **{
        f"command {index}": lambda command=command: evidence_played(
            f"{ODD}Odd", [("ann", Submit(command)), ("ann", Submit("a"))]
        )
        for index, command in enumerate(COMMANDS[1:])
    },
    "an exception": lambda: evidence_played(
        f"{ODD}Raises", [("bob", Submit(COMMANDS[3])), ("ann", Timeout("tick"))], RAISES
    ),
    "no start": lambda: evidence_played(f"{ODD}NeverStarts", [], RAISES),
    "no event": lambda: evidence_played(f"{ODD}AtOnce", []),
    "submissions to nodes of their own": lambda: evidence_found(
        f"{ODD}Plain",
        nodes=2,
        may_submit={"a": (1,), "b": ()},
        submissions_max=1,
        commands=("a", "b", "c"),
    ),
    "unbounded time-outs": lambda: evidence_found(f"{ODD}Plain"),
    "time-outs in all": lambda: evidence_found(f"{ODD}Plain", timeouts_max=3, may_time_out=()),
    **{
        links: lambda links=links: evidence_played(
            f"{ODD}Odd",
            [
                ("ann", Submit("a")),
                ("bob", Restart()),
                ("bob", Receive("ann", Put("None", "a"))),
                ("bob", Submit(COMMANDS[1])),
            ],
            links=links,
        )
        for links in ("unordered", "ordered")
    },
}


def without_messages(evidence: Evidence) -> Evidence:
    """The evidence as it is read: records say nothing of messages sent and received."""
    run = evidence.run

    def local(known: Any) -> Any:
        record = known.record._replace(sent=frozenset(), received=frozenset())
        return known._replace(record=record)

    def step(known: RunStep) -> RunStep:
        return replace(known, before=local(known.before), after=local(known.after))

    initial = None if run.initial is None else ClusterState(tuple(map(local, run.initial.nodes)))
    kept = Run(run.scope, initial, run.started, tuple(map(step, run.steps)))
    return replace(evidence, run=kept)


@pytest.mark.parametrize("name", MADE)
def test_what_is_written_is_read_again(name: str) -> None:
    evidence = MADE[name]()
    text = document_text(evidence)
    assert text.isascii()
    assert text.endswith("}\n")
    reading = parse_document(text).read()
    assert document_text(reading.evidence) == text
    assert reading.missing == ()
    if name != "odd values":  # A class among the values there comes back as text.
        assert reading.evidence == without_messages(evidence)
    assert render_document(reading.evidence) == render_document(evidence)


KNOWN = sorted(KNOWN_BUGS)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_evidence_of_a_known_bug_is_read_again(name: str) -> None:
    evidence = evidence_found(name, KNOWN_BUGS[name].property)
    text = document_text(evidence)
    reading = parse_document(text).read()
    assert document_text(reading.evidence) == text
    assert reading.evidence == without_messages(evidence)


def test_all_that_is_known_of_a_trace_is_kept() -> None:
    found = {"by": "x", "n": 10**30, "half": 0.5, "nested": {"list": [None, True, "\ud800"]}}
    moment = Moment(2, "\u2028 says \x00")
    evidence = replace(
        evidence_found(f"{ODD}Plain"),
        explanation=Explanation((1, 2), (Moment(1, ""), moment), moment),
        length="irreducible",
        found=found,
        fixed=True,
        property="module:name",
        target="",
    )
    reading = parse_document(document_text(evidence)).read()
    assert reading.evidence == without_messages(evidence)
    assert document_text(reading.evidence) == document_text(evidence)


def test_the_same_events_are_the_same_document_whatever_the_hash_seed() -> None:
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\n"
        "from unit.test_trace_documents import odd\n"
        "from indelible.model.trace_document import document_text\n"
        "from indelible.model.trace_reader import parse_document\n"
        "text = document_text(odd())\n"
        "assert document_text(parse_document(text).read().evidence) == text\n"
        "print(text, end='')"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-P", "-c", code, str(TESTS)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert texts == {document_text(odd())}


# --- classes that are gone, or not what they were -------------------------------------------------

GONE = """
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple
from indelible import *

class Vote_(NamedTuple):
    slot: int
    value: Any

class Role(Enum):
    LEADER = "l"

@dataclass(frozen=True)
class State:
    role: Role
    log: tuple[Any, ...] = ()

class Node:
    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=0)
    def start(self, node, nodes, storage):
        return State(Role.LEADER), ()
    def handle(self, node, state, event):
        log = (*state.log, Vote_(0, event.command))
        return State(state.role, log), (Persist(log), Decide(0, event.command))
"""

LATER = {
    "gone": None,
    "renamed": GONE.replace("State", "Condition").replace("Vote_", "Entry"),
    "with more fields": GONE.replace("value: Any", "value: Any\n    ballot: int = 0").replace(
        "log: tuple", "leader: Any = None\n    log: tuple"
    ),
    "with other fields": GONE.replace("slot: int", "place: int").replace("role: Role", "rank: Any"),
    "of another kind": GONE.replace("class Role(Enum):", "class Role(tuple):").replace(
        "Role.LEADER", "Role()"
    ),
    "with another member": GONE.replace("LEADER", "CHIEF"),
    "with an alias": GONE.replace('LEADER = "l"', 'CHIEF = "l"; LEADER = "l"'),
    "no classes": "State = Vote_ = Role = 3",
}


@pytest.fixture
def gone() -> Iterator[str]:
    """The name of a module of which only ``GONE`` is known; it leaves nothing behind."""
    yield "module_that_goes"
    sys.modules.pop("module_that_goes", None)


def load(name: str, code: str) -> None:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(code, module.__dict__)


@pytest.mark.parametrize("later", LATER)
def test_a_document_is_shown_and_written_again_when_its_classes_are_not_what_they_were(
    later: str, gone: str
) -> None:
    load(gone, GONE)
    evidence = evidence_found(f"{gone}:Node")
    text, shown = document_text(evidence), render_document(evidence)
    del sys.modules[gone]
    code = LATER[later]
    if code is not None:
        load(gone, code)
    reading = parse_document(text).read()
    assert document_text(parse_document(text).recorded()) == text
    if later == "with an alias":  # The class says itself that the two are one.
        assert reading.missing == ()
        return
    assert render_document(reading.evidence) == shown
    assert document_text(reading.evidence) == text
    assert reading.missing


def test_recorded_is_what_the_document_says_whatever_is_loaded(gone: str) -> None:
    load(gone, GONE)
    document = parse_document(document_text(evidence_found(f"{gone}:Node")))
    before = document.recorded()
    del sys.modules[gone]
    assert document_text(before) == document_text(document.recorded())
    assert render_document(before) == render_document(document.recorded())
