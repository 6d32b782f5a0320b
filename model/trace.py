"""Trace: what happened, as (node, event) pairs, what it violates, and why.

Plain values: replaying a trace on ``Cluster`` gives every state and effect again (``run.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from indelible.model.events import Action
from indelible.model.run import Run
from indelible.model.scope import Scope

__all__ = [
    "LENGTHS",
    "Evidence",
    "Explanation",
    "Length",
    "Moment",
    "Trace",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a property is false: in words, and by the slot, nodes and values that made it so.

    Properties yield it without ``property``; the checker that judges them fills in the name.
    """

    explanation: str
    slot: int | None = None
    nodes: tuple[object, ...] = ()
    values: tuple[object, ...] = ()
    property: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run of ``implementation`` inside ``scope`` from the initial state, and how it ends."""

    implementation: str
    scope: Scope
    actions: tuple[Action, ...]
    violation: Violation

    def __len__(self) -> int:
        return len(self.actions)


Length: TypeAlias = Literal["shortest", "irreducible", "as found"]
"""What is known of a trace's length: no shorter one violates the property in its scope; no event of
it can be left out; nothing."""

LENGTHS: Final[tuple[str, ...]] = get_args(Length)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something worth saying of a step: its number, and a sentence."""

    step: int
    says: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the property is false at the end of a run.

    - ``story``: the numbers of those steps that the violation depends on, in order.
    - ``milestones``: where values were chosen, in the order of the steps.
    - ``decisive``: the first step that broke a rule by which Paxos is safe, where it can be named.
    """

    story: tuple[int, ...] = ()
    milestones: tuple[Moment, ...] = ()
    decisive: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A trace with all that is known of it: what is shown, saved under ``traces/``, and replayed.

    - ``target`` and ``property``: the names by which implementation and property are found again,
      the property as ``module:attribute`` unless it is built in.
    - ``run``: what happened; records without the messages sent and received where it was read from
      a file.
    - ``found``: by what it was found, and with what effort, in words that JSON can hold.
    - ``fixed``: whether it is kept to show that it does not happen any more.
    """

    target: str
    property: str
    trace: Trace
    run: Run
    explanation: Explanation = Explanation()
    length: Length = "as found"
    found: Mapping[str, object] = field(default_factory=dict)
    fixed: bool = False
