"""Shapes: what values of each type refer to, and how to ask those that do not show it.

Only of what can be changed in place there is anything to see. Knows no adapter.
"""

from __future__ import annotations
import __future__

import contextvars
import functools
import gc
import logging
import operator
import random
import re
import struct
import sys
import threading
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.freeze import CONSTANTS, freeze, is_made_of_attributes
from indelible.impl.adapters.walk import NUMBERS, Substitute, own_dict, slots_of
from indelible.model.errors import ImplementationError

__all__ = ["CACHE", "MISSING", "Shape", "Shapes", "cached_results", "key_of", "step_of"]

MISSING: Final = object()

CACHE: Final[Any] = type(functools.lru_cache(lambda: None))
"""The type of functions that remember their results."""

_CHECKERS: Final = frozenset({"indelible", "hypothesis", "pytest", "_pytest", "pluggy"})
"""Whose objects are not those of nodes."""

_NOTHING: Final = (
    *(types.CodeType, types.FrameType, types.TracebackType, types.ModuleType, logging.Logger),
    *(types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType),
    *(types.MethodDescriptorType, types.ClassMethodDescriptorType, struct.Struct, float),
    *(types.GenericAlias, types.UnionType, type(__future__.annotations), logging.PlaceHolder),
    *(operator.itemgetter, operator.attrgetter, operator.methodcaller, re.Match, contextvars.Token),
)
"""What keeps nothing that could change, or is looked at by itself."""

_SIMPLE: Final = (int, str, bytes, complex)
"""What instances of classes derived from these keep besides attributes cannot change."""

_OWN: Final = frozenset({id(vars(random)["_inst"]), id(sys.stdin), id(sys.stdout), id(sys.stderr)})
"""What Python keeps for itself and who runs it uses, too."""


class At(NamedTuple):
    """The place of a part where there are such of more than one kind: ``[]``, or an attribute."""

    kind: str
    name: Any


class Shape(NamedTuple):
    """How to look at values of a type.

    ``shallow`` gives the parts of one, in a list or by name; ``flat`` all that the garbage
    collector is to be asked about for their sake. ``tell`` says what it is besides, ``MISSING`` if
    nobody can; ``is_partial`` that this is not all there is.
    """

    shallow: Callable[[Any], Any] | None
    flat: Callable[[Any], Iterable[Any]] = lambda value: (value,)
    tell: Callable[[Any], Any] | None = None
    is_partial: bool = False


class Shapes:
    """The shape of each type, ``None`` if there is nothing to see. ``known`` and ``ignored`` types
    are not looked at, and instances of classes ``beyond`` are not looked into."""

    def __init__(
        self,
        known: Mapping[type, Substitute],
        ignored: tuple[type, ...],
        beyond: Callable[[type], bool],
    ) -> None:
        self.known, self.ignored, self.beyond = known, ignored, beyond
        self._shapes: dict[type, Shape | None] = {}

    def __call__(self, value: Any) -> Shape | None:
        kind = type(value)
        try:
            shape = self._shapes[kind]
        except KeyError:
            shape = self._shapes[kind] = self._shape(kind)
        return None if shape is None or id(value) in _OWN else shape

    def forget(self) -> None:
        """Ask anew what is beyond."""
        self._shapes.clear()

    def _shape(self, kind: type) -> Shape | None:
        if kind in CONSTANTS or kind in NUMBERS or kind in self.known:
            return None
        if issubclass(kind, self.ignored + _NOTHING):
            return None
        module = str(kind.__module__)  # A metaclass may have no text.
        if module.partition(".")[0] in _CHECKERS or module.startswith("numba.core."):
            return (
                None  # A function that numba compiles keeps nothing: globals are constants there.
            )
        if kind in _SHAPES:
            return _SHAPES[kind]
        if issubclass(kind, type):
            return Shape(None)  # The names in a class are looked at by themselves.
        for base, parts in _CONTAINERS:
            if issubclass(kind, base):
                return Shape(_both(parts), _with_dict)
        if issubclass(kind, weakref.ref):
            return Shape(None, tell=lambda value: id(value()))
        if issubclass(kind, random.Random):
            return Shape(_attributes, _with_dict, random.Random.getstate)
        if issubclass(kind, Enum):
            return Shape(_member, _with_dict)
        if self.beyond(kind):
            # What has no attributes is plain data, as an array.
            told = kind.__dictoffset__ == 0 and not is_made_of_attributes(kind)
            return Shape(None, tell=self._content if told else lambda _: MISSING)
        if is_made_of_attributes(kind) or issubclass(kind, _SIMPLE):
            return Shape(_attributes, _with_dict)
        if (kind.__module__, kind.__qualname__) == ("sqlite3", "Connection"):
            # What is in it nobody can tell; how often it was changed it says itself.
            return Shape(_attributes, _with_dict, lambda value: value.total_changes, True)
        return Shape(_both(gc.get_referents), _with_dict, self._content)

    def _content(self, value: Any) -> Any:
        """What is written in C says itself what it is made of, or nobody can tell."""
        try:
            return freeze(value, known=self.known)
        except (ImplementationError, RecursionError):
            return MISSING


def key_of(key: Any) -> Any:
    """By what a place is found again: by its value where nobody can change that."""
    kind = type(key)
    if kind is At:
        return key.kind, key_of(key.name)
    if kind is tuple:
        return kind, tuple(map(key_of, key))
    if kind in CONSTANTS:
        return kind, key
    return kind, repr(key) if kind in NUMBERS else id(key)


