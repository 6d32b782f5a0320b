"""What both sides know of ITF, Apalache's Informal Trace Format (its ADR-015): a trace's language.

An implementation's values come back equal and of the same types, or are text and say so. Python
knows more types than ITF, and what ITF has no form for is a variant ``{"tag": ..., "value": ...}``,
as Quint writes a sum type. Where the class of a tag lives is said once, in ``types``. Records stand
only inside of variants, and one whose fields are ``tag`` and ``value`` is written as a map, so that
an object of these two keys is always a variant.

``itf_encoder.py`` writes, ``itf_decoder.py`` reads. None of the three knows a document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from reprlib import repr as repr_short
from types import MappingProxyType
from typing import Any

from indelible.model.classes import is_unicode
from indelible.model.errors import TraceError

__all__ = [
    "DEPTH_MAX",
    "DIGITS_MAX",
    "TAGS",
    "TEXTS",
    "WRAPPERS",
    "Opaque",
    "damaged",
    "from_text",
    "integer",
    "is_field_name",
    "shown",
    "too_deep",
]

DEPTH_MAX = 64
"""How deep values nest: less than any JSON parser or Python's own stack would refuse."""

DIGITS_MAX = 640
"""How long a number is: Python converts as many digits whatever limit it is run with."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that could only be written as text."""

    text: str

    def __str__(self) -> str:
        return self.text


def is_field_name(name: object) -> bool:
    """Whether a field can be called so: as Python reads it, and no part of a class."""
    return (
        type(name) is str
        and name.isidentifier()
        and unicodedata.normalize("NFKC", name) == name
        and not (name.startswith("__") and name.endswith("__"))
    )


def shown(data: object) -> str:
    """Data of whatever size as an error shows it."""
    try:
        return repr_short(data)
    except ValueError:
        return "a number too long to show"


def integer(text: str) -> int:
    """The number, if it is written as ``str`` does."""
    if not re.fullmatch("0|-?[1-9][0-9]*", text) or len(text.lstrip("-")) > DIGITS_MAX:
        raise ValueError(f"is no whole number of at most {DIGITS_MAX} digits: {shown(text)}")
    return int(text)


def from_text(tag: str, text: str) -> Any:
    """The value of a type of ours, if it is written by this text and no other."""
    write, read = TEXTS[tag]
    try:
        value = read(text)
        same = write(value) == text
    except (ValueError, ArithmeticError, TypeError):
        same = False
    if not same:
        raise ValueError(f"is no {tag}: {shown(text)}")
    return value


def too_deep(where: str) -> TraceError:
    return TraceError(
        f"{where} is nested more than {DEPTH_MAX} deep",
        cause="a value that keeps its predecessors, or a trace that was edited by hand",
        remedy="keep in a state, message or command only what it needs",
    )


def damaged(where: str, fact: str, available: Iterable[str] = ()) -> TraceError:
    return TraceError(
        f"{where} {fact}",
        cause="the trace was damaged, or edited by hand",
        remedy="take the trace as it was written, or search for it again",
        available=", ".join(available),
    )


def _fraction(text: str) -> Fraction:
    # Not all that Fraction reads: 1e999999999 is a number of as many digits.
    return Fraction(*map(integer, text.split("/")))


def _lone(text: str) -> str:
    if is_unicode(text):
        raise ValueError("needs no variant")
    return text.encode("utf-8", "surrogatepass").hex()


TEXTS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "float": (repr, float),
    "complex": (repr, complex),
    "Decimal": (Context(capitals=1).to_sci_string, Decimal),
    "Fraction": (str, _fraction),
    "bytes": (bytes.hex, bytes.fromhex),
    "str": (_lone, lambda text: bytes.fromhex(text).decode("utf-8", "surrogatepass")),
}
"""Tags of ours whose value is text, and how it is written and read. ``str`` is only for text with
lone surrogates, which JSON has no form for."""

TAGS = {float: "float", complex: "complex", Decimal: "Decimal", Fraction: "Fraction"}
TAGS |= {bytes: "bytes", str: "str"}

WRAPPERS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "None": (tuple, lambda _: None),
    "set": (frozenset, set),
    "mappingproxy": (dict, MappingProxyType),
}
"""Tags of ours whose value is a value: of which type, and what is made of it."""
