"""Trace files: where trace documents lie, what they are called, and how they are read and written.

The only code that touches them. A file is replaced as a whole or not at all.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from indelible.model.errors import TraceError
from indelible.model.trace import Evidence
from indelible.model.trace_document import document_text
from indelible.model.trace_reader import Document, parse_document

__all__ = [
    "FOLDER",
    "SUFFIX",
    "keep_trace",
    "mark_fixed",
    "read_trace",
    "trace_paths",
    "write_file",
]

FOLDER: Final = Path("traces")
SUFFIX: Final = ".itf.json"


def read_trace(path: Path) -> Document:
    """The document in a file, its values not read yet. Raises ``TraceError``."""
    try:
        return parse_document(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise TraceError(
            f"{path} is no text in UTF-8: byte {error.start} is not",
            cause="it is another kind of file, or damaged",
        ) from None
    except OSError as error:
        raise TraceError(
            f"{path} cannot be read: {error.strerror or error}",
            remedy="name a trace document",
            available=", ".join(map(str, trace_paths(FOLDER))),
        ) from None


def trace_paths(folder: Path) -> Iterator[Path]:
    """Every trace document in a folder and those below it, in order."""
    yield from sorted(folder.rglob(f"*{SUFFIX}"))


def keep_trace(evidence: Evidence, folder: Path = FOLDER) -> Path:
    """Put evidence into a folder, under a name of its own, and say where it is.

    A document that says the same is left as it is; one that says something else keeps its name,
    and the new one gets a number. Raises ``TraceError`` where it cannot be written.
    """
    target = evidence.target or evidence.trace.implementation
    stem = _slug(f"{target}-{evidence.trace.violation.property}")
    text = document_text(evidence)
    for number in range(1, 10_000):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}"
        if not path.exists():
            write_file(path, text)
            return path
        if _same_trace(path, evidence):
            return path
    raise TraceError(f"there are ten thousand traces called {stem} in {folder}")


def _slug(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "trace"


def _same_trace(path: Path, evidence: Evidence) -> bool:
    """Whether the file tells of the same events in the same scope."""
    document = read_trace(path)
    if (document.target, document.property) != (evidence.target, evidence.property):
        return False
    known = document.read().evidence.trace
    return (known.scope, known.actions) == (evidence.trace.scope, evidence.trace.actions)


def mark_fixed(path: Path, evidence: Evidence) -> None:
    """Keep the trace to show that it does not happen any more."""
    write_file(path, document_text(replace(evidence, fixed=True)))


def write_file(path: Path, text: str) -> None:
    """Write a file that is complete whenever somebody looks. Raises ``TraceError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=".", delete=False
        ) as file:
            file.write(text)
        os.chmod(file.name, 0o666 & ~_umask())
        os.replace(file.name, path)
    except OSError as error:
        raise TraceError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="choose another place with --save or --output",
        ) from None


def _umask() -> int:
    """The mask of new files, which the system tells only to who sets it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
