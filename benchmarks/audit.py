"""How fast logs are audited, and in how much memory: ``python benchmarks/audit.py [MiB ...]``.

It writes logs of three nodes of a healthy Multi-Paxos (a new leader every thousand slots, every
property observable) of the sizes given, audits each as one file in a process of its own, and those
of the first size once more as a file for each node. Commands are texts, or objects; with these,
records have what loggers add, too. A number is the median of nothing: run it again.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import md5
from itertools import count
from pathlib import Path
from typing import Any, Final

from indelible.audit_command import audited_files
from indelible.audit_files import opened_logs
from indelible.checkers.audit.judge import RULES
from indelible.model.quorums import MajorityQuorums

SIZES: Final = (32, 100, 1024)
NODES: Final = (0, 1, 2)
SLOTS_PER_BALLOT: Final = 1000


def main(sizes: tuple[int, ...]) -> None:
    """Write, audit and print a line for each log."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            for commands, records in LOGS.items():
                path = Path(folder) / "log.jsonl"
                write_log(path, size << 20, records())
                measure(commands, [str(path)])
                if size == sizes[0]:
                    measure(commands, split(path))
                path.unlink()


def measure(commands: str, names: list[str]) -> None:
    """Audit in a process of its own, whose memory is the audit's alone."""
    subprocess.run([sys.executable, "-P", __file__, "--audit", commands, *names], check=True)


def audit_here(commands: str, names: tuple[str, ...]) -> None:
    """Audit, and print what it took."""
    before = time.process_time()
    with opened_logs(names) as files:
        result, _ = audited_files(files, MajorityQuorums(), None, RULES, False)
    seconds = time.process_time() - before
    size = sum(os.path.getsize(name) for name in names)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{commands:7}: {size / 2**20:5,.0f} MiB in {len(names)} files: {result.outcome}, "
        f"{result.records:,} records, {seconds:.1f} s of one core, "
        f"{result.records / seconds:,.0f} records/s, {peak:.0f} MiB of memory at most",
        flush=True,
    )


def split(path: Path) -> list[str]:
    """A file for each node."""
    names = [str(path.with_name(f"node{node}.jsonl")) for node in NODES]
    files = [open(name, "wb") for name in names]  # noqa: SIM115
    with path.open("rb") as log:
        for line in log:
            files[json.loads(line)["node"]].write(line)
    for file in files:
        file.close()
    return names


def write_log(path: Path, size: int, records: Iterator[dict[str, Any]]) -> None:
    """Write so many bytes, or a few more."""
    with path.open("w", encoding="ascii") as file:
        written = 0
        for record in records:
            written += file.write(json.dumps(record, separators=(",", ":")) + "\n")
            if written >= size and not record["effects"]:
                return


def with_texts() -> Iterator[dict[str, Any]]:
    """Commands are texts."""
    return _records(lambda slot: f"command-{slot}")


def with_objects() -> Iterator[dict[str, Any]]:
    """Commands are objects that differ in 128 random bits; records have what loggers add."""
    made = _records(lambda slot: {"op": "put", "key": f"k{slot % 100}", "id": _bits(slot)})
    for at, record in zip(count(1), made):
        yield record | {"time": at, "host": f"prod-eu-{record['node']}", "level": "INFO"}


LOGS: Final[Mapping[str, Callable[[], Iterator[dict[str, Any]]]]] = {
    "texts": with_texts,
    "objects": with_objects,
}
"""Logs by what their commands are."""


def _bits(slot: int) -> str:
    return md5(str(slot).encode(), usedforsecurity=False).hexdigest()


def _records(command: Callable[[int], Any]) -> Iterator[dict[str, Any]]:
    """A healthy Multi-Paxos, for ever."""
    for node in NODES:
        yield _record(node, {"type": "start", "nodes": list(NODES), "storage": None}, [])
    slot = 0
    for number in range(1, 1 << 60):
        leader = number % len(NODES)
        ballot = [number, leader]
        yield from _election(leader, ballot)
        for _ in range(SLOTS_PER_BALLOT):
            yield from _entry(leader, ballot, slot, command(slot))
            slot += 1


def _election(leader: int, ballot: list[int]) -> Iterator[dict[str, Any]]:
    others = [node for node in NODES if node != leader]
    promise = {"type": "promise", "ballot": ballot}
    prepare, promised = ({"type": name, "ballot": ballot} for name in ("Prepare", "Promised"))
    saved = {"type": "persist", "storage": {"promised": ballot}}
    sends = [_send(other, prepare) for other in others]
    yield _record(leader, {"type": "timeout", "timer": "election"}, [promise, saved, *sends])
    for other in others:
        yield _received(other, leader, prepare, [promise, saved, _send(leader, promised)])
    yield _received(leader, others[0], promised, [{"type": "lead", "ballot": ballot}])
    yield _received(leader, others[1], promised, [])


def _entry(leader: int, ballot: list[int], slot: int, value: Any) -> Iterator[dict[str, Any]]:
    others = [node for node in NODES if node != leader]
    vote = {"type": "vote", "slot": slot, "ballot": ballot, "value": value}
    saved = {"type": "persist", "storage": {"promised": ballot, "slot": slot, "value": value}}
    accept = {"type": "Accept", "ballot": ballot, "slot": slot, "value": value}
    accepted = {"type": "Accepted", "ballot": ballot, "slot": slot}
    told = {"type": "Decided", "slot": slot, "value": value}
    done = [
        {"type": "decide", "slot": slot, "value": value},
        {"type": "execute", "index": slot, "command": value},
    ]
    sends = [_send(other, accept) for other in others]
    yield _record(leader, {"type": "submit", "command": value}, [vote, saved, *sends])
    for other in others:
        yield _received(other, leader, accept, [vote, saved, _send(leader, accepted)])
    reply = {"type": "reply", "command": value, "result": slot}
    tell = [_send(other, told) for other in others]
    yield _received(leader, others[0], accepted, [*done, reply, *tell])
    for other in others:
        yield _received(other, leader, told, done)
    yield _received(leader, others[1], accepted, [])


def _record(node: int, event: dict[str, Any], effects: list[Any]) -> dict[str, Any]:
    return {"node": node, "event": event, "effects": effects}


def _received(node: int, source: int, message: Any, effects: list[Any]) -> dict[str, Any]:
    return _record(node, {"type": "receive", "source": source, "message": message}, effects)


def _send(to: int, message: Any) -> dict[str, Any]:
    return {"type": "send", "to": to, "message": message}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--audit"]:
        audit_here(sys.argv[2], tuple(sys.argv[3:]))
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
