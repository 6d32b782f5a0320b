"""Solving: how z3 is asked anything here, so that whoever waits can end it.

While z3 works it would take Ctrl-C for itself: the question is *unknown* then, and the next one is
asked as if nothing had happened. So it works in a thread, with its own handling of signals off, and
this one goes on running Python, where signals are taken.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import z3

__all__ = ["checked", "raise_if_stopped", "stoppable"]

POLL_SECONDS: Final = 0.05

_stopped: ContextVar[Callable[[], bool]] = ContextVar("_stopped", default=lambda: False)


@contextmanager
def stoppable(stopped: Callable[[], bool]) -> Iterator[None]:
    """In here, what follows raises ``KeyboardInterrupt`` as soon as it is ``stopped``."""
    token = _stopped.set(stopped)
    try:
        yield
    finally:
        _stopped.reset(token)


def raise_if_stopped() -> None:
    """For what takes its time without asking z3."""
    if _stopped.get()():
        raise KeyboardInterrupt


def checked(solver: z3.Solver | z3.Optimize) -> z3.CheckSatResult:
    """What z3 says. Raises ``KeyboardInterrupt``, with z3 at rest, where that or ``stoppable`` ends
    it."""
    raise_if_stopped()
    solver.set("ctrl_c", False)
    with _no_collection(), ThreadPoolExecutor(1) as thread:
        asked = thread.submit(solver.check)
        try:
            while not wait((asked,), POLL_SECONDS).done:
                raise_if_stopped()
        except BaseException:
            # Again and again: what has not yet begun to work does not notice.
            while not wait((asked,), POLL_SECONDS).done:
                solver.ctx.interrupt()
            raise
        return asked.result()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage may hold terms of the context that z3 works in, which only one thread may touch."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
