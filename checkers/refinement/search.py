"""Search: every behaviour of an implementation in a scope, held against the proved protocol.

Plain breadth-first search over pairs of a cluster state and what may have happened so far (a set of
histories, where records leave it open). A step is allowed if some history of the set has actions
for all that the node says in it; the run is no run of the protocol when the set becomes empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from indelible.checkers.explore import check_question, scope_for
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.lemmas.protocol import Protocol
from indelible.checkers.property import world_of
from indelible.checkers.refinement.history import History, quorums_of
from indelible.checkers.refinement.steps import Refiner, Refused, Testimony
from indelible.model.cluster import Cluster, ClusterState, LocalState
from indelible.model.cluster import Outcome as StepOutcome
from indelible.model.effects import Decide, Effect, Lead, Promise, Vote
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Action, Event, NodeId, Receive
from indelible.model.implementation import Implementation, implementation_name
from indelible.model.record import Record
from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation
from indelible.model.verdict import Outcome

__all__ = ["Refinement", "check_refinement"]

Possible: TypeAlias = frozenset[History]
State: TypeAlias = tuple[tuple[int, ...], int]
"""The numbers of the local states, and of the set of histories."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What came of it.

    - ``outcome``: *holds* if every behaviour in the scope is one of the proved protocol; *violated*
      with the shortest ``trace`` that is none; *inconclusive* if a bound ended the search.
    - ``reason``: why it ended. A search in which nothing was decided says nothing, and so it is
      *inconclusive*, too.
    - ``actions``: how many distinct steps stood for each sequence of actions, joined by ``+``.
    - ``states``: pairs of a cluster state and what may have happened.
    """

    outcome: Outcome
    reason: str
    states: int
    transitions: int
    depth: int
    actions: Mapping[str, int]
    trace: Trace | None = None


def check_refinement(
    implementation: Implementation,
    scope: Scope,
    *,
    depth_max: int | None = None,
    states_max: int | None = None,
    protocol: Protocol = MULTI_PAXOS,
) -> Refinement:
    """Whether each step of ``implementation`` inside ``scope`` is one of the proved protocol, and
    every conjunct of its invariant true after it.

    The implementation must testify to its promises, votes and leaderships: what is decided without
    votes is no step of the protocol.

    Raises ``ImplementationError`` where the implementation breaks the contract, ``ScopeError``
    where its quorums are about nodes that the scope does not have.
    """
    check_question(implementation, scope, None)
    return _Search(implementation, scope_for(implementation, scope), protocol).run(
        depth_max, states_max
    )


class _Search:
    """States by number, with the one and the action they were found from.

    Local states are numbered, too, and local steps kept: the implementation is asked once for each.
    """

    def __init__(self, implementation: Implementation, scope: Scope, protocol: Protocol) -> None:
        self._implementation = implementation
        self._scope = scope
        self._cluster = _Remembering(implementation, scope, twice=False)
        quorums = quorums_of(world_of(implementation, scope))
        self._refiner = Refiner(scope.nodes, quorums, protocol)
        self._locals: dict[tuple[int, LocalState], int] = {}
        self._local_states: list[LocalState] = []
        self._steps: dict[tuple[int, int, Event], tuple[int, tuple[Testimony, ...]]] = {}
        self._possible: dict[Possible, int] = {}
        self._possibilities: list[Possible] = []
        self._verdicts: dict[tuple[int, NodeId, tuple[Testimony, ...]], int | Refused] = {}
        self._found_from: list[tuple[int, Action] | None] = []
        self._actions: Counter[str] = Counter()
        self._transitions = 0
        self._depth = 0

    def run(self, depth_max: int | None, states_max: int | None) -> Refinement:
        """Level by level, until there is no more, or something is refused, or a bound is hit."""
        first = self._first()
        if isinstance(first, Refused):
            return self._violated(first, 0, None)
        level, seen = [(0, first)], {first: 0}
        self._found_from.append(None)
        while level:
            if depth_max is not None and self._depth >= depth_max:
                return self._ended("inconclusive", f"behaviours of {depth_max} events and no more")
            if states_max is not None and len(seen) > states_max:
                return self._ended("inconclusive", f"more than {states_max:,} states")
            following = []
            for number, state in level:
                for action, reached in self._successors(state):
                    if isinstance(reached, Refused):
                        return self._violated(reached, number, action)
                    if reached not in seen:
                        seen[reached] = len(seen)
                        self._found_from.append((number, action))
                        following.append((seen[reached], reached))
            level = following
            self._depth += bool(level)
        if not any("decide" in steps.split("+") for steps in self._actions):
            return self._ended("inconclusive", "nothing is ever decided, so it says nothing")
        return self._ended("holds", "the scope was exhausted")

    def _first(self) -> State | Refused:
        for axiom in self._refiner.broken_axioms(History()):
            return Refused(axiom.name, f"the proof assumes what is not so: {axiom.says}")
        possible = self._number(frozenset({History()}))
        local_states = []
        for index, (local, effects) in enumerate(self._cluster.first_steps()):
            local_states.append(self._local(index, local))
            judged = self._judged(possible, self._scope.nodes[index], _testimony(effects))
            if isinstance(judged, Refused):
                return judged
            possible = judged
        return tuple(local_states), possible

    def _successors(self, state: State) -> Iterator[tuple[Action, State | Refused]]:
        local_states, possible = state
        cluster_state = ClusterState(tuple(self._local_states[known] for known in local_states))
        for action in self._cluster.enabled(cluster_state):
            node, event = action
            index = self._scope.nodes.index(node)
            key = (index, local_states[index], event)
            known = self._steps.get(key)
            if known is None:
                outcome = self._outcome(cluster_state, action)
                reached = self._local(index, outcome.state.nodes[index])
                known = self._steps[key] = (reached, _testimony(outcome.effects))
            reached, testimony = known
            judged = self._judged(possible, node, testimony) if testimony else possible
            if isinstance(judged, Refused):
                yield action, judged
                return
            if reached != local_states[index] or judged != possible:
                self._transitions += 1
                nodes = (*local_states[:index], reached, *local_states[index + 1 :])
                yield action, (nodes, judged)

    def _outcome(self, state: ClusterState, action: Action) -> StepOutcome:
        try:
            return self._cluster.outcome(state, action)
        except ImplementationRaised as raised:
            raise ImplementationError(
                f"the implementation raised {raised}",
                remedy="find out why by 'indelible check'; what raises cannot be refined",
            ) from raised

    def _judged(
        self, possible: int, node: NodeId, testimony: tuple[Testimony, ...]
    ) -> int | Refused:
        """What may have happened afterwards, or why nothing may have."""
        key = (possible, node, testimony)
        answer = self._verdicts.get(key)
        if answer is None:
            answer = self._verdicts[key] = self._worked_out(*key)
        return answer

    def _worked_out(
        self, possible: int, node: NodeId, testimony: tuple[Testimony, ...]
    ) -> int | Refused:
        runs: set[tuple[History, tuple[str, ...]]] = {
            (history, ()) for history in self._possibilities[possible]
        }
        for said in testimony:
            following = set()
            refused: list[Refused] = []
            for history, actions in runs:
                for answer in self._refiner.judged(history, node, said):
                    if isinstance(answer, Refused):
                        refused.append(answer)
                    else:
                        following.add((answer.history, actions + answer.actions))
            if not following:
                return min(refused, key=lambda reason: (reason.law, reason.says))
            runs = following
        for actions in sorted({actions for _, actions in runs}):
            self._actions["+".join(actions) or "(nothing)"] += 1
        return self._number(frozenset(history for history, _ in runs))

    def _number(self, possible: Possible) -> int:
        number = self._possible.setdefault(possible, len(self._possible))
        if number == len(self._possibilities):
            self._possibilities.append(possible)
        return number

    def _local(self, index: int, local: LocalState) -> int:
        number = self._locals.setdefault((index, local), len(self._locals))
        if number == len(self._local_states):
            self._local_states.append(local)
        return number

    def _violated(self, refused: Refused, number: int, action: Action | None) -> Refinement:
        actions = [] if action is None else [action]
        origin = self._found_from[number] if self._found_from else None
        while origin is not None:
            number, action = origin
            actions.append(action)
            origin = self._found_from[number]
        violation = Violation(refused.says, property=refused.law)
        name = implementation_name(self._implementation)
        trace = Trace(name, self._scope, tuple(reversed(actions)), violation)
        return self._ended("violated", f"{refused.law}: {refused.says}", trace)

    def _ended(self, outcome: Outcome, reason: str, trace: Trace | None = None) -> Refinement:
        return Refinement(
            outcome,
            reason,
            len(self._found_from),
            self._transitions,
            self._depth,
            dict(sorted(self._actions.items())),
            trace,
        )


class _Remembering(Cluster):
    """Looks only once at what may be received of the same messages: sorting them is slow."""

    def __init__(self, implementation: Implementation, scope: Scope, *, twice: bool) -> None:
        super().__init__(implementation, scope, twice=twice)
        self._arrivals: dict[tuple[NodeId, Record, NodeId, Record], tuple[Receive, ...]] = {}

    def arrivals(
        self, node: NodeId, record: Record, source: NodeId, sender: Record
    ) -> Iterable[Receive]:
        key = (node, record, source, sender)
        known = self._arrivals.get(key)
        if known is None:
            known = self._arrivals[key] = tuple(super().arrivals(*key))
        return known


def _testimony(effects: Iterable[Effect]) -> tuple[Testimony, ...]:
    """What a node says in a step that a checker may judge, in order."""
    return tuple(effect for effect in effects if isinstance(effect, Promise | Vote | Lead | Decide))
