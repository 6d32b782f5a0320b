"""Evidence: a trace with what happened in it and why it is wrong, gathered from who knows it.

Between the model, which only holds it, and the checkers, which replay, explain and minimize it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

from indelible.checkers.explain import explain
from indelible.checkers.findings import RAISES
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.property import Property
from indelible.configuration import read_configuration
from indelible.model.errors import TraceError
from indelible.model.implementation import Implementation
from indelible.model.run import replayed
from indelible.model.trace import Evidence, Length, Trace
from indelible.model.trace_reader import Document
from indelible.model.verdict import Verdict
from indelible.targets import PROCESS, Target, find_property, find_target

__all__ = [
    "document_target",
    "evidence_of",
    "found_evidence",
    "known_property",
    "property_reference",
    "search_effort",
]


def evidence_of(
    implementation: Implementation,
    trace: Trace,
    property: Property | None,
    *,
    target: str = "",
    reference: str = "",
    length: Length = "as found",
    found: Mapping[str, object] | None = None,
) -> Evidence:
    """The evidence that ``trace`` gives against ``implementation``.

    ``property`` is what it violates, ``None`` for an exception; ``target`` and ``reference`` are
    the names by which the implementation and the property are found again, the latter as
    ``property_reference`` says by default. Raises ``TraceError`` if the trace does not fit.
    """
    run = replayed(implementation, trace.scope, trace.actions)
    return Evidence(
        target=target,
        property=reference or property_reference(property),
        trace=trace,
        run=run,
        explanation=explain(implementation, run, property, trace.violation),
        length=length,
        found=found or {},
    )


def property_reference(known: Property | None) -> str:
    """The name that finds a property again: its own if it is built in, else with its module."""
    if known is None:
        return RAISES
    if BUILT_IN.get(known.name) == known:
        return known.name
    return f"{known.check.__module__}:{known.check.__qualname__}"


def found_evidence(
    target: Target,
    verdict: Verdict,
    properties: Sequence[Property],
    references: Mapping[str, Property] | None = None,
) -> tuple[Evidence, ...]:
    """The evidence in a verdict, the shortest first.

    Only of the first it is known that no trace is shorter. ``references`` are the names by which
    properties were asked for, and so can be found again.
    """
    by_name = {known.name: known for known in properties}
    names = {known.name: reference for reference, known in (references or {}).items()}
    found = search_effort(verdict)
    traces = () if verdict.trace is None else (verdict.trace, *verdict.others)
    return tuple(
        evidence_of(
            target.implementation,
            trace,
            by_name.get(trace.violation.property),
            target=target.name,
            reference=names.get(trace.violation.property, ""),
            length="shortest" if trace is verdict.trace else "as found",
            found=found,
        )
        for trace in traces
    )


def search_effort(verdict: Verdict) -> Mapping[str, object]:
    """By what a verdict's counterexamples were found, and with what effort, for a document."""
    return {
        "by": "exhaustive search",
        "states_distinct": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
    }


def known_property(reference: str) -> Property | None:
    """The property of that name; ``None`` for an exception. Raises ``PropertyError``."""
    return None if reference == RAISES else find_property(reference)


def document_target(document: Document, other: str | None = None) -> Target:
    """The target that is asked for, or else the document's own. Raises ``TraceError``, and
    ``ImplementationError`` where it is not found.

    No process is started because a document says so: somebody has to name it as well, here, or as
    the target of a check in pyproject.toml.
    """
    if other is None and not document.target:
        raise TraceError(
            f"{document.name} does not say which target it is about",
            cause="it was saved from Python, for an object that no name leads to",
            remedy="replay it on one that you name with --target",
        )
    if other is None and document.target.startswith(PROCESS):
        folder = _folder_of(document.target)
        if folder is not None:
            with chdir(folder):  # Where it is checked, too.
                return find_target(document.target)
        command = document.target.removeprefix(PROCESS)
        raise TraceError(
            f"{document.name} is about a process, which is not started because a document says so: "
            f"{command}",
            cause="a document may come from anybody, and a command may do anything",
            remedy=f"if you know the command, add --exec {shlex.quote(command)}, or make "
            f"{document.target!r} the target of a check in pyproject.toml",
        )
    return find_target(other or document.target)


def _folder_of(target: str) -> Path | None:
    """That of the project that this is run in, if it checks the target."""
    project = read_configuration(Path.cwd())
    if project is None or target not in {check.target for check in project.checks}:
        return None
    return project.folder
