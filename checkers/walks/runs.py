"""Runs: a campaign of random runs, one after another, each decided by a seed and its number.

The same seed and number give the same run, whatever ran before it and in whichever process. A run
ends at its first violation, when nothing happens any more, or after so many events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal, TypeAlias, get_args

from indelible.checkers.findings import RAISES
from indelible.checkers.property import TESTIMONY, Property, world_of
from indelible.checkers.walks.judge import RunJudge
from indelible.checkers.walks.landmarks import Landmarks, landmarks
from indelible.checkers.walks.options import take
from indelible.checkers.walks.reactions import Reactions
from indelible.checkers.walks.stage import Stage
from indelible.checkers.walks.strategies import CHOOSERS, Chooser, Swarm
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.record import Record
from indelible.model.scope import Scope

__all__ = [
    "EVENTS_DEFAULT",
    "STRATEGIES",
    "Campaign",
    "Failure",
    "Run",
    "Strategy",
    "events_most",
    "highest",
]

Strategy: TypeAlias = Literal["uniform", "swarm", "priority", "targeted", "mixed"]
STRATEGIES: Final[tuple[str, ...]] = get_args(Strategy)

MIXED: Final[tuple[Strategy, ...]] = ("swarm", "priority", "targeted")
"""What the runs of a mixed campaign use in turn."""

EVENTS_DEFAULT: Final = 300
"""How many events a run has at most."""

ANSWERS_MAX: Final = 400_000
"""How many answers are kept before all are forgotten: about a gigabyte."""

IDLE_MAX: Final = 100
"""After how many events in a row that change nothing a run is over."""

LEG: Final = 60
"""How many events a targeted run goes on from a landmark before it turns back to another."""

LEGS: Final = 10
"""A targeted run goes on until it has so many times the events of another run, in all its legs
together; it finishes the last one."""

NOTHING: Final = Record()
"""The record of a node that has given no testimony."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a run found wrong at the end of ``actions``: the properties violated, in their order.

    Where ``waits``, all of them read testimony that nobody gave in this run. If nobody ever gives
    it they are not observable; if somebody does, that it was missing here is what is wrong.
    """

    actions: tuple[Action, ...]
    violated: tuple[str, ...]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one run: how many events happened in it, and what was wrong, if anything.

    ``legs``: the rows of events that took place, each from the initial state; one, but for targeted
    runs, which turn back and go on in another way.
    """

    number: int
    events: int
    failure: Failure | None
    legs: tuple[tuple[Action, ...], ...] = ()


