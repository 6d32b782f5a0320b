"""Strategies: who chooses what happens next in a run, and by what odds.

A strategy is made anew for each run, draws from that run's source of chance only, and chooses among
the options of its stage. An even choice among all events hardly ever shows a bug of consensus: a
leader must come up, fall silent, and be heard again at the wrong moment, which takes a rhythm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import combinations
from random import Random
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

from indelible.checkers.walks.options import Kind, Option, even_option, torn_options
from indelible.checkers.walks.stage import Stage
from indelible.model.events import Timer

__all__ = ["CHOOSERS", "Chooser", "Priorities", "Swarm", "Uniform", "oldest"]

EMPTY_EPOCHS: Final = 16
"""After how many epochs in a row in which nothing happened a run is over."""

KINDS: Final[tuple[Kind, ...]] = ("deliver", "timeout", "submit", "restart", "duplicate")

Finder: TypeAlias = Callable[[Stage, Sequence[int]], Sequence[tuple[int, Any]]]
"""What there is of a kind at some nodes: each a node, and which."""

SUBSETS_MAX: Final = 8
"""Of so many nodes all subsets are considered, which are 255."""


class Chooser(Protocol):
    """Chooses what happens next in one run; ``None`` when nothing does any more."""

    def choose(self, stage: Stage) -> Option | None: ...


class Uniform:
    """Every message, timer, command and restart alike; and alike every crash that may cut it short.

    The plain choice that the others are measured against.
    """

    def __init__(self, draw: Random, stage: Stage, events: int) -> None:
        self._draw = draw

    def choose(self, stage: Stage) -> Option | None:
        option = even_option(stage, self._draw)
        if option is None:
            return None
        return self._draw.choice((option, *torn_options(stage, option)))


class Swarm:
    """Each run has odds of its own: some kinds of events never happen in it, others all the time.

    A feature that is always on hides what happens only without it (Groce et al., "Swarm Testing",
    ISSTA 2012). So a run has its own few commands, its own timers that may fire, its own share of
    duplicates, losses and crashes. It is a row of *epochs*: in each only some of the nodes are
    awake, which is how a pause or a partition looks to the others.
    """

    def __init__(self, draw: Random, stage: Stage, events: int) -> None:
        self._draw, self._random = draw, draw.random
        self._indices = list(range(len(stage.states)))
        self._awake: Sequence[int] = self._indices
        self._left = 0
        self._epoch = draw.choice(((2, 12), (5, 40), (20, 120)))
        self._partitions = draw.random() < 0.85
        self._oldest = draw.choice((0.2, 0.9, 1.0))
        self._deliver = draw.choice((1.0, 3.0, 10.0))
        self._duplicate = draw.choice((0.0, 0.0, 0.1, 0.5))
        self._timeout = draw.choice((0.03, 0.1, 0.3, 1.0))
        self._submit = draw.choice((0.02, 0.1, 0.5))
        self._restart = draw.choice((0.0, 0.02, 0.2))
        self._tear = draw.choice((0.0, 0.02, 0.2))
        self._lose = draw.choice((0.0, 0.0, 0.05, 0.3))
        self._odds, self._odds_without_restart = (
            (self._deliver, self._timeout, self._submit, restart, self._duplicate)
            for restart in (self._restart, 0.0)
        )
        self._commands = _some(draw, stage.open_commands, 4)
        self._runs: dict[tuple[int, Timer], bool] = {}
        self._finders: tuple[Finder, ...] = (
            *(_links, self._timers, self._submissions),
            *(_restarts, self._duplicates),
        )

    def choose(self, stage: Stage) -> Option | None:
        for _ in range(EMPTY_EPOCHS):
            if self._left <= 0:
                self._begin_epoch()
            self._left -= 1
            option = self._drawn(stage)
            if option is not None:
                return self._perhaps_torn(stage, option)
            self._left = 0
            if self._is_over(stage):
                break
        return None

    def _is_over(self, stage: Stage) -> bool:
        """Whether nothing can happen any more in this run, whoever is awake."""
        return not (
            _links(stage, self._indices)
            or self._submissions(stage, self._indices)
            or (self._restart and stage.restarts_left > 0)
            or self._timers(stage, self._indices)
            or (self._duplicate and any(stage.seen))
        )

    def _begin_epoch(self) -> None:
        least, most = self._epoch
        self._left = least + self._place(most - least + 1)
        if self._partitions:
            subsets = _subsets(len(self._indices))
            self._awake = self._one(self._one(subsets))

    def _perhaps_torn(self, stage: Stage, option: Option) -> Option:
        if self._tear and self._random() < self._tear:
            return self._draw.choice(torn_options(stage, option) or (option,))
        return option

    def _drawn(self, stage: Stage) -> Option | None:
        """An option of the nodes that are awake, by the odds of this run, if they have any.

        A kind of event is drawn before it is known whether there is any: looking at one kind is
        mostly enough, and where there is none, drawing once more among those that there are comes
        to the same odds.
        """
        odds = self._odds if stage.restarts_left > 0 else self._odds_without_restart
        kind = self._kind(odds)
        found = self._finders[kind](stage, self._awake)
        if not found:
            every = [
                finder(stage, self._awake) if odd and other != kind else ()
                for other, (finder, odd) in enumerate(zip(self._finders, odds, strict=True))
            ]
            kind = self._kind(
                [odd if there else 0.0 for odd, there in zip(odds, every, strict=True)]
            )
            found = every[kind]
        return self._option(stage, kind, *self._one(found)) if found else None

    def _kind(self, odds: Sequence[float]) -> int:
        point = self._random() * sum(odds)
        for kind, odd in enumerate(odds):
            point -= odd
            if point < 0:
                return kind
        return 0

    def _option(self, stage: Stage, kind: int, index: int, which: Any) -> Option | None:
        if kind == 0:
            return self._delivery(stage, index, which)
        if kind == 4:
            which = self._place(len(stage.seen[index]))
        return Option(KINDS[kind], index, which)

    def _delivery(self, stage: Stage, index: int, source: int) -> Option | None:
        if stage.links == "ordered":
            return Option("deliver", index, source)
        count = len(stage.fresh[index])
        if self._lose and self._random() < self._lose:
            stage.lose(index, self._place(count))
            return None
        in_order = self._random() < self._oldest
        return Option("deliver", index, 0 if in_order else self._place(count))

    def _timers(self, stage: Stage, nodes: Sequence[int]) -> list[tuple[int, Timer]]:
        return [
            (index, timer)
            for index in nodes
            for timer in stage.timers[index]
            if self._may_run(index, timer)
        ]

    def _submissions(self, stage: Stage, nodes: Sequence[int]) -> list[tuple[int, int]]:
        open_commands, accepts = stage.open_commands, stage.reactions.accepts
        return [
            (index, place)
            for place in self._commands
            if place in open_commands
            for index in nodes
            if accepts[index][place]
        ]

    def _duplicates(self, stage: Stage, nodes: Sequence[int]) -> list[tuple[int, int]]:
        return [(index, 0) for index in nodes if stage.seen[index]] if self._duplicate else []

    def _may_run(self, index: int, timer: Timer) -> bool:
        known = self._runs.get((index, timer))
        if known is None:
            known = self._runs[index, timer] = self._random() < 0.8
        return known

    def _place(self, count: int) -> int:
        return int(self._random() * count)

    def _one(self, values: Sequence[Any]) -> Any:
        return values[int(self._random() * len(values))]


class Priorities:
    """Messages are delivered by the priority of their link, which changes a few times in a run.

    After PCT (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding
    Bugs", ASPLOS 2010), with a link as what it calls a thread: a bug that needs d deliveries in a
    certain order among n links is found with a probability that does not shrink with every event in
    between. What comes from outside (timers, clients, crashes, duplicates) happens at random
    moments, or when nothing is left to deliver.
    """

    def __init__(self, draw: Random, stage: Stage, events: int) -> None:
        self._draw, self._random = draw, draw.random
        self._step = 0
        self._indices = list(range(len(stage.states)))
        self._links: dict[tuple[int, int], float] = {}
        self._changes = {draw.randrange(max(events, 1)) for _ in range(draw.randrange(6))}
        self._outside = draw.choice((0.02, 0.1, 0.3))
        self._tear = draw.choice((0.0, 0.05))
        self._odds = {
            "timeout": draw.choice((0.3, 1.0)),
            "submit": draw.choice((0.3, 1.0)),
            "restart": draw.choice((0.0, 0.05, 0.3)),
            "duplicate": draw.choice((0.0, 0.3)),
        }
        self._commands = _some(draw, stage.open_commands, 4)

    def choose(self, stage: Stage) -> Option | None:
        self._step += 1
        option = None
        if self._random() < self._outside:
            option = self._from_outside(stage)
        option = option or self._delivery(stage) or self._from_outside(stage)
        if option is not None and self._tear and self._random() < self._tear:
            return self._draw.choice(torn_options(stage, option) or (option,))
        return option

    def _delivery(self, stage: Stage) -> Option | None:
        """The oldest message of the link with the highest priority, unless that just changes."""
        waiting = oldest(stage)
        if not waiting:
            return None
        first = max(waiting, key=self._priority)
        if self._step in self._changes:
            self._links[first] = -self._step
            first = max(waiting, key=self._priority)
        index, source = first
        return Option("deliver", index, waiting[index, source])

    def _priority(self, link: tuple[int, int]) -> float:
        known = self._links.get(link)
        if known is None:
            known = self._links[link] = self._random()
        return known

    def _from_outside(self, stage: Stage) -> Option | None:
        options = [
            Option("timeout", index, timer)
            for index in self._indices
            for timer in stage.timers[index]
        ]
        options += [
            Option("submit", index, place)
            for place in self._commands
            for index in self._indices
            if stage.may_submit(index, place)
        ]
        if stage.restarts_left > 0:
            options += [Option("restart", index) for index in self._indices]
        options += [
            Option("duplicate", index, self._draw.randrange(len(stage.seen[index])))
            for index in self._indices
            if stage.seen[index]
        ]
        odds = [self._odds[option.kind] for option in options]
        return self._draw.choices(options, odds)[0] if sum(odds) else None


CHOOSERS: Final[Mapping[str, Callable[[Random, Stage, int], Chooser]]] = MappingProxyType(
    {"uniform": Uniform, "swarm": Swarm, "priority": Priorities}
)


@cache
def _subsets(count: int) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Subsets of so many nodes, by their size, from 1 on; of many nodes only those in a row."""
    ring = (*range(count), *range(count))
    if count <= SUBSETS_MAX:
        return tuple(tuple(combinations(range(count), size)) for size in range(1, count + 1))
    return tuple(
        tuple(ring[first : first + size] for first in range(count)) for size in range(1, count + 1)
    )


def _some(draw: Random, values: Sequence[int], most: int) -> list[int]:
    """From one to ``most`` of the values, in random order; none where there are none."""
    count = min(most, len(values))
    return draw.sample(values, draw.randint(1, count)) if count else []


def _links(stage: Stage, awake: Sequence[int]) -> list[tuple[int, int]]:
    """Where a message waits, as (receiver, sender); unordered links are one per receiver."""
    if stage.links == "ordered":
        return [
            (index, source)
            for index in awake
            for source, queue in enumerate(stage.queues[index])
            if queue
        ]
    fresh = stage.fresh
    return [(index, 0) for index in awake if fresh[index]]


def _restarts(stage: Stage, nodes: Sequence[int]) -> list[tuple[int, int]]:
    return [(index, 0) for index in nodes] if stage.restarts_left > 0 else []


def oldest(stage: Stage) -> dict[tuple[int, int], int]:
    """By (receiver, sender), where the oldest message that waits is, as an option names it."""
    places: dict[tuple[int, int], int] = {}
    if stage.links == "ordered":
        for index, source in _links(stage, range(len(stage.states))):
            places[index, source] = source
        return places
    for index, senders in enumerate(stage.senders):
        for place, source in sorted([(senders.index(source), source) for source in set(senders)]):
            places[index, source] = place
    return places
