"""The command about known bugs: each must be found out. Control flow only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from indelible.model.errors import ImplementationError
from indelible.model.verdict import EXIT_CODES

if TYPE_CHECKING:
    from indelible.bug_hunt import Catch
    from indelible.impl.known_bugs import KnownBug

__all__ = ["bugs"]

SUBFOLDER: Final = "known_bugs"
HEADINGS: Final = ("bug", "property", "needs", "events", "states", "time")
NUMBERS: Final = ("events", "states", "time")
"""The columns that stand to the right."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="Say what they are; search for none.")
@click.option("--workers", type=click.IntRange(1), metavar="N",
              help="How many searches side by side. Default: one for each core.")  # fmt: skip
@click.option("--save", is_flag=True, help="Keep the evidence of each as a trace document.")
@click.option("--traces", "folder", type=click.Path(path_type=Path), default="traces",
              show_default=True, metavar="FOLDER", help="Where --save puts them.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def bugs(
    names: tuple[str, ...],
    only_list: bool,
    workers: int | None,
    save: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Search for known bugs, each in its scope: all, or those named.

    Each is a broken variant of our Multi-Paxos, and a TARGET of 'indelible check'. The table says
    what its shortest trace needs, and how many states were searched in its own scope, which may be
    larger. Exit codes: 0 all were found, 1 one was missed, 3 interrupted.
    """
    from indelible.impl.known_bugs import KNOWN_BUGS
    from indelible.terminal import write_result

    named = dict.fromkeys(names)
    chosen = [_known(name, KNOWN_BUGS) for name in named] or list(KNOWN_BUGS.values())
    if only_list:
        _write_list(chosen, as_json=as_json)
        return
    complete = not names
    caught = _caught([bug.name for bug in chosen], workers or os.cpu_count() or 1)
    interrupted = len(caught) < len(chosen)
    if interrupted:
        click.echo(f"interrupted: {len(caught)} of {len(chosen)} searches were done", err=True)
        chosen = [bug for bug in chosen if bug.name in caught]
        complete = False
    if save:
        _save(caught, folder)
    if as_json:
        write_result(json.dumps([_object(bug, caught[bug.name]) for bug in chosen], indent=2))
    else:
        write_result("\n".join(_lines(chosen, caught, complete=complete)))
    if not all(each.caught for each in caught.values()):
        raise SystemExit(EXIT_CODES["violated"])
    raise SystemExit(EXIT_CODES["inconclusive" if interrupted else "holds"])


def _known(name: str, known: Any) -> KnownBug:
    from indelible.impl.known_bugs import PENDING
    from indelible.model.errors import closest_first

    for bug in PENDING:
        if bug.name == name:
            raise ImplementationError(
                f"{name} cannot be searched for yet", cause=bug.reason, available=", ".join(known)
            )
    if name not in known:
        raise ImplementationError(
            f"there is no known bug {name!r}", available=closest_first(name, known)
        )
    found: KnownBug = known[name]
    return found


def _caught(names: Sequence[str], workers: int) -> dict[str, Catch]:
    """All catches by name, told on stderr one by one where somebody waits for them."""
    from indelible.bug_hunt import catches
    from indelible.terminal import is_terminal

    found: dict[str, Catch] = {}
    with suppress(KeyboardInterrupt):  # What was done so far is told.
        for each in catches(names, min(workers, len(names))):
            found[each.name] = each
            if is_terminal(sys.stderr):
                click.echo(f"{len(found)} of {len(names)}  {_says(each)}", err=True)
    return found


def _says(each: Catch) -> str:
    if each.caught:
        return f"{each.name}: {each.events} events, {each.seconds:.1f} s"
    return f"{each.name}: MISSED"


def _save(caught: dict[str, Catch], folder: Path) -> None:
    from indelible.trace_files import SUFFIX, make_folder, write_file
    from indelible.trace_index import index_text

    make_folder(folder / SUBFOLDER)
    for each in caught.values():
        if each.caught:
            write_file(folder / SUBFOLDER / f"{each.name}{SUFFIX}", each.document)
    write_file(folder / "README.md", index_text(folder))


def _write_list(chosen: Sequence[KnownBug], *, as_json: bool) -> None:
    from indelible.terminal import table_text, write_result

    if as_json:
        rows = [
            {
                "name": bug.name,
                "row": bug.row,
                "property": bug.property,
                "mechanism": bug.mechanism,
                "source": bug.source,
            }
            for bug in chosen
        ]
        write_result(json.dumps(rows, indent=2))
    else:
        write_result(table_text([(bug.name, bug.property, bug.mechanism) for bug in chosen]))


def _lines(
    chosen: Sequence[KnownBug], caught: dict[str, Catch], *, complete: bool
) -> Iterator[str]:
    from indelible.terminal import table_text

    rows = [_row(bug, caught[bug.name]) for bug in chosen]
    yield table_text([HEADINGS, *rows], right=[HEADINGS.index(name) for name in NUMBERS])
    missed = [each for each in caught.values() if not each.caught]
    yield ""
    yield f"{len(caught) - len(missed)} of {len(caught)} found, by the property that each breaks"
    for each in missed:
        yield f"MISSED {each.name}: {each.expected} is not violated ({each.reason})"
    if complete:
        yield from _pending()


def _pending() -> Iterator[str]:
    from indelible.impl.known_bugs import PENDING

    yield f"{len(PENDING)} more wait for what our Multi-Paxos does not have yet:"
    for bug in PENDING:
        yield f"  {bug.name}: {bug.reason}"


def _row(bug: KnownBug, each: Catch) -> tuple[str, ...]:
    return (
        bug.name,
        bug.property,
        each.needs,
        str(each.events) if each.caught else "missed",
        f"{each.states_distinct:,}",
        f"{each.seconds:.1f} s",
    )


def _object(bug: KnownBug, each: Catch) -> dict[str, Any]:
    return {
        "name": bug.name,
        "row": bug.row,
        "property": bug.property,
        "found": each.caught,
        "reason": each.reason,
        "scope": each.needs_object,
        "events": each.events if each.caught else None,
        "states_distinct": each.states_distinct,
        "seconds": round(each.seconds, 3),
    }
