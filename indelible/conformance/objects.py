"""Checks of an object of Python: how its nodes behave, and what they testify."""

from __future__ import annotations

from typing import Final

from indelible.conformance.behaviour import BEHAVIOUR, STEPS, Candidate, given_testimony
from indelible.conformance.check import Check, Skipped

__all__ = ["PYTHON_CHECKS"]


def _testimony(candidate: Candidate) -> str:
    given = given_testimony(candidate)
    if not given:
        raise Skipped("not applicable", "none is given: only what clients can see is judged")
    return f"gives {', '.join(given)}"


PYTHON_CHECKS: Final[tuple[Check[Candidate], ...]] = (
    *BEHAVIOUR,
    Check("testimony", _testimony, (STEPS,)),
)
