"""Hunting known bugs: each is searched for in its scope, and its evidence made as short as can be.

One bug is one job that knows nothing of the others, so that several run side by side.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from indelible.checkers.explore import explore, memory_default
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import minimize
from indelible.checkers.properties import BUILT_IN
from indelible.evidence import evidence_of, search_effort
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.events import NodeId, node_name
from indelible.model.quorums import ExplicitQuorums, FlexibleQuorums
from indelible.model.trace_document import document_text
from indelible.report import scope_summary
from indelible.verdict_json import scope_object

__all__ = ["Catch", "catch", "catches"]


@dataclass(frozen=True, slots=True)
class Catch:
    """What became of the search for one bug.

    - ``violated`` is the property that is violated, or nothing; the bug is *caught* if it is the
      one ``expected``.
    - ``states_distinct``: how many states were searched, in the bug's scope.
    - ``events`` is the length of the shortest trace, ``needs`` the scope that it takes, in words
      and as an object, and ``document`` its evidence.
    """

    name: str
    expected: str
    violated: str
    reason: str
    states_distinct: int
    events: int
    needs: str
    needs_object: dict[str, Any]
    seconds: float
    document: str

    @property
    def caught(self) -> bool:
        return self.violated == self.expected


def catch(name: str, memory_bytes_max: int | None = None) -> Catch:
    """Search for the bug of this name in its scope, by the property that it violates."""
    bug = KNOWN_BUGS[name]
    started = time.monotonic()
    limits = Limits(memory_bytes_max=memory_bytes_max)
    verdict = explore(bug.implementation, bug.scope, properties=[bug.property], limits=limits)
    events, scope, document = 0, bug.scope, ""
    violated = "" if verdict.violation is None else verdict.violation.property
    if verdict.trace is not None and violated == bug.property:
        known = BUILT_IN[bug.property]
        smaller = minimize(bug.implementation, verdict.trace, known)
        evidence = evidence_of(
            bug.implementation,
            smaller.trace,
            known,
            target=name,
            length=smaller.length,
            found=search_effort(verdict),
        )
        events, scope = len(smaller.trace), smaller.trace.scope
        document = document_text(evidence)
    return Catch(
        name,
        bug.property,
        violated,
        verdict.reason,
        verdict.states_distinct,
        events,
        f"{scope_summary(scope)}{_quorums(bug.implementation)}",
        scope_object(scope),
        time.monotonic() - started,
        document,
    )


def _quorums(implementation: object) -> str:
    match getattr(implementation, "quorums", None):
        case FlexibleQuorums(phase1_size, phase2_size):
            return f"; quorums of {phase1_size} and {phase2_size}"
        case ExplicitQuorums(phase1, phase2):
            return f"; quorums {_listed(phase1)}, then {_listed(phase2)}"
    return ""


def _listed(quorums: tuple[tuple[NodeId, ...], ...]) -> str:
    return " or ".join("+".join(map(node_name, quorum)) for quorum in quorums)


def catches(names: Sequence[str], workers: int) -> Iterator[Catch]:
    """Catch all of them, ``workers`` at a time; each as soon as it is done."""
    if workers == 1:
        yield from (catch(name, memory_default()) for name in names)
        return
    memory = memory_default()
    share = None if memory is None else memory // workers
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _end_on_interrupt)
    try:
        for job in as_completed([pool.submit(catch, name, share) for name in names]):
            yield job.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _end_on_interrupt() -> None:
    """Ctrl-C goes to every process of a terminal: the first reports, the others just end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
