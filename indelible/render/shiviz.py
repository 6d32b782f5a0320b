"""A counterexample as a log for ShiViz, with vector clocks (https://bestchai.bitbucket.io/shiviz/).

A pure function of the evidence; the words are those of ``words.py``. The file is what ShiViz loads
from disk: a regular expression that parses the log, the delimiter of executions (there is but one,
so it is empty), and two lines an event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from indelible.model.causality import vector_clocks
from indelible.model.events import NodeId, node_name
from indelible.model.run import RunStep
from indelible.model.trace import Evidence
from indelible.render.words import one_line, step_lines, step_title

__all__ = ["PARSER", "render_shiviz"]

PARSER: Final = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"
"""ShiViz's own default, in its syntax (which is JavaScript's)."""


def render_shiviz(evidence: Evidence) -> str:
    """The steps with their clocks, in the order of the run; the last tells what is violated."""
    run = evidence.run
    hosts = _hosts(run.scope.nodes)
    lines = [PARSER, ""]
    for step, clock in zip(run.steps, vector_clocks(run), strict=True):
        lines += [_event(evidence, step), _clock(hosts, step.node, clock)]
    if not run.steps:
        # ShiViz refuses a log without events, and there is something to be said.
        first = run.scope.nodes[0]
        lines += [f"the initial state: {_violated(evidence)}", _clock(hosts, first, {first: 1})]
    return "\n".join(lines)


def _event(evidence: Evidence, step: RunStep) -> str:
    # A first word with a plain word after it: no event can be taken for a host and its clock.
    title = f"step {step.number}: {step_title(step)}"
    return one_line("; ".join((title, *step_lines(step), *_remarks(evidence, step))))


def _remarks(evidence: Evidence, step: RunStep) -> Iterator[str]:
    """What the explanation says of the step, and after the last one what is wrong."""
    explanation = evidence.explanation
    for moment in explanation.milestones:
        if moment.step == step.number:
            yield f"» {moment.says}"
    if explanation.decisive is not None and explanation.decisive.step == step.number:
        yield f"decisive: {explanation.decisive.says}"
    if step.number == evidence.run.steps[-1].number:
        yield _violated(evidence)


def _violated(evidence: Evidence) -> str:
    violation = evidence.trace.violation
    return one_line(f"violated: {violation.property}: {violation.explanation}")


def _clock(hosts: Mapping[NodeId, str], node: NodeId, clock: Mapping[NodeId, int]) -> str:
    counts = {hosts[known]: count for known, count in clock.items()}
    return f"{hosts[node]} {json.dumps(counts, ensure_ascii=False)}"


def _hosts(nodes: tuple[NodeId, ...]) -> dict[NodeId, str]:
    """The nodes' names as ShiViz can read them, without spaces, and still one for each node."""
    hosts: dict[NodeId, str] = {}
    for node in nodes:
        name = plain = re.sub(r"[^\w.:-]", "_", node_name(node)) or "_"
        count = 1
        while name in hosts.values():
            count += 1
            name = f"{plain}_{count}"
        hosts[node] = name
    return hosts
