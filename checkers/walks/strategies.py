"""Strategies: who decides what happens next in a run, and by what odds.

A strategy is made anew for every run, draws from that run's source of chance only, and chooses among the options
of a stage. What finds bugs is rarely an even choice among all events: a leader must come up, fall
silent, and be heard again at the wrong moment, which takes a rhythm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

from indelible.checkers.walks.options import Option, every_option, torn_options
from indelible.checkers.walks.stage import Stage
from indelible.model.events import Receive, Timer

__all__ = ["STRATEGIES", "Chooser", "Priorities", "Strategy", "Swarm", "Uniform"]

Strategy: TypeAlias = Literal["uniform", "swarm", "priority", "targeted"]

TRIES: Final = 64
"""How many options are drawn that turn out impossible before all are listed."""


class Chooser(Protocol):
    """Chooses what happens next in one run; ``None`` when nothing can."""

    def choose(self, stage: Stage) -> Option | None: ...


class Uniform:
    """Every message, timer, command and restart alike; where steps may be torn, every crash in one
    alike with none."""

    def __init__(self, draw: Random, stage: Stage) -> None:
        self._draw = draw

    def choose(self, stage: Stage) -> Option | None:
        options = list(every_option(stage))
        if not options:
            return None
        option = self._draw.choice(options)
        return self._draw.choice((option, *torn_options(stage, option)))


class Swarm:
    """Each run has odds of its own: some kinds of events never happen in it, others all the time.

    Swarm testing (Groce et al., "Swarm Testing", ISSTA 2012): a feature that is always on hides what
    happens only without it. A run is a row of *epochs*; in each only some of the nodes are awake,
    which is how a partition or a pause looks to the others.
    """

    def __init__(self, draw: Random, stage: Stage) -> None:
        self._draw, self._random = draw, draw.random
        count = len(stage.states)
        self._indices = list(range(count))
        self._awake = self._indices
        self._left = 0
        self._epoch = draw.choice(((2, 12), (5, 40), (20, 120)))
        self._partitions = count > 1 and draw.random() < 0.85
        self._oldest = draw.choice((0.2, 0.9, 1.0))
        self._deliver = draw.choice((1.0, 3.0, 10.0))
        self._duplicate = draw.choice((0.0, 0.0, 0.1, 0.5))
        self._timeout = draw.choice((0.1, 0.3, 1.0))
        self._submit = draw.choice((0.1, 0.5))
        self._restart = draw.choice((0.0, 0.02, 0.2))
        self._tear = draw.choice((0.0, 0.02, 0.2))
        self._lose = draw.choice((0.0, 0.0, 0.05, 0.3))
        self._odds: dict[tuple[int, Timer], float] = {}
        self._commands = draw.sample(
            range(len(stage.submissions)),
            draw.randint(min(1, len(stage.submissions)), min(4, len(stage.submissions))),
        )

    def choose(self, stage: Stage) -> Option | None:
        for _ in range(TRIES):
            if self._left <= 0:
                self._begin_epoch()
            self._left -= 1
            option = self._drawn(stage)
            if option is not None:
                if self._tear and self._random() < self._tear:
                    torn = torn_options(stage, option)
                    return self._draw.choice(torn) if torn else option
                return option
            self._left = 0
        return None

    def _begin_epoch(self) -> None:
        draw = self._draw
        self._left = draw.randint(*self._epoch)
        if self._partitions:
            self._awake = draw.sample(self._indices, draw.randint(1, len(self._indices)))

    def _drawn(self, stage: Stage) -> Option | None:
        """An option of the nodes that are awake, by the odds of this run, if they have any."""
        awake, ordered = self._awake, stage.links == "ordered"
        if ordered:
            queues = stage.queues
            full = [(index, at) for index in awake for at in self._indices if queues[index][at]]
        else:
            full = [(index, 0) for index in awake if stage.fresh[index]]
        armed = [
            (index, timer)
            for index in awake
            for timer in stage.timers[index]
            if self._odds_of(index, timer)
        ]
        commands = [place for place in self._commands if place in stage.open_commands]
        deliver = self._deliver if full else 0.0
        timeout = self._timeout if armed else 0.0
        submit = self._submit if commands else 0.0
        restart = self._restart if stage.restarts_left > 0 else 0.0
        point = self._random() * (deliver + timeout + submit + restart + self._duplicate)
        if point < deliver:
            index, source = full[int(self._random() * len(full))]
            return Option("deliver", index, source) if ordered else self._delivery(stage, index)
        point -= deliver
        if point < timeout:
            index, timer = armed[int(self._random() * len(armed))]
            return Option("timeout", index, timer)
        point -= timeout
        index = awake[int(self._random() * len(awake))]
        if point < submit:
            place = commands[int(self._random() * len(commands))]
            return Option("submit", index, place) if stage.may_submit(index, place) else None
        if point - submit < restart:
            return Option("restart", index)
        seen = stage.seen[index]
        return Option("duplicate", index, int(self._random() * len(seen))) if seen else None

    def _odds_of(self, index, timer):
        odds = self._odds.get((index, timer))
        if odds is None:
            odds = self._odds[index, timer] = self._random() < 0.5
        return odds

    def _delivery(self, stage: Stage, index: int) -> Option | None:
        count = len(stage.fresh[index])
        if self._lose and self._random() < self._lose:
            stage.lose(index, int(self._random() * count))
            return None
        if self._random() < self._oldest:
            return Option("deliver", index, 0)
        return Option("deliver", index, int(self._random() * count))
