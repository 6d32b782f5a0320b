"""The built-in properties: what a replicated log promises, and the rules by which Paxos keeps it.

Each is a few lines over records; what a property is and may do, ``property`` says. Observable ones
come first, then the internal rules, then what a check must reach to be worth anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, count
from typing import Any, Final

from indelible.checkers.property import (
    Property,
    View,
    World,
    always,
    sometimes,
    view,
    world_of,
)
from indelible.checkers.words import said
from indelible.model.effects import NO_OP, Effect, Execute, Promise, Vote
from indelible.model.events import NodeId, Restart, Torn, node_name
from indelible.model.trace import Violation

__all__ = [
    "BUILT_IN",
    "Property",
    "View",
    "World",
    "always",
    "default_properties",
    "leader_replaced",
    "out_of_order",
    "sometimes",
    "view",
    "world_of",
]


# --- observable: what a client or an operator can see ------------------------------------------


@always(reads="pair", fields=("decided",))
def agreement(one: View, other: View) -> Iterator[Violation]:
    """No two nodes decide different values in one slot."""
    for slot, value in one.decided:
        for other_slot, other_value in other.decided:
            if slot == other_slot and value != other_value:
                yield Violation(
                    f"slot {slot}: {node_name(one.node)} decided {said(value)}, "
                    f"{node_name(other.node)} decided {said(other_value)}",
                    slot=slot,
                    nodes=(one.node, other.node),
                    values=(value, other_value),
                )


@always(reads="pair", fields=("executed",))
def log_prefix(one: View, other: View) -> Iterator[Violation]:
    """Of any two executed logs one is a prefix of the other."""
    for index, command in one.executed:
        for other_index, other_command in other.executed:
            if index == other_index and command != other_command:
                yield Violation(
                    f"{node_name(one.node)} executed {said(command)} as number {index}, "
                    f"{node_name(other.node)} executed {said(other_command)}",
                    nodes=(one.node, other.node),
                    values=(command, other_command),
                )


@always(reads="record", fields=("executed",))
def execution_without_gap(record: View) -> Iterator[Violation]:
    """A node executes its log from the beginning, and leaves nothing out."""
    indices = {index for index, _ in record.executed}
    first_missing = next(number for number in count() if number not in indices)
    if first_missing < len(indices):
        yield Violation(
            f"{node_name(record.node)} executed number {max(indices)} before number "
            f"{first_missing}",
            nodes=(record.node,),
        )


@always(reads="record", fields=("decided", "executed"))
def execution_follows_log(record: View) -> Iterator[Violation]:
    """A node executes what it has decided, slot by slot from 0 on; nothing else, and no no-op.

    It leaves out no-ops, and may leave out a command that it has executed before and that is
    decided again; whether it may execute that again, ``at_most_once`` says. Any other entry counts
    as a command: what is not to be executed (a change of membership, say) is decided as a no-op.
    """
    log, commands = _by_number(record.decided), _by_number(record.executed)
    slot, before = 0, set[Any]()
    for index, executed in commands.items():
        # To take the first slot that fits is best: if it comes again, it may be left out there.
        while slot in log and not all(command in log[slot] for command in executed):
            if not any(value is NO_OP or value in before for value in log[slot]):
                break
            slot += 1
        decided = log.get(slot, ())
        wrong = [each for each in executed if each is NO_OP or each not in decided]
        if wrong:
            yield Violation(
                f"{node_name(record.node)} {out_of_order(index, wrong[0], slot, log)}",
                nodes=(record.node,),
                values=(wrong[0],),
            )
            return
        slot += 1
        before.update(executed)


def _by_number(entries: tuple[tuple[int, Any], ...]) -> dict[int, list[Any]]:
    """The values of each slot or index, in their order; several where a node contradicts itself."""
    values: dict[int, list[Any]] = {}
    for number, value in entries:
        values.setdefault(number, []).append(value)
    return values


def out_of_order(index: int, command: Any, slot: int, log: Mapping[int, list[Any]]) -> str:
    """What is wrong with executing ``command``, when all that is before ``slot`` is done."""
    executed = f"executed {said(command)} as number {index}"
    if command is NO_OP:
        return executed
    if not any(command in values for at, values in log.items() if at > slot):
        return f"{executed}, but decided it in no slot after those executed before"
    if slot not in log:
        return f"{executed}, before it decided slot {slot}"
    return f"{executed}, before {said(log[slot][0])}, which it decided in slot {slot}"


@always(reads="record", fields=("executed",))
def at_most_once(record: View) -> Iterator[Violation]:
    """No command is executed twice, even if it was submitted or decided twice."""
    for (index, command), (again, other) in combinations(record.executed, 2):
        if command == other and index != again:
            yield Violation(
                f"{node_name(record.node)} executed {said(command)} twice, "
                f"as number {index} and as number {again}",
                nodes=(record.node,),
                values=(command,),
            )


@always(reads="step", fields=("executed", "restarts"))
def execution_not_repeated(
    before: View, event: object, after: View, *, effects: tuple[Effect, ...], world: World
) -> Iterator[Violation]:
    """While a node is up, no step that changes it executes an index again.

    Once restarted it may begin again. A record outlives restarts and does not tell when something
    was executed. So it counts for a node that is known never to have been down; for others, and
    where restarts are not counted, only what they execute twice in one step does. An event that
    leaves node and record as they were is no step.
    """
    never_down = world.restarts_max is not None and not before.restarts
    done = {index for index, _ in before.executed if never_down}
    for lifetime in _lifetimes(event, effects):
        for effect in lifetime:
            if not isinstance(effect, Execute):
                continue
            if effect.index in done:
                yield Violation(
                    f"{node_name(after.node)} executed {said(effect.command)} as number "
                    f"{effect.index}, although it had executed that number already, and has not "
                    "restarted since",
                    nodes=(after.node,),
                    values=(effect.command,),
                )
            done.add(effect.index)
        done = set()


def _lifetimes(event: object, effects: tuple[Effect, ...]) -> tuple[tuple[Effect, ...], ...]:
    """A step's effects before and after its node started again, if it did."""
    match event:
        case Torn(_, kept):
            return effects[:kept], effects[kept:]
        case Restart():
            return (), effects
    return (effects,)


