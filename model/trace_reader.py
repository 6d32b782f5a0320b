"""Reading trace documents: what ``trace_document`` wrote, and nothing else.

A document is read only if what was read would be written just so again: nothing in it is skipped,
guessed or overruled. Whether that is so depends on the document alone, and not on what is
installed. Every error is a ``TraceError`` that names the place and what to do.

Nothing is imported: a class of the implementation that is not loaded, or not what it was, is stood
in for (``itf_decoder.py``). So a document is read in two steps: who it is about, then, once that is
imported, what happened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn

from indelible.model.classes import find_class
from indelible.model.errors import TraceError
from indelible.model.itf import DIGITS_MAX, too_deep
from indelible.model.plain import Fields  # noqa: F401  # Loaded, so that its classes are found.
from indelible.model.trace import Evidence
from indelible.model.trace_document import FORMAT_VERSION, document_data
from indelible.model.trace_evidence import (
    AS_WRITTEN,
    NUMBER,
    TEXT,
    Reading,
    damage,
    field,
    read_evidence,
    short,
)

__all__ = ["Document", "Reading", "parse_document"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose values are not read yet; ``name`` is what errors call it."""

    name: str
    target: str
    property: str
    fixed: bool
    data: Mapping[str, Any]

    def read(self) -> Reading:
        """The evidence; import the target first. Raises ``TraceError``."""
        self.recorded()
        return read_evidence(self.data, self.name, find_class)

    def recorded(self) -> Evidence:
        """The evidence with other classes in place of the implementation's, loaded or not.

        A function of the document alone, which writes the same document again. Raises
        ``TraceError``.
        """
        try:
            evidence = read_evidence(self.data, self.name, _find_ours).evidence
            difference = _difference(self.data, document_data(evidence), f"{self.name}:")
        except RecursionError:
            raise too_deep(self.name) from None
        if difference is not None:
            damage(*difference)
        return evidence


def _find_ours(path: str) -> type | None:
    return find_class(path) if path.startswith("indelible.model.") else None


def parse_document(text: str, name: str = "the trace") -> Document:
    """The document in ``text``, as far as it can be read without its target.

    Raises ``TraceError`` where it is damaged, cut off, of another tool or of a later version.
    """
    data = _json(text, name)
    meta = data.get("#meta") if isinstance(data, dict) else None
    about = meta.get("indelible") if isinstance(meta, dict) else None
    if not isinstance(about, dict):
        is_itf = isinstance(data, dict) and isinstance(data.get("states"), list)
        raise TraceError(
            f"{name} is a trace in ITF, but not one of indelible: it has no '#meta.indelible'"
            if is_itf
            else f"{name} is no trace: it has neither '#meta.indelible' nor 'states'",
            cause="it was written by another tool (Apalache and Quint write ITF too)"
            if is_itf
            else "it is another kind of file",
            remedy="give a file that 'indelible check --save' has written",
        )
    where = f"{name}: #meta.indelible"
    version = field(about, "version", NUMBER, where)
    if version > FORMAT_VERSION:
        raise TraceError(
            f"{name} is of version {version} of the format",
            cause="a later indelible has written it",
            remedy="install a later indelible, as in 'pip install --upgrade indelible'",
            available=f"version {FORMAT_VERSION}",
        )
    if version != FORMAT_VERSION:
        damage(f"{where}.version", f"is {version}, and there is no such version")
    return Document(
        name,
        field(about, "target", TEXT, where),
        field(about, "property", TEXT, where),
        field(about, "fixed", bool, where),
        data,
    )


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_whole_number,
            object_pairs_hook=_no_repeats,
        )
    except json.JSONDecodeError as error:
        fact = f"{name} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        rest = text.strip()
        if not rest:
            fact, cause = f"{name} is empty", "writing it failed, or it is another kind of file"
        elif rest[0] == "{" and (rest[-1] != "}" or error.pos >= len(text.rstrip())):
            cause = "it is cut off"
        else:
            cause = "it is damaged, or another kind of file"
        raise TraceError(fact, cause=cause, remedy=AS_WRITTEN) from None
    except RecursionError:
        raise too_deep(name) from None
    except ValueError as error:
        raise TraceError(
            f"{name} cannot be read: {error}",
            cause="it is damaged, or was edited by hand",
            remedy=AS_WRITTEN,
        ) from None


def _whole_number(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError(f"a number in it has {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is more than a number can be")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has {twice!r} twice")
    return found


def _difference(given: Any, written: Any, where: str) -> tuple[str, str] | None:
    """The first place where a document is not what is written of what was read, and in what."""
    if isinstance(given, dict) and isinstance(written, dict):
        for name in (*given, *written):
            if name not in written:
                return where.rstrip(":"), f"has {name!r}, which the format has not"
            if name not in given:
                return where.rstrip(":"), f"has no {name!r}"
        pairs = [(given[name], written[name], f".{name}") for name in written]
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        both = zip(given, written, strict=True)
        pairs = [(one, other, f"[{index}]") for index, (one, other) in enumerate(both)]
    elif type(given) is type(written) and given == written:
        return None
    else:
        return where, f"is {short(given)}, which from the rest must be {short(written)}"
    for one, other, part in pairs:
        place = f"{where} {part[1:]}" if where.endswith(":") else f"{where}{part}"
        found = _difference(one, other, place)
        if found is not None:
            return found
    return None
