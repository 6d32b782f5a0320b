"""How containers of Python are frozen: tuples, lists, dicts, sets and their like."""

from __future__ import annotations

import gc
import types
from collections import defaultdict, deque
from collections.abc import Iterable
from operator import is_
from typing import Any, Final

from indelible.impl.adapters.walk import CONSTANTS, Plan, Walk, described, name_of
from indelible.model.canonical import canonical_text
from indelible.model.plain import TYPE, Fields, List, Set, Snapshot

__all__ = [
    "freeze_bytearray",
    "freeze_defaultdict",
    "freeze_deque",
    "freeze_derived",
    "freeze_dict",
    "freeze_frozenset",
    "freeze_list",
    "freeze_ordered_dict",
    "freeze_proxy",
    "freeze_set",
    "freeze_tuple",
]


def freeze_tuple(walk: Walk, value: tuple[Any, ...]) -> Any:
    """Itself, if nothing in it can be changed."""
    parts = walk.parts(value)
    return value if parts is value or all(map(is_, parts, value)) else tuple(parts)


def freeze_frozenset(walk: Walk, value: frozenset[Any]) -> Any:
    """Itself, if nothing in it can be changed."""
    values, parts = _elements(walk, value)
    return value if all(map(is_, parts, values)) else _set_of(parts, frozenset)


def freeze_list(walk: Walk, value: list[Any]) -> Any:
    """What is in it, in order."""
    return List(walk.parts(value))


def freeze_dict(walk: Walk, value: dict[Any, Any]) -> Any:
    """What is in it, by key, in canonical order."""
    order = _plain_order(value)
    if order is not None:
        walk.dicts.append((value, order))
        content = {
            key: part if type(part := value[key]) in CONSTANTS else walk.at(f"[{key!r}]", part)
            for key in order
        }
        return Fields(content) if TYPE in content else Fields.in_order(content)
    texts = {key: canonical_text(walk.alone(key)) for key in value}
    order = sorted(value, key=texts.__getitem__)
    walk.dicts.append((value, order))
    keys = [walk.at(f"[key {index}]", key) for index, key in enumerate(order)]
    items = zip(keys, order, strict=True)
    pairs = [(frozen, walk.at(f"[{frozen!r}]", value[key])) for frozen, key in items]
    if len(set(keys)) == len(keys):
        return Fields(dict(pairs))
    # Keys that are told apart by their address only may say the same.
    return Snapshot({TYPE: "dict", "(items)": List(pairs)})


def _plain_order(value: dict[Any, Any]) -> list[Any] | None:
    """The canonical order of keys that are all texts, or all numbers from 0: their own."""
    kinds = set(map(type, value))
    if kinds <= _TEXT:
        return sorted(value)
    if kinds == _NUMBER and min(value) >= 0:
        return sorted(value)
    return None


def freeze_set(walk: Walk, value: set[Any]) -> Any:
    """What is in it."""
    return _set_of(_elements(walk, value)[1], Set)


def freeze_ordered_dict(walk: Walk, value: Any) -> Any:
    """What is in it, in its order."""
    pairs = [
        (walk.at(f"[key {index}]", key), walk.at(f"[{index}]", value[key]))
        for index, key in enumerate(value)
    ]
    return Snapshot({**described(type(value), walk.attributes(value)), "(items)": List(pairs)})


def freeze_defaultdict(walk: Walk, value: defaultdict[Any, Any]) -> Any:
    """What is in it, and what it makes of a key that is missing."""
    factory = walk.at(".default_factory", value.default_factory)
    said = described(type(value), walk.attributes(value))
    return Snapshot({**said, "(default)": factory, "(items)": freeze_dict(walk, value)})


def freeze_deque(walk: Walk, value: deque[Any]) -> Any:
    """What is in it, in order."""
    said = {TYPE: name_of(type(value)), "(items)": List(walk.parts(value))}
    return Snapshot({**said, "maxlen": value.maxlen} if value.maxlen is not None else said)


def freeze_bytearray(_: Walk, value: bytearray) -> Any:
    """Its bytes."""
    return Snapshot({TYPE: "bytearray", "(bytes)": bytes(value)})


def freeze_proxy(walk: Walk, value: types.MappingProxyType[Any, Any]) -> Any:
    """The mapping that it shows."""
    (of,) = gc.get_referents(value)
    return Snapshot({TYPE: "mappingproxy", "(of)": walk.at("", of)})


def freeze_derived(base: Plan) -> Plan:
    """An instance of a class that derives from a container: what it contains, and what it keeps."""

    def plan(walk: Walk, value: Any) -> Any:
        kept = walk.attributes(value)
        return Snapshot({**described(type(value), kept), "(items)": base(walk, value)})

    return plan


_TEXT: Final = frozenset({str})
_NUMBER: Final = frozenset({int})


def _elements(walk: Walk, values: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The elements, in an order that does not depend on how the set is walked, and frozen."""
    values = list(values)
    if CONSTANTS.issuperset(map(type, values)):
        return values, values
    alone = {id(part): walk.alone(part) for part in values}
    texts = {address: canonical_text(part) for address, part in alone.items()}
    values.sort(key=lambda part: texts[id(part)])
    if walk.is_deep:  # Parts of one type may be in any order: to go on would make it show.
        return values, [alone[id(part)] for part in values]
    return values, [walk.at(f"{{{index}}}", part) for index, part in enumerate(values)]


def _set_of(parts: list[Any], kind: type[frozenset[Any]]) -> Any:
    """Frozen elements as a set; those that are told apart by their address only may say the same,
    and are then listed."""
    different = kind(parts)
    return different if len(different) == len(parts) else List(parts)
