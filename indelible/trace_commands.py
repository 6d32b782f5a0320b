"""The commands about traces: show, replay, minimize. Control flow only.

What they read is never trusted: a document says which target and property it is about, and these
are found as on a command line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from indelible.model.errors import ImplementationError, TraceError
from indelible.options import limit_options

if TYPE_CHECKING:
    from indelible.checkers.minimize.pipeline import Stage
    from indelible.model.trace import Evidence
    from indelible.model.trace_reader import Document
    from indelible.targets import Target

__all__ = ["minimize", "replay", "show"]

FORMATS: Final = ("text", "mermaid", "shiviz", "html")
REPLAY_EXIT_CODES: Final = {"violates": 1, "holds": 0, "does not fit": 3}

TRACE = click.argument("path", metavar="TRACE", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@TRACE
@click.option("--as", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How to render it.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE",
              help="Write it there, and not to stdout.")  # fmt: skip
def show(path: Path, form: str, output: Path | None) -> None:
    """Show what a trace document tells: step by step, as a diagram, or as a page.

    It shows what was recorded, also where the implementation has changed since, or is gone.
    """
    from indelible.terminal import write_result
    from indelible.trace_files import read_trace, write_file

    with redirect_stdout(sys.stderr):
        document = read_trace(path)
        _target_if_any(document)
        reading = document.read()
    if reading.missing:
        click.echo(
            f"note: {', '.join(reading.missing)} could not be found, or changed since; values are "
            "shown by what the document says of them",
            err=True,
        )
    text = _renderer(form)(reading.evidence)
    if output is None:
        write_result(text)
    else:
        write_file(output, f"{text}\n")


def _renderer(form: str) -> Callable[[Evidence], str]:
    """Each rendering is imported only where it is asked for."""
    if form == "mermaid":
        from indelible.render.mermaid import render_mermaid

        return render_mermaid
    if form == "shiviz":
        from indelible.render.shiviz import render_shiviz

        return render_shiviz
    if form == "html":
        from indelible.render.html import render_html

        return render_html
    from indelible.render.text import render_text

    return render_text


@click.command()
@TRACE
@click.option("--target", "other", metavar="TARGET", help="Replay it on this one instead.")
@click.option("--mark-fixed", is_flag=True,
              help="If it does not violate its property any more, keep it to show that it never "
              "does again.")  # fmt: skip
@JSON
def replay(path: Path, other: str | None, mark_fixed: bool, as_json: bool) -> None:
    """Let the events of a trace document happen again.

    Says whether they still violate the property, or which step no longer fits, what was expected
    and what was enabled. Exit codes: 1 still violates, 0 no longer violates, 3 no longer fits.
    """
    from indelible.checkers.minimize.schedule import play, schedule
    from indelible.checkers.watch import Watch
    from indelible.checkers.watch import replay as replayed_on
    from indelible.evidence import known_property
    from indelible.replays import replay_object, replay_text
    from indelible.terminal import write_result
    from indelible.trace_files import mark_fixed as marked
    from indelible.trace_files import read_trace

    with redirect_stdout(sys.stderr):
        document = read_trace(path)
        target = _target(document, other)
        evidence = document.read().evidence
        actions = evidence.trace.actions
        watch = Watch(
            target.implementation, evidence.trace.scope, known_property(evidence.property)
        )
        found = replayed_on(watch, actions)
        adapted = play(watch, schedule(actions)) if found.outcome == "does not fit" else None
    if mark_fixed:
        if found.outcome == "violates":
            raise TraceError(
                f"{path} still violates {evidence.trace.violation.property}: it is not fixed"
            )
        marked(path, evidence)
    if as_json:
        write_result(json.dumps(replay_object(target.name, evidence, found, adapted), indent=2))
    else:
        write_result(replay_text(target.name, evidence, found, adapted))
    raise SystemExit(REPLAY_EXIT_CODES[found.outcome])


@click.command()
@TRACE
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write the smaller trace. Default: over the one given.")  # fmt: skip
@click.option("--no-search", is_flag=True, help="Leave out the search for a shortest trace.")
@limit_options
@JSON
def minimize(
    path: Path, output: Path | None, no_search: bool, limits: dict[str, Any], as_json: bool
) -> None:
    """Make a trace document as short as can be, with the same property violated.

    Events are removed, what is left is simplified, and a shortest trace is searched for in the
    scope that it still uses. The options bound that search.
    """
    from dataclasses import replace

    from indelible.checkers.minimize.pipeline import SEARCH_LIMITS
    from indelible.checkers.minimize.pipeline import minimize as minimized
    from indelible.evidence import evidence_of, known_property
    from indelible.model.trace_document import document_text
    from indelible.progress import interruptible
    from indelible.replays import minimized_object, minimized_text
    from indelible.terminal import write_result
    from indelible.trace_files import read_trace, write_file

    with redirect_stdout(sys.stderr), interruptible() as interrupted:
        document = read_trace(path)
        target = _target(document, None)
        evidence = document.read().evidence
        known = known_property(evidence.property)
        smaller = minimized(
            target.implementation,
            evidence.trace,
            known,
            search=not no_search,
            limits=replace(SEARCH_LIMITS, interrupted=interrupted, **limits),
            report=lambda stage: click.echo(_stage(stage), err=True),
        )
        result = evidence_of(
            target.implementation,
            smaller.trace,
            known,
            target=target.name,
            length=smaller.length,
            found={**evidence.found, "minimized": minimized_object(smaller)},
        )
    place = output or path
    write_file(place, document_text(replace(result, fixed=evidence.fixed)))
    if as_json:
        write_result(json.dumps({**minimized_object(smaller), "saved": str(place)}, indent=2))
    else:
        write_result(minimized_text(result, smaller, place))


def _stage(stage: Stage) -> str:
    says = f" ({stage.says})" if stage.says else ""
    return f"{stage.name}: {stage.events} events, {stage.nodes} nodes{says}"


def _target(document: Document, other: str | None) -> Target:
    """The target that is asked for, or else the document's own."""
    from indelible.targets import find_target

    if other is None and not document.target:
        raise TraceError(
            f"{document.name} does not say which target it is about",
            cause="it was saved from Python, for an object that no name leads to",
            remedy="name one with --target",
        )
    return find_target(other or document.target)


def _target_if_any(document: Document) -> None:
    """Import what the document is about, so that its values are read as what they were."""
    with suppress(ImplementationError, TraceError):
        _target(document, None)
