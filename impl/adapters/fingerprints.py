"""Fingerprints: whether nodes that are the same by what they tell behave alike, found by trying.

Of a state that is told by a fingerprint it is remembered what the node was in full when it was met
first, and how it went on. A node that is met later, and is another one in full, must go on so, too.
What is to be tried is said here; who runs steps is the host.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, node_name
from indelible.model.plain import Fields

__all__ = ["Alike", "Answer", "Sample", "Trial"]

ALWAYS: Final = 200
SOMETIMES: Final = 64
"""The first ``ALWAYS`` trials are made, then one in ``SOMETIMES``: each takes all the steps that a
node has taken since it started."""

DIFFERENCES_MAX: Final = 5
"""How many attributes are shown."""

ANSWERS_MAX: Final = 8
"""How many answers are remembered of one state."""


class Answer(NamedTuple):
    """The state that a node comes to, and its effects; or what it raises."""

    state: Any
    effects: tuple[Effect, ...] = ()
    raised: str = ""

    def shown(self, other: Answer) -> str:
        """What of it is not as in another answer."""
        if self.raised or self.effects != other.effects:
            return self.raised or _short(self.effects)
        return _short(self.state)


class Trial(NamedTuple):
    """What a node that is met later (by its way back, ``origin``) is to be asked, and what the
    first one answered."""

    origin: Any
    whole: Any
    event: InputEvent
    answer: Answer


class Sample:
    """Chooses which trials are made."""

    def __init__(self) -> None:
        self._offered = 0

    def is_due(self) -> bool:
        """Whether the next one is."""
        self._offered += 1
        return self._offered <= ALWAYS or self._offered % SOMETIMES == 0


class Alike:
    """What is known of one state: the node in full that was met first, its answers, and the last
    node that was another one in full."""

    __slots__ = ("_answers", "_other", "whole")

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self._answers: dict[InputEvent, Answer] = {}
        self._other: tuple[Any, Any] | None = None

    def met(self, whole: Any, origin: Any) -> list[Trial]:
        """Another node was met; what is to be tried at once."""
        self._other = (origin, whole)
        return [Trial(origin, whole, *each) for each in self._answers.items()]

    def answered(self, event: InputEvent, answer: Answer) -> list[Trial]:
        """The first one was asked something; what is to be tried at once."""
        if event in self._answers or len(self._answers) >= ANSWERS_MAX:
            return []
        self._answers[event] = answer
        return [] if self._other is None else [Trial(*self._other, event, answer)]

    def judge(self, node: NodeId, trial: Trial, answer: Answer) -> None:
        """Raises ``ImplementationError`` if the answer is another one than that of the first."""
        if answer == trial.answer:
            return
        one, other = trial.answer.shown(answer), answer.shown(trial.answer)
        raise ImplementationError(
            f"{node_name(node)} was twice in what its fingerprint says is the same state, and "
            f"{trial.event!r} led to {one} once, and once to {other}",
            cause="the fingerprint leaves out something that decides how the node goes on; what "
            f"differed: {_differences(self.whole, trial.whole)}",
            remedy="let fingerprint(instance) tell that, too",
        )


def _differences(one: Any, other: Any) -> str:
    """The attributes that differ, with both values; or all, of what has none."""
    if not (isinstance(one, Fields) and isinstance(other, Fields)):
        return f"{_short(one)} and {_short(other)}"
    names = [name for name in {**one, **other} if _part(one, name) != _part(other, name)]
    shown = [
        f"{name} ({_short(one.get(name))} and {_short(other.get(name))})"
        for name in names[:DIFFERENCES_MAX]
    ]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")


def _part(fields: Fields, name: Any) -> Fields:
    """One attribute, in what compares types."""
    return Fields({name: fields[name]} if name in fields else {})


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"
