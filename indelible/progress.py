"""Progress: one line on stderr while a search runs, and how Ctrl-C ends the search politely.

Nothing here ever touches stdout, nor the search itself: it is told of progress, and asked whether
to stop.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from indelible.checkers.limits import Progress
from indelible.model.errors import ImplementationError
from indelible.report import memory_text, time_text
from indelible.terminal import is_terminal

__all__ = [
    "interruptible",
    "progress_text",
    "raised_interrupt",
    "shown_line",
    "shown_progress",
]

LIVE_SECONDS: Final = 0.1
LOGGED_SECONDS: Final = 2.0


def progress_text(progress: Progress) -> str:
    """Where a search is, in one line."""
    rate = progress.states_distinct / progress.seconds if progress.seconds else 0
    return (
        f"{progress.states_distinct:,} states  {rate:,.0f}/s  depth {progress.depth}  "
        f"frontier {progress.frontier:,}  {memory_text(progress.memory_bytes)}  "
        f"{time_text(progress.seconds)}"
    )


@contextmanager
def shown_progress(
    show: bool | None, text: Callable[[Any], str] = progress_text
) -> Iterator[Callable[[Any], None] | None]:
    """What to report progress to: a live line on a terminal, now and then a line elsewhere.

    ``show``: ``None`` means only on a terminal; ``text`` makes a line of what is reported.
    """
    live = is_terminal(sys.stderr)
    if not (live if show is None else show):
        yield None
    elif live:
        with _live_line() as write:
            yield _throttled(write, text, LIVE_SECONDS)
    else:
        yield _throttled(_log, text, LOGGED_SECONDS)


@contextmanager
def shown_line(show: bool | None) -> Iterator[Callable[[str], None]]:
    """What to tell what is being done, in a line each; ``show`` as above."""
    live = is_terminal(sys.stderr)
    if not (live if show is None else show):
        yield lambda _: None
    elif live:
        with _live_line() as write:
            yield write
    else:
        yield _log


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _throttled(
    write: Callable[[str], None], text: Callable[[Any], str], every: float
) -> Callable[[Any], None]:
    last = -every

    def report(progress: Any) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every:
            last = now
            write(text(progress))

    return report


@contextmanager
def _live_line() -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        yield lambda line: live.update(
            Text(line, style="dim", no_wrap=True, overflow="ellipsis"), refresh=True
        )


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether somebody pressed Ctrl-C. The first one asks to stop; the second one kills.

    Raises ``ImplementationError`` for a ``KeyboardInterrupt`` that nobody's Ctrl-C has raised.
    """
    interrupted = False

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # Not in the main thread, where Python takes no signals.
        yield lambda: False
        return
    try:
        yield lambda: interrupted
    except KeyboardInterrupt:  # Not by Ctrl-C: ``interrupt`` raises nothing.
        raise raised_interrupt() from None
    finally:
        signal.signal(signal.SIGINT, before)


def raised_interrupt() -> ImplementationError:
    """What to say where ``KeyboardInterrupt`` was raised, and nobody pressed Ctrl-C."""
    return ImplementationError(
        "the code on trial raised KeyboardInterrupt",
        cause="only Ctrl-C should: it does not mean that a step went wrong",
        remedy="raise an Exception where a step goes wrong",
    )
