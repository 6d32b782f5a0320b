"""Workers: a campaign of random runs on several processes, told as one.

Each process finds the target again by its name, as the first one did, and runs its share of the
numbers. What they tell is handed on in the order in which it comes; what follows from a seed does
not depend on that.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from queue import Empty
from typing import Any, Final

from indelible.checkers.walks.runs import Campaign, Strategy
from indelible.checkers.walks.share import Bounds, Found, Tally, share
from indelible.checking import Asked, chosen_properties
from indelible.model.errors import ImplementationError, IndelibleError
from indelible.model.events import Action
from indelible.options import changed_scope
from indelible.targets import DEFAULT_SCOPE, ROOMY_SCOPE, find_target

__all__ = ["Question", "campaign_of", "run_campaign"]

WAIT_SECONDS: Final = 0.1
STOP_SECONDS: Final = 5

EVERY: Final = 2**63 - 1
NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a target, in words that another process understands.

    ``scope_fields`` are those of ``changed_scope``, ``names`` those of the properties.
    """

    target: str | None
    scope_fields: Mapping[str, Any]
    names: tuple[str, ...]
    internal: bool
    seed: int
    strategy: Strategy
    events_max: int

    def asked(self) -> Asked:
        """The same with the target found. Raises what finding it raises."""
        target = find_target(self.target)
        base = ROOMY_SCOPE if target.scope is DEFAULT_SCOPE else target.scope
        scope = changed_scope(base, **self.scope_fields)
        properties = chosen_properties(self.names, internal=self.internal)
        return Asked(target, scope, properties, self.names)


def campaign_of(question: Question, asked: Asked) -> Campaign:
    """The campaign that answers it, before its first run."""
    return Campaign(
        asked.target.implementation,
        asked.scope,
        asked.properties,
        seed=question.seed,
        strategy=question.strategy,
        events_max=question.events_max,
    )


def run_campaign(
    question: Question,
    asked: Asked,
    bounds: Bounds,
    *,
    workers: int,
    interrupted: Callable[[], bool],
    follow: Callable[[tuple[Action, ...]], None] | None = None,
) -> Iterator[Tally | Found]:
    """Run the campaign; yields failures, and tallies of all workers together.

    ``follow`` is told of what happened in each run, where a single worker runs them.
    Raises what a worker raised, and ``ImplementationError`` where one is gone without a word.
    """
    if workers == 1:
        campaign = campaign_of(question, asked)
        yield from share(campaign, bounds, stop=lambda _: interrupted(), follow=follow)
        return
    context = get_context("spawn")
    told = context.Queue()
    last = context.Value("q", EVERY)  # The number of the last run worth while.
    jobs = [(question, bounds, first, workers, told, last) for first in range(workers)]
    processes = [context.Process(target=_work, args=job, daemon=True) for job in jobs]
    for process in processes:
        process.start()
    tallies: dict[int, Tally] = {}
    running = set(range(workers))
    try:
        while running:
            if interrupted():
                last.value = NONE
            try:
                worker, message = told.get(timeout=WAIT_SECONDS)
            except Empty:
                _require_alive(processes, running)
                continue
            if message is None:
                running.discard(worker)
            elif isinstance(message, Tally):
                tallies[worker] = message
                yield sum(tallies.values(), Tally())
            elif isinstance(message, Found):
                if bounds.first_only and not message.failure.waits:
                    # All runs before it still take place, so that it does not depend on which
                    # process was faster.
                    last.value = min(last.value, message.number)
                yield message
            else:
                raise message
    finally:
        last.value = NONE
        for process in processes:
            process.join(timeout=STOP_SECONDS)
            if process.is_alive():
                process.kill()
        told.close()


def _require_alive(processes: Any, running: set[int]) -> None:
    for worker in sorted(running):
        code = processes[worker].exitcode
        if code is not None and code != 0:
            raise ImplementationError(
                f"a worker process ended with exit code {code} in the middle of its runs",
                cause="the implementation ended it, or the system did, for want of memory",
                remedy="try --workers 1, where its own message is shown",
            )


def _work(
    question: Question, bounds: Bounds, first: int, stride: int, told: Any, last: Any
) -> None:
    """What a worker process does. Ctrl-C goes to every process of a terminal; the first one says
    when to stop."""
    import sys

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with redirect_stdout(sys.stderr):
            campaign = campaign_of(question, question.asked())
            mine = share(
                campaign,
                bounds,
                first=first,
                stride=stride,
                stop=lambda number: number > last.value,
            )
            for message in mine:
                told.put((first, message))
    except IndelibleError as error:
        told.put((first, error))
    except SystemExit as exit:
        told.put((first, ImplementationError(f"the code on trial called exit({exit.code!r})")))
    finally:
        with suppress(ValueError):
            told.put((first, None))
