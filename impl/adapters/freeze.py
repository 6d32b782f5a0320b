"""Freezing: what any value of Python is, as a plain value, exactly and in canonical form.

Two values freeze to the same if and only if code could not tell them apart, but for the order of
dicts and sets, which never shows: the contents are the same, and so is what is shared. A thing that
can be changed and is met twice is ``Same`` as the first, by its path; so cycles end. Where that
cannot be told, an error says so: nothing is ever left out. Values that cannot be changed stay what
they are. Issue 6; nothing here knows an adapter.
"""

from __future__ import annotations

import copyreg
import datetime
import decimal
import enum
import fractions
import gc
import hashlib
import ipaddress
import logging
import pathlib
import random
import re
import threading
import types
import uuid
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeAlias

from indelible.model.canonical import canonical_text
from indelible.model.errors import ImplementationError
from indelible.model.plain import TYPE, Fields, List, Same, Set, Snapshot

__all__ = ["CONSTANTS", "freeze", "freeze_together"]

Substitute: TypeAlias = Callable[[Any], Any]

CONSTANTS: Final = frozenset(
    {
        *(bool, int, float, complex, str, bytes, type(None), type(...), type(NotImplemented)),
        *(range, datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
        *(datetime.timezone, decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern),
        *(ipaddress.IPv4Address, ipaddress.IPv6Address, Same),
        *(pathlib.PurePosixPath, pathlib.PosixPath),
    }
)
"""Types whose values nobody can change, and that are equal if they are the same."""

FINISHED: Final = "finished"


def freeze(
    value: object, *, known: Mapping[type, Substitute] | None = None, reorder: bool = False
) -> Hashable:
    """What ``value`` is. Raises ``ImplementationError`` where that cannot be told exactly.

    ``known`` says, by type, what is frozen in the place of a value: for things of which only some
    part decides what they do. With ``reorder`` every dict is put into canonical order on the way,
    so that whoever walks it afterwards cannot tell in which order it was filled; for values that
    nobody is walking.
    """
    frozen: Hashable = _Walk(known or {}, reorder).frozen(value)
    return frozen


def freeze_together(
    parts: Iterable[tuple[str, object]], *, known: Mapping[type, Substitute]
) -> dict[str, Hashable]:
    """What values with names are, in the order in which they come: what they share is told.

    Each is asked for when those before it are frozen. The order of every dict is a part of it.
    Raises ``ImplementationError``.
    """
    walk = _Walk(known, ordered=True)
    frozen: dict[str, Hashable] = {}
    for name, part in parts:
        walk.alive.append(part)
        frozen[name] = walk.at(f".{name}", part)
    return frozen


class _Walk:
    """One walk through a value: the path to where it is, and what it has met."""

    def __init__(
        self, known: Mapping[type, Substitute], reorder: bool = False, ordered: bool = False
    ) -> None:
        self.known, self.reorder, self.ordered = known, reorder, ordered
        self.path: list[str] = []
        self.met: dict[int, str] = {}
        self.alive: list[object] = []
        """What was made on the way: as long as it lives, nothing else has its address."""

    def frozen(self, value: Any) -> Any:
        kind = type(value)
        if kind in CONSTANTS:
            return value
        if kind in self.known:
            return self.once(value, _substituted)
        plan = _PLANS.get(kind)
        if plan is None:
            plan = _PLANS[kind] = _plan(kind, value)
        return plan(self, value)

    def once(self, value: Any, plan: Plan) -> Any:
        """What can be changed, frozen where it is first met."""
        address = id(value)
        if address in self.met:
            return Same(self.met[address])
        self.met[address] = "".join(self.path).removeprefix(".")
        return plan(self, value)

    def at(self, step: str, value: Any) -> Any:
        """The part of the value at hand that is one step further."""
        if type(value) in CONSTANTS:
            return value
        self.path.append(step)
        frozen = self.frozen(value)
        self.path.pop()
        return frozen

    def parts(self, values: Iterable[Any]) -> list[Any]:
        return [self.at(f"[{index}]", part) for index, part in enumerate(values)]

    def attributes(self, value: Any) -> dict[str, Any]:
        """What an instance keeps, by name: in its ``__dict__``, and in slots."""
        kept = dict(getattr(value, "__dict__", ()))
        for name, slot in _slots(type(value)):
            try:
                kept[name] = slot.__get__(value)
            except AttributeError:
                continue  # Nothing was ever put there.
        return {name: self.at(f".{name}", kept[name]) for name in sorted(kept)}

    def made(self, value: Any) -> Any:
        """Something made on the way, frozen."""
        self.alive.append(value)
        return self.frozen(value)

    def refuse(self, value: object, cause: str) -> ImplementationError:
        place = "".join(self.path).removeprefix(".") or "it"
        return ImplementationError(
            f"the state of a node cannot be told exactly: {place} is of type {_name(type(value))}",
            cause=cause,
            remedy="keep it outside of the node, or give the adapter a fingerprint(instance) that "
            "says what decides how the node goes on",
        )


Plan: TypeAlias = Callable[[_Walk, Any], Any]


# --- values that cannot be changed, if their parts cannot ---------------------------------------


def _tuple(walk: _Walk, value: tuple[Any, ...]) -> Any:
    parts = walk.parts(value)
    if all(map(_is, parts, value)):
        return value
    return tuple(parts)


def _named_tuple(walk: _Walk, value: Any) -> Any:
    parts = {name: walk.at(f".{name}", getattr(value, name)) for name in value._fields}
    if all(map(_is, parts.values(), value)):
        return value
    return Snapshot({TYPE: _name(type(value)), **parts})


def _frozen_dataclass(walk: _Walk, value: Any) -> Any:
    names = [part.name for part in fields(value)]
    parts = {name: walk.at(f".{name}", getattr(value, name)) for name in names}
    if all(parts[name] is getattr(value, name) for name in names):
        return value
    return Snapshot({TYPE: _name(type(value)), **parts})


def _frozenset(walk: _Walk, value: frozenset[Any]) -> Any:
    values, parts = _elements(walk, value)
    return value if all(map(_is, parts, values)) else _set_of(parts, frozenset)


def _constant(_: _Walk, value: Any) -> Any:
    return value


def _named(_: _Walk, value: Any) -> Any:
    """Modules, classes, loggers: known by name, whatever is in them."""
    return Fields({TYPE: type(value).__name__, "name": _called(value)})


# --- containers -------------------------------------------------------------------------------


def _list(walk: _Walk, value: list[Any]) -> Any:
    return List(walk.parts(value))


def _dict(walk: _Walk, value: dict[Any, Any]) -> Any:
    if all(type(key) is str for key in value):
        order: list[Any] = sorted(value)
        keys = order
        frozen = Fields({key: walk.at(f"[{key!r}]", value[key]) for key in order})
    else:
        frozen_keys = {key: walk.frozen(key) for key in value}
        order = sorted(value, key=lambda key: canonical_text(frozen_keys[key]))
        keys = [frozen_keys[key] for key in order]
        parts = [walk.at(f"[{frozen_keys[key]!r}]", value[key]) for key in order]
        pairs = dict(zip(keys, parts, strict=True))
        # Keys that are told apart by their address only may say the same.
        if len(pairs) < len(order):
            pairs = {TYPE: "dict", "items": List(zip(keys, parts, strict=True))}
        frozen = Fields(pairs)
    if walk.ordered and list(value) != order:
        places = {id(key): place for place, key in enumerate(order)}
        walked = List(keys[places[id(key)]] for key in value)
        frozen = Fields({**frozen, "(order)": walked})
    if walk.reorder and list(value) != order:
        ordered = [(key, value[key]) for key in order]
        value.clear()
        value.update(ordered)
    return frozen


def _set(walk: _Walk, value: set[Any]) -> Any:
    return _set_of(_elements(walk, value)[1], Set)


def _elements(walk: _Walk, values: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The elements, in an order that does not depend on how the set is walked, and frozen."""
    values = list(values)
    if all(type(part) in CONSTANTS for part in values):
        return values, values
    alone = {id(part): canonical_text(_Walk(walk.known).frozen(part)) for part in values}
    values.sort(key=lambda part: alone[id(part)])
    return values, [walk.at(f"{{{index}}}", part) for index, part in enumerate(values)]


def _set_of(parts: list[Any], kind: type[frozenset[Any]]) -> Any:
    """Frozen elements as a set; those that are told apart by their address only may say the same,
    and are then listed."""
    different = kind(parts)
    return different if len(different) == len(parts) else List(parts)


def _ordered(walk: _Walk, value: Any) -> Any:
    pairs = [(walk.frozen(key), walk.at(f"[{key!r}]", value[key])) for key in value]
    return Snapshot({TYPE: _name(type(value)), **walk.attributes(value), "(items)": List(pairs)})


def _defaultdict(walk: _Walk, value: defaultdict[Any, Any]) -> Any:
    return Snapshot(
        {
            TYPE: _name(type(value)),
            "(default)": walk.at(".default_factory", value.default_factory),
            "(items)": _dict(walk, value),
        }
    )


def _deque(walk: _Walk, value: deque[Any]) -> Any:
    said = {TYPE: _name(type(value)), "(items)": List(walk.parts(value))}
    return Snapshot({**said, "maxlen": value.maxlen} if value.maxlen is not None else said)


def _bytearray(_: _Walk, value: bytearray) -> Any:
    return Snapshot({TYPE: "bytearray", "(bytes)": bytes(value)})


# --- objects ----------------------------------------------------------------------------------


def _object(walk: _Walk, value: Any) -> Any:
    return Snapshot({TYPE: _name(type(value)), **walk.attributes(value)})


def _derived(base: Plan) -> Plan:
    """An instance of a class that derives from a container: what it contains, and what it keeps."""

    def plan(walk: _Walk, value: Any) -> Any:
        kept = walk.attributes(value)
        return Snapshot({TYPE: _name(type(value)), **kept, "(items)": base(walk, value)})

    return plan


def _exception(walk: _Walk, value: BaseException) -> Any:
    kept = walk.attributes(value)
    return Snapshot({TYPE: _name(type(value)), **kept, "args": walk.at(".args", value.args)})


def _reduced(walk: _Walk, value: Any) -> Any:
    """What is written in C says itself what it is made of, or it cannot be told."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise walk.refuse(value, f"it does not say what it is made of: {error}") from error
    if isinstance(reduced, str):
        return Fields({TYPE: _name(type(value)), "name": reduced})
    _, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    said = {
        "(arguments)": arguments,
        "(state)": state,
        "(items)": None if items is None else list(items),
        "(pairs)": None if pairs is None else list(pairs),
    }
    walk.alive.append(said)
    kept = {name: walk.at(name, part) for name, part in said.items() if part is not None}
    return Snapshot({TYPE: _name(type(value)), **kept})


def _random(_: _Walk, value: random.Random) -> Any:
    # 625 numbers that nobody reads: their digest says as much.
    digest = hashlib.sha256(repr(value.getstate()).encode()).hexdigest()
    return Snapshot({TYPE: _name(type(value)), "state": digest})


def _lock(_: _Walk, value: Any) -> Any:
    return Snapshot({TYPE: "Lock", "locked": value.locked()})


def _thread(walk: _Walk, value: threading.Thread) -> Any:
    raise walk.refuse(value, "a thread runs on its own, and nobody can tell where it is")


def _reference(walk: _Walk, value: weakref.ref[Any]) -> Any:
    return Snapshot({TYPE: "weakref", "to": walk.at("()", value())})


def _cell(walk: _Walk, value: types.CellType) -> Any:
    try:
        return Snapshot({TYPE: "cell", "holds": walk.at("", value.cell_contents)})
    except ValueError:
        return Snapshot({TYPE: "cell"})


# --- code -------------------------------------------------------------------------------------


def _function(walk: _Walk, value: types.FunctionType) -> Any:
    said: dict[str, Any] = {TYPE: "function", "name": _called(value)}
    names = value.__code__.co_freevars
    for name, cell in zip(names, value.__closure__ or (), strict=True):
        said[f"({name})"] = walk.at(f".{name}", cell)
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(value, name):
            said[name] = walk.at(f".{name}", getattr(value, name))
    if value.__dict__:
        said |= walk.attributes(value)
    return Snapshot(said)


def _method(walk: _Walk, value: Any) -> Any:
    return Snapshot(
        {TYPE: "method", "name": value.__name__, "of": walk.at(".__self__", value.__self__)}
    )


def _builtin(walk: _Walk, value: Any) -> Any:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return Fields({TYPE: "function", "name": _called(value)})
    return _method(walk, value)


def _suspended(walk: _Walk, value: Any) -> Any:
    """A generator or coroutine: where it stands, its variables, and what it was about to use.

    The last are on the stack of its frame (the iterator of a loop, say) and no attribute shows
    them, but the garbage collector is told of all of them, variables first (CPython).
    """
    prefix = next(each for each in ("gi", "cr", "ag") if hasattr(value, f"{each}_frame"))
    frame = getattr(value, f"{prefix}_frame")
    said: dict[str, Any] = {TYPE: type(value).__name__, "name": value.__qualname__}
    if frame is None:
        return Snapshot({**said, "at": FINISHED})
    if getattr(value, f"{prefix}_running"):
        raise walk.refuse(value, "it is running at this moment")
    said["at"] = frame.f_lasti
    for name in sorted(frame.f_locals):
        said[f"({name})"] = walk.at(f".{name}", frame.f_locals[name])
    held = [each for each in gc.get_referents(value) if not isinstance(each, _OF_FRAMES)]
    said["(held)"] = List(walk.parts(held))
    return Snapshot(said)


_OF_FRAMES: Final = (types.CodeType, types.FrameType)


def _substituted(walk: _Walk, value: Any) -> Any:
    instead = walk.known[type(value)](value)
    if type(instead) is dict:  # By names that are its own, and so in no order.
        walk.alive.append(instead)
        return Snapshot({name: walk.at(f".{name}", instead[name]) for name in sorted(instead)})
    said = walk.made(instead)
    return said if isinstance(said, Hashable) else Snapshot({"value": said})


# --- which plan for which type ------------------------------------------------------------------


def _once(plan: Plan) -> Plan:
    return lambda walk, value: walk.once(value, plan)


_PLANS: Final[dict[type, Plan]] = {
    tuple: _tuple,
    frozenset: _frozenset,
    list: _once(_list),
    dict: _once(_dict),
    set: _once(_set),
    OrderedDict: _once(_ordered),
    defaultdict: _once(_defaultdict),
    deque: _once(_deque),
    bytearray: _once(_bytearray),
    random.Random: _once(_random),
    type(threading.Lock()): _once(_lock),
    weakref.ref: _reference,
    types.CellType: _once(_cell),
    types.FunctionType: _once(_function),
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.ModuleType: _named,
    types.GeneratorType: _once(_suspended),
    types.CoroutineType: _once(_suspended),
    types.AsyncGeneratorType: _once(_suspended),
    Fields: _constant,
    Snapshot: _constant,
    List: _constant,
    Set: _constant,
}

_BASES: Final[tuple[tuple[type, Plan], ...]] = (
    (OrderedDict, _ordered),
    (defaultdict, _defaultdict),
    (dict, _derived(_dict)),
    (list, _derived(_list)),
    (set, _derived(_set)),
    (deque, _derived(_deque)),
    (BaseException, _exception),
    (threading.Thread, _thread),
    (random.Random, _random),
)


def _plan(kind: type, value: Any) -> Plan:
    """How values of a type are frozen; asked once for each type, with the first value of it."""
    if issubclass(kind, enum.Enum):
        return _constant
    if issubclass(kind, type | logging.Logger):
        return _named
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple
    if is_dataclass(kind) and _is_value(kind):
        return _frozen_dataclass
    if issubclass(kind, int | float | str | bytes) and not _keeps(kind):
        return _constant
    for base, plan in _BASES:
        if issubclass(kind, base):
            return _once(plan)
    own = kind.__reduce_ex__ is object.__reduce_ex__ and kind.__reduce__ is object.__reduce__
    return _once(_object if own and _is_plain_object(value) else _reduced)


def _is_plain_object(value: Any) -> bool:
    """Whether attributes are all that there is: Python itself would copy it by them."""
    try:
        made_by, arguments = tuple(object.__reduce_ex__(value, 4))[:2]
    except TypeError:
        return False
    return made_by is copyreg.__newobj__ and arguments == (type(value),)  # type: ignore[attr-defined]


def _is_value(kind: Any) -> bool:
    """Whether it is a frozen dataclass that is compared by all its fields."""
    asked = kind.__dataclass_params__
    return asked.frozen and asked.eq and all(part.compare for part in fields(kind))


def _keeps(kind: type) -> bool:
    return kind.__dictoffset__ != 0 or any(True for _ in _slots(kind))


def _slots(kind: type) -> Iterable[tuple[str, Any]]:
    for base in kind.__mro__:
        if "__slots__" in vars(base):
            for name, attribute in vars(base).items():
                if type(attribute) is types.MemberDescriptorType:
                    yield name, attribute


def _is(one: object, other: object) -> bool:
    return one is other


_NAMES: Final[dict[str, type]] = {}


def _name(kind: type) -> str:
    """What a class is called: its name, with its module where another has the same."""
    name = kind.__qualname__.replace("<locals>.", "")
    return name if _NAMES.setdefault(name, kind) is kind else f"{kind.__module__}.{name}"


def _called(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or value.name
    return f"{value.__module__}.{name}" if getattr(value, "__module__", None) else str(name)
