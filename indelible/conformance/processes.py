"""Checks of a process: hello, lines, snapshots, errors, and how it ends; then how its nodes behave.

In the order in which an author would build it (docs/process-protocol.md).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any, Final

from indelible.conformance.behaviour import (
    BEHAVIOUR,
    KINDS,
    STEPS,
    TESTIMONY,
    Candidate,
    compare,
    given_testimony,
)
from indelible.conformance.check import Check, Skipped
from indelible.conformance.host import Asked, Misbehaved, ProcessHost, ProcessSession, Start, Told
from indelible.impl.adapters.process_wire import (
    HELLO,
    PROTOCOL,
    nothing_from,
    snapshot_from,
    snapshot_line,
)
from indelible.model.events import NodeId, Submit

__all__ = ["PROCESS_CHECKS", "ProcessCandidate"]

LETTERS: Final = 100_000
"""How long a command is that tries a process with long lines."""

REQUESTS_AT_ONCE: Final = 10

AT_ONCE: Final = "at once"
"""The check on which all rely that send more than one request before they read."""


class ProcessCandidate(Candidate):
    """A process that is tried."""

    host: ProcessHost

    def __init__(self, host: ProcessHost, *, steps: int, seed: int) -> None:
        super().__init__(host, steps=steps, seed=seed)

    def can(self, capability: str) -> bool:
        """Whether it says it has the capability."""
        return capability in self.host.hello.capabilities


def _hello(candidate: ProcessCandidate) -> str:
    hello = candidate.host.hello
    said = [f"{hello.name or 'no name'}, protocol {PROTOCOL}"]
    said.append(", ".join(sorted(hello.capabilities)) or "no capabilities")
    said.append(f"made for links that are {hello.links}")
    said.append("survives restarts" if hello.crashes else "does not survive restarts")
    return "; ".join(said)


def _at_once(candidate: ProcessCandidate) -> str:
    walk = candidate.walks[0][:REQUESTS_AT_ONCE]
    with candidate.host.session() as session:
        compare(
            walk,
            session.ask([told.asked for told in walk]),
            f"sent {len(walk)} requests at once, it answers otherwise than one by one",
            "answer every line that was read, in order, each with one line",
            first="one by one",
        )
    return f"{len(walk)} requests at once are answered as one by one"


def _testimony(candidate: ProcessCandidate) -> str:
    given = given_testimony(candidate)
    for name in TESTIMONY:
        if name in given and not candidate.can(name):
            raise Misbehaved(
                f"it gives testimony of {name}, which its capabilities do not have",
                f'add "{name}" to them, if it tells all of them, so that they are judged; or leave '
                "them out",
            )
        if candidate.can(name) and name not in given:
            raise Misbehaved(
                f"its capabilities have {name}, and none were seen in the walks",
                "testify them when they happen; or leave the capability out; or walk further, with "
                "more --steps",
            )
    if not given:
        raise Skipped("not applicable", "none is declared: only what clients can see is judged")
    return f"{', '.join(given)}, as declared"


# --- snapshots ----------------------------------------------------------------------------------


def _require_snapshots(candidate: ProcessCandidate) -> None:
    if not candidate.can("snapshot"):
        raise Skipped("not applicable", "it has none: nodes are started anew, and told all again")


def _halves(walk: Sequence[Told]) -> tuple[list[NodeId], Sequence[Told], Sequence[Told]]:
    """The nodes, the answers up to the middle (each node has started), and those after."""
    nodes = list(dict.fromkeys(told.asked.node for told in walk))
    middle = max(len(nodes), len(walk) // 2)
    return nodes, walk[:middle], walk[middle:]


def _saved(session: ProcessSession, nodes: Sequence[NodeId]) -> dict[NodeId, bytes]:
    lines = [snapshot_line("snapshot", node) for node in nodes]
    answers = session.talk(lines)
    return {
        node: session.read(line, answer, snapshot_from)
        for node, line, answer in zip(nodes, lines, answers, strict=True)
    }


def _told(session: ProcessSession, request: str, saved: dict[NodeId, bytes]) -> None:
    """``restore`` or ``forget``, which are answered with nothing."""
    lines = [snapshot_line(request, node, snapshot) for node, snapshot in saved.items()]
    for line, answer in zip(lines, session.talk(lines), strict=True):
        session.read(line, answer, nothing_from)


def _ask(session: ProcessSession, told: Sequence[Told]) -> list[Told]:
    return session.ask([each.asked for each in told])


def _snapshots(candidate: ProcessCandidate) -> str:
    _require_snapshots(candidate)
    for walk in candidate.walks:
        nodes, before, after = _halves(walk)
        with candidate.host.session() as session:
            _ask(session, before)
            saved = _saved(session, nodes)
            for how_often in ("once", "twice"):
                _ask(session, after)
                _told(session, "restore", saved)
                compare(
                    after,
                    _ask(session, after),
                    f"restored {how_often}, nodes go on otherwise than before",
                    "put into a snapshot all that decides how the node goes on; copy it when it is "
                    "made, and when it is restored",
                )
    return "restored once and twice, nodes go on as before"


def _portable(candidate: ProcessCandidate) -> str:
    _require_snapshots(candidate)
    if not candidate.can("portable"):
        raise Skipped("not applicable", "snapshots are for the process that made them")
    for walk in candidate.walks:
        nodes, before, after = _halves(walk)
        with candidate.host.session() as session:
            _ask(session, before)
            saved = _saved(session, nodes)
        with candidate.host.session() as session:
            _told(session, "restore", saved)
            compare(
                after,
                _ask(session, after),
                "restored in another process, nodes go on otherwise",
                'put the whole state into the snapshot; or leave out "portable"',
            )
    return "restored in another process, nodes go on as before"


def _forget(candidate: ProcessCandidate) -> str:
    _require_snapshots(candidate)
    if candidate.can("portable"):
        raise Skipped("not applicable", "its snapshots are portable: it is never asked to")
    for walk in candidate.walks:
        nodes, before, after = _halves(walk)
        with candidate.host.session() as session:
            _ask(session, before)
            unneeded, saved = _saved(session, nodes), _saved(session, nodes)
            if unneeded == saved:
                # Snapshots that are the state itself: to forget one is to forget both.
                _ask(session, after)
                _told(session, "forget", unneeded)
                continue
            _told(session, "forget", unneeded)
            _ask(session, after)
            _told(session, "restore", saved)
            compare(
                after,
                _ask(session, after),
                "with another snapshot forgotten, restored nodes go on otherwise",
                "forget the very snapshot that is named, and nothing else",
            )
    return "what is forgotten takes nothing else with it"


# --- what nobody should ask -----------------------------------------------------------------------


def _require_error(candidate: ProcessCandidate, request: dict[str, Any], what: str) -> str:
    """The request is answered with an error, and the process goes on as if it had not been."""
    line = json.dumps(request).encode()
    walk = candidate.walks[0]
    _, before, after = _halves(walk)
    with candidate.host.session() as session:
        _ask(session, before)
        (answer,) = session.talk([line])
        said = session.read(line, answer, json.loads)
        if not isinstance(said, dict) or "error" not in said:
            raise Misbehaved(
                f"{what} is not answered with an error",
                'answer with {"error":"…"}, so that no slip goes unnoticed',
                sent=line.decode(),
                received=answer.decode(errors="backslashreplace"),
            )
        compare(
            after,
            _ask(session, after),
            f"after {what}, nodes go on otherwise",
            "change nothing before it is known what is asked",
        )
    return "answered with an error, and it goes on"


def _unknown_request(candidate: ProcessCandidate) -> str:
    node = candidate.host.scope.nodes[0]
    return _require_error(candidate, {"request": "no such", "node": node}, "an unknown request")


def _unknown_event(candidate: ProcessCandidate) -> str:
    node = candidate.host.scope.nodes[0]
    request = {"request": "step", "node": node, "event": {"type": "no such"}}
    return _require_error(candidate, request, "an unknown event")


def _long_line(candidate: ProcessCandidate) -> str:
    nodes = candidate.host.scope.nodes
    with candidate.host.session() as session:
        session.ask([Asked(node, Start(nodes)) for node in nodes])
        session.ask([Asked(nodes[0], Submit("x" * LETTERS))])
    return f"a command of {LETTERS:,} letters is taken"


def _end(candidate: ProcessCandidate) -> str:
    host = candidate.host
    try:
        ended = subprocess.run(
            host.words,
            input=HELLO + b"\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=host.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Misbehaved(
            f"it does not end within {host.timeout:g} s after its stdin has",
            "end when there is no more to read",
        ) from None
    extra = ended.stdout.splitlines()[1:]
    if extra:
        raise Misbehaved(
            "at its end it writes to stdout what nobody asked for",
            "write to stderr whatever is no answer",
            received=extra[0].decode(errors="backslashreplace"),
        )
    return f"it ends when stdin does, with exit code {ended.returncode}"


def _process_checks() -> Iterator[Check[ProcessCandidate]]:
    yield Check("hello", _hello)
    for check in BEHAVIOUR:
        # One by one goes before all together, on which everything else relies.
        alone = check.name in ("start", STEPS, "deterministic", *KINDS)
        needs = check.needs or ("hello",)
        yield Check(check.name, check.run, needs if alone else (*needs, AT_ONCE))
        if check.name == "deterministic":
            yield Check(AT_ONCE, _at_once, ("deterministic",))
    yield Check("testimony", _testimony, (STEPS,))
    yield Check("snapshot", _snapshots, (AT_ONCE,))
    yield Check("portable", _portable, ("snapshot",))
    yield Check("forget", _forget, ("snapshot",))
    yield Check("unknown request", _unknown_request, (AT_ONCE,))
    yield Check("unknown event", _unknown_event, (AT_ONCE,))
    yield Check("long line", _long_line, (AT_ONCE,))
    yield Check("end", _end, ("hello",))


PROCESS_CHECKS: Final = tuple(_process_checks())
