"""Obligations: what a proof consists of, and what came of each part. No prover lives here.

A theorem holds when all of its obligations are proved. That a prover gave up, or ran out of time,
is *unknown*: a failure to prove, which is never reported as proved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Answer", "Obligation", "Outcome"]

Outcome: TypeAlias = Literal["proved", "refuted", "unknown"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an obligation, after ``seconds``.

    - ``counterexample``: where it is refuted, the lines that show why, for a person to read; where
      it is proved by an instance, that instance.
    - ``reason``: where it is unknown, why.
    """

    outcome: Outcome
    seconds: float
    counterexample: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if self.outcome == "refuted" and not self.counterexample:
            raise ValueError("refuted without a counterexample")
        if self.outcome == "unknown" and not self.reason:
            raise ValueError("unknown without a reason")


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing to prove: ``says`` is the law in a line.

    ``prove`` takes the most seconds it may spend. Asked again, it gives the same answer.
    """

    group: str
    name: str
    says: str
    prove: Callable[[float], Answer]
