"""Named quorum systems from ``[tool.indelible.quorums]`` of a pyproject.toml.

Each is a table with its ``kind`` and what that kind needs; every field that is not known, missing
or of another type is refused, with its place. What the numbers mean is checked by the systems.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from indelible.model.errors import ScopeError
from indelible.model.events import NodeId
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    FormulaQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.model.thresholds import named_nodes

__all__ = [
    "KINDS",
    "NamedQuorums",
    "quorums_from_project",
    "quorums_from_table",
    "quorums_from_tables",
]

FILE: Final = "pyproject.toml"
TABLE: Final = "tool.indelible.quorums"
JOINT: Final = "joint"

NODES_MAX: Final = 500
"""So many nodes a system may have, and no more: what is listed is listed recursively."""


@dataclass(frozen=True, slots=True)
class NamedQuorums:
    """A system, and the nodes it is meant for."""

    name: str
    system: FormulaQuorums
    nodes: tuple[NodeId, ...]


def quorums_from_project(folder: Path | None = None) -> dict[str, NamedQuorums]:
    """The systems of the nearest pyproject.toml, from a folder (the current one) upward.

    None at all if there is no such file or table. Raises ``ScopeError``, naming the file.
    """
    start = (folder or Path.cwd()).resolve()
    files = (place / FILE for place in (start, *start.parents))
    file = next((known for known in files if known.is_file()), None)
    if file is None:
        return {}
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScopeError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    tables: Any = data
    for name in TABLE.split("."):
        tables = tables.get(name, {}) if isinstance(tables, Mapping) else {}
    return quorums_from_tables(tables, where=f"{file}: {TABLE}")


def quorums_from_tables(tables: object, where: str = TABLE) -> dict[str, NamedQuorums]:
    """Every system of a table of tables, by name. Raises ``ScopeError``."""
    if not isinstance(tables, Mapping):
        raise ScopeError(f"{where} is {tables!r}", remedy="make it a table of named tables")
    return {name: quorums_from_table(name, tables, where=where) for name in tables}


def quorums_from_table(
    name: str, tables: Mapping[str, Any], where: str = TABLE, inside: tuple[str, ...] = ()
) -> NamedQuorums:
    """The system of one name; a joint one refers to others of ``tables``. Raises ``ScopeError``."""
    if name not in tables:
        raise ScopeError(
            f"{where} has no system {name!r}", available=", ".join(tables) or "none at all"
        )
    place = f"{where}.{name}"
    if name in inside:
        raise ScopeError(f"{place} refers to itself: {' → '.join((*inside, name))}")
    table = tables[name]
    if not isinstance(table, Mapping):
        raise ScopeError(f"{place} is {table!r}", remedy='make it a table with a "kind"')
    fields = _Fields(place, table)
    kind = fields.take("kind", _is_text, "the name of a kind")
    if kind not in KINDS:
        raise ScopeError(f"{place} is of kind {kind!r}", available=", ".join(KINDS))
    try:
        if kind == JOINT:
            old, new = (
                quorums_from_table(other, tables, where, (*inside, name))
                for other in (fields.take(when, _is_text, "a name") for when in ("old", "new"))
            )
            system: FormulaQuorums = JointQuorums(old.system, old.nodes, new.system, new.nodes)
        else:
            system = _READERS[kind](fields)
        nodes = _nodes(fields, system)
        fields.done()
        phases_of(system, nodes)
    except ScopeError as error:
        raise _placed(error, place) from error
    return NamedQuorums(name, system, nodes)


def _placed(error: ScopeError, place: str) -> ScopeError:
    """The error with its place, which it may have already."""
    if TABLE in error.fact:
        return error
    return ScopeError(
        f"{place}: {error.fact}",
        cause=error.cause,
        remedy=error.remedy,
        available=error.available,
    )


class _Fields:
    """The fields of a table that were not yet taken."""

    def __init__(self, place: str, table: Mapping[str, Any]) -> None:
        self._place = place
        self._left = dict(table)
        self._asked: list[str] = []

    def take(self, name: str, fits: Callable[[Any], bool], wanted: str, *default: Any) -> Any:
        """A field that ``fits``; without a default it must be there."""
        self._asked.append(name)
        if name not in self._left:
            if default:
                return default[0]
            raise ScopeError(f"{self._place} says nothing of {name!r}", remedy=f"give {wanted}")
        value = self._left.pop(name)
        if not fits(value):
            raise ScopeError(f"{self._place}.{name} is {value!r}", remedy=f"give {wanted}")
        return value

    def done(self) -> None:
        """Refuse what nobody asked for."""
        for name in self._left:
            raise ScopeError(
                f"{self._place} has a field {name!r}, which its kind does not have",
                available=", ".join(self._asked),
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_node(value: object) -> bool:
    return _is_number(value) or _is_text(value)


def _is_list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_nodes(value: object) -> bool:
    return _is_number(value) or _is_list_of(_is_node)(value)


def _is_group(value: object) -> bool:
    return _is_node(value) or _is_list_of(_is_group)(value)


def _is_weights(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_number, value.values()))


LIST: Final = 'a list of nodes, as ["a", "b", "c"]'
LISTS: Final = 'lists of nodes, as [["a", "b"], ["c", "d"]]'
NUMBER: Final = "a whole number"
NUMBERS: Final = "a whole number for each level, as [2, 3]"


def _nodes(fields: _Fields, system: FormulaQuorums) -> tuple[NodeId, ...]:
    """What ``nodes`` says: names, or how many; by default those that the quorums name."""
    by_size = isinstance(system, MajorityQuorums | FlexibleQuorums | ReadOneWriteAllQuorums)
    default = () if by_size else (None,)
    nodes = fields.take("nodes", _is_nodes, f"how many, or {LIST}", *default)
    if nodes is None:
        nodes = list(
            dict.fromkeys(node for part in system.phases(()) for node in named_nodes(part))
        )
    count = nodes if isinstance(nodes, int) else len(nodes)
    if count > NODES_MAX:
        raise ScopeError(
            f"a system of {count:,} nodes",
            cause=f"its quorums are measured up to {NODES_MAX} nodes",
            remedy="the lemmas of indelible prove quorums hold for any number of them",
        )
    names = tuple(range(nodes)) if isinstance(nodes, int) else tuple(nodes)
    if len(set(names)) < len(names):
        raise ScopeError("nodes names the same one twice")
    return names


def _flexible(fields: _Fields) -> FormulaQuorums:
    sizes = [fields.take(name, _is_number, NUMBER) for name in ("phase1", "phase2")]
    return FlexibleQuorums(*sizes)


def _weighted(fields: _Fields) -> FormulaQuorums:
    weights = fields.take("weights", _is_weights, "whole numbers by node, as {a = 2, b = 1}")
    # A key is always text, and a node that is a number was counted.
    weights = {int(node) if node.isdecimal() else node: weights[node] for node in weights}
    least = [fields.take(name, _is_number, NUMBER, None) for name in ("phase1", "phase2")]
    return WeightedQuorums(weights, *least)


def _explicit(fields: _Fields) -> FormulaQuorums:
    first = fields.take("phase1", _is_list_of(_is_list_of(_is_node)), LISTS)
    return ExplicitQuorums(
        first, fields.take("phase2", _is_list_of(_is_list_of(_is_node)), LISTS, None)
    )


def _grid(fields: _Fields) -> FormulaQuorums:
    return GridQuorums(fields.take("rows", _is_list_of(_is_list_of(_is_node)), LISTS))


def _tree(fields: _Fields) -> FormulaQuorums:
    names = fields.take("names", _is_list_of(_is_node), f"{LIST}, level by level")
    return TreeQuorums(tuple(names), fields.take("children", _is_number, NUMBER, 2))


def _hierarchical(fields: _Fields) -> FormulaQuorums:
    groups = fields.take("groups", _is_list_of(_is_group), f"{LISTS}, to any depth")
    counts = (
        tuple(fields.take(name, _is_list_of(_is_number), NUMBERS, ()))
        for name in ("phase1", "phase2")
    )
    return HierarchicalQuorums(groups, *counts)


_READERS: Final[dict[str, Callable[[_Fields], FormulaQuorums]]] = {
    "majority": lambda _: MajorityQuorums(),
    "flexible": _flexible,
    "read-one-write-all": lambda _: ReadOneWriteAllQuorums(),
    "weighted": _weighted,
    "explicit": _explicit,
    "grid": _grid,
    "tree": _tree,
    "hierarchical": _hierarchical,
}

KINDS: Final = (*_READERS, JOINT)
"""What ``kind`` may say."""
