"""Errors, by whose fault they are.

Every error names the fact, the likely cause, the remedy, and what was available. The type says who
has to act: the author of the code on trial, of the question, of the property, or of the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "ConfigurationError",
    "ImplementationError",
    "ImplementationRaised",
    "IndelibleError",
    "ProofError",
    "PropertyError",
    "ScopeError",
    "TraceError",
    "WireError",
    "closest_first",
]


class IndelibleError(Exception):
    """An error that a person can act on without reading our source.

    Parameters: ``fact`` is what happened; ``cause`` the likely reason; ``remedy`` what to do;
    ``available`` what could have been named instead. Only ``fact`` is required.
    """

    def __init__(
        self, fact: str, *, cause: str = "", remedy: str = "", available: str = ""
    ) -> None:
        self.fact = fact
        self.cause = cause
        self.remedy = remedy
        self.available = available
        lines = [fact]
        lines += [f"  cause: {cause}"] if cause else []
        lines += [f"  remedy: {remedy}"] if remedy else []
        lines += [f"  available: {available}"] if available else []
        super().__init__("\n".join(lines))


class ImplementationError(IndelibleError):
    """The code on trial breaks the contract: not deterministic, unhashable, wrong effects."""


class ScopeError(IndelibleError):
    """The question makes no sense: a contradictory or malformed scope."""


class ConfigurationError(IndelibleError):
    """A project's pyproject.toml says what makes no sense."""


class ProofError(IndelibleError):
    """What is to be proved makes no sense: there is no such law to leave out."""


class PropertyError(IndelibleError):
    """A property cannot be judged: it returns nothing, or reads what it did not declare."""


class TraceError(IndelibleError):
    """A trace does not fit: an event is not enabled, or a file is damaged."""


class WireError(IndelibleError):
    """A line of JSON is not what the protocol of processes, or the format of logs, says."""


class ImplementationRaised(Exception):
    """The code on trial raised an exception: a finding about it, not an error of the checker."""

    def __init__(self, original: BaseException) -> None:
        self.original = original
        super().__init__(f"{type(original).__name__}: {original}{_place(original)}")


def _place(error: BaseException) -> str:
    """Where the exception was raised, as a suffix: file name (no folder), line, function."""
    frames = error.__traceback__
    if frames is None:
        return ""
    while frames.tb_next is not None:
        frames = frames.tb_next
    code = frames.tb_frame.f_code
    file = code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f" (in {code.co_name}, {file}:{frames.tb_lineno})"


def closest_first(name: str, names: Iterable[str]) -> str:
    """All the names, those that resemble ``name`` first."""
    known = list(names)
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return ", ".join([*close, *(other for other in known if other not in close)])
