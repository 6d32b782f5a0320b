"""Garbage: how what runs have learned is kept from being looked through again and again.

What is learned is kept, and has hardly any cycles, but Python looks through all of it for such
whenever it has grown by a quarter, which cost a sixth of the time. Here it is looked through
whenever it has doubled, so that what code on trial leaves in cycles is still found.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["sparing_collection"]


@contextmanager
def sparing_collection(size_now: int) -> Iterator[Callable[[int], None]]:
    """Gives what to call now and then with how much has been learned by then, in the unit of
    ``size_now``.

    Where the collector is off it stays off.
    """
    looked_at = max(size_now, 1)

    def settle(size: int) -> None:
        nonlocal looked_at
        if not gc.isenabled():
            return
        if size >= 2 * looked_at or size < looked_at:  # Doubled, or forgotten.
            looked_at = max(size, 1)
            gc.unfreeze()
            gc.collect()
        else:
            gc.collect(1)
        gc.freeze()

    try:
        yield settle
    finally:
        gc.unfreeze()
