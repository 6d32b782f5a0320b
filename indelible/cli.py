"""The command line: words in, exit code out.

Control flow only: finding targets, reading options, searching and rendering are elsewhere, and
whatever is slow to import is imported by the command that needs it. Every error becomes one
message on stderr and exit code 2; a traceback is shown only with ``--debug``.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from indelible.bugs_command import bugs
from indelible.model.errors import IndelibleError, PropertyError
from indelible.model.verdict import EXIT_CODES
from indelible.options import changed_scope, limit_options, output_options, scope_options
from indelible.prove_command import prove
from indelible.trace_commands import minimize, replay, show

if TYPE_CHECKING:
    from indelible.checkers.properties import Property
    from indelible.model.implementation import Implementation
    from indelible.model.scope import Scope
    from indelible.model.trace import Evidence
    from indelible.model.verdict import Verdict

__all__ = ["main"]

EXIT_ERROR: Final = 2


class Failure(click.ClickException):
    """A message on stderr, and an exit code."""

    def __init__(self, message: str, exit_code: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # A class variable to click.


class Boundary(click.Group):
    """Where every error ends as a message."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; nothing but click's own exceptions leaves it."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
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
@click.argument("target", required=False)
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
@scope_options
@limit_options
@output_options
def check(
    target: str | None,
    names: tuple[str, ...],
    no_internal: bool,
    distinct: int,
    save: bool,
    folder: Path,
    scope_fields: dict[str, Any],
    limits: dict[str, Any],
    json: bool,
    quiet: bool,
    progress: bool | None,
) -> None:
    """Explore every behaviour of TARGET inside a scope.

    TARGET is module:attribute (from the current directory), or the name of a known bug (see
    'indelible bugs'). Without one, our own Multi-Paxos is checked. What is not said about the scope
    is as the target has it.
    """
    from indelible.evidence import found_evidence
    from indelible.targets import find_target, on_trial
    from indelible.trace_files import check_folder, keep_trace

    if save:
        check_folder(folder)
    with on_trial():
        found = find_target(target)
        scope = changed_scope(found.scope, **scope_fields)
        is_default = target is None and not scope_fields
        properties = _properties(names, internal=not no_internal, replaced=is_default)
        verdict = _explored(
            found.implementation,
            scope,
            properties,
            names,
            limits,
            distinct=distinct,
            progress=False if quiet and progress is None else progress,
        )
        references = dict(zip(names, properties, strict=True)) if names else {}
        evidence = found_evidence(found, verdict, properties, references)
        saved = [keep_trace(each, folder) for each in evidence] if save else None
    _show(found.implementation, verdict, evidence, saved, json=json, quiet=quiet)
    raise SystemExit(verdict.exit_code)


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


def _properties(names: tuple[str, ...], *, internal: bool, replaced: bool) -> tuple[Property, ...]:
    """Those named, or else the default ones; ``replaced``: a leader must be replaced, too."""
    from indelible.checkers.properties import default_properties, leader_replaced
    from indelible.targets import find_property

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


def _explored(
    implementation: Implementation,
    scope: Scope,
    properties: tuple[Property, ...],
    names: tuple[str, ...],
    limits: dict[str, Any],
    *,
    distinct: int,
    progress: bool | None,
) -> Verdict:
    from indelible.progress import interruptible, shown_progress

    with interruptible() as interrupted, shown_progress(progress) as report:
        from indelible.checkers.explore import explore, memory_default
        from indelible.checkers.limits import Limits

        memory = limits.pop("memory_bytes_max", None) or memory_default()
        bounds = Limits(memory_bytes_max=memory, interrupted=interrupted, report=report, **limits)
        return explore(
            implementation,
            scope,
            properties=properties,
            required=bool(names),
            limits=bounds,
            distinct=distinct,
        )


def _show(
    implementation: Implementation,
    verdict: Verdict,
    evidence: Sequence[Evidence],
    saved: Sequence[Path] | None,
    *,
    json: bool,
    quiet: bool,
) -> None:
    from indelible.render.text import render_text
    from indelible.report import headline, render_report, saved_lines
    from indelible.terminal import write_result
    from indelible.verdict_json import verdict_json

    if json:
        write_result(verdict_json(implementation, verdict, saved or ()))
    elif quiet:
        write_result(headline(verdict))
        for line in () if saved is None else saved_lines(saved):
            click.echo(line, err=True)
    else:
        write_result(render_report(verdict, [render_text(each) for each in evidence], saved))


for command in (bugs, prove, show, replay, minimize):
    main.add_command(command)
