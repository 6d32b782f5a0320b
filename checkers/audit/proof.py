"""Proof: the few records that show a violation, found by reading the log once more.

Of each record only the effects count that the property is about, and records are left out as long
as the property stays broken by the last of them: what is left shows it, alone. Where it is broken
by what is *not* there (the votes that a decision lacks), it has to stay broken in the same words:
what there is of it (the votes that it got) stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from indelible.checkers.audit.entry import (
    DECIDE,
    EXECUTE,
    INSTALL,
    LEAD,
    PROMISE,
    VOTE,
    Entry,
    Testimony,
    event_of_line,
)
from indelible.checkers.audit.json_text import shown_as_json
from indelible.checkers.audit.notes import Finding, Place
from indelible.checkers.audit.plainly import PlainAudit
from indelible.checkers.properties import out_of_order
from indelible.model.effects import (
    NO_OP,
    Decide,
    Execute,
    Lead,
    Promise,
    Vote,
)
from indelible.model.errors import IndelibleError
from indelible.model.events import NodeId, Torn, node_name
from indelible.model.log_json import Install, LoggedEffect, LoggedEvent
from indelible.model.quorums import QuorumSystem
from indelible.model.trace import Violation

__all__ = ["BY_ABSENCE", "Proof", "Record", "prove"]

About: TypeAlias = Mapping[str, Any]

BY_ABSENCE: Final = frozenset(
    {
        "execution_without_gap",
        "execution_follows_log",
        "validity",
        "decided_implies_chosen",
        "leaders_are_promised",
        "votes_are_safe",
    }
)
"""Properties that are broken by what a log does not say."""

LATEST: Final = frozenset({"execution_not_repeated"})
"""Where the last of several records that say the same counts, and not the first."""


EFFECTS: Final[Mapping[int, Callable[..., LoggedEffect]]] = {
    DECIDE: Decide,
    EXECUTE: Execute,
    VOTE: Vote,
    PROMISE: Promise,
    LEAD: Lead,
    INSTALL: Install,
}


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the log: ``effects`` are those that the property is about, of which the first
    ``before_crash`` came before the node started again in the same record."""

    place: Place
    node: NodeId
    event: LoggedEvent
    effects: tuple[LoggedEffect, ...]
    before_crash: int = 0

    @property
    def judged_event(self) -> LoggedEvent:
        """The event as if there were no other effects."""
        if isinstance(self.event, Torn):
            return replace(self.event, kept=self.before_crash)
        return self.event


@dataclass(frozen=True, slots=True)
class Proof:
    """What is violated, in words, and the records that show it, in the order of the log."""

    violation: Violation
    records: tuple[Record, ...]


def prove(
    finding: Finding,
    entries: Iterable[tuple[Place, Entry]],
    quorums: QuorumSystem,
    nodes: tuple[NodeId, ...],
    others: tuple[NodeId, ...] = (),
) -> Proof:
    """The proof of a finding. ``entries`` are those of the whole log, in the same order, each with
    its line; what comes after the finding is not read. Raises ``IndelibleError`` where they show no
    such thing."""

    def found(shown: Sequence[Record]) -> tuple[Violation, ...]:
        """What the last of them violates, if there are no others."""
        audit = PlainAudit(quorums, nodes, others, {finding.property})
        wrong: Mapping[str, tuple[Violation, ...]] = {}
        for record in shown:
            wrong = audit.step(record.node, record.judged_event, record.effects)
        slot = finding.about.get("slot")
        says = wrong.get(finding.property, ())
        return tuple([each for each in says if slot is None or each.slot == slot])

    shown = _telling(finding, entries)
    violations = found(shown)
    if not violations:
        raise _changed(f"does not violate {finding.property}")

    def still(fewer: Sequence[Record]) -> bool:
        # Of what lacks something anything might be left out; but not what it does have.
        if finding.property in BY_ABSENCE:
            return violations[0] in found(fewer)
        return bool(found(fewer))

    shown = _reduced(shown, still)
    violation = violations[0] if finding.property in BY_ABSENCE else found(shown)[0]
    return Proof(_worded(finding, violation, shown), tuple(shown))


def _telling(finding: Finding, entries: Iterable[tuple[Place, Entry]]) -> list[Record]:
    """The records that say something of what the finding is about; of those that say the same,
    one."""
    kept: dict[Any, tuple[int, Place, Entry]] = {}
    for number, (place, entry) in enumerate(entries, start=1):
        if number == finding.number:
            # By number, so that a record that says several things stands there once.
            before = {known[0]: known for known in kept.values()}
            shown = [before[each] for each in sorted(before)]
            return [_record(finding, *known[1:]) for known in (*shown, (number, place, entry))]
        for effect in _effects(finding, entry.node, entry.testimony):
            is_promise = isinstance(effect, Promise)
            # Of its promises the last one counts.
            key = (entry.node, Promise if is_promise else effect)
            if key not in kept or is_promise or finding.property in LATEST:
                kept[key] = (number, place, entry)
    raise _changed("is shorter")


