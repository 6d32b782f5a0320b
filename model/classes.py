"""Instances taken apart and put together again, without running the code of their class.

What a class is (its *kind*), where it lives (``module:qualname``), and what an instance of it is
made of. A class is only ever looked up among what is loaded, and nothing is imported. Knows no
format.
"""

from __future__ import annotations

import re
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import fields, make_dataclass
from enum import Enum, Flag
from functools import cached_property
from types import MappingProxyType, MemberDescriptorType
from typing import Any, NamedTuple

__all__ = [
    "BASES",
    "KINDS",
    "RECORDS",
    "Parts",
    "field_names",
    "find_class",
    "is_unicode",
    "kinds_of",
    "plain_text",
    "put_together",
    "stand_in",
    "take_apart",
]

RECORDS = ("dataclass", "named tuple")
"""Kinds of classes whose instances are made of named fields."""

BASES: dict[str, Any] = {
    "tuple": tuple,
    "list": list,
    "frozenset": frozenset,
    "set": set,
    "ordered dict": OrderedDict,
    "dict": dict,
    "str": str,
    "int": int,
    "float": float,
    "bytes": bytes,
}
"""Kinds of classes that are a built-in type by another name, and that type; the first that fits."""

KINDS = (*RECORDS, "enum", *BASES, "mapping")


class Parts(NamedTuple):
    """What an instance is made of: field by name, the name (or number) of an enum's member, or the
    value of the built-in type that its class derives from (a plain dict for every mapping)."""

    kind: str
    path: str
    content: Any


def kinds_of(cls: type) -> tuple[str, ...]:
    """What instances of the class may be made of, without its code; the best first."""
    # A mapping does need its constructor, which is called with a dict: never one of Python's own,
    # some of which would open files.
    ours = cls.__module__.partition(".")[0] not in sys.stdlib_module_names
    kinds = [_kind(cls), "mapping" if ours and issubclass(cls, Mapping) else None]
    deletes = _static(cls, "__del__") is not None
    return () if deletes else tuple(kind for kind in kinds if kind is not None)


def field_names(cls: type, kind: str) -> tuple[str, ...] | None:
    """The fields of a class, in their order; ``None`` if its kind has no fields."""
    if kind == "dataclass":
        return _dataclass_names(cls)
    return tuple(_static(cls, "_fields")) if kind == "named tuple" else None


def take_apart(value: object) -> Parts | None:
    """What a value is made of; ``None`` if ``put_together`` would not give it back.

    That is so where the class is of no kind, where it refuses to be made without its constructor,
    and where the instance keeps something that is not in its fields (a memo, say).
    """
    cls = type(value)
    try:
        path = f"{cls.__module__}:{cls.__qualname__}"
        kinds = kinds_of(cls) if is_unicode(path) else ()
    except RecursionError:
        raise
    except Exception:
        return None
    for kind in kinds:
        try:
            content = _content(kind, value)
            if _is_whole(kind, value, put_together(cls, kind, content)):
                return Parts(kind, path, content)
        except RecursionError:
            raise
        except Exception:
            # Its class has other ideas of how it is made.
            continue
    return None


def put_together(cls: type[Any], kind: str, content: Any) -> object:
    """An instance made of ``content``. Raises any exception if the class does not allow that."""
    made: Any
    if kind == "dataclass":
        made = object.__new__(cls)
        for name, part in content.items():
            object.__setattr__(made, name, part)
    elif kind == "named tuple":
        made = BASES["tuple"].__new__(cls, [content[name] for name in _static(cls, "_fields")])
    elif kind == "enum":
        made = _member(cls, content)
    elif kind == "mapping":
        made = cls(content)
    elif kind == "ordered dict":
        made = BASES[kind].__new__(cls)
        for key, part in content.items():
            OrderedDict.__setitem__(made, key, part)
    elif kind == "list":
        made = BASES[kind].__new__(cls)
        list.extend(made, content)
    elif kind in ("set", "dict"):
        made = BASES[kind].__new__(cls)
        BASES[kind].update(made, content)
    else:
        made = BASES[kind].__new__(cls, content)
    if type(made) is not cls or (kind == "mapping" and dict(made.items()) != content):
        raise TypeError(f"{cls.__name__} made something else")
    return made


