"""Trial: whether the explorer kills a mutant, in a few scopes from tiny to small.

A mutant is killed where the verdict is not *holds*: a property is violated, what must be reached is
not, the code raises or breaks the contract, or the search does not end where it does for the clean
code. Other counts of states alone are no kill. The clean code holds in every scope.

It changes modules that are already imported, so it belongs in a process that ends after it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final, NamedTuple

from client_properties import CLIENT_PROPERTIES
from mutator import MODULES, Mutant, source_of

from indelible import ExplicitQuorums, FlexibleQuorums, Limits, Scope, Verdict, explore
from indelible.checkers.properties import BUILT_IN, Property, View, default_properties, sometimes
from indelible.checkers.property import World
from indelible.model.errors import ImplementationError
from indelible.model.quorums import MajorityQuorums, QuorumSystem

__all__ = ["LARGER", "SECONDS_MAX", "TRIALS", "Outcome", "Trial", "clean", "tried"]

PACKAGE: Final = "indelible.impl.multipaxos"

SECONDS_MAX: Final = 240.0
"""For one scope; the clean code takes a second or two in the largest."""


class Trial(NamedTuple):
    """A scope, the quorums in it, and how many states the clean code has there.

    ``is_contested``: whether there are two candidates, so that a leader must be replaced.
    """

    scope: Scope
    states: int
    quorums: QuorumSystem = MajorityQuorums()

    @property
    def is_contested(self) -> bool:
        return len(self.scope.may_time_out or ()) > 1


class Outcome(NamedTuple):
    """Where a mutant was killed and by what; both are empty if it survived."""

    trial: str = ""
    killer: str = ""


ONE_BID: Final = {"election": 1, "heartbeat": 0, "retransmit": 0}
TWO_BIDS: Final = ONE_BID | {"election": 2}
EVERY_TIMER: Final = {"election": 1}
"""One bid, and heartbeats and repetitions without bound."""

BOTH: Final = (0, 1)


def scope(
    nodes: int,
    commands: str,
    *,
    candidates: tuple[int, ...] = (0,),
    timeouts_max: Mapping[str, int] = ONE_BID,
    **fields: Any,
) -> Scope:
    """Clients submit to node 0 unless it says otherwise."""
    known: dict[str, Any] = {"may_submit": (0,)}
    return Scope(
        nodes=nodes,
        commands=tuple(commands),
        may_time_out=candidates,
        timeouts_max=timeouts_max,
        **(known | fields),
    )


TRIALS: Final[dict[str, Trial]] = {
    "one node bids again": Trial(
        scope(1, "abc", timeouts_max=ONE_BID | {"election": 3}, restarts_max=2), 666
    ),
    "one promise and three votes": Trial(scope(3, "a"), 58, FlexibleQuorums(1, 3)),
    "three promises and two votes of four": Trial(scope(4, "a"), 690, FlexibleQuorums(3, 2)),
    "three slots": Trial(scope(2, "abc"), 656),
    "heartbeats and repetitions of two": Trial(scope(2, "ab", timeouts_max=EVERY_TIMER), 308),
    "heartbeats and repetitions": Trial(scope(3, "a", timeouts_max=EVERY_TIMER), 686),
    "at most once and torn": Trial(
        scope(2, "a", candidates=BOTH, restarts_max=1, torn=True, links="unordered"), 753
    ),
    "two promises and one vote": Trial(
        scope(2, "ab", candidates=BOTH), 1_566, FlexibleQuorums(2, 1)
    ),
    "one promise and two votes": Trial(
        scope(2, "ab", candidates=BOTH), 3_282, FlexibleQuorums(1, 2)
    ),
    "a second bid and a restart": Trial(
        scope(2, "ab", timeouts_max=TWO_BIDS, restarts_max=1), 3_414
    ),
    "every timer and torn": Trial(
        scope(2, "a", candidates=BOTH, timeouts_max=EVERY_TIMER, restarts_max=1, torn=True), 4_336
    ),
    "two slots and torn": Trial(scope(2, "ab", candidates=BOTH, restarts_max=1, torn=True), 12_460),
    "in order and torn": Trial(scope(3, "ab", restarts_max=1, torn=True, links="ordered"), 13_174),
    "three slots in order": Trial(scope(3, "abc", links="ordered"), 15_572),
    "submitted again": Trial(
        scope(2, "ab", candidates=BOTH, submissions_max=None, may_submit=None),
        15_820,
        FlexibleQuorums(1, 2),
    ),
    "two candidates": Trial(scope(3, "a", candidates=BOTH, may_submit=None), 22_452),
    "one node and torn": Trial(
        scope(1, "ab", timeouts_max=TWO_BIDS, restarts_max=1, torn=True), 82
    ),
    "one promise and two votes and torn": Trial(
        scope(2, "a", candidates=BOTH, restarts_max=1, torn=True), 1_445, FlexibleQuorums(1, 2)
    ),
    "a second bid for three votes": Trial(
        scope(3, "a", timeouts_max=TWO_BIDS, restarts_max=1), 8_108, FlexibleQuorums(1, 3)
    ),
    "four slots in order": Trial(scope(2, "abcd", links="ordered"), 7_128),
    "each submitted twice": Trial(scope(2, "ab", submissions_max=2), 212),
}
"""From tiny to small, so that most mutants die in milliseconds.

