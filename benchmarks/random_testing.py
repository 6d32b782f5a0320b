"""Measure random testing: `python benchmarks/random_testing.py`. A script, not a test.

For known bugs and each strategy: in how many of several seeds the bug's own property was found
violated, and the median of the events that took, in a table of Markdown: in the bug's own scope and
in a roomy one of five nodes; then by the machine for Hypothesis, with a bounded number of examples.
The table is kept in `benchmarks/random_testing.md`; `--write` writes it anew. `--events`,
`--seeds`, `--examples` and `--workers` say how much is tried.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.stateful.machine import STRATEGIES as MACHINE_STRATEGIES
from indelible.checkers.walks.runs import STRATEGIES, Campaign
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.stateful import PropertyViolated, cluster_machine

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from support.haystack import roomy

HARD = ("stale_adoption", "restart_reuse_ballot")
"""Marked as hard to find by chance: they need a certain rhythm."""

SAMPLE = ("phase2_quorum_half", "noop_overwrites", "ack_by_value", "accept_below_promise", *HARD)
TABLE = Path(__file__).with_suffix(".md")
STEPS = 80
"""How many rules a run of the machine has at most."""


class Job(NamedTuple):
    bug: str
    strategy: str
    seed: int
    most: int
    where: str


def campaign(job: Job) -> int | None:
    """How many events it took to find the bug; ``None``: it was not found."""
    bug = KNOWN_BUGS[job.bug]
    scope = bug.scope
    if job.where == "roomy":
        scope = replace(roomy(scope, nodes=5), links="unordered_duplicating")
    runs = Campaign(
        bug.implementation,
        scope,
        [BUILT_IN[bug.property]],
        seed=job.seed,
        strategy=job.strategy,  # type: ignore[arg-type]
    )
    events = number = 0
    while events < job.most:
        run = runs.run(number)
        number += 1
        events += run.events
        if run.failure is not None:
            return events
    return None


def machine(job: Job) -> int | None:
    """How many examples it took Hypothesis to find the bug; ``None``: it was not found."""
    bug = KNOWN_BUGS[job.bug]
    kind = cluster_machine(
        bug.implementation,
        bug.scope,
        properties=[bug.property],
        strategy=job.strategy,  # type: ignore[arg-type]
        save=None,
        limits=Limits(states_max=1),
    )
    begun = [0]

    def begin() -> object:
        begun[0] += 1
        return kind()

    begin.TestCase = kind.TestCase  # type: ignore[attr-defined]
    chosen = settings(
        max_examples=job.most,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.target],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(job.seed)(begin), settings=chosen)
    except PropertyViolated:
        return begun[0] - 1
    return None


def measured(job: Job) -> int | None:
    return machine(job) if job.where == "machine" else campaign(job)


def main() -> None:
    """Print everything, or write it."""
    options = arguments()
    seeds = range(1, options.seeds + 1)
    plans: list[tuple[str, Sequence[str], Sequence[str], int]] = [
        ("own", list(KNOWN_BUGS), STRATEGIES, options.events),
        ("roomy", SAMPLE, STRATEGIES, options.events),
        ("machine", list(KNOWN_BUGS), MACHINE_STRATEGIES, options.examples),
    ]
    plans = [plan for plan in plans if plan[0] in options.parts]
    jobs = [
        Job(bug, strategy, number, most, where)
        for where, bugs, strategies, most in plans
        for bug in bugs
        for strategy in strategies
        for number in seeds
    ]
    with ProcessPoolExecutor(options.workers) as workers:
        found = dict(zip(jobs, workers.map(measured, jobs), strict=True))
    lines = list(heading(options))
    for where, bugs, strategies, most in plans:
        text = SECTIONS[where].format(most=most, steps=STEPS)
        lines += ["", *text.split("\n"), "", *table(where, bugs, strategies, found)]
    text = "\n".join(lines) + "\n"
    if options.write:
        TABLE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", nargs="+", default=["own", "roomy", "machine"])
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def heading(options: argparse.Namespace) -> Iterator[str]:
    yield "# What random testing finds"
    yield ""
    yield f"Written by `{command(options)}`; {options.seeds} seeds for each bug and strategy."
    yield "A cell says in how many of them the bug's own property was found violated, and the lower"
    yield "median of what that took in those where it was. Only that property is judged, so that a"
    yield "run goes on when an internal rule is broken first. In **bold**: found with every seed."
    yield "The two bugs marked *hard* are known to need a certain rhythm."


def command(options: argparse.Namespace) -> str:
    words = ["python benchmarks/random_testing.py --write"]
    words += [f"--events {options.events} --seeds {options.seeds} --examples {options.examples}"]
    return " ".join(words)


SECTIONS = {
    "own": """## In its own scope

Events of `Campaign`, at most {most:,} for each seed.""",
    "roomy": """## In a roomy scope

Five nodes, three further commands, each submitted up to five times, thirty time-outs of each kind
and node, twelve restarts, torn steps, links that lose, reorder and duplicate. Events, at most
{most:,} for each seed.""",
    "machine": """## By the machine for Hypothesis

In its own scope. Examples, at most {most:,} of up to {steps} rules each; what is counted
are runs, of which Hypothesis discards those it has had before.""",
}


def table(
    where: str,
    bugs: Sequence[str],
    strategies: Sequence[str],
    found: Mapping[Job, int | None],
) -> Iterator[str]:
    yield f"| bug | {' | '.join(strategies)} |"
    yield "|---|" + "--:|" * len(strategies)
    every = dict.fromkeys(strategies, 0)
    for bug in bugs:
        cells = []
        for strategy in strategies:
            own = [
                events
                for job, events in found.items()
                if (job.bug, job.strategy, job.where) == (bug, strategy, where)
            ]
            every[strategy] += any(events is not None for events in own)
            cells.append(cell(own))
        hard = " (*hard*)" if bug in HARD else ""
        yield f"| `{bug}`{hard} | {' | '.join(cells)} |"
    yield f"| found, of {len(bugs)} | {' | '.join(map(str, every.values()))} |"


def cell(tries: Sequence[int | None]) -> str:
    """In how many tries it was found, and the median of what it took then."""
    hits = [events for events in tries if events is not None]
    if not hits:
        return "-"
    says = f"{len(hits)}/{len(tries)}: {median_low(hits):,}"
    return f"**{says}**" if len(hits) == len(tries) else says


if __name__ == "__main__":
    main()
