"""Copying: a node that can be changed, kept so that any number of equal ones can be made of it.

A copy must be as good as the node: made of the same things, sharing nothing with it that can be
changed, but for what lives outside of the nodes (``leaks`` watches that), which stays the very
same. What no copy is that good of is refused, and then ``replaying`` is left. Knows no adapter.
"""

from __future__ import annotations

import copy
import copyreg
import io
import pickle
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from indelible.impl.adapters.freeze import Frozen, is_made_of_attributes
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.walk import path_of, slots_of
from indelible.model.implementation import differing_part

__all__ = ["Copier", "Data", "NoCopyError", "WrongCopyError", "is_plainly_pickled"]

ALWAYS: Final = 200
SOMETIMES: Final = 16
"""The copies of the first ``ALWAYS`` states are compared with what they are copies of, then one in
``SOMETIMES``: how a class is copied seldom depends on what is in it."""


class NoCopyError(Exception):
    """A node of which no copy can be made, and why."""


class WrongCopyError(NoCopyError):
    """A copy was made, and is not as good as the node; so may be those that nobody looked at."""


@cache
def is_plainly_pickled(kind: Any) -> bool:
    """Whether bytes hold all that an instance keeps, because its class has no say in them."""
    if kind.__module__.partition(".")[0] in sys.stdlib_module_names | {"indelible"}:
        return True
    return (
        kind not in copyreg.dispatch_table
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and getattr(kind, "__getstate__", None) is getattr(object, "__getstate__", None)
    )


class Apart(NamedTuple):
    """A node taken apart: its class, its attributes by name, those that are an outbox, and the
    others as bytes. Half of what it costs to pickle a node is to look up its class by name."""

    kind: Any
    names: tuple[str, ...]
    outboxes: tuple[tuple[str, Outbox], ...]
    values: bytes


Data: TypeAlias = bytes | Apart
"""A node as a constant: equal only for nodes that are the same."""


@cache
def _comes_apart(kind: Any) -> bool:
    """Whether an instance is its attributes, and is pickled and made anew as any object is."""
    own = [vars(base)["__dict__"] for base in kind.__mro__ if "__dict__" in vars(base)]
    return (
        kind.__module__.partition(".")[0] not in sys.stdlib_module_names | {"indelible"}
        and is_plainly_pickled(kind)
        and is_made_of_attributes(kind)
        and not slots_of(kind)
        and (kind.__module__, kind.__qualname__) not in _NUMBERED
        and [type(each) for each in own] == [types.GetSetDescriptorType]
        and not any(hasattr(kind, name) for name in _SAYS)
    )


_SAYS: Final = ("__setstate__", "__getnewargs__", "__getnewargs_ex__", "__del__")
"""By what a class says how it is pickled, and what would happen to instances that are half made."""


_NUMBERED: Final[dict[tuple[str, str], int]] = vars(copyreg).get("_extension_registry", {})
"""The classes that bytes call by a number."""


class Copier:
    """Copies nodes; ``frozen`` says what one is. ``kept`` are, by address, the things that every
    copy shares: its owner may add to it.
    """

    def __init__(self, frozen: Callable[[Any], Frozen]) -> None:
        self.frozen = frozen
        self.kept: dict[int, Any] = {}
        self._checks = 0

    def data(self, node: Any) -> Data:
        """The node as a constant. Raises ``NoCopyError`` if it cannot be one."""
        try:
            return self._written(node)
        except Exception as error:
            raise _raised("to pickle it", error) from error

    def from_data(self, data: Data) -> Any:
        """A node that is written so. Raises ``NoCopyError`` if none can be made of it."""
        try:
            return self._read(data)
        except Exception as error:
            raise _raised("to unpickle it", error) from error

    def _written(self, node: Any) -> Data:
        if not self.kept:
            kind: Any = type(node)
            apart = _apart(kind, node.__dict__) if _comes_apart(kind) else None
            return apart or pickle.dumps(node, pickle.HIGHEST_PROTOCOL)
        written = io.BytesIO()
        _Pickler(written, self.kept).dump(node)
        return written.getvalue()

    def _read(self, data: Data) -> Any:
        if type(data) is Apart:
            made = data.kind.__new__(data.kind)
            kept = made.__dict__
            kept.update(zip(data.names, pickle.loads(data.values), strict=True))
            kept.update(data.outboxes)
            return made
        assert isinstance(data, bytes)
        if not self.kept:
            return pickle.loads(data)
        return _Unpickler(io.BytesIO(data), self.kept).load()

    def check_data(self, data: Data, frozen: Frozen) -> None:
        """Raises ``NoCopyError`` if nothing can be read, ``WrongCopyError`` if it is not what was
        written; asked now and then."""
        self._checks += 1
        if self._checks <= ALWAYS or self._checks % SOMETIMES == 0:
            self._compare(frozen, self.from_data(data))

    def copied(self, node: Any, frozen: Frozen | None) -> Any:
        """A deep copy; compared with what the node is, if that is given. Raises ``NoCopyError`` if
        it cannot be made, or shares something."""
        try:
            made = copy.deepcopy(node, dict(self.kept))
        except Exception as error:
            raise _raised("to copy it", error) from error
        if frozen is not None:
            self._compare(frozen, made)
        return made

    @property
    def is_trusted(self) -> bool:
        """Whether so many copies were good that not every one is checked any more."""
        return self._checks > ALWAYS

    def _compare(self, frozen: Frozen, made: Any) -> None:
        try:
            again = self.frozen(made)
        except Exception as error:
            raise WrongCopyError(str(_raised("to look at a copy", error))) from error
        if again.content != frozen.content:
            path, one, other = differing_part(frozen.content, again.content, "a copy")
            raise WrongCopyError(f"{path} is {other!r} and not {one!r}")
        for address in again.parts.keys() & frozen.parts.keys() - self.kept.keys():
            raise WrongCopyError(f"a copy shares its {path_of(again.parts[address][0])} with it")


def _raised(doing: str, error: Exception) -> NoCopyError:
    return NoCopyError(f"{doing} raises {type(error).__name__}: {error}")


@cache
def _written_name(kind: Any) -> bytes:
    """How bytes say what a class is called, at least the first time."""
    name: bytes = kind.__qualname__.encode("utf-8", "surrogatepass")
    short = len(name) < 256
    return pickle.SHORT_BINUNICODE + bytes([len(name)]) + name if short else name


def _apart(kind: Any, kept: dict[str, Any]) -> Apart | None:
    """``None`` if the bytes name the class: it may be that a node is in them that refers to itself,
    and would refer to a copy."""
    outboxes = tuple([pair for pair in kept.items() if type(pair[1]) is Outbox])
    values = [None if type(each) is Outbox else each for each in kept.values()]
    written = pickle.dumps(values, pickle.HIGHEST_PROTOCOL)
    if _written_name(kind) in written:
        return None
    return Apart(kind, tuple(kept), outboxes, written)


class _Pickler(pickle.Pickler):
    """Writes what is kept by its address."""

    def __init__(self, written: io.BytesIO, kept: dict[int, Any]) -> None:
        super().__init__(written, pickle.HIGHEST_PROTOCOL)
        self._kept = kept

    def persistent_id(self, value: Any) -> int | None:
        return id(value) if id(value) in self._kept else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, written: io.BytesIO, kept: dict[int, Any]) -> None:
        super().__init__(written)
        self._kept = kept

    def persistent_load(self, address: int) -> Any:
        return self._kept[address]
