"""How values that nobody can change are frozen: they stay themselves where equality tells all of
them, and are told by what they are made of where it does not.

Equality is known to tell all if Python made it: of a frozen dataclass from all its fields, of a
named tuple from its parts. What a class says of its own may leave something out. So may an instance
keep more than its fields (``object.__setattr__``), and more than its class says it has.
"""

from __future__ import annotations

import datetime
import decimal
import enum
from collections.abc import KeysView
from dataclasses import fields, make_dataclass
from functools import cache
from operator import is_
from types import WrapperDescriptorType
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.freeze_objects import freeze_object
from indelible.impl.adapters.walk import (
    CONSTANTS,
    Plan,
    Walk,
    described,
    name_of,
    own_dict,
    slots_of,
)
from indelible.model.plain import TYPE, Snapshot

__all__ = [
    "freeze_datetime",
    "freeze_decimal",
    "freeze_float",
    "freeze_frozen_dataclass",
    "freeze_member",
    "freeze_named_tuple",
    "freeze_number",
    "freeze_zone",
    "is_compared_in_c",
]


# --- dataclasses and named tuples -----------------------------------------------------------------


def freeze_frozen_dataclass(walk: Walk, value: Any) -> Any:
    """Itself, if nothing in it can be changed and its fields decide whether it is equal."""
    kind: Any = type(value)
    names, is_told, is_plain, has_dict = _known_of(kind)
    if not is_plain or (has_dict and not (own_dict(value) or {}).keys() <= names):
        # More than fields: whoever put it there may put something else there.
        return walk.once(value, freeze_object)
    values = [getattr(value, name) for name in names]
    if is_told and CONSTANTS.issuperset(map(type, values)):
        return value
    parts = [
        part if type(part) in CONSTANTS else walk.at(f".{name}", part)
        for name, part in zip(names, values, strict=True)
    ]
    if is_told and all(map(is_, parts, values)):
        return value
    return Snapshot(described(kind, dict(zip(names, parts, strict=True))))


class _Known(NamedTuple):
    """Of a dataclass: its fields, in order; whether instances are equal if and only if all of these
    are; whether they are all that there is a place for but a dict; and whether there is one."""

    names: KeysView[str]
    is_told: bool
    is_plain: bool
    has_dict: bool


@cache
def _known_of(kind: Any) -> _Known:
    names = dict.fromkeys(part.name for part in fields(kind)).keys()
    is_plain = names >= {name for name, _ in slots_of(kind)}
    return _Known(names, _is_told(kind, tuple(names)), is_plain, kind.__dictoffset__ != 0)


def _is_told(kind: Any, names: tuple[str, ...]) -> bool:
    asked = kind.__dataclass_params__
    made = make_dataclass(kind.__name__, names, frozen=True)
    return (
        asked.frozen
        and kind.__getattribute__ is object.__getattribute__
        and all(
            _same_code(getattr(kind, name), getattr(made, name)) for name in ("__eq__", "__hash__")
        )
    )


def _same_code(one: Any, other: Any) -> bool:
    """Whether two functions do the same, wherever they are written."""
    ones, others = (getattr(each, "__code__", None) for each in (one, other))
    return ones is not None and all(
        getattr(ones, part) == getattr(others, part) for part in _PARTS_OF_CODE
    )


_PARTS_OF_CODE: Final = ("co_code", "co_consts", "co_names", "co_varnames")


def freeze_named_tuple(walk: Walk, value: Any) -> Any:
    """Itself, if nothing in it can be changed and its parts decide whether it is equal."""
    parts = {
        name: walk.at(f".{name}", part)
        for name, part in zip(value._fields, tuple.__iter__(value), strict=True)
    }
    kept = own_dict(value)  # Of a class that derives from one and has no slots.
    unchanged = all(map(is_, parts.values(), tuple.__iter__(value)))
    if unchanged and not kept and is_compared_in_c(type(value)):
        return value
    return Snapshot(described(type(value), parts | walk.attributes(value)))


def is_compared_in_c(kind: type) -> bool:
    """Whether instances are compared, and hashed, as those of a type that is written in C."""
    return all(type(each) is WrapperDescriptorType for each in (kind.__eq__, kind.__hash__))


def freeze_member(_: Walk, value: enum.Enum) -> Any:
    """A member of an enumeration: itself, unless its class has its own idea of equality."""
    kind: Any = type(value)
    is_plain = kind.__hash__ is enum.Enum.__hash__ and kind.__eq__ is object.__eq__
    if is_plain or is_compared_in_c(kind):
        return value
    return Snapshot({TYPE: name_of(kind), "(member)": value._name_ or repr(value._value_)})


# --- numbers and moments --------------------------------------------------------------------------


NOT_A_NUMBER: Final = float("nan")


def freeze_float(_: Walk, value: float) -> float:
    """Itself; of those that are no number, which equal nothing, always the same one."""
    return value if value == value else NOT_A_NUMBER


def freeze_number(_: Walk, value: complex) -> Any:
    """Itself, or what it says where that equals nothing."""
    return value if value == value else _text(value)


def freeze_decimal(_: Walk, value: decimal.Decimal) -> Any:
    """Itself, or what it says where that equals nothing (and cannot even be asked)."""
    return _text(value) if value.is_nan() else value


def _text(value: Any) -> Snapshot:
    return Snapshot({TYPE: name_of(type(value)), "(text)": repr(value)})


def freeze_datetime(walk: Walk, value: datetime.datetime | datetime.time) -> Any:
    """Itself, if its time zone is one of fixed offset; another one may say anything."""
    zone = value.tzinfo
    if zone is None or type(zone) is datetime.timezone:
        return value
    said = {"(at)": value.replace(tzinfo=None), "tzinfo": walk.at(".tzinfo", zone)}
    return Snapshot({TYPE: name_of(type(value)), **said})


def freeze_zone(plan: Plan) -> Plan:
    """A time zone, of which libraries give everybody the same one: what it is made of, and no part
    that could be shared."""
    return lambda walk, value: plan(Walk(walk.plans, walk.known), value)
