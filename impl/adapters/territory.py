"""Territory: where nodes that run in one process could keep what they share.

The modules of the packages that nodes come from, and whatever is reached from there: classes, also
those inside of others, functions, what they close over, the packages that these come from. Besides
the adapter, and what Python has one of: environment variables, loggers, variables of the context,
attributes that somebody hangs on ``sys``, ``builtins`` and ``__main__``. Knows no adapter.
"""

from __future__ import annotations

import builtins
import contextvars
import decimal
import gc
import logging
import os
import sys
import types
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Set
from functools import lru_cache
from typing import Any, Final

from indelible.impl.adapters.caches import Caches
from indelible.impl.adapters.reach import Namespace, Reached
from indelible.impl.adapters.shapes import CACHE

__all__ = ["Territory"]

LARGE: Final = 64
"""A library of more loaded modules is not looked at unless a node is made of its objects."""

_NOT_OURS: Final = sys.stdlib_module_names | {
    *("indelible", "click", "rich", "numba", "llvmlite", "msgspec", "z3"),
    *("hypothesis", "pytest", "_pytest", "pluggy", "xdist", "execnet"),
}
"""What a check itself runs on, which goes on beside the nodes."""

_OF_PYTHON: Final = frozenset(
    {
        *("_abc_impl", "__abstractmethods__", "__annotations__", "__slotnames__", "__doc__"),
        *("__warningregistry__", "__builtins__", "__cached__", "__spec__", "__loader__"),
        *("_member_map_", "_value2member_map_", "_member_names_", "_hashable_values_"),
        *("__dataclass_fields__", "__dataclass_params__", "__dict__", "__weakref__"),
    }
)
"""What Python itself keeps in a module or class, and may put there late."""

_OF_SYS: Final = frozenset({"stdin", "stdout", "stderr", "last_type", "last_value", "_", "ps1"})
_OF_LOGGERS: Final = frozenset({"_cache", "manager", "parent", "root"})


class Territory:
    """``keeper`` keeps something, too, in all its attributes but the ``private`` ones; what names
    in ``allowed`` stand for may change."""

    def __init__(self, keeper: object, private: Collection[str], allowed: Collection[str]) -> None:
        self._keeper, self._private = keeper, frozenset(private)
        self._allowed = frozenset(allowed)
        self._packages: set[str] = set()
        self._classes: dict[int, type] = {}
        self._followed: set[type] = set()
        self._homes: set[str] = {type(keeper).__module__}
        """Where nodes are written: the packages are followed that they import from."""
        self._follow_keeper()

    def modules(self) -> list[types.ModuleType]:
        """The modules that are looked at."""
        tops = {name.partition(".")[0] for name in self._packages}
        names = sorted(
            name
            for name in sys.modules
            if name.partition(".")[0] in tops and not self._packages.isdisjoint(_within(name))
        )
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
                if isinstance(base.__module__, str) and _is_foreign(base.__module__):
                    self._packages.add(_package(base.__module__))
                    self._classes[id(base)] = base
                    self._homes |= {base.__module__, _called(base)}
        return len(self._packages) + len(self._classes) > before

    def is_beyond(self, kind: type) -> bool:
        """Whether a class is of a large library that is not looked at."""
        name = str(kind.__module__)
        is_ours = not self._packages.isdisjoint(_within(name))
        return _is_foreign(name) and not is_ours and _is_large(name)

    def walk(self, reached: Reached, caches: Caches) -> None:
        """Look at everything."""
        caches.begin()
        allowed: list[Any] = []
        done: set[int] = set()
        kept: list[Namespace] = []
        while spaces := [each for each in (*self._spaces(), *kept) if id(each.names) not in done]:
            for space in spaces:
                done.add(id(space.names))
                called = [(space.called(name), value) for name, value in space.names.items()]
                allowed += [value for name, value in called if name in self._allowed]
                is_home = space.title in self._homes
                for each in reached.add(space):
                    if isinstance(each, types.FunctionType) and is_home:
                        self._follow_module(each.__globals__.get("__name__"))
                    elif isinstance(each, type):
                        self._follow_class(each, is_home)
                    elif isinstance(each, CACHE):
                        results = caches.watch(each, reached.name_of(each))
                        if results:
                            kept.append(_results(results, reached.name_of(each)))
        reached.share(allowed)
        reached.ask(_variable_called, lambda: self._that_matter(_variable_called, _variables()))
        reached.ask(_setting_called, lambda: self._that_matter(_setting_called, _settings()))
        known = frozenset(logging.root.manager.loggerDict)
        reached.ask(_hung_called, lambda: self._that_matter(_hung_called, _hung(known)))

    def _spaces(self) -> Iterator[Namespace]:
        """Everything that keeps something."""
        yield Namespace(
            vars(self._keeper),
            lambda name: f"adapter.{name}",
            lambda name, _: name not in self._private and self._matters(f"adapter.{name}"),
        )
        modules = self.modules()
        for module in modules:
            yield self._space(module.__name__, vars(module))
        for kind in list(self._classes.values()):
            yield self._space(_called(kind), _names_in(kind))
        yield Namespace(
            vars(os.environ)["_data"],
            lambda name: f"os.environ[{os.fsdecode(name)!r}]",
            lambda name, _: self._matters(f"os.environ[{os.fsdecode(name)!r}]"),
            is_deep=False,
        )
        yield self._shallow("sys", vars(sys), _OF_SYS)
        yield self._shallow("builtins", vars(builtins), frozenset({"_"}))
        if not any(module.__name__ == "__main__" for module in modules):
            yield self._shallow("__main__", vars(sys.modules["__main__"]), _OF_PYTHON)
        for name, logger in list(logging.root.manager.loggerDict.items()):
            if isinstance(logger, logging.Logger):
                called = f"logging.getLogger({name!r})"
                yield self._shallow(called, vars(logger), _OF_LOGGERS)

    def _space(self, title: str, names: dict[str, Any]) -> Namespace:
        def matters(name: str, value: Any) -> bool:
            is_module = isinstance(value, types.ModuleType)
            return name not in _OF_PYTHON and not is_module and self._matters(f"{title}.{name}")

        return Namespace(names, lambda name: f"{title}.{name}", matters, title=title)

    def _shallow(self, called: str, names: dict[str, Any], but: frozenset[str]) -> Namespace:
        deep = self._space(called, names)
        return deep._replace(
            matters=lambda name, value: name not in but and deep.matters(name, value),
            is_deep=False,
        )

    def _that_matter(self, called: Callable[[Any], str], names: dict[Any, Any]) -> dict[Any, Any]:
        return {name: value for name, value in names.items() if self._matters(called(name))}

    def _matters(self, name: str) -> bool:
        return name not in self._allowed

    # --- whose it is ---------------------------------------------------------------------------

    def _follow_keeper(self) -> None:
        kind = type(self._keeper)
        self.follow({kind})
        module = sys.modules.get(kind.__module__)
        for value in list(vars(module).values()) if module is not None else ():
            if isinstance(value, types.ModuleType):
                self._follow_module(value.__name__)
            elif isinstance(value, type):
                self._follow_module(value.__module__)

    def _follow_module(self, name: object) -> None:
        if isinstance(name, str) and _is_foreign(name) and not _is_large(name):
            self._packages.add(_package(name))

    def _follow_class(self, kind: type, is_home: bool) -> None:
        """A class that was met: it may be in another class, or in a function."""
        for base in kind.__mro__:
            name = base.__module__
            if isinstance(name, str) and _is_foreign(name):
                if is_home:
                    self._follow_module(name)
                if not self._packages.isdisjoint(_within(name)):
                    self._classes[id(base)] = base
                    if is_home:
                        self._homes.add(_called(base))


