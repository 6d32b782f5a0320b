"""One exhaustive check: what it asks of a target, and what comes out.

Between the command line and the configuration, which say what to ask, and the checkers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indelible.check_result import CheckResult, result_of
from indelible.checkers.limits import Limits
from indelible.checkers.properties import (
    Property,
    default_properties,
    leader_replaced,
)
from indelible.model.errors import PropertyError
from indelible.model.scope import Scope
from indelible.model.trace import Evidence
from indelible.model.verdict import Verdict
from indelible.targets import Target, find_property

__all__ = ["Asked", "Checked", "check_asked", "chosen_properties"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Does ``target`` keep ``properties`` inside ``scope``?

    ``references`` are the names by which the properties were asked for; none, if nobody chose them.
    """

    target: Target
    scope: Scope
    properties: tuple[Property, ...]
    references: tuple[str, ...] = ()
    distinct: int = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict, with the evidence of its counterexamples, the shortest first."""

    asked: Asked
    verdict: Verdict
    evidence: tuple[Evidence, ...]

    def result(self, name: str) -> CheckResult:
        """The same for a system of continuous integration, under the name that people use."""
        return result_of(name, self.asked.target.implementation, self.verdict, self.evidence)


def chosen_properties(
    names: Sequence[str], *, internal: bool = True, replaced: bool = False
) -> tuple[Property, ...]:
    """Those named, or else the default ones; ``replaced``: a leader must be replaced, too.

    Raises ``PropertyError``.
    """
    if names:
        chosen = tuple(find_property(name) for name in names)
        hidden = [known.name for known in chosen if known.internal and not internal]
        if hidden:
            raise PropertyError(
                f"--no-internal leaves out {hidden[0]}, which --property asks for",
                remedy="give one of the two",
            )
        return chosen
    chosen = default_properties() + ((leader_replaced,) if replaced else ())
    # What must be reached says whether the scope is worth anything, whoever can see it.
    return tuple(
        known for known in chosen if internal or not known.internal or known.kind == "sometimes"
    )


def check_asked(asked: Asked, limits: Limits) -> Checked:
    """Search, within ``limits``, and gather the evidence.

    Raises ``ImplementationError``, ``ScopeError``, ``PropertyError``: the question makes no sense.
    """
    from indelible.checkers.explore import explore
    from indelible.evidence import found_evidence

    verdict = explore(
        asked.target.implementation,
        asked.scope,
        properties=asked.properties,
        required=bool(asked.references),
        limits=limits,
        distinct=asked.distinct,
    )
    references = (
        dict(zip(asked.references, asked.properties, strict=True)) if asked.references else {}
    )
    evidence = found_evidence(asked.target, verdict, asked.properties, references)
    return Checked(asked, verdict, evidence)
