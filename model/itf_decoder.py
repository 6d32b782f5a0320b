"""Values from ITF (``itf.py``).

What is read is never trusted: nothing is imported, no constructor of a class is called (but that of
a mapping, which is given a dict), and whatever does not fit is a ``TraceError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from indelible.model.classes import (
    BASES,
    KINDS,
    RECORDS,
    field_names,
    find_class,
    is_unicode,
    kinds_of,
    put_together,
    stand_in,
)
from indelible.model.itf import (
    DEPTH_MAX,
    TEXTS,
    WRAPPERS,
    Opaque,
    damaged,
    from_text,
    integer,
    is_field_name,
    shown,
    too_deep,
)

__all__ = ["Decoder"]

_MADE_OF: dict[str, tuple[type, ...]] = {
    "enum": (str, int),
    "mapping": (dict,),
    "ordered dict": (dict,),
}
"""Of what type the content of such a class is; of its base where nothing is said."""


_TAG_AND_VALUE = (["tag", "value"], ["value", "tag"])
"""The names, in either order, of a record that is written as a map."""


class Decoder:
    """Reads what an ``Encoder`` wrote, given its ``types``.

    ``find`` looks up the class of a ``module:qualname``; where it finds none, another stands in.
    Errors about the types begin by ``where``.
    """

    def __init__(
        self,
        types: Mapping[str, str],
        where: str = "types",
        find: Callable[[str], type | None] = find_class,
    ) -> None:
        if not isinstance(types, Mapping):
            raise damaged(where, f"is no object: {shown(types)}")
        self._types = {tag: _entry(tag, entry, where) for tag, entry in types.items()}
        self._find = find
        self._stand_ins: dict[tuple[str, tuple[str, ...]], type] = {}
        self._missing: set[str] = set()

    @property
    def missing(self) -> tuple[str, ...]:
        """Where the classes should be that something else stood in for so far, sorted.

        They are not loaded, or not what they were.
        """
        return tuple(sorted(self._missing))

    def decode(self, data: Any, where: str = "value") -> object:
        """The value. ``TraceError`` names the place that is malformed, beginning by ``where``."""
        try:
            return self._value(data, where, 0)
        except RecursionError:
            raise too_deep(where) from None

    def _value(self, data: Any, where: str, depth: int) -> Any:
        if type(data) is bool:
            return data
        if type(data) is str:
            return _checked(data, where)
        if depth > 2 * DEPTH_MAX:
            raise too_deep(where)
        if type(data) is list:
            return self._values(data, where, depth)
        if type(data) is dict and data.keys() == {"tag", "value"}:
            return self._variant(data["tag"], data["value"], where, depth)
        if type(data) is not dict or len(data) != 1:
            raise damaged(where, f"is no value in ITF: {shown(data)}")
        ((form, inner),) = data.items()
        match form:
            case "#bigint":
                return _read(inner, where, integer)
            case "#unserializable":
                return Opaque(_checked(inner, where))
            case "#tup":
                return tuple(self._values(inner, where, depth))
            case "#set":
                return self._set(inner, where, depth)
            case "#map":
                return self._map(inner, where, depth)
        raise damaged(where, f"is no value in ITF: {shown(data)}")

    def _values(self, data: Any, where: str, depth: int) -> list[Any]:
        if type(data) is not list:
            raise damaged(where, f"is no list: {shown(data)}")
        return [self._value(part, f"{where}[{i}]", depth + 1) for i, part in enumerate(data)]

    def _set(self, data: Any, where: str, depth: int) -> frozenset[Any]:
        items = self._values(data, where, depth)
        return frozenset(_distinct(((item, None) for item in items), len(items), where))

    def _map(self, data: Any, where: str, depth: int) -> dict[Any, Any]:
        pairs = self._values(data, where, depth)
        if not all(type(pair) is list and len(pair) == 2 for pair in pairs):
            raise damaged(where, "is a map of what are no pairs")
        return _distinct(((key, part) for key, part in pairs), len(pairs), where)

    def _variant(self, tag: Any, data: Any, where: str, depth: int) -> object:
        if type(tag) is not str:
            raise damaged(where, f"has a tag that is no text: {shown(tag)}")
        if tag in TEXTS:
            return _read(data, where, lambda text: from_text(tag, text))
        if tag in WRAPPERS:
            inner = self._value(data, where, depth)
            base, make = WRAPPERS[tag]
            if type(inner) is not base or (tag == "None" and inner):
                raise damaged(where, f"is not what {tag} is made of: {shown(data)}")
            return make(inner)
        if tag not in self._types:
            raise damaged(
                where, f"has a tag that no type is given for: {shown(tag)}", sorted(self._types)
            )
        kind, path = self._types[tag]
        if kind in RECORDS:
            content = self._record(data, where, depth)
            return self._instance(tag, kind, path, content, tuple(content), where)
        content = self._value(data, where, depth + 1)
        if type(content) not in _MADE_OF.get(kind, (BASES.get(kind),)):
            raise damaged(where, f"is not what the {kind} {tag} is made of: {shown(data)}")
        return self._instance(tag, kind, path, content, (), where)

    def _record(self, data: Any, where: str, depth: int) -> dict[str, Any]:
        if type(data) is dict and data.keys() == {"#map"}:
            pairs = data["#map"]
            if type(pairs) is not list or [_key(pair) for pair in pairs] not in _TAG_AND_VALUE:
                raise damaged(where, f"is a map, and no record of tag and value: {shown(pairs)}")
            data = dict(pairs)
        elif type(data) is not dict or data.keys() == {"tag", "value"}:
            raise damaged(where, f"is no record: {shown(data)}")
        for name in data:
            if not is_field_name(name):
                raise damaged(where, f"has a field that cannot be one: {shown(name)}")
        return {n: self._value(part, f"{where}.{n}", depth + 1) for n, part in data.items()}

    def _instance(
        self, tag: str, kind: str, path: str, content: Any, names: tuple[str, ...], where: str
    ) -> object:
        found = self._find(path)
        try:
            if found is not None and _fits(found, kind, names):
                return put_together(found, kind, content)
        except RecursionError:
            raise
        except Exception:
            # Whatever a class does that is not what it was, the value can still be shown.
            pass
        self._missing.add(path)
        try:
            if (tag, names) not in self._stand_ins:
                self._stand_ins[tag, names] = stand_in(kind, path, names)
            return put_together(self._stand_ins[tag, names], kind, content)
        except Exception as error:
            raise damaged(where, f"cannot be a {kind} {tag}: {error}") from None


def _fits(cls: type, kind: str, names: tuple[str, ...]) -> bool:
    return kind in kinds_of(cls) and {*(field_names(cls, kind) or ())} == {*names}


def _key(pair: Any) -> Any:
    return pair[0] if type(pair) is list and len(pair) == 2 else None


def _entry(tag: object, entry: object, where: str) -> tuple[str, str]:
    """Kind and path of a class, from what ``types`` says of it."""
    if type(tag) is str and type(entry) is str and is_unicode(tag + entry):
        for kind in KINDS:
            path = entry.removeprefix(f"{kind} ")
            if path != entry and all(path.partition(":")):
                return kind, path
    raise damaged(
        f"{where}[{shown(tag)}]",
        f"names no class: {shown(entry)}",
        [f"{k} module:class" for k in KINDS],
    )


def _distinct(pairs: Iterable[tuple[Any, Any]], count: int, where: str) -> dict[Any, Any]:
    try:
        found = dict(pairs)
    except RecursionError:
        raise
    except Exception as error:
        raise damaged(where, f"holds what no set or key can be: {error}") from None
    if len(found) < count:
        raise damaged(where, "holds an element or a key twice")
    return found


def _read(text: object, where: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(_checked(text, where))
    except ValueError as error:
        raise damaged(where, str(error)) from None


def _checked(text: object, where: str) -> str:
    if type(text) is not str or not is_unicode(text):
        raise damaged(where, f"is not the text it should be: {shown(text)}")
    return text
