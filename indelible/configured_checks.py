"""The checks that a project configures, run one after the other: for how long, what came out.

Each is its own question with its own result: what goes wrong in one keeps no other from its turn,
and what did not get a turn is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from indelible.budget import split_budget
from indelible.check_result import CheckResult, error_result, interrupted_result
from indelible.checkers.explore import memory_default
from indelible.checkers.limits import Limits
from indelible.checking import Asked, Checked, check_asked, chosen_properties
from indelible.configuration import Check, Configuration, ConfiguredScope
from indelible.model.errors import ConfigurationError, IndelibleError
from indelible.targets import closest_first, find_target, on_trial
from indelible.trace_files import keep_trace

__all__ = ["Done", "Job", "Plan", "configured_jobs", "run_jobs"]


@dataclass(frozen=True, slots=True)
class Job:
    """One configured check in one of its scopes, and what bounds its search when nobody else does:
    fields of ``Limits``."""

    check: Check
    scope: ConfiguredScope
    limits: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As its tests are called, without the property."""
        return f"{self.check.name}[{self.scope.name}]" if self.scope.name else self.check.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run, in the order of the configuration, and what is not.

    ``left_out``: names of checks that are random tests, which no exhaustive search answers.
    """

    configuration: Configuration
    jobs: tuple[Job, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job; ``checked`` is missing where it was never begun or went wrong."""

    job: Job
    result: CheckResult
    checked: Checked | None = None
    saved: tuple[Path, ...] = ()


def configured_jobs(
    configuration: Configuration, name: str | None = None, profile: str | None = None
) -> Plan:
    """All that is configured, or one check of it. Raises ``ConfigurationError``."""
    checks = [check for check in configuration.checks if name in (None, check.name)]
    jobs = tuple(
        Job(check, scope, configuration.limits(check, profile))
        for check in checks
        if check.how == "explore"
        for scope in check.scopes
    )
    left_out = tuple(check.name for check in checks if check.how != "explore")
    if not jobs:
        raise ConfigurationError(
            f"{configuration.file} configures nothing to check"
            + (f" by the name of {name}" if name else ""),
            cause=f"random tests only: {', '.join(left_out)}" if left_out else "",
            remedy="add a table [tool.indelible.checks.NAME], or name a target",
            available=closest_first(name or "", (check.name for check in configuration.checks)),
        )
    return Plan(configuration, jobs, left_out)


def run_jobs(
    plan: Plan,
    limits: Limits,
    *,
    given: Mapping[str, Any] = MappingProxyType({}),
    budget: float | None = None,
    distinct: int = 1,
    traces: Path | None = None,
    told: Callable[[Done], None] = lambda _: None,
) -> tuple[Done, ...]:
    """Run every job, and say what came of each, in their order.

    ``limits`` are what they have in common; ``given`` are fields of it that bound each search,
    whatever the configuration says. A ``budget`` of seconds is split over all of them, instead of
    the times that are configured. ``traces`` is the folder for counterexamples, if any are kept;
    ``told`` hears of each result when it is there.
    """
    done: dict[str, Done] = {}

    def run(job: Job, share: float | None) -> bool:
        if limits.interrupted():
            return False
        bounds = {"memory_bytes_max": memory_default(), **job.limits, **given}
        if share is not None:
            bounds["seconds_max"] = min(share, given.get("seconds_max", share))
        ended = _done(job, plan, replace(limits, **bounds), distinct, traces)
        done[job.name] = ended
        told(ended)
        return _was_cut_short(ended, share)

    if budget is None:
        for job in plan.jobs:
            run(job, None)
    else:
        split_budget(plan.jobs, budget, run)
    return tuple(done.get(job.name) or Done(job, interrupted_result(job.name)) for job in plan.jobs)


def _done(job: Job, plan: Plan, limits: Limits, distinct: int, traces: Path | None) -> Done:
    try:
        with on_trial():
            checked = check_asked(_asked(job, plan.configuration.folder, distinct), limits)
            kept = checked.evidence if traces is not None else ()
            saved = tuple(keep_trace(each, traces) for each in kept if traces is not None)
        return Done(job, checked.result(job.name), checked, saved)
    except IndelibleError as error:
        return Done(job, error_result(job.name, str(error)))


def _asked(job: Job, folder: Path, distinct: int) -> Asked:
    names = job.check.properties or ()
    with chdir(folder):
        target = find_target(job.check.target)
        properties = chosen_properties(names)
    return Asked(target, job.scope.completed(target.scope), properties, names, distinct)


def _was_cut_short(done: Done, share: float | None) -> bool:
    """Whether more time than ``share`` would have been of use."""
    checked = done.checked
    return (
        share is not None
        and checked is not None
        and checked.verdict.outcome == "inconclusive"
        and not checked.verdict.exhausted
        and checked.verdict.seconds > share
    )