def find_class(path: str) -> type | None:
    """The class of that ``module:qualname``, if it is loaded.

    Dictionaries are read and attributes are not, since a module or class may import or run anything
    when it is asked for an attribute.
    """
    module, _, qualname = path.partition(":")
    try:
        names: Any = object.__getattribute__(sys.modules[module], "__dict__")
        found: Any = None
        for name in qualname.split("."):
            found = names[name]
            if not issubclass(type(found), type):
                return None
            names = type.__getattribute__(found, "__dict__")
    except Exception:
        return None
    return found  # type: ignore[no-any-return]


def stand_in(kind: str, path: str, names: tuple[str, ...]) -> type:
    """A class that is shown like the one of that path, for want of it.

    Its instances are immutable where the kind is, and equal if their contents are. Raises
    ``TypeError`` or ``ValueError`` if no class can have such names.
    """
    module, _, qualname = path.partition(":")
    cls: Any
    if kind == "dataclass":
        # By keyword only, since a name like ``mro`` looks as if it had a default value.
        cls = make_dataclass(
            "StandIn", names, bases=(_Fields,), frozen=True, eq=False, kw_only=True
        )
    elif kind == "named tuple":
        # Names as ``namedtuple`` makes them up, too, which it takes from nobody else.
        cls = namedtuple("StandIn", names, rename=True)  # type: ignore[no-redef, misc]
        if cls._fields != names:
            raise ValueError(f"a field cannot be called one of {', '.join(names)}")
    else:
        base = {"enum": _Member, "mapping": _Map}.get(kind) or BASES[kind]
        cls = type("StandIn", (base,), {"__slots__": ()} if kind == "enum" else {})
        if cls.__hash__ is None:  # The class of that path may have had a hash of its own.
            cls.__hash__ = _hash_of_its_class
    cls.__name__ = qualname.rpartition(".")[2]
    cls.__qualname__ = qualname
    cls.__module__ = module
    return cls  # type: ignore[no-any-return]


def plain_text(value: object) -> str:
    """One line for a value that can only be shown: no address, and no order of a set, is in it."""
    try:
        text = _text(value)
    except RecursionError:
        raise
    except Exception as error:
        text = f"<{type(value).__name__}: its text raised {type(error).__name__}>"
    return " ".join(text.split("\n")).encode("utf-8", "backslashreplace").decode()


def is_unicode(text: str) -> bool:
    """Whether the text can be written to a file: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _hash_of_its_class(value: object) -> int:
    return hash(type(value))


class _Fields:
    """What stands in for a dataclass: one whose fields need not be hashable."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _values(self) == _values(other)

    def __hash__(self) -> int:
        try:
            return hash((type(self), _values(self)))
        except TypeError:
            return hash(type(self))


class _Member:
    """What stands in for a member of an enum."""

    __slots__ = ("content",)
    content: str | int

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.content == self.content

    def __hash__(self) -> int:
        return hash((type(self), self.content))

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.content}"

    __str__ = __repr__


class _Map(Mapping[Any, Any]):
    """What stands in for a mapping that is no dict."""

    def __init__(self, content: Mapping[Any, Any]) -> None:
        self._content = MappingProxyType(dict(content))

    def __getitem__(self, key: object) -> Any:
        return self._content[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._content == self._content

    def __hash__(self) -> int:
        return hash((type(self), frozenset(self._content)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self._content)!r})"


def _kind(cls: type) -> str | None:
    if issubclass(cls, Enum | _Member):
        return "enum"
    if isinstance(_static(cls, "__dataclass_fields__"), dict):
        plain = all(_is_plain(_static(cls, name)) for name in _dataclass_names(cls))
        return "dataclass" if plain else None
    if issubclass(cls, tuple) and isinstance(_static(cls, "_fields"), tuple):
        return "named tuple"
    for kind, base in BASES.items():
        if issubclass(cls, base) and (cls is not base or base is OrderedDict):
            return kind
    return None


