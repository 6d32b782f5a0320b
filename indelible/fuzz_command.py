"""The command for random testing. Control flow only."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from indelible.options import (
    DURATION,
    NUMBER,
    Output,
    output_options,
    scope_options,
    target_argument,
)

if TYPE_CHECKING:
    from indelible.checkers.walks.coverage import Coverage
    from indelible.checkers.walks.share import Bounds
    from indelible.fuzz_workers import Question
    from indelible.fuzzing import Fuzzed

__all__ = ["fuzz"]

# Named here as well as in checkers.walks.runs, so that --help need not load it.
STRATEGIES: Final = ("uniform", "swarm", "priority", "targeted", "mixed")
EVENTS_DEFAULT: Final = 300
SECONDS_DEFAULT: Final = 60.0
EXHAUST_SECONDS: Final = 120.0
EXHAUST_SHARE: Final = 0.5
"""How long a scope may take to exhaust, where its coverage is asked for, and which part of the
campaign's time at most."""

WORKERS_PER_CORE: Final = 8


@click.command()
@target_argument
@click.option("--time", "seconds_max", type=DURATION, metavar="TIME",
              help="For how long: 30s, 2m, 1h. Default: 1m, or what --runs takes.")  # fmt: skip
@click.option("--runs", "runs_max", type=NUMBER, metavar="N", help="At most so many runs.")
@click.option("--first", "first_only", is_flag=True, help="Stop at the first run that fails.")
@click.option("--workers", type=click.IntRange(1), metavar="N",
              help="How many processes, at most one for each run. Default: one for each core."
              )  # fmt: skip
@click.option("--strategy", type=click.Choice(STRATEGIES), default="mixed", show_default=True,
              help="Who chooses what happens next (docs/random-testing.md).")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), metavar="N",
              help="Decides every run. Default: drawn, and printed.")  # fmt: skip
@click.option("--run", "only_run", type=click.IntRange(0), metavar="N",
              help="Only the run of this number, as a campaign with this seed has it.")  # fmt: skip
@click.option("--events", "events_max", type=click.IntRange(1), default=EVENTS_DEFAULT,
              show_default=True, metavar="N",
              help="At most so many events in a run. A targeted one turns back and goes on in "
              "other ways until it has ten times as many.")  # fmt: skip
@click.option("--property", "names", multiple=True, metavar="NAME",
              help="Judge this property, as 'indelible check' does.")  # fmt: skip
@click.option("--no-internal", is_flag=True, help="Judge only what a client can see.")
@click.option("--distinct", type=click.IntRange(1), default=10, show_default=True, metavar="K",
              help="Keep up to K failures that differ.")  # fmt: skip
@click.option("--coverage", is_flag=True,
              help="Exhaust the scope first, in half of the time at most, and say how much of it "
              "the runs see.")  # fmt: skip
@click.option("--save/--no-save", default=True, show_default=True,
              help="Keep failures as trace documents.")  # fmt: skip
@click.option("--traces", "folder", type=click.Path(path_type=Path), default="traces",
              show_default=True, metavar="FOLDER", help="Where they are kept.")  # fmt: skip
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write JUnit XML there, a case for each property.")  # fmt: skip
@scope_options
@output_options
def fuzz(
    target: str | None,
    seconds_max: float | None,
    runs_max: int | None,
    first_only: bool,
    workers: int | None,
    strategy: Any,
    seed: int | None,
    only_run: int | None,
    events_max: int,
    names: tuple[str, ...],
    no_internal: bool,
    distinct: int,
    coverage: bool,
    save: bool,
    folder: Path,
    junit: Path | None,
    scope_fields: dict[str, Any],
    json: bool,
    quiet: bool,
    progress: bool | None,
) -> None:
    """Test TARGET in random runs, in a scope that may be far too large to explore.

    TARGET is as for 'indelible check'; without one it is our own Multi-Paxos, with five nodes.
    Every run follows from the seed and its number, whatever else runs. Failures are minimized, and
    those that differ are kept. Ctrl-C ends the runs and reports.

    Exit codes: 0 nothing found, 1 a property is violated, 3 inconclusive (interrupted, a step
    did not end, or nothing was reached that is worth judging), 2 a usage or internal error.
    """
    from indelible.checkers.walks.share import Bounds
    from indelible.fuzz_workers import Question

    if only_run is not None and seed is None:
        raise click.UsageError("--run asks for one run of a campaign: name its --seed, too.")
    if coverage and (workers or 1) > 1:
        raise click.UsageError("--coverage follows all runs in one process: leave out --workers.")
    question = Question(
        target=target,
        scope_fields=scope_fields,
        names=names,
        internal=not no_internal,
        seed=secrets.randbits(32) if seed is None else seed,
        strategy=strategy,
        events_max=events_max,
    )
    if seconds_max is None and runs_max is None and only_run is None:
        seconds_max = SECONDS_DEFAULT
    bounds = Bounds(seconds_max, runs_max, first_only, only_run)
    count = 1 if coverage or only_run is not None else _processes(workers, runs_max)
    progress = False if quiet and progress is None else progress
    output = Output(json, quiet, progress, junit, folder if save else None)
    raise SystemExit(_fuzz(question, bounds, count, distinct, coverage, output))


