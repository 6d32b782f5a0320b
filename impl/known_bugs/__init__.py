"""Known bugs: broken variants of our Multi-Paxos, so that every checker can prove it can fail.

Each is the clean implementation with one method replaced, after a slip seen in a paper, an issue
tracker or published code; its docstring tells the mechanism, the rule it breaks and the source. The
registry adds the property by which it shows, and a small scope in which an exhaustive search finds
it. What the catalogue has besides is listed as pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from indelible.impl.known_bugs import (
    counting,
    durability,
    election,
    execution,
    promises,
    recovery,
    scopes,
    voting,
)
from indelible.impl.known_bugs.known_bug import KnownBug, PendingBug
from indelible.impl.known_bugs.pending import PENDING
from indelible.impl.multipaxos import MultiPaxos

__all__ = ["KNOWN_BUGS", "PENDING", "KnownBug", "PendingBug"]

_PROMISES: Final = (
    KnownBug(
        promises.PromiseHidesAccepted(),
        "agreement",
        scopes.TWO_LEADERS,
        "read in roxel and krthk",
        1,
    ),
    KnownBug(
        promises.BallotZeroIgnored(),
        "agreement",
        scopes.TWO_LEADERS,
        "read in sagelywizard and 500lines",
        4,
    ),
    KnownBug(
        promises.PromiseReportsPromisedBallot(),
        "agreement",
        scopes.THREE_CANDIDATES,
        "Sutra on Egalitarian Paxos, arXiv 1906.10917; read in krthk; reported: CASSANDRA-6023",
        5,
    ),
    KnownBug(
        promises.PromiseOmitsDecided(),
        "agreement",
        scopes.TWO_LEADERS,
        "reproduced with ailidani/paxi",
        29,
    ),
    KnownBug(
        promises.PromiseForgottenOnStepdown(),
        "agreement",
        scopes.THREE_CANDIDATES,
        "reproduced with raftos; akka-raft #56",
        40,
    ),
)

_ELECTION: Final = (
    KnownBug(election.BallotNotUnique(), "agreement", scopes.TWO_LEADERS, "read in akellehe", 13),
    KnownBug(
        election.DupPromiseCounted(scopes.ALL_OF_THREE_ELECT),
        "agreement",
        scopes.TWO_LEADERS_ANY_ORDER,
        "reproduced with ajdavis; read in raftos",
        17,
        MultiPaxos(scopes.ALL_OF_THREE_ELECT),
    ),
    KnownBug(
        election.StalePromiseCounted(scopes.ALL_OF_TWO_ELECT),
        "agreement",
        scopes.TWO_BIDS_EACH,
        "luohaha/MyPaxos #18, little-raft #44",
        18,
        MultiPaxos(scopes.ALL_OF_TWO_ELECT),
    ),
    KnownBug(
        election.KeepOldPromises(scopes.TWO_VOTERS_OF_THREE),
        "agreement",
        scopes.TWO_BIDS_FOR_TWO_VOTERS,
        "read in MyPaxos",
        19,
        MultiPaxos(scopes.TWO_VOTERS_OF_THREE),
    ),
    KnownBug(
        election.StaleAdoption(scopes.ALL_OF_TWO_ELECT),
        "agreement",
        scopes.TWO_BIDS_EACH,
        "reproduced with 500lines and DistAlgo",
        20,
        MultiPaxos(scopes.ALL_OF_TWO_ELECT),
    ),
    KnownBug(
        election.BumpWithoutPrepare(), "agreement", scopes.TWO_LEADERS, "a common fast retry", 21
    ),
    KnownBug(
        election.PhaseOneQuorumHalf(),
        "agreement",
        scopes.TWO_LEADERS,
        "reproduced with paxosmmc",
        23,
    ),
    KnownBug(
        election.ImpliedPromise(),
        "agreement",
        scopes.RESTART,
        "read in multi-paxos-example",
        44,
    ),
)

_RECOVERY: Final = (
    KnownBug(
        recovery.PickLastArrived(),
        "agreement",
        scopes.THREE_CANDIDATES,
        "read in enriquefynn; reported for WiDS, CrystalBall and Local Model Checking",
        2,
    ),
    KnownBug(recovery.PickLowest(), "agreement", scopes.THREE_CANDIDATES, "a turned comparison", 3),
    KnownBug(
        recovery.LatePromiseRewrites(),
        "agreement",
        scopes.TWO_LEADERS_ANY_ORDER,
        "read in thomastiotto and dgkimura",
        22,
    ),
    KnownBug(recovery.NoopOverwrites(), "agreement", scopes.ONE_COMMAND, "OCons #21", 27),
    KnownBug(
        recovery.NextSlotFromOwnLog(),
        "agreement",
        scopes.TWO_LEADERS,
        "a class of bug seen in ailidani/paxi",
        28,
    ),
    KnownBug(
        recovery.ChooseLongestLog(),
        "agreement",
        scopes.THREE_CANDIDATES,
        "read in vsr-trio; neon #296",
        45,
    ),
)

_VOTING: Final = (
    KnownBug(voting.AcceptBelowPromise(), "agreement", scopes.TWO_LEADERS, "the textbook", 6),
    KnownBug(
        voting.AcceptNoBump(scopes.ALL_OF_TWO_CHOOSE),
        "agreement",
        scopes.TWO_BIDS_EACH,
        "M. Brooker, 2021; CASSANDRA-17162; read in gdub, thomastiotto and dgkimura",
        7,
        MultiPaxos(scopes.ALL_OF_TWO_CHOOSE),
    ),
    KnownBug(
        voting.AckWithoutStoring(),
        "decided_implies_chosen",
        scopes.TWO_LEADERS,
        "read in dgkimura",
        8,
    ),
    KnownBug(
        voting.AckByValue(),
        "decided_implies_chosen",
        scopes.ONE_COMMAND,
        "read in sagelywizard; logcabin #44, async-raft #108, canonical/raft #220",
        15,
    ),
    KnownBug(
        voting.TruncateOnOldAppend(scopes.ALL_OF_TWO_CHOOSE),
        "agreement",
        scopes.THREE_COMMANDS,
        "reproduced with pysyncobj",
        46,
        MultiPaxos(scopes.ALL_OF_TWO_CHOOSE),
    ),
    KnownBug(
        voting.RollbackCommittedOnStepdown(),
        "agreement",
        scopes.TWO_LEADERS_ANY_ORDER,
        "CCF #5674",
        47,
    ),
    KnownBug(voting.ElectionByProposedTerm(), "agreement", scopes.TWO_LEADERS, "nebula #685", 50),
)

_COUNTING: Final = (
    KnownBug(
        counting.AckAnyBallot(),
        "decided_implies_chosen",
        scopes.FOUR_NODES_AGAIN,
        "reproduced with enriquefynn",
        14,
    ),
    KnownBug(
        counting.DupAckCounted(),
        "decided_implies_chosen",
        scopes.FOUR_NODES,
        "reproduced with thomastiotto and ajdavis",
        16,
    ),
    KnownBug(
        counting.PhaseTwoQuorumHalf(),
        "decided_implies_chosen",
        scopes.TWO_LEADERS,
        "reported in the class of 1Paxos's slip",
        24,
    ),
    KnownBug(
        counting.QuorumHalfEven(),
        "decided_implies_chosen",
        scopes.FOUR_NODES,
        "read in raftos and enriquefynn",
        25,
    ),
    KnownBug(
        # What is chosen is what its own quorums choose, and that is not unique.
        counting.FlexMisconfig(),
        "agreement",
        scopes.TWO_LEADERS,
        "reported: Flexible Paxos, section 3",
        26,
    ),
)

_DURABILITY: Final = (
    KnownBug(
        durability.PromiseNotDurable(),
        "agreement",
        scopes.RESTART,
        "reported: injected by CrystalBall; ZOOKEEPER-1653",
        9,
    ),
    KnownBug(
        durability.AcceptNotDurable(),
        "agreement",
        scopes.RESTART,
        "etcd #14143; reported: MODIST",
        10,
    ),
    KnownBug(
        durability.AcceptSavesStalePromise(),
        "agreement",
        scopes.RESTART,
        "reproduced with multi-paxos-example",
        11,
    ),
    KnownBug(
        durability.RestartReuseBallot(),
        "agreement",
        scopes.LEADER_RESTARTS,
        "reproduced with four of cocagne's; phxpaxos #145",
        12,
    ),
    KnownBug(
        durability.WipedDiskRejoins(),
        "agreement",
        scopes.RESTART,
        "atlasdb #1504 and #1508; read in 500lines; etcd-raft #349",
        38,
    ),
    KnownBug(
        durability.CorruptTailTruncated(),
        "agreement",
        scopes.RESTART,
        "Protocol-Aware Recovery, FAST 2018",
        39,
    ),
    KnownBug(
        durability.CommitSavedBeforeEntries(),
        "log_prefix",
        scopes.LOG_RESTARTS,
        "curvine #1368, etcd-raft #300",
        48,
    ),
    KnownBug(
        durability.TwoFileState(scopes.ALL_OF_TWO_CHOOSE),
        # The vote that nobody cast misleads a leader only after a third bid.
        "one_value_per_ballot",
        scopes.TORN_PAIR,
        "reported: the epochs of ZooKeeper",
        49,
        MultiPaxos(scopes.ALL_OF_TWO_CHOOSE),
    ),
    KnownBug(
        durability.AcceptRevealedBeforeSaved(scopes.ALL_OF_TWO_CHOOSE),
        "agreement",
        scopes.TORN_PAIR,
        "our own",
        None,
        MultiPaxos(scopes.ALL_OF_TWO_CHOOSE),
    ),
)

_EXECUTION: Final = (
    KnownBug(
        execution.CommitIndexTrusted(),
        "decided_implies_chosen",
        scopes.TWO_LEADERS_ANY_ORDER,
        "reproduced with vsr-trio; read in raftos",
        31,
    ),
    KnownBug(execution.ApplyOutOfOrder(), "log_prefix", scopes.ONE_LEADER, "read in ajdavis", 32),
    KnownBug(
        execution.NoDedupe(), "at_most_once", scopes.SAME_COMMAND_TWICE, "read in ajdavis", 33
    ),
)

KNOWN_BUGS: Final[Mapping[str, KnownBug]] = MappingProxyType(
    {
        bug.name: bug
        for theme in (
            _PROMISES,
            _ELECTION,
            _RECOVERY,
            _VOTING,
            _COUNTING,
            _DURABILITY,
            _EXECUTION,
        )
        for bug in theme
    }
)
"""Every known bug, by its name."""