def _is_whole(kind: str, value: object, same: object) -> bool:
    if kind in ("mapping", "enum"):
        return same == value
    return set(_kept(value)) <= set(field_names(type(value), kind) or ())


def _static(cls: type, name: str) -> Any:
    """An attribute of a class as it was written: no metaclass and no descriptor is asked."""
    for base in type.__getattribute__(cls, "__mro__"):
        names = type.__getattribute__(base, "__dict__")
        if name in names:
            return names[name]
    return None


def _dataclass_names(cls: Any) -> tuple[str, ...]:
    return tuple(part.name for part in fields(cls))


def _is_plain(attribute: object) -> bool:
    """Whether setting a field of this name runs no code of the class."""
    return type(attribute) is MemberDescriptorType or _static(type(attribute), "__set__") is None


def _text(value: Any) -> str:
    cls = type(value)
    if isinstance(value, Enum):
        return f"{cls.__name__}.{value.name}"
    hides = isinstance(value, str | BaseException | MappingProxyType)
    if _has_own_text(value) and not hides:
        return str(value)
    if isinstance(_static(cls, "__dataclass_fields__"), dict):
        names = [part.name for part in fields(value) if part.repr]
        inner = ", ".join(f"{name}={plain_text(getattr(value, name))}" for name in names)
        return f"{cls.__name__}({inner})" if inner else cls.__name__
    if isinstance(value, tuple) and isinstance(_static(cls, "_fields"), tuple):
        pairs = zip(_static(cls, "_fields"), value, strict=True)
        return f"{cls.__name__}(" + ", ".join(f"{n}={plain_text(part)}" for n, part in pairs) + ")"
    if isinstance(value, Mapping):
        lines = sorted(f"{plain_text(key)}: {plain_text(part)}" for key, part in value.items())
        return "{" + ", ".join(lines) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(plain_text, value))) + "}"
    if isinstance(value, tuple | list):
        opened, closed = "[]" if isinstance(value, list) else "()"
        return opened + ", ".join(map(plain_text, value)) + closed
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _has_own_text(value: object) -> bool:
    return type(value).__str__ is not object.__str__


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in _dataclass_names(type(value)))


def _content(kind: str, value: Any) -> Any:
    if kind == "dataclass":
        return {name: getattr(value, name) for name in _dataclass_names(type(value))}
    if kind == "named tuple":
        names = _static(type(value), "_fields")
        return dict(zip(names, tuple.__iter__(value), strict=True))
    if kind == "enum":
        if isinstance(value, _Member):
            return value.content
        named = type(value)._member_map_.get(value._name_) is value
        return value._name_ if named else value._value_
    if kind == "mapping":
        return dict(value.items())
    if kind in ("dict", "ordered dict"):
        return dict(BASES[kind].items(value))
    # The built-in type reads its own part of the value, whatever the class makes of ``__iter__``.
    if kind in ("str", "int", "float"):
        return getattr(BASES[kind], f"__{kind}__")(value)
    return BASES[kind](BASES[kind].__iter__(value))


def _member(cls: Any, content: str | int) -> object:
    if issubclass(cls, _Member):
        made = object.__new__(cls)
        object.__setattr__(made, "content", content)
        return made
    if type(content) is str:
        return cls._member_map_[content]
    if not issubclass(cls, Flag) or type(content) is not int:
        raise LookupError(f"{cls.__name__} has no such member")
    known = cls._value2member_map_.get(content)
    return known if known is not None else Flag._missing_.__func__(cls, content)  # type: ignore[attr-defined]


def _kept(value: object) -> Iterator[str]:
    """The names of what the instance itself keeps, but for what is computed from its fields."""
    cls = type(value)
    for name in getattr(value, "__dict__", ()):
        derived = isinstance(_static(cls, name), cached_property)
        if not derived and not (name.startswith("__") and name.endswith("__")):
            yield name
    for base in cls.__mro__:
        for name, attribute in vars(base).items():
            if type(attribute) is MemberDescriptorType and _is_set(attribute, value):
                yield name


def _is_set(slot: MemberDescriptorType, value: object) -> bool:
    try:
        slot.__get__(value)
    except AttributeError:
        return False
    return True
