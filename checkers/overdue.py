"""Overdue: a step of the code on trial that does not end is given up and told, not waited for.

While somebody watches, the system interrupts the main thread now and then, and looks for the frame
of ``ask_start`` or ``ask_handle`` on its stack: as long as it is the same one, the same step goes
on. So steps cost nothing more. Code in C that never asks for signals cannot be given up like this.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic  # The real one: nodes have another while they run.
from types import FrameType
from typing import Final

from indelible.model.implementation import ask_handle, ask_start

__all__ = ["STEP_SECONDS", "Overdue", "watched_steps"]

STEP_SECONDS: Final = 60.0
"""A step that takes longer is taken for one that never ends, whatever time there is."""

LOOK_SECONDS: Final = 0.25

STEPS: Final = (ask_handle.__code__, ask_start.__code__)


class Overdue(KeyboardInterrupt):
    """A step was given up: which one, as ``handle(n0, Submit('a'))``, and after how many seconds.

    An interruption, and no ``Exception``, so that the code on trial lets it pass, as asyncio does.
    """

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"{step} had not ended after {seconds:.1f} s")
        self.step, self.seconds = step, seconds


def _never_ends(lasted: float) -> bool:
    return lasted >= STEP_SECONDS


@contextmanager
def watched_steps(is_overdue: Callable[[float], bool] = _never_ends) -> Iterator[None]:
    """Give up a step of which ``is_overdue`` says so, told for how many seconds it has been seen.

    It is asked several times a second while a step goes on. Only the main thread can be watched;
    in others, where the system knows no such interruptions, and where somebody else asked for one
    already (a time limit of a test), all is waited for. The block ends with ``Overdue`` then.
    """
    if not _can_be_watched():
        yield
        return
    before = signal.signal(signal.SIGALRM, _Look(is_overdue))
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _can_be_watched() -> bool:
    is_possible = current_thread() is main_thread() and hasattr(signal, "setitimer")
    return is_possible and not signal.getitimer(signal.ITIMER_REAL)[0]


class _Look:
    """What sees, from one interruption to the next, whether the same step goes on."""

    def __init__(self, is_overdue: Callable[[float], bool]) -> None:
        self._is_overdue = is_overdue
        self._step: FrameType | None = None  # Kept, so that no other frame has its identity.
        self._since = 0.0

    def __call__(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code not in STEPS:
            frame = frame.f_back
        now = monotonic()
        if frame is not self._step:
            self._step, self._since = frame, now
        if frame is not None and self._is_overdue(now - self._since):
            raise Overdue(frame.f_locals["what"](), now - self._since)
