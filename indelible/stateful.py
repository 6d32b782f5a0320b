"""Stateful: a cluster as a state machine for Hypothesis, and what a failure of it leaves behind.

The face of ``checkers.stateful``: it puts counterexamples into words, and into files.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from indelible.checkers.explore import check_question, scope_for
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import SEARCH_LIMITS, Minimized
from indelible.checkers.property import Property
from indelible.checkers.stateful.machine import (
    STRATEGIES,
    ClusterMachine,
    Strategy,
    machine_class,
)
from indelible.checkers.stateful.profiles import register_profiles
from indelible.checkers.stateful.trial import PropertyViolated, Trial
from indelible.evidence import evidence_of
from indelible.model.errors import IndelibleError
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.render.text import render_text
from indelible.targets import find_target
from indelible.trace_files import FOLDER, keep_trace

__all__ = ["PropertyViolated", "cluster_machine", "register_profiles"]

EXPLORED: Final = Limits(states_max=SEARCH_LIMITS.states_max, seconds_max=20)
"""How far a shorter counterexample is searched for: somebody waits for the test."""


def cluster_machine(
    implementation: Implementation,
    scope: Scope | None = None,
    *,
    properties: Iterable[Property | str] | None = None,
    strategy: Strategy = "swarm",
    save: Path | str | None = FOLDER,
    target: str = "",
    limits: Limits = EXPLORED,
) -> type[ClusterMachine]:
    """A ``RuleBasedStateMachine`` that lets ``implementation`` run inside ``scope``.

    Use its ``TestCase``, or ``hypothesis.stateful.run_state_machine_as_test``. Hypothesis chooses
    what happens, by ``strategy``: *uniform*, *swarm*, *priority* or *targeted*. ``properties`` are
    as in ``explore``; a failure is a ``PropertyViolated`` (an ``AssertionError``).

    When Hypothesis has shrunk a failure it is minimized, in a search bounded by ``limits``, and put
    as a trace document into the folder ``save`` (``None``: into none), about ``target``, which is
    how ``indelible replay`` finds the implementation: by default its class, if that makes an equal
    one without arguments. Without any such name nothing is kept.

    A run in which nothing was violated proves nothing. The machine's ``trial`` knows what was not
    judged (``not_observable``), and which *sometimes* properties were met (``judge.reached``).

    Raises ``ImplementationError``, ``ScopeError``, ``PropertyError``: the question makes no sense.
    """
    scope = scope if scope is not None else Scope()
    chosen = check_question(implementation, scope, properties)
    scope = scope_for(implementation, scope)
    if strategy not in STRATEGIES:
        raise IndelibleError(f"unknown strategy {strategy!r}", available=", ".join(STRATEGIES))
    folder = None if save is None else Path(save)
    target = target or _name_of(implementation)

    def tell(minimized: Minimized, known: Property | None) -> str:
        return _told(implementation, minimized, known, target, strategy, folder)

    required = properties is not None
    trial = Trial(implementation, scope, chosen, required=required, tell=tell, limits=limits)
    return machine_class(trial, strategy)


def _told(
    implementation: Implementation,
    minimized: Minimized,
    known: Property | None,
    target: str,
    strategy: str,
    folder: Path | None,
) -> str:
    """What was found, the counterexample, and where it is kept."""
    trace = minimized.trace
    evidence = evidence_of(
        implementation,
        trace,
        known,
        target=target or trace.implementation,
        length=minimized.length,
        found={"by": "random testing with Hypothesis", "strategy": strategy},
    )
    violation = trace.violation
    lines = [f"{violation.property}: {violation.explanation}", "", render_text(evidence), ""]
    lines += [f"Found by random testing, strategy {strategy}."]
    if minimized.before > len(trace):
        lines[-1] += f" Minimized from {minimized.before} events to {len(trace)}."
    if folder is not None and not target:
        lines += [
            "Not kept: no name leads back to it; give the machine a target='module:attribute'."
        ]
    elif folder is not None:
        path = keep_trace(evidence, folder)
        lines += [f"Kept as {path}: 'indelible replay {path}' replays it."]
    return "\n".join(lines)


def _name_of(implementation: Implementation) -> str:
    """A name by which an equal implementation is found, or nothing."""
    kind = type(implementation)
    name = f"{kind.__module__}:{kind.__qualname__}"
    try:
        again = find_target(name).implementation
        same = type(again) is kind and (
            again == implementation or vars(again) == vars(implementation)
        )
    except Exception:  # A class of a function, of a script, or one that takes arguments.
        return ""
    return name if same else ""
