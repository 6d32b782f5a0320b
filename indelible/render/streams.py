"""Streams, connections, servers and groups of tasks as people read them: whom they connect, what is
not read yet, whether they have ended, who is in them.

All else that asyncio keeps in them is left out. Each is known by its class and by the parts that
only asyncio's (or our own) has; a class of the program may have the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from indelible.model.events import node_name
from indelible.model.plain import TYPE, Fields, List, Same
from indelible.render.paths import at

__all__ = ["shortened", "waited_for"]

_PARTS: Final[Mapping[str, set[str]]] = {
    "StreamReader": {"_limit", "_buffer", "_transport"},
    "StreamWriter": {"_transport", "_protocol", "_reader"},
    "StreamReaderProtocol": {"_stream_reader_wr", "_transport", "_closed"},
    "Connection": {"name", "peer", "address"},
    "Server": {"factory", "port", "is_closed", "_waiters", "_forever"},
    "TaskGroup": {"_parent_task", "_tasks", "_errors"},
}
_FLAGS: Final = {
    "is_paused": "paused",
    "has_ended": "ended",
    "peer_has_ended": "peer_ended",
    "is_closed": "closed",
}
_ALL: Final = {*_PARTS["Connection"], *_FLAGS, TYPE, "is_opener", "opening", "protocol", "held"}
"""All that a connection is told by."""


def shortened(value: Fields, state: Fields, *, whole: bool = False) -> dict[str, Any] | None:
    """What a reader wants of it, by name, where it is one of these; ``state`` is all there is.

    If it is told as a ``whole``, then also what it leads to.
    """
    if not _is_one(value):
        return None
    kind = value.kind or ""
    told = _TOLD[kind](value, state)
    if whole:
        beyond = {name: value.get(part) for name, part in _LEADS_TO.get(kind, {}).items()}
        told |= {name: part for name, part in beyond.items() if not _is_streams_own(part, state)}
    return {TYPE: kind, **{name: part for name, part in told.items() if part}}


def waited_for(path: str, state: Fields) -> str | None:
    """What whoever waits for the future at the path waits for, if it is of one of these."""
    for ending, words in _WAITS.items():
        if path.endswith(ending):
            of = at(path.removesuffix(ending), state)
            if isinstance(of, Fields) and _is_one(of):
                return f"{words} {_name(of, state) or 'a connection'}"
    return None


_WAITS: Final = {
    "['_waiter']": "data of",
    "['_closed']": "the end of",
    "['opening']": "the opening of",
}


def _is_one(value: Fields) -> bool:
    kind, parts = value.kind or "", set(value)
    return kind in _PARTS and _PARTS[kind] <= parts and (kind != "Connection" or parts <= _ALL)


def _is_streams_own(part: Any, state: Fields) -> bool:
    """Whether it only hands on what arrives to a stream."""
    found = _found(part, state)
    return isinstance(found, Fields) and found.kind == "StreamReaderProtocol" and _is_one(found)


def _found(part: Any, state: Fields) -> Any:
    return at(part.path, state) if isinstance(part, Same) else part


def _connection(stream: Fields, state: Fields) -> Fields:
    """That of a stream, or what stands for none."""
    found = _found(stream.get("_transport"), state)
    return found if isinstance(found, Fields) else Fields({})


def _name(value: Fields, state: Fields) -> str:
    own = value if value.kind == "Connection" else _connection(value, state)
    return str(own.get("name", ""))


def _reader(reader: Fields, state: Fields) -> dict[str, Any]:
    buffer = _found(reader["_buffer"], state)
    return {
        "connection": _name(reader, state),
        "unread": buffer.get("(bytes)") if isinstance(buffer, Fields) else None,
        "at_end": reader.get("_eof"),
    }


def _writer(writer: Fields, state: Fields) -> dict[str, Any]:
    connection = _connection(writer, state)
    return {"connection": _name(writer, state), "closed": connection.get("is_closed")}


def _protocol(protocol: Fields, state: Fields) -> dict[str, Any]:
    return {"connection": _name(protocol, state)}


def _end(end: Fields, _: Fields) -> dict[str, Any]:
    return {
        "name": end["name"],
        "peer": node_name(end["peer"]),
        "opening": "opening" in end,
        "held": end.get("held"),
        **{word: end.get(flag) for flag, word in _FLAGS.items()},
    }


def _server(server: Fields, _: Fields) -> dict[str, Any]:
    return {"port": server["port"], "closed": server["is_closed"]}


def _group(group: Fields, state: Fields) -> dict[str, Any]:
    tasks = _found(group["_tasks"], state)
    return {
        "tasks": List(_found(task, state) for task in tasks) if isinstance(tasks, List) else None,
        "cancels": group.get("_aborting"),
    }


_TOLD: Final[Mapping[str, Callable[[Fields, Fields], dict[str, Any]]]] = {
    "StreamReader": _reader,
    "StreamWriter": _writer,
    "StreamReaderProtocol": _protocol,
    "Connection": _end,
    "Server": _server,
    "TaskGroup": _group,
}
_LEADS_TO: Final = {
    "StreamReader": {"exception": "_exception"},
    "Connection": {"protocol": "protocol"},
    "TaskGroup": {"errors": "_errors"},
}
"""What may itself lead to anything, and so back."""