def _called(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _names_in(kind: type) -> dict[str, Any]:
    """The dict of a class itself, and not the view of it."""
    found: dict[str, Any] = gc.get_referents(vars(kind))[0]
    return found


def _results(results: list[Any], name: str) -> Namespace:
    return Namespace(dict(enumerate(results)), lambda _: name, lambda *_: True)


def _variables() -> dict[Any, Any]:
    """The variables of the context, but for that of ``decimal`` (``_settings``)."""
    now = contextvars.copy_context().items()
    return {variable: value for variable, value in now if variable.name != "decimal_context"}


def _variable_called(variable: contextvars.ContextVar[Any]) -> str:
    return f"the context variable {variable.name!r}"


def _settings() -> dict[Any, Any]:
    """How decimal numbers are computed just now, without making a context where there is none. Its
    flags are no part of it: every division may raise one."""
    now = contextvars.copy_context().items()
    found = [value for variable, value in now if variable.name == "decimal_context"]
    context = found[0] if found else decimal.DefaultContext
    settings = {name: getattr(context, name) for name in _OF_DECIMAL}
    traps = sorted(signal.__name__ for signal, is_set in context.traps.items() if is_set)
    return {**settings, "traps": ", ".join(traps)}


_OF_DECIMAL: Final = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")


def _setting_called(name: str) -> str:
    return f"decimal.getcontext().{name}"


def _hung(known: frozenset[str]) -> dict[tuple[str, str], Any]:
    """What was hung on loggers that were made since; to make one changes nothing."""
    made = logging.root.manager.loggerDict
    if len(made) == len(known):
        return {}
    return {
        (name, attribute): value
        for name, logger in list(made.items())
        if name not in known and isinstance(logger, logging.Logger)
        for attribute, value in vars(logger).items()
        if attribute not in vars(logging.root) and attribute not in _OF_LOGGERS
    }


def _hung_called(place: tuple[str, str]) -> str:
    name, attribute = place
    return f"logging.getLogger({name!r}).{attribute}"


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return bool(top) and top not in _NOT_OURS


def _package(module: str) -> str:
    """What is looked at for the sake of a module: its whole package, if that is small."""
    return module if _is_large(module) else module.partition(".")[0]


def _is_large(module: str) -> bool:
    return _loaded(tuple(sys.modules))[module.partition(".")[0]] > LARGE


@lru_cache(maxsize=1)
def _loaded(names: tuple[str, ...]) -> Counter[str]:
    """How many of these modules each package has."""
    return Counter(name.partition(".")[0] for name in names)


def _within(module: str) -> Iterator[str]:
    """The module, and the packages that it is in."""
    parts = module.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))
