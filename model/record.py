"""Record: what the world remembers of one node, and the only functions that change it.

A record is made of what the node asked for and what was done to it; it knows nothing of the
implementation's state. A global state of a check is one (state, record) pair per node: the network
is not a component, since what can be delivered is what some record says was sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Set
from typing import NamedTuple

from indelible.model.effects import (
    Ballot,
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Send,
    SetTimer,
    Slot,
    Storage,
    Value,
    Vote,
)
from indelible.model.errors import ImplementationError
from indelible.model.events import Command, InputEvent, Message, NodeId, Receive, Submit, Timer
from indelible.model.scope import Links, Scope

__all__ = [
    "Envelope",
    "Receipt",
    "Record",
    "after_effects",
    "after_event",
    "after_restart",
    "is_deliverable",
    "may_fire",
    "new_envelopes",
    "next_envelope",
    "submissions_of",
]


class Envelope(NamedTuple):
    """A message handed to the link towards ``to``.

    ``number`` tells envelopes apart where the links do: always 0 where they duplicate; the n-th
    equal message to ``to`` (from 1) where each is delivered at most once; the place in the queue
    towards ``to`` (from 1) where they keep the order.
    """

    to: NodeId
    message: Message
    number: int


class Receipt(NamedTuple):
    """How often ``message`` came from ``source``; on ordered links any message, as ``None``."""

    source: NodeId
    message: Message | None
    times: int


class Record(NamedTuple):
    """What the world remembers of one node.

    - ``sent`` and ``received``: all envelopes so far; receipts where the links need them.
    - ``storage``: what was last persisted; ``timers``: those armed that may still fire.
    - ``decided``: (slot, value), ``executed``: (index, command), ``votes``: (slot, ballot, value);
      each as a set, sorted by slot or index, kept over restarts: nothing said is unsaid.
    - ``promised``: the promise last given; ``leaderships``: every ballot won, in order.
    - ``submissions`` (one count per command of the scope), ``timeouts`` (by budget) and
      ``restarts``: budgets used, counted only where they are bounded.

    A named tuple and no dataclass, because records are made, compared and hashed more than anything
    else here.
    """

    sent: frozenset[Envelope] = frozenset()
    received: frozenset[Receipt] = frozenset()
    storage: Storage | None = None
    timers: frozenset[Timer] = frozenset()
    decided: tuple[tuple[Slot, Value], ...] = ()
    executed: tuple[tuple[int, Command], ...] = ()
    votes: tuple[tuple[Slot, Ballot, Value], ...] = ()
    promised: Ballot | None = None
    leaderships: tuple[Ballot, ...] = ()
    submissions: tuple[int, ...] = ()
    timeouts: frozenset[tuple[Hashable, int]] = frozenset()
    restarts: int = 0


def is_deliverable(
    record: Record, source: NodeId, message: Message, number: int, links: Links
) -> bool:
    """Whether the node that ``record`` is about may receive this envelope from ``source`` now."""
    return number == _deliverable_number(record, source, message, links)


def next_envelope(
    record: Record, node: NodeId, source: NodeId, message: Message, links: Links
) -> Envelope:
    """The envelope with ``message`` from ``source`` that ``node`` could receive next.

    ``record`` is the node's; whether ``source`` has sent such an envelope is for its record to say.
    """
    return Envelope(node, message, _deliverable_number(record, source, message, links))


def may_fire(record: Record, node: NodeId, timer: Timer, scope: Scope) -> bool:
    """Whether the scope lets ``timer`` of ``node`` fire once more."""
    key, most = scope.timeout_budget(node, timer)
    return most is None or dict(record.timeouts).get(key, 0) < most


def submissions_of(record: Record, command: Command, scope: Scope) -> int:
    """How often ``command`` was submitted to this node, as far as it is counted."""
    if not record.submissions:
        return 0
    return record.submissions[scope.commands.index(command)]


def after_event(record: Record, node: NodeId, event: InputEvent, scope: Scope) -> Record:
    """The event's own mark: a receipt, a timer that fired, a submission."""
    if isinstance(event, Receive):
        return _after_receive(record, event, scope.links)
    if isinstance(event, Submit):
        return _after_submit(record, event.command, scope)
    return _after_timeout(record, node, event.timer, scope)


def after_effects(record: Record, node: NodeId, effects: Iterable[Effect], scope: Scope) -> Record:
    """All effects but the sends, in order."""
    for effect in effects:
        record = _after_effect(record, effect)
    if not record.timers:
        return record
    alive = frozenset(timer for timer in record.timers if may_fire(record, node, timer, scope))
    # Without loss of generality: no event can tell a timer that may never fire from a disarmed one.
    return record if alive == record.timers else record._replace(timers=alive)


