"""Hosted: what a host needs of its adapter, and what it keeps with each state of a node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

from indelible.impl.adapters.copying import Data
from indelible.impl.adapters.fingerprints import Alike
from indelible.impl.adapters.freeze import Frozen
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.replaying import History, Started
from indelible.model.effects import Effect
from indelible.model.events import InputEvent

__all__ = ["Hosted", "Origin"]


class Hosted(Protocol):
    """What a host needs of an adapter."""

    snapshots: Literal["copy", "replay"] | None
    dict_order: Literal["counts", "ignored"] | None
    may_change: tuple[str, ...]
    _own: frozenset[str]

    @property
    def fingerprint(self) -> Any: ...

    def clock(self, instance: Any) -> float: ...

    def _built(self, outbox: Outbox, started: Started) -> Any: ...

    def _passed(self, instance: Any, event: InputEvent) -> Iterable[Effect] | None: ...


class Origin:
    """The way back to a state: its history, and a copy of the node if there is one, as bytes or as
    an object that nobody uses; in how many steps it drew something random; and who else is this
    state, if a fingerprint tells it."""

    __slots__ = ("alike", "data", "draws", "history", "is_checked", "spare")

    def __init__(self, history: History, draws: int) -> None:
        self.history, self.draws = history, draws
        self.data: Data | None = None
        self.spare: tuple[Any, Frozen] | None = None
        self.is_checked = False
        self.alike: Alike | None = None
