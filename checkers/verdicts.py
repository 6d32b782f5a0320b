"""Verdicts: how any search ends. A search finds; ``conclude`` runs it and says what that means.

Before a counterexample is shown it is replayed on ``Cluster`` and the property evaluated again on
what comes out: a search cannot show a trace that does not violate what it says.
"""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from itertools import combinations_with_replacement, product
from typing import Final

from indelible.checkers.findings import RAISES, Finding, Findings
from indelible.checkers.limits import GaveUp, Limits, Progress
from indelible.checkers.overdue import Overdue
from indelible.checkers.property import Property, View, World, view, world_of
from indelible.checkers.variety import variety_text
from indelible.model.canonical import canonical
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError, ImplementationRaised, TraceError
from indelible.model.events import Action, Timer
from indelible.model.implementation import Implementation, cause_of_another_end, implementation_name
from indelible.model.quorums import MajorityQuorums
from indelible.model.scope import LINKS, Scope
from indelible.model.trace import Trace, Violation
from indelible.model.verdict import Outcome, PropertyResult, Verdict

__all__ = [
    "Search",
    "conclude",
    "concluding",
    "question_notes",
    "reached_in",
    "run_to_limit",
    "violations_after",
]

NEVER_REPEAT: Final = "'States that never repeat' in docs/check-your-own.md"


class Search(ABC):
    """What ``conclude`` needs of a search."""

    findings: Findings

    def __init__(self, implementation: Implementation, scope: Scope, limits: Limits) -> None:
        self.implementation, self.scope, self.limits = implementation, scope, limits
        self.transitions = 0
        self.depth = 0

    @abstractmethod
    def run(self) -> None:
        """Search until the scope is exhausted or a property is violated. Raises ``GaveUp``."""

    @abstractmethod
    def actions_to(self, finding: Finding) -> tuple[Action, ...]:
        """The trace that ends in a finding."""

    @property
    @abstractmethod
    def states_distinct(self) -> int: ...

    @property
    @abstractmethod
    def effect_types(self) -> AbstractSet[type]: ...

    @property
    @abstractmethod
    def timers_set(self) -> AbstractSet[Timer]:
        """The timers that some node armed."""

    @property
    def calls(self) -> int:
        return 0

    @property
    def states_local(self) -> int:
        return 0

    @property
    def steps_learned(self) -> int:
        return 0

    @property
    def memory_bytes(self) -> int:
        return 0

    @property
    def values_met(self) -> Iterable[tuple[str, Sequence[Hashable]]]:
        """Distinct values of a kind, and what reports call them: where a search may lose itself."""
        return ()

    def violation(self) -> Finding | None:
        """The finding that decides the verdict, if there is one."""
        return self.findings.violation(self.effect_types)

    def report(self, progress: Progress) -> None:
        if self.limits.report is not None:
            self.limits.report(progress)


def conclude(search: Search) -> Verdict:
    """Run the search, and say what it found and covered."""
    gave_up = run_to_limit(search)
    told = concluding(search.implementation)
    finding = search.violation()
    trace = None
    if finding is not None:
        trace = _trace(search, finding)
    exhausted = finding is None and not gave_up
    properties = search.findings.results(
        search.effect_types,
        finding.property if finding else None,
        exhausted=exhausted,
    )
    outcome, reason = _outcome(gave_up, trace, properties)
    return Verdict(
        implementation=implementation_name(search.implementation),
        scope=search.scope,
        outcome=outcome,
        reason=reason,
        properties=properties,
        states_distinct=search.states_distinct,
        transitions=search.transitions,
        depth=search.depth,
        trace=trace,
        exhausted=exhausted,
        notes=(
            *_notes(search),
            *told,
            *(_variety(search) if gave_up and finding is None else ()),
        ),
        states_local=search.states_local,
        steps_learned=search.steps_learned,
        calls=search.calls,
        seconds=search.limits.seconds,
        memory_bytes=search.memory_bytes,
    )


def concluding(implementation: Implementation) -> tuple[str, ...]:
    """What it has to say in the end, if anything. Raises ``ImplementationError``."""
    ask: Callable[[], tuple[str, ...]] = getattr(implementation, "concluding", tuple)
    return ask()


def run_to_limit(search: Search) -> str:
    """Run the search, and say which limit ended it, if any did."""
    try:
        with _without_garbage_collection():
            search.run()
    except GaveUp as limit:
        return str(limit)
    except Overdue as overdue:
        try:
            search.limits.check_time()
        except GaveUp as limit:
            return f"{limit}, and {overdue}"
        return str(overdue)
    except KeyboardInterrupt:
        if not search.limits.interrupted():
            raise
        return "interrupted"
    return ""


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A search makes millions of values that live as long as it does, and hardly any cycles:
    looking for garbage among them again and again cost a quarter of the time. In the end they are
    old: whoever runs next does not go through all of them to find the young ones."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()  # To the oldest generation, where they are looked at last.
            gc.enable()


def _outcome(
    gave_up: str, trace: Trace | None, properties: Sequence[PropertyResult]
) -> tuple[Outcome, str]:
    if trace is not None:
        return "violated", f"{trace.violation.property}: {trace.violation.explanation}"
    if gave_up:
        return "inconclusive", gave_up
    unreached = [known for known in properties if known.result == "unreached"]
    if unreached:
        says = "; ".join(f"{known.name} ({known.reason})" for known in unreached)
        return "violated", f"never reached in this scope: {says}. What was checked is vacuous"
    judged = [known for known in properties if known.kind == "always"]
    if judged and all(known.result == "not observable" for known in judged):
        return "inconclusive", "no property is observable: the implementation gives no testimony"
    return "holds", "the scope was exhausted"


