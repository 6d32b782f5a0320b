"""Configuration: ``[tool.indelible]`` of the nearest pyproject.toml, as frozen values.

Strict: what is not understood is an error that says in which file and table, and what there is.
Nothing here imports a target or searches; a scope is completed with what its target says of it
once somebody has found that (``ConfiguredScope.completed``).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import click

from indelible.checkers.properties import BUILT_IN
from indelible.model.errors import ConfigurationError, ScopeError, closest_first
from indelible.model.scope import LINKS, Scope
from indelible.options import BOUND, COUNT, DURATION, MEMORY, UNBOUNDED, changed_scope
from indelible.project import FILE, nearest_file
from indelible.toml_table import Table
from indelible.trace_files import FOLDER

__all__ = [
    "PROFILES",
    "Check",
    "Configuration",
    "ConfiguredScope",
    "How",
    "Inconclusive",
    "read_configuration",
    "unconfigured",
]

How: TypeAlias = Literal["explore", "fuzz"]
Inconclusive: TypeAlias = Literal["fail", "skip"]
Bounds: TypeAlias = Mapping[str, float | None]
"""Some of the fields of ``Limits``; ``None`` means unbounded, a field that is missing unsaid."""

PROFILES: Final[Mapping[str, Bounds]] = {
    "dev": {"seconds_max": 60.0},
    "ci": {"seconds_max": 300.0},
    "nightly": {"seconds_max": 3600.0},
}
"""The profiles that everybody has, and what they bound where nothing else is said."""

BUDGET: Final[Mapping[str, tuple[str, click.ParamType[Any]]]] = {
    "time": ("seconds_max", DURATION),
    "states": ("states_max", COUNT),
    "memory": ("memory_bytes_max", MEMORY),
}
"""What a budget may bound: the field of ``Limits``, and how an amount is written."""

ELSEWHERE: Final = ("quorums",)
"""Tables of ``[tool.indelible]`` that others read."""

NAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class ConfiguredScope:
    """What a scope says; ``name`` is empty where a check has but one. ``fields`` are
    those of ``changed_scope``, and ``where`` is the table they are from."""

    name: str
    fields: Mapping[str, Any]
    where: str

    def completed(self, base: Scope) -> Scope:
        """The scope; what it leaves open is as in ``base``, which is the target's own.

        Raises ``ConfigurationError`` where both together make no sense.
        """
        try:
            return changed_scope(base, **self.fields)
        except ScopeError as error:
            raise ConfigurationError(
                f"{self.where}: {error.fact}",
                cause=error.cause,
                remedy=error.remedy,
                available=error.available,
            ) from error


@dataclass(frozen=True, slots=True)
class Check:
    """A question that is asked again and again: does ``target`` keep ``properties`` in ``scopes``?

    ``properties`` are names of built-in ones or module:attribute, ``None`` for the default ones;
    ``budget`` is what the check's own table bounds.
    """

    name: str
    target: str
    scopes: tuple[ConfiguredScope, ...]
    properties: tuple[str, ...] | None
    how: How
    budget: Bounds


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project configures.

    ``file`` is where; ``traces`` the folder of its saved traces, which may not exist; ``profile``
    the one that is used by default; ``profiles`` what its own tables say of each, and ``PROFILES``
    are there in any case.
    """

    file: Path
    traces: Path
    profile: str
    inconclusive: Inconclusive
    checks: tuple[Check, ...]
    profiles: Mapping[str, Bounds]

    @property
    def folder(self) -> Path:
        """The folder of the project, from which its targets are imported."""
        return self.file.parent

    @property
    def profile_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*PROFILES, *self.profiles)))

    def limits(self, check: Check, profile: str | None = None) -> dict[str, Any]:
        """What bounds one search of ``check``, as fields of ``Limits``.

        For each bound, what the project's table of the profile says comes first, then the check's
        own budget, then what the profile brings. Raises ``ConfigurationError`` if there is no such
        profile.
        """
        profile = self.known_profile(profile)
        return {**PROFILES.get(profile, {}), **check.budget, **self.profiles.get(profile, {})}

    def bounds(self, profile: str | None = None) -> dict[str, Any]:
        """What the profile bounds, for what is no configured check."""
        profile = self.known_profile(profile)
        return {**PROFILES.get(profile, {}), **self.profiles.get(profile, {})}

    def known_profile(self, name: str | None) -> str:
        """``name``, or else the default. Raises ``ConfigurationError`` if there is no such one."""
        name = name or self.profile
        if name not in self.profile_names:
            raise ConfigurationError(
                f"{self.file}: there is no profile {name!r}",
                remedy=f"name another, or add a table [tool.indelible.profiles.{name}]",
                available=closest_first(name, self.profile_names),
            )
        return name


def read_configuration(folder: Path) -> Configuration | None:
    """What the nearest pyproject.toml configures, or ``None`` if it has no ``[tool.indelible]``.

    Raises ``ConfigurationError``.
    """
    file = nearest_file(folder.absolute())
    if file is None:
        return None
    try:
        with file.open("rb") as stream:
            tool = tomllib.load(stream).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror or error}") from None
    if not isinstance(tool, dict) or "indelible" not in tool:
        return None
    return _configuration(file, Table.of(file, ("tool", "indelible"), tool["indelible"]))


def unconfigured(folder: Path) -> Configuration:
    """What holds for a project that configures nothing."""
    return _configuration(folder / FILE, Table(folder / FILE, (), {}))


