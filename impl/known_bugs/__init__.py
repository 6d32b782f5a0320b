"""Known bugs: broken variants of our Multi-Paxos, so that every checker can prove it can fail.

Each is the clean implementation with one method replaced, after a slip seen in a paper, an issue
tracker or published code; its docstring tells the mechanism, the rule it breaks and the source. The
registry adds the property by which it shows, and a small scope in which an exhaustive search finds
it: with no more nodes, commands, elections and restarts than the bug takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from indelible.impl.known_bugs.durability import (
    AcceptNotDurable,
    AcceptRevealedBeforeSaved,
    CorruptTailTruncated,
    PromiseNotDurable,
    WipedDiskRejoins,
)
from indelible.impl.known_bugs.execution import ApplyOutOfOrder, CommitIndexTrusted, NoDedupe
from indelible.impl.known_bugs.known_bug import KnownBug
from indelible.impl.known_bugs.phase1 import (
    BallotNotUnique,
    DupPromiseCounted,
    NextSlotFromOwnLog,
    NoopOverwrites,
    PhaseOneQuorumHalf,
    PickLastArrived,
    PickLowest,
    PromiseHidesAccepted,
    PromiseOmitsDecided,
    PromiseReportsPromisedBallot,
    StalePromiseCounted,
)
from indelible.impl.known_bugs.phase2 import (
    AcceptBelowPromise,
    AckWithoutStoring,
    DupAckCounted,
    FlexMisconfig,
    PhaseTwoQuorumHalf,
)
from indelible.model.scope import Scope

__all__ = ["KNOWN_BUGS", "KnownBug"]


def _scope(
    *,
    nodes: int = 3,
    commands: tuple[str, ...] = ("a", "b"),
    submissions_max: int = 1,
    candidates: tuple[int, ...] = (0, 1),
    elections: int = 1,
    heartbeats: int = 0,
    restarts: int = 0,
    torn: bool = False,
) -> Scope:
    """Two nodes that may each bid once, two commands, and whatever else a bug needs."""
    return Scope(
        nodes=nodes,
        commands=commands,
        submissions_max=submissions_max,
        timeouts_max={"election": elections, "heartbeat": heartbeats, "retransmit": 0},
        may_time_out=candidates,
        restarts_max=restarts,
        torn=torn,
    )


_ALL: Final = (
    # Phase 1
    KnownBug(PromiseHidesAccepted(), "agreement", _scope(), "read in roxel and krthk", 1),
    KnownBug(
        PickLastArrived(),
        "votes_are_safe",
        _scope(candidates=(0, 1, 2)),
        "read in enriquefynn; reported for WiDS, CrystalBall and Local Model Checking",
        2,
    ),
    KnownBug(
        PickLowest(), "votes_are_safe", _scope(candidates=(0, 1, 2)), "a turned comparison", 3
    ),
    KnownBug(
        PromiseReportsPromisedBallot(),
        "votes_are_safe",
        _scope(candidates=(0, 1, 2)),
        "Sutra on Egalitarian Paxos, arXiv 1906.10917; read in krthk",
        5,
    ),
    KnownBug(BallotNotUnique(), "agreement", _scope(), "read in akellehe", 13),
    KnownBug(
        DupPromiseCounted(),
        "votes_are_safe",
        # With four nodes the quorum that is none still meets every majority.
        _scope(nodes=5),
        "reproduced with ajdavis; read in raftos",
        17,
    ),
    KnownBug(
        StalePromiseCounted(),
        "votes_are_safe",
        _scope(elections=2),
        "luohaha/MyPaxos #18, little-raft #44",
        18,
    ),
    KnownBug(PhaseOneQuorumHalf(), "agreement", _scope(), "reproduced with paxosmmc", 23),
    KnownBug(NoopOverwrites(), "agreement", _scope(commands=("a",)), "OCons #21", 27),
    KnownBug(
        NextSlotFromOwnLog(),
        "one_value_per_ballot",
        _scope(candidates=(0,)),
        "a class of bug seen in ailidani/paxi",
        28,
    ),
    KnownBug(PromiseOmitsDecided(), "agreement", _scope(), "reproduced with ailidani/paxi", 29),
    # Phase 2
    KnownBug(AcceptBelowPromise(), "agreement", _scope(), "the textbook", 6),
    KnownBug(AckWithoutStoring(), "decided_implies_chosen", _scope(), "read in dgkimura", 8),
    KnownBug(
        DupAckCounted(),
        "decided_implies_chosen",
        _scope(nodes=4, commands=("a",), candidates=(0,)),
        "reproduced with thomastiotto and ajdavis",
        16,
    ),
    KnownBug(
        PhaseTwoQuorumHalf(), "agreement", _scope(), "reported in the class of 1Paxos's slip", 24
    ),
    KnownBug(FlexMisconfig(), "agreement", _scope(), "reported: Flexible Paxos, section 3", 26),
    # Durability
    KnownBug(
        PromiseNotDurable(),
        "agreement",
        _scope(restarts=1),
        "reported: injected by CrystalBall; ZOOKEEPER-1653",
        9,
    ),
    KnownBug(AcceptNotDurable(), "agreement", _scope(restarts=1), "etcd #14143", 10),
    KnownBug(WipedDiskRejoins(), "agreement", _scope(restarts=1), "atlasdb #1504 and #1508", 38),
    KnownBug(
        CorruptTailTruncated(),
        "agreement",
        _scope(restarts=1),
        "Protocol-Aware Recovery, FAST 2018",
        39,
    ),
    KnownBug(AcceptRevealedBeforeSaved(), "agreement", _scope(restarts=1, torn=True), "our own"),
    # Learning and executing
    KnownBug(
        CommitIndexTrusted(), "agreement", _scope(heartbeats=1), "reproduced with vsr-trio", 31
    ),
    KnownBug(ApplyOutOfOrder(), "log_prefix", _scope(candidates=(0,)), "read in ajdavis", 32),
    KnownBug(
        NoDedupe(),
        "at_most_once",
        _scope(commands=("a",), submissions_max=2, candidates=(0,)),
        "read in ajdavis",
        33,
    ),
)

KNOWN_BUGS: Final[Mapping[str, KnownBug]] = MappingProxyType({bug.name: bug for bug in _ALL})
"""Every known bug, by its name."""
PENDING: Final[tuple[KnownBug, ...]] = ()