def step_of(key: Any) -> str:
    """The step to a part, as errors show it."""
    kind, name = key if type(key) is At else ("[]", key)
    if kind == "[]":
        return f"[{name!r}]" if type(name) in CONSTANTS else f"[a {type(name).__name__}]"
    return f".{name}" if kind else ""


def cached_results(function: Any) -> list[tuple[Any, Any]] | None:
    """What a function remembers, keys and results; ``None`` if this Python does not show it."""
    referents = gc.get_referents(function)
    own = vars(function)
    cache = next((each for each in referents if type(each) is dict and each is not own), None)
    if cache is None:
        return None
    if not cache or type(next(iter(cache.values()))).__name__ != "_lru_list_elem":
        return list(cache.items())
    # Of a cache that is bounded the collector is told link by link: a key, its result, its type.
    link = type(next(iter(cache.values())))
    at = [number for number, each in enumerate(referents) if each is link][: len(cache)]
    return [(referents[number - 2], referents[number - 1]) for number in at]


def _with_dict(value: Any) -> Iterable[Any]:
    own = own_dict(value)
    return (value,) if own is None else (value, own)


def _attributes(value: Any) -> dict[At, Any]:
    """What an instance keeps in its dict and in slots, and its class."""
    kept: dict[At, Any] = {At("", "class"): type(value)}
    for name, part in (own_dict(value) or {}).items():
        kept[At(".", name)] = part
    kind: Any = type(value)
    for name, slot in slots_of(kind):
        try:
            kept[At(".", name)] = slot.__get__(value)
        except AttributeError:
            continue  # Nothing was ever put there.
    return kept


def _member(value: Enum) -> dict[At, Any]:
    """Without what Python remembers of a member that is a flag."""
    kept = _attributes(value)
    kept.pop(At(".", "_inverted_"), None)
    return kept


def _both(parts: Callable[[Any], Any]) -> Callable[[Any], dict[At, Any]]:
    """Parts and attributes."""

    def shallow(value: Any) -> dict[At, Any]:
        own = parts(value)
        pairs = own.items() if isinstance(own, dict) else enumerate(own)
        return {At("[]", key): part for key, part in pairs} | _attributes(value)

    return shallow


def _elements(value: Any) -> dict[Any, Any]:
    return {each: each for each in value}


def _ordered(value: OrderedDict[Any, Any]) -> dict[Any, Any]:
    """Its order, which is a part of what it is, as well."""
    return {**dict.copy(value), At(".", "keys()"): tuple(value)}


def _named(*names: str) -> Callable[[Any], dict[At, Any]]:
    return lambda value: {At(".", name): getattr(value, name) for name in names}


def _function(value: types.FunctionType) -> dict[At, Any]:
    """Its variables, defaults and attributes; not the module that it is in."""
    is_python = value.__globals__ is vars(functools)
    kept = {
        At(".", name): part
        for name, part in vars(value).items()
        if not (is_python and name in _DISPATCH)
    }
    kept[At(".", "__code__")] = value.__code__
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(value, name):
            kept[At(".", name)] = getattr(value, name)
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        if not (is_python and name in _DISPATCH):
            kept[At(".", name)] = cell
    return kept


_DISPATCH: Final = frozenset({"dispatch_cache", "cache_token", "_clear_cache"})
"""What ``singledispatch`` remembers."""


def _cell(value: types.CellType) -> dict[At, Any]:
    try:
        return {At("", "contents"): value.cell_contents}
    except ValueError:
        return {}


def _cache(value: Any) -> dict[At, Any]:
    return {At(".", name): part for name, part in vars(value).items()}


def _suspended(value: Any) -> Any:
    try:
        return freeze(value)
    except (ImplementationError, RecursionError):
        return MISSING


def _local(value: threading.local) -> dict[At, Any]:
    return {At(".", name): part for name, part in vars(value).items()}


_CONTAINERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (OrderedDict, _ordered),
    (dict, dict.copy),
    (list, list.copy),
    (set, lambda value: _elements(set.__iter__(value))),
    (frozenset, lambda value: _elements(frozenset.__iter__(value))),
    (deque, lambda value: list(deque.__iter__(value))),
    (tuple, lambda value: list(tuple.__iter__(value))),
    (BaseException, lambda value: list(value.args)),
    (threading.local, lambda _: ()),
)

_SHAPES: Final[dict[Any, Shape]] = {
    dict: Shape(dict.copy),
    list: Shape(list.copy),
    tuple: Shape(lambda value: value),
    set: Shape(_elements),
    frozenset: Shape(_elements),
    deque: Shape(list),
    OrderedDict: Shape(_ordered),
    threading.local: Shape(_local, lambda value: (vars(value),)),
    types.FunctionType: Shape(_function, _with_dict),
    types.MethodType: Shape(_named("__self__", "__func__")),
    types.BuiltinFunctionType: Shape(_named("__self__")),
    types.MethodWrapperType: Shape(_named("__self__")),
    types.CellType: Shape(_cell),
    types.MappingProxyType: Shape(gc.get_referents),
    contextvars.ContextVar: Shape(gc.get_referents),
    contextvars.Context: Shape(None, tell=lambda value: dict(value.items())),
    property: Shape(_named("fget", "fset", "fdel")),
    staticmethod: Shape(_named("__func__"), _with_dict),
    classmethod: Shape(_named("__func__"), _with_dict),
    functools.partial: Shape(_named("func", "args", "keywords"), _with_dict),
    CACHE: Shape(_cache, lambda value: (vars(value),)),
    types.GeneratorType: Shape(None, tell=_suspended),
    types.CoroutineType: Shape(None, tell=_suspended),
    types.AsyncGeneratorType: Shape(None, tell=_suspended),
}
