"""``explore``: the one entry to exhaustive search. It validates the question, and hands it over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from indelible.checkers.limits import Limits, available_memory
from indelible.checkers.properties import BUILT_IN, Property, default_properties
from indelible.model.errors import ImplementationError, PropertyError, ScopeError
from indelible.model.implementation import Implementation
from indelible.model.quorums import FormulaQuorums, phases_of
from indelible.model.scope import LINKS, Scope
from indelible.model.verdict import Verdict

__all__ = ["check_question", "explore", "memory_default", "scope_for"]


def explore(
    implementation: Implementation,
    scope: Scope | None = None,
    *,
    properties: Iterable[Property | str] | None = None,
    required: bool | None = None,
    limits: Limits | None = None,
    distinct: int = 1,
) -> Verdict:
    """Explore every behaviour of ``implementation`` inside ``scope``, at native speed.

    Where the scope says no links, they are the weakest that the implementation is made for.
    ``properties`` are properties or names of built-in ones; by default every built-in *always*
    property, and that some entry is decided. The verdict *holds*, is *violated* (with a shortest
    trace), or is *inconclusive* (with the limit that was hit). Without ``limits`` only memory is
    limited, to most of what the machine has left.

    ``required``: whether a property that is not observable makes the verdict inconclusive; by
    default it does if ``properties`` were given, because then each was asked for.

    ``distinct``: up to how many counterexamples to look for that differ in the property, in the
    kinds of events, or in the chains of messages; the search then goes on, past the first.

    Raises ``ImplementationError``, ``ScopeError``, ``PropertyError``: the question makes no sense.
    """
    from indelible.checkers.explorer.distinct import explore_distinct

    scope = scope if scope is not None else Scope()
    chosen = check_question(implementation, scope, properties)
    scope = scope_for(implementation, scope)
    limits = limits or Limits(memory_bytes_max=memory_default())
    verdict = explore_distinct(implementation, scope, chosen, limits.from_now(), most=distinct)
    if required is None:
        required = properties is not None
    return _insisting_on_all(verdict) if required else verdict


def _insisting_on_all(verdict: Verdict) -> Verdict:
    """The verdict if every property was asked for: what nobody could see does not hold."""
    unseen = [known for known in verdict.properties if known.result == "not observable"]
    if verdict.outcome != "holds" or not unseen:
        return verdict
    says = "; ".join(f"{known.name} is not observable ({known.reason})" for known in unseen)
    return replace(verdict, outcome="inconclusive", reason=says)


def memory_default() -> int | None:
    """Most of the memory that the machine has left, in bytes, or ``None`` if it does not tell."""
    available = available_memory()
    return None if available is None else int(0.8 * available)


def scope_for(implementation: Implementation, scope: Scope) -> Scope:
    """The scope, with no faults of links that it does not ask for and that the implementation says
    it is not made for (issue 6: they are not held against it unless asked for)."""
    links: Any = getattr(implementation, "links", LINKS[0])
    return scope.made_for(links) if links in LINKS else scope


def check_question(
    implementation: object, scope: object, properties: Iterable[Property | str] | None
) -> tuple[Property, ...]:
    """The properties asked for, once implementation, scope and names are known to make sense."""
    if isinstance(implementation, type):
        raise ImplementationError(
            f"{implementation.__name__} is a class, not an implementation",
            remedy=f"pass an instance, as in {implementation.__name__}()",
        )
    missing = [
        name for name in ("start", "handle") if not callable(getattr(implementation, name, None))
    ]
    if missing:
        raise ImplementationError(
            f"{type(implementation).__name__} has no {' and no '.join(missing)}",
            remedy="give it start(node, nodes, storage) and handle(node, state, event)",
        )
    if not isinstance(scope, Scope):
        raise ScopeError(f"the scope is {scope!r}", remedy="pass a Scope, as in Scope(nodes=3)")
    quorums = getattr(implementation, "quorums", None)
    if isinstance(quorums, FormulaQuorums):
        phases_of(quorums, scope.nodes)
    if properties is None:
        return default_properties()
    chosen: list[Property] = []
    for known in (properties,) if isinstance(properties, str | Property) else properties:
        if isinstance(known, str):
            if known not in BUILT_IN:
                raise PropertyError(f"unknown property {known!r}", available=", ".join(BUILT_IN))
            known = BUILT_IN[known]
        if not isinstance(known, Property):
            raise PropertyError(
                f"{known!r} is not a property", remedy="decorate the function with @always(...)"
            )
        if known.name in {other.name for other in chosen}:
            raise PropertyError(f"property {known.name!r} is given twice")
        chosen.append(known)
    return tuple(chosen)
