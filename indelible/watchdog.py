"""The watchdog: a call of the implementation that never ends does not keep a check for ever.

Once a second a signal asks whether the same call still runs. It can interrupt what Python can:
loops, locks, sleeps; not a loop inside of a library that is written in C. Works in the main thread
of a process, and only where nobody else has set such a timer.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from indelible.model.errors import NeverEnded
from indelible.model.implementation import ASKING
from indelible.model.verdict import EXIT_CODES

__all__ = ["CALL_SECONDS", "Watchdog", "watched"]

CALL_SECONDS: Final = 60.0
"""How long one call may take where no limit is given; almost all take less than a millisecond."""

TICK_SECONDS: Final = 1.0

_EXIT: Final = os._exit

CAUGHT_MAX: Final = 5
"""How often code may catch what is to end it, before the process ends instead."""


class Watchdog:
    """Told ``tick`` now and then. ``seconds_max`` bounds the search that begins now, and a call;
    ``interrupted`` says whether somebody asked to stop."""

    def __init__(
        self, seconds_max: float | None, interrupted: Callable[[], bool], now: Callable[[], float]
    ) -> None:
        self._seconds_max, self._interrupted, self._now = seconds_max, interrupted, now
        self._ends = None if seconds_max is None else now() + seconds_max
        self._number, self._since, self._ended = -1, 0.0, 0

    def tick(self) -> None:
        """Raises ``NeverEnded`` if the call that runs has had its time."""
        what, number, now = ASKING.what, ASKING.number, self._now()
        if what is None or number != self._number:
            self._number, self._since, self._ended = number, now, 0
            return
        reason = self._reason(now)
        if reason:
            self._ended += 1
            says = f"{reason} in the midst of {what()}, which may never end"
            if self._ended > CAUGHT_MAX:
                self._give_up(says)
            raise NeverEnded(says)

    def _reason(self, now: float) -> str:
        if self._interrupted():
            return "interrupted"
        if self._ends is not None and now > self._ends:
            return f"the time limit of {self._seconds_max:g} s was reached"
        limit = min(CALL_SECONDS, self._seconds_max or CALL_SECONDS)
        return f"{limit:g} s were over" if now - self._since > limit else ""

    def _give_up(self, says: str) -> None:
        print(f"Error: {says}, and caught what was to end it", file=sys.stderr, flush=True)
        _EXIT(EXIT_CODES["inconclusive"])


@contextmanager
def watched(seconds_max: float | None, interrupted: Callable[[], bool]) -> Iterator[None]:
    """Where calls of the implementation that never end are ended, with ``NeverEnded``."""
    dog = Watchdog(seconds_max, interrupted, time.monotonic)

    def tick(_signal: int, _frame: Any) -> None:
        dog.tick()

    try:
        is_taken = signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
        before = None if is_taken else signal.signal(signal.SIGALRM, tick)
    except (ValueError, AttributeError):  # Another thread, or another system.
        is_taken = True
    if is_taken:
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
