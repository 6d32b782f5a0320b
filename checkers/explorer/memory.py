"""Memory that grows in place: an array whose address space is reserved once, and filled lazily.

Nothing is ever moved or copied, and the system may use large pages, without which half of the time
goes to address translation. Where a system does not reserve lazily, growing copies instead.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.limits import physical_memory

__all__ = ["GrowingArray"]

FIRST_SIZE: Final = 1 << 12


class GrowingArray:
    """64-bit words; ``words`` is as long as asked for so far, and zero where never written."""

    def __init__(self) -> None:
        self._reserved = _reserve()
        self.words: NDArray[np.uint64] = np.zeros(FIRST_SIZE, np.uint64)
        if self._reserved is not None:
            self.words = self._reserved[:FIRST_SIZE]

    def grow(self, size: int) -> None:
        """Make ``words`` ``size`` long; what it held stays. Raises ``MemoryError``."""
        if self._reserved is None:
            larger = np.zeros(size, np.uint64)
            larger[: self.words.size] = self.words
            self.words = larger
        elif size > self._reserved.size:
            raise MemoryError
        else:
            self.words = self._reserved[:size]


def _reserve() -> NDArray[np.uint64] | None:
    """As much address space as the machine has memory, none of it used yet."""
    size = physical_memory()
    if size is None or not hasattr(mmap, "MAP_ANONYMOUS"):
        return None
    # Python 3.11 does not name MAP_NORESERVE; Linux by default grants this much without it.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    try:
        space = mmap.mmap(-1, size - size % mmap.PAGESIZE, flags=flags)
    except (OSError, ValueError, OverflowError):
        return None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # Kernels may be built without large pages.
            space.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(space, np.uint64)
