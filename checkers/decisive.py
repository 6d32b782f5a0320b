"""Decisive: the rules by which Paxos is safe, and how a step is seen to break one.

Each rule is a function from a history to sentences; a rule that reads testimony which was never
given says nothing. The rules stand in the order in which they are told where a step breaks several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from indelible.checkers.history import History
from indelible.checkers.words import listed, said
from indelible.model.effects import Decide, Execute, Lead, Promise
from indelible.model.events import Restart, Torn, node_name

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

    Seen where the storage has not changed from the vote's step to the crash; a storage that was
    changed may hold the vote or not, which nobody can see from outside.
    """
    if not isinstance(history.step.event, Restart | Torn):
        return
    saved = history.persisted.get(history.node, 0)
    if history.step.before.record.storage != history.step.after.record.storage:
        return
    for (node, slot, ballot, value), number in history.votes.items():
        if node == history.node and number > saved:
            yield (
                f"{node_name(node)} crashes without having saved its vote for "
                f"{said(value)} in slot {slot} at ballot {ballot}, cast in step {number}"
            )
    for (node, ballot), number in history.promises.items():
        if node == history.node and number > saved:
            yield (
                f"{node_name(node)} crashes without having saved its promise of ballot "
                f"{ballot}, given in step {number}"
            )


def vote_torn_from_save(history: History) -> Iterator[str]:
    """A vote that is revealed before it is saved is undone by a crash in between."""
    if not isinstance(history.step.event, Torn):
        return
    if history.step.before.record.storage != history.step.after.record.storage:
        return
    for slot, ballot, value in history.votes_cast:
        yield (
            f"{node_name(history.node)} crashes after it has cast its vote for "
            f"{said(value)} in slot {slot} at ballot {ballot}, and before it has saved it"
        )


def vote_against_chosen(history: History) -> Iterator[str]:
    """Once a value is chosen, every vote in a higher ballot is for it (Paxos Made Simple, P2)."""
    for slot, ballot, value in history.votes_cast:
        lower = {
            (own_ballot, own_value)
            for _, own_slot, own_ballot, own_value in history.votes
            if own_slot == slot and own_ballot < ballot and own_value != value
        }
        for other, rival in sorted(lower, key=lambda vote: (vote[0], repr(vote[1]))):
            if history.was_chosen(slot, other, rival):
                yield (
                    f"{node_name(history.node)}'s vote for {said(value)} in slot "
                    f"{slot} at ballot {ballot} was cast although {said(rival)} was "
                    f"already chosen at ballot {other}"
                )


def vote_below_promise(history: History) -> Iterator[str]:
    """Who has promised a ballot votes in none below it (Paxos Made Simple, P1a)."""
    for slot, ballot, value in history.votes_cast:
        higher = [
            (promised, number)
            for (node, promised), number in history.promises.items()
            if node == history.node and ballot < promised
        ]
        if higher:
            promised, number = max(higher)
            yield (
                f"{node_name(history.node)}'s vote for {said(value)} in slot {slot} "
                f"at ballot {ballot} was cast although it had promised ballot {promised}, "
                f"in step {number}"
            )


def two_values_in_a_ballot(history: History) -> Iterator[str]:
    """In one ballot and slot all votes are for one value (The Part-Time Parliament, B1)."""
    for slot, ballot, value in history.votes_cast:
        for (node, own_slot, own_ballot, other), number in history.votes.items():
            if (own_slot, own_ballot) == (slot, ballot) and other != value:
                yield (
                    f"{node_name(history.node)}'s vote for {said(value)} in slot "
                    f"{slot} at ballot {ballot} was cast although {node_name(node)} had voted "
                    f"for {said(other)} in the same ballot, in step {number}"
                )
                break


def two_leaders_of_a_ballot(history: History) -> Iterator[str]:
    """A ballot has one leader."""
    for lead in history.effects(Lead):
        for (node, ballot), number in history.leaders.items():
            if ballot == lead.ballot and node != history.node:
                yield (
                    f"{node_name(history.node)} leads ballot {ballot} although "
                    f"{node_name(node)} has led it since step {number}"
                )


def lead_without_quorum(history: History) -> Iterator[str]:
    """A ballot is won with the promises of a phase-1 quorum (Paxos Made Simple, section 2.2)."""
    promises = dict(history.promises)
    promises |= {(history.node, own.ballot): 0 for own in history.effects(Promise)}
    if not promises:
        return
    for lead in history.effects(Lead):
        nodes = tuple(node for node in history.world.nodes if (node, lead.ballot) in promises)
        if not history.world.quorums.is_phase1_quorum(nodes, history.world.nodes):
            yield (
                f"{node_name(history.node)} leads ballot {lead.ballot} although only "
                f"{listed(nodes)} promised it, which is no quorum"
            )


def promise_forgotten(history: History) -> Iterator[str]:
    """A promise never falls, not even over a restart (Paxos Made Simple, section 2.5)."""
    before, after = history.step.before.record.promised, history.step.after.record.promised
    if before is not None and after is not None and after < before:
        yield (
            f"{node_name(history.node)} had promised ballot {before}, and now promises only {after}"
        )


def decided_before_chosen(history: History) -> Iterator[str]:
    """A value is decided once a quorum has voted for it (Paxos Made Simple, section 2.2)."""
    known = history.votes_cast
    if not history.votes and not known:
        return
    for decide in history.effects(Decide):
        slot, value = decide.slot, decide.value
        ballots = {vote[2] for vote in history.votes if vote[1] == slot and vote[3] == value}
        ballots |= {vote[1] for vote in known if vote[0] == slot and vote[2] == value}
        if any(history.is_chosen(slot, ballot, value) for ballot in ballots):
            continue
        says = "; ".join(
            f"at ballot {ballot} only {listed(history.voters(slot, ballot, value))}"
            for ballot in sorted(ballots)
        )
        yield (
            f"{node_name(history.node)} decided {said(value)} in slot {slot} although "
            f"no quorum had voted for it ({says or 'nobody had'})"
        )


def executed_over_gap(history: History) -> Iterator[str]:
    """A command is executed once all entries before it are decided (Paxos Made Simple, 3)."""
    decided = dict(reversed(history.step.after.record.decided))
    for execute in history.effects(Execute):
        slots = [slot for slot, value in decided.items() if value == execute.command]
        missing = next((slot for slot in range(max(slots, default=0)) if slot not in decided), None)
        if slots and missing is not None:
            yield (
                f"{node_name(history.node)} executed {said(execute.command)}, decided "
                f"in slot {min(slots)}, although it knew nothing of slot {missing}"
            )


def executed_again(history: History) -> Iterator[str]:
    """A command is executed once, however often it was decided."""
    for execute in history.effects(Execute):
        for (node, index, command), number in history.executions.items():
            if (node, command) == (history.node, execute.command) and index != execute.index:
                yield (
                    f"{node_name(node)} executed {said(command)} as number "
                    f"{execute.index} although it had executed it as number {index}, in step "
                    f"{number}"
                )
                break


RULES: Final[tuple[Rule, ...]] = (
    vote_not_saved,
    vote_torn_from_save,
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
