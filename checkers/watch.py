"""Watch: whether one property is violated, step by step, on the plain ``Cluster``.

What replays, minimizes and explains a trace asks here, and never evaluates a property itself. An
exception inside the implementation is a violation too, under a name of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from indelible.checkers.findings import RAISES
from indelible.checkers.property import Property, world_of
from indelible.checkers.verdicts import violations_after
from indelible.model.canonical import canonical_text, same_types
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationRaised, TraceError
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.itf_encoder import Encoder
from indelible.model.scope import Scope
from indelible.model.trace import Violation

__all__ = ["Judged", "Replay", "ReplayOutcome", "Watch", "replay"]


class Judged(NamedTuple):
    """What a step led to: the next state, its effects, and what is wrong, if anything.

    Where the implementation raised there is no next state, and ``raised`` says what; a violation it
    is only to who watches for exceptions.
    """

    state: ClusterState | None
    effects: tuple[Effect, ...]
    violation: Violation | None
    raised: str = ""


class Watch:
    """An implementation in a scope, with an eye on one property (``None``: on exceptions only)."""

    def __init__(
        self, implementation: Implementation, scope: Scope, property: Property | None
    ) -> None:
        self.implementation, self.scope, self.property = implementation, scope, property
        self.cluster = Cluster(implementation, scope, twice=False)
        self._world = world_of(implementation, scope)

    def start(self) -> Judged:
        """The initial state, judged."""
        try:
            state = self.cluster.initial()
        except ImplementationRaised as raised:
            return self._raised(raised)
        return Judged(state, (), self._violation(state, None, state, ()))

    def step(self, state: ClusterState, action: Action) -> Judged:
        """The state after an enabled ``action``, judged; ``state`` must have been judged right.

        What changes nothing makes nothing wrong: so every search has it, also for properties of a
        step.
        """
        try:
            after, effects = self.cluster.outcome(state, action)
        except ImplementationRaised as raised:
            return self._raised(raised)
        if after == state:
            return Judged(state, effects, None)
        return Judged(after, effects, self._violation(state, action, after, effects))

    def _violation(
        self,
        before: ClusterState,
        action: Action | None,
        after: ClusterState,
        effects: tuple[Effect, ...],
    ) -> Violation | None:
        if self.property is None or self._unread(before, action, after):
            return None
        found = violations_after(self.property, self._world, before, action, after, effects)
        return found[0] if found else None

    def _unread(self, before: ClusterState, action: Action | None, after: ClusterState) -> bool:
        """Whether the step changed nothing that the property reads, so that it still holds."""
        if action is None or self.property is None or self.property.reads == "step":
            return False
        index = self.scope.nodes.index(action[0])
        earlier, later = before.nodes[index].record, after.nodes[index].record
        return all(getattr(earlier, name) == getattr(later, name) for name in self.property.fields)

    def _raised(self, raised: ImplementationRaised) -> Judged:
        says = f"the implementation raised {raised}"
        violation = Violation(says, property=RAISES) if self.property is None else None
        return Judged(None, (), violation, says)


ReplayOutcome: TypeAlias = Literal["violates", "holds", "does not fit"]


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a trace when its events happened again.

    - ``outcome``: the property is violated after ``step`` steps; it holds after each of them; or
      step number ``step`` is not enabled.
    - ``actions``: those that took place; where it does not fit, ``expected`` is what the trace
      says happens next, and ``enabled`` what could.
    - ``raised``: the exception, if that is why it does not fit; at step 0 in the first start.
    - ``changed``: the numbers of the steps whose event was taken for the one in the trace because
      it reads the same, though it is not equal to it, or made of other types.
    """

    outcome: ReplayOutcome
    step: int
    actions: tuple[Action, ...]
    violation: Violation | None = None
    expected: Action | None = None
    enabled: tuple[Action, ...] = ()
    changed: tuple[int, ...] = ()
    raised: str = ""


def replay(watch: Watch, actions: Iterable[Action]) -> Replay:
    """Let the same events happen again, to the first violation, misfit, or the end.

    An event that is not enabled is looked for among the enabled ones by what would be written of it
    in a document, so that a trace can be replayed on an implementation that has messages of the
    same names and contents, but not the same classes, and with messages that can only be written as
    text.

    Where the implementation raises and that is not what is watched for, there is no telling whether
    the property holds: the trace does not fit.
    """
    done: list[Action] = []
    changed: list[int] = []
    judged = watch.start()
    for number, wanted in enumerate(actions, start=1):
        if judged.violation is not None or judged.state is None:
            break
        action = _fitting(watch.cluster, judged.state, wanted)
        if action is None:
            enabled = watch.cluster.enabled(judged.state)
            return Replay(
                "does not fit", number, tuple(done), None, wanted, enabled, tuple(changed)
            )
        if action[1] != wanted[1] or not same_types(action[1], wanted[1]):
            changed.append(number)
        judged = watch.step(judged.state, action)
        done.append(action)
    if judged.raised and judged.violation is None:
        expected = done.pop() if done else None
        step = len(done) + (expected is not None)
        return Replay(
            "does not fit", step, tuple(done), None, expected, (), tuple(changed), judged.raised
        )
    outcome: ReplayOutcome = "holds" if judged.violation is None else "violates"
    return Replay(outcome, len(done), tuple(done), judged.violation, changed=tuple(changed))


def _fitting(cluster: Cluster, state: ClusterState, wanted: Action) -> Action | None:
    if cluster.is_enabled(state, wanted):
        return cluster.own(state, wanted)
    text = _written(wanted)
    return next((own for own in cluster.enabled(state) if _written(own) == text), None)


def _written(action: Action) -> str:
    try:
        return json.dumps(Encoder().encode(action))
    except TraceError:
        return canonical_text(action)
