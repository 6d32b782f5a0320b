"""Measure processes: `python -P benchmarks/processes.py`. A script, not a test.

Prints how many requests a second the JavaScript example answers, one at a time and many at a time,
by the clock, since two processes share the work: on a machine that others use it may be far off.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from indelible import Submit
from indelible.adapters import ProcessAdapter

EXAMPLE = Path(__file__).parents[1] / "examples" / "javascript-multipaxos"
QUESTIONS = 5_000
TOGETHER = 256
"""As many as the explorer foresees."""


def main() -> None:
    """Print both rates."""
    os.chdir(EXAMPLE)
    adapter = ProcessAdapter("node server.js")
    state, _ = adapter.start(0, (0, 1, 2), None)
    events = [Submit(f"c{number}") for number in range(QUESTIONS)]
    begun = time.perf_counter()
    for event in events:
        adapter.handle(0, state, event)
    alone = time.perf_counter() - begun
    begun = time.perf_counter()
    for first in range(0, QUESTIONS, TOGETHER):
        batch = events[first : first + TOGETHER]
        adapter.foresee([(0, state, event) for event in batch])
        for event in batch:
            adapter.handle(0, state, event)
    together = time.perf_counter() - begun
    # One question is two round trips: back to the state, and the step.
    print(f"one at a time:  {2 * QUESTIONS / alone:8,.0f} round trips/s")
    print(f"{TOGETHER} at a time:  {2 * QUESTIONS / together:8,.0f} round trips/s")


if __name__ == "__main__":
    main()
