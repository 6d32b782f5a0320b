"""An audit: the lines of a log through the judge, up to the first violation, and what that says.

Its law: what could not be read, and what the log does not say, is never a reason to say *holds*.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from indelible.checkers.audit.entry import DECIDE, EXECUTE, LEAD, PROMISE, SUBMIT, VOTE, Entry
from indelible.checkers.audit.json_text import shown_as_json
from indelible.checkers.audit.judge import BY_MEMBERS, NEEDS, RULES, Judge
from indelible.checkers.audit.lines import Again, Lost
from indelible.checkers.audit.merge import Merged, Placed, Unsent
from indelible.checkers.audit.notes import SAID_AGAIN, Finding, Place
from indelible.checkers.words import ballot_said
from indelible.model.events import NodeId, node_name
from indelible.model.quorums import QuorumSystem
from indelible.model.verdict import EXIT_CODES, Outcome, PropertyResult, Result

__all__ = ["PROBLEMS_SHOWN", "Audit", "Problem", "Seen", "audit", "told_again"]

PROBLEMS_SHOWN: Final = 20
ASKED_EVERY: Final = 2048
"""After so many lines somebody is told, and asked whether to stop."""

GARBAGE: Final = 100_000
"""After so many new objects Python looks for garbage."""

NAMES: Final = {
    DECIDE: "Decide",
    EXECUTE: "Execute",
    VOTE: "Vote",
    PROMISE: "Promise",
    LEAD: "Lead",
    SUBMIT: "Submit",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the log itself."""

    place: Place
    says: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How far an audit is, for people who wait."""

    records: int
    place: Place


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of it.

    - ``records``: those that were judged; ``nodes``: all that were met or named, ``members`` those
      that quorums are made of, if the log says so; ``not_whole`` those whose log does not begin
      with their very first start, or has lost something.
    - ``problems``: the first of ``problem_count``.
    - ``is_complete``: whether the whole log was read.
    - ``finding``: the first violation. What it looks like is for ``proof`` to find.
    """

    outcome: Outcome
    reason: str
    properties: tuple[PropertyResult, ...]
    records: int
    nodes: tuple[NodeId, ...]
    members: tuple[NodeId, ...] | None
    not_whole: tuple[NodeId, ...]
    problems: tuple[Problem, ...]
    problem_count: int
    finding: Finding | None
    is_complete: bool

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]


class _Problems:
    """The first of them, and how many there are."""

    def __init__(self) -> None:
        self.first: list[Problem] = []
        self.count = 0

    def add(self, place: Place, says: str) -> None:
        self.count += 1
        if len(self.first) < PROBLEMS_SHOWN:
            self.first.append(Problem(place, says))


def audit(
    lines: Iterable[Placed],
    quorums: QuorumSystem,
    *,
    nodes: tuple[NodeId, ...] | None = None,
    names: Collection[str] = RULES,
    place_text: Callable[[Place], str] = lambda place: f"{place[0]}:{place[1]}",
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Seen], None] = lambda _: None,
) -> Audit:
    """Judge the properties ``names`` of a log.

    ``nodes``: who they are; by default what the first start says. ``place_text``: how a place is
    called. ``interrupted`` is asked now and then, and ``report`` told.
    """
    judge = _judge_of(lines, quorums, nodes, names)
    problems, stopped, odd, is_over = _Problems(), "", judge.notes.problems, False
    with _rarely_collected():
        for count, (place, told, unsent) in enumerate(lines):
            if not count % ASKED_EVERY:
                report(Seen(judge.notes.number, place))
                if interrupted():
                    stopped = "interrupted"
                    break
            try:
                if unsent is None and type(told) is Entry:
                    judge.judge(told, place)
                else:
                    _take(judge, problems, place, told, unsent)
            except TypeError:
                stopped = f"{place_text(place)}: {_incomparable(told)}"
                break
            except RecursionError:
                stopped = f"{place_text(place)}: a value is nested too deeply to be judged"
                break
            if odd:
                for says in odd:
                    problems.add(place, says)
                odd.clear()
            if judge.finding is not None and not _may_be_excused(judge, lines):
                break
        else:
            stopped = "interrupted" if interrupted() else ""
            is_over = not stopped
    if stopped and _may_be_excused(judge, lines):
        judge.excuse("what is lacking may still have come, or be in what is missing")
    judge.end(is_over=is_over)
    judge.notes.end()
    return _concluded(judge, problems, names, stopped, place_text)


def told_again(
    lines: Iterable[Placed],
    quorums: QuorumSystem,
    *,
    nodes: tuple[NodeId, ...] | None = None,
    names: Collection[str] = RULES,
) -> Iterator[Placed]:
    """The lines once more, in the order in which ``audit`` judges them, if it is given the same."""
    if not isinstance(lines, Merged):
        yield from lines
        return
    judge, problems = _judge_of(lines, quorums, nodes, names), _Problems()
    for placed in lines:
        yield placed
        with suppress(TypeError, RecursionError):  # Nothing after it was judged.
            _take(judge, problems, *placed)


def _judge_of(
    lines: Iterable[Placed],
    quorums: QuorumSystem,
    nodes: tuple[NodeId, ...] | None,
    names: Collection[str],
) -> Judge:
    """The judge of these lines, who has a say in their order if they are of several files."""
    judge = Judge(quorums, nodes=nodes, names=names, is_merged=isinstance(lines, Merged))
    if isinstance(lines, Merged):
        lines.lacks = judge.lacks
    return judge


