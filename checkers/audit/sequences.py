"""Numbers of records: whether all that a node recorded is there, if it numbers its records.

They go up by one from one record of a node to the next, and begin anew where it starts.
"""

from __future__ import annotations

from indelible.checkers.audit.entry import Entry
from indelible.model.events import NodeId, node_name

__all__ = ["Sequences"]


class Sequences:
    """The number of the last record of each node."""

    def __init__(self) -> None:
        self._last: dict[NodeId, int] = {}

    def gap(self, entry: Entry) -> str:
        """What is wrong with the number of the next record, in words; nothing if it has none."""
        number, last = entry.sequence, self._last.get(entry.node)
        if number is None:
            return ""
        self._last[entry.node] = number
        if last is None or entry.kind == "start" or number == last + 1:
            return ""
        name = node_name(entry.node)
        if number <= last:
            return f"record {number} of {name} comes after its record {last}"
        missing = number - last - 1
        are = "record is" if missing == 1 else "records are"
        return f"{missing:,} {are} missing: {name} goes from {last} to {number}"
