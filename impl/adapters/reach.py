"""Reach: all that can be reached from names, as it was when it was looked at, and what has changed.

To look again takes a few calls of C: the garbage collector is asked what everything refers to, and
identities are compared. Only where they differ Python asks what that means, and whether something
equal took the place of it. What the collector is not told of (a counter, an array) is asked by type
(``shapes``). Knows neither modules nor nodes.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import is_
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.freeze import CONSTANTS
from indelible.impl.adapters.shapes import MISSING, Shape, Shapes, key_of, step_of
from indelible.impl.adapters.walk import NUMBERS
from indelible.model.canonical import same_types

__all__ = ["Change", "Group", "Namespace", "Reached", "is_same_constant"]

TOLD: Final = 64
"""To ask something what it is costs about as much as to compare so many references."""


class Namespace(NamedTuple):
    """Names, what errors call each of them, and which of them matter."""

    names: dict[Any, Any]
    called: Callable[[Any], str]
    matters: Callable[[Any, Any], bool]
    is_deep: bool = True
    """Whether what they stand for is looked into."""
    title: str = ""

    def that_matter(self) -> dict[Any, Any]:
        """The names that matter, with what they stand for."""
        matters = self.matters
        return {name: value for name, value in list(self.names.items()) if matters(name, value)}


class Change(NamedTuple):
    """What has changed: where, under which name, and from what to what."""

    path: str
    name: str
    before: Any
    after: Any


class _Seen(NamedTuple):
    """Something that refers to others, as it was; ``name`` is by which it was reached first, and
    ``None`` if it is the namespace itself."""

    value: Any
    space: Namespace
    name: Any
    shape: Shape | None
    was: Any

    def now(self) -> Any:
        if self.shape is None:
            return self.space.that_matter()
        assert self.shape.shallow is not None
        return self.shape.shallow(self.value)


class _Told(NamedTuple):
    """Something that says what it is."""

    value: Any
    space: Namespace
    name: Any
    tell: Callable[[Any], Any]
    was: Any


class Reached:
    """What was reached. What is reached by one name is ``large`` if it is more things than that,
    and looked at apart.

    ``found`` has all of it, by address; ``opaque`` what nobody can look into: by name, its type.
    """

    def __init__(self, shape_of: Shapes, large: int) -> None:
        self.shape_of, self._large = shape_of, large
        self.found: dict[int, Any] = {}
        self.opaque: dict[str, str] = {}
        self.small, self.large = Group(), Group()
        self._roots: dict[int, dict[Any, Any]] = {}
        self._seen: dict[int, _Seen] = {}
        self._told: dict[int, _Told] = {}

    def add(self, space: Namespace) -> Iterator[Any]:
        """Look at what a namespace keeps, and yield everything that is met."""
        was = self._roots[id(space.names)] = space.that_matter()
        self.small.seen.append(_Seen(space.names, space, None, None, was))
        for name, value in was.items() if space.is_deep else ():
            part = Group()
            yield from self._walk(space, name, value, part)
            group = self.large if len(part.seen) + len(part.told) > self._large else self.small
            group.seen += part.seen
            group.told += part.told

    def ask(self, called: Callable[[Any], str], tell: Callable[[], dict[Any, Any]]) -> None:
        """Look at names that must be asked for."""
        space = Namespace({}, called, lambda *_: True)
        self.small.told.append(_Told(None, space, None, lambda _: tell(), tell()))

    def name_of(self, value: Any) -> str:
        """By which name something that refers to others was reached first."""
        seen = self._seen[id(value)]
        return seen.space.called(seen.name)

    def named(self) -> Iterator[tuple[str, Any]]:
        """Everything that was looked at, each with the name by which it was reached first."""
        for seen in self._seen.values():
            yield seen.space.called(seen.name), seen.value

    def share(self, values: Iterable[Any]) -> None:
        """Find these, and what they keep, and look at none of it."""
        other = Reached(self.shape_of, self._large)
        other.found = self.found
        space = Namespace({}, str, lambda *_: True)
        for value in values:
            for _ in other._walk(space, "", value, Group()):
                pass

    def _walk(self, space: Namespace, name: Any, value: Any, part: Group) -> Iterator[Any]:
        stack, found, shape_of = [value], self.found, self.shape_of
        while stack:
            each = stack.pop()
            if type(each) in CONSTANTS or id(each) in found or (shape := shape_of(each)) is None:
                continue
            found[id(each)] = each
            if shape.tell is not None:
                was = shape.tell(each)
                if was is MISSING or shape.is_partial:
                    kind = type(each)
                    self.opaque[space.called(name)] = f"{kind.__module__}.{kind.__qualname__}"
                if was is not MISSING:
                    self._told[id(each)] = told = _Told(each, space, name, shape.tell, was)
                    part.told.append(told)
            if shape.shallow is not None:
                was = shape.shallow(each)
                self._seen[id(each)] = seen = _Seen(each, space, name, shape, was)
                part.seen.append(seen)
                stack.extend(was.values() if isinstance(was, dict) else was)
            yield each

    def change(self, group: Group, but: str = "") -> Change | None:
        """What has changed in a group, except in a namespace; ``None`` if all that differs is as
        good as it was."""
        for seen in group.seen:
            if seen.shape is None and but and seen.space.title == but:
                continue
            difference = self._difference(seen.was, seen.now())
            if difference is not None:
                return self._told_of(seen, *difference)
        for told in group.told:
            now = told.tell(told.value)
            if told.value is None:
                difference = self._difference(told.was, now)
                if difference is not None:
                    name = told.space.called(difference[0])
                    return Change(name, name, *difference[1:])
            elif told.was != now:
                path = self._path_to(told.value, told.space, told.name)
                return Change(path, told.space.called(told.name), told.was, now)
        return None

    def _told_of(self, seen: _Seen, key: Any, before: Any, after: Any) -> Change:
        if seen.shape is None:
            name = seen.space.called(key)
            return Change(name, name, before, after)
        path = self._path_to(seen.value, seen.space, seen.name) + step_of(key)
        return Change(path, seen.space.called(seen.name), before, after)

    def _path_to(self, value: Any, space: Namespace, name: Any) -> str:
        """By which way something was reached, the shortest one."""
        start = space.called(name)
        root = self._roots.get(id(space.names), {}).get(name)
        level, met = [(start, root)], set()
        while level:
            following = []
            for path, each in level:
                if each is value:
                    return path
                seen = self._seen.get(id(each))
                if seen is not None and id(each) not in met:
                    met.add(id(each))
                    pairs = _labelled(seen.was)
                    following += [(path + step_of(key), part) for key, part in pairs]
            level = following
        return start

    def _difference(self, was: Any, now: Any) -> tuple[Any, Any, Any] | None:
        """The first place in which parts differ, and both of them."""
        before = {key_of(key): (key, part) for key, part in _labelled(was)}
        after = {key_of(key): (key, part) for key, part in _labelled(now)}
        for place in {**before, **after}:
            key, one = before.get(place, (None, MISSING))
            other_key, other = after.get(place, (None, MISSING))
            if not self._is_same(one, other, set()):
                return (other_key if one is MISSING else key), one, other
        return None

    def _is_same(self, one: Any, other: Any, met: set[tuple[int, int]]) -> bool:
        """Whether what was ``one`` cannot be told from ``other``."""
        if one is other or (id(one), id(other)) in met:
            return True  # Whether it has changed itself is asked where it is looked at.
        kind = type(one)
        if kind is not type(other) or one is MISSING or other is MISSING:
            return False
        if kind in CONSTANTS or kind in NUMBERS:
            return is_same_constant(one, other)
        shape, seen, told = self.shape_of(one), self._seen.get(id(one)), self._told.get(id(one))
        if shape is None or (seen is None and told is None):
            return False
        met.add((id(one), id(other)))
        if shape.tell is not None and (told is None or told.was != shape.tell(other)):
            return False
        if shape.shallow is None or seen is None:
            return shape.shallow is None
        before = {key_of(key): part for key, part in _labelled(seen.was)}
        after = {key_of(key): part for key, part in _labelled(shape.shallow(other))}
        return before.keys() == after.keys() and all(
            self._is_same(part, after[key], met) for key, part in before.items()
        )


class Group:
    """Things that are looked at together."""

    def __init__(self) -> None:
        self.seen: list[_Seen] = []
        self.told: list[_Told] = []
        self._values: list[Any] = []
        self._named: list[Any] = []
        self._ordered: list[Any] = []
        self._referents: list[Any] = []
        self._keys: list[Any] = []

    def note(self) -> None:
        """See what everything refers to now."""
        self._values = [
            each
            for seen in self.seen
            for each in (seen.shape.flat(seen.value) if seen.shape else (seen.value,))
        ]
        named = [each for each in self._values if isinstance(each, dict)]
        self._named = [each for each in named if not isinstance(each, OrderedDict)]
        self._ordered = [each for each in named if isinstance(each, OrderedDict)]
        self._referents, self._keys = self._looked()

    @property
    def cost(self) -> int:
        """How many references are compared in a look, with what costs as much."""
        return len(self._referents) + len(self._keys) + TOLD * len(self.told)

    def is_unchanged(self) -> bool:
        """Whether everything refers to the very same, and what is told is the same."""
        referents, keys = self._looked()
        return (
            _are_same(self._referents, referents)
            and self._keys == keys  # All but texts were compared just now.
            and all(each.was == each.tell(each.value) for each in self.told)
        )

    def _looked(self) -> tuple[list[Any], list[Any]]:
        # Of keys that are texts the collector is not told.
        keys = chain(map(dict.keys, self._named), map(OrderedDict.keys, self._ordered))
        return gc.get_referents(*self._values), list(chain.from_iterable(keys))


def _are_same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))


def is_same_constant(one: Any, other: Any) -> bool:
    """Whether two constants of a type are the same, or both no number."""
    return same_types(one, other) if one == other else bool(one != one and other != other)


def _labelled(was: Any) -> Iterable[tuple[Any, Any]]:
    return was.items() if isinstance(was, dict) else enumerate(was)
