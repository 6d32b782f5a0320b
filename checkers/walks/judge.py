"""Judge: evaluates properties along a run, each only where what it reads has changed.

What a property reads of a node's record is a *projection*, which has a number; what was judged of
the same numbers before, in this run or an earlier one, is not judged again. It says the same as
evaluating every property after every step (``verdicts.violations_after``; the tests compare).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import product
from typing import Any, Final, TypeAlias

from indelible.checkers.explorer.parts import Interner
from indelible.checkers.property import Property, View, World
from indelible.checkers.walks.reactions import HISTORY
from indelible.checkers.walks.stage import Stage
from indelible.model.effects import Effect
from indelible.model.record import Record

__all__ = ["RunJudge"]

Names: TypeAlias = tuple[str, ...]

NOTHING: Final[Names] = ()


class Group:
    """The properties that read the same fields, and what was judged of their projections.

    ``now`` are the projections of all nodes in the state that was judged last. Where a property
    asks for testimony, ``hears`` is one that does: all are told the same.
    """

    def __init__(self, fields: tuple[str, ...], world: World) -> None:
        self.fields, self.world = fields, world
        self.reads_history = set(fields) <= set(HISTORY)
        self.always: dict[str, list[Property]] = {}
        self.sometimes: list[Property] = []
        self.reads_events = False
        self.hears: Property | None = None
        self.now: list[int] = [-1] * len(world.nodes)
        self._values: Interner[tuple[Any, ...]] = Interner()
        self._places = tuple([Record._fields.index(name) for name in fields])
        self._views: dict[tuple[int, int], View] = {}
        self._verdicts: dict[Hashable, Names] = {}
        self._heard: dict[Hashable, tuple[Effect, ...]] = {}

    def add(self, known: Property) -> None:
        if known.kind == "sometimes":
            self.sometimes.append(known)
        else:
            self.always.setdefault(known.reads, []).append(known)
            self.reads_events |= known.reads_event or known.wants_effects
            if known.wants_testimony:
                self.hears = known

    def projection(self, stage: Stage, index: int) -> int:
        """The number of what these fields are in the record of a node."""
        return self._values(tuple([stage.field(index, name) for name in self.fields]))

    def projection_of(self, record: Record) -> int:
        """The same, of a record that is at hand."""
        return self._values(tuple([record[place] for place in self._places]))

    def judge(self, index: int) -> Names:
        """What is wrong now, if nothing was until the projection of this node changed."""
        bad = NOTHING
        for reads in self.always:
            for key in self._keys(reads, index):
                found = self._verdicts.get(key)
                if found is None:
                    found = self._verdicts[key] = self._judged(reads, key)
                bad += found
        return bad

    def _keys(self, reads: str, index: int) -> Iterable[tuple[Any, ...]]:
        now = self.now
        match reads:
            case "record":
                return ((index, now[index]),)
            case "pair":
                own = now[index]
                return [(index, own, other, theirs) for other, theirs in enumerate(now)]
            case "records":
                return (("records", *now),)
        return ()

    def _judged(self, reads: str, key: tuple[Any, ...]) -> Names:
        if reads == "records":
            return self._wrong(reads, self._views_now())
        views = [self._view(key[at], key[at + 1]) for at in range(0, len(key), 2)]
        found = self._wrong(reads, *views)
        return found if reads == "record" else found + self._wrong(reads, *reversed(views))

    def judge_step(self, stage: Stage, index: int, before: int, after: int) -> Names:
        """What is wrong with the last step of ``stage``, between two projections of a node."""
        key = ("step", index, before, after, self._told(stage))
        found = self._verdicts.get(key)
        if found is None:
            event = stage.actions[-1][1]
            views = self._view(index, before), self._view(index, after)
            found = self._verdicts[key] = self._wrong(
                "step", views[0], event, views[1], effects=stage.effects
            )
        return found

    def _told(self, stage: Stage) -> Hashable:
        """What the properties know of the last step beside its records, if they ask for that."""
        if self.reads_events:
            return stage.last
        if self.hears is None:
            return ()
        told = self._heard.get(stage.last)
        if told is None:
            told = self._heard[stage.last] = self.hears.told_of(stage.effects)
        return told

    def reach(self, reached: set[str]) -> None:
        """Add to ``reached`` the *sometimes* properties that are true now."""
        for known in self.sometimes:
            if known.name not in reached and self._is_reached(known):
                reached.add(known.name)

    def _is_reached(self, known: Property) -> bool:
        views = self._views_now()
        if known.reads == "records":
            return known.holds(views, world=self.world)
        if known.reads == "pair":
            return any(known.holds(*two, world=self.world) for two in product(views, repeat=2))
        return any(known.holds(own, world=self.world) for own in views)

    def _views_now(self) -> tuple[View, ...]:
        return tuple([self._view(index, number) for index, number in enumerate(self.now)])

    def _view(self, index: int, projection: int) -> View:
        known = self._views.get((index, projection))
        if known is None:
            values = self._values[projection]
            known = View(self.world.nodes[index], dict(zip(self.fields, values, strict=True)))
            self._views[index, projection] = known
        return known

    def _wrong(self, reads: str, *seen: Any, effects: tuple[Effect, ...] = ()) -> Names:
        return tuple(
            [
                known.name
                for known in self.always[reads]
                if known.violations(*seen, world=self.world, effects=effects)
            ]
        )


class RunJudge:
    """Judges runs, one after another: ``start`` begins one, ``after`` is asked after each step.

    Both give the names of the properties that are violated, in the order of ``properties``.
    ``reached`` has the *sometimes* properties that were true in some state of some run.
    """

    def __init__(self, world: World, properties: Sequence[Property]) -> None:
        self.reached: set[str] = set()
        self._rank = {known.name: place for place, known in enumerate(properties)}
        groups: dict[tuple[str, ...], Group] = {}
        for known in properties:
            fields = tuple(sorted(set(known.fields), key=Record._fields.index))
            groups.setdefault(fields, Group(fields, world)).add(known)
        self._groups = tuple(groups.values())
        self._of_history = [group for group in self._groups if group.reads_history]
        self._others = [group for group in self._groups if not group.reads_history]
        self._of_step = [group for group in self._groups if "step" in group.always]
        self._reads_events = any(group.reads_events or group.hears for group in self._of_step)
        self._histories: tuple[int, ...] = ()
        self._up_to_date: list[int] = [-1] * len(world.nodes)
        self._is_fine = False
        self._projections: dict[int, tuple[int, ...]] = {}
        self._steps: dict[Hashable, Names] = {}
        self._fine: set[tuple[int, ...]] = set()

    def start(self, stage: Stage) -> Names:
        """Begin with a run that has come so far; what is wrong in the state that it is in."""
        self._histories = tuple(stage.histories)
        self._is_fine = not self._others and self._histories in self._fine
        if self._is_fine:
            return NOTHING
        indices = range(len(self._histories))
        self._catch_up(stage)
        for group in self._others:
            group.now = [group.projection(stage, index) for index in indices]
        bad = NOTHING
        for group in self._groups:
            for index in indices:
                bad += group.judge(index)
            group.reach(self.reached)
        self._is_fine = not bad
        self._remember()
        return self._ordered(bad)

    def after(self, stage: Stage, index: int) -> Names:
        """What is wrong after a step of the node at ``index``, if nothing was before it."""
        before, after = self._histories[index], stage.histories[index]
        key = (index, before, after, stage.last if self._reads_events else ())
        if self._is_fine and not self._others:
            # Where all that is read are histories, what was judged before is known by those.
            of_step = self._steps.get(key)
            if of_step is not None:
                if before == after:
                    return of_step
                histories = tuple(stage.histories)
                if histories in self._fine:
                    self._histories = histories
                    return of_step
        return self._judged(stage, index, key)

    def _judged(self, stage: Stage, index: int, key: Hashable) -> Names:
        """The same as ``after``, worked out; the step is known by ``key``."""
        self._catch_up(stage)
        self._histories = tuple(stage.histories)
        changed = self._changed(stage, index)
        of_step = NOTHING
        for group in self._of_step:
            now = group.now[index]
            of_step += group.judge_step(stage, index, now, changed.get(group, now))
        self._steps[key] = of_step = self._ordered(of_step)
        for group, number in changed.items():
            group.now[index] = number
        self._up_to_date[index] = self._histories[index]
        bad = NOTHING
        for group in changed:
            bad += group.judge(index)
            group.reach(self.reached)
        self._is_fine &= not bad
        self._remember()
        return self._ordered(of_step + bad) if bad else of_step

    def _changed(self, stage: Stage, index: int) -> dict[Group, int]:
        """The groups whose projection of a node is another than before, each with the new one."""
        numbers = self._projected(stage, self._histories[index])
        changed = {
            group: number
            for group, number in zip(self._of_history, numbers, strict=True)
            if number != group.now[index]
        }
        for group in self._others:
            number = group.projection(stage, index)
            if number != group.now[index]:
                changed[group] = number
        return changed

    def _catch_up(self, stage: Stage) -> None:
        """Let the groups that read histories know those of the state that was judged last."""
        for index, history in enumerate(self._histories):
            if history != self._up_to_date[index]:
                self._up_to_date[index] = history
                numbers = self._projected(stage, history)
                for group, number in zip(self._of_history, numbers, strict=True):
                    group.now[index] = number

    def _remember(self) -> None:
        """Note that nothing is wrong in this state, if it is so and histories tell states apart."""
        if self._is_fine and not self._others:
            self._fine.add(self._histories)

    def _projected(self, stage: Stage, history: int) -> tuple[int, ...]:
        known = self._projections.get(history)
        if known is None:
            record = stage.reactions.histories[history]
            known = tuple([group.projection_of(record) for group in self._of_history])
            self._projections[history] = known
        return known

    def _ordered(self, names: Names) -> Names:
        return tuple(sorted(set(names), key=self._rank.__getitem__))