Quorums of one promise or of one vote make much happen among two nodes: with one promise a node may
lead that has heard of nothing, and fill gaps.
"""


LARGER: Final[dict[str, Trial]] = {
    "three candidates": Trial(
        scope(3, "ab", candidates=(0, 1, 2), may_submit=None, links="ordered"), 1_006_494
    ),
    "chosen twice": Trial(
        scope(2, "ab", candidates=BOTH, timeouts_max=TWO_BIDS, may_submit=None, submissions_max=2),
        423_485,
        FlexibleQuorums(1, 2),
    ),
    "four slots of two leaders": Trial(scope(2, "abcd", candidates=BOTH, may_submit=None), 391_994),
    "a heartbeat of two leaders": Trial(
        scope(2, "ab", candidates=BOTH, timeouts_max=ONE_BID | {"heartbeat": 1}, may_submit=None),
        89_179,
        FlexibleQuorums(1, 2),
    ),
    "two bids of two candidates": Trial(
        scope(
            3,
            "ab",
            candidates=(0, 2),
            timeouts_max=TWO_BIDS,
            may_submit={"a": (0,), "b": (2,)},
            links="ordered",
        ),
        150_000,
        ExplicitQuorums(phase1=((0, 1), (1, 2)), phase2=((1,),)),
    ),
}
"""For a few mutants, and too large for all: with so many states as suffice to kill those."""


@sometimes(reads="records", fields=("executed",))
def everything_executed(records: tuple[View, ...], *, world: World) -> bool:
    """Every node executes every command. It can be so in each of the scopes."""
    return all(len(record.executed) == len(world.commands) for record in records)


def tried(mutant: Mutant, trials: Mapping[str, Trial] = TRIALS) -> Outcome:
    """What becomes of a mutant: the first scope that kills it, and by what."""
    try:
        protocol = _loaded(mutant)
    except Exception:
        return Outcome("import", "raises")
    for name, trial in trials.items():
        killer = _killer(protocol, trial)
        if killer:
            return Outcome(name, killer)
    return Outcome()


def clean(trial: Trial) -> Verdict:
    """The verdict on the code as it is, in at most so many states."""
    from indelible.impl.multipaxos import MultiPaxos

    limits = Limits(states_max=trial.states)
    implementation = MultiPaxos(trial.quorums)
    return explore(implementation, trial.scope, properties=_properties(trial), limits=limits)


def _loaded(mutant: Mutant) -> ModuleType:
    """``protocol`` on top of fresh modules, of which one is the mutant."""
    package = sys.modules[PACKAGE]
    module = package
    for name in MODULES:
        module = ModuleType(f"{PACKAGE}.{name}")
        # Where an import finds it, also one of the form ``from package import module``.
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        source = mutant.source if name == mutant.module else source_of(name)
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def _killer(protocol: ModuleType, trial: Trial) -> str:
    """The property that a mutant breaks, or what else is wrong; nothing if the verdict is holds."""
    limits = Limits(states_max=20 * trial.states + 10_000, seconds_max=SECONDS_MAX)
    try:
        implementation = protocol.MultiPaxos(trial.quorums)
        verdict = explore(implementation, trial.scope, properties=_properties(trial), limits=limits)
    except ImplementationError:
        return "breaks the contract"
    return "" if verdict.outcome == "holds" else next(_causes(verdict))


def _causes(verdict: Verdict) -> Iterator[str]:
    if verdict.trace is not None:
        yield verdict.trace.violation.property
    elif verdict.outcome == "inconclusive":
        unseen = [known.name for known in verdict.properties if known.result == "not observable"]
        yield from ["does not end"] if not verdict.exhausted else unseen
    yield from (known.name for known in verdict.properties if known.result == "unreached")


def _properties(trial: Trial) -> list[Property]:
    """The built-in ones and some of ours; where only one node bids, no leader is replaced."""
    known = BUILT_IN.values() if trial.is_contested else default_properties()
    return [*known, everything_executed, *CLIENT_PROPERTIES]
