"""Share: what one process does of a campaign, and what it tells meanwhile.

A campaign is a row of numbered runs. Each of several processes takes every so-manieth of them, so
that the same runs take place however many there are. Here nothing knows of processes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from indelible.checkers.overdue import STEP_SECONDS, Overdue, watched_steps
from indelible.checkers.walks.garbage import sparing_collection
from indelible.checkers.walks.runs import Campaign, Failure, highest
from indelible.model.events import Action

__all__ = ["Bounds", "Found", "Hung", "Tally", "share"]

TELL_SECONDS: Final = 0.2

STOP_PATIENCE: Final = 1.0
"""How many seconds a run may go on when somebody asked to stop, before it is given up."""

TIME_PATIENCE: Final = 5.0
"""The same when the time is over."""

FOUND_MAX: Final = 8
"""How many failures of one property a process tells of; the others it only counts."""


class Found(NamedTuple):
    """A failure, and the number of the run that showed it."""

    number: int
    failure: Failure


class Hung(NamedTuple):
    """A step that was given up, in words, after how many seconds; and the number of its run."""

    number: int
    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a campaign ends: after so many seconds, so many runs, or its first failure.

    ``only_run`` is the number of the one run to make, if not all are.
    """

    seconds_max: float | None = None
    runs_max: int | None = None
    first_only: bool = False
    only_run: int | None = None

    def shortened(self, seconds: float) -> Bounds:
        """The same when so much of the time is over."""
        if self.seconds_max is None:
            return self
        return replace(self, seconds_max=max(0.0, self.seconds_max - seconds))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the runs came to so far.

    ``failures``: how many runs failed, by the first property that they violated; ``waiting``: the
    same of those whose failure waits for testimony (``Failure``).
    ``node_states``: distinct states of nodes, in the process that met the most. The rest is as in
    ``Campaign``.
    """

    runs: int = 0
    events: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    node_states: int = 0
    ballot_highest: Any = None
    decided_most: int = 0
    reached: frozenset[str] = frozenset()
    effect_types: frozenset[type] = frozenset()
    seconds: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """The tally of two processes together."""
        return Tally(
            runs=self.runs + other.runs,
            events=self.events + other.events,
            failures=dict(Counter(self.failures) + Counter(other.failures)),
            waiting=dict(Counter(self.waiting) + Counter(other.waiting)),
            node_states=max(self.node_states, other.node_states),
            ballot_highest=highest((self.ballot_highest, other.ballot_highest)),
            decided_most=max(self.decided_most, other.decided_most),
            reached=self.reached | other.reached,
            effect_types=self.effect_types | other.effect_types,
            seconds=max(self.seconds, other.seconds),
        )


def share(
    campaign: Campaign,
    bounds: Bounds,
    *,
    first: int = 0,
    stride: int = 1,
    stop: Callable[[int], bool] = lambda _: False,
    follow: Callable[[tuple[Action, ...]], None] | None = None,
) -> Iterator[Tally | Found | Hung]:
    """Run the numbers ``first``, ``first + stride``, … until a bound is met, or ``stop`` says so of
    the next number.

    Yields failures as they are found, and now and then, and at the end, how far it is. A run that
    goes on when it should end is given up, and not counted; it is the last, and if it was for a
    step that does not end, that is yielded. ``follow`` is told of what happened in each run.
    Raises ``ImplementationError`` and ``PropertyError``.
    """
    started = told = time.monotonic()
    failures: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    events = runs = 0
    number = first if bounds.only_run is None else bounds.only_run
    end = bounds.runs_max if bounds.only_run is None else bounds.only_run + 1

    def tally() -> Tally:
        return Tally(
            runs,
            events,
            dict(failures),
            dict(waiting),
            campaign.node_states,
            campaign.ballot_highest,
            campaign.decided_most,
            frozenset(campaign.reached),
            frozenset(campaign.effect_types),
            time.monotonic() - started,
        )

    patience = _Patience(bounds.seconds_max, started)

    def is_overdue(lasted: float) -> bool:
        return patience.is_over(lasted, is_stopped=stop(number))

    with sparing_collection(campaign.size) as settle, watched_steps(is_overdue):
        while end is None or number < end:
            now = time.monotonic()
            if stop(number) or (
                bounds.seconds_max is not None and now - started >= bounds.seconds_max
            ):
                break
            if now - told >= TELL_SECONDS:
                told = now
                settle(campaign.size)
                yield tally()
            try:
                run = campaign.run(number)
            except Overdue as overdue:
                if overdue.seconds >= patience.granted:
                    yield Hung(number, overdue.step, overdue.seconds)
                break
            if follow is not None:
                for leg in run.legs:
                    follow(leg)
            number += stride
            runs += 1
            events += run.events
            if run.failure is not None:
                name, waits = run.failure.violated[0], run.failure.waits
                counted = waiting if waits else failures
                counted[name] += 1
                if counted[name] <= FOUND_MAX:
                    yield Found(run.number, run.failure)
                if bounds.first_only and not waits:
                    break
    yield tally()


class _Patience:
    """For how long a run, or a step of it, is waited for. A step hangs if a run is given up for
    which it alone took at least ``granted`` seconds: most of the time that was waited."""

    def __init__(self, seconds_max: float | None, started: float) -> None:
        self.granted = STEP_SECONDS
        self._ends = None if seconds_max is None else started + seconds_max
        self._stopped: float | None = None

    def is_over(self, lasted: float, *, is_stopped: bool) -> bool:
        now = time.monotonic()
        if is_stopped:
            self._stopped = now if self._stopped is None else self._stopped
            self.granted = STOP_PATIENCE / 2
            return now - self._stopped >= STOP_PATIENCE
        if self._ends is not None and now >= self._ends:
            self.granted = TIME_PATIENCE / 2
            return lasted >= STEP_SECONDS or now - self._ends >= TIME_PATIENCE
        return lasted >= STEP_SECONDS
