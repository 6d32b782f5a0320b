"""Freezing: what any value of Python is, as a plain value, exactly and in canonical form.

Two values freeze to the same if and only if code could not tell them apart, but for the order of
sets, and of dicts unless it is asked for: the contents are the same, and so is what is shared. A
thing that can be changed and is met twice is ``Same`` as the first, by its path; so cycles end.
Where that cannot be told, an error says so: nothing is ever left out. Values that cannot be changed
stay what they are, where equality tells them apart. Issue 6; nothing here knows an adapter. How
each type is frozen is in ``freeze_*.py``; here it is only chosen.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import logging
import random
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Container, Hashable, Iterable, Mapping
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
    freeze_frozenset,
    freeze_list,
    freeze_ordered_dict,
    freeze_proxy,
    freeze_set,
    freeze_tuple,
)
from indelible.impl.adapters.freeze_objects import (
    freeze_constant,
    freeze_exception,
    freeze_object,
    freeze_random,
    freeze_reduced,
)
from indelible.impl.adapters.freeze_values import (
    freeze_datetime,
    freeze_decimal,
    freeze_float,
    freeze_frozen_dataclass,
    freeze_member,
    freeze_named_tuple,
    freeze_number,
    freeze_zone,
    is_compared_in_c,
)
from indelible.impl.adapters.walk import (
    CONSTANTS,
    Part,
    Plan,
    Substitute,
    Walk,
    is_made_of_attributes,
    path_of,
    slots_of,
)
from indelible.model.plain import Fields, List, Set, Snapshot

__all__ = [
    "CONSTANTS",
    "Frozen",
    "dicts_in",
    "freeze",
    "freeze_together",
    "freeze_whole",
    "is_frozen_dataclass",
    "is_made_of_attributes",
    "put_in_order",
]


class Frozen(NamedTuple):
    """What a value is, and what can be changed in it, by address: its place, and it; whether any
    dict was reordered; and what it is in full, where ``content`` is only what it tells."""

    content: Hashable
    parts: dict[int, Part]
    is_reordered: bool = False
    whole: Hashable = None


def freeze(
    value: object,
    *,
    known: Mapping[type, Substitute] | None = None,
    reorder: bool = False,
    tell: bool = False,
) -> Hashable:
    """What ``value`` is. Raises ``ImplementationError`` where that cannot be told exactly.

    ``known`` says, by type, what is frozen in the place of a value: for things of which only some
    part decides what they do. With ``reorder`` every dict is put into canonical order as well, so
    that whoever walks it afterwards cannot tell in which order it was filled. Where something in
    the value may be walking it at this moment, the order is told instead, under ``(orders)``; with
    ``tell`` it always is, and dicts are left as they are.
    """
    return freeze_whole(value, known=known, reorder=reorder, tell=tell).content


def freeze_whole(
    value: object,
    *,
    known: Mapping[type, Substitute] | None = None,
    reorder: bool = False,
    tell: bool = False,
    shared: Container[int] = (),
) -> Frozen:
    """The same, and what can be changed in the value; what is at ``shared`` addresses is never
    reordered."""
    walk, content = _walked(value, known)
    if (tell or (reorder and walk.suspended)) and (orders := _orders(walk)):
        said = content if isinstance(content, Fields) else {"state": content}
        return Frozen(Snapshot({**said, "(orders)": orders}), walk.met)
    return Frozen(content, walk.met, reorder and not tell and _put_in_order(walk, shared))


def _walked(value: object, known: Mapping[type, Substitute] | None) -> tuple[Walk, Hashable]:
    walk = Walk(_PLANS, known)
    try:
        return walk, walk.frozen(value)
    except RecursionError as error:
        raise walk.too_deep(error) from error


def dicts_in(
    value: object, *, known: Mapping[type, Substitute] | None = None
) -> list[tuple[str, dict[Any, Any]]]:
    """The dicts whose order ``freeze`` leaves out, of two keys or more, and their paths.

    None where something may be walking one of them at this moment, since then it tells the order.
    """
    walk, _ = _walked(value, known)
    made = set(map(id, walk.alive))
    return [
        (path_of(walk.met[id(each)][0]), each)
        for each, order in walk.dicts
        if not walk.suspended and len(order) > 1 and id(each) not in made
    ]


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
    try:
        for name, part in parts:
            assert name not in frozen, f"{name} would be told twice, and the first time be lost"
            walk.alive.append(part)
            frozen[name] = walk.at(f".{name}", part)
    except RecursionError as error:
        raise walk.too_deep(error) from error
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


def _put_in_order(walk: Walk, shared: Container[int]) -> bool:
    """Put all dicts into canonical order, but for those that are shared; whether any was not."""
    unordered = [
        (each, order)
        for each, order in walk.dicts
        if list(dict.keys(each)) != order and id(each) not in shared
    ]
    for each, order in unordered:
        put_in_order(each, order)
    return bool(unordered)


def put_in_order(value: dict[Any, Any], order: Iterable[Any]) -> None:
    """Put a dict into that order of its keys, whatever methods its class has."""
    pairs = [(key, dict.__getitem__(value, key)) for key in order]
    dict.clear(value)
    dict.update(value, pairs)


class _Plans(dict[type, tuple[Plan, bool]]):
    """How values of a type are frozen, and whether they can be changed, so that the same one may be
    met again; worked out once for each type."""

    def __missing__(self, kind: type) -> tuple[Plan, bool]:
        self[kind] = found = _plan(kind)
        return found


_FIXED: Final[dict[type, Plan]] = {
    float: freeze_float,
    complex: freeze_number,
    decimal.Decimal: freeze_decimal,
    **dict.fromkeys((datetime.datetime, datetime.time), freeze_datetime),
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
    return _plan_of_attributes(kind), True


def _plan_of_fixed(kind: type) -> Plan | None:
    if issubclass(kind, enum.Enum):
        return freeze_member
    if issubclass(kind, type | logging.Logger | types.ModuleType):
        return freeze_named
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return freeze_named_tuple
    if is_frozen_dataclass(kind) and is_made_of_attributes(kind):
        return freeze_frozen_dataclass
    if issubclass(kind, datetime.tzinfo):
        return freeze_zone(_plan_of_attributes(kind))
    if issubclass(kind, int | float | str | bytes) and not _keeps(kind) and is_compared_in_c(kind):
        return freeze_number if issubclass(kind, float) else freeze_constant
    return None


def _plan_of_attributes(kind: type) -> Plan:
    return freeze_object if is_made_of_attributes(kind) else freeze_reduced


def is_frozen_dataclass(kind: Any) -> bool:
    """Whether instances are equal if what they keep is: with ``eq=False`` each is its own."""
    asked = getattr(kind, "__dataclass_params__", None)
    return bool(asked and asked.frozen and asked.eq)


def _keeps(kind: type) -> bool:
    return kind.__dictoffset__ != 0 or bool(slots_of(kind))