@always(reads="step", fields=("decided",))
def stability(before: View, _event: object, after: View) -> Iterator[Violation]:
    """An entry that a node decided never changes there, not even over a restart."""
    for slot, value in before.decided:
        for again, changed in after.decided:
            if slot == again and value != changed and (again, changed) not in before.decided:
                yield Violation(
                    f"slot {slot}: {node_name(after.node)} had decided {said(value)}, "
                    f"and now {said(changed)}",
                    slot=slot,
                    nodes=(after.node,),
                    values=(value, changed),
                )


@always(reads="records", fields=("decided", "submissions"))
def validity(records: tuple[View, ...], *, world: World) -> Iterator[Violation]:
    """Every decided value is a command that was submitted, or a no-op.

    Where submissions are not counted, any command of the scope may have been submitted.
    """
    submitted = set(world.commands)
    if world.submissions_max is not None:
        submitted = {
            command
            for record in records
            for command, count in zip(world.commands, record.submissions, strict=False)
            if count
        }
    for record in records:
        for slot, value in record.decided:
            if value is not NO_OP and value not in submitted:
                yield Violation(
                    f"slot {slot}: {node_name(record.node)} decided {said(value)}, "
                    "which nobody submitted",
                    slot=slot,
                    nodes=(record.node,),
                    values=(value,),
                )


# --- internal: the rules by which Paxos makes the above true -----------------------------------


