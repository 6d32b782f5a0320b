"""Measure random runs: `python benchmarks/walks.py [--quick]`. A script, not a test.

Prints events per second of process time on one core, with all properties on, for our Multi-Paxos:
in the scope that `indelible check` takes, and in a roomy one of five nodes, with each kind of
links, by each strategy. The best of several laps, the first of which only warms up; on a machine
that others use too it may still be off by 40 percent.

In a small scope nearly every step was taken before, and costs look-ups. In a roomy one every other
step is new: there the implementation is called and properties are evaluated, which is what is
measured.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from indelible import Scope
from indelible.checkers.properties import default_properties
from indelible.checkers.walks.runs import STRATEGIES, Campaign
from indelible.checkers.walks.share import Bounds, Tally, share
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.scope import LINKS
from indelible.targets import DEFAULT_SCOPE

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from support.haystack import roomy

LAPS = 4
SECONDS = 2.0
"""How long a lap takes."""


def main() -> None:
    """Print everything."""
    laps, seconds = (2, 0.5) if "--quick" in sys.argv else (LAPS, SECONDS)
    wide = roomy(Scope(commands=("a", "b")), nodes=5)
    scopes = {"default": DEFAULT_SCOPE} | {
        f"five nodes, {links}": replace(wide, links=links) for links in LINKS
    }
    print(f"{'events/s':<36}" + "".join(f"{name:>10}" for name in STRATEGIES))
    for name, scope in scopes.items():
        rates = (events_per_second(scope, strategy, laps, seconds) for strategy in STRATEGIES)
        print(f"{name:<36}" + "".join(f"{rate:>10,.0f}" for rate in rates), flush=True)


def events_per_second(scope: Scope, strategy: str, laps: int, seconds: float) -> float:
    """The best of several laps."""
    campaign = Campaign(MultiPaxos(), scope, default_properties(), seed=1, strategy=strategy)
    best, number = 0.0, 0
    for lap in range(laps + 1):
        began = time.process_time()
        *_, tally = share(campaign, Bounds(seconds_max=seconds), first=number)
        assert isinstance(tally, Tally)
        number += tally.runs
        best = max(best, tally.events / (time.process_time() - began)) if lap else best
    return best


if __name__ == "__main__":
    main()
