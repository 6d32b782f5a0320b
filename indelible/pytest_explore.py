"""What the fixtures for hand-written tests do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import chdir
from dataclasses import replace

import pytest

from indelible.answers import counterexample_text, facts_of, memory_share
from indelible.checkers.explore import check_question, explore, scope_for
from indelible.checkers.limits import Limits
from indelible.checkers.overdue import watched_steps
from indelible.checkers.property import Property
from indelible.evidence import found_evidence
from indelible.model.implementation import Implementation, implementation_name
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict
from indelible.pytest_items import FACT, failure, saved_text
from indelible.pytest_setting import Setting
from indelible.report import headline, render_report
from indelible.targets import Target, find_property, find_target, on_trial

__all__ = ["explored", "found_target"]


def found_target(setting: Setting, target: Implementation | str, scope: Scope | None) -> Target:
    """What is on trial and in which scope. Raises ``ImplementationError``."""
    if isinstance(target, str):
        with chdir(setting.configuration.folder):
            found = find_target(target)
    else:
        own = getattr(target, "scope", None)
        found = Target("", target, own if isinstance(own, Scope) else Scope())
    return replace(found, scope=scope_for(found.implementation, scope or found.scope))


def explored(
    item: pytest.Item,
    setting: Setting,
    target: Implementation | str,
    scope: Scope | None,
    properties: Iterable[Property | str] | None,
    limits: Limits | None,
) -> Verdict:
    """The verdict if it holds; else the test fails, or is skipped where that is configured.

    Raises ``ImplementationError``, ``ScopeError``, ``PropertyError``: the question makes no sense.
    """
    __tracebackhide__ = True
    with on_trial(), watched_steps():
        found = found_target(setting, target, scope)
        asked = None if properties is None else [*map(_property, properties)]
        chosen = check_question(found.implementation, found.scope, asked)
        verdict = explore(
            found.implementation,
            found.scope,
            properties=chosen,
            required=properties is not None,
            limits=limits or _limits(setting),
        )
    _note(item, found, verdict)
    if verdict.outcome == "holds":
        return verdict
    if verdict.outcome == "inconclusive" and setting.inconclusive == "skip":
        pytest.skip(headline(verdict))
    if verdict.trace is None:
        raise failure(render_report(verdict))
    (evidence,) = found_evidence(found, verdict, chosen)
    text = counterexample_text(verdict, evidence)
    raise failure(text + saved_text(item, evidence))


def _property(known: Property | str) -> Property:
    return find_property(known) if isinstance(known, str) else known


def _limits(setting: Setting) -> Limits:
    bounds = setting.configuration.bounds(setting.profile)
    return Limits(**{"memory_bytes_max": memory_share(setting.workers), **bounds})


def _note(item: pytest.Item, found: Target, verdict: Verdict) -> None:
    """The same facts that a configured check gives."""
    facts: dict[str, str | int] = {
        "target": found.name or implementation_name(found.implementation),
        "verdict": verdict.outcome,
        **facts_of(verdict),
    }
    item.user_properties += [(f"{FACT}{name}", value) for name, value in facts.items()]
