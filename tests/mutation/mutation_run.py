"""Run every mutant: `python tests/mutation/mutation_run.py`, six minutes on two idle cores.

Writes what became of each into ``outcomes.tsv``, and the report into ``docs/mutation.md``. With
``--survivors`` it tries only those again that survived or were not tried, with ``--report`` none.
The kernels are compiled once, before the first fork; each mutant is tried in a process of its own,
which may hang or die.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from mutation_report import REPORT, load_outcomes, load_words, report, save_outcomes
from mutation_trial import SECONDS_MAX, TRIALS, Outcome, Trial, clean, tried
from mutator import Mutant, all_mutants, digest

HUNG: Final = Outcome("any", "does not end")


def outcomes_of(
    mutants: Iterable[Mutant], workers: int, trials: Mapping[str, Trial] = TRIALS
) -> Iterator[tuple[Mutant, Outcome]]:
    """What becomes of each mutant, in the order in which they end."""
    fork = multiprocessing.get_context("fork")
    waiting = list(reversed(list(mutants)))
    running: dict[Connection, tuple[Mutant, BaseProcess, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            ours, theirs = fork.Pipe(duplex=False)
            process: BaseProcess = fork.Process(
                target=_try, args=(mutant, trials, theirs), daemon=True
            )
            process.start()
            theirs.close()
            running[ours] = mutant, process, time.monotonic() + len(TRIALS) * SECONDS_MAX
        for connection in wait(list(running), timeout=1.0):
            assert isinstance(connection, Connection)
            mutant, process, _ = running.pop(connection)
            # A process that ended without an answer raises here: that is our fault, and no kill.
            outcome = connection.recv()
            process.join()
            yield mutant, Outcome(*outcome)
        for connection, (mutant, process, deadline) in list(running.items()):
            if time.monotonic() > deadline:
                process.kill()
                del running[connection]
                yield mutant, HUNG


def _try(mutant: Mutant, trials: Mapping[str, Trial], connection: Connection) -> None:
    connection.send(tuple(tried(mutant, trials)))


def warm_up() -> None:
    """Compile the kernels, and see that the clean code holds in every scope."""
    for name, trial in TRIALS.items():
        began = time.perf_counter()
        verdict = clean(trial)
        seconds = time.perf_counter() - began
        print(f"{name:<40} {verdict.states_distinct:>10,} states {seconds:>6.2f} s", flush=True)
        assert verdict.outcome == "holds", verdict.reason
        assert verdict.states_distinct == trial.states, name


def main() -> None:
    """Run, save and report."""
    mutants = all_mutants()
    outcomes: dict[str, Outcome] = {}
    if "--report" in sys.argv or "--survivors" in sys.argv:
        _, outcomes = load_outcomes()
    if "--report" not in sys.argv:
        warm_up()
        began = time.perf_counter()
        pending = [one for one in mutants if not outcomes.get(one.name, Outcome()).killer]
        for mutant, outcome in outcomes_of(pending, os.cpu_count() or 1):
            outcomes[mutant.name] = outcome
            save_outcomes(mutants, outcomes, digest())
            print(f"{outcome.killer or 'survives':<24} {mutant.name}", flush=True)
        print(f"{len(mutants)} mutants, {time.perf_counter() - began:.0f} s")
    REPORT.write_text(report(mutants, outcomes, load_words()), encoding="utf-8")


if __name__ == "__main__":
    main()
