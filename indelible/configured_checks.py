"""The checks that a project configures, run one after the other: for how long, what came out.

Each is its own question with its own result: what goes wrong in one keeps no other from its turn,
and what did not get a turn is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from indelible.budget import split_budget
from indelible.check_result import CheckResult, error_result, interrupted_result
from indelible.checkers.explore import explore, memory_default
from indelible.checkers.limits import Limits
from indelible.configuration import Configuration
from indelible.configured_searches import SEARCHES, Found, Job
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.errors import ConfigurationError, IndelibleError, closest_first
from indelible.model.scope import Scope
from indelible.targets import on_trial
from indelible.trace_files import keep_trace

__all__ = ["Done", "configured_jobs", "run_jobs"]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job; nothing was ``found`` where it was never begun or went wrong.

    ``saved`` are the files that keep its counterexamples, ``None`` where they are not kept.
    """

    job: Job
    result: CheckResult
    found: Found | None = None
    saved: tuple[Path, ...] | None = None


def configured_jobs(
    configuration: Configuration, name: str | None = None, profile: str | None = None
) -> tuple[Job, ...]:
    """All that is configured, or one check of it, in order. Raises ``ConfigurationError``."""
    jobs = tuple(
        Job(check, scope, configuration.limits(check, profile), configuration.folder)
        for check in configuration.checks
        if name in (None, check.name)
        for scope in check.scopes
    )
    if not jobs:
        raise ConfigurationError(
            f"{configuration.file} configures nothing to check"
            + (f" by the name of {name}" if name else ""),
            remedy="add a table [tool.indelible.checks.NAME], or name a target",
            available=closest_first(name or "", (check.name for check in configuration.checks)),
        )
    return jobs


def run_jobs(
    jobs: Sequence[Job],
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
        ended = _done(job, replace(limits, **bounds), distinct, traces)
        done[job.name] = ended
        told(ended)
        by_share = share is not None and bounds["seconds_max"] == share
        return by_share and ended.found is not None and ended.found.cut_short

    if budget is None:
        for job in jobs:
            run(job, None)
    else:
        _prepare()
        split_budget(jobs, budget, run)
    return tuple(done.get(job.name) or Done(job, interrupted_result(job.name)) for job in jobs)


def _prepare() -> None:
    """Load, and compile if need be, what every search needs: no check shall pay for it."""
    explore(MultiPaxos(), Scope(nodes=1), limits=Limits(states_max=1_000))


def _done(job: Job, limits: Limits, distinct: int, traces: Path | None) -> Done:
    saved = None
    try:
        with on_trial():
            found = SEARCHES[job.check.how](job, limits, distinct)
            if traces is not None:
                saved = tuple(keep_trace(each, traces) for each in found.evidence)
        return Done(job, found.result, found, saved)
    except IndelibleError as error:
        return Done(job, error_result(job.name, str(error)))
