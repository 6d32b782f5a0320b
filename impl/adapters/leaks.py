"""Leaks: what is kept outside of the nodes, in modules, classes and functions, and changes.

Nodes that run in one process share it, and it survives their crashes; real nodes, each on a machine
of its own, would not. So a change of it while a node handles something is an error that names it.
What is kept there is found by following what refers to what (``reach``), from the places that nodes
come from (``territory``). Only looks, and changes nothing but caches; it knows no adapter.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, Final

from indelible.impl.adapters.blanks import BLANKS
from indelible.impl.adapters.caches import Caches
from indelible.impl.adapters.freeze import freeze
from indelible.impl.adapters.reach import Change, Group, Reached
from indelible.impl.adapters.shapes import MISSING, Shapes
from indelible.impl.adapters.territory import Territory
from indelible.impl.adapters.walk import Substitute
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId, node_name

__all__ = ["ALWAYS", "Watch"]

ALWAYS: Final = 200
SOMETIMES: Final = 16
"""The first ``ALWAYS`` steps are looked at, then one in ``SOMETIMES``, or more seldom where there
is much to look at. What changed between two looks is found all the same, and its step is not; the
last look is taken before anything is concluded (``last_look``)."""

LARGE: Final = 1_000
"""What is more things than this, all reached by one name, is looked at apart, and more seldom."""

AT_FIRST: Final = 1_000_000
"""When so many references were compared, the first steps are not looked at one by one any more:
that takes some 30 ms."""

PER_STEP: Final = 16
"""References that are compared for each step then, on average."""


class Watch:
    """Looks at the packages from which come the classes that nodes are made of.

    ``allowed`` are names, as errors give them, of what may change. ``known`` is as for ``freeze``;
    values of ``ignored`` types are not looked at. ``keeper`` keeps something, too: all its
    attributes but the ``private`` ones.
    """

    def __init__(
        self,
        keeper: object,
        private: Collection[str],
        *,
        known: Mapping[type, Substitute],
        allowed: Collection[str] = (),
        ignored: tuple[type, ...] = (),
    ) -> None:
        self._territory = Territory(keeper, private, allowed)
        self._shapes = Shapes(known, ignored, self._territory.is_beyond)
        self._caches = Caches()
        self._reached = Reached(self._shapes, LARGE)
        self._schedules = _Schedule(), _Schedule()
        self._steps = self._next = 0
        self._is_walked, self._is_new = False, False

    @property
    def shared(self) -> dict[int, Any]:
        """What is kept outside of the nodes, by address."""
        return self._reached.found

    def notes(self) -> tuple[str, ...]:
        """What is kept there and cannot be looked into, for reports."""
        opaque = {**self._reached.opaque, **self._caches.opaque}
        named = ", ".join(f"{name} ({kind})" for name, kind in sorted(opaque.items()))
        return (f"not looked into, though nodes may share it: {named}",) if named else ()

    def modules(self) -> list[types.ModuleType]:
        """The modules that are looked at."""
        return self._territory.modules()

    def follow(self, kinds: Set[type]) -> bool:
        """Look at what keeps these classes, from now on; whether any of it is new."""
        is_new = self._territory.follow(kinds)
        self._is_new = self._is_new or is_new
        return is_new

    def begin(self) -> None:
        """See how everything is between two steps. Raises as ``after`` does, for those before."""
        if not self._is_walked:
            self._walk()
            return
        small, large = self._schedules
        due = [small, large] if self._is_new or large.next <= self._steps else [small]
        # A script may assign something between two steps.
        self._look([each for each in due if each.last < self._steps], "a node", but="__main__")
        # What has changed since a look after the last step was changed by none.
        if self._is_new or not all(map(self._is_unchanged, due)):
            self._walk()

    def after(self, node: NodeId, what: object) -> None:
        """See how everything is after a step. Raises ``ImplementationError`` if it has changed."""
        self._steps += 1
        if self._steps >= self._next:
            due = [each for each in self._schedules if each.next <= self._steps]
            self._look(due, node_name(node), what)

    def last_look(self) -> None:
        """See how everything is in the end. Raises as ``after`` does."""
        self._look([each for each in self._schedules if each.last < self._steps], "a node")

    # --- looking -------------------------------------------------------------------------------

    def _group(self, schedule: _Schedule) -> Group:
        return self._reached.small if schedule is self._schedules[0] else self._reached.large

    def _is_unchanged(self, schedule: _Schedule) -> bool:
        return self._group(schedule).is_unchanged()

    def _look(self, due: Sequence[_Schedule], who: str, what: object = None, but: str = "") -> None:
        is_as_good = False
        for schedule in due:
            group = self._group(schedule)
            change = self._caches.change() if schedule is self._schedules[0] else None
            if change is None and not group.is_unchanged():
                is_as_good, change = True, self._reached.change(group, but)
            if change is not None:
                raise self._leak(change, self._steps - schedule.last, who, what)
            schedule.looked(self._steps, group.cost)
        self._next = min(each.next for each in self._schedules)
        if is_as_good:
            # It is walked once more; what that would not remember is looked at first.
            self._look([each for each in self._schedules if each.last < self._steps], who, what)
            self._walk()

    def _walk(self) -> None:
        if self._is_new:
            self._shapes.forget()
        self._is_walked, self._is_new = True, False
        self._reached = Reached(self._shapes, LARGE)
        self._territory.walk(self._reached, self._caches)
        BLANKS.learn(self._reached.named())
        self._reached.small.note()
        self._reached.large.note()

    def _leak(self, change: Change, steps: int, who: str, what: object) -> ImplementationError:
        path, name, before, after = change
        when = f"while it was handling {what!r}"
        if steps > 1:
            when = f"in one of the last {steps} steps"
            when += f", the last of them {what!r} of {who}" if what is not None else ""
        return ImplementationError(
            f"{who} changed {path} {when}: {_shown(before)} became {_shown(after)}",
            cause="it is kept outside of the nodes: here all of them share it and it survives "
            "crashes, and on machines of their own they would not",
            remedy="keep it in the node; or, if it decides nothing (a cache, say), name it in the "
            f"adapter's may_change: {name!r}",
        )


class _Schedule:
    """When some part is looked at: after how many steps it was ``last``, and will be ``next``."""

    __slots__ = ("_compared", "last", "next")

    def __init__(self) -> None:
        self.last = self.next = self._compared = 0

    def looked(self, steps: int, cost: int) -> None:
        """It was looked at now; that compared so many references."""
        self._compared += cost
        often = steps < ALWAYS and self._compared < AT_FIRST
        self.last, self.next = steps, steps + (1 if often else max(SOMETIMES, cost // PER_STEP))


def _shown(value: object) -> str:
    """A value as text that says the same whenever it is made."""
    if value is MISSING:
        return "nothing"
    try:
        text = repr(freeze(value))
    except ImplementationError:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else text[:100] + "…"
