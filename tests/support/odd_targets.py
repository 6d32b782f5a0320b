"""Implementations for trace documents: what states, messages and commands may be made of.

Small enough that each is violated after a few events, at once findable, and deterministic.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from typing import Any, NamedTuple

from indelible import Decide, Persist, Receive, Reply, Scope, Send, SetTimer, Submit, Timeout, Vote


class Colour(Enum):
    RED = 1
    BLUE = "b"


class Right(Flag):
    READ = 1
    WRITE = 2


class Ballot(NamedTuple):
    round: int
    node: Any

    def __str__(self) -> str:
        return f"{self.round}/{self.node}"


@dataclass(frozen=True)
class Put:
    """A command, and a message: ``tag`` and ``value`` are what ITF's variants have, too."""

    tag: str
    value: Any = None


@dataclass(frozen=True)
class Kept:
    what: tuple[Any, ...]
    by: frozenset[Any]


class Log(tuple[Any, ...]):
    __slots__ = ()


class Table(Mapping[Any, Any]):
    """A mapping as third-party packages have them: built from a dict, and hashable."""

    def __init__(self, content: Any = ()) -> None:
        self._content = dict(content)

    def __getitem__(self, key: Any) -> Any:
        return self._content[key]

    def __iter__(self) -> Any:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self._content == other._content

    def __hash__(self) -> int:
        return hash(frozenset(self._content.items()))

    def __repr__(self) -> str:
        return f"Table({self._content})"


Made = namedtuple("Made", ["class", "of"], rename=True)

COMMANDS = (
    "a",
    ("a", 1),
    Colour.BLUE,
    Right.READ | Right.WRITE,
    Put("Some", ()),
    (None, (), ""),
    frozenset({Ballot(1, "x"), Ballot(2, None)}),
    -(10**50),
    Fraction(1, 3),
    b"\x00\xff",
)


class Odd:
    """Every node decides what it is given: states, storage and messages are as odd as commands."""

    scope = Scope(
        nodes=("ann", "bob", 7),
        commands=COMMANDS,
        timeouts_max={"tick": 1, Colour.RED: None, ("t", 1): 0},
        may_time_out=("ann", 7),
        may_submit=("ann", "bob"),
        restarts_max=1,
        torn=True,
    )

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        timers = SetTimer("tick", (1, 2)), SetTimer(Colour.RED, (1, 1)), SetTimer(("t", 1), (0, 0))
        return Kept(Log((node, storage)), frozenset({Decimal("1.50"), 0.1})), timers

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        match event:
            case Submit(command) | Receive(_, Put(_, command)):
                after = Kept((*state.what, command), state.by | {command, Made(1, 2)})
                ballot = Ballot(len(after.what), node)
                effects = [Persist(Table({"at": ballot, command: Table()}))]
                if isinstance(event, Submit):
                    effects += [Send(to, Put("None", command)) for to in ("bob", 7)]
                return after, (*effects, Vote(0, ballot, command), Decide(0, command),
                               Reply(command, Right(0)))  # fmt: skip
            case Timeout(timer):
                after = Kept((Table({timer: state.by, Table({1: 2}): object}),), state.by)
                return after, (Decide(1, None),)
        return state, ()


class Raises(Odd):
    """Raises an exception at the first time-out."""

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        if isinstance(event, Timeout):
            raise ValueError("no <time> \ud800 \x1b[31m")
        return super().handle(node, state, event)


class NeverStarts(Odd):
    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        raise KeyError(node)


class AtOnce(Odd):
    """Two nodes decide differently before anything happens."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return None, (Decide(0, node), Send(node, None))


class Plain:
    """The smallest: one node decides what it is given, twice."""

    scope = Scope(nodes=1, commands=("a", "b"), timeouts_max=None, submissions_max=None)

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return 0, ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state + 1, (Decide(0, event.command),)
