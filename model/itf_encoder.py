"""Values to ITF (``itf.py``). Knows how to write them, and nothing of reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, NamedTuple

from indelible.model.canonical import canonical_text
from indelible.model.classes import RECORDS, is_unicode, plain_text, take_apart
from indelible.model.errors import TraceError
from indelible.model.itf import (
    DEPTH_MAX,
    DIGITS_MAX,
    TAGS,
    TEXTS,
    WRAPPERS,
    Opaque,
    from_text,
    is_field_name,
    too_deep,
)

__all__ = ["Encoder"]

_INT_END = 10**DIGITS_MAX

# A value is first turned into a *shape*, which is what will be written but for the tags: bool, int,
# str, tuple, list, ``Opaque`` and the four below. Sets are put in order by their shapes, and not by
# their elements, so that the order is the same when what was read is written again; and tags are
# given afterwards, so that who comes first does not depend on how a set is walked.


class _Set(NamedTuple):
    items: tuple[Any, ...]


class _Map(NamedTuple):
    pairs: tuple[tuple[Any, Any], ...]


class _Record(NamedTuple):
    names: tuple[str, ...]
    parts: tuple[Any, ...]


class _Variant(NamedTuple):
    """``kind`` and ``path`` are those of its class; nothing where the name is one of ours."""

    name: str
    kind: str
    path: str
    value: Any


class Encoder:
    """Writes values, and gathers the classes it meets."""

    def __init__(self) -> None:
        self._tags: dict[str, str] = {}

    @property
    def types(self) -> dict[str, str]:
        """What ``Decoder`` needs: ``{tag: "kind module:qualname"}``, sorted by tag."""
        return dict(sorted((tag, entry) for entry, tag in self._tags.items()))

    def encode(self, value: object, where: str = "value") -> Any:
        """The value as JSON-able data. ``TraceError`` if it contains itself or nests too deep."""
        try:
            return self._written(_shape(value, (), where))
        except RecursionError:
            raise too_deep(where) from None

    def _written(self, shape: Any) -> Any:
        match shape:
            case bool() | str():
                return shape
            case int():
                return {"#bigint": str(shape)}
            case list():
                return [self._written(part) for part in shape]
            case Opaque(text):
                return {"#unserializable": text}
            case _Set(items):
                return {"#set": [self._written(part) for part in items]}
            case _Map(pairs):
                return {"#map": [[self._written(part) for part in pair] for pair in pairs]}
            case _Record(names, parts):
                written = [self._written(part) for part in parts]
                if {*names} == {"tag", "value"}:
                    return {"#map": [list(pair) for pair in zip(names, written, strict=True)]}
                return dict(zip(names, written, strict=True))
            case _Variant(name, kind, path, part):
                return {"tag": self._tag(name, kind, path), "value": self._written(part)}
        return {"#tup": [self._written(part) for part in shape]}

    def _tag(self, name: str, kind: str, path: str) -> str:
        """The class's name; where that is taken, its path, and then with its kind."""
        if not kind:
            return name
        entry = f"{kind} {path}"
        if entry not in self._tags:
            taken = {*WRAPPERS, *TEXTS, *self._tags.values()}
            self._tags[entry] = next(tag for tag in (name, path, entry) if tag not in taken)
        return self._tags[entry]


def _shape(value: Any, inside: tuple[int, ...], where: str) -> Any:
    """What will be written for a value; ``inside`` are the addresses of what it is a part of."""
    kind = type(value)
    if kind in (bool, Opaque):
        return value
    if kind is int:
        return value if abs(value) < _INT_END else Opaque(f"{value:#x}")
    if kind is str and is_unicode(value):
        return value
    if value is None:
        return _ours("None", ())
    if kind in TAGS:
        return _text_shape(TAGS[kind], value)
    if id(value) in inside:
        raise TraceError(
            f"{where} contains itself",
            cause="a list, dict or object in a state, message or command was put into itself",
            remedy="build states, messages and commands of frozen values",
        )
    if len(inside) >= DEPTH_MAX:
        raise too_deep(where)
    inner = (*inside, id(value))
    return _container(value, lambda part: _shape(part, inner, where))


def _text_shape(tag: str, value: Any) -> Any:
    write, _ = TEXTS[tag]
    try:
        text = write(value)
        from_text(tag, text)
    except ValueError:
        return Opaque(plain_text(value))
    return _ours(tag, text)


def _container(value: Any, shape: Callable[[Any], Any]) -> Any:
    kind = type(value)
    inner: Any
    if kind is tuple:
        return tuple(map(shape, value))
    if kind is list:
        return list(map(shape, value))
    if kind in (set, frozenset):
        inner = _set_shape(value, shape)
        return inner if kind is frozenset or type(inner) is Opaque else _ours("set", inner)
    if kind in (dict, MappingProxyType):
        inner = _map_shape(value, shape)
        proxy = kind is MappingProxyType and type(inner) is not Opaque
        return _ours("mappingproxy", inner) if proxy else inner
    parts = take_apart(value)
    if parts is None:
        return Opaque(plain_text(value))
    if parts.kind in RECORDS:
        if not all(map(is_field_name, parts.content)):
            return Opaque(plain_text(value))
        inner = _Record(tuple(parts.content), tuple(map(shape, parts.content.values())))
    elif parts.kind == "ordered dict":
        inner = _map_shape(parts.content, shape, in_order=False)
    else:
        inner = shape(parts.content)
    # A value that its class derives from and that can only be text makes all of it text.
    name = parts.path.rpartition(":")[2].rpartition(".")[2]
    return inner if type(inner) is Opaque else _Variant(name, parts.kind, parts.path, inner)


def _set_shape(values: AbstractSet[Any], shape: Callable[[Any], Any]) -> Any:
    """Elements in order. If they are not told apart by what is written, they are text together."""
    by_text = {canonical_text(item): item for item in map(shape, values)}
    if len(by_text) < len(values):
        return Opaque(plain_text(frozenset(values)))
    return _Set(tuple(by_text[text] for text in sorted(by_text)))


def _map_shape(
    values: Mapping[Any, Any], shape: Callable[[Any], Any], *, in_order: bool = True
) -> Any:
    pairs = {}
    for key, part in values.items():
        item = shape(key)
        pairs[canonical_text(item)] = (item, shape(part))
    if len(pairs) < len(values):
        return Opaque(plain_text(dict(values)))
    return _Map(tuple(pairs[text] for text in (sorted(pairs) if in_order else pairs)))


def _ours(tag: str, value: Any) -> _Variant:
    return _Variant(tag, "", "", value)
