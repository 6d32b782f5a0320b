"""Limits: when a search gives up, and what it says then. Shared by every search.

A limit that is hit makes a verdict *inconclusive*, never an error, and never a pass.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

__all__ = ["GaveUp", "Limits", "Progress", "available_memory", "physical_memory", "resident_memory"]


class GaveUp(Exception):
    """A limit was hit; the message says which, with its value."""


class Progress(NamedTuple):
    """Where a search is: for people who wait."""

    states_distinct: int
    transitions: int
    depth: int
    frontier: int
    calls: int
    memory_bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on the search, not on the question.

    ``depth_max``: behaviours of so many events are judged, and no longer ones.
    ``interrupted`` is asked now and then; ``report`` is told of progress now and then.
    """

    states_max: int | None = None
    depth_max: int | None = None
    memory_bytes_max: int | None = None
    seconds_max: float | None = None
    interrupted: Callable[[], bool] = lambda: False
    report: Callable[[Progress], None] | None = None
    started: float = field(default_factory=time.monotonic)

    def from_now(self) -> Limits:
        """The same limits for a search that starts now."""
        return replace(self, started=time.monotonic())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def check_time(self) -> None:
        """Raises ``GaveUp`` when time is up, or somebody asked to stop."""
        if self.interrupted():
            raise GaveUp("interrupted")
        if self.seconds_max is not None and self.seconds > self.seconds_max:
            raise GaveUp(f"the time limit of {self.seconds_max:g} s was reached")

    def check_states(self, states: int) -> None:
        """Raises ``GaveUp`` when there are more states than asked for."""
        if self.states_max is not None and states > self.states_max:
            raise GaveUp(f"the limit of {self.states_max:,} states was reached")

    def check_depth(self, depth: int) -> None:
        """Raises ``GaveUp`` when states at ``depth`` must not be expanded any more."""
        if self.depth_max is not None and depth >= self.depth_max:
            raise GaveUp(f"the limit of {self.depth_max:,} events was reached")

    def check_memory(self, more: int) -> None:
        """Raises ``GaveUp`` when ``more`` bytes would be too much."""
        most = self.memory_bytes_max
        if most is not None and resident_memory() + more > most:
            raise GaveUp(
                f"the memory limit of {most / 2**20:,.1f} MiB for the whole process was reached"
            )


def resident_memory() -> int:
    """The memory of this process in bytes, now where the system tells, else its peak."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def available_memory() -> int | None:
    """How many bytes this machine could still give, or ``None`` where it does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return physical_memory()


def physical_memory() -> int | None:
    """How many bytes of memory this machine has, or ``None`` where it does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None
