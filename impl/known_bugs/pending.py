"""Pending: the rows of the catalogue that the protocol cannot express yet, and why. Values only."""

from __future__ import annotations

from typing import Final

from indelible.impl.known_bugs.known_bug import PendingBug

__all__ = ["PENDING"]

NO_SNAPSHOTS: Final = "the protocol takes no snapshots: nothing is ever cut off a log"
NO_READS: Final = "the protocol has no reads: clients only submit commands"
NO_RECONFIGURATION: Final = "the protocol has one configuration: its nodes never change"
NO_LEASES: Final = "the protocol has no leases: no step depends on a clock"

PENDING: Final = (
    PendingBug(30, "snapshot_not_in_promise", NO_SNAPSHOTS),
    PendingBug(34, "session_lost_in_snapshot", NO_SNAPSHOTS),
    PendingBug(35, "read_without_quorum", NO_READS),
    PendingBug(36, "alpha_zero", NO_RECONFIGURATION),
    PendingBug(37, "alpha_ignored", NO_RECONFIGURATION),
    PendingBug(41, "lease_from_reply", NO_LEASES),
    PendingBug(42, "lease_drift_ignored", NO_LEASES),
    PendingBug(43, "lease_not_honoured_after_restart", NO_LEASES),
)
"""Every row that is no known bug yet, in the order of the catalogue."""