def new_envelopes(
    sent: frozenset[Envelope], effects: Iterable[Effect], links: Links
) -> tuple[Envelope, ...]:
    """What the sends among ``effects`` add to the envelopes sent so far, in order."""
    new: list[Envelope] = []
    for effect in effects:
        if isinstance(effect, Send):
            number = _next_number(sent.union(new), effect.to, effect.message, links)
            envelope = Envelope(effect.to, effect.message, number)
            if envelope not in sent and envelope not in new:
                new.append(envelope)
    return tuple(new)


def after_restart(record: Record, scope: Scope) -> Record:
    """The crash itself: timers are gone, and a restart is used up. ``start`` comes after it."""
    counted = 0 if scope.restarts_max is None else 1
    return record._replace(timers=frozenset(), restarts=record.restarts + counted)


def _after_receive(record: Record, event: Receive, links: Links) -> Record:
    if links == "unordered_duplicating":
        return record
    message = None if links == "ordered" else event.message
    count = _received_count(record, event.source, message)
    received = record.received - {Receipt(event.source, message, count)}
    return record._replace(received=received | {Receipt(event.source, message, count + 1)})


def _after_submit(record: Record, command: Command, scope: Scope) -> Record:
    if scope.submissions_max is None:
        return record
    counts = list(record.submissions or (0,) * len(scope.commands))
    counts[scope.commands.index(command)] += 1
    return record._replace(submissions=tuple(counts))


def _after_timeout(record: Record, node: NodeId, timer: Timer, scope: Scope) -> Record:
    timers = record.timers - {timer}
    key, most = scope.timeout_budget(node, timer)
    if most is None:
        return record._replace(timers=timers)
    used = dict(record.timeouts)
    used[key] = used.get(key, 0) + 1
    return record._replace(timers=timers, timeouts=frozenset(used.items()))


def _after_effect(record: Record, effect: Effect) -> Record:
    match effect:
        case Send():
            return record
        case Persist(storage):
            return record._replace(storage=storage)
        case SetTimer(timer, _):
            return record._replace(timers=record.timers | {timer})
        case CancelTimer(timer):
            return record._replace(timers=record.timers - {timer})
        case Decide(slot, value):
            return record._replace(decided=_with(record.decided, (slot, value)))
        case Execute(index, command):
            return record._replace(executed=_with(record.executed, (index, command)))
        case Promise(ballot):
            return record._replace(promised=ballot)
        case Vote(slot, ballot, value):
            return record._replace(votes=_with_vote(record.votes, (slot, ballot, value)))
        case Lead(ballot) if ballot not in record.leaderships:
            return record._replace(leaderships=(*record.leaderships, ballot))
    return record


def _with(
    entries: tuple[tuple[int, Hashable], ...], entry: tuple[int, Hashable]
) -> tuple[tuple[int, Hashable], ...]:
    """The entries as a set, sorted by number; a contradicting entry stands after the first."""
    if entry in entries:
        return entries
    return tuple(sorted((*entries, entry), key=lambda known: known[0]))


def _with_vote(
    votes: tuple[tuple[Slot, Ballot, Value], ...], vote: tuple[Slot, Ballot, Value]
) -> tuple[tuple[Slot, Ballot, Value], ...]:
    if vote in votes:
        return votes
    try:
        return tuple(sorted((*votes, vote), key=lambda known: known[:2]))
    except TypeError as error:
        raise ImplementationError(
            f"the slots or ballots of two votes cannot be compared: {error}",
            cause="ballots are totally ordered, and properties rely on it",
            remedy="give ballots an order, for instance as tuples (round, node)",
        ) from None


def _deliverable_number(record: Record, source: NodeId, message: Message, links: Links) -> int:
    match links:
        case "unordered_duplicating":
            return 0
        case "unordered":
            return 1 + _received_count(record, source, message)
        case "ordered":
            return 1 + _received_count(record, source, None)


def _received_count(record: Record, source: NodeId, message: Message | None) -> int:
    for receipt in record.received:
        if receipt.source == source and receipt.message == message:
            return receipt.times
    return 0


def _next_number(sent: Set[Envelope], to: NodeId, message: Message, links: Links) -> int:
    match links:
        case "unordered_duplicating":
            return 0
        case "unordered":
            return 1 + sum(known.to == to and known.message == message for known in sent)
        case "ordered":
            return 1 + sum(known.to == to for known in sent)
