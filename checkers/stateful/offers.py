"""Offers: what each rule of a machine may choose from, the simplest first. Pure functions.

A partition is a set of nodes that are cut off from the others: it is no event, it only decides
which messages are offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from indelible.checkers.walks.options import Option, event_of, torn_options
from indelible.checkers.walks.stage import WHOLE, Stage
from indelible.checkers.walks.strategies import oldest
from indelible.model.events import Restart, Torn, node_name

__all__ = ["FAULTS", "OFFERS", "CutOff", "Offer"]

CutOff: TypeAlias = frozenset[int]
"""The places in the scope of the nodes on one side of a partition; empty if there is none."""

FAULTS: Final = ("drop", "duplicate", "partition", "reorder", "restart", "tear")
"""The rules that are faults of the network or of a node."""


class Offer:
    """An option that reads as what it does, and ``more`` messages to be delivered after it."""

    __slots__ = ("_stage", "more", "option")

    def __init__(self, stage: Stage, option: Option, more: int = 0) -> None:
        self._stage, self.option, self.more = stage, option, more

    def __repr__(self) -> str:
        option, stage = self.option, self._stage
        node = node_name(stage.scope.nodes[option.node])
        if option.kind == "restart":
            return f"<{node}: {Restart()!r}>"
        event = stage.reactions.events[event_of(stage, option)]
        says = repr(event if option.kept == WHOLE else Torn(event, option.kept))
        return f"<{node}: {says}{f', and {self.more} more' if self.more else ''}>"


def _connected(cut_off: CutOff, one: int, other: int) -> bool:
    return (one in cut_off) == (other in cut_off)


def _deliveries(stage: Stage, cut_off: CutOff) -> Iterator[Option]:
    """The oldest message of each link."""
    for (index, source), which in sorted(oldest(stage).items()):
        if _connected(cut_off, index, source):
            yield Option("deliver", index, which)


def _overtaking(stage: Stage, cut_off: CutOff) -> Iterator[Option]:
    """The messages that overtake an older one of their link."""
    for index, place in _waiting(stage, cut_off):
        source = stage.reactions.source
        sender = source(stage.fresh[index][place])
        if any(source(event) == sender for event in stage.fresh[index][:place]):
            yield Option("deliver", index, place)


def _drops(stage: Stage, cut_off: CutOff) -> Iterator[Option]:
    """What may be lost, as its delivery."""
    return (Option("deliver", index, place) for index, place in _waiting(stage, cut_off))


def _duplicates(stage: Stage, cut_off: CutOff) -> Iterator[Option]:
    for index, seen in enumerate(stage.seen):
        for place, event in enumerate(seen):
            if _connected(cut_off, index, stage.reactions.source(event)):
                yield Option("duplicate", index, place)


def _waiting(stage: Stage, cut_off: CutOff) -> Iterator[tuple[int, int]]:
    """The places of the messages in ``fresh`` that may pass; ordered links have none there."""
    for index, fresh in enumerate(stage.fresh):
        for place, event in enumerate(fresh):
            if _connected(cut_off, index, stage.reactions.source(event)):
                yield index, place


def _timeouts(stage: Stage, _: CutOff) -> Iterator[Option]:
    for index, timers in enumerate(stage.timers):
        yield from (Option("timeout", index, timer) for timer in timers)


def _submissions(stage: Stage, again: bool) -> Iterator[Option]:
    for place in stage.open_commands:
        if bool(stage.submissions[place]) == again:
            for index in range(len(stage.states)):
                if stage.may_submit(index, place):
                    yield Option("submit", index, place)


def _restarts(stage: Stage, _: CutOff) -> Iterator[Option]:
    if stage.restarts_left > 0:
        yield from (Option("restart", index) for index in range(len(stage.states)))


def _torn(stage: Stage, cut_off: CutOff) -> Iterator[Option]:
    if not stage.scope.torn or stage.restarts_left <= 0:
        return
    for offers in (_deliveries, _timeouts, _first_submissions):
        for option in offers(stage, cut_off):
            yield from torn_options(stage, option)


def _first_submissions(stage: Stage, _: CutOff) -> Iterator[Option]:
    return _submissions(stage, again=False)


def _submissions_again(stage: Stage, _: CutOff) -> Iterator[Option]:
    return _submissions(stage, again=True)


OFFERS: Final[Mapping[str, Callable[[Stage, CutOff], Iterable[Option]]]] = MappingProxyType(
    {
        "deliver": _deliveries,
        "drop": _drops,
        "duplicate": _duplicates,
        "fire": _timeouts,
        "reorder": _overtaking,
        "restart": _restarts,
        "submit": _first_submissions,
        "submit_again": _submissions_again,
        "tear": _torn,
    }
)
"""By the name of the rule, what it may choose from."""
