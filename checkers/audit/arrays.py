"""Arrays of a log, shown as JSON has them: to people who know no Python ``(2,)`` is no array."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from indelible.model.effects import EFFECT_TYPES
from indelible.model.events import Receive, Submit, Timeout, Torn
from indelible.model.node_json import jsonable
from indelible.model.plain import Fields

__all__ = ["Array", "with_arrays"]

T = TypeVar("T")

HOLDERS: Final = (*EFFECT_TYPES, Receive, Submit, Timeout, Torn)


class Array(tuple[Any, ...]):
    """A tuple like any other, but for its text."""

    __slots__ = ()

    def __str__(self) -> str:
        return json.dumps(jsonable(self), ensure_ascii=False)

    __repr__ = __str__


def with_arrays(value: T) -> T:
    """An event, an effect or a plain value, of which every array is shown as one."""
    shown: Any = value
    if isinstance(value, HOLDERS):
        parts = {part.name: with_arrays(getattr(value, part.name)) for part in fields(value)}
        shown = replace(value, **parts)
    elif type(value) is tuple:
        shown = Array([with_arrays(part) for part in shown])
    elif isinstance(value, Fields):
        shown = Fields({key: with_arrays(part) for key, part in value.items()})
    return shown  # type: ignore[no-any-return]
