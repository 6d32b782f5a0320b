"""Values of a log, shown as JSON has them: to people who know no Python ``(2,)`` is no array, and
``True`` is nothing.

An object that says by its ``type`` what it is is shown by that, ``Ballot(round=1, node=0)``, and a
bare text as everywhere: ``'a'``.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from indelible.model.classes import plain_text
from indelible.model.effects import EFFECT_TYPES
from indelible.model.events import Receive, Submit, Timeout, Torn
from indelible.model.node_json import jsonable
from indelible.model.plain import TYPE, Boolean, Fields

__all__ = ["Array", "Object", "shown_as_json"]

T = TypeVar("T")

HOLDERS: Final = (*EFFECT_TYPES, Receive, Submit, Timeout, Torn)


class Array(tuple[Any, ...]):
    """A tuple like any other, but for its text."""

    __slots__ = ()

    def __str__(self) -> str:
        return _json(self)

    __repr__ = __str__


class Object(Fields):
    """``Fields`` with another text, equal to others of this class."""

    __slots__ = ()

    def __str__(self) -> str:
        if self.kind is None:
            return _json(self)
        rest = ((key, part) for key, part in self.items() if key != TYPE)
        inner = ", ".join(f"{key}={_part(part)}" for key, part in rest)
        return f"{self.kind}({inner})" if inner else self.kind

    __repr__ = __str__


def shown_as_json(value: T) -> T:
    """An event, an effect or a plain value, of which everything but a bare text, or nothing, is
    shown as in JSON."""
    shown: Any = value
    if isinstance(value, HOLDERS):
        parts = {part.name: shown_as_json(getattr(value, part.name)) for part in fields(value)}
        shown = replace(value, **parts)
    elif type(value) is tuple:
        shown = Array([shown_as_json(part) for part in shown])
    elif isinstance(value, Fields):
        shown = Object({key: shown_as_json(part) for key, part in value.items()})
    elif isinstance(value, bool):
        shown = Boolean(value)
    return shown  # type: ignore[no-any-return]


def _part(value: Any) -> str:
    return plain_text(value) if isinstance(value, Object | str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(jsonable(value), ensure_ascii=False)
