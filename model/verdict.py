"""Verdict: what a check found, with what it did and did not cover.

Unfinished is never passed: a bound that was hit makes a verdict *inconclusive*, and a property that
the implementation gives no testimony for is *not observable*, which is not holding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation

__all__ = ["EXIT_CODES", "Outcome", "PropertyResult", "Result", "Verdict"]

Outcome: TypeAlias = Literal["holds", "violated", "inconclusive"]
Result: TypeAlias = Literal[
    "holds", "violated", "reached", "unreached", "inconclusive", "not observable"
]

EXIT_CODES: Final[dict[Outcome, int]] = {"holds": 0, "violated": 1, "inconclusive": 3}


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """What is known of one property: ``reached`` and ``unreached`` are for *sometimes*."""

    name: str
    kind: Literal["always", "sometimes"]
    result: Result
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one check.

    - ``states_distinct``: distinct global states found; ``transitions``: enabled events that change
      something, over all states whose successors were computed; ``depth``: events on the longest
      shortest path found. Where a property is violated they count whole levels: every state up to
      the length of the counterexample.
    - ``reason``: which bound made it inconclusive, or why it is violated, in a sentence.
    - ``others``: further counterexamples, where several were asked for; ``differences``: in what
      each differs from all before it.
    - ``exhausted``: whether every state of the scope was explored.
    - ``notes``: assumptions a reader should know of.
    - ``calls``: how often the implementation was called; ``steps_learned``: distinct local steps.
    - ``seconds`` and ``memory_bytes`` (peak held by the search) vary between runs; the rest do not.
    """

    implementation: str
    scope: Scope
    outcome: Outcome
    reason: str
    properties: tuple[PropertyResult, ...]
    states_distinct: int
    transitions: int
    depth: int
    trace: Trace | None = None
    others: tuple[Trace, ...] = ()
    differences: tuple[str, ...] = ()
    exhausted: bool = False
    notes: tuple[str, ...] = ()
    states_local: int = 0
    steps_learned: int = 0
    calls: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]

    @property
    def violation(self) -> Violation | None:
        return None if self.trace is None else self.trace.violation
