"""Measure the explorer: `python benchmarks/explorer.py [--quick]`. A script, not a test.

Prints states and transitions per second, memory per distinct state and states per call of the
implementation, on scopes of ten million states and more, warm (kernels compiled, a run before) and
on one worker; what each further property costs; and how long the default check takes from a cold
start and with the kernels cached.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from indelible import Limits, Scope, Verdict, explore
from indelible.checkers.properties import BUILT_IN, Property
from indelible.impl.multipaxos import MultiPaxos

TIMEOUTS = {"election": 1, "heartbeat": 0, "retransmit": 0}
SCOPES = {
    "three candidates": Scope(commands=("a",), timeouts_max=TIMEOUTS),
    "two slots, two elections, a restart": Scope(
        commands=("a", "b"),
        timeouts_max={**TIMEOUTS, "election": 2},
        may_time_out=(0,),
        restarts_max=1,
    ),
    "five nodes, two slots": Scope(
        nodes=5, commands=("a", "b", "c"), may_submit=(0,), timeouts_max=TIMEOUTS, may_time_out=(0,)
    ),
}
OBSERVED = ("agreement", "log_prefix")
STATES_MAX = 60_000_000


def run(scope: Scope, names: tuple[str, ...]) -> Verdict:
    """One check of our Multi-Paxos, without limits but a number of states."""
    chosen: list[Property] = [BUILT_IN[name] for name in names]
    return explore(MultiPaxos(), scope, properties=chosen, limits=Limits(states_max=STATES_MAX))


def main() -> None:
    """Print everything."""
    run(Scope(), OBSERVED)
    scopes = list(SCOPES.items())[: 1 if "--quick" in sys.argv else None]
    for name, scope in scopes:
        measure(name, scope)
    cost_of_properties(scopes[0][1])
    start_up()


def measure(name: str, scope: Scope) -> None:
    """The better of two runs: other work on the machine only ever makes one slower."""
    best = min((run(scope, OBSERVED) for _ in range(2)), key=lambda verdict: verdict.seconds)
    print(f"{name}: {best.outcome} ({best.reason}), with {' and '.join(OBSERVED)}")
    print(f"  states           {best.states_distinct:>12,}")
    print(f"  transitions      {best.transitions:>12,}")
    print(f"  depth            {best.depth:>12,}")
    print(f"  states/s         {best.states_distinct / best.seconds:>12,.0f}")
    print(f"  transitions/s    {best.transitions / best.seconds:>12,.0f}")
    print(f"  bytes/state      {best.memory_bytes / best.states_distinct:>12.1f}")
    print(f"  states/call      {best.states_distinct / best.calls:>12,.0f}")
    print(f"  seconds          {best.seconds:>12.2f}")


def cost_of_properties(scope: Scope) -> None:
    """What each further property adds to the time with agreement and log-prefix."""
    base = min(run(scope, OBSERVED).seconds for _ in range(2))
    print(f"cost of each further property, in percent of {base:.2f} s")
    for name, known in BUILT_IN.items():
        if known.kind == "always" and name not in OBSERVED:
            seconds = min(run(scope, (*OBSERVED, name)).seconds for _ in range(2))
            print(f"  {name:<24} {100 * (seconds / base - 1):>+6.1f}")


def start_up() -> None:
    """Whole commands, as a person meets them; the kernels' cache is a folder of our own."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for name, arguments in (
            ("indelible check, cold", ("check",)),
            ("indelible check, kernels cached", ("check",)),
            ("indelible --help", ("--help",)),
        ):
            began = time.perf_counter()
            subprocess.run(
                (sys.executable, "-P", "-m", "indelible", *arguments),
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            print(f"{name:<32} {time.perf_counter() - began:>6.2f} s")


if __name__ == "__main__":
    main()
