"""The command that judges recorded logs. Control flow only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indelible.options import NODES, output_options, target_option

if TYPE_CHECKING:
    from indelible.audit_files import LogFiles
    from indelible.audit_target import Held
    from indelible.check_result import CheckResult
    from indelible.checkers.audit.audit import Audit
    from indelible.checkers.audit.entry import Entry
    from indelible.checkers.audit.merge import Placed
    from indelible.checkers.audit.notes import Place
    from indelible.checkers.audit.proof import Proof
    from indelible.model.effects import Effect
    from indelible.model.events import NodeId
    from indelible.model.quorums import QuorumSystem
    from indelible.model.trace import Evidence
    from indelible.targets import Target

__all__ = ["audit", "audited_files"]


@click.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--property", "names", multiple=True, metavar="NAME",
              help="Judge this built-in property. May be given several times. By default all of "
              "them.")  # fmt: skip
@click.option("--no-internal", is_flag=True, help="Judge only what a client can see.")
@click.option("--nodes", type=NODES, metavar="N|NAME,...",
              help="Who the nodes are, if no record of a start says so.")  # fmt: skip
@click.option("--quorums", "quorums_name", metavar="NAME|MODULE:ATTRIBUTE",
              help="Which sets of nodes are quorums: a system of the project, or of code. Default: "
              "majorities.")  # fmt: skip
@target_option("Hold the log against this target, too: does it do what was recorded?")
@click.option("--save", is_flag=True,
              help="Keep a run of it that violates a property as a trace document.")  # fmt: skip
@click.option("--traces", "folder", type=click.Path(path_type=Path), default="traces",
              show_default=True, metavar="FOLDER", help="Where --save puts it.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write JUnit XML there, a case for each property.")  # fmt: skip
@output_options
def audit(
    logs: tuple[str, ...],
    names: tuple[str, ...],
    no_internal: bool,
    nodes: int | tuple[NodeId, ...] | None,
    quorums_name: str | None,
    other: str | None,
    save: bool,
    folder: Path,
    junit: Path | None,
    json: bool,
    quiet: bool,
    progress: bool | None,
) -> None:
    """Judge recorded logs: what nodes did, a line each (docs/audit.md).

    LOG is a file, also one compressed by gzip, or - for stdin. Several files are one log: each
    keeps its order, and messages are received after they were sent. The first record that violates
    a property is reported, with the records that show it. Ctrl-C reports how far it came.

    With --target (or --exec) the log is replayed on an implementation: the first record that is not
    as that does it is reported, and a violation becomes a trace of it, as short as can be.

    Exit codes: 0 it holds, as far as the log shows; 1 violated, or not as the target does it; 3
    inconclusive (a line cannot be read, the log begins in the middle, nothing was decided,
    interrupted); 2 a usage or internal error.
    """
    from indelible.audit_files import opened_logs
    from indelible.audit_report import audit_headline, audit_json, render_audit
    from indelible.checkers.audit.audit import told_again
    from indelible.ci import tell_ci, told_to_ci
    from indelible.progress import interruptible
    from indelible.targets import find_target, on_trial
    from indelible.terminal import write_result
    from indelible.trace_files import check_folder, require_other

    if save and other is None:
        raise click.UsageError("--save keeps a run of a target: name one with --target or --exec")
    title = ", ".join(logs)
    require_other(junit, "--junit", logs)
    progress = False if quiet and progress is None else progress
    held: Held | None = None
    with told_to_ci(title, junit):
        if save:
            check_folder(folder)
        with interruptible() as interrupted, opened_logs(logs, interrupted) as files:
            with on_trial():
                target = None if other is None else find_target(other)
            quorums = _quorums(quorums_name, target)
            rules = _rules(names, internal=not no_internal)
            result, proof = audited_files(files, quorums, nodes, rules, progress, interrupted)
            if target is not None:
                from indelible.audit_target import with_target

                saved = folder if save else None
                again = partial(told_again, quorums=quorums, nodes=_named(nodes), names=rules)
                with on_trial():
                    held = _held(target, result, files, again, saved, progress, interrupted)
                    result = with_target(result, held)
    headline = audit_headline(result, proof, files.names)
    if json:
        text = audit_json(result, proof, files.names, _conformance(held, files.names))
    elif quiet:
        text = headline
    else:
        text = render_audit(result, proof, files.names, _sections(held, files.names))
    write_result(text)
    if quiet and not json and held and held.counterexample and held.counterexample.saved:
        click.echo(f"Saved: {held.counterexample.saved}", err=True)
    evidence = (held.counterexample.evidence,) if held and held.counterexample else ()
    tell_ci([_check_result(title, result, headline, evidence)], junit)
    raise SystemExit(result.exit_code)


def _conformance(held: Held | None, names: tuple[str, ...]) -> dict[str, Any] | None:
    from indelible.audit_target_report import held_object
    from indelible.targets import on_trial

    if held is None:
        return None
    with on_trial():  # What happens in a trace is asked of the target once more.
        return held_object(held, names)


def _sections(held: Held | None, names: tuple[str, ...]) -> list[list[str]]:
    from indelible.audit_target_report import held_sections

    return [] if held is None else held_sections(held, names)


def audited_files(
    files: LogFiles,
    quorums: QuorumSystem,
    nodes: int | tuple[NodeId, ...] | None,
    names: tuple[str, ...],
    progress: bool | None,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[Audit, Proof | None]:
    """The verdict, and what shows it where a property is violated."""
    from indelible.audit_report import place_text, progress_text
    from indelible.checkers.audit.audit import audit as audited
    from indelible.checkers.audit.audit import told_again
    from indelible.checkers.audit.proof import prove
    from indelible.progress import shown_progress

    named = _named(nodes)
    with shown_progress(progress, lambda seen: progress_text(files.names, seen)) as report:
        result = audited(
            _lines(files),
            quorums,
            nodes=named,
            names=names,
            place_text=lambda place: place_text(files.names, place),
            interrupted=interrupted,
            report=report or (lambda _: None),
        )
    if result.finding is None:
        return result, None
    members = result.members or result.nodes
    others = tuple(node for node in result.nodes if node not in members)
    again = told_again(_lines(files, keep=True), quorums, nodes=named, names=names)
    return result, prove(result.finding, _entries(again), quorums, members, others)


def _named(nodes: int | tuple[NodeId, ...] | None) -> tuple[NodeId, ...] | None:
    from indelible.model.scope import Scope

    return None if nodes is None else Scope(nodes=nodes).nodes


def _held(
    target: Target,
    result: Audit,
    files: LogFiles,
    again: Callable[[Iterable[Placed]], Iterator[Placed]],
    folder: Path | None,
    progress: bool | None,
    interrupted: Callable[[], bool],
) -> Held:
    """The log against a target; what violates a property there is kept in a folder."""
    from dataclasses import replace

    from indelible.audit_report import place_text, progress_text
    from indelible.audit_target import held_against
    from indelible.progress import shown_progress
    from indelible.trace_files import keep_trace

    kinds = _kinds(files)  # The files are read to their end, and then from their beginning.
    with shown_progress(progress, lambda seen: progress_text(files.names, seen)) as report:
        held = held_against(
            target,
            result,
            again(_lines(files, keep=True)),
            kinds,
            files.names,
            place_text=lambda place: place_text(files.names, place),
            interrupted=interrupted,
            report=report or (lambda _: None),
        )
    found = held.counterexample
    if found is None or folder is None:
        return held
    saved = keep_trace(found.evidence, folder)
    return replace(held, counterexample=replace(found, saved=saved))


def _kinds(files: LogFiles) -> Set[type[Effect]]:
    """The kinds of effects that there are in any of the files."""
    from indelible.checkers.audit.lines import lines_of
    from indelible.checkers.audit.quick import effect_kinds

    return effect_kinds(line for file in files.from_start() for _, line in lines_of(file))


def _lines(files: LogFiles, *, keep: bool = False) -> Iterable[Placed]:
    """What the lines tell, in order; ``keep``: each entry has its line."""
    from indelible.checkers.audit.lines import entries_of
    from indelible.checkers.audit.merge import in_order
    from indelible.checkers.audit.quick import QuickReader

    read = QuickReader(links=len(files.names) > 1, keep=keep)
    items = [entries_of(file, read) for file in files.from_start()]
    return in_order(items, names=files.names)


def _entries(lines: Iterable[Placed]) -> Iterator[tuple[Place, Entry]]:
    """The entries among what lines tell."""
    from indelible.checkers.audit.lines import Again, Lost

    for place, told, _ in lines:
        if not isinstance(told, Lost):
            yield place, told.entry if isinstance(told, Again) else told


def _rules(names: tuple[str, ...], *, internal: bool) -> tuple[str, ...]:
    """The properties to judge. Raises ``PropertyError`` for those that no log can show."""
    from indelible.checkers.audit.judge import RULES
    from indelible.checkers.properties import BUILT_IN
    from indelible.model.errors import PropertyError, closest_first

    for name in names:
        if name not in RULES:
            raise PropertyError(
                f"{name!r} is no property that a log is judged by",
                cause="audits judge the built-in 'always' properties only",
                available=closest_first(name, RULES),
            )
    chosen = names or RULES
    return tuple(
        name for name in RULES if name in chosen and (internal or not BUILT_IN[name].internal)
    )


def _quorums(name: str | None, target: Target | None) -> QuorumSystem:
    """The system of this name, of pyproject.toml or of code; else the target's, or majorities."""
    from indelible.checkers.property import quorums_of
    from indelible.targets import on_trial

    if name is None:
        return quorums_of(None if target is None else target.implementation)
    with on_trial():
        if ":" in name:
            from indelible.targets import find_quorums

            return find_quorums(name)
        from indelible.proofs import named_quorums

        return named_quorums(name).system


def _check_result(
    title: str, result: Audit, headline: str, evidence: tuple[Evidence, ...]
) -> CheckResult:
    """The same for systems of continuous integration."""
    from indelible.check_result import CheckResult, cases_of

    says = [
        (known, f"{known.result}: {known.reason}" if known.reason else known.result)
        for known in result.properties
    ]
    return CheckResult(
        name=title,
        outcome=result.outcome,
        headline=headline,
        cases=cases_of(result.outcome, headline, says, evidence),
        covered=f"{result.records:,} records",
    )