class Campaign:
    """Random runs of an implementation in a scope, with one strategy.

    Counted over all runs so far: ``node_states``, distinct states of nodes; ``ballot_highest``
    that anybody led (``None``: nobody did); ``decided_most``, entries in one run; ``reached``, the
    *sometimes* properties that were; ``effect_types``, those given.
    """

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        *,
        seed: int,
        strategy: Strategy = "mixed",
        events_max: int = EVENTS_DEFAULT,
    ) -> None:
        self.implementation, self.scope = implementation, scope
        self.properties = tuple(properties)
        self.seed, self.strategy, self.events_max = seed, strategy, events_max
        self.ballot_highest: Any = None
        self.decided_most = 0
        self.reached: set[str] = set()
        self.effect_types: set[type] = set()
        self._testimony = {
            known.name: tuple(name for name in known.fields if name in TESTIMONY)
            for known in properties
        }
        self._hashes: set[int] = set()
        self._counted = 0
        self._forget()

    @property
    def node_states(self) -> int:
        return len(self._hashes)

    @property
    def size(self) -> int:
        """How many answers are kept."""
        return self._reactions.size

    def run(self, number: int) -> Run:
        """The run of this number. Raises ``ImplementationError`` and ``PropertyError``."""
        if self.size > ANSWERS_MAX:
            self._forget()
        strategy = MIXED[number % len(MIXED)] if self.strategy == "mixed" else self.strategy
        draw = Random(f"{self.seed}/{strategy}/{number}")
        try:
            stage = Stage(self._reactions)
        except ImplementationRaised:
            return Run(number, 0, Failure((), (RAISES,)))
        if strategy == "targeted":
            events, failure, legs = self._targeted(draw, stage)
        else:
            most = draw.choice((self.events_max // 8, self.events_max // 3, self.events_max)) or 1
            chooser = CHOOSERS[strategy](draw, stage, most)
            events, failure = self._walked(stage, chooser, most)
            legs = [stage]
        for leg in legs:
            self._count(leg)
        return Run(number, events, failure, tuple(tuple(leg.actions) for leg in legs))

    def _walked(
        self, stage: Stage, chooser: Chooser, most: int, seen: Landmarked | None = None
    ) -> tuple[int, Failure | None]:
        """Let events happen on the stage, judged one by one; says how many did."""
        wrong = self._judge.start(stage)
        failure = self._failure(stage, wrong, None) if wrong else None
        events = idle = 0
        while (failure is None or failure.waits) and events < most and idle < IDLE_MAX:
            option = chooser.choose(stage)
            if option is None:
                break
            events += 1
            try:
                changed = take(stage, option)
            except ImplementationRaised:
                return events, Failure(tuple(stage.actions), (RAISES,))
            idle = 0 if changed else idle + 1
            if changed:
                wrong = self._judge.after(stage, option.node)
                if wrong:
                    failure = self._failure(stage, wrong, failure)
                if seen is not None:
                    seen.look(stage)
        return events, failure

    def _failure(
        self, stage: Stage, wrong: tuple[str, ...], before: Failure | None
    ) -> Failure | None:
        """What is wrong with a run by now: the first that can be observed, or else the first."""
        observable = tuple(name for name in wrong if self._is_given(stage, self._testimony[name]))
        if observable:
            return Failure(tuple(stage.actions), observable)
        if before is not None or not wrong:
            return before
        return Failure(tuple(stage.actions), wrong, waits=True)

    def _is_given(self, stage: Stage, testimony: tuple[str, ...]) -> bool:
        """Whether some node has given each kind of testimony, which are fields of a record."""
        records = [self._reactions.histories[history] for history in set(stage.histories)]
        return all(
            any(getattr(record, name) != getattr(NOTHING, name) for record in records)
            for name in testimony
        )

    def _targeted(self, draw: Random, stage: Stage) -> tuple[int, Failure | None, list[Stage]]:
        """Go on from the most contested states found so far, a leg at a time; gives all legs."""
        seen = Landmarked()
        seen.look(stage)
        events, legs, waiting = 0, list[Stage](), None
        while events < LEGS * self.events_max and seen:
            known = seen.one(draw)
            turn = known.copy()
            legs.append(turn)
            more, failure = self._walked(turn, Swarm(draw, turn, LEG), LEG, seen)
            events += more
            if failure is not None and not failure.waits:
                return events, failure, legs
            waiting = waiting or failure
            if not more:
                seen.spend(known)
        return events, waiting, legs

    def _count(self, stage: Stage) -> None:
        known = self._reactions.states.values
        self._hashes.update(map(hash, known[self._counted :]))
        self._counted = len(known)
        records = [self._reactions.histories[history] for history in stage.histories]
        led = [ballot for record in records for ballot in record.leaderships]
        self.ballot_highest = highest((self.ballot_highest, *led))
        decided = {slot for record in records for slot, _ in record.decided}
        self.decided_most = max(self.decided_most, len(decided))
        self.reached |= self._judge.reached
        self.effect_types |= self._reactions.effect_types

    def _forget(self) -> None:
        """Begin anew with what was asked and judged: it says the same, and takes memory."""
        self._reactions = Reactions(self.implementation, self.scope)
        world = world_of(self.implementation, self.scope)
        self._judge = RunJudge(world, self.properties)
        self._judge.reached |= self.reached
        self._counted = 0


def events_most(strategy: Strategy, events_max: int) -> int:
    """How many events a run has at most, if those of targeted runs count in all their legs."""
    return events_max * LEGS + LEG - 1 if strategy in ("targeted", "mixed") else events_max


def highest(ballots: Iterable[Any]) -> Any:
    """The highest ballot, of those that are not ``None``. Raises ``ImplementationError``."""
    try:
        return max((ballot for ballot in ballots if ballot is not None), default=None)
    except TypeError as error:
        raise ImplementationError(
            f"two ballots cannot be compared: {error}",
            cause="ballots are totally ordered, and properties rely on it",
            remedy="give ballots an order, for instance as tuples (round, node)",
        ) from None


class Landmarked:
    """The first stage found at each of the landmarks, for going on from there."""

    def __init__(self) -> None:
        self._stages: dict[Landmarks, Stage] = {}
        self._known: set[tuple[int, ...]] = set()

    def look(self, stage: Stage) -> None:
        """Keep a copy of the stage if nothing like it was seen before."""
        key = tuple(stage.histories)
        if key in self._known:
            return
        self._known.add(key)
        histories = stage.reactions.histories
        found = landmarks([histories[history] for history in stage.histories])
        if found not in self._stages:
            self._stages[found] = stage.copy()

    def __bool__(self) -> bool:
        return bool(self._stages)

    def spend(self, stage: Stage) -> None:
        """Forget a stage from which nothing was seen to go on."""
        self._stages = {found: known for found, known in self._stages.items() if known is not stage}

    def one(self, draw: Random) -> Stage:
        """One of the stages, more likely one of the more contested."""
        known = sorted(self._stages)
        place = max(draw.randrange(len(known)), draw.randrange(len(known)))
        return self._stages[known[place]]