@always(reads="records", fields=("decided", "votes"))
def decided_implies_chosen(records: tuple[View, ...], *, world: World) -> Iterator[Violation]:
    """Whatever a node decides, a quorum has voted for, in one ballot (Paxos Made Simple, 2.2)."""
    decisions = dict.fromkeys(entry for record in records for entry in record.decided)
    for slot, value in sorted(decisions, key=lambda entry: entry[0]):
        voters: dict[Any, list[NodeId]] = {}
        for record in records:
            for voted_slot, ballot, voted_value in record.votes:
                if voted_slot == slot and voted_value == value:
                    voters.setdefault(ballot, []).append(record.node)
        if any(world.quorums.is_phase2_quorum(nodes, world.nodes) for nodes in voters.values()):
            continue
        deciders = [record.node for record in records if (slot, value) in record.decided]
        votes = "; ".join(
            f"at ballot {ballot} only {', '.join(map(node_name, nodes))}"
            for ballot, nodes in sorted(voters.items())
        )
        yield Violation(
            f"slot {slot}: {', '.join(map(node_name, deciders))} decided {said(value)}, "
            f"but no quorum voted for it ({votes or 'nobody did'})",
            slot=slot,
            nodes=tuple(deciders),
            values=(value,),
        )


@always(reads="pair", fields=("votes",))
def one_value_per_ballot(one: View, other: View) -> Iterator[Violation]:
    """In one ballot and slot all votes are for one value (The Part-Time Parliament, B1)."""
    for slot, ballot, value in one.votes:
        for other_slot, other_ballot, other_value in other.votes:
            if (slot, ballot) == (other_slot, other_ballot) and value != other_value:
                yield Violation(
                    f"slot {slot}, ballot {ballot}: "
                    f"{node_name(one.node)} voted for {said(value)}, "
                    f"{node_name(other.node)} voted for {said(other_value)}",
                    slot=slot,
                    nodes=(one.node, other.node),
                    values=(value, other_value),
                )


@always(reads="pair", fields=("leaderships",))
def one_leader_per_ballot(one: View, other: View) -> Iterator[Violation]:
    """No ballot is won by two nodes."""
    if one.node == other.node:
        return
    for ballot in one.leaderships:
        if ballot in other.leaderships:
            yield Violation(
                f"{node_name(one.node)} and {node_name(other.node)} both lead ballot {ballot}",
                nodes=(one.node, other.node),
                values=(ballot,),
            )


@always(reads="step", fields=("promised",))
def promise_never_falls(
    before: View, _event: object, after: View, *, testimony: tuple[Effect, ...]
) -> Iterator[Violation]:
    """A node's promise never falls, not even over a restart (Paxos Made Simple, 2.5).

    Nor within a step, whose effects count in their order.
    """
    promised = before.promised
    for given in testimony:
        if isinstance(given, Promise):
            if promised is not None and given.ballot < promised:
                yield Violation(
                    f"{node_name(after.node)} had promised ballot {promised}, "
                    f"and now only {given.ballot}",
                    nodes=(after.node,),
                    values=(promised, given.ballot),
                )
            promised = given.ballot


@always(reads="step", fields=("promised", "votes"))
def votes_keep_promises(
    before: View, _event: object, after: View, *, testimony: tuple[Effect, ...]
) -> Iterator[Violation]:
    """No node votes below its promise, not even over a restart (Paxos Made Simple, P1a).

    Its promise is the last one that it gave before the vote, in this step or earlier. To give a
    vote again is no new vote.
    """
    promised, voted = before.promised, set(before.votes)
    for given in testimony:
        if isinstance(given, Promise):
            promised = given.ballot
        elif isinstance(given, Vote):
            slot, ballot, value = vote = (given.slot, given.ballot, given.value)
            if promised is not None and ballot < promised and vote not in voted:
                yield Violation(
                    f"slot {slot}: {node_name(after.node)} had promised ballot {promised}, "
                    f"and voted for {said(value)} at ballot {ballot}",
                    slot=slot,
                    nodes=(after.node,),
                    values=(value,),
                )
            voted.add(vote)


@always(reads="records", fields=("promised", "leaderships"))
def leaders_are_promised(records: tuple[View, ...], *, world: World) -> Iterator[Violation]:
    """A quorum has promised a leader's ballot, or has gone beyond it (Paxos Made Simple, 2.2).

    A record keeps only the latest promise. Who has promised less has never promised the ballot;
    who has promised more may have promised it, and votes no more below it anyhow.
    """
    for record in records:
        for ballot in record.leaderships:
            promised = [
                other.node
                for other in records
                if other.promised is not None and not other.promised < ballot
            ]
            if not world.quorums.is_phase1_quorum(promised, world.nodes):
                only = f"only {', '.join(map(node_name, promised))}" if promised else "nobody did"
                yield Violation(
                    f"{node_name(record.node)} leads ballot {ballot}, but no quorum promised it "
                    f"({only})",
                    nodes=(record.node,),
                    values=(ballot,),
                )


