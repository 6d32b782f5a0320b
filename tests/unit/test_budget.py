"""How a time is split over searches: by a clock that only they move."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from indelible.budget import split_budget


def split(needs: Sequence[float], seconds: float) -> tuple[list[tuple[int, float]], float]:
    """Which search got how much, in order, and what the time was at the end."""
    now = Fraction(0)
    given: list[tuple[int, float]] = []

    def run(index: int, share: float) -> bool:
        nonlocal now
        given.append((index, share))
        now += min(Fraction(needs[index]), Fraction(share))
        return needs[index] > share

    split_budget(range(len(needs)), seconds, run, clock=lambda: float(now))
    return given, float(now)


def test_an_equal_part_for_each() -> None:
    assert split([100, 100, 100], 30) == ([(0, 10), (1, 10), (2, 10)], 30)


def test_what_one_does_not_use_goes_to_those_after_it() -> None:
    assert split([1, 100, 100], 31)[0] == [(0, 10.3), (1, 15), (2, 15)]


def test_what_is_left_goes_to_who_was_cut_short() -> None:
    assert split([15, 1, 1], 30)[0] == [(0, 10), (1, 10), (2, 19), (0, 18)]


def test_nobody_begins_anew_for_what_it_has_had() -> None:
    assert split([15, 5], 20)[0] == [(0, 10), (1, 10)]


def test_those_who_had_least_come_first() -> None:
    # 16 are left for one that has had 10 and one that has had 19: only to the first it is of use.
    given, _ = split([30, 1, 1, 30, 3], 50)
    assert given == [(0, 10), (1, 10), (2, 13), (3, 19), (4, 19), (0, 16)]


def test_no_time_is_a_turn_for_everybody_all_the_same() -> None:
    assert split([1, 1], 0)[0] == [(0, 0), (1, 0)]
    assert split([], 10) == ([], 0)


def test_who_takes_longer_than_given_costs_no_other_its_part() -> None:
    now = 0.0
    given: list[tuple[str, float]] = []

    def run(job: str, share: float) -> bool:
        nonlocal now
        given.append((job, share))
        now += 25 if job == "late" else share
        return job != "late"

    split_budget(["late", "one", "other"], 30, run, clock=lambda: now)
    assert given == [("late", 10), ("one", 10), ("other", 10)]


NEEDS = st.lists(st.integers(0, 300).map(lambda tenths: tenths / 10), min_size=1, max_size=6)


@given(needs=NEEDS, seconds=st.integers(1, 100))
def test_whoever_did_not_finish_had_an_equal_part_and_all_stay_within_the_time(
    needs: list[float], seconds: int
) -> None:
    given, end = split(needs, seconds)
    assert end <= seconds + 1e-6
    most = [max(share for index, share in given if index == own) for own in range(len(needs))]
    for need, share in zip(needs, most, strict=True):
        assert need <= share or share > seconds / len(needs) - 0.1001
    assert [index for index, _ in given[: len(needs)]] == list(range(len(needs)))
    again = [index for index, _ in given[len(needs) :]]
    for own in set(again):
        shares = [share for index, share in given if index == own]
        assert shares == sorted(set(shares))
