"""The walk of a freeze: where it is in the value, and what it has met. Which plan freezes which
type is not known here.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import ipaddress
import pathlib
import re
import struct
import sys
import types
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from indelible.model.errors import ImplementationError
from indelible.model.plain import TYPE, Same

__all__ = [
    "CONSTANTS",
    "NUMBERS",
    "Part",
    "Place",
    "Plan",
    "Substitute",
    "Walk",
    "called",
    "described",
    "is_called_deeply",
    "is_made_of_attributes",
    "name_of",
    "own_dict",
    "path_of",
    "slots_of",
]

Substitute: TypeAlias = Callable[[Any], Any]
Place: TypeAlias = "tuple[Place, str] | None"
"""Where something is in a value: one step further than another place; ``None`` is the value."""
Part: TypeAlias = tuple[Place, Any]

CONSTANTS: Final = frozenset(
    {
        *(bool, int, str, bytes, type(None), type(...), type(NotImplemented)),
        *(range, datetime.date, datetime.timedelta, datetime.timezone),
        *(fractions.Fraction, uuid.UUID, re.Pattern),
        *(ipaddress.IPv4Address, ipaddress.IPv6Address, Same),
        *(pathlib.PurePosixPath, pathlib.PosixPath),
    }
)
"""Types whose values nobody can change, and that are equal if they are the same. Those that are
equal though they are not (``range(0)`` and ``range(0, 0, 2)``) ``same_types`` tells apart."""

NUMBERS: Final = frozenset({float, complex, decimal.Decimal})
"""Types whose values nobody can change, and of which some equal nothing, not even themselves."""

POINTER: Final = struct.calcsize("P")
"""How many bytes an attribute takes in an instance that has a place for it."""

FINGERPRINT: Final = (
    "give the adapter a fingerprint(instance) that says what decides how the node goes on"
)
"""What can be done about what cannot be told."""

SHOWN: Final = 40
"""How many letters are shown of a path that hardly ends."""


_DEPTH_MAX: Final = 2
"""How many values are told alone at once, each for the order of a set in another: things of which
each has a set of all others would be told in every order that there is of them."""


class Walk:
    """One walk through a value. ``plans`` say how values of a type are frozen, and whether they
    can be changed.

    ``met`` has everything that can be changed, by address: where it is, and it, so that nothing
    else has its address; ``known`` types say what is frozen in their place, and are not in it.
    ``on_the_spot`` says it for what is told alone, where ``known`` would note that it was told.
    ``dicts`` were met, each with its canonical order, and ``suspended`` says that something (an
    iterator, a coroutine) may be in the midst of one.
    """

    __slots__ = (
        *("alive", "depth", "dicts", "here", "known", "met", "on_the_spot", "plans"),
        *("substituted", "suspended"),
    )

    def __init__(
        self,
        plans: Mapping[type, tuple[Plan, bool]],
        known: Mapping[type, Substitute] | None = None,
        on_the_spot: Mapping[type, Substitute] | None = None,
    ) -> None:
        self.plans, self.known = plans, known or {}
        self.on_the_spot = {**self.known, **on_the_spot} if on_the_spot else self.known
        self.here: Place = None
        self.depth = 0
        """How many values are told alone right now."""
        self.met: dict[int, Part] = {}
        self.substituted: dict[int, Place] = {}
        self.dicts: list[tuple[dict[Any, Any], list[Any]]] = []
        self.suspended = False
        self.alive: list[object] = []
        """What was made on the way: as long as it lives, nothing else has its address."""

    def frozen(self, value: Any) -> Any:
        """The value at hand as a plain value."""
        kind = type(value)
        if kind in CONSTANTS:
            return value
        if kind in self.known:
            return self._substitute(value)
        plan, can_change = self.plans[kind]
        return self.once(value, plan) if can_change else plan(self, value)

    def once(self, value: Any, plan: Plan) -> Any:
        """What can be changed, frozen where it is first met."""
        address = id(value)
        known = self.met.get(address)
        if known is not None:
            return Same(path_of(known[0]))
        self.met[address] = (self.here, value)
        return plan(self, value)

    def at(self, step: str, value: Any) -> Any:
        """The part of the value at hand that is one step further."""
        kind = type(value)
        if kind in CONSTANTS:
            return value
        outside = self.here
        self.here = (outside, step)
        if kind in self.known:
            frozen = self._substitute(value)
        else:
            plan, can_change = self.plans[kind]
            frozen = self.once(value, plan) if can_change else plan(self, value)
        self.here = outside
        return frozen

    def parts(self, values: Sequence[Any]) -> Sequence[Any]:
        """Numbered parts; the values themselves if nobody can change any."""
        if CONSTANTS.issuperset(map(type, values)):
            return values
        return [
            part if type(part) in CONSTANTS else self.at(f"[{index}]", part)
            for index, part in enumerate(values)
        ]

    def attributes(self, value: Any) -> dict[str, Any]:
        """What an instance keeps, by name: in its ``__dict__``, and in slots."""
        kept = dict(own_dict(value) or ())
        kind: Any = type(value)
        for name, slot in slots_of(kind):
            try:
                kept[name] = slot.__get__(value)
            except AttributeError:
                continue  # Nothing was ever put there.
        return {
            name: part if type(part := kept[name]) in CONSTANTS else self.at(f".{name}", part)
            for name in sorted(kept)
        }

    def alone(self, value: Any) -> Any:
        """What the value is if it is the next to be met; the walk itself goes no further by it.

        By this the parts of a set are put in an order that depends on no address. What was met
        before is told by its path, so that this ends though everything leads to everything. An
        order is all that may be made of it: different values may be told alike.
        """
        kind = type(value)
        if kind in CONSTANTS:
            return value
        if self.is_deep and (kind in self.known or self.plans[kind][1]):
            return name_of(kind)
        met, substituted, dicts = len(self.met), len(self.substituted), len(self.dicts)
        here, known = self.here, self.known
        self.here, self.known, self.depth = (here, "{}"), self.on_the_spot, self.depth + 1
        frozen = self.frozen(value)
        self.here, self.known, self.depth = here, known, self.depth - 1
        _forget(self.met, met)
        _forget(self.substituted, substituted)
        del self.dicts[dicts:]
        return frozen

    @property
    def is_deep(self) -> bool:
        """Whether what can be changed is told alone by its type and nothing else."""
        return self.depth >= _DEPTH_MAX

    def refuse(self, value: object, cause: str) -> ImplementationError:
        """The error that says what cannot be told."""
        return ImplementationError(
            "the state of a node cannot be told exactly: "
            f"{path_of(self.here) or 'it'} is of type {name_of(type(value))}",
            cause=cause,
            remedy=f"keep it outside of the node, or {FINGERPRINT}",
        )

    def too_deep(self, error: RecursionError) -> Exception:
        """The error that says where the value is nested too deeply; or the very error, where it is
        the code on trial that called itself too often."""
        if is_called_deeply():
            return error
        path = path_of(self.here)
        return ImplementationError(
            "the state of a node is nested too deeply to be told: "
            f"{path[:SHOWN] + '…' if len(path) > SHOWN else path or 'it'}",
            cause="each level takes some calls of Python, of which there may be "
            f"{sys.getrecursionlimit()} in one another",
            remedy=f"keep in a list what is a chain of pairs or objects, or {FINGERPRINT}",
        )

    def _substitute(self, value: Any) -> Any:
        address = id(value)
        if address in self.substituted:
            return Same(path_of(self.substituted[address]))
        self.substituted[address] = self.here
        said = self.known[type(value)](value)
        self.alive.append(said)
        return self.frozen(said)


Plan: TypeAlias = Callable[[Walk, Any], Any]


def is_called_deeply() -> bool:
    """Whether calls take more than half of the stack that there is."""
    frame: types.FrameType | None = sys._getframe()
    depth = 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth > sys.getrecursionlimit() // 2


def _forget(noted: dict[int, Any], count: int) -> None:
    """Forget all but the first ``count``."""
    while len(noted) > count:
        noted.popitem()


def path_of(place: Place) -> str:
    """A place in a value, as code would have it."""
    steps = []
    while place is not None:
        place, step = place
        steps.append(step)
    return "".join(reversed(steps)).removeprefix(".")


_NAMES: Final[dict[str, type]] = {}
_CALLED: Final[dict[Any, str]] = {}


def name_of(kind: Any) -> str:
    """What a class is called: its name, with its module where another has the same.

    Names are in traces, so they do not depend on which of two classes of one package is met first.
    """
    known = _CALLED.get(kind)
    if known is None:
        known = _CALLED[kind] = _name_of(kind)
    return known


def _name_of(kind: Any) -> str:
    if _adds_nothing(kind):
        return name_of(kind.__base__)
    name = kind.__qualname__.replace("<locals>.", "")
    package = kind.__module__.partition(".")[0]
    namesakes = (
        vars(module).get(kind.__name__)
        for path, module in list(sys.modules.items())
        if path.partition(".")[0] == package and path != kind.__module__ and module is not None
    )
    alone = not any(
        isinstance(each, type) and each is not kind and each.__qualname__ == kind.__qualname__
        for each in namesakes
    )
    if alone and _NAMES.setdefault(name, kind) is kind:
        return str(name)
    return f"{kind.__module__}.{name}"


def _adds_nothing(kind: Any) -> bool:
    """Whether it is made of a class of that very name, and is no other, as each mock has one."""
    base = kind.__base__
    return (
        len(kind.__bases__) == 1
        and (base.__module__, base.__qualname__) == (kind.__module__, kind.__qualname__)
        and vars(kind).keys() <= {"__doc__", "__module__", "__dict__", "__weakref__"}
    )


def described(kind: type, said: dict[str, Any]) -> dict[str, Any]:
    """What is said of an instance of a class, with the name of the class, which gives way to an
    attribute that is called as ``TYPE`` is."""
    return {"(class)" if TYPE in said else TYPE: name_of(kind), **said}


def called(value: Any) -> str:
    """What a function, module or logger is called, with its module."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or value.name
    return f"{value.__module__}.{name}" if getattr(value, "__module__", None) else str(name)


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


def own_dict(value: Any) -> dict[str, Any] | None:
    """Where an instance keeps its attributes, whatever its class says when it is asked for one."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if isinstance(found, dict) else None


@cache
def slots_of(kind: type) -> tuple[tuple[str, Any], ...]:
    """The slots of a class, in which its instances keep attributes."""
    return tuple(
        (name, attribute)
        for base in kind.__mro__
        if "__slots__" in vars(base)
        for name, attribute in vars(base).items()
        if type(attribute) is types.MemberDescriptorType
    )
