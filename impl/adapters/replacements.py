"""Replacements: Python's own functions for time, chance and the world, for the time of a step.

They are put in place when a step begins and back when it ends, ask the ``Surroundings`` of the
step, and do what they always do for other threads. What code has kept under no name of a module (as
a default argument, say) cannot be replaced: asking every step twice finds it. What opens files and
connections is the matter of ``guards``.
"""

from __future__ import annotations

import _thread
import asyncio
import asyncio.taskgroups
import asyncio.tasks
import builtins
import copyreg
import datetime
import os
import random
import select
import signal
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from types import BuiltinMethodType, ModuleType, TracebackType
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.datetimes import BOUND, PLAIN, STAND_IN, reduced
from indelible.impl.adapters.guards import RUNS_BESIDE, guard
from indelible.impl.adapters.inserted_order import GatheringFuture, InOrder, all_tasks, as_completed
from indelible.impl.adapters.surroundings import EPOCH, Surroundings, current, enter, leave

__all__ = ["Replaced", "Replacement", "imported_names", "surrounded"]


class Replaced(NamedTuple):
    """The names of a module: what they are during a step, and what else."""

    module: ModuleType
    new: dict[str, Any]
    old: dict[str, Any]


class Replacement:
    """A function of Python's as nodes find it: they may keep it, and it is copied as itself."""

    __slots__ = ("_old", "_virtual", "name")

    def __init__(self, name: str, old: Any, virtual: Callable[..., Any]) -> None:
        self.name, self._old, self._virtual = name, old, virtual

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        surroundings = current()
        if surroundings is None:
            return self._old(*arguments, **named)
        return self._virtual(surroundings, *arguments, **named)

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, (self.name,)

    def __deepcopy__(self, memo: object) -> Replacement:
        return self

    def __repr__(self) -> str:
        return self.name


def _by_name(name: str) -> Replacement:
    return _BY_NAME[name]


Virtual = Callable[..., Any]


# --- time -------------------------------------------------------------------------------------


def _seconds(offset: float = 0.0) -> Virtual:
    return lambda around: offset + around.now()


def _nanoseconds(offset: float = 0.0) -> Virtual:
    return lambda around: round((offset + around.now()) * 1_000_000_000)


def _of_moment(old: Any) -> Virtual:
    """One that takes a moment, in seconds since the epoch, and without one means now."""
    return lambda around, moment=None: old(EPOCH + around.now() if moment is None else moment)


def _of_parts(old: Any, count: int) -> Virtual:
    """One that takes a moment, in its parts, as the last of ``count`` arguments."""

    def virtual(around: Surroundings, *arguments: Any) -> Any:
        if len(arguments) < count:
            arguments = (*arguments, _LOCALTIME(EPOCH + around.now()))
        return old(*arguments)

    return virtual


def _of_clock(scale: int) -> Virtual:
    def virtual(around: Surroundings, clock: int) -> float | int:
        now = around.now() + (EPOCH if clock == time.CLOCK_REALTIME else 0.0)
        return now if scale == 1 else round(now * scale)

    return virtual


_LOCALTIME: Final = time.localtime

_TIME: Final[dict[str, Virtual]] = {
    "time": _seconds(EPOCH),
    "time_ns": _nanoseconds(EPOCH),
    **dict.fromkeys(("monotonic", "perf_counter", "process_time", "thread_time"), _seconds()),
    **dict.fromkeys(
        ("monotonic_ns", "perf_counter_ns", "process_time_ns", "thread_time_ns"), _nanoseconds()
    ),
    **{name: _of_moment(getattr(time, name)) for name in ("localtime", "gmtime", "ctime")},
    "clock_gettime": _of_clock(1),
    "clock_gettime_ns": _of_clock(1_000_000_000),
    "asctime": _of_parts(time.asctime, 1),
    "strftime": _of_parts(time.strftime, 2),
}


# --- chance -----------------------------------------------------------------------------------


