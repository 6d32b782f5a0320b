"""Freezing: what any value of Python is, as a plain value, exactly and in canonical form.

Two values freeze to the same if and only if code could not tell them apart, but for the order of
dicts and sets, which never shows: the contents are the same, and so is what is shared. A thing that
can be changed and is met twice is ``Same`` as the first, by its path; so cycles end. Where that
cannot be told, an error says so: nothing is ever left out. Values that cannot be changed stay what
they are. Issue 6; nothing here knows an adapter. How each type is frozen is in ``freeze_*.py``;
here it is only chosen.
"""

from __future__ import annotations

import enum
import logging
import random
import struct
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.freeze_code import (
    freeze_builtin,
    freeze_cell,
    freeze_function,
    freeze_lock,
    freeze_method,
    freeze_named,
    freeze_reentrant_lock,
    freeze_reference,
    freeze_suspended,
    freeze_thread,
    freeze_weak_values,
)
from indelible.impl.adapters.freeze_containers import (
    freeze_bytearray,
    freeze_defaultdict,
    freeze_deque,
    freeze_derived,
    freeze_dict,
    freeze_frozen_dataclass,
    freeze_frozenset,
    freeze_list,
    freeze_named_tuple,
    freeze_ordered_dict,
    freeze_proxy,
    freeze_set,
    freeze_tuple,
)
from indelible.impl.adapters.freeze_objects import (
    freeze_constant,
    freeze_exception,
    freeze_float,
    freeze_object,
    freeze_random,
    freeze_reduced,
)
from indelible.impl.adapters.walk import (
    CONSTANTS,
    Part,
    Plan,
    Substitute,
    Walk,
    path_of,
    slots_of,
)
from indelible.model.plain import Fields, List, Set, Snapshot

__all__ = [
    "CONSTANTS",
    "Frozen",
    "freeze",
    "freeze_together",
    "freeze_whole",
    "is_made_of_attributes",
]


POINTER: Final = struct.calcsize("P")
"""How many bytes an attribute takes in an instance that has a place for it."""


class Frozen(NamedTuple):
    """What a value is, and what can be changed in it, by address: its place, and it; and whether
    any dict was reordered."""

    content: Hashable
    parts: dict[int, Part]
    is_reordered: bool = False


def freeze(
    value: object, *, known: Mapping[type, Substitute] | None = None, reorder: bool = False
) -> Hashable:
    """What ``value`` is. Raises ``ImplementationError`` where that cannot be told exactly.

    ``known`` says, by type, what is frozen in the place of a value: for things of which only some
    part decides what they do. With ``reorder`` every dict is put into canonical order as well, so
    that whoever walks it afterwards cannot tell in which order it was filled. Where something in
    the value may be walking it at this moment, the order is told instead, under ``(orders)``.
    """
    return freeze_whole(value, known=known, reorder=reorder).content


def freeze_whole(
    value: object, *, known: Mapping[type, Substitute] | None = None, reorder: bool = False
) -> Frozen:
    """The same, and what can be changed in the value."""
    walk = Walk(_PLANS, known)
    content: Hashable = walk.frozen(value)
    if reorder and walk.suspended and (orders := _orders(walk)):
        said = content if isinstance(content, Fields) else {"state": content}
        return Frozen(Snapshot({**said, "(orders)": orders}), walk.met)
    return Frozen(content, walk.met, reorder and _put_in_order(walk))


def freeze_together(
    parts: Iterable[tuple[str, object]],
    *,
    known: Mapping[type, Substitute],
    on_the_spot: Mapping[type, Substitute],
) -> dict[str, Hashable]:
    """What values with names are, in the order in which they come, and what they share.

    Each is asked for when those before it are frozen; ``known`` may note what it is asked about,
    ``on_the_spot`` says the same of what is told alone. For values that may be walked right now:
    dicts that are not in canonical order are named in ``(orders)``, with the order they are in.
    Raises ``ImplementationError``.
    """
    walk = Walk(_PLANS, known, on_the_spot)
    frozen: dict[str, Hashable] = {}
    for name, part in parts:
        assert name not in frozen, f"{name} would be told twice, and the first time be lost"
        walk.alive.append(part)
        frozen[name] = walk.at(f".{name}", part)
    orders = _orders(walk)
    return {**frozen, "(orders)": orders} if orders else frozen


def _orders(walk: Walk) -> Fields:
    """The dicts that are not in canonical order, by their paths, and the order that they are in."""
    made = set(map(id, walk.alive))
    return Fields(
        {
            path_of(walk.met[id(each)][0]): _places(each, order)
            for each, order in walk.dicts
            if id(each) not in made and list(dict.keys(each)) != order
        }
    )


