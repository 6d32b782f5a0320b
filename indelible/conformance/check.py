"""Checks of conformance: what one is, what came of it, and in which order they are tried.

A check that has to rely on another is not tried where that one failed. Nothing here knows what any
of them looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from indelible.conformance.host import Misbehaved

__all__ = ["Check", "Finding", "Result", "Skipped", "run_checks"]

Result: TypeAlias = Literal["passed", "failed", "not applicable", "not seen", "not tried"]

Candidate = TypeVar("Candidate")


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a check. ``shown``: what was sent and received, by its name."""

    name: str
    result: Result
    says: str
    remedy: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


class Skipped(Exception):
    """There is nothing to try: it does not apply, or nothing of the kind was seen."""

    def __init__(self, result: Result, says: str, remedy: str = "") -> None:
        self.result, self.says, self.remedy = result, says, remedy
        super().__init__(says)


@dataclass(frozen=True, slots=True)
class Check(Generic[Candidate]):
    """``run`` says in a few words what was found good; or raises ``Misbehaved`` or ``Skipped``.

    ``needs`` are the names of checks before it that must not have failed.
    """

    name: str
    run: Callable[[Candidate], str]
    needs: tuple[str, ...] = ()


def run_checks(checks: Iterable[Check[Candidate]], candidate: Candidate) -> Iterator[Finding]:
    """What comes of each, in order."""
    bad: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in bad]
        finding = (
            Finding(check.name, "not tried", f"this needs {missing[0]}, which failed")
            if missing
            else _found(check, candidate)
        )
        if finding.result in ("failed", "not tried"):
            bad.add(check.name)
        yield finding


def _found(check: Check[Candidate], candidate: Candidate) -> Finding:
    try:
        return Finding(check.name, "passed", check.run(candidate))
    except Skipped as skipped:
        return Finding(check.name, skipped.result, skipped.says, skipped.remedy)
    except Misbehaved as found:
        return Finding(check.name, "failed", found.fact, found.remedy, found.shown)
