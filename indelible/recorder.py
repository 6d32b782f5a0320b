"""A recorder: what a node does in production, as a log that ``indelible audit`` judges.

It writes lines (docs/audit.md) and knows nothing of who reads them. Its laws: a line is in the
hands of the operating system, whole, before ``start`` and ``record`` return; and what could not be
written is not passed over: the next line that is written says so.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from indelible.model.events import Event, NodeId
from indelible.model.log_json import Install, LoggedEffect, LoggedEvent, Start, record_json
from indelible.model.node_json import canonical_json

__all__ = ["Install", "Recorder"]


class Recorder:
    """Records one node in a file, which is made, or added to.

    - ``nodes``: all nodes there are, in the same order for each of them.
    - ``sync``: whether each line is to be on disk (``fsync``) before the node goes on, so that it
      survives a crash of the machine, and not only of the process.
    - ``clock``: what time it is, in seconds; it decides the order of what happens at several nodes
      where no message does.

    Any number of threads may call it; the lines are in the order of the calls. Call it from where
    events are handled one by one, after each of them, and before anything is sent. Several
    recorders may write to one file. Values are any that JSON can say, and dataclasses, named
    tuples, sets, bytes and members of enumerations; methods raise ``WireError`` for others, and
    ``OSError`` where nothing can be written. What such a call should have recorded is missing in
    the log: its number is, or, if a start is what was lost or comes next, a line tells how many
    records were ``lost``. An audit is inconclusive then.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        node: NodeId,
        nodes: Iterable[NodeId],
        *,
        sync: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(path)
        self.node = node
        self.nodes = tuple(nodes)
        self._sync = sync
        self._clock = clock
        self._sequence = 0
        self._has_started = False
        self._lost = 0
        self._lock = threading.Lock()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file: int | None = os.open(self.path, flags, 0o666)

    def start(self, storage: Any = None, effects: Iterable[LoggedEffect] = ()) -> None:
        """The process has started and found ``storage``, which is ``None`` the very first time."""
        with self._lock:
            self._sequence = 0
            self._has_started = False
            self._write(Start(self.nodes, storage), effects)

    def record(self, event: Event, effects: Iterable[LoggedEffect] = ()) -> None:
        """The node has handled an event: all that it did about it, in order."""
        with self._lock:
            self._write(event, effects)

    def close(self) -> None:
        """Close the file. Nothing can be recorded after that."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, event: LoggedEvent, effects: Iterable[LoggedEffect]) -> None:
        if self._file is None:
            raise ValueError(f"the recorder of {self.path} is closed")
        number, lost = self._sequence, self._lost
        # It counts, whether it can be written or not.
        self._sequence += 1
        self._lost += 1
        record = record_json(self.node, event, effects)
        record |= {"sequence": number, "time": self._clock()}
        line = _line(record)
        if lost and not self._has_started:  # Numbers begin anew here: they do not tell.
            line = _line({"node": self.node, "lost": lost}) + line
        if not _ends_with_a_line(self._file):  # Cut short, by whomever: it is to spoil no other.
            line = b"\n" + line
        written = 0
        # One call writes all of it, unless the disk is full, for instance.
        while written < len(line):
            written += os.write(self._file, line[written:])
        self._has_started = True
        self._lost = 0
        if self._sync:
            os.fsync(self._file)


def _line(data: dict[str, Any]) -> bytes:
    return canonical_json(data).encode("ascii") + b"\n"


def _ends_with_a_line(file: int) -> bool:
    size = os.lseek(file, 0, os.SEEK_END)
    if not size:
        return True
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) == b"\n"
