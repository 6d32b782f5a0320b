"""Trace files: where trace documents lie, what they are called, and how they are read and written.

The only code that touches them. A file is replaced as a whole or not at all.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from indelible.model.errors import TraceError
from indelible.model.trace import Evidence
from indelible.model.trace_document import document_text
from indelible.model.trace_reader import Document, parse_document

__all__ = [
    "FOLDER",
    "SUFFIX",
    "check_folder",
    "keep_trace",
    "make_folder",
    "mark_fixed",
    "read_trace",
    "require_other",
    "trace_paths",
    "write_file",
]

FOLDER: Final = Path("traces")
SUFFIX: Final = ".itf.json"

ELSEWHERE: Final = "choose another folder with --traces"


def read_trace(path: Path) -> Document:
    """The document in a file, its values not read yet. Raises ``TraceError``."""
    try:
        return parse_document(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise TraceError(
            f"{path} is no text in UTF-8: byte {error.start} is not",
            cause="it is another kind of file, or damaged",
            remedy="give a file that 'indelible check --save' has written",
        ) from None
    except OSError as error:
        raise TraceError(
            f"{path} cannot be read: {error.strerror or error}",
            remedy="name a trace document",
            available=", ".join(map(str, trace_paths(path if path.is_dir() else FOLDER))),
        ) from None


def trace_paths(folder: Path) -> Iterator[Path]:
    """Every trace document in a folder and those below it, in order."""
    yield from sorted(folder.rglob(f"*{SUFFIX}"))


def keep_trace(evidence: Evidence, folder: Path = FOLDER) -> Path:
    """Put evidence into a folder, under a name of its own, and say where it is.

    A document of the same events is left as it is; one that says something else, or cannot be
    read, keeps its name, and the new one gets a number, also if another process puts one there just
    now. Raises ``TraceError`` where it cannot be written.
    """
    target = evidence.target or evidence.trace.implementation
    stem = _slug(f"{target}-{evidence.trace.violation.property}")
    text = document_text(evidence)
    happened = _happened(parse_document(text))
    for number in range(1, 10_000):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}"
        if not os.path.lexists(path) and _created(path, text):
            return path
        if _is_about(path, happened):
            return path
    raise TraceError(
        f"there are ten thousand traces called {stem} in {folder}",
        cause="they differ in their events",
        remedy=ELSEWHERE,
    )


def _slug(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "trace"


def _is_about(path: Path, happened: Any) -> bool:
    """Whether the file tells of these events: as they are written, whatever is loaded."""
    try:
        document = read_trace(path)
        document.recorded()
    except TraceError:
        return False
    return bool(_happened(document) == happened)


def _happened(document: Document) -> Any:
    """Target, property, scope, and what was done in each step."""
    about, states = document.data["#meta"]["indelible"], document.data["states"]
    steps = [(state["mbt::actionTaken"], state["mbt::nondetPicks"]) for state in states]
    return document.target, document.property, about["scope"], steps


def mark_fixed(path: Path, document: Document) -> None:
    """Keep the trace to show that it does not happen any more."""
    write_file(path, document_text(replace(document.recorded(), fixed=True)))


def check_folder(folder: Path) -> None:
    """Raises ``TraceError`` where it is plain that nothing can be put into the folder."""
    known = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not known.is_dir() or not os.access(known, os.W_OK | os.X_OK):
        reason = "may not be written to" if known.is_dir() else "is no folder"
        raise TraceError(f"no trace can be put into {folder}: {known} {reason}", remedy=ELSEWHERE)


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is in. Raises ``TraceError``."""
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def require_other(output: Path | None, option: str, inputs: Iterable[str | Path]) -> None:
    """Raises ``TraceError`` where an output would take the place of what is to be read."""
    for each in inputs if output is not None else ():
        if os.path.realpath(each) == os.path.realpath(output or ""):
            raise TraceError(
                f"{option} {output} is {each}, which is to be read",
                cause="what is written there would take its place",
                remedy="name another file",
            )


def write_file(path: Path, text: str) -> None:
    """Write a file that is complete whenever somebody looks. Raises ``TraceError``.

    A link is followed, and what is no file, such as a terminal, is written to. Folders are made
    below the current one only: elsewhere one that is not there is more likely misspelled.
    """
    with _writing(path):
        named, path = path, Path(os.path.realpath(path))
        if not path.is_relative_to(Path.cwd()) and not path.parent.exists():
            raise TraceError(
                f"{named} cannot be written: there is no folder {path.parent}",
                remedy="make that folder, or choose another place",
            )
        make_folder(path.parent)
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        with _beside(path, text) as temporary:
            temporary.replace(path)


def _created(path: Path, text: str) -> bool:
    """Write a file, complete from the first moment, unless there is one now; say whether there was
    none."""
    make_folder(path.parent)
    with _writing(path), _beside(path, text) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # Not every file system has links.
            temporary.replace(path)
    return True


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TraceError(
            f"{path} cannot be written: {error.strerror or error}", remedy="choose another place"
        ) from None


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """A file in the same folder that has the text, and the mode of new files; it is gone in the
    end, if it has not been moved."""
    temporary = path.with_name(f".{secrets.token_hex(4)}.new")
    try:
        with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
