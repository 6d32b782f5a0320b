"""Recorded logs of runs, and the twin that says what an audit should find in them."""

from __future__ import annotations

import json
from io import BytesIO

from msgspec import structs

from indelible.checkers.audit.audit import audit
from indelible.checkers.audit.entry import event_of_line
from indelible.checkers.audit.json_text import shown_as_json
from indelible.checkers.audit.judge import NEEDS, RULES, Judge
from indelible.checkers.audit.lines import entries_of
from indelible.checkers.audit.merge import in_order
from indelible.checkers.audit.plainly import PlainAudit
from indelible.checkers.audit.proof import BY_ABSENCE, prove
from indelible.checkers.audit.quick import QuickReader
from indelible.model.effects import Decide, Execute, Lead, Promise, Vote
from indelible.model.events import Submit
from indelible.model.node_json import effect_to_json
from indelible.model.quorums import MajorityQuorums
from indelible.model.run import handled_event, replayed
from indelible.render.log import log_lines
from support.walks import walk

MAJORITY = MajorityQuorums()
KINDS = {Decide: 8, Execute: 16, Vote: 2, Promise: 1, Lead: 4}


def lines_of(implementation, scope, seed, length, **drawn):
    """The log of a random run."""
    actions = walk(implementation, scope, seed, length, **drawn)
    return timed(log_lines(replayed(implementation, scope, actions)))


def timed(lines):
    """Times make no two lines the same."""
    return [
        json.dumps({**json.loads(line), "time": number}).encode()
        for number, line in enumerate(lines)
    ]


def record_of(event, effects):
    """A record of node 0."""
    said = [effect_to_json(effect) for effect in effects]
    return json.dumps({"node": 0, "event": event, "effects": said}).encode()


def audited(lines, quorums=MAJORITY, **asked):
    """The audit of one file."""
    items = entries_of(BytesIO(b"\n".join(lines)), QuickReader(links=False))
    return audit(in_order([items]), quorums, **asked)


def plainly(lines, quorums, nodes, names=RULES):
    """The first violation of what is observable by then, as the judge should say: (record,
    property), and what a proof should say."""
    twin, seen, found = PlainAudit(quorums, nodes, names=names), 0, {}
    for number, line in enumerate(lines, start=1):
        node, event, effects = event_of_line(line)
        seen |= sum({KINDS.get(type(effect), 0) for effect in effects})
        if type(event).__name__ != "Start" and isinstance(handled_event(event), Submit):
            seen |= 32
        shown = tuple(map(shown_as_json, effects))
        for name, violations in twin.step(node, shown_as_json(event), shown).items():
            found.setdefault(name, (number, RULES.index(name), name, violations))
        ready = [known for known in found.values() if not NEEDS[known[2]] & ~seen]
        if ready:
            number, _, name, violations = min(ready, key=lambda known: known[:2])
            return number, name, {violation.explanation for violation in violations}
    return None


def check_log(lines, quorums, nodes, names=RULES):
    """Compare, and check the proof of what was found."""
    judge, read = Judge(quorums, names=names), QuickReader(links=False).one
    for number, line in enumerate(lines, start=1):
        judge.judge(read(line), (0, number))
        if judge.finding:
            break
    expected = plainly(lines, quorums, nodes, names)
    found = judge.finding
    if found is None:
        assert expected is None
        return None
    if expected[0] < len(nodes):
        # A judge that stops while others have yet to start cannot know that they did nothing
        # before: it may report a later record, or another property.
        assert found.number >= expected[0]
        return None
    assert (found.number, found.property) == expected[:2]
    entries = [
        ((0, number), structs.replace(read(line), line=line))
        for number, line in enumerate(lines, start=1)
    ]
    proof = prove(found, entries, quorums, nodes)
    assert proof.records[-1].place == (0, found.number)
    check_minimal(proof, quorums, nodes)
    if found.property in BY_ABSENCE and found.property != "leaders_are_promised":
        assert proof.violation.explanation in expected[2]
    return found.property


def violations(proof, shown, quorums, nodes):
    """What the last of the records violates, alone, of the property that they show, in words."""
    twin, found = PlainAudit(quorums, nodes), {}
    for record in shown:
        found = twin.step(record.node, record.judged_event, record.effects)
    return {each.explanation for each in found.get(proof.violation.property, ())}


def check_minimal(proof, quorums, nodes):
    """The records violate the property at their end, and no part of them that has the end does. Of
    what is broken by what is not there, none can be left out without changing what it says."""
    records = proof.records
    says = violations(proof, records, quorums, nodes)
    assert says
    if proof.violation.property in BY_ABSENCE:
        for record in records[:-1]:
            fewer = [known for known in records if known is not record]
            assert not says <= violations(proof, fewer, quorums, nodes)
        return
    for mask in range(2 ** (len(records) - 1) - 1):
        part = [record for at, record in enumerate(records[:-1]) if mask >> at & 1]
        assert not violations(proof, [*part, records[-1]], quorums, nodes)
