"""A budget: how a given time is split over searches, of which nobody knows how long they take.

Its law: whoever did not finish has had at least an equal part of the time. Searches run one after
the other, in order; each may take an equal part of what is left when its turn comes, so that what
one does not need goes to those after it. Where those before it took longer than they might, it is
an equal part of the whole, and the time is exceeded. What is left at the end goes to those that
were cut short. They have to begin anew, so only to those for whom it is more than they have had.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["split_budget"]

Job = TypeVar("Job")


def split_budget(
    jobs: Sequence[Job],
    seconds: float,
    run: Callable[[Job, float], bool],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Run the jobs within so many seconds in all.

    ``run`` takes a job and its seconds, and says whether it was cut short by them. It may be called
    again for the same job, and then what it found last counts.
    """
    end, least = clock() + seconds, seconds / max(1, len(jobs))
    had: dict[int, float] = {}  # By those that were cut short.
    turns = list(range(len(jobs)))
    while turns:
        for turn, index in enumerate(turns):
            share = _rounded(max(least, (end - clock()) / (len(turns) - turn)))
            if run(jobs[index], share):
                had[index] = share
            else:
                had.pop(index, None)
        turns, least = _again(had, end - clock()), 0.0


def _again(had: dict[int, float], left: float) -> list[int]:
    """As many of them as get more than they have had, if what is left is split equally."""
    least_first = sorted(had, key=lambda index: had[index])
    for count in range(len(least_first), 0, -1):
        if _rounded(left / count) > had[least_first[count - 1]]:
            return sorted(least_first[:count])
    return []


def _rounded(share: float) -> float:
    """No more than ``share``, and readable where that costs nothing."""
    return math.floor(share * 10) / 10 if share >= 1 else share
