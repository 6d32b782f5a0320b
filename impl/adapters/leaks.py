"""Leaks: what is kept outside of the nodes, in modules, classes and functions, and changes.

Nodes that run in one process share it, and it survives their crashes; real nodes, each on a machine
of its own, would not. So a change of it while a node handles something is an error that names it.
Only looks, and changes nothing; it knows no adapter.
"""

from __future__ import annotations
import __future__

import sys
import types
from collections.abc import Collection, Iterator, Mapping, Set
from operator import is_
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.freeze import CONSTANTS, freeze_whole
from indelible.impl.adapters.walk import Substitute
from indelible.model.errors import ImplementationError
from indelible.model.implementation import differing_part

__all__ = ["Watch"]

ALWAYS: Final = 200
SOMETIMES: Final = 16
PER_THING: Final = 2
"""The first ``ALWAYS`` steps are looked at, then one in ``SOMETIMES``, or in ``PER_THING`` times as
many as there are things to look at, each of which costs about what a step of a small node costs.
What changed between two looks is found all the same, and its step is not."""

LARGE: Final = 64
"""A library of more loaded modules is not looked at unless a node is made of its objects."""

_OPAQUE: Final = (
    *(type, property, types.MemberDescriptorType, types.GetSetDescriptorType),
    *(types.WrapperDescriptorType, types.MethodDescriptorType, types.BuiltinFunctionType),
    type(__future__.annotations),
)
"""What keeps nothing that a node could change, or is looked at by itself."""

_CACHES: Final = ("_abc_impl",)
"""What Python itself keeps in a class."""

_MISSING: Final = object()


class _Content(NamedTuple):
    """What something is that is compared by that; of everything else only matters whether it is it.

    It ``can_change`` if anything in it can; else it is what it was for as long as it is it.
    """

    content: Any
    can_change: bool


class _Place:
    """A module, class or adapter as it was when it was looked at."""

    __slots__ = ("changeable", "name", "names", "said", "values")

    def __init__(self, name: str, names: Mapping[str, Any], said: dict[str, Any]) -> None:
        self.name, self.names, self.said = name, names, said
        self.values = list(names.values())
        self.changeable = [
            each for each, value in said.items() if type(value) is _Content and value.can_change
        ]

    def is_rebound(self) -> bool:
        """Whether any name stands for something else by now."""
        values = list(self.names.values())
        return len(values) != len(self.values) or not all(map(is_, values, self.values))


