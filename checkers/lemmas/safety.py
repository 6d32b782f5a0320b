"""Safety: everything that is to be proved of the protocols, and what shows that it says something.

An axiom, a guard or a conjunct of the invariant can be left out; each is needed, so that something
is then refuted. Where an axiom or a guard is left out, a run shows what goes wrong, if a small
universe has one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from indelible.checkers.lemmas.bounded import run_lines, shortest_violation
from indelible.checkers.lemmas.induction import induction_obligations
from indelible.checkers.lemmas.instances import multi_paxos_instance, single_decree_instance
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.lemmas.obligation import Obligation
from indelible.checkers.lemmas.single_decree import SINGLE_DECREE
from indelible.model.errors import ProofError
from indelible.model.quorums import FlexibleQuorums, MajorityQuorums

__all__ = [
    "PROTOCOLS",
    "BadRun",
    "bad_run",
    "safety_obligations",
    "safety_weakenings",
]

PROTOCOLS: Final = (SINGLE_DECREE, MULTI_PAXOS)

APART: Final = FlexibleQuorums(phase1_size=1, phase2_size=2)
ORDER_OF_BALLOTS: Final = ("ballots_are_transitive", "ballots_are_total")
STEPS_MAX: Final = 18
"""As many as two leaders take that are elected, and each decide something, one after another."""


def safety_weakenings() -> tuple[str, ...]:
    """What can be left out: axioms, guards as ``action.guard``, conjuncts of the invariant."""
    return tuple(dict.fromkeys(name for protocol in PROTOCOLS for name in protocol.names()))


def safety_obligations(weaken: str | None = None) -> tuple[Obligation, ...]:
    """All that is to be proved; what is left out is so in every protocol that has it.

    Raises ``ProofError`` for a law that there is not.
    """
    if weaken is not None and weaken not in safety_weakenings():
        raise ProofError(
            f"there is no axiom, guard or conjunct {weaken!r}",
            available=", ".join(safety_weakenings()),
        )
    return tuple(
        obligation
        for protocol in PROTOCOLS
        for obligation in induction_obligations(
            protocol.without(weaken) if weaken and weaken in protocol.names() else protocol
        )
    )


class BadRun(NamedTuple):
    """A run in which two values are decided, as ``lines``; or ``reason``, why none is shown."""

    lines: tuple[str, ...]
    reason: str


def bad_run(weaken: str, timeout_seconds: float) -> BadRun:
    """What goes wrong without an axiom or a guard, among three nodes: in Multi-Paxos, or in Paxos
    for one decision, if only that has it."""
    protocol = next(known for known in (MULTI_PAXOS, SINGLE_DECREE) if weaken in known.names())
    weaker = protocol.without(weaken)
    if (weaker.axioms, weaker.actions) == (protocol.axioms, protocol.actions):
        return BadRun((), "it is a conjunct: what can happen is the same without it")
    if weaken in ORDER_OF_BALLOTS:
        return BadRun((), "small universes number their ballots, so it cannot be left out there")
    instance = (
        single_decree_instance(weaker)
        if protocol is SINGLE_DECREE
        else multi_paxos_instance(
            weaker,
            quorums=APART if weaken == "quorums_meet" else MajorityQuorums(),
            shared_ballots=weaken == "ballots_are_owned",
        )
    )
    size = "3 nodes, 2 ballots" if protocol is SINGLE_DECREE else "3 nodes, 2 ballots, 1 slot"
    try:
        run = shortest_violation(instance, depth_max=STEPS_MAX, timeout_seconds=timeout_seconds)
    except TimeoutError as error:
        return BadRun((), f"{error} ({size})")
    if run is None:
        return BadRun((), f"none has up to {STEPS_MAX} steps ({size})")
    return BadRun(run_lines(run), "")
