"""Ending tasks that nobody needs any more, for good and in silence.

To end a coroutine is to raise ``GeneratorExit`` where it stands. What it does and raises then is no
part of any event, and so is told nobody. One that goes on waiting is asked again; one that goes on
whatever is raised is taken from its task, so that Python collects it here. Later there would be
no loop that it could wait in, so that it might run for ever.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["end", "silence"]

_ASKED_MAX: Final = 16
"""How often a coroutine is asked to end: each ``finally`` that waits takes one more."""


@contextmanager
def silence() -> Iterator[None]:
    """Nothing is printed in here, by Python neither."""
    before = sys.stdout, sys.stderr, sys.unraisablehook
    sys.stdout = sys.stderr = None  # Python knows that there may be none.
    sys.unraisablehook = _say_nothing
    warns = warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]
    warnings._warn_unawaited_coroutine = _say_nothing  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sys.stdout, sys.stderr, sys.unraisablehook = before
        warnings._warn_unawaited_coroutine = warns  # type: ignore[attr-defined]


def end(task: asyncio.Task[Any]) -> None:
    """End the task; its loop must be the running one. Raises ``KeyboardInterrupt`` only."""
    coroutine: Any = task.get_coro()
    for _ in range(_ASKED_MAX):
        try:
            coroutine.close()
        except KeyboardInterrupt:
            raise
        except BaseException:  # It raised this and has ended, or it goes on.
            continue
        break
    else:
        del coroutine
        other = _nothing()
        asyncio.Task.__init__(task, other, loop=task.get_loop())
        other.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]


async def _nothing() -> None:
    """What a task runs whose coroutine does not end."""


def _say_nothing(_: object) -> None:
    """Of an exception that Python can raise nowhere, and of a coroutine that nobody awaits."""
