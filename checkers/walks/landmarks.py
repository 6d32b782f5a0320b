"""Landmarks: how contested a run is, in numbers, so that a search can go where it is more so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from indelible.model.record import Record

__all__ = ["Landmarks", "landmarks"]


class Landmarks(NamedTuple):
    """How far a run has come towards trouble.

    ``competing_ballots``: distinct ballots that nodes have promised last; ``contested_slots``:
    those with votes for two values; ``ballots_led`` and ``slots_decided``: how many in all.
    """

    competing_ballots: int
    contested_slots: int
    ballots_led: int
    slots_decided: int


def landmarks(records: Sequence[Record]) -> Landmarks:
    """The landmarks of one global state, by what the records of its nodes testify."""
    promised = {record.promised for record in records if record.promised is not None}
    voted = {(slot, value) for record in records for slot, _, value in record.votes}
    slots = [slot for slot, _ in voted]
    return Landmarks(
        competing_ballots=len(promised),
        contested_slots=len({slot for slot in slots if slots.count(slot) > 1}),
        ballots_led=len({ballot for record in records for ballot in record.leaderships}),
        slots_decided=len({slot for record in records for slot, _ in record.decided}),
    )
