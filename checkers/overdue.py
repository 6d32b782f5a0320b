"""Overdue: a step of the code on trial that does not end is given up and told, not waited for.

While somebody watches, the system interrupts the main thread now and then, and looks for the frame
of ``ask_start`` or ``ask_handle`` on its stack: as long as it is the same one, the same step goes
on. So steps cost nothing more. Code in C that never asks for signals cannot be given up like this.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def watched_steps(is_overdue: Callable[[float], bool]) -> Iterator[None]:
    """Give up a step of which ``is_overdue`` says so, told for how many seconds it has been seen.

    It is asked several times a second while a step goes on. Only the main thread can be watched;
    in others, and where the system knows no such interruptions, all is waited for. The block ends
    with ``Overdue`` then.
    """
    look = _Look(is_overdue)
    try:
        before = signal.signal(signal.SIGALRM, look)
    except (AttributeError, ValueError):
        yield
        return
    timer = signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


class _Look:
    """What sees, from one interruption to the next, whether the same step goes on."""

    def __init__(self, is_overdue: Callable[[float], bool]) -> None:
        self._is_overdue = is_overdue
        self._step: FrameType | None = None  # Kept, so that no other frame has its identity.
        self._since = 0.0

    def __call__(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code not in STEPS:
            frame = frame.f_back
        now = time.monotonic()
        if frame is not self._step:
            self._step, self._since = frame, now
        if frame is not None and self._is_overdue(now - self._since):
            raise Overdue(frame.f_locals["what"](), now - self._since)
