"""The command line: words in, exit code out.

Control flow only: finding targets, reading options, searching and rendering are elsewhere, and
whatever is slow to import is imported by the command that needs it. Every error becomes one
message on stderr and exit code 2; a traceback is shown only with ``--debug``.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from indelible.adapter_command import adapter
from indelible.audit_command import audit
from indelible.bugs_command import bugs
from indelible.check_result import EXIT_ERROR
from indelible.checkers.overdue import Overdue
from indelible.fuzz_command import fuzz
from indelible.model.errors import IndelibleError
from indelible.model.verdict import EXIT_CODES
from indelible.new_adapter_command import new_adapter
from indelible.options import (
    DURATION,
    Output,
    changed_scope,
    limit_options,
    output_options,
    scope_options,
    target_argument,
)
from indelible.prove_command import prove
from indelible.terminal import unwritable
from indelible.trace_commands import minimize, replay, show

if TYPE_CHECKING:
    from indelible.checking import Asked, Checked
    from indelible.targets import Target

__all__ = ["main"]


class Failure(click.ClickException):
    """A message on stderr, and an exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # A class variable to click.


class Boundary(click.Group):
    """Where every error ends as a message."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's; where help or version cannot be written, that is a message, too."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            click.echo(f"Error: {unwritable(error)}", err=True)
            sys.exit(EXIT_ERROR)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; nothing but click's own exceptions leaves it."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Overdue as overdue:
            raise Failure(str(overdue), EXIT_CODES["inconclusive"]) from None
        except (KeyboardInterrupt, click.Abort):
            message = "interrupted before there was anything to report"
            raise Failure(message, EXIT_CODES["inconclusive"]) from None
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            if isinstance(error, IndelibleError):
                raise Failure(str(error)) from error
            raise Failure(
                f"internal error: {type(error).__name__}: {error}\n"
                "  remedy: please report it, with the traceback that the same command shows\n"
                f"  as 'indelible --debug {ctx.invoked_subcommand} …'"
            ) from error


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"indelible {version('indelible')}")
        except PackageNotFoundError:
            click.echo("indelible, run from its source")
        ctx.exit()


@click.group(cls=Boundary, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
    help="Show the version and exit.",
)  # fmt: skip
def main(debug: bool) -> None:
    """Check that a replicated log is never rewritten.

    Exit codes: 0 it holds, 1 it is violated, 3 inconclusive, 2 a usage or internal error.
    """


@main.command()
@target_argument
@click.option(
    "--property", "names", multiple=True, metavar="NAME",
    help="Judge this property: a built-in one, or module:attribute. May be given several times. "
    "By default all that 'indelible properties' lists.",
)  # fmt: skip
@click.option("--no-internal", is_flag=True, help="Judge only what a client can see.")
@click.option(
    "--distinct", type=click.IntRange(1), default=1, metavar="K",
    help="Look for up to K counterexamples that differ.",
)  # fmt: skip
@click.option("--save", is_flag=True, help="Keep counterexamples as trace documents.")
@click.option(
    "--traces", "folder", type=click.Path(path_type=Path), default="traces", show_default=True,
    metavar="FOLDER", help="Where --save puts them.",
)  # fmt: skip
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write JUnit XML there, a case for each property.",
)  # fmt: skip
@click.option(
    "--budget", type=DURATION, metavar="TIME",
    help="Split so much time over all checks that are configured.",
)  # fmt: skip
@click.option("--profile", metavar="NAME", help="Bounds for checks that are configured.")
@scope_options
@limit_options
@output_options
@click.pass_context
def check(
    ctx: click.Context,
    target: str | None,
    names: tuple[str, ...],
    no_internal: bool,
    distinct: int,
    save: bool,
    folder: Path,
    junit: Path | None,
    budget: float | None,
    profile: str | None,
    scope_fields: dict[str, Any],
    limits: dict[str, Any],
    json: bool,
    quiet: bool,
    progress: bool | None,
) -> None:
    """Explore every behaviour of TARGET inside a scope.

    TARGET is module:attribute (from the current directory), 'exec:' and the command line of a
    process (as with --exec), the name of a known bug (see 'indelible bugs'), or of a check that the
    project configures (docs/configuration.md). Without one, all that
    is configured is checked; where nothing is, our own Multi-Paxos. What is not said about the
    scope is as the target has it.
    """
    from indelible.ci import told_to_ci
    from indelible.configured_command import check_configured, planned
    from indelible.trace_files import check_folder

    other = bool(names or no_internal or scope_fields)
    with told_to_ci(target or "indelible check", junit):
        plan = planned(target, budget=budget, profile=profile, other=other)
        if plan is not None and ctx.get_parameter_source("folder") is ParameterSource.DEFAULT:
            folder = plan[0].traces
            folder = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        if save:
            check_folder(folder)
    progress = False if quiet and progress is None else progress
    output = Output(json, quiet, progress, junit, folder if save else None)
    if plan is not None:
        raise SystemExit(check_configured(plan[1], limits, budget, distinct, output))
    if budget is not None:
        limits["seconds_max"] = min(budget, limits.get("seconds_max", budget))

    def asked(found: Target) -> Asked:
        from indelible.checking import Asked, chosen_properties

        scope = changed_scope(found.scope, **scope_fields)
        is_default = target is None and not scope_fields
        chosen = chosen_properties(names, internal=not no_internal, replaced=is_default)
        return Asked(found, scope, chosen, names, distinct)

    raise SystemExit(_check_target(target, asked, limits, output))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def properties(as_json: bool) -> None:
    """List the built-in properties."""
    import json

    from indelible.checkers.properties import BUILT_IN
    from indelible.terminal import table_text, write_result

    listed = [
        {
            "name": known.name,
            "kind": known.kind,
            "reads": known.reads,
            "internal": known.internal,
            "says": known.says,
        }
        for known in BUILT_IN.values()
    ]
    rows = [
        (known.name, known.kind, "internal" if known.internal else "observable", known.says)
        for known in BUILT_IN.values()
    ]
    write_result(json.dumps(listed, indent=2) if as_json else table_text(rows))


def _check_target(
    name: str | None, asked: Callable[[Target], Asked], limits: dict[str, Any], output: Output
) -> int:
    """Ask what ``asked`` makes of the target, tell everybody, and say with which code to end."""
    from indelible.ci import tell_ci, told_to_ci
    from indelible.targets import OURS, find_target, on_trial
    from indelible.trace_files import keep_trace

    called = name or OURS
    saved = None
    with told_to_ci(called, output.junit), on_trial():
        checked = _checked(asked(find_target(name)), limits, output.progress)
        if output.traces is not None:
            saved = [keep_trace(each, output.traces) for each in checked.evidence]
    _show(checked, saved, output)
    tell_ci([checked.result(called)], output.junit)
    return checked.verdict.exit_code


def _checked(asked: Asked, limits: dict[str, Any], progress: bool | None) -> Checked:
    from indelible.checkers.overdue import watched_steps
    from indelible.progress import impatient, interruptible, shown_progress

    with (
        interruptible() as interrupted,
        watched_steps(impatient(limits.get("seconds_max"), interrupted)),
        shown_progress(progress) as report,
    ):
        from indelible.checkers.explore import memory_default
        from indelible.checkers.limits import Limits
        from indelible.checking import check_asked

        memory = limits.pop("memory_bytes_max", None) or memory_default()
        bounds = Limits(memory_bytes_max=memory, interrupted=interrupted, report=report, **limits)
        return check_asked(asked, bounds)


def _show(checked: Checked, saved: Sequence[Path] | None, output: Output) -> None:
    from indelible.render.text import render_text
    from indelible.report import headline, render_report, saved_lines
    from indelible.targets import on_trial
    from indelible.terminal import write_result
    from indelible.verdict_json import verdict_json

    verdict = checked.verdict
    with on_trial():  # What happens in a trace is asked of the implementation once more.
        if output.json:
            text = verdict_json(checked.asked.target.implementation, verdict, saved or ())
        elif output.quiet:
            text = headline(verdict)
        else:
            traces = [render_text(each) for each in checked.evidence]
            text = render_report(verdict, traces, saved, checked.evidence)
    write_result(text)
    if output.quiet and not output.json and saved is not None:
        for line in saved_lines(saved, checked.evidence):
            click.echo(line, err=True)


for command in (fuzz, audit, prove, bugs, show, replay, minimize, adapter, new_adapter):
    main.add_command(command)
