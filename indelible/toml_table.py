"""A table of a TOML file, read strictly: whatever is wrong with it is said with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from indelible.model.errors import ConfigurationError, closest_first

__all__ = ["Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """The file, the names that lead to the table, and what it has.

    What asks it for a value raises ``ConfigurationError`` where there is another kind of one.
    """

    file: Path
    parts: tuple[str, ...]
    content: Mapping[str, Any]

    @classmethod
    def of(cls, file: Path, parts: tuple[str, ...], content: object) -> Table:
        if not isinstance(content, dict):
            raise ConfigurationError(
                f"{file}: {'.'.join(parts)} is {content!r}, and should be a table",
                remedy=f"write it as [{'.'.join(parts)}]",
            )
        return cls(file, parts, content)

    def __str__(self) -> str:
        return f"{self.file} [{'.'.join(self.parts)}]"

    @property
    def key(self) -> str:
        return self.parts[-1]

    def error(self, fact: str, *, remedy: str = "", available: str = "") -> ConfigurationError:
        return ConfigurationError(f"{self}: {fact}", remedy=remedy, available=available)

    def only(self, *known: str) -> None:
        """Raises ``ConfigurationError`` if there is a key but these."""
        for key in self.content:
            if key not in known:
                raise self.error(f"there is no key {key!r}", available=closest_first(key, known))

    def table(self, key: str) -> Table:
        return Table.of(self.file, (*self.parts, key), self.content.get(key, {}))

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables in the table ``key``, in order."""
        parent = self.table(key)
        return tuple(map(parent.table, parent.content))

    def text(self, key: str, default: str) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str) or not value:
            raise self.error(f"{key} is {value!r}", remedy="give a text in quotation marks")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.content[key]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.error(f"{key} is {value!r}", remedy='give a list of texts, as in ["a", "b"]')
        return tuple(value)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``, and the first where nothing is said."""
        value = self.content.get(key, choices[0])
        if value not in choices:
            available = closest_first(str(value), choices)
            raise self.error(f"{key} is {value!r}", available=available)
        return str(value)

    def converted(self, key: str, amount: click.ParamType[Any]) -> Any:
        """The value as the command line would read it, with its units."""
        try:
            return amount.convert(self.content[key], None, None)
        except click.BadParameter as error:
            raise self.error(f"{key}: {error.message}") from None