def _notes(search: Search) -> tuple[str, ...]:
    """What a reader should know of the question that was asked."""
    scope = search.scope
    notes = [*question_notes(search.implementation, scope)]
    if isinstance(scope.timeouts_max, Mapping):
        notes += [
            f"timeouts_max bounds the timer {timer!r}, which no node ever set; those set: "
            + (", ".join(repr(known) for known in canonical(search.timers_set)) or "none")
            for timer in scope.timeouts_max
            if timer not in search.timers_set
        ]
    return tuple(notes)


def _variety(search: Search) -> Iterator[str]:
    """What varied most, where a limit ended the search: perhaps it can be left out."""
    for name, values in search.values_met:
        if says := variety_text(name, values):
            yield f"{says}; if one of them never repeats, no limit is enough: see {NEVER_REPEAT}"


def question_notes(implementation: Implementation, scope: Scope) -> tuple[str, ...]:
    """What is assumed, or asked for beyond what the implementation says it is made for; and which
    sets of nodes are quorums, unless it is what everybody expects."""
    notes = []
    made_for = getattr(implementation, "links", LINKS[0])
    if made_for in LINKS[1:] and made_for == scope.links:
        notes.append(f"assumed: links are {made_for}, as the implementation says it is made for")
    elif made_for in LINKS and LINKS.index(made_for) > LINKS.index(scope.links):
        notes.append(f"the implementation is made for {made_for} links; this scope asks for more")
    if not getattr(implementation, "crashes", True):
        notes.append(
            "assumed: no node crashes, as the implementation says it is not made for it"
            if scope.restarts_max == 0
            else "the implementation is not made to survive crashes; this scope asks for it"
        )
    quorums = world_of(implementation, scope).quorums
    if quorums != MajorityQuorums():
        notes.append(f"quorums are no majorities, but {quorums!r}")
    own = getattr(implementation, "notes", ())
    return (*notes, *own) if isinstance(own, tuple) else tuple(notes)


def _trace(search: Search, finding: Finding) -> Trace:
    actions = search.actions_to(finding)
    violation = _violation_after(search, finding, actions)
    name = implementation_name(search.implementation)
    return Trace(name, search.scope, actions, violation)


def _violation_after(search: Search, finding: Finding, actions: tuple[Action, ...]) -> Violation:
    """Replay the trace on ``Cluster``, and evaluate what it is said to violate at its end."""
    cluster = Cluster(search.implementation, search.scope, twice=False)
    world = world_of(search.implementation, search.scope)
    try:
        states = [cluster.initial()]
        effects: tuple[Effect, ...] = ()
        for _, outcome in cluster.replay(actions):
            states.append(outcome.state)
            effects = outcome.effects
    except ImplementationRaised as raised:
        if finding.property != RAISES:
            raise
        return Violation(f"the implementation raised {raised}", property=RAISES)
    except TraceError as error:
        raise _not_reproduced(search, finding) from error
    if finding.property == RAISES:
        raise _not_reproduced(search, finding)
    known = next(own for own in search.findings.properties if own.name == finding.property)
    last = actions[-1] if actions else None
    found = violations_after(known, world, states[-2:][0], last, states[-1], effects)
    if not found:
        raise _not_reproduced(search, finding)
    return found[0]


def _not_reproduced(search: Search, finding: Finding) -> ImplementationError:
    return ImplementationError(
        f"{finding.property} was violated, but is not when the same events happen again",
        cause=cause_of_another_end(search.implementation),
        remedy="let each step depend on node, state and event only",
    )


def violations_after(
    known: Property,
    world: World,
    before: ClusterState,
    action: Action | None,
    after: ClusterState,
    effects: tuple[Effect, ...],
) -> tuple[Violation, ...]:
    """What is wrong in ``after``, and (for properties of a step) with the step that led there.

    ``effects`` are those of ``action``; both are empty for the initial state.
    """
    views = _views(known, world, after)
    found: list[Violation] = []
    if known.reads == "records":
        found += known.violations(views, world=world)
    elif known.reads == "pair":
        for one, other in combinations_with_replacement(views, 2):
            found += known.violations(one, other, world=world) or known.violations(
                other, one, world=world
            )
    elif known.reads == "record":
        for own in views:
            found += known.violations(own, world=world)
    elif action is not None:
        node, event = action
        at = world.nodes.index(node)
        earlier = _views(known, world, before)
        found += known.violations(earlier[at], event, views[at], world=world, effects=effects)
    return tuple(found)


def reached_in(known: Property, world: World, state: ClusterState) -> bool:
    """Whether a *sometimes* property is true in this state."""
    views = _views(known, world, state)
    if known.reads == "records":
        return known.holds(views, world=world)
    if known.reads == "pair":
        return any(known.holds(one, other, world=world) for one, other in product(views, repeat=2))
    return any(known.holds(own, world=world) for own in views)


def _views(known: Property, world: World, state: ClusterState) -> tuple[View, ...]:
    return tuple(
        view(node, local.record, known.fields)
        for node, local in zip(world.nodes, state.nodes, strict=True)
    )