def _drawing(name: str) -> Virtual:
    def virtual(around: Surroundings, *arguments: Any, **named: Any) -> Any:
        return getattr(around.generator(), name)(*arguments, **named)

    return virtual


def _bytes(around: Surroundings, size: int, *_: Any) -> bytes:
    return around.generator().randbytes(size)


def _uuid1(around: Surroundings, node: int | None = None, *_: Any, **__: Any) -> Any:
    drawn = around.generator().getrandbits(128)
    if node is not None:
        drawn = drawn >> 48 << 48 | node
    return uuid.UUID(int=drawn, version=1)


_SEED: Final = random.Random.seed


def _seed(self: Any, a: Any = None, version: int = 2) -> None:
    surroundings = current()
    if a is None and surroundings is not None:
        a = surroundings.generator().getrandbits(256)
    _SEED(self, a, version)


_CHANCE: Final[dict[str, Virtual]] = {
    name: _drawing(name)
    for name in dir(random)
    if isinstance(getattr(getattr(random, name), "__self__", None), random.Random)
}
"""The functions of the module, which share a generator that is hidden in it."""


# --- the order of addresses -------------------------------------------------------------------


def _in_order(function: Virtual, original: Any) -> Virtual:
    return lambda _, *arguments, **named: function(original, *arguments, **named)


_ORDER: Final[dict[str, Virtual]] = {
    "all_tasks": _in_order(all_tasks, asyncio.all_tasks),
    "as_completed": _in_order(as_completed, asyncio.as_completed),
}


# --- the world --------------------------------------------------------------------------------

WAITS: Final = (
    "a step is one instant in which nothing else happens, so what it waits for never comes",
    "set a timer, or let the node go on when it is sent something",
)


def _refused(what: str, why: tuple[str, str]) -> Virtual:
    def virtual(around: Surroundings, *_: Any, **__: Any) -> Any:
        raise around.refuse(what, *why)

    return virtual


def _wait(self: Any, *arguments: Any, **named: Any) -> Any:
    surroundings = current()
    if surroundings is not None:
        raise surroundings.refuse("threading.Condition.wait", *WAITS)
    return _WAIT(self, *arguments, **named)


_WAIT: Final = threading.Condition.wait


LEAVES: Final = (
    "all nodes run in the process of the checker: what ends or disturbs it ends them all",
    "let the node raise an exception; a crash comes from the checker",
)


def _pid(around: Surroundings) -> int:
    """A number of the node's own, the same in every run."""
    return 2 + zlib.crc32(repr(around.node).encode()) % 32_000


def _times(around: Surroundings) -> os.times_result:
    return os.times_result((around.now(), 0.0, 0.0, 0.0, around.now()))


# --- all of them ------------------------------------------------------------------------------


def _replaced(module: ModuleType, virtual: dict[str, Virtual]) -> Replaced:
    # Some systems, and some versions of Python, have fewer of them.
    old = {name: getattr(module, name) for name in virtual if hasattr(module, name)}
    new = {name: Replacement(f"{module.__name__}.{name}", old[name], virtual[name]) for name in old}
    return Replaced(module, new, old)


