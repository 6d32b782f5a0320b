"""How one configured check is searched in one scope: every behaviour, or random runs.

Each search tells everything there is to tell, as a person, as JSON and as a system for continuous
integration want it; what is done with that is not its business.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from indelible.check_result import CheckResult
from indelible.checkers.limits import Limits
from indelible.checking import Asked, check_asked, chosen_properties
from indelible.configuration import Check, ConfiguredScope, How
from indelible.model.errors import ConfigurationError
from indelible.model.trace import Evidence
from indelible.render.text import render_text
from indelible.report import render_report
from indelible.targets import DEFAULT_SCOPE, ROOMY_SCOPE, find_target
from indelible.verdict_json import verdict_object

__all__ = ["SEARCHES", "Found", "Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """One configured check in one of its scopes.

    ``limits`` bound its search when nobody else does: fields of ``Limits``. ``folder`` is where its
    target is imported from.
    """

    check: Check
    scope: ConfiguredScope
    limits: Mapping[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        """As its tests are called, without the property."""
        return f"{self.check.name}[{self.scope.name}]" if self.scope.name else self.check.name


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. ``text`` and ``content`` take the files that keep its evidence; the
    former also ``None``, where none are kept. ``cut_short``: whether more time would tell more."""

    result: CheckResult
    evidence: tuple[Evidence, ...]
    text: Callable[[Sequence[Path] | None], str]
    content: Callable[[Sequence[Path]], dict[str, Any]]
    cut_short: bool


Search: TypeAlias = Callable[[Job, Limits, int], Found]
"""The search for a job, within limits, for up to so many counterexamples that differ.

It raises ``IndelibleError`` if the job makes no sense.
"""


def explored(job: Job, limits: Limits, distinct: int) -> Found:
    """Every behaviour in the scope."""
    names = job.check.properties or ()
    with chdir(job.folder):
        target = find_target(job.check.target)
        properties = chosen_properties(names)
    scope = job.scope.completed(target.scope)
    checked = check_asked(Asked(target, scope, properties, names, distinct), limits)
    verdict = checked.verdict
    texts = [render_text(each) for each in checked.evidence]
    return Found(
        result=checked.result(job.name),
        evidence=checked.evidence,
        text=lambda saved: render_report(verdict, texts, saved),
        content=lambda saved: verdict_object(target.implementation, verdict, saved),
        cut_short=verdict.outcome == "inconclusive"
        and not verdict.exhausted
        and limits.seconds_max is not None
        and verdict.seconds > limits.seconds_max,
    )


def fuzzed(job: Job, limits: Limits, distinct: int) -> Found:
    """Random runs in the scope, on all cores, until the time is over.

    They are never cut short: however long they take, they do not come to an end.
    """
    from indelible import fuzz_workers
    from indelible.checkers.walks.share import Bounds
    from indelible.fuzz_command import EVENTS_DEFAULT
    from indelible.fuzz_report import fuzz_object, render_fuzz
    from indelible.fuzz_result import fuzz_result
    from indelible.fuzzing import fuzz

    if limits.seconds_max is None:
        raise ConfigurationError(
            f"check {job.check.name}: random runs have no end", remedy="give it a time"
        )
    names = job.check.properties or ()
    question = fuzz_workers.Question(
        target=job.check.target,
        scope_fields=dict(job.scope.fields),
        names=names,
        internal=True,
        seed=secrets.randbits(32),
        strategy="mixed",
        events_max=EVENTS_DEFAULT,
    )
    with chdir(job.folder):  # Where the other processes look, too.
        target = find_target(job.check.target)
        base = ROOMY_SCOPE if target.scope is DEFAULT_SCOPE else target.scope
        asked = Asked(target, job.scope.completed(base), chosen_properties(names), names)
        came_to = fuzz(
            question,
            asked,
            Bounds(limits.seconds_max, None, False, None),
            workers=os.cpu_count() or 1,
            distinct=distinct,
            interrupted=limits.interrupted,
        )
    texts = [render_text(each) for each in came_to.evidence]
    return Found(
        result=fuzz_result(job.name, target.implementation, came_to),
        evidence=came_to.evidence,
        text=lambda saved: render_fuzz(came_to, texts, saved),
        content=lambda saved: fuzz_object(target.implementation, came_to, saved),
        cut_short=False,
    )


SEARCHES: Final[Mapping[How, Search]] = {"explore": explored, "fuzz": fuzzed}
