"""A trace as a recorded log (docs/audit.md): what ``indelible audit`` reads, a line per event."""

from __future__ import annotations

from collections.abc import Iterator

from indelible.model.log_json import Start, record_json
from indelible.model.node_json import canonical_json
from indelible.model.run import Run
from indelible.model.trace import Evidence

__all__ = ["log_lines", "render_log"]


def render_log(evidence: Evidence) -> str:
    """The log of a trace. Raises ``WireError`` for a value that JSON cannot say."""
    return "\n".join(log_lines(evidence.run))


def log_lines(run: Run) -> Iterator[str]:
    """The lines of a log of a run: every node starts, then what happened step by step."""
    start = Start(run.scope.nodes, None)
    for node, effects in zip(run.scope.nodes, run.started, strict=True):
        yield canonical_json(record_json(node, start, effects))
    for step in run.steps:
        if not step.raised:
            yield canonical_json(record_json(step.node, step.event, step.all_effects))
