"""Plain values: what foreign values become, so that they are compared, stored and shown like ours.

JSON, and mutable objects of Python, are turned into immutable values that hash: None, bool, int,
float, str, bytes, tuple, frozenset, and the classes here. Nothing here knows where a value came
from. Issue 6: messages of foreign code are opaque, and identified by what they say.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, ItemsView, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from indelible.model.canonical import canonical, same_types
from indelible.model.classes import plain_text

__all__ = ["TYPE", "Boolean", "Fields", "List", "Same", "Set", "Snapshot"]

TYPE: Final = "type"
"""The key whose text says what ``Fields`` are: how a message is called, the class of an object."""


class Fields(Mapping[Any, Any]):
    """An immutable mapping from keys to hashable values: a JSON object, or what an object was.

    Equal if the contents are, down to their types (``1`` is not ``True``); in canonical order,
    ``TYPE`` first, whatever order it was made in.
    """

    __slots__ = ("__weakref__", "_content", "_hash")
    compares_types: ClassVar[bool] = True
    """Said to ``same_types``: what is equal is of the same types."""
    _content: dict[Hashable, Hashable]
    _hash: int

    def __init__(self, content: Mapping[Any, Any]) -> None:
        # By "<" only where it is an order: of frozensets, say, it tells the subsets.
        by_text = _TEXT.issuperset(map(type, content))
        keys = sorted(content) if by_text else canonical(content)
        self._content = {key: content[key] for key in keys}
        if TYPE in self._content:
            self._content = {TYPE: self._content[TYPE], **self._content}
        self._hash = hash(tuple(self._content.items()))

    @classmethod
    def in_order(cls, content: dict[Any, Any]) -> Self:
        """Of a dict that is in canonical order already, and that nobody else has."""
        self = cls.__new__(cls)
        self._content = content
        self._hash = hash(tuple(content.items()))
        return self

    @property
    def kind(self) -> str | None:
        """What kind of thing it says it is, if it says so."""
        kind = self._content.get(TYPE)
        return kind if isinstance(kind, str) else None

    def __getitem__(self, key: Any) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def items(self) -> ItemsView[Any, Any]:
        return self._content.items()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Fields) or type(self) is not type(other):
            return NotImplemented
        return (
            self._hash == other._hash
            and self._content == other._content
            and _are_alike(self._content, other._content)
            and _are_alike(self._content.values(), other._content.values())
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._content,)  # No hash holds in another process.

    def __str__(self) -> str:
        if self.kind is None:
            pairs = (f"{plain_text(key)}: {plain_text(part)}" for key, part in self.items())
            return "{" + ", ".join(pairs) + "}"
        rest = ((key, part) for key, part in self.items() if key != TYPE)
        inner = ", ".join(f"{_name(key)}={plain_text(part)}" for key, part in rest)
        return f"{self.kind}({inner})" if inner else self.kind

    __repr__ = __str__


class Snapshot(Fields):
    """What an object was at one moment, and ``origin``: whatever makes it anew.

    The origin is no part of what is compared, stored in documents or shown; ``None`` if nobody
    knows it.
    """

    __slots__ = ("origin",)
    origin: Any

    def __init__(self, content: Mapping[Any, Any], origin: Any = None) -> None:
        super().__init__(content)
        self.origin = origin

    @classmethod
    def in_order(cls, content: dict[Any, Any]) -> Self:
        self = super().in_order(content)
        self.origin = None
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._content, self.origin)


@dataclass(frozen=True, slots=True, eq=False)
class Boolean:
    """A JSON ``true`` or ``false`` outside of ``Fields``: equal to that of Python, and no number.

    To Python ``True == 1``, and so is ``(True,) == (1,)``.
    """

    value: bool

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Boolean):
            return self.value is other.value
        return self.value is other if isinstance(other, bool) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def __bool__(self) -> bool:
        return self.value

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return "true" if self.value else "false"


class List(tuple[Any, ...]):
    """What was a list of Python: it is shown as one, and code may tell it from a tuple."""

    __slots__ = ()

    def __str__(self) -> str:
        return "[" + ", ".join(map(plain_text, self)) + "]"

    __repr__ = __str__


class Set(frozenset[Any]):
    """What was a set that can be changed."""

    __slots__ = ()

    def __str__(self) -> str:
        return plain_text(frozenset(self))

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Same:
    """Something that can be changed and is met again: the very thing at ``path``, and no copy."""

    path: str

    def __str__(self) -> str:
        return f"the same as {self.path or 'the whole'}"


_TEXT: Final = frozenset({str})
_EXACT: Final = frozenset({int, str, bool, bytes, type(None), Fields, Snapshot})
"""Types whose equal values are the same."""


def _are_alike(ones: Collection[object], others: Collection[object]) -> bool:
    """Whether equal values, pair by pair, are of the same types throughout."""
    kinds = list(map(type, ones))
    return kinds == list(map(type, others)) and (
        _EXACT.issuperset(kinds) or all(map(same_types, ones, others))
    )


def _name(key: object) -> str:
    return key if isinstance(key, str) else plain_text(key)