@always(reads="records", fields=("votes", "promised", "leaderships"))
def votes_are_safe(records: tuple[View, ...], *, world: World) -> Iterator[Violation]:
    """Below a vote's ballot no other value is chosen or can still be (Paxos Made Simple, P2c).

    A value can still be chosen in a ballot if a quorum voted for it there or may yet do so, having
    neither voted for another value in it nor promised a higher ballot.
    """
    led = {ballot for record in records for ballot in record.leaderships}
    for slot in sorted({vote[0] for record in records for vote in record.votes}):
        # A node that is wrong may have voted for several values at one ballot.
        votes = {
            record.node: tuple(vote[1:] for vote in record.votes if vote[0] == slot)
            for record in records
        }
        known = sorted(led | {ballot for cast in votes.values() for ballot, _ in cast})
        rivals: dict[Any, str] = {}
        for record in records:
            for ballot, value in votes[record.node]:
                for lower in known[: known.index(ballot)]:
                    if (lower, value) not in rivals:
                        found = _choosable_rival(records, votes, lower, value, world)
                        rivals[lower, value] = found
                    rival = rivals[lower, value]
                    if rival:
                        yield Violation(
                            f"slot {slot}: {node_name(record.node)} voted for {said(value)} "
                            f"at ballot {ballot}, but at ballot {lower} {rival}",
                            slot=slot,
                            nodes=(record.node,),
                            values=(value,),
                        )


def _choosable_rival(
    records: tuple[View, ...],
    votes: Mapping[NodeId, tuple[tuple[Any, Any], ...]],
    lower: Any,
    value: Any,
    world: World,
) -> str:
    """What else than ``value`` was or can be chosen at ``lower``, in words, or nothing."""
    free: list[NodeId] = []
    voters: dict[Any, list[NodeId]] = {}
    for record in records:
        cast = [each for ballot, each in votes[record.node] if ballot == lower]
        for each in cast:
            voters.setdefault(each, []).append(record.node)
        if not cast and (record.promised is None or not lower < record.promised):
            free.append(record.node)
    for rival, nodes in voters.items():
        if rival != value and world.quorums.is_phase2_quorum(nodes + free, world.nodes):
            chosen = world.quorums.is_phase2_quorum(nodes, world.nodes)
            return f"{said(rival)} {'was' if chosen else 'can still be'} chosen"
    if world.quorums.is_phase2_quorum(free, world.nodes):
        return "any value can still be chosen"
    return ""


# --- what a check must reach to be worth anything ----------------------------------------------


@sometimes(reads="record", fields=("decided",))
def entry_decided(record: View) -> bool:
    """Some node decides an entry."""
    return bool(record.decided)


@sometimes(reads="records", fields=("leaderships",))
def leader_replaced(records: tuple[View, ...]) -> bool:
    """Two nodes win ballots, so that one of them takes over from the other."""
    return sum(bool(record.leaderships) for record in records) >= 2


BUILT_IN: Final[Mapping[str, Property]] = {
    known.name: known
    for known in (
        agreement,
        log_prefix,
        execution_without_gap,
        execution_follows_log,
        at_most_once,
        execution_not_repeated,
        stability,
        validity,
        decided_implies_chosen,
        one_value_per_ballot,
        one_leader_per_ballot,
        promise_never_falls,
        votes_keep_promises,
        leaders_are_promised,
        votes_are_safe,
        entry_decided,
        leader_replaced,
    )
}


def default_properties() -> tuple[Property, ...]:
    """Every *always* property, and that an entry is decided: without it a check is vacuous."""
    return tuple(known for known in BUILT_IN.values() if known is not leader_replaced)