def _processes(workers: int | None, runs_max: int | None) -> int:
    """How many processes: as many as asked for, or one for each core; none has nothing to run."""
    from indelible.report import counted

    cores = os.cpu_count() or 1
    count = max(1, min(workers or cores, runs_max or workers or cores))
    if count > WORKERS_PER_CORE * cores:
        raise click.UsageError(
            f"--workers {count}: {counted(cores, 'core')} can take {WORKERS_PER_CORE * cores} "
            "processes at most, and the best is one for each."
        )
    return count


def _fuzz(
    question: Question,
    bounds: Bounds,
    workers: int,
    distinct: int,
    coverage: bool,
    output: Output,
) -> int:
    """Run the campaign, tell everybody of it, and say with which exit code to end."""
    from indelible.ci import tell_ci, told_to_ci
    from indelible.fuzz_result import fuzz_result
    from indelible.targets import OURS
    from indelible.trace_files import check_folder

    name = question.target or OURS
    with told_to_ci(name, output.junit):
        if output.traces is not None:
            check_folder(output.traces)
        implementation, fuzzed, saved = _fuzzed(
            question, bounds, workers, distinct, coverage, output
        )
    _show(implementation, fuzzed, saved, output)
    tell_ci([fuzz_result(name, implementation, fuzzed)], output.junit)
    return fuzzed.exit_code


def _fuzzed(
    question: Question,
    bounds: Bounds,
    workers: int,
    distinct: int,
    coverage: bool,
    output: Output,
) -> tuple[Any, Fuzzed, list[Path] | None]:
    """The implementation on trial, what the campaign came to, and the files that keep failures."""
    from indelible.progress import interruptible, shown_progress
    from indelible.targets import on_trial
    from indelible.trace_files import keep_trace

    saved = None
    with (
        on_trial(),
        interruptible() as interrupted,
        shown_progress(output.progress, _progress_text) as report,
    ):
        from indelible.fuzzing import fuzz as fuzzed_by

        asked = question.asked()
        seen = None
        if coverage:
            began = time.monotonic()
            seen = _coverage(asked, bounds.seconds_max, interrupted, report)
            bounds = bounds.shortened(time.monotonic() - began)
        fuzzed = fuzzed_by(
            question,
            asked,
            bounds,
            workers=workers,
            distinct=distinct,
            coverage=seen,
            interrupted=interrupted,
            report=report,
        )
        if output.traces is not None:
            saved = [keep_trace(each, output.traces) for each in fuzzed.evidence]
    return asked.target.implementation, fuzzed, saved


def _coverage(
    asked: Any,
    seconds_max: float | None,
    interrupted: Callable[[], bool],
    report: Callable[[Any], None] | None,
) -> Coverage:
    """What follows runs on the exhausted scope, for which there is a part of the time."""
    from indelible.checkers.explore import memory_default
    from indelible.checkers.limits import Limits
    from indelible.checkers.walks.coverage import Coverage

    limits = Limits(
        memory_bytes_max=memory_default(),
        seconds_max=min(EXHAUST_SECONDS, EXHAUST_SHARE * (seconds_max or 2 * EXHAUST_SECONDS)),
        interrupted=interrupted,
        report=report,
    )
    return Coverage(asked.target.implementation, asked.scope, limits)


def _progress_text(progress: Any) -> str:
    """Where the runs are; or, before them, the search that exhausts the scope."""
    from indelible.checkers.walks.share import Tally
    from indelible.fuzz_report import tally_text
    from indelible.progress import progress_text

    return tally_text(progress) if isinstance(progress, Tally) else progress_text(progress)


def _show(
    implementation: Any, fuzzed: Fuzzed, saved: Sequence[Path] | None, output: Output
) -> None:
    from indelible.fuzz_report import fuzz_headline, fuzz_json, render_fuzz
    from indelible.render.text import render_text
    from indelible.report import saved_lines
    from indelible.targets import on_trial
    from indelible.terminal import write_result

    with on_trial():  # What happens in a trace is asked of the implementation once more.
        if output.json:
            text = fuzz_json(implementation, fuzzed, saved or ())
        elif output.quiet:
            text = fuzz_headline(fuzzed)
        else:
            text = render_fuzz(
                fuzzed, [render_text(each) for each in fuzzed.evidence], saved, by_hand=True
            )
    write_result(text)
    if output.quiet and not output.json and saved is not None:
        for line in saved_lines(saved, fuzzed.evidence):
            click.echo(line, err=True)
