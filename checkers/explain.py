"""Explain: which steps a violation depends on, and which of them broke a rule of Paxos first.

What it says it has checked: the story violates the property when it is played alone.
"""

from __future__ import annotations

from indelible.checkers.decisive import broken_rules
from indelible.checkers.history import History, histories
from indelible.checkers.property import Property, world_of
from indelible.checkers.watch import Watch, replay
from indelible.checkers.words import ballot_said, listed, said
from indelible.model.causality import causal_past, predecessors
from indelible.model.implementation import Implementation
from indelible.model.run import Run
from indelible.model.trace import Explanation, Moment, Violation

__all__ = ["explain", "story_of"]


def explain(
    implementation: Implementation, run: Run, property: Property | None, violation: Violation
) -> Explanation:
    """Why ``violation`` is what ``run`` ends with; ``property`` is ``None`` for an exception.

    A pure function: the same run has the same explanation.
    """
    if run.initial is None:
        return Explanation()
    story = story_of(implementation, run, property, violation)
    told = set(story)
    milestones: list[Moment] = []
    decisive: Moment | None = None
    for history in histories(run, world_of(implementation, run.scope)):
        number = history.step.number
        milestones += [Moment(number, says) for says in _chosen(history)]
        if decisive is None and number in told:
            says = next(broken_rules(history), None)
            decisive = None if says is None else Moment(number, says)
    return Explanation(story, tuple(milestones), decisive)


def story_of(
    implementation: Implementation, run: Run, property: Property | None, violation: Violation
) -> tuple[int, ...]:
    """The steps that the violation depends on: the fewest found that happen alone, and violate.

    Order: from the whole run take the causal past of the last step and of the last steps of the
    nodes that the violation names, if that violates the property; then leave out, from the end, one
    after the other, each step that none of the others needs.
    Invariant: with each step stay all that happened before it, so that what is left is a run too,
    in which every step does what it did; it ends with the same last step, and violates the property
    in the same slot.
    """
    watch = Watch(implementation, run.scope, property)

    def violates(numbers: tuple[int, ...]) -> bool:
        actions = tuple(run.steps[number - 1].action for number in numbers)
        found = replay(watch, actions)
        return (
            found.violation is not None
            and found.step == len(actions)
            and found.violation.slot == violation.slot
        )

    whole = tuple(step.number for step in run.steps)
    if not whole:
        return ()
    last_at = {step.node: step.number for step in run.steps}
    ends = {last_at[node] for node in last_at if node in violation.nodes} | {whole[-1]}
    story = next((cut for cut in (causal_past(run, ends), whole) if violates(cut)), whole)
    before = predecessors(run)
    for number in reversed(story[:-1]):
        needed = any(number in before[later] for later in story)
        fewer = tuple(other for other in story if other != number)
        if not needed and violates(fewer):
            story = fewer
    return story


def _chosen(history: History) -> tuple[str, ...]:
    """Which values the votes of this step made chosen."""
    return tuple(
        f"{said(value)} is now chosen in slot {slot} at ballot {ballot_said(ballot)}: "
        f"{listed(history.voters(slot, ballot, value))} voted for it"
        for slot, ballot, value in history.votes_said
        if history.is_chosen(slot, ballot, value) and not history.was_chosen(slot, ballot, value)
    )
