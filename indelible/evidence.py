"""Evidence: a trace with what happened in it and why it is wrong, gathered from who knows it."""

from __future__ import annotations

from collections.abc import Mapping

from indelible.model.implementation import Implementation
from indelible.model.run import replayed
from indelible.model.trace import Evidence, Length, Trace

__all__ = ["evidence_of"]


def evidence_of(
    implementation: Implementation,
    trace: Trace,
    *,
    target: str = "",
    length: Length = "as found",
    found: Mapping[str, object] | None = None,
) -> Evidence:
    """The evidence that ``trace`` gives against ``implementation``.

    ``target`` is the name by which the implementation is found again. Raises ``TraceError`` if the
    trace does not fit it.
    """
    return Evidence(
        target=target,
        property=trace.violation.property,
        trace=trace,
        run=replayed(implementation, trace.scope, trace.actions),
        length=length,
        found=found or {},
    )