def _places(value: dict[Any, Any], order: list[Any]) -> tuple[int, ...]:
    place = {key: number for number, key in enumerate(order)}
    return tuple(place[key] for key in dict.keys(value))


def _put_in_order(walk: Walk) -> bool:
    """Put all dicts into canonical order; whether any was not."""
    unordered = [(each, order) for each, order in walk.dicts if list(dict.keys(each)) != order]
    for each, order in unordered:
        pairs = [(key, dict.__getitem__(each, key)) for key in order]
        dict.clear(each)
        dict.update(each, pairs)
    return bool(unordered)


class _Plans(dict[type, tuple[Plan, bool]]):
    """How values of a type are frozen, and whether they can be changed, so that the same one may be
    met again; worked out once for each type."""

    def __missing__(self, kind: type) -> tuple[Plan, bool]:
        self[kind] = found = _plan(kind)
        return found


_FIXED: Final[dict[type, Plan]] = {
    float: freeze_float,
    tuple: freeze_tuple,
    frozenset: freeze_frozenset,
    weakref.ref: freeze_reference,
    types.FunctionType: freeze_function,
    types.MethodType: freeze_method,
    types.BuiltinFunctionType: freeze_builtin,
    types.ModuleType: freeze_named,
    types.MappingProxyType: freeze_proxy,
    **dict.fromkeys((Fields, Snapshot, List, Set), freeze_constant),
}

_CHANGEABLE: Final[dict[type, Plan]] = {
    list: freeze_list,
    dict: freeze_dict,
    set: freeze_set,
    OrderedDict: freeze_ordered_dict,
    defaultdict: freeze_defaultdict,
    deque: freeze_deque,
    bytearray: freeze_bytearray,
    random.Random: freeze_random,
    type(threading.Lock()): freeze_lock,
    type(threading.RLock()): freeze_reentrant_lock,
    types.CellType: freeze_cell,
    types.GeneratorType: freeze_suspended,
    types.CoroutineType: freeze_suspended,
    types.AsyncGeneratorType: freeze_suspended,
}

_PLANS: Final = _Plans(
    {kind: (plan, False) for kind, plan in _FIXED.items()}
    | {kind: (plan, True) for kind, plan in _CHANGEABLE.items()}
)

_BASES: Final[tuple[tuple[type, Plan], ...]] = (
    (OrderedDict, freeze_ordered_dict),
    (defaultdict, freeze_defaultdict),
    (dict, freeze_derived(freeze_dict)),
    (list, freeze_derived(freeze_list)),
    (set, freeze_derived(freeze_set)),
    (deque, freeze_derived(freeze_deque)),
    (BaseException, freeze_exception),
    (threading.Thread, freeze_thread),
    (weakref.WeakValueDictionary, freeze_weak_values),
    (random.Random, freeze_random),
)


def _plan(kind: type) -> tuple[Plan, bool]:
    fixed = _plan_of_fixed(kind)
    if fixed is not None:
        return fixed, False
    for base, plan in _BASES:
        if issubclass(kind, base):
            return plan, True
    return (freeze_object if is_made_of_attributes(kind) else freeze_reduced), True


def _plan_of_fixed(kind: type) -> Plan | None:
    if issubclass(kind, enum.Enum):
        return freeze_constant
    if issubclass(kind, type | logging.Logger | types.ModuleType):
        return freeze_named
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return freeze_named_tuple
    if is_dataclass(kind) and _is_value(kind):
        return freeze_frozen_dataclass
    if issubclass(kind, int | float | str | bytes) and not _keeps(kind):
        return freeze_constant
    return None


def is_made_of_attributes(kind: type) -> bool:
    """Whether attributes are all that there is: no base of the class that is written in C keeps
    anything, as Python itself finds where it would make an instance, and as their sizes show."""
    for base in kind.__mro__[:-1]:
        own = vars(base)
        slots = sum(type(each) is types.MemberDescriptorType for each in own.values())
        places = ("__slots__" in own) * slots + ("__dict__" in own) + ("__weakref__" in own)
        if base.__basicsize__ > (base.__base__ or object).__basicsize__ + places * POINTER:
            return False
    while isinstance(getattr(kind, "__del__", None), types.FunctionType):
        kind = kind.__base__ or object  # An instance that is made just to see would be finalized.
    try:
        object.__new__(kind)
    except TypeError:
        return False
    return True


def _is_value(kind: Any) -> bool:
    """Whether it is a frozen dataclass that is compared by all its fields."""
    asked = kind.__dataclass_params__
    return asked.frozen and asked.eq and all(part.compare for part in fields(kind))


def _keeps(kind: type) -> bool:
    return kind.__dictoffset__ != 0 or bool(slots_of(kind))
