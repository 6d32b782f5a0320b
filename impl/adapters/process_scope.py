"""The scope that a process names in its hello: an object of JSON, as the schema describes it.

What is wrong with it is told in the words of JSON, to authors of any language: so it is looked at
here, field by field, before it becomes a ``Scope``. Pure functions; errors are ``WireError``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Final, NoReturn

from indelible.model.errors import WireError, closest_first
from indelible.model.events import NodeId
from indelible.model.node_json import node_from_json, plain
from indelible.model.scope import LINKS, NODES_MAX, Scope

__all__ = ["json_text", "scope_from_json"]

A_BOUND: Final = "a whole number from 0, or null for no bound"
SOME_NODES: Final = "an array of nodes, or null for all of them"
TEXT_MAX: Final = 200


def json_text(value: Any) -> str:
    """JSON as errors show it: cut short if it is long."""
    text = json.dumps(value)
    return text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"


def scope_from_json(data: Any, links: str) -> Scope | None:
    """The scope that ``data`` says, ``None`` if it says none; its links are ``links``, the weakest
    that the process is made for, unless it names others. Raises ``WireError``."""
    if data is None:
        return None
    if not isinstance(data, dict):
        _wrong("scope", data, "an object, or null")
    for name in data:
        if name not in _READERS:
            raise WireError(
                f"scope has no field {json_text(name)}",
                cause="a slip in a name",
                available=closest_first(name, _READERS),
            )
    fields = {name: _READERS[name](value, f"scope.{name}") for name, value in data.items()}
    _require_known(fields, Scope(nodes=fields.get("nodes", Scope().nodes)).nodes)
    if fields.get("torn") and fields.get("restarts_max", 0) == 0:
        raise WireError(
            "scope.torn is true, and no restarts are allowed: scope.restarts_max is 0"
            + ("" if "restarts_max" in fields else ", as it is left out"),
            cause="a torn step is a crash in the middle of a step, and a crash is a restart",
            remedy='write "restarts_max":1 or more; or leave "torn" out',
        )
    return Scope(**{"links": links, **fields})


def _require_known(fields: Mapping[str, Any], nodes: tuple[NodeId, ...]) -> None:
    """Nodes and commands that other fields name are those of the scope."""
    submit = fields.get("may_submit") or ()
    by_command = submit if isinstance(submit, dict) else {}
    commands = fields.get("commands", Scope().commands)
    for command in by_command:
        if command not in commands:
            _wrong_name("scope.may_submit", command, "command", commands)
    named = {f"scope.may_submit.{command}": to for command, to in by_command.items()}
    if not by_command:
        named["scope.may_submit"] = submit
    named["scope.may_time_out"] = fields.get("may_time_out") or ()
    for where, chosen in named.items():
        for node in chosen:
            if node not in nodes:
                _wrong_name(where, node, "node", nodes)


def _wrong_name(where: str, name: Any, kind: str, known: Collection[Any]) -> NoReturn:
    raise WireError(
        f"{where} names {json_text(name)}, which is no {kind} of the scope",
        cause=f"a slip in a name; or a field that names the {kind}s is left out",
        available=", ".join(map(_said, known)) or f"nothing: scope.{kind}s is empty",
    )


def _said(value: Any) -> str:
    return json.dumps(value, default=str)


# --- field by field -------------------------------------------------------------------------------


def _nodes(data: Any, where: str) -> int | tuple[NodeId, ...]:
    available = f"a whole number from 1 to {NODES_MAX}, or the names of so many"
    if isinstance(data, list):
        names = _node_names(data, where)
        if not 1 <= len(names) <= NODES_MAX:
            _wrong(where, data, available)
        return names
    count = _whole(data, where, available)
    if not 1 <= count <= NODES_MAX:
        _wrong(where, data, available)
    return count


def _node_names(data: Any, where: str, available: str = "an array of nodes") -> tuple[NodeId, ...]:
    names = [
        node_from_json(each, f"{where}[{at}]")
        for at, each in enumerate(_array(data, where, available))
    ]
    return _different(names, data, where)


def _some_nodes(data: Any, where: str) -> tuple[NodeId, ...] | None:
    return None if data is None else _node_names(data, where, SOME_NODES)


def _may_submit(data: Any, where: str) -> Any:
    if isinstance(data, dict):
        return {command: _node_names(to, f"{where}.{command}") for command, to in data.items()}
    if data is not None and not isinstance(data, list):
        _wrong(where, data, f"{SOME_NODES}; or an object with such an array for each command")
    return _some_nodes(data, where)


def _commands(data: Any, where: str) -> tuple[Hashable, ...]:
    commands = [
        plain(each, f"{where}[{at}]")
        for at, each in enumerate(_array(data, where, 'an array, as in ["a","b"]'))
    ]
    if None in commands:
        raise WireError(
            f"{where}[{commands.index(None)}] is null",
            cause="as a value that is decided, null stands for a gap that is filled",
            remedy="call the command something else",
        )
    return _different(commands, data, where)


def _timeouts(data: Any, where: str) -> Any:
    if isinstance(data, dict):
        return {timer: _bound(most, f"{where}.{timer}") for timer, most in data.items()}
    return _bound(data, where, f"{A_BOUND}; or an object with such a bound for each timer")


def _bound(data: Any, where: str, available: str = A_BOUND) -> int | None:
    if data is None:
        return None
    bound = _whole(data, where, available)
    if bound < 0:
        _wrong(where, data, available)
    return bound


def _torn(data: Any, where: str) -> bool:
    if not isinstance(data, bool):
        _wrong(where, data, "true, false")
    return data


def _links(data: Any, where: str) -> str:
    if data not in LINKS:
        _wrong(where, data, ", ".join(map(json_text, LINKS)))
    return str(data)


_READERS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "nodes": _nodes,
    "commands": _commands,
    "submissions_max": _bound,
    "may_submit": _may_submit,
    "timeouts_max": _timeouts,
    "may_time_out": _some_nodes,
    "restarts_max": _bound,
    "torn": _torn,
    "links": _links,
}


def _whole(data: Any, where: str, available: str) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        _wrong(where, data, available)
    return data


def _array(data: Any, where: str, available: str) -> list[Any]:
    if not isinstance(data, list):
        _wrong(where, data, available)
    return data


def _different(values: list[Any], data: list[Any], where: str) -> tuple[Any, ...]:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise WireError(f"{where} has {json_text(data[at])} twice", remedy="name each once")
    return tuple(values)


def _wrong(where: str, found: Any, available: str) -> NoReturn:
    raise WireError(f"{where} is {json_text(found)}", available=available)
