"""The commands about traces: show, replay, minimize. Control flow only.

What they read is never trusted: a document says which target and property it is about, and these
are found as on a command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from indelible.model.errors import IndelibleError, TraceError
from indelible.options import limit_options, other_target

if TYPE_CHECKING:
    from indelible.checkers.minimize.pipeline import Minimized, Stage
    from indelible.model.trace import Evidence
    from indelible.model.trace_reader import Document
    from indelible.replays import Replayed, Unreadable
    from indelible.targets import Target

__all__ = ["minimize", "replay", "show"]

FORMATS: Final = ("text", "mermaid", "shiviz", "html", "log")

TRACE = click.argument("path", metavar="TRACE", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@TRACE
@click.option("--as", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="How to render it.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE",
              help="Write it there, and not to stdout.")  # fmt: skip
@click.option("--no-import", is_flag=True,
              help="Run no code that the document names; other classes stand in.")  # fmt: skip
def show(path: Path, form: str, output: Path | None, no_import: bool) -> None:
    """Show what a trace document tells: step by step, as a diagram, or as a page.

    It shows what was recorded, also where the implementation has changed since, or is gone. What
    the document is about is imported first, as 'indelible check' would, to show values as it does.
    """
    from indelible.targets import on_trial
    from indelible.terminal import write_result
    from indelible.trace_files import read_trace, require_other, write_file

    require_other(output, "--output", (path,))
    with on_trial():
        document = read_trace(path)
        document.recorded()  # So that nothing is imported for what is no trace.
        target = None if no_import else _target_if_any(document)
        evidence, missing = _evidence(document, no_import=no_import)
        text = _renderer(form)(evidence)
    _note_missing(missing)
    if form == "log" and target is not None:
        _note_quorums(target, document.target)
    if output is None:
        write_result(text)
    else:
        write_file(output, f"{text}\n")


def _note_missing(missing: tuple[str, ...]) -> None:
    if missing:
        click.echo(
            f"note: {', '.join(missing)} could not be found, or changed since; the document's "
            "values of that name are what it says of them",
            err=True,
        )


def _note_quorums(target: Target, name: str) -> None:
    """Whoever audits the log takes majorities for quorums."""
    from indelible.checkers.property import quorums_of
    from indelible.model.quorums import MajorityQuorums

    quorums = quorums_of(target.implementation)
    if not isinstance(quorums, MajorityQuorums):
        click.echo(
            f"note: quorums of {name} are {type(quorums).__name__}, and no log says so; audit it "
            f"with --target {name}, or say it by --quorums",
            err=True,
        )


def _evidence(document: Document, *, no_import: bool) -> tuple[Evidence, tuple[str, ...]]:
    """What the document tells, and which classes that should be there are not."""
    if no_import:
        return document.recorded(), ()
    reading = document.read()
    return reading.evidence, reading.missing


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
    if form == "log":
        from indelible.render.log import render_log

        return render_log
    from indelible.render.text import render_document

    return render_document


@click.command()
@TRACE
@other_target
@click.option("--mark-fixed", is_flag=True,
              help="If it does not violate its property any more, keep it to show that it never "
              "does again.")  # fmt: skip
@click.option("--renew", is_flag=True,
              help="If it still violates its property, write down what happens now.")  # fmt: skip
@JSON
def replay(path: Path, other: str | None, mark_fixed: bool, renew: bool, as_json: bool) -> None:
    """Let the events of a trace document happen again.

    Says whether they still violate the property, or which step no longer fits, what was expected
    and what was enabled. Exit codes: 1 still violates, 0 no longer violates, 3 no longer
    fits. One that is marked fixed may no longer fit, since a step of it cannot happen any more: 0;
    an exception on its way is no such reason: 3.

    TRACE may be a folder: then all documents in it and below are replayed, a line each. As they are
    kept, those marked fixed do not violate their property, and the others do, at their end. Exit
    codes: 0 all are as they are kept, 1 a fixed one violates its property again, 3 another one is
    not as it is kept, 2 one cannot be replayed.
    """
    from indelible.replays import replay_exit_code, replay_object, replay_text, replayed_trace
    from indelible.targets import on_trial
    from indelible.terminal import write_result
    from indelible.trace_files import read_trace

    if mark_fixed and renew:
        raise click.UsageError("--mark-fixed and --renew: a trace is fixed, or still violates")
    if path.is_dir():
        _replay_folder(path, other, mark_fixed=mark_fixed, renew=renew, as_json=as_json)
    with on_trial():
        document = read_trace(path)
        if other not in (None, document.target) and (mark_fixed or renew):
            raise click.UsageError("a document is kept for its own target: leave out --target")
        replayed = replayed_trace(document, other)
        if mark_fixed or renew:
            _keep(path, replayed, mark_fixed=mark_fixed)
    _note_missing(replayed.missing)
    text = json.dumps(replay_object(replayed), indent=2) if as_json else replay_text(replayed)
    write_result(text)
    raise SystemExit(replay_exit_code(replayed))


def _keep(path: Path, replayed: Replayed, *, mark_fixed: bool) -> None:
    """Mark the document fixed, or write it anew, if it is so."""
    from indelible.replays import renewed_text
    from indelible.trace_files import mark_fixed as marked
    from indelible.trace_files import write_file

    name = replayed.evidence.trace.violation.property
    if mark_fixed and replayed.violates:
        raise TraceError(
            f"{path} still violates {name}: it is not fixed",
            cause=replayed.evidence.trace.violation.explanation,
            remedy="replay it without --mark-fixed to see where",
        )
    if mark_fixed and replayed.raised:
        raise TraceError(
            f"{path} could not be replayed to its end: {replayed.raised}",
            cause="an exception is no fix, and what would have happened instead was not seen",
            remedy="correct that first",
        )
    if mark_fixed:
        marked(path, replayed.document)
        click.echo(f"marked fixed: {path}", err=True)
        return
    if replayed.found.outcome != "violates":
        raise TraceError(
            f"{path} does not violate {name} any more: there is nothing to renew",
            cause="the implementation has changed",
            remedy="keep it with --mark-fixed if that was the purpose, else delete it",
        )
    write_file(path, renewed_text(replayed))
    click.echo(f"renewed: {path}", err=True)


def _replay_folder(
    folder: Path, other: str | None, *, mark_fixed: bool, renew: bool, as_json: bool
) -> None:
    from indelible.replays import folder_exit_code, folder_object, folder_text
    from indelible.targets import on_trial
    from indelible.terminal import write_result
    from indelible.trace_files import SUFFIX, trace_paths

    if mark_fixed or renew:
        raise click.UsageError("--mark-fixed and --renew are for one document, not for a folder")
    paths = list(trace_paths(folder))
    if not paths:
        raise TraceError(
            f"there is no trace in {folder}",
            cause=f"no file in it or below has a name that ends in {SUFFIX}",
            remedy="name a trace document, or a folder of them",
        )
    replays: list[Replayed | Unreadable] = []
    for path in paths:
        with on_trial():
            replays.append(_replayed_if_readable(path, other))
    text = json.dumps(folder_object(replays), indent=2) if as_json else folder_text(folder, replays)
    write_result(text)
    raise SystemExit(folder_exit_code(replays))


def _replayed_if_readable(path: Path, other: str | None) -> Replayed | Unreadable:
    from indelible.replays import Unreadable, replayed_trace
    from indelible.trace_files import read_trace

    try:
        return replayed_trace(read_trace(path), other)
    except IndelibleError as error:
        return Unreadable(str(path), error)


@click.command()
@TRACE
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write the smaller trace. Default: over the one given.")  # fmt: skip
@click.option("--no-search", is_flag=True, help="Leave out the search for a shortest trace.")
@other_target
@limit_options
@JSON
def minimize(
    path: Path,
    output: Path | None,
    no_search: bool,
    other: str | None,
    limits: dict[str, Any],
    as_json: bool,
) -> None:
    """Make a trace document as short as can be, with the same property violated.

    Events are removed, what is left is simplified, and a shortest trace is searched for in the
    scope that it still uses. The limits bound that search. Ctrl-C keeps the best trace so far.
    """
    from indelible.progress import interruptible
    from indelible.replays import minimized_object, minimized_text
    from indelible.targets import on_trial
    from indelible.terminal import write_result
    from indelible.trace_files import read_trace, write_file

    with interruptible() as interrupted, on_trial():
        document = read_trace(path)
        document.recorded()  # So that nothing is imported for what is no trace.
        bounds = {**limits, "interrupted": interrupted}
        smaller, result, text = _minimized(document, other, search=not no_search, limits=bounds)
    place = output or path
    write_file(place, text)
    if as_json:
        saved = {"version": 1, **minimized_object(smaller), "saved": str(place)}
        write_result(json.dumps(saved, indent=2))
    else:
        write_result(minimized_text(result, smaller, place))


def _minimized(
    document: Document, other: str | None, *, search: bool, limits: dict[str, Any]
) -> tuple[Minimized, Evidence, str]:
    """The smaller trace, the evidence that it is, and its document."""
    from dataclasses import replace

    from indelible.checkers.minimize.pipeline import SEARCH_LIMITS
    from indelible.checkers.minimize.pipeline import minimize as minimized
    from indelible.evidence import document_target, evidence_of, known_property
    from indelible.model.trace import LENGTHS
    from indelible.model.trace_document import document_text
    from indelible.replays import minimized_object

    target, known = document_target(document, other), known_property(document.property)
    evidence = document.read().evidence
    smaller = minimized(
        target.implementation,
        evidence.trace,
        known,
        search=search,
        limits=replace(SEARCH_LIMITS, **limits),
        report=lambda stage: click.echo(_stage(stage), err=True),
    )
    same = (smaller.trace.scope, smaller.trace.actions) == (
        evidence.trace.scope,
        evidence.trace.actions,
    )
    if same and LENGTHS.index(evidence.length) <= LENGTHS.index(smaller.length):
        # Nothing is gained, and what was known of it before is not forgotten.
        return replace(smaller, length=evidence.length), evidence, document_text(evidence)
    result = evidence_of(
        target.implementation,
        smaller.trace,
        known,
        target=target.name,
        reference=document.property,
        length=smaller.length,
        found={**evidence.found, "minimized": minimized_object(smaller)},
    )
    result = replace(result, fixed=evidence.fixed)
    return smaller, result, document_text(result)


def _stage(stage: Stage) -> str:
    says = f" ({stage.says})" if stage.says else ""
    nodes = f"{stage.nodes} node{'' if stage.nodes == 1 else 's'}"
    return f"{stage.name}: {stage.events} event{'' if stage.events == 1 else 's'}, {nodes}{says}"


def _target_if_any(document: Document) -> Target | None:
    """Import what the document is about, so that its values are read as what they were.

    Whatever goes wrong with it, the document can be shown.
    """
    from indelible.evidence import document_target
    from indelible.targets import on_trial

    with suppress(Exception), on_trial():
        return document_target(document)
    return None