def _take(
    judge: Judge,
    problems: _Problems,
    place: Place,
    told: Entry | Lost | Again,
    unsent: Unsent | None,
) -> None:
    """Judge what a line tells."""
    if unsent is not None:
        problems.add(place, f"{unsent.says} (by {node_name(unsent.source)})")
        judge.members.lose((unsent.source,))
        judge.excuse(
            f"a message that it may depend on was not logged by {node_name(unsent.source)}"
        )
    if isinstance(told, Entry):
        judge.judge(told, place)
    else:
        _take_odd(judge, problems, place, told)


def _may_be_excused(judge: Judge, lines: Iterable[Placed]) -> bool:
    """Whether what is lacking may still turn out to be in no file as sent after it, or in records
    that are missing."""
    finding = judge.finding
    if finding is None or finding.property not in BY_MEMBERS:
        return False
    return judge.notes.is_open(finding) or (isinstance(lines, Merged) and bool(lines.awaited))


def _incomparable(told: Entry | Lost | Again) -> str:
    """What to say of an entry whose ballots have no order."""
    entry = told.entry if isinstance(told, Again) else told
    testimony = () if isinstance(entry, Lost) else entry.testimony
    places = {PROMISE: 1, LEAD: 1, VOTE: 2}
    ballots = [shown_as_json(said[places[said[0]]]) for said in testimony if said[0] in places]
    names = ", ".join(dict.fromkeys(map(ballot_said, ballots)))
    return (
        f"ballots cannot be compared: {names} among themselves or with one before "
        "(numbers, strings and arrays do not mix)"
    )


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """What is kept is kept to the end, and hardly anything of it is a cycle: looking for garbage
    among it as often as Python does cost a tenth of the time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(GARBAGE, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _take_odd(judge: Judge, problems: _Problems, place: Place, told: Lost | Again) -> None:
    """Judge a line that may have been written twice, or note that it tells nothing."""
    if isinstance(told, Lost):
        problems.add(place, told.says)
        judge.members.lose()
        return
    judge.notes.place = place
    if any(kind == EXECUTE for kind, *_ in told.entry.testimony):
        judge.notes.cannot_know("execution_not_repeated", SAID_AGAIN)
    judge.forget_run(told.entry.node)
    judge.judge(told.entry, place, again=True)


def _concluded(
    judge: Judge,
    problems: _Problems,
    names: Collection[str],
    stopped: str,
    place_text: Callable[[Place], str],
) -> Audit:
    members = judge.members
    not_whole = tuple(
        [node for node, member in members.known.items() if not member.bit & members.whole]
    )
    partial = bool(stopped or problems.count or not_whole or not judge.notes.number)
    properties = tuple(
        _result(judge, name, partial=partial, place_text=place_text)
        for name in RULES
        if name in names
    )
    outcome, reason = _outcome(judge, properties, problems, stopped, not_whole, place_text)
    return Audit(
        outcome=outcome,
        reason=reason,
        properties=properties,
        records=judge.notes.number,
        nodes=tuple(members.known),
        members=members.nodes,
        not_whole=not_whole,
        problems=tuple(problems.first),
        problem_count=problems.count,
        finding=judge.finding,
        is_complete=not stopped and judge.finding is None,
    )


def _result(
    judge: Judge, name: str, *, partial: bool, place_text: Callable[[Place], str]
) -> PropertyResult:
    result: Result = "inconclusive" if partial or judge.finding is not None else "holds"
    reason = ""
    lacking = [says for bit, says in NAMES.items() if NEEDS[name] & ~judge.seen & bit]
    if judge.finding is not None and judge.finding.property == name:
        result = "violated"
        reason = "; ".join([_silence(*known) for known in judge.silent(judge.finding)])
    elif lacking:
        result = "not observable"
        reason = f"no record has {' or '.join(lacking)}"
    elif name in judge.notes.unknown:
        place, why = judge.notes.unknown[name]
        result, reason = "inconclusive", f"from {place_text(place)} on: {why}"
    return PropertyResult(name, "always", result, reason)


def _silence(kind: int, nodes: tuple[NodeId, ...]) -> str:
    """What to say of nodes that never gave some kind of testimony that is lacking."""
    names, what = ", ".join(map(node_name, nodes)), NAMES[kind]
    whoever = "they do" if len(nodes) > 1 else "it does"
    return (
        f"{names} recorded no {what} so far; if {whoever} not record any, this need not be a "
        f"violation: {what} is to be recorded by all nodes, or by none"
    )


def _outcome(
    judge: Judge,
    properties: tuple[PropertyResult, ...],
    problems: _Problems,
    stopped: str,
    not_whole: tuple[NodeId, ...],
    place_text: Callable[[Place], str],
) -> tuple[Outcome, str]:
    """The verdict, and the first good reason for it."""
    if judge.finding is not None:
        place = place_text(judge.finding.place)
        return "violated", f"{judge.finding.property}, at {place}"
    if stopped:
        return "inconclusive", stopped
    if problems.count:
        first = problems.first[0]
        others = problems.count - 1
        more = f", and {others:,} more problem{'s' * (others > 1)}" if others else ""
        return "inconclusive", f"{place_text(first.place)}: {first.says}{more}"
    if not judge.notes.number:
        return "inconclusive", "there is no record"
    if not_whole:
        names = ", ".join(map(node_name, not_whole))
        return "inconclusive", f"the log does not begin with the first start of {names}"
    if not judge.seen & (DECIDE | EXECUTE):
        return "inconclusive", "nothing was decided or executed"
    for known in properties:
        if known.result == "inconclusive":
            return "inconclusive", f"{known.name}: {known.reason}"
    if all(known.result == "not observable" for known in properties):
        return "inconclusive", "no property is observable"
    return "holds", "no record violates a property"