def _configuration(file: Path, table: Table) -> Configuration:
    table.only("traces", "profile", "inconclusive", "checks", "profiles", *ELSEWHERE)
    profiles = {each.key: _budget(each) for each in table.tables("profiles")}
    configuration = Configuration(
        file=file,
        traces=Path(os.path.normpath(file.parent / table.text("traces", str(FOLDER)))),
        profile=table.text("profile", "dev"),
        inconclusive=cast("Inconclusive", table.choice("inconclusive", get_args(Inconclusive))),
        checks=tuple(_check(each) for each in table.tables("checks")),
        profiles=MappingProxyType(profiles),
    )
    configuration.known_profile(None)
    return configuration


def _check(table: Table) -> Check:
    table.only("target", "scope", "scopes", "properties", "how", "budget")
    if not NAME.fullmatch(table.key):
        raise table.error(
            f"{table.key!r} is no name for a check",
            remedy="use letters, digits, '_', '-' and '.': it becomes part of the names of tests",
        )
    if "target" not in table.content:
        raise table.error(
            "it has no target",
            remedy="add target = \"module:attribute\", the name of a known bug, or 'multipaxos'",
        )
    return Check(
        name=table.key,
        target=table.text("target", ""),
        scopes=tuple(_scopes(table)),
        properties=_properties(table),
        how=cast("How", table.choice("how", get_args(How))),
        budget=_budget(table.table("budget")),
    )


def _scopes(check: Table) -> Iterator[ConfiguredScope]:
    if "scopes" not in check.content:
        yield _scope("", check.table("scope"))
        return
    if "scope" in check.content:
        raise check.error("it has both scope and scopes", remedy="leave one of them out")
    tables = check.tables("scopes")
    if not tables:
        raise check.error("scopes is empty", remedy="leave it out for the target's own scope")
    for table in tables:
        if not NAME.fullmatch(table.key):
            raise table.error(
                f"{table.key!r} is no name for a scope",
                remedy="use letters, digits, '_', '-' and '.': it becomes part of names of tests",
            )
        yield _scope(table.key, table)


def _scope(name: str, table: Table) -> ConfiguredScope:
    table.only(*SCOPE_FIELDS)
    fields = {}
    for key in table.content:
        parameter, read = SCOPE_FIELDS[key]
        fields[parameter] = read(table, key)
    return ConfiguredScope(name, MappingProxyType(fields), str(table))


def _properties(check: Table) -> tuple[str, ...] | None:
    if "properties" not in check.content:
        return None
    names = check.texts("properties")
    if not names:
        raise check.error("properties is empty", remedy="leave it out for all of them")
    for name in names:
        if name not in BUILT_IN and ":" not in name:
            raise check.error(
                f"there is no property {name!r}",
                remedy="name a built-in one, or your own as module:attribute",
                available=closest_first(name, BUILT_IN),
            )
    shown = [name.rpartition(":")[2] for name in names]
    for name in shown:
        if shown.count(name) > 1:
            raise check.error(f"properties has {name!r} twice")
    return names


def _budget(table: Table) -> Bounds:
    table.only(*BUDGET)
    bounds = {}
    for key, value in table.content.items():
        field, amount = BUDGET[key]
        bounds[field] = None if value == UNBOUNDED else table.converted(key, amount)
    return MappingProxyType(bounds)


# --- the fields of a scope ------------------------------------------------------------------------


def _nodes(table: Table, key: str) -> int | tuple[int | str, ...]:
    value = table.content[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        raise table.error(f"{key} is {value!r}", remedy="give a number, or a list of names")
    return _nodes_listed(table, key, value)


def _nodes_listed(table: Table, key: str, value: Any) -> tuple[int | str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(each, int | str) and not isinstance(each, bool) for each in value
    ):
        raise table.error(
            f"{key} is {value!r}", remedy='give a list of nodes, as in [0, 1] or ["n0", "n1"]'
        )
    return tuple(value)


def _may_time_out(table: Table, key: str) -> tuple[int | str, ...]:
    value = table.content[key]
    if value == "all":
        return ("all",)
    return _nodes_listed(table, key, value)


def _may_submit(
    table: Table, key: str
) -> tuple[int | str, ...] | Mapping[str, tuple[int | str, ...]]:
    value = table.content[key]
    if not isinstance(value, dict):
        return _may_time_out(table, key)
    return {
        command: _nodes_listed(table, f"{key}.{command}", nodes) for command, nodes in value.items()
    }


def _bound(table: Table, key: str) -> Any:
    return table.converted(key, BOUND)


def _timeouts(table: Table, key: str) -> Any:
    if not isinstance(table.content[key], dict):
        return _bound(table, key)
    timers = table.table(key)
    return {timer: _bound(timers, timer) for timer in timers.content}


def _torn(table: Table, key: str) -> bool:
    value = table.content[key]
    if not isinstance(value, bool):
        raise table.error(f"{key} is {value!r}", remedy="give true or false")
    return value


SCOPE_FIELDS: Final[Mapping[str, tuple[str, Callable[[Table, str], Any]]]] = {
    "nodes": ("nodes", _nodes),
    "commands": ("commands", lambda table, key: table.texts(key)),
    "submissions_max": ("submissions", _bound),
    "may_submit": ("may_submit", _may_submit),
    "timeouts_max": ("timeouts", _timeouts),
    "may_time_out": ("may_time_out", _may_time_out),
    "restarts_max": ("restarts", _bound),
    "torn": ("torn", _torn),
    "links": ("links", lambda table, key: table.choice(key, LINKS)),
}
"""The fields of ``Scope``: what ``changed_scope`` calls each, and how it is read."""
