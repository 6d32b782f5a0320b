"""What clients of our Multi-Paxos may count on: laws of its answers, which no record keeps.

A node leads if it has won the ballot that it has promised, and has not restarted since. A record
does not tell when a ballot was won; so of a node that was down, and has promised a ballot that it
once won, nothing is said. Nor of a step that a crash cuts short: the answer may be what is cut off.
"""

from __future__ import annotations

from indelible.checkers.property import View, always
from indelible.model.effects import Effect, Execute, Lead, Promise, Reply
from indelible.model.events import NodeId, Submit, Torn

__all__ = ["CLIENT_PROPERTIES", "executions_are_answered", "submissions_are_answered"]


@always(reads="step", fields=("promised", "leaderships", "restarts"))
def executions_are_answered(
    before: View,
    event: object,
    after: View,  # noqa: ARG001
    *,
    effects: tuple[Effect, ...],
) -> bool:
    """A leader answers, once and with its index, what it executes in a step; others do not."""
    leads = _leads(before)
    executes = any(isinstance(effect, Execute) for effect in effects)
    if leads is None or isinstance(event, Torn) or (isinstance(event, Submit) and not executes):
        return True
    promised, expected = before.promised, list[Effect]()
    for effect in effects:
        match effect:
            case Lead():
                leads = True
            case Promise(ballot) if ballot != promised:
                promised, leads = ballot, False
            case Execute(index, command) if leads:
                expected.append(Reply(command, index))
    return _answers(effects) == expected


@always(reads="step", fields=("promised", "leaderships", "restarts", "executed"))
def submissions_are_answered(
    before: View,
    event: object,
    after: View,  # noqa: ARG001
    *,
    effects: tuple[Effect, ...],
) -> bool:
    """A leader answers again what it has executed, and others name the leader they know of.

    What a leader neither has executed nor executes at once it answers later.
    """
    leads = _leads(before)
    executes = any(isinstance(effect, Execute) for effect in effects)
    if leads is None or not isinstance(event, Submit) or executes:
        return True
    if leads:
        done = (Reply(did, index) for index, did in before.executed if did == event.command)
        return _answers(effects) == list(done)
    return [
        # By name: a mutant has a class of its own.
        (answer.command, type(answer.result).__name__, getattr(answer.result, "leader", ""))
        for answer in _answers(effects)
    ] == [(event.command, "NotLeader", _leader_known(before))]


CLIENT_PROPERTIES = (executions_are_answered, submissions_are_answered)


def _leads(record: View) -> bool | None:
    """Whether the node leads, or ``None`` where that cannot be told."""
    if record.promised not in record.leaderships:
        return False
    return None if record.restarts else True


def _leader_known(record: View) -> NodeId | None:
    """The node of the ballot that is promised, if that is another one's."""
    owner: NodeId | None = None if record.promised is None else record.promised.node
    return None if owner == record.node else owner


def _answers(effects: tuple[Effect, ...]) -> list[Reply]:
    return [effect for effect in effects if isinstance(effect, Reply)]
