"""What asyncio walks in the order of addresses, walked in the order in which it was put in.

asyncio's tasks and futures hash by address, and sets of them are walked by programs, and by asyncio
itself (``asyncio.wait``), so that what follows would depend on the machine's memory. These all
hash alike: their sets depend on what was done with them, and on nothing else. Such sets are small.
What was taken out of a set decides where it puts in the next, so a ``TaskGroup``, which cancels its
tasks in order, has something else (``InOrder``). Coroutines cannot be made to hash alike:
``as_completed`` is given tasks in their place.
"""

from __future__ import annotations

import asyncio
import asyncio.tasks
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Future", "GatheringFuture", "InOrder", "Task", "all_tasks", "as_completed"]


class Task(asyncio.Task[Any]):
    """A task of asyncio."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return self is other


class Future(asyncio.Future[Any]):
    """A future of asyncio."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return self is other


class GatheringFuture(asyncio.tasks._GatheringFuture):  # type: ignore[misc, name-defined]
    """What ``asyncio.gather`` returns."""

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return self is other


class InOrder(dict[Any, None]):
    """As much of a set as ``asyncio.TaskGroup`` needs, in the order in which it was put in."""

    def add(self, part: Any) -> None:
        """Put it in."""
        self[part] = None

    def discard(self, part: Any) -> None:
        """Take it out if it is in."""
        self.pop(part, None)


def all_tasks(original: Callable[..., Any], loop: Any = None) -> Any:
    """Python's ``asyncio.all_tasks``, the ``original``: of a loop that has ``tasks``, those."""
    made = getattr(loop or asyncio.get_running_loop(), "tasks", None)
    return original(loop) if made is None else {task for task in made if not task.done()}


def as_completed(original: Callable[..., Any], fs: Any, **options: Any) -> Any:
    """Python's ``asyncio.as_completed``, the ``original``, of tasks that begin in the order of
    ``fs``, each as often as it would itself begin them: once."""
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        return original(fs, **options)  # Which raises.
    return original(_Begun(fs), **options)


class _Begun(Iterable[Any]):
    """The awaitables as tasks, which begin when they are asked for."""

    def __init__(self, awaitables: Iterable[Any]) -> None:
        self._awaitables = awaitables

    def __iter__(self) -> Iterator[Any]:
        return map(asyncio.ensure_future, dict.fromkeys(self._awaitables))
