"""Decisive: the rules by which Paxos is safe, and how a step is seen to break one.

Each rule is a function from a history to sentences; a rule that reads testimony which was never
given says nothing, and so does one that cannot be sure: a sentence that is wrong is worse than
none. The rules stand in the order in which they are told where a step breaks several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cmp_to_key
from typing import Final, TypeAlias

from indelible.checkers.history import History
from indelible.checkers.words import ballot_said, listed, said
from indelible.model.canonical import canonical
from indelible.model.effects import Ballot, Decide, Effect, Execute, Lead, Persist, Promise, Vote
from indelible.model.events import NodeId, Restart, Torn, node_name

__all__ = ["RULES", "broken_rules"]

Rule: TypeAlias = Callable[[History], Iterator[str]]


def broken_rules(history: History) -> Iterator[str]:
    """What is wrong with this step, in sentences, the most telling first."""
    if history.step.raised:
        return
    for rule in RULES:
        yield from rule(history)


def vote_not_saved(history: History) -> Iterator[str]:
    """A crash must not undo a vote that was cast: it is saved first (Paxos Made Simple, 2.5).

    Seen where the storage has not changed since before the node first handled what it voted upon;
    a storage that was changed may hold the vote or not, which nobody can see from outside. What
    the node says again as it starts it has saved.
    """
    step = history.step
    if not isinstance(step.event, Restart | Torn) or _saves(history):
        return
    saved = history.persisted.get(history.node, 0)

    def is_lost(node: NodeId, number: int, effect: Vote | Promise) -> bool:
        return (
            node == history.node
            and history.handled.get(number, 0) > saved
            and effect not in step.restarted
        )

    for (node, slot, ballot, value), number in history.votes.items():
        if is_lost(node, number, Vote(slot, ballot, value)):
            yield (
                f"{node_name(node)} crashes without having saved its vote for {said(value)} in "
                f"slot {slot} at ballot {ballot_said(ballot)}, cast in step {number}"
            )
    for (node, ballot), number in history.promises.items():
        if is_lost(node, number, Promise(ballot)):
            yield (
                f"{node_name(node)} crashes without having saved its promise of ballot "
                f"{ballot_said(ballot)}, given in step {number}"
            )


def vote_torn_from_save(history: History) -> Iterator[str]:
    """A vote that is revealed before it is saved is undone by a crash in between."""
    step = history.step
    if not isinstance(step.event, Torn) or _saves(history):
        return
    stored = step.before.record.storage
    was_to_save = any(isinstance(lost, Persist) and lost.storage != stored for lost in step.lost)
    if not was_to_save or history.handled[step.number] < step.number:
        return  # What it does for the second time it may have saved at the first.
    name = node_name(history.node)
    for slot, ballot, value in history.votes_cast:
        if Vote(slot, ballot, value) not in step.restarted:
            yield (
                f"{name} crashes after it has cast its vote for {said(value)} in slot {slot} at "
                f"ballot {ballot_said(ballot)}, and before it has saved it"
            )
    for own in _promised(step.effects):
        if (history.node, own.ballot) not in history.promises and own not in step.restarted:
            yield (
                f"{name} crashes after it has promised ballot {ballot_said(own.ballot)}, and "
                "before it has saved that"
            )


def vote_never_cast(history: History) -> Iterator[str]:
    """A node starts again with the votes that it cast, and with no others.

    A vote that a crash kept from being said was cast all the same, and may have been saved.
    """
    step = history.step
    for vote in step.restarted:
        if (
            isinstance(vote, Vote)
            and (history.node, vote.slot, vote.ballot, vote.value) not in history.votes
            and (history.node, vote) not in history.unsaid
            and vote not in (*step.effects, *step.lost)
        ):
            yield (
                f"{node_name(history.node)} starts again with a vote for {said(vote.value)} in "
                f"slot {vote.slot} at ballot {ballot_said(vote.ballot)}, which it never cast"
            )


def vote_against_chosen(history: History) -> Iterator[str]:
    """Once a value is chosen, every vote in a higher ballot is for it (Paxos Made Simple, P2)."""
    for slot, ballot, value in history.votes_cast:
        rivals = dict.fromkeys(
            (other_ballot, rival)
            for _, other_slot, other_ballot, rival in history.votes
            if other_slot == slot and _below(other_ballot, ballot) and rival != value
        )
        for other, rival in rivals:
            if history.was_chosen(slot, other, rival):
                yield (
                    f"{_votes(history, slot, ballot, value)} although {said(rival)} is already "
                    f"chosen there, at ballot {ballot_said(other)}"
                )


def vote_below_promise(history: History) -> Iterator[str]:
    """Who has promised a ballot votes in none below it (Paxos Made Simple, P1a)."""
    for slot, ballot, value in history.votes_cast:
        higher = [
            promised
            for node, promised in history.promises
            if node == history.node and _below(ballot, promised)
        ]
        if higher:
            highest = _in_order(higher)[-1]
            when = _when(history, history.promises[history.node, highest])
            yield (
                f"{_votes(history, slot, ballot, value)} although it has promised ballot "
                f"{ballot_said(highest)}, {when}"
            )


def two_values_in_a_ballot(history: History) -> Iterator[str]:
    """In one ballot and slot all votes are for one value (The Part-Time Parliament, B1)."""
    votes = dict(history.votes)
    for slot, ballot, value in history.votes_cast:
        for (node, other_slot, other_ballot, other), number in votes.items():
            if (other_slot, other_ballot) == (slot, ballot) and other != value:
                who = "it" if node == history.node else node_name(node)
                yield (
                    f"{_votes(history, slot, ballot, value)} although {who} has voted for "
                    f"{said(other)} there in the same ballot, {_when(history, number)}"
                )
                break
        votes.setdefault((history.node, slot, ballot, value), history.step.number)


def two_leaders_of_a_ballot(history: History) -> Iterator[str]:
    """A ballot has one leader."""
    for ballot in _newly_led(history, history.step.all_effects):
        for (node, other), number in history.leaders.items():
            if other == ballot and node != history.node:
                yield (
                    f"{node_name(history.node)} leads ballot {ballot_said(ballot)} although "
                    f"{node_name(node)} has won it already, {_when(history, number)}"
                )


def lead_without_quorum(history: History) -> Iterator[str]:
    """A ballot is won with the promises of a phase-1 quorum (Paxos Made Simple, section 2.2).

    A ballot that nobody promised may have been given away beforehand, as the first one often is.
    Whoever leads stands by its own ballot, also where it does not say so.
    """
    promises = {*history.promises}
    promises |= {(history.node, own.ballot) for own in _promised(history.step.effects)}
    nodes = history.world.nodes
    for ballot in _newly_led(history, history.step.effects):
        known = tuple(node for node in nodes if (node, ballot) in promises)
        possible = tuple(
            node
            for node in nodes
            if node in known or node == history.node or (node, Promise(ballot)) in history.unsaid
        )
        if known and not history.world.quorums.is_phase1_quorum(possible, nodes):
            yield (
                f"{node_name(history.node)} leads ballot {ballot_said(ballot)} although no quorum "
                f"has promised it: only {_have(known)}"
            )


def promise_forgotten(history: History) -> Iterator[str]:
    """A promise never falls, not even over a restart (Paxos Made Simple, section 2.5)."""
    step, name = history.step, node_name(history.node)
    before, after = step.before.record.promised, step.after.record.promised
    if before is None or after is None or not _below(after, before):
        return
    if any(_promised(step.restarted)):
        yield (
            f"{name} starts again with its promise fallen from ballot {ballot_said(before)} to "
            f"{ballot_said(after)}"
        )
    else:
        yield (
            f"{name} promises ballot {ballot_said(after)}, although it has promised ballot "
            f"{ballot_said(before)}, which is higher"
        )


def decided_before_chosen(history: History) -> Iterator[str]:
    """A value is decided once a quorum has voted for it (Paxos Made Simple, section 2.2)."""
    if not history.votes and not history.votes_said:
        return
    for decide in history.effects(Decide):
        slot, value = decide.slot, decide.value
        ballots = [ballot for _, at, ballot, other in history.votes if (at, other) == (slot, value)]
        ballots += [
            ballot for at, ballot, other in history.votes_said if (at, other) == (slot, value)
        ]
        ballots += [
            vote.ballot
            for _, vote in history.unsaid
            if isinstance(vote, Vote) and (vote.slot, vote.value) == (slot, value)
        ]
        if any(history.may_be_chosen(slot, ballot, value) for ballot in ballots):
            continue
        voters = {ballot: history.voters(slot, ballot, value) for ballot in _in_order(ballots)}
        says = "; ".join(
            f"at ballot {ballot_said(ballot)} only {_have(nodes)}"
            for ballot, nodes in voters.items()
            if nodes
        )
        yield (
            f"{node_name(history.node)} decides {said(value)} in slot {slot} although no quorum "
            f"has voted for it: {says or 'nobody has'}"
        )


def executed_over_gap(history: History) -> Iterator[str]:
    """A command is executed once all entries before it are decided (Paxos Made Simple, 3).

    Only slots that somebody uses are missed: a log may begin anywhere.
    """
    decided = history.step.after.record.decided
    known = {slot for slot, _ in decided}
    used = history.used | {vote.slot for vote in history.effects(Vote)}
    for execute in history.effects(Execute):
        first = min((slot for slot, value in decided if value == execute.command), default=0)
        missing = min((slot for slot in used - known if slot < first), default=None)
        if missing is not None:
            yield (
                f"{node_name(history.node)} executes {said(execute.command)}, decided in slot "
                f"{first}, although it has not decided slot {missing}"
            )


def executed_again(history: History) -> Iterator[str]:
    """A command is executed once, however often it was decided."""
    executions = dict(history.executions)
    for execute in history.effects(Execute):
        for (node, index, command), number in executions.items():
            if (node, command) == (history.node, execute.command) and index != execute.index:
                yield (
                    f"{node_name(node)} executes {said(command)} as number {execute.index} "
                    f"although it has executed it as number {index}, {_when(history, number)}"
                )
                break
        key = (history.node, execute.index, execute.command)
        executions.setdefault(key, history.step.number)


RULES: Final[tuple[Rule, ...]] = (
    vote_not_saved,
    vote_torn_from_save,
    vote_never_cast,
    vote_against_chosen,
    vote_below_promise,
    two_values_in_a_ballot,
    two_leaders_of_a_ballot,
    lead_without_quorum,
    promise_forgotten,
    decided_before_chosen,
    executed_over_gap,
    executed_again,
)


def _votes(history: History, slot: int, ballot: Ballot, value: object) -> str:
    return (
        f"{node_name(history.node)} votes for {said(value)} in slot {slot} at ballot "
        f"{ballot_said(ballot)}"
    )


def _have(nodes: tuple[NodeId, ...]) -> str:
    return f"{listed(nodes)} {'has' if len(nodes) == 1 else 'have'}"


def _when(history: History, number: int) -> str:
    if number == history.step.number:
        return "in the same step"
    return f"in step {number}" if number else "when it first started"


def _saves(history: History) -> bool:
    """Whether the step changes what the node has stored."""
    step = history.step
    return step.before.record.storage != step.after.record.storage


def _promised(effects: Iterable[Effect]) -> Iterator[Promise]:
    return (effect for effect in effects if isinstance(effect, Promise))


def _newly_led(history: History, effects: Iterable[Effect]) -> Iterator[Ballot]:
    """The ballots that the node says it leads, and has not said before."""
    for lead in effects:
        if isinstance(lead, Lead) and (history.node, lead.ballot) not in history.leaders:
            yield lead.ballot


def _below(one: Ballot, other: Ballot) -> bool:
    """Whether one ballot is below the other; of two that cannot be compared none is."""
    try:
        return bool(one < other)
    except Exception:
        return False


def _in_order(ballots: Iterable[Ballot]) -> list[Ballot]:
    """Ballots from low to high, each once."""
    known = canonical(dict.fromkeys(ballots))
    return sorted(known, key=cmp_to_key(lambda one, other: _below(other, one) - _below(one, other)))
