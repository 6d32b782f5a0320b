"""What runs have learned is looked through for cycles rarely, but what is left in them is found."""

from __future__ import annotations

import gc
import weakref

from indelible.checkers.walks.garbage import sparing_collection


class Knot:
    """Refers to itself, so that only the collector can find that it is of no use."""

    def __init__(self) -> None:
        self.itself = self


def test_young_cycles_are_found_each_time() -> None:
    with sparing_collection(100) as settle:
        known = weakref.ref(Knot())
        settle(110)
        assert known() is None


def test_what_is_kept_is_looked_through_when_it_has_doubled_or_is_forgotten() -> None:
    for then in (200, 50):
        with sparing_collection(100) as settle:
            knot = Knot()
            known = weakref.ref(knot)
            settle(110)
            del knot
            settle(120)
            assert known() is not None
            settle(then)
            assert known() is None


def test_nothing_is_kept_from_the_collector_afterwards() -> None:
    with sparing_collection(100) as settle:
        settle(110)
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_a_collector_that_is_off_stays_unused() -> None:
    gc.disable()
    try:
        with sparing_collection(100) as settle:
            known = weakref.ref(Knot())
            settle(200)
            assert known() is not None
            assert gc.get_freeze_count() == 0
    finally:
        gc.enable()
