"""Proofs: which obligations a question has, and what became of all of them together.

What is proved is elsewhere; this loads z3, so only commands about proofs import it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from indelible.checkers.lemmas.obligation import Answer, Obligation, Outcome
from indelible.checkers.lemmas.quorum_lemmas import quorum_obligations, quorum_weakenings
from indelible.checkers.lemmas.quorum_report import (
    SystemReport,
    system_obligations,
    system_report,
)
from indelible.checkers.lemmas.safety import (
    BadRun,
    bad_run,
    safety_obligations,
    safety_weakenings,
)
from indelible.checkers.lemmas.solving import stoppable
from indelible.model.errors import ProofError, ScopeError, closest_first
from indelible.quorum_config import NamedQuorums, quorums_from_project

__all__ = [
    "EXIT_CODES",
    "Proof",
    "attempted",
    "measured",
    "named_quorums",
    "obligations_of",
    "project_obligations",
    "proof_object",
    "quorums_obligations",
]

EXIT_CODES: Final[Mapping[Outcome, int]] = MappingProxyType(
    {"proved": 0, "refuted": 1, "unknown": 3}
)

BAD_RUN_SECONDS: Final = 30.0

INTERRUPTED: Final = "interrupted"


class Part(NamedTuple):
    """Something that can be proved by itself, and what can be left out of it."""

    obligations: Callable[[str | None], tuple[Obligation, ...]]
    weakenings: Callable[[], tuple[str, ...]]


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "quorums": Part(quorum_obligations, quorum_weakenings),
        "safety": Part(safety_obligations, safety_weakenings),
    }
)


@dataclass(frozen=True, slots=True)
class Proof:
    """Obligations with what became of them.

    - ``weakened``: the law that was left out, if one was.
    - ``bad_run``: the lines that show what goes wrong without it; or ``bad_run_reason``, why none.
    """

    results: tuple[tuple[Obligation, Answer], ...]
    seconds: float
    weakened: str = ""
    bad_run: tuple[str, ...] = ()
    bad_run_reason: str = ""

    def having(self, outcome: Outcome) -> tuple[tuple[Obligation, Answer], ...]:
        """The obligations of which this came."""
        return tuple(result for result in self.results if result[1].outcome == outcome)

    @property
    def outcome(self) -> Outcome:
        """Proved, if all are; refuted, if one is; else unknown, which is not proved."""
        if self.having("refuted"):
            return "refuted"
        return "unknown" if self.having("unknown") or not self.results else "proved"


def obligations_of(part: str, weaken: str | None) -> tuple[Obligation, ...]:
    """Everything to be proved of a part, or of all. Raises ``ProofError`` for an unknown law."""
    chosen = PARTS.values() if part == "all" else (PARTS[part],)
    known = [name for each in chosen for name in each.weakenings()]
    if weaken is not None and weaken not in known:
        raise ProofError(
            f"there is nothing called {weaken!r} that could be left out",
            cause="axioms, guards (as action.guard), conjuncts and hypotheses have names",
            available=closest_first(weaken, known),
        )
    return tuple(
        obligation
        for each in chosen
        for obligation in each.obligations(weaken if weaken in each.weakenings() else None)
    )


def named_quorums(name: str) -> NamedQuorums:
    """The system of this name in the project's configuration. Raises ``ScopeError``."""
    known = quorums_from_project()
    if name not in known:
        raise ScopeError(
            f"there is no quorum system {name!r}",
            cause=""
            if known
            else "no pyproject.toml from here upward has [tool.indelible.quorums]",
            remedy="name one in [tool.indelible.quorums] of pyproject.toml (docs/quorums.md)",
            available=closest_first(name, known),
        )
    return known[name]


def project_obligations() -> tuple[Obligation, ...]:
    """Of every system in the project's configuration. Raises ``ScopeError`` if one is broken."""
    return tuple(
        obligation
        for named in quorums_from_project().values()
        for obligation in quorums_obligations(named)
    )


def quorums_obligations(named: NamedQuorums) -> tuple[Obligation, ...]:
    """All that is to be proved of a system: that its quorums meet."""
    return system_obligations(named.system, named.nodes, named.name)


def attempted(
    obligations: Sequence[Obligation],
    *,
    weakened: str | None = None,
    timeout_seconds: float,
    report: Callable[[str], None] = lambda _: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Proof:
    """Try to prove them one after another; what is left when somebody interrupts is unknown."""
    started = time.monotonic()
    results = []
    shown = BadRun((), "")
    with stoppable(interrupted):
        for number, obligation in enumerate(obligations, start=1):
            if interrupted():
                answer = Answer("unknown", 0.0, reason=INTERRUPTED)
            else:
                report(f"{number} of {len(obligations)}  {obligation.group}  {obligation.name}")
                answer = _answer(obligation, timeout_seconds)
            results.append((obligation, answer))
        proof = Proof(tuple(results), time.monotonic() - started, weakened or "")
        if weakened and proof.outcome == "refuted" and weakened in safety_weakenings():
            shown = _bad_run(weakened, report, interrupted)
    seconds = time.monotonic() - started
    return Proof(proof.results, seconds, proof.weakened, shown.lines, shown.reason)


def _answer(obligation: Obligation, timeout_seconds: float) -> Answer:
    began = time.monotonic()
    try:
        return obligation.prove(timeout_seconds)
    except KeyboardInterrupt:
        return Answer("unknown", time.monotonic() - began, reason=INTERRUPTED)


def _bad_run(
    weakened: str, report: Callable[[str], None], interrupted: Callable[[], bool]
) -> BadRun:
    if interrupted():
        return BadRun((), INTERRUPTED)
    report(f"looking for a run that goes wrong without {weakened}")
    try:
        return bad_run(weakened, BAD_RUN_SECONDS)
    except KeyboardInterrupt:
        return BadRun((), INTERRUPTED)


def measured(
    named: NamedQuorums, interrupted: Callable[[], bool] = lambda: False
) -> SystemReport | None:
    """What a system withstands, or ``None`` once somebody interrupts."""
    try:
        with stoppable(interrupted):
            return system_report(named.system, named.nodes, named.name)
    except KeyboardInterrupt:
        return None


def proof_object(proof: Proof) -> dict[str, Any]:
    """A proof as JSON has it (docs/json.md)."""
    return {
        "version": 1,
        "outcome": proof.outcome,
        "exit_code": EXIT_CODES[proof.outcome],
        "weakened": proof.weakened or None,
        "obligations": [
            {
                "group": obligation.group,
                "name": obligation.name,
                "says": obligation.says,
                "outcome": answer.outcome,
                "seconds": round(answer.seconds, 4),
                "reason": answer.reason,
                "counterexample": list(answer.counterexample),
            }
            for obligation, answer in proof.results
        ],
        "run": list(proof.bad_run),
        "run_reason": proof.bad_run_reason,
        "seconds": round(proof.seconds, 3),
    }
