"""What is said to a process, and what it says: requests as lines, answers as values.

The protocol is docs/process-protocol.md, events and effects are those of ``node_json``. Pure
functions, all of them: nothing here talks to anybody. What is not just so is a ``WireError``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.process_scope import json_text, scope_from_json
from indelible.model.effects import Effect
from indelible.model.errors import WireError, closest_first
from indelible.model.events import InputEvent, NodeId
from indelible.model.node_json import (
    canonical_json,
    effects_from_json,
    event_to_json,
    jsonable,
    plain,
)
from indelible.model.scope import LINKS, Scope
from indelible.model.strict_json import loads

__all__ = [
    "CAPABILITIES",
    "HELLO",
    "PROTOCOL",
    "Answer",
    "ErrorAnswer",
    "Hello",
    "hello_from",
    "init_line",
    "nothing_from",
    "snapshot_from",
    "snapshot_line",
    "step_from",
    "step_line",
]

PROTOCOL: Final = 1
"""The version of the protocol."""

CAPABILITIES: Final = ("fingerprint", "snapshot", "portable", "votes", "promises", "leaders")
"""What a process may be able to do beyond answering ``init`` and ``step``."""

HELLO: Final = canonical_json({"request": "hello", "protocol": PROTOCOL}).encode()
"""The first line that a process is sent."""

LEVELS_MAX: Final = 100
"""How deep an answer may be nested: what we do with it takes some calls for each level."""

OPTIONAL: Final = ("name", "capabilities", "links", "crashes", "scope")


@dataclass(frozen=True, slots=True)
class Hello:
    """What a process says of itself; see the protocol."""

    name: str = ""
    capabilities: frozenset[str] = frozenset()
    links: str = LINKS[0]
    crashes: bool = True
    scope: Scope | None = None


class ErrorAnswer(Exception):
    """The code in the process raised something, as its answer tells."""


class Answer(NamedTuple):
    """What a node asks of the world in a step, and what it then is (``None`` if it is not told)."""

    effects: tuple[Effect, ...]
    fingerprint: Hashable


def init_line(node: NodeId, nodes: tuple[NodeId, ...], storage: Any) -> bytes:
    """The request that starts a node. Raises ``WireError``."""
    said = {"node": node, "nodes": list(nodes), "storage": jsonable(storage, "storage")}
    return _line("init", said)


def step_line(node: NodeId, event: InputEvent) -> bytes:
    """The request that an event happens to a node. Raises ``WireError``."""
    return _line("step", {"node": node, "event": event_to_json(event)})


def snapshot_line(request: str, node: NodeId, snapshot: bytes = b"") -> bytes:
    """A request to make a snapshot; or one to ``restore`` or ``forget`` one, given as JSON."""
    line = _line(request, {"node": node})
    return line if not snapshot else line[:-1] + b',"snapshot":' + snapshot + b"}"


def hello_from(line: bytes) -> Hello:
    """What a process says of itself. Raises ``WireError``."""
    data = _object(line)
    _require_no_error(data)
    version = data.get("protocol")
    if version != PROTOCOL or type(version) is not int:
        raise WireError(
            f"the answer to hello has protocol {json_text(version)}",
            cause="this is another version of the protocol, or none",
            remedy=f'answer with {{"protocol":{PROTOCOL}}}',
        )
    _require_keys(data, ("protocol",), OPTIONAL)
    capabilities = _capabilities(data.get("capabilities", []))
    name = data.get("name", "")
    links, crashes = data.get("links", LINKS[0]), data.get("crashes", True)
    if not isinstance(name, str):
        raise WireError(f"name is {json_text(name)}", remedy="give a string")
    if links not in LINKS:
        raise WireError(f"links is {json_text(links)}", available=", ".join(LINKS))
    if not isinstance(crashes, bool):
        raise WireError(f"crashes is {json_text(crashes)}", available="true, false")
    return Hello(name, capabilities, links, crashes, scope_from_json(data.get("scope"), links))


def step_from(line: bytes, *, fingerprint: bool) -> Answer | ErrorAnswer:
    """The answer to ``init`` or ``step``. Raises ``WireError``."""
    data = _object(line)
    if "error" in data:
        _require_keys(data, ("error",))
        return ErrorAnswer(str(data["error"]))
    _require_keys(data, ("effects", "fingerprint") if fingerprint else ("effects",))
    effects = effects_from_json(data["effects"])
    return Answer(effects, plain(data["fingerprint"], "fingerprint") if fingerprint else None)


def snapshot_from(line: bytes) -> bytes:
    """The snapshot that an answer has, as JSON. Raises ``WireError``."""
    data = _object(line)
    _require_no_error(data)
    _require_keys(data, ("snapshot",))
    return canonical_json(data["snapshot"]).encode()


def nothing_from(line: bytes) -> None:
    """What answers ``restore`` and ``forget``. Raises ``WireError``."""
    data = _object(line)
    _require_no_error(data)
    _require_keys(data, ())


def _line(request: str, said: dict[str, Any]) -> bytes:
    return json.dumps({"request": request, **said}, separators=(",", ":")).encode()


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = loads(line.decode())
    except UnicodeDecodeError as error:
        raise WireError(
            f"the line is not UTF-8: {error.reason} at byte {error.start}",
            cause="text of another encoding, or bytes that are no text",
            remedy="write UTF-8, or ASCII with \\u escapes; and bytes as text, in hex or base64",
        ) from None
    except RecursionError:
        raise _nested() from None
    except json.JSONDecodeError as error:
        raise WireError(
            f"the line is not JSON: {error}",
            cause="something else is printed to stdout, which is for answers only",
            remedy="write the log to stderr",
        ) from None
    except ValueError:
        raise WireError(
            f"the line has a number of more than {sys.get_int_max_str_digits():,} digits",
            cause="something that grows without end is told as a number",
            remedy="tell what it stands for, or write it as text",
        ) from None
    if not isinstance(data, dict):
        raise WireError(
            f"the line is JSON, but no object: {json_text(data)}",
            cause="a value is written without the field that it belongs to",
            remedy='answer with an object, as {"effects":[]}',
        )
    # Counted first, since that is quick, and enough for nearly every answer.
    if line.count(b"[") + line.count(b"{") > LEVELS_MAX and _is_deeper(data, LEVELS_MAX):
        raise _nested()
    return data


def _nested() -> WireError:
    return WireError(
        f"the line is nested too deep: more than {LEVELS_MAX} levels",
        cause="a list that is linked is written link in link, or something that grows without end",
        remedy="write a list as one array, and leave out what does not decide how the node goes on",
    )


def _is_deeper(data: Any, levels: int) -> bool:
    """Whether arrays and objects are in one another more than ``levels`` times."""
    layer = [data]
    for _ in range(levels):
        inner = [part for each in layer for part in (each.values() if type(each) is dict else each)]
        layer = [part for part in inner if type(part) in (dict, list)]
    return bool(layer)


def _require_no_error(data: dict[str, Any]) -> None:
    if "error" in data:
        raise WireError(f"the process answered with an error: {json_text(data['error'])}")


def _require_keys(
    data: dict[str, Any], needed: Iterable[str], optional: Iterable[str] = ()
) -> None:
    known = (*needed, *optional)
    for name in needed:
        if name not in data:
            raise WireError(
                f"the answer has no {name!r}",
                cause="a field was left out, or this is the answer to another request: each "
                "request has one answer, in the same order",
                available=", ".join(known),
            )
    for name in data:
        if name not in known:
            raise WireError(
                f"the answer has {name!r}, which is no part of it",
                cause="a slip in a name, a capability that hello does not tell, or the answer to "
                "another request",
                available=closest_first(name, known) or "nothing: {}",
            )


def _capabilities(data: Any) -> frozenset[str]:
    for name in data if isinstance(data, list) else [data]:
        if name not in CAPABILITIES or not isinstance(data, list):
            raise WireError(
                f"capabilities has {json_text(name)}", available=", ".join(CAPABILITIES)
            )
    if "portable" in data and "snapshot" not in data:
        raise WireError(
            "capabilities has 'portable' without 'snapshot'",
            cause="it is snapshots that are portable",
            remedy="name both, or neither",
        )
    return frozenset(data)
