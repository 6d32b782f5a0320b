"""Indelible: model checking and property testing for Multi-Paxos and replicated logs of its kind.

The public names. Importing this loads neither numba nor z3: ``explore`` does when it is called. Nor
does it load Hypothesis: the names that need it do when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from indelible.checkers.explore import explore
from indelible.checkers.limits import Limits
from indelible.checkers.property import Property, View, World, always, sometimes
from indelible.model.cluster import Cluster
from indelible.model.effects import (
    NO_OP,
    CancelTimer,
    Decide,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import (
    ImplementationError,
    IndelibleError,
    PropertyError,
    ScopeError,
    TraceError,
)
from indelible.model.events import Receive, Restart, Submit, Timeout, Torn
from indelible.model.implementation import Implementation, Step
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    FormulaQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    QuorumSystem,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
)
from indelible.model.record import Record
from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation
from indelible.model.verdict import PropertyResult, Verdict

if TYPE_CHECKING:
    from indelible.stateful import PropertyViolated, cluster_machine, register_profiles

__all__ = [
    "NO_OP",
    "CancelTimer",
    "Cluster",
    "Decide",
    "Execute",
    "ExplicitQuorums",
    "FlexibleQuorums",
    "FormulaQuorums",
    "GridQuorums",
    "HierarchicalQuorums",
    "Implementation",
    "ImplementationError",
    "IndelibleError",
    "JointQuorums",
    "Lead",
    "Limits",
    "MajorityQuorums",
    "Persist",
    "Promise",
    "Property",
    "PropertyError",
    "PropertyResult",
    "PropertyViolated",
    "QuorumSystem",
    "ReadOneWriteAllQuorums",
    "Receive",
    "Record",
    "Reply",
    "Restart",
    "Scope",
    "ScopeError",
    "Send",
    "SetTimer",
    "Step",
    "Submit",
    "Timeout",
    "Torn",
    "Trace",
    "TraceError",
    "TreeQuorums",
    "Verdict",
    "View",
    "Violation",
    "Vote",
    "WeightedQuorums",
    "World",
    "always",
    "cluster_machine",
    "explore",
    "register_profiles",
    "sometimes",
]

_STATEFUL: Final = frozenset({"PropertyViolated", "cluster_machine", "register_profiles"})


def __getattr__(name: str) -> Any:
    """The names of ``stateful``, which loads Hypothesis."""
    if name not in _STATEFUL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from indelible import stateful

    return getattr(stateful, name)
