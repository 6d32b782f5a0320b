"""Caches: what functions remember (``functools.lru_cache``), which the nodes of a process share.

What follows from its key alone, and cannot be changed, may be remembered: it makes no difference.
Whether it does is seen by forgetting it, and looking what is remembered then. Knows no adapter.
"""

from __future__ import annotations

from typing import Any, Final

from indelible.impl.adapters.freeze import freeze_whole
from indelible.impl.adapters.reach import Change, is_same_constant
from indelible.impl.adapters.shapes import MISSING, cached_results
from indelible.model.errors import ImplementationError

__all__ = ["Caches"]

REMEMBERED_MAX: Final = 10_000
"""Of how many results of a function it is known what they were before."""


class Caches:
    """All functions with a cache that were met, by the names under which they were."""

    def __init__(self) -> None:
        self.opaque: dict[str, str] = {}
        """Those that do not show what they remember, with their type."""
        self._caches: dict[int, _Cache] = {}
        self._known: dict[int, _Cache] = {}

    def begin(self) -> None:
        """Watch none any more."""
        self._caches.clear()

    def watch(self, function: Any, name: str) -> list[Any]:
        """Watch one, and say what it remembers that can be changed."""
        known = self._known.get(id(function))
        if known is None:
            known = self._known[id(function)] = _Cache(function, name)
        self._caches[id(function)] = known
        results = cached_results(function)
        if results is None:
            self.opaque[name] = type(function).__qualname__
            return []
        return known.begin(results)

    def change(self) -> Change | None:
        """What they remember that makes a difference; what makes none is forgotten."""
        for cache in self._caches.values():
            change = cache.change()
            if change is not None:
                return change
        return None


class _Cache:
    """One function. ``is_kept`` is what it remembered before and can be changed: it stays so."""

    def __init__(self, function: Any, name: str) -> None:
        self.function, self.name = function, name
        self._kept: list[tuple[Any, Any]] = []
        self._was: dict[Any, Any] = {}

    def begin(self, results: list[tuple[Any, Any]]) -> list[Any]:
        self._kept = results if not all(_is_constant(pair) for pair in results) else []
        return [each for pair in self._kept for each in pair]

    def change(self) -> Change | None:
        results = cached_results(self.function) or []
        if self._kept:
            old = {(id(key), id(result)) for key, result in self._kept}
            for key, result in results:
                if (id(key), id(result)) not in old and not self._is_known(key, result):
                    return self._remembered(key, MISSING, result)
            return None
        for key, result in results:
            if self._is_known(key, result):
                continue
            if not _is_constant((key, result)):
                return self._remembered(key, MISSING, result)
            if key in self._was:
                return self._remembered(key, self._was[key], result)
            if len(self._was) < REMEMBERED_MAX:
                self._was[key] = result
        if results:
            self.function.cache_clear()
        return None

    def _is_known(self, key: Any, result: Any) -> bool:
        try:
            was = self._was.get(key, MISSING)
        except TypeError:
            return False
        return was is not MISSING and (was is result or is_same_constant(was, result))

    def _remembered(self, key: Any, before: Any, after: Any) -> Change:
        shown = repr(key) if _is_constant(key) else f"a {type(key).__name__}"
        return Change(f"the cache of {self.name} for {shown}", self.name, before, after)


def _is_constant(value: Any) -> bool:
    """Whether nobody can change anything in it."""
    try:
        return not freeze_whole(value).parts
    except ImplementationError:
        return False
