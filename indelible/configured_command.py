"""``indelible check`` in a project that configures checks: all of them, or one by its name.

Control flow only. Whatever says what to check in other words than the configuration does not go
together with it, and is refused: nobody shall take one question for another.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indelible.model.errors import ConfigurationError
from indelible.options import Output

if TYPE_CHECKING:
    from indelible.configuration import Configuration
    from indelible.configured_checks import Done
    from indelible.configured_searches import Job

__all__ = ["check_configured", "planned"]


def planned(
    target: str | None, *, budget: float | None, profile: str | None, other: bool
) -> tuple[Configuration, tuple[Job, ...]] | None:
    """The configured checks that are asked for, if it is them, and where they are configured.

    They are if no target is named, or one that is the name of a check. ``other``: whether there are
    options that ask another question. Raises ``ConfigurationError``.
    """
    if target is None or ":" not in target:
        from indelible.configuration import read_configuration

        configuration = read_configuration(Path.cwd())
        if configuration is not None and configuration.checks:
            names = [check.name for check in configuration.checks]
            if target is None or target in names:
                return _plan(configuration, target, profile, other=other)
    if target is None and (budget is not None or profile is not None):
        raise ConfigurationError(
            "no checks are configured here",
            cause=f"there is no table [tool.indelible.checks.NAME] in a pyproject.toml in "
            f"{Path.cwd()} or above it",
            remedy="run this in the project, or name a target",
        )
    if profile is not None:
        raise ConfigurationError(
            f"{target} is no configured check, and --profile is for these only",
            remedy="give --time-limit, --max-states or --max-memory",
        )
    return None


def _plan(
    configuration: Configuration, name: str | None, profile: str | None, *, other: bool
) -> tuple[Configuration, tuple[Job, ...]]:
    from indelible.configured_checks import configured_jobs

    if other:
        raise ConfigurationError(
            f"options ask for another scope or other properties than {configuration.file} "
            f"configures for {name or 'its checks'}",
            remedy="leave them out, or name a target, as in 'indelible check module:attribute'",
        )
    return configuration, configured_jobs(configuration, name, profile)


def check_configured(
    jobs: Sequence[Job],
    given: Mapping[str, Any],
    budget: float | None,
    distinct: int,
    output: Output,
) -> int:
    """Run the jobs, tell everybody of it, and say with which exit code to end.

    Raises ``TraceError`` if what is asked for cannot be written.
    """
    from indelible.check_result import exit_code
    from indelible.ci import begin_junit, tell_ci
    from indelible.configured_report import configured_headline, configured_json, configured_text
    from indelible.targets import on_trial
    from indelible.terminal import write_result

    begin_junit([job.name for job in jobs], output.junit)
    done = _run(jobs, given, budget, distinct, output)
    results = [each.result for each in done]
    with on_trial():  # What happens in a trace is asked of the implementation once more.
        if output.json:
            text = configured_json(done, budget)
        elif output.quiet:
            text = configured_headline(results)
        else:
            text = configured_text(done)
    write_result(text)
    tell_ci(results, output.junit)
    return exit_code(results)


def _run(
    jobs: Sequence[Job],
    given: Mapping[str, Any],
    budget: float | None,
    distinct: int,
    output: Output,
) -> tuple[Done, ...]:
    from indelible.progress import interruptible, shown_progress
    from indelible.terminal import is_terminal

    tells = is_terminal(sys.stderr) if output.progress is None else output.progress

    def told(done: Done) -> None:
        if tells:
            click.echo(f"{done.job.name}: {done.result.headline}", err=True)

    with interruptible() as interrupted, shown_progress(output.progress) as report:
        from indelible.checkers.limits import Limits
        from indelible.configured_checks import run_jobs

        return run_jobs(
            jobs,
            Limits(interrupted=interrupted, report=report),
            given=given,
            budget=budget,
            distinct=distinct,
            traces=output.traces,
            told=told,
        )
