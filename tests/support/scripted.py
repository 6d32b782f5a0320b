"""Scripted: an implementation that does what a test writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indelible.model.effects import Effect
from indelible.model.implementation import Step


@dataclass(frozen=True)
class Scripted:
    """Does what the script says for (node, event), and as it starts for (node, "start", storage)
    or else (node, "start"); where it says a word, that is raised as an exception."""

    script: Mapping[Any, Any] = field(default_factory=dict)

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        found = self.script.get((node, "start", storage), self.script.get((node, "start"), ()))
        return Step(storage, self._effects(found))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        return Step(state, self._effects(self.script.get((node, event), ())))

    def _effects(self, found: Any) -> tuple[Effect, ...]:
        if isinstance(found, str):
            raise ValueError(found)
        return tuple(found)
