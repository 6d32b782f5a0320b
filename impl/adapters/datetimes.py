"""Datetimes: ``datetime.now()`` and ``utcnow()`` as nodes find them, on the virtual clock.

The class is written in C, and cannot be changed; so a stand-in takes its place under its name for
the time of a step. It makes plain datetimes only, and takes them for its own: outside of a step
nothing remains of it, and what a node keeps, sends or pickles is what it always is. Others of the
module need none: ``date.today()`` asks ``time.time()``. ``now()`` of a class of somebody's own that
derives from ``datetime`` asks the real clock; asking every step twice finds it.
"""

from __future__ import annotations

import copyreg
import datetime
from typing import Any, Final

from indelible.impl.adapters.surroundings import EPOCH, current

__all__ = ["BOUND", "PLAIN", "STAND_IN", "StandIn", "reduced"]

PLAIN: Final = datetime.datetime
"""The class itself."""


class StandIn(type):
    """The type of the stand-in, which is taken for the class itself, and of what derives from it
    (in a step), which is a class like any other."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return (
            isinstance(instance, PLAIN) if cls is STAND_IN else super().__instancecheck__(instance)
        )

    def __subclasscheck__(cls, subclass: type) -> bool:
        return (
            issubclass(subclass, PLAIN) if cls is STAND_IN else super().__subclasscheck__(subclass)
        )

    def __eq__(cls, other: object) -> bool:
        return other is cls or (cls is STAND_IN and other is PLAIN)

    def __hash__(cls) -> int:
        return hash(PLAIN) if cls is STAND_IN else super().__hash__()


class _Datetime(datetime.datetime, metaclass=StandIn):
    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        if cls is STAND_IN:
            return PLAIN(*arguments, **named)
        return super().__new__(cls, *arguments, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """The moment of the step; without ``tz`` in the zone of the machine."""
        around = current()
        if around is None:
            return PLAIN.now(tz) if cls is STAND_IN else super().now(tz)
        return cls.fromtimestamp(EPOCH + around.now(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        """The moment of the step in UTC, without a zone."""
        around = current()
        if around is None:
            return PLAIN.utcnow() if cls is STAND_IN else super().utcnow()
        return cls.fromtimestamp(EPOCH + around.now(), datetime.UTC).replace(tzinfo=None)


StandIn.__name__ = type.__name__  # Frozen, the stand-in is told like the class itself.
for _name in ("__name__", "__qualname__", "__module__", "__doc__"):
    setattr(_Datetime, _name, getattr(PLAIN, _name))

STAND_IN: Final = _Datetime
"""What is called ``datetime.datetime`` during a step."""

BOUND: Final[dict[Any, Any]] = {PLAIN.now: STAND_IN.now, PLAIN.utcnow: STAND_IN.utcnow}
"""What is called in their place where a module says ``now = datetime.now``."""


def reduced(value: datetime.datetime) -> tuple[Any, ...]:
    """How a datetime is pickled in a step: as always, by the class that has its name just now."""
    return STAND_IN, value.__reduce_ex__(4)[1]


def _reduced_class(cls: Any) -> Any:
    """By its name, where it has it; a node may keep it, and is copied outside of steps."""
    if cls is not STAND_IN or datetime.datetime is STAND_IN:
        return cls.__qualname__
    return _stand_in, ()


def _stand_in() -> Any:
    return STAND_IN


copyreg.pickle(StandIn, _reduced_class)