class Watch:
    """Looks at the packages from which come the classes that nodes are made of.

    ``allowed`` are names, as errors give them, of what may change. ``known`` is as for ``freeze``;
    values of ``ignored`` types are not looked at. ``keeper`` keeps something, too: all its
    attributes but the ``private`` ones.
    """

    def __init__(
        self,
        keeper: object,
        private: Collection[str],
        *,
        known: Mapping[type, Substitute],
        allowed: Collection[str] = (),
        ignored: tuple[type, ...] = (),
    ) -> None:
        self.known, self.allowed, self.ignored = known, frozenset(allowed), ignored
        self.keeper, self.private = keeper, frozenset(private)
        self.shared: dict[int, Any] = {}
        """What can be changed and is kept there, by address."""
        self._packages: set[str] = set()
        self._classes: dict[str, type] = {}
        self._followed: set[type] = set()
        self._places: list[_Place] = []
        self._steps, self._interval = 0, SOMETIMES
        self._follow_keeper()

    def modules(self) -> list[types.ModuleType]:
        """The modules that are looked at."""
        names = sorted(name for name in sys.modules if not self._packages.isdisjoint(_within(name)))
        loaded = (sys.modules[name] for name in names)
        return [module for module in loaded if isinstance(module, types.ModuleType)]

    def follow(self, kinds: Set[type]) -> bool:
        """Look at what keeps these classes, from now on; whether any of it is new."""
        new = kinds - self._followed
        if not new:
            return False
        before = len(self._packages) + len(self._classes)
        for kind in new:
            self._followed.add(kind)
            for base in kind.__mro__:
                if _is_foreign(base.__module__):
                    self._packages.add(_package(base.__module__))
                    if "<locals>" in base.__qualname__:
                        self._classes[f"{base.__module__}.{base.__qualname__}"] = base
        return len(self._packages) + len(self._classes) > before

    def begin(self) -> None:
        """See how everything is before a step."""
        self.shared.clear()
        self._places = [self._place(name, names) for name, names in self._kept()]
        things = sum(len(place.changeable) for place in self._places)
        self._interval = max(SOMETIMES, PER_THING * things)

    def after(self, who: str, what: object) -> None:
        """See how everything is after it. Raises ``ImplementationError`` if anything changed."""
        self._steps += 1
        if self._steps <= ALWAYS or self._steps % self._interval == 0:
            for number, place in enumerate(self._places):
                if self._has_changed(place):
                    self._places[number] = again = self._place(place.name, place.names)
                    if not _is_same(place.said, again.said):
                        raise self._leak(place, again, who, what)

    def _has_changed(self, place: _Place) -> bool:
        return place.is_rebound() or any(
            not _is_alike(place.said[name], self._said(place.names[name]))
            for name in place.changeable
        )

    def _leak(self, place: _Place, again: _Place, who: str, what: object) -> ImplementationError:
        old, new = place.said, again.said
        name = min(
            each
            for each in old.keys() | new.keys()
            if not _is_alike(old.get(each, _MISSING), new.get(each, _MISSING))
        )
        before, after = old.get(name, _MISSING), new.get(name, _MISSING)
        path = full = f"{place.name}.{name}"
        if isinstance(before, _Content) and isinstance(after, _Content):
            path, before, after = differing_part(before.content, after.content, full)
        when = f"while it was handling {what!r}"
        if self._steps > ALWAYS:
            when = f"in one of the last {self._interval} steps, the last of them {what!r} of {who}"
        return ImplementationError(
            f"{who} changed {path} {when}: {_shown(before)} became {_shown(after)}",
            cause="it is kept outside of the nodes: here all of them share it and it survives "
            "crashes, and on machines of their own they would not",
            remedy="keep it in the node; or, if it decides nothing (a cache, say), name it in the "
            f"adapter's may_change: {full!r}",
        )

    def _follow_keeper(self) -> None:
        kind = type(self.keeper)
        self.follow({kind})
        module = sys.modules.get(kind.__module__)
        for value in list(vars(module).values()) if module is not None else ():
            if isinstance(value, types.ModuleType):
                name = value.__name__
            else:
                name = value.__module__ if isinstance(value, type) else ""
            if _is_foreign(name) and not _is_large(name):
                self._packages.add(_package(name))

    def _kept(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Everything that keeps something, by name."""
        yield "adapter", vars(self.keeper)
        for module in self.modules():
            yield module.__name__, vars(module)
            for name, kind in list(vars(module).items()):
                if isinstance(kind, type) and kind.__module__ == module.__name__:
                    yield f"{module.__name__}.{name}", vars(kind)
        yield from ((name, vars(kind)) for name, kind in self._classes.items())

    def _place(self, place: str, names: Mapping[str, Any]) -> _Place:
        skipped = self.private if names is vars(self.keeper) else _CACHES
        said = {}
        for name, value in list(names.items()):
            if name not in skipped and not _is_by_itself(name, value):
                content = self._said(value)
                if f"{place}.{name}" not in self.allowed:
                    said[name] = content
        return _Place(place, names, said)

    def _said(self, value: Any) -> Any:
        kind = type(value)
        if kind in CONSTANTS or kind in self.known or isinstance(value, _OPAQUE):
            return value
        if kind is types.FunctionType and not _keeps(value):
            return value
        if isinstance(value, self.ignored):
            return value
        try:
            frozen = freeze_whole(_function_of(value), known=self.known)
        except ImplementationError:
            return value  # What it is cannot be told; whether it is still the same can.
        for address, (_, part) in frozen.parts.items():
            self.shared[address] = part
        return _Content(frozen.content, bool(frozen.parts))


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return bool(top) and top not in sys.stdlib_module_names and top != "indelible"


def _package(module: str) -> str:
    """What is looked at for the sake of a module: its whole package, if that is small."""
    return module if _is_large(module) else module.partition(".")[0]


def _is_large(module: str) -> bool:
    top = module.partition(".")[0]
    return sum(name.partition(".")[0] == top for name in sys.modules) > LARGE


def _within(module: str) -> Iterator[str]:
    """The module, and the packages that it is in."""
    parts = module.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))


def _is_by_itself(name: str, value: Any) -> bool:
    """Whether it is looked at elsewhere, or is Python's own."""
    return isinstance(value, types.ModuleType) or name.startswith("__")


def _keeps(function: types.FunctionType) -> bool:
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    changeable = any(type(default) not in CONSTANTS for default in defaults)
    return bool(function.__closure__ or function.__dict__ or changeable)


def _function_of(value: Any) -> Any:
    return value.__func__ if isinstance(value, staticmethod | classmethod) else value


def _is_alike(one: Any, other: Any) -> bool:
    if one is other:
        return True
    compared = type(one) in CONSTANTS or type(one) is _Content
    return compared and type(one) is type(other) and bool(one == other)


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(map(_is_alike, one.values(), other.values()))


def _shown(value: object) -> str:
    if value is _MISSING:
        return "nothing"
    text = repr(value.content if isinstance(value, _Content) else value)
    return text if len(text) <= 100 else text[:100] + "…"
