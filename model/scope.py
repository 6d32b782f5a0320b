"""Scope: the bounds inside which a check is exhaustive (the word is Alloy's).

A frozen value, validated when it is made. It knows nothing of any implementation. A bound that is
``None`` is not counted, and so costs no states.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from indelible.model.classes import plain_text
from indelible.model.errors import ScopeError
from indelible.model.events import Command, NodeId, Timer, node_name

__all__ = ["ALL_TIMERS", "LINKS", "NODES_MAX", "Links", "Scope"]

Links: TypeAlias = Literal["unordered_duplicating", "unordered", "ordered"]
LINKS: Final[tuple[str, ...]] = get_args(Links)

NODES_MAX: Final = 64
"""How many nodes a cluster may have."""


class _Unsaid(str):
    """Links that nobody has chosen: the usual ones, unless an implementation is made for less."""

    __slots__ = ()


USUAL_LINKS: Final = cast("Links", _Unsaid(LINKS[0]))

ALL_TIMERS: Final = "(all timers)"
"""The key under which time-outs are counted when one bound covers every timer of a node."""


@dataclass(frozen=True, init=False)
class Scope:
    """What may happen, and how often.

    - ``nodes``: how many (they are then called 0, 1, …), or their names.
    - ``commands``: what clients may submit, to any node.
    - ``submissions_max``: how often each command may be submitted in all.
    - ``may_submit``: the nodes to which clients submit, or a mapping from commands to such nodes (a
      command it does not name may be submitted anywhere); ``None`` means every node.
    - ``timeouts_max``: how often a node's timers may fire, per node: a number for all its timers
      together, or a mapping by timer (a timer it does not name is unbounded).
    - ``may_time_out``: the nodes whose timers may fire; ``None`` means every node.
    - ``restarts_max``: how many restarts in all; ``torn``: may a crash cut a step short.
    - ``links``: ``"unordered_duplicating"`` loses, reorders and duplicates; ``"unordered"`` loses
      and reorders, delivers at most once; ``"ordered"`` is first in, first out, and reliable:
      what is under way when a node restarts is still delivered to it. Left out they are the first,
      or the weakest that the implementation on trial says it is made for.

    Raises ``ScopeError`` when a field is malformed or two contradict each other.
    """

    nodes: tuple[NodeId, ...]
    commands: tuple[Command, ...]
    submissions_max: int | None
    may_submit: tuple[NodeId, ...] | Mapping[Command, tuple[NodeId, ...]] | None
    timeouts_max: int | Mapping[Timer, int | None] | None
    may_time_out: tuple[NodeId, ...] | None
    restarts_max: int | None
    torn: bool
    links: Links

    def __init__(
        self,
        *,
        nodes: int | Iterable[NodeId] = 3,
        commands: Iterable[Command] = ("a",),
        submissions_max: int | None = 1,
        may_submit: Iterable[NodeId] | Mapping[Command, Iterable[NodeId]] | None = None,
        timeouts_max: int | Mapping[Timer, int | None] | None = 1,
        may_time_out: Iterable[NodeId] | None = None,
        restarts_max: int | None = 0,
        torn: bool = False,
        links: Links = USUAL_LINKS,
    ) -> None:
        values = {
            "nodes": _nodes(nodes),
            "commands": _tuple("commands", commands),
            "submissions_max": _bound("submissions_max", submissions_max),
            "may_submit": _may_submit(may_submit),
            "timeouts_max": _timeouts(timeouts_max),
            "may_time_out": None if may_time_out is None else _tuple("may_time_out", may_time_out),
            "restarts_max": _bound("restarts_max", restarts_max),
            "torn": torn,
            "links": links,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        if self.links not in LINKS:
            raise ScopeError(f"unknown links {self.links!r}", available=", ".join(LINKS))
        if not isinstance(self.torn, bool):
            raise ScopeError(f"torn is {self.torn!r}", remedy="give True or False")
        by_command = self.may_submit if isinstance(self.may_submit, Mapping) else {}
        for command in by_command:
            if command not in self.commands:
                raise ScopeError(
                    f"may_submit names {command!r}, which is not a command",
                    available=", ".join(repr(known) for known in self.commands),
                )
        groups = [("may_submit", nodes) for nodes in by_command.values()]
        if not isinstance(self.may_submit, Mapping):
            groups.append(("may_submit", self.may_submit or ()))
        for name, nodes in (*groups, ("may_time_out", self.may_time_out or ())):
            for node in nodes:
                if node not in self.nodes:
                    raise ScopeError(
                        f"{name} names {node!r}, which is not a node",
                        available=", ".join(repr(known) for known in self.nodes),
                    )
        if None in self.commands:
            raise ScopeError(
                "None is a command", cause="as a value it stands for a no-op", remedy="rename it"
            )
        if self.torn and self.restarts_max == 0:
            raise ScopeError(
                "torn steps are asked for, but no restarts are allowed",
                cause="a torn step is a crash in the middle of a step, and a crash is a restart",
                remedy="set restarts_max to 1 or more, or torn to False",
            )

    def made_for(self, links: Links) -> Scope:
        """The same with ``links``, the weakest that an implementation is made for, unless somebody
        has chosen some. Raises ``ScopeError``."""
        return replace(self, links=links) if isinstance(self.links, _Unsaid) else self

    def accepts_submissions(self, node: NodeId, command: Command) -> bool:
        """Whether clients submit this command to this node."""
        allowed = self.may_submit
        if isinstance(allowed, Mapping):
            allowed = allowed.get(command)
        return allowed is None or node in allowed

    def timeout_budget(self, node: NodeId, timer: Timer) -> tuple[Timer, int | None]:
        """The key under which this timer's firings are counted, and how many there may be."""
        if self.may_time_out is not None and node not in self.may_time_out:
            return ALL_TIMERS, 0
        if isinstance(self.timeouts_max, Mapping):
            return timer, self.timeouts_max.get(timer)
        return ALL_TIMERS, self.timeouts_max

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Every bound as (name, what it says), for reports."""
        timeouts = self.timeouts_max
        if isinstance(timeouts, Mapping):
            per_timer = ", ".join(
                f"{_name(timer)} {_limit(most)}" for timer, most in timeouts.items()
            )
            timeouts_text = f"{per_timer}; other timers unbounded (per node)"
        else:
            timeouts_text = f"{_limit(timeouts)} per node"
        timeouts_text += _only("of", self.may_time_out)
        torn = "steps may be torn by a crash" if self.torn else "steps are never torn"
        return (
            ("nodes", f"{len(self.nodes)} ({', '.join(node_name(node) for node in self.nodes)})"),
            ("commands", ", ".join(_name(command) for command in self.commands) or "none"),
            (
                "submissions_max",
                f"{_limit(self.submissions_max)} of each command" + _only_to(self.may_submit),
            ),
            ("timeouts_max", timeouts_text),
            ("restarts_max", f"{_limit(self.restarts_max)} in all; {torn}"),
            ("links", self.links),
        )


def _only(preposition: str, nodes: tuple[NodeId, ...] | None) -> str:
    if nodes is None:
        return ""
    return f"; only {preposition} {', '.join(node_name(node) for node in nodes) or 'no node'}"


def _name(value: object) -> str:
    return value if isinstance(value, str) else plain_text(value)


def _only_to(
    may_submit: tuple[NodeId, ...] | Mapping[Command, tuple[NodeId, ...]] | None,
) -> str:
    if not isinstance(may_submit, Mapping):
        return _only("to", may_submit)
    return "".join(
        f"; {_name(command)}{_only('to', nodes).removeprefix(';')}"
        for command, nodes in may_submit.items()
    )


def _limit(most: int | None) -> str:
    return "unbounded" if most is None else f"at most {most}"


def _bound(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ScopeError(
            f"{name} is {value!r}", remedy="give a whole number from 0, or None for no bound"
        )
    return value


def _timeouts(value: object) -> int | Mapping[Timer, int | None] | None:
    if isinstance(value, Mapping):
        return MappingProxyType(
            {timer: _bound(f"timeouts_max[{timer!r}]", most) for timer, most in value.items()}
        )
    return _bound("timeouts_max", value)


def _may_submit(value: object) -> tuple[Hashable, ...] | Mapping[Hashable, Any] | None:
    if isinstance(value, Mapping):
        return MappingProxyType(
            {command: _tuple("may_submit", nodes) for command, nodes in value.items()}
        )
    return None if value is None else _tuple("may_submit", value)


def _nodes(value: object) -> tuple[NodeId, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= NODES_MAX:
            raise ScopeError(
                f"a cluster of {value} nodes", remedy=f"give from 1 to {NODES_MAX} nodes"
            )
        return tuple(range(value))
    names = _tuple("nodes", value)
    if not 1 <= len(names) <= NODES_MAX:
        raise ScopeError(
            f"a cluster of {len(names)} nodes", remedy=f"name from 1 to {NODES_MAX} nodes"
        )
    for name in names:
        if isinstance(name, bool) or not isinstance(name, int | str):
            raise ScopeError(f"node {name!r} is neither a number nor a string")
    return cast("tuple[NodeId, ...]", names)


def _tuple(name: str, value: object) -> tuple[Hashable, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ScopeError(f"{name} is {value!r}", remedy=f"give a tuple, as in {name}=('a', 'b')")
    items = tuple(value)
    for item in items:
        try:
            hash(item)
        except TypeError:
            raise ScopeError(f"{name} has {item!r}, which is not hashable") from None
    if len(set(items)) != len(items):
        raise ScopeError(f"{name} names the same thing twice: {items!r}")
    return items
