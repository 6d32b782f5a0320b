"""Surroundings: what foreign code finds in a step when it asks for the time, or for chance.

The clock is virtual, and everything random follows from the node and from how often it drew before.
A step is one instant: what would wait, run beside it or reach into the world is refused. That
Python's own functions ask here is the matter of ``replacements``. Nothing here knows an adapter.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId, node_name

__all__ = ["EPOCH", "STEPS", "Surroundings", "current", "enter", "leave", "still"]

EPOCH: Final = 1_000_000_000.0
"""What ``time.time()`` is when the virtual clock is at 0: a second in September 2001."""


def still() -> float:
    """The clock that stands still."""
    return 0.0


class Surroundings:
    """What ``node``, which drew in ``draws`` steps before, finds during one step.

    ``now`` is the virtual clock, in seconds from 0.
    """

    __slots__ = ("_generator", "draws", "node", "now", "refused", "thread")

    def __init__(self, node: NodeId, draws: int = 0, now: Callable[[], float] = still) -> None:
        self.node, self.draws, self.now = node, draws, now
        self.thread = threading.get_ident()
        self.refused: ImplementationError | None = None
        self._generator: random.Random | None = None

    @property
    def draws_after(self) -> int:
        """In how many steps the node drew, this one included."""
        return self.draws + (self._generator is not None)

    def generator(self) -> random.Random:
        """Where all chance of this step comes from."""
        if self._generator is None:
            self._generator = random.Random(f"{self.node!r} draws for the {self.draws}th time")
        return self._generator

    def refuse(self, what: str, cause: str, remedy: str) -> ImplementationError:
        """The error for something that no step may do; kept, since the code may catch it."""
        if self.refused is None:
            self.refused = ImplementationError(
                f"{node_name(self.node)} called {what} while it was handling an event",
                cause=cause,
                remedy=remedy,
            )
        return self.refused


STEPS: Final[list[Surroundings]] = []
"""The steps that run at this moment, each in the midst of the one before."""


def current() -> Surroundings | None:
    """Those of the step that this thread is in; no other thread is in any."""
    if STEPS and STEPS[-1].thread == threading.get_ident():
        return STEPS[-1]
    return None


def enter(surroundings: Surroundings) -> bool:
    """Make them the current ones; whether there were none."""
    STEPS.append(surroundings)
    return len(STEPS) == 1


def leave() -> bool:
    """Make those before them the current ones; whether there were none."""
    STEPS.pop()
    return not STEPS
