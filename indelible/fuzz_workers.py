"""Workers: a campaign of random runs on several processes, told as one.

Each process finds the target again by its name, as the first one did, and runs its share of the
numbers. What they tell (of failures only the number, since it decides the run) is handed on in the
order in which it comes; what follows from a seed does not depend on that.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from queue import Empty
from threading import Thread
from typing import Any, Final, NamedTuple

from indelible.checkers.walks.runs import Campaign, Strategy
from indelible.checkers.walks.share import Bounds, Found, Hung, Tally, share
from indelible.checking import Asked, chosen_properties
from indelible.model.errors import ImplementationError, IndelibleError
from indelible.model.events import Action
from indelible.options import changed_scope
from indelible.progress import raised_interrupt
from indelible.targets import DEFAULT_SCOPE, ROOMY_SCOPE, find_target

__all__ = ["Question", "campaign_of", "run_campaign"]

WAIT_SECONDS: Final = 0.1
STOP_SECONDS: Final = 5
GRACE_SECONDS: Final = 20
STOP_GRACE_SECONDS: Final = 8
"""How long a worker may go on when the time is over, and when somebody asked to stop. It gives up
itself before, unless it is in code that nothing interrupts."""

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
) -> Iterator[Tally | Found | Hung]:
    """Run the campaign; yields failures, tallies of all workers together, and steps that hang.

    ``follow`` is told of what happened in each run, where a single worker runs them.
    Raises what a worker raised, and ``ImplementationError`` where one is gone without a word.
    """
    if workers == 1:
        campaign = campaign_of(question, asked)
        yield from share(campaign, bounds, stop=lambda _: interrupted(), follow=follow)
        return
    yield from _run_on_processes(question, asked, bounds, workers, interrupted)


def _run_on_processes(
    question: Question,
    asked: Asked,
    bounds: Bounds,
    workers: int,
    interrupted: Callable[[], bool],
) -> Iterator[Tally | Found | Hung]:
    """The campaign on several processes; ends when all have said that they did."""
    context = get_context("spawn")
    told = context.Queue()
    last = context.Value("q", EVERY)  # The number of the last run worth while.
    jobs = [(question, bounds, first, workers, told, last) for first in range(workers)]
    processes = [context.Process(target=_work, args=job, daemon=True) for job in jobs]
    with _interrupts_wait():
        for process in processes:
            process.start()
    again = campaign_of(question, asked)
    tallies: dict[int, Tally] = {}
    running = set(range(workers))
    ends: float | None = None
    silent = False
    try:
        while running:
            if interrupted() and last.value != NONE:
                last.value = NONE
                ends = time.monotonic() + STOP_GRACE_SECONDS - GRACE_SECONDS
            try:
                worker, message = told.get(timeout=WAIT_SECONDS)
            except Empty:
                # What a process has said before its end may still be on its way.
                if silent:
                    _require_alive(processes, running)
                silent = True
                _require_end(ends)
                continue
            silent = False
            if ends is None and bounds.seconds_max is not None:
                ends = time.monotonic() + bounds.seconds_max
            if message is None:
                running.discard(worker)
            elif isinstance(message, Tally):
                tallies[worker] = message
                yield sum(tallies.values(), Tally())
            elif isinstance(message, Failed):
                if bounds.first_only and not message.waits:
                    # All runs before it still take place, so that it does not depend on which
                    # process was faster.
                    last.value = min(last.value, message.number)
                yield _found_again(again, message)
            elif isinstance(message, Hung):
                if message.number <= last.value or interrupted():
                    yield message
                    last.value = NONE
            else:
                raise message
    finally:
        last.value = NONE
        for process in processes:
            process.join(timeout=0 if process.exitcode is None and running else STOP_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        told.close()


class Failed(NamedTuple):
    """A run that failed, in words that no class of the code on trial is needed for."""

    number: int
    waits: bool


def _found_again(campaign: Campaign, failed: Failed) -> Found:
    """The failure of a run that another process has made: the same, as its number decides it."""
    run = campaign.run(failed.number)
    if run.failure is None:
        raise ImplementationError(
            f"run {failed.number} failed in one process, and not in another",
            cause="the implementation depends on chance, on a clock, on the order of a set, or on "
            "what it was asked before",
            remedy="let each step depend on node, state and event only",
        )
    return Found(failed.number, run.failure)


def _require_alive(processes: Any, running: set[int]) -> None:
    for worker in sorted(running):
        code = processes[worker].exitcode
        if code is not None:
            raise ImplementationError(
                f"a worker process ended with exit code {code} in the middle of its runs",
                cause="the implementation ended it, or the system did, for want of memory",
                remedy="try --workers 1, where its own message is shown",
            )


def _require_end(ends: float | None) -> None:
    if ends is not None and time.monotonic() > ends + GRACE_SECONDS:
        raise ImplementationError(
            "a worker process did not stop when it should have",
            cause="a step of the implementation never ends, in code that cannot be interrupted",
            remedy="find the step with --workers 1 and a debugger",
        )


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits, also for processes that are started here, until they are ready for it: one that
    is still loading would be ended by it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    question: Question, bounds: Bounds, first: int, stride: int, told: Any, last: Any
) -> None:
    """What a worker process does. Ctrl-C goes to every process of a terminal; the first one says
    when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        with redirect_stdout(sys.stderr):
            campaign = campaign_of(question, question.asked())
            told.put((first, Tally()))  # Its time begins.
            mine = share(
                campaign,
                bounds,
                first=first,
                stride=stride,
                stop=lambda number: number > last.value,
            )
            for message in mine:
                told.put((first, _plain(message)))
    except IndelibleError as error:
        told.put((first, error))
    except SystemExit as exit:
        told.put((first, ImplementationError(f"the code on trial called exit({exit.code!r})")))
    except KeyboardInterrupt:  # By nobody else: a worker is deaf to Ctrl-C.
        told.put((first, raised_interrupt()))
    except BaseException as error:  # Whatever it is, a campaign that it ended did not end well.
        says = f"a worker process ended with {type(error).__name__}: {error}"
        told.put((first, RuntimeError(says)))
    else:
        told.put((first, None))


def _end_with_parent() -> None:
    """Where it was killed nobody hears what is told, or says when to stop."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _plain(message: Tally | Found | Hung) -> Tally | Failed | Hung:
    """The message as another process can read it, whatever classes the code on trial is made of."""
    if isinstance(message, Found):
        return Failed(message.number, message.failure.waits)
    if isinstance(message, Hung):
        return message
    try:
        pickle.dumps(message)
    except Exception:
        return replace(message, ballot_highest=None)
    return message
