"""Measure minimizing: `python benchmarks/minimize.py [--quick]`. A script, not a test.

For known bugs, each woven into random traces of about 300 events: events before and after, what is
known of the length, the ratio, how often a schedule was played, and seconds by stage. Then how long
it takes to replay a trace of 50 events, and to render it as text.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

from indelible.checkers.minimize import pipeline, removal, reorder, restrict
from indelible.checkers.minimize.pipeline import Minimized, Stage, minimize
from indelible.checkers.minimize.schedule import Played, play
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.evidence import evidence_of
from indelible.impl.known_bugs import KNOWN_BUGS, KnownBug
from indelible.model.trace import Trace
from indelible.render.text import render_text

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from support.haystack import known_haystack, walks_of

QUICK = ("next_slot_from_own_log", "dup_ack_counted", "noop_overwrites", "commit_index_trusted")
SEEDS = 3
EVENTS = 300
EVENTS_SHOWN = 50


def main() -> None:
    """Print everything."""
    quick = "--quick" in sys.argv
    plays = counted_plays()
    minimized(known_haystack(KNOWN_BUGS["no_dedupe"], 0), KNOWN_BUGS["no_dedupe"], plays)
    print(f"{'bug, seed':<36} before after  ratio  plays  seconds: cut removed simplified searched")
    for name in QUICK if quick else KNOWN_BUGS:
        bug = KNOWN_BUGS[name]
        for seed in range(1 if quick else SEEDS):
            show(f"{name}, {seed}", known_haystack(bug, seed, EVENTS), bug, plays)
        for number, walk in enumerate(walks_of(name, nodes=3, seeds=range(6), events=EVENTS)):
            show(f"{name}, walk {number}", walk, bug, plays)
    evidence()


def counted_plays() -> list[int]:
    """Count the schedules played, in a list of one number."""
    plays = [0]

    def counting(*arguments: object, **named: object) -> Played:
        plays[0] += 1
        return play(*arguments, **named)  # type: ignore[arg-type]

    for module in (pipeline, removal, reorder, restrict):
        module.play = counting  # type: ignore[attr-defined]
    return plays


def minimized(trace: Trace, bug: KnownBug, plays: list[int]) -> tuple[Minimized, list[float]]:
    """What came out, and the seconds that each stage took."""
    plays[0] = 0
    ended = [time.perf_counter()]

    def report(_: Stage) -> None:
        ended.append(time.perf_counter())

    small = minimize(bug.implementation, trace, BUILT_IN[bug.property], report=report)
    return small, [later - earlier for earlier, later in pairwise(ended)]


def show(label: str, trace: Trace, bug: KnownBug, plays: list[int]) -> None:
    """One line: one trace."""
    small, seconds = minimized(trace, bug, plays)
    print(
        f"{label:<36} {small.before:>6} {len(small.trace):>5} {small.ratio:>6.1%} {plays[0]:>6}  "
        f"{sum(seconds):>6.2f}: {' '.join(f'{own:.2f}' for own in seconds)}  {small.length}",
        flush=True,
    )


def evidence() -> None:
    """What a person waits for who looks at a trace: that it is replayed, explained and rendered."""
    bug = KNOWN_BUGS["noop_overwrites"]
    known = BUILT_IN[bug.property]
    trace = known_haystack(bug, 0, EVENTS_SHOWN)
    began = time.perf_counter()
    replay(Watch(bug.implementation, trace.scope, known), trace.actions)
    replayed = time.perf_counter()
    shown = evidence_of(bug.implementation, trace, known)
    explained = time.perf_counter()
    render_text(shown)
    print(f"a trace of {len(trace)} events")
    print(f"  replayed   {replayed - began:>8.3f} s")
    print(f"  explained  {explained - replayed:>8.3f} s")
    print(f"  rendered   {time.perf_counter() - explained:>8.3f} s")


if __name__ == "__main__":
    main()
