"""Continuous integration: where results go besides stdout, and when.

JUnit XML goes into a file where one is asked for. In GitHub Actions annotations go to stderr, which
its runner reads as it reads stdout (where the result stays alone, as one object with ``--json``),
and a summary is added to the file that the runner names. Elsewhere nothing happens by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from indelible.check_result import CheckResult, error_result
from indelible.model.errors import IndelibleError, TraceError
from indelible.trace_files import write_file

__all__ = ["begin_junit", "tell_ci", "told_to_ci"]


@contextmanager
def told_to_ci(name: str, junit: Path | None) -> Iterator[None]:
    """Where something may go wrong before there is a result: then that is the result, under this
    name. Raises as ``begin_junit`` does."""
    begin_junit([name], junit)
    try:
        yield
    except IndelibleError as error:
        tell_ci([error_result(name, str(error))], junit)
        raise


def begin_junit(names: Sequence[str], path: Path | None) -> None:
    """Write that the checks did not come to an end, which is so until ``tell_ci`` knows better.

    Nobody shall read of an earlier run, or of nothing at all, where this one is killed. Raises
    ``TraceError`` if the file cannot be written: then there need be no search. It is not, either,
    in place of a file that is no XML: somebody would miss that.
    """
    if path is not None:
        _require_replaceable(path)
        _write_junit([error_result(name, "it did not come to an end") for name in names], path)


def tell_ci(results: Sequence[CheckResult], junit: Path | None) -> None:
    """Tell whoever runs this of the results.

    Raises ``TraceError`` if the file ``junit`` cannot be written.
    """
    if junit is not None:
        _write_junit(results, junit)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _tell_github(results)


def _require_replaceable(path: Path) -> None:
    try:
        begins = path.read_bytes()[:1] if path.is_file() else b""
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror or error}") from None
    if begins not in (b"", b"<"):
        raise TraceError(
            f"--junit {path} is there already, and is no XML",
            cause="it is none of our reports, and what is in it would be lost",
            remedy="name another file, or delete this one",
        )


def _write_junit(results: Sequence[CheckResult], path: Path) -> None:
    from indelible.render.junit import render_junit

    write_file(path, render_junit(results))


def _tell_github(results: Sequence[CheckResult]) -> None:
    from indelible.render.annotations import render_annotations

    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    for line in render_annotations(results, root):
        click.echo(line, err=True)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            _add_summary(Path(summary), results)
        except OSError as error:  # The verdict does not depend on who can be told of it.
            click.echo(f"no step summary: {error.strerror or error}", err=True)


def _add_summary(path: Path, results: Sequence[CheckResult]) -> None:
    """Add to what the step has written so far, within what GitHub allows it in all."""
    from indelible.render.step_summary import SUMMARY_BYTES_MAX, render_step_summary

    so_far = path.stat().st_size if path.exists() else 0
    text = render_step_summary(results, SUMMARY_BYTES_MAX - so_far)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
