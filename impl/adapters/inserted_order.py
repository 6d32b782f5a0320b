"""Tasks and futures whose sets depend on the order in which they were put in, and on nothing else.

asyncio's hash by address, and asyncio itself walks through sets of them (``TaskGroup`` when it
cancels, ``asyncio.wait``), so that what follows would depend on the machine's memory. These all
hash alike. Such sets are small.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Future", "Task"]


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
