"""Trace documents to try: evidence as ``indelible check`` finds it, or of events written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from indelible.checkers.explore import explore
from indelible.checkers.findings import RAISES
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.evidence import evidence_of, found_evidence
from indelible.model.events import Action
from indelible.model.implementation import implementation_name
from indelible.model.trace import Evidence, Trace
from indelible.targets import find_target

__all__ = ["evidence_found", "evidence_played"]


def evidence_found(name: str, property: str = "agreement", **scope_fields: Any) -> Evidence:
    """What a search of the target of this name finds."""
    target = find_target(name)
    known = BUILT_IN[property]
    scope = replace(target.scope, **scope_fields)
    verdict = explore(target.implementation, scope, properties=[known])
    (evidence,) = found_evidence(target, verdict, [known])
    return evidence


def evidence_played(
    name: str, actions: Iterable[Action], property: str = "agreement", **scope_fields: Any
) -> Evidence:
    """What these events of the target of this name violate; ``property`` may be an exception."""
    target = find_target(name)
    known = None if property == RAISES else BUILT_IN[property]
    scope = replace(target.scope, **scope_fields)
    found = replay(Watch(target.implementation, scope, known), actions)
    assert found.violation is not None, found
    name_ = implementation_name(target.implementation)
    trace = Trace(name_, scope, found.actions, found.violation)
    return evidence_of(target.implementation, trace, known, target=name)