_MODULES: Final = (
    _replaced(time, {**_TIME, "sleep": _refused("time.sleep", WAITS)}),
    _replaced(random, {**_CHANCE, "_urandom": _bytes}),
    _replaced(
        os,
        {
            "urandom": _bytes,
            "getrandom": _bytes,
            "getpid": _pid,
            "times": _times,
            **{name: _refused(f"os.{name}", LEAVES) for name in ("_exit", "abort")},
        },
    ),
    _replaced(uuid, {"uuid1": _uuid1}),
    _replaced(builtins, {"input": _refused("input", WAITS)}),
    _replaced(
        signal,
        {
            name: _refused(f"signal.{name}", LEAVES)
            for name in ("signal", "alarm", "setitimer", "raise_signal")
        },
    ),
    _replaced(select, {"select": _refused("select.select", WAITS)}),
    _replaced(_thread, {"start_new_thread": _refused("start_new_thread", RUNS_BESIDE)}),
    _replaced(
        threading,
        {
            "_start_new_thread": _refused("Thread.start", RUNS_BESIDE),
            "_start_joinable_thread": _refused("Thread.start", RUNS_BESIDE),
        },
    ),
    Replaced(datetime, {"datetime": STAND_IN}, {"datetime": PLAIN}),
    _replaced(asyncio, _ORDER),
    _replaced(asyncio.tasks, _ORDER),
)
_OWN_NAMES: Final = (
    Replaced(asyncio.taskgroups, {"set": InOrder}, {"set": set}),
    Replaced(
        asyncio.tasks,
        {"_GatheringFuture": GatheringFuture},
        {"_GatheringFuture": GatheringFuture.__base__},
    ),
)
"""What is something else to these modules, and to nobody who has it under a name of his own."""
_BY_NAME: Final[dict[str, Replacement]] = {
    str(new): new for each in _MODULES for new in each.new.values() if isinstance(new, Replacement)
}
_BY_OLD: Final = {id(old): each.new[name] for each in _MODULES for name, old in each.old.items()}

_METHODS: Final = (
    (random.Random, "seed", _seed, _SEED),
    (threading.Condition, "wait", _wait, _WAIT),
)
"""Few, since to replace a method costs ten times what it costs to replace a function."""


_ALL: Final = (*_MODULES, *_OWN_NAMES)
_MANY: Final = [each for each in _ALL if len(each.old) > 1]
_PUT: Final = tuple((vars(each.module).update, each.new) for each in _MANY)
_PUT_BACK: Final = tuple((vars(each.module).update, each.old) for each in _MANY)
_SINGLE: Final = tuple(
    (vars(each.module), name, each.new[name], old)
    for each in _ALL
    if len(each.old) == 1
    for name, old in each.old.items()
)
"""The modules with one name, which cost less one by one."""


guard()


def imported_names(modules: Iterable[ModuleType]) -> tuple[Replaced, ...]:
    """Where modules have such a function under a name of their own (``from time import time``)."""
    found = []
    for module in modules:
        old = {name: value for name, value in vars(module).items() if _is_replaced(value)}
        if old:
            new = {name: _new(value) for name, value in old.items()}
            found.append(Replaced(module, new, old))
    return tuple(found)


def _is_replaced(value: Any) -> bool:
    return id(value) in _BY_OLD or (type(value) is BuiltinMethodType and value in BOUND)


def _new(value: Any) -> Any:
    return _BY_OLD[id(value)] if id(value) in _BY_OLD else BOUND[value]


class surrounded:  # noqa: N801
    """The context of a step: its surroundings are the current ones, and what it prints goes to
    stderr, since stdout is the checker's. Raises what was refused, even if the code caught it.
    """

    __slots__ = ("_imported", "_put_back", "_stdout", "_surroundings")

    def __init__(self, surroundings: Surroundings, imported: tuple[Replaced, ...] = ()) -> None:
        self._surroundings, self._imported = surroundings, imported
        self._put_back = False
        self._stdout: Any = None

    def __enter__(self) -> Surroundings:
        self._put_back = enter(self._surroundings)
        if self._put_back:
            for put, names in _PUT:
                put(names)
            for module, name, new, _ in _SINGLE:
                module[name] = new
            for each in self._imported:
                vars(each.module).update(each.new)
            for owner, name, new, _ in _METHODS:
                setattr(owner, name, new)
            copyreg.dispatch_table[PLAIN] = reduced
            self._stdout, sys.stdout = sys.stdout, sys.stderr
        return self._surroundings

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leave()
        if self._put_back:
            sys.stdout = self._stdout
            del copyreg.dispatch_table[PLAIN]
            for owner, name, _, old in _METHODS:
                setattr(owner, name, old)
            for each in self._imported:
                vars(each.module).update(each.old)
            for module, name, _, old in _SINGLE:
                module[name] = old
            for put, names in _PUT_BACK:
                put(names)
        refused = self._surroundings.refused
        if refused is not None and error is not refused:
            raise refused from error