def _changed(what: str) -> IndelibleError:
    return IndelibleError(
        f"the log {what}, when it is read again",
        cause="it was changed meanwhile (if not, this is a bug in indelible; please report it)",
    )


def _record(finding: Finding, place: Place, entry: Entry) -> Record:
    node, event, _ = event_of_line(entry.line)
    before = _effects(finding, node, entry.testimony[: entry.before_crash])
    effects = map(shown_as_json, _effects(finding, node, entry.testimony))
    return Record(place, node, shown_as_json(event), tuple(effects), len(before))


def _effects(
    finding: Finding, node: NodeId, testimony: Sequence[Testimony]
) -> tuple[LoggedEffect, ...]:
    """The effects that say something of what the finding is about."""
    about = finding.about
    if about.get("node", node) != node:
        return ()
    is_about = ABOUT[finding.property]
    said: list[LoggedEffect] = [EFFECTS[kind](*fields) for kind, *fields in testimony]
    return tuple([effect for effect in said if is_about(about, effect)])


def _reduced(shown: list[Record], still: Callable[[Sequence[Record]], bool]) -> list[Record]:
    """The records without those that are not needed, one by one; the last one is. Early ones stay
    rather than later ones that say the same."""
    before: list[Record] = []
    while before != shown:
        before = shown
        for record in reversed(shown[:-1]):
            fewer = [known for known in shown if known is not record]
            if still(fewer):
                shown = fewer
    return shown


def _worded(finding: Finding, violation: Violation, shown: Sequence[Record]) -> Violation:
    """The violation in words that are true of the whole log, where the few records say too
    little."""
    about, node = finding.about, shown[-1].node
    if finding.property == "execution_without_gap":
        says = f"executed number {about['index']} before number {about['missing']}"
    elif finding.property == "execution_follows_log":
        told = [effect for record in shown for effect in record.effects]
        log: dict[int, list[Any]] = {}
        for effect in told:
            if isinstance(effect, Decide):
                log.setdefault(effect.slot, []).append(effect.value)
        executed = [effect.command for effect in told if isinstance(effect, Execute)]
        wrong = [
            each for each in executed if each is NO_OP or each not in log.get(about["due"], ())
        ]
        says = out_of_order(about["index"], (wrong or executed)[0], about["due"], log)
    else:
        return violation
    return replace(violation, explanation=f"{node_name(node)} {says}")


def _decides(about: About, effect: LoggedEffect) -> bool:
    return isinstance(effect, Decide) and effect.slot == about["slot"]


def _executes(about: About, effect: LoggedEffect) -> bool:
    places = [about[name] for name in ("index", "again", "missing") if name in about]
    return isinstance(effect, Execute) and effect.index in places


def _executes_or_installs(about: About, effect: LoggedEffect) -> bool:
    return _executes(about, effect) or isinstance(effect, Install)


def _executes_or_decides(about: About, effect: LoggedEffect) -> bool:
    places = [about[name] for name in ("due", "later") if name in about]
    return _executes_or_installs(about, effect) or (
        isinstance(effect, Decide) and effect.slot in places
    )


def _decides_or_votes(about: About, effect: LoggedEffect) -> bool:
    return isinstance(effect, Decide | Vote) and effect.slot == about["slot"]


def _votes(about: About, effect: LoggedEffect) -> bool:
    place = (about["slot"], about["ballot"])
    return isinstance(effect, Vote) and (effect.slot, effect.ballot) == place


def _leads(about: About, effect: LoggedEffect) -> bool:
    return isinstance(effect, Lead) and effect.ballot == about["ballot"]


def _promises(_about: About, effect: LoggedEffect) -> bool:
    return isinstance(effect, Promise)


def _promises_or_votes(about: About, effect: LoggedEffect) -> bool:
    return _promises(about, effect) or _votes(about, effect)


def _promises_or_leads(about: About, effect: LoggedEffect) -> bool:
    return _promises(about, effect) or _leads(about, effect)


def _bears_on_votes(about: About, effect: LoggedEffect) -> bool:
    if isinstance(effect, Vote):
        return bool(effect.slot == about["slot"])
    return isinstance(effect, Promise) or (
        isinstance(effect, Lead) and effect.ballot == about["lower"]
    )


ABOUT: Final[Mapping[str, Callable[[About, LoggedEffect], bool]]] = {
    "agreement": _decides,
    "log_prefix": _executes,
    "execution_without_gap": _executes_or_installs,
    "execution_follows_log": _executes_or_decides,
    "at_most_once": _executes,
    "execution_not_repeated": _executes_or_installs,
    "stability": _decides,
    "validity": _decides,
    "decided_implies_chosen": _decides_or_votes,
    "one_value_per_ballot": _votes,
    "one_leader_per_ballot": _leads,
    "promise_never_falls": _promises,
    "votes_keep_promises": _promises_or_votes,
    "leaders_are_promised": _promises_or_leads,
    "votes_are_safe": _bears_on_votes,
}
"""Which effects a property is about, given what a finding is about; if that names a node, of it."""
