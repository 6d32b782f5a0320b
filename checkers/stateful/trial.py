"""Trial: what all runs of one machine share: what is on trial, what is judged, what failing says.

Nothing here depends on what Hypothesis chose before: a run that is repeated says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import SEARCH_LIMITS, Minimized, minimize
from indelible.checkers.property import Property, world_of
from indelible.checkers.walks.judge import RunJudge
from indelible.checkers.walks.reactions import Reactions
from indelible.checkers.walks.runs import ANSWERS_MAX, Campaign
from indelible.checkers.walks.stage import Stage
from indelible.model.errors import PropertyError
from indelible.model.events import Action
from indelible.model.implementation import Implementation, implementation_name
from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation

__all__ = ["PropertyViolated", "Tell", "Trial"]

PROBES: Final = 200
"""How many runs are looked at for the effects that an implementation gives."""

Tell = Callable[[Minimized, Property | None], str]
"""Puts a minimized counterexample into words; ``None`` stands for an exception."""


class PropertyViolated(AssertionError):
    """A run violates a property; its text is the counterexample.

    Each property has a class of its own, so that Hypothesis does not take one failure for another
    while it shrinks. ``property`` is its name; ``minimized`` the counterexample, ``None`` while
    there may still be a smaller one.
    """

    def __init__(self, says: str, property: str, minimized: Minimized | None = None) -> None:
        super().__init__(says)
        self.property, self.minimized = property, minimized


class Trial:
    """An implementation in a scope, judged by ``properties``.

    ``required``: whether each of them was asked for, so that it must be observable. ``tell`` says
    what a failure says; ``limits`` bound the search for a shorter one.
    """

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        *,
        required: bool,
        tell: Tell | None = None,
        limits: Limits = SEARCH_LIMITS,
    ) -> None:
        self.implementation, self.scope = implementation, scope
        self.properties = tuple(properties)
        self._required, self._tell, self._limits = required, tell or _sentence, limits
        self._reactions: Reactions | None = None
        self._classes: dict[str, type[PropertyViolated]] = {}

    @cached_property
    def judge(self) -> RunJudge:
        """Judges what is observable. Raises ``PropertyError`` where that is not what is asked."""
        unseen = self.not_observable
        judged = [known for known in self.properties if known.name not in unseen]
        if unseen and (self._required or not any(known.kind == "always" for known in judged)):
            raise PropertyError(
                f"{', '.join(unseen)}: not observable in {PROBES} random runs",
                cause="the implementation does not give the testimony that is read, or the scope "
                "does not let it come so far",
                remedy="let it give that effect, or ask for other properties",
            )
        return RunJudge(world_of(self.implementation, self.scope), judged)

    @cached_property
    def not_observable(self) -> tuple[str, ...]:
        """The properties that read testimony that the implementation does not give."""
        read = frozenset().union(*(known.testimony for known in self.properties))
        campaign = Campaign(self.implementation, self.scope, (), seed=0, strategy="swarm")
        for number in range(PROBES):
            if read <= campaign.effect_types:
                return ()
            campaign.run(number)
        given = campaign.effect_types
        return tuple(known.name for known in self.properties if not known.testimony <= given)

    def stage(self) -> Stage:
        """A run that begins. Raises ``ImplementationRaised``."""
        if self._reactions is None or self._reactions.size > ANSWERS_MAX:
            self._reactions = Reactions(self.implementation, self.scope)
            vars(self).pop("judge", None)
        return Stage(self._reactions)

    def failure(self, actions: Sequence[Action], name: str, *, last: bool) -> PropertyViolated:
        """What to raise after ``actions``; ``last``: Hypothesis has found no simpler ones.

        Raises ``TraceError`` if they do not violate the property when they happen again.
        """
        kind = self._classes.get(name)
        if kind is None:
            members = {"__module__": __name__, "__doc__": PropertyViolated.__doc__}
            kind = type("PropertyViolated", (PropertyViolated,), members)
            self._classes[name] = kind
        if not last:
            return kind(f"{name} is violated after {len(actions)} events", name)
        known = next((known for known in self.properties if known.name == name), None)
        assert known is not None or name == RAISES
        found = Violation("found by random testing", property=name)
        trace = Trace(implementation_name(self.implementation), self.scope, tuple(actions), found)
        minimized = minimize(self.implementation, trace, known, limits=self._limits)
        return kind(self._tell(minimized, known), name, minimized)


def _sentence(minimized: Minimized, _: Property | None) -> str:
    trace = minimized.trace
    violation = trace.violation
    return f"{violation.property}: {violation.explanation}, after {len(trace)} events"
