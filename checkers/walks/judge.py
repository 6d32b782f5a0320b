"""Judge: evaluates properties along a run, each only where what it reads has changed.

What a property reads of a node's record is a *projection*, which has a number; what was judged of
the same numbers before, in this run or an earlier one, is not judged again. It says the same as
evaluating every property after every step (``verdicts.violations_after``; the tests compare).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product
from operator import itemgetter
from typing import Any, Final, TypeAlias

from indelible.checkers.explorer.parts import Interner
from indelible.checkers.property import Property, View, World
from indelible.checkers.walks.histories import HISTORY, Histories
from indelible.checkers.walks.stage import Stage
from indelible.model.effects import Effect
from indelible.model.record import Record

__all__ = ["RunJudge"]

Names: TypeAlias = tuple[str, ...]

NOTHING: Final[Names] = ()


class Group:
    """The properties that read the same fields, and what was judged of their projections.

    ``now`` are the projections of all nodes in the state that was judged last, and ``views`` what
    they are to a property. Where a property asks for testimony, ``hears`` is one that does: all
    are told the same.
    """

    def __init__(self, fields: tuple[str, ...], world: World) -> None:
        self.fields, self.world = fields, world
        self.reads_history = set(fields) <= set(HISTORY)
        self.steps: list[Property] = []
        self.states: dict[str, list[Property]] = {}
        self.sometimes: list[Property] = []
        self.reads_events = False
        self.hears: Property | None = None
        self.now: list[int] = [-1] * len(world.nodes)
        self.views: list[View] = [View(node, {}) for node in world.nodes]
        self._numbers: Interner[Hashable] = Interner()
        self._values: list[tuple[Any, ...]] = []
        self._places = tuple([Record._fields.index(name) for name in fields])
        self._parts: Callable[[tuple[int, ...]], Hashable] = lambda _: ()
        if fields and self.reads_history:
            self._parts = itemgetter(*map(HISTORY.index, fields))
        self._views: list[dict[int, View]] = [{} for _ in world.nodes]
        self._verdicts: dict[Hashable, Names] = {}
        self._heard: dict[Hashable, tuple[Effect, ...]] = {}

    def add(self, known: Property) -> None:
        if known.kind == "sometimes":
            self.sometimes.append(known)
        elif known.reads == "step":
            self.steps.append(known)
            self.reads_events |= known.reads_event or known.wants_effects
            if known.wants_testimony:
                self.hears = known
        else:
            self.states.setdefault(known.reads, []).append(known)

    @property
    def tells_steps_apart(self) -> bool:
        """Whether steps between the same two projections may be judged otherwise."""
        return self.reads_events or self.hears is not None

    def projection(self, stage: Stage, index: int) -> int:
        """The number of what these fields are in the record of a node."""
        values = tuple([stage.field(index, name) for name in self.fields])
        number = self._numbers(values)
        if number == len(self._values):
            self._values.append(values)
        return number

    def projection_of(self, histories: Histories, history: int) -> int:
        """The same of a history, whose fields have numbers already."""
        number = self._numbers(self._parts(histories.fields[history]))
        if number == len(self._values):
            record = histories[history]
            self._values.append(tuple([record[place] for place in self._places]))
        return number

    def turn(self, index: int, number: int) -> None:
        """The projection of a node is another one now."""
        self.now[index] = number
        self.views[index] = self._view(index, number)

    def judge(self, index: int) -> Names:
        """What is wrong now, if nothing was until the projection of this node changed."""
        bad, verdicts = NOTHING, self._verdicts
        for reads, properties in self.states.items():
            for key in self._keys(reads, index):
                found = verdicts.get(key)
                if found is None:
                    found = verdicts[key] = self._judged(properties, key)
                bad += found
        return bad

    def _keys(self, reads: str, index: int) -> Iterable[tuple[Any, ...]]:
        """What a state is judged by: (reads, a node, its projection, another one, its own)."""
        now = self.now
        if reads == "records":
            return ((reads, *now),)
        if reads == "record":
            return ((reads, index, now[index]),)
        own = now[index]
        return [(reads, index, own, other, theirs) for other, theirs in enumerate(now)]

    def _judged(self, properties: Sequence[Property], key: tuple[Any, ...]) -> Names:
        views = self.views
        match key:
            case "pair", index, _, other, _:
                one, two = views[index], views[other]
                return self._wrong(properties, one, two) + self._wrong(properties, two, one)
            case "record", index, _:
                return self._wrong(properties, views[index])
        return self._wrong(properties, tuple(views))

    def judge_step(self, stage: Stage, index: int, before: int, after: int) -> Names:
        """What is wrong with the last step of ``stage``, between two projections of a node."""
        key = (index, before, after, self._told(stage))
        found = self._verdicts.get(key)
        if found is None:
            views = self._view(index, before), self._view(index, after)
            event = stage.actions[-1][1]
            found = self._verdicts[key] = self._wrong(
                self.steps, views[0], event, views[1], effects=stage.effects
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
        views = tuple(self.views)
        if known.reads == "records":
            return known.holds(views, world=self.world)
        if known.reads == "pair":
            return any(known.holds(*two, world=self.world) for two in product(views, repeat=2))
        return any(known.holds(own, world=self.world) for own in views)

    def _view(self, index: int, projection: int) -> View:
        known = self._views[index].get(projection)
        if known is None:
            values = self._values[projection]
            known = View(self.world.nodes[index], dict(zip(self.fields, values, strict=True)))
            self._views[index][projection] = known
        return known

    def _wrong(
        self, properties: Sequence[Property], *seen: Any, effects: tuple[Effect, ...] = ()
    ) -> Names:
        found, world = NOTHING, self.world
        for known in properties:
            if known.violations(*seen, world=world, effects=effects):
                found = *found, known.name
        return found


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
        self._others = [group for group in self._groups if not group.reads_history]
        self._of_history = [group for group in self._groups if group.reads_history]
        # Steps that are told apart by histories alone, and those that are told by events as well.
        places = [place for place, group in enumerate(self._of_history) if group.steps]
        of_history = self._of_history
        self._quiet = [place for place in places if not of_history[place].tells_steps_apart]
        self._eventful = [place for place in places if of_history[place].tells_steps_apart]
        self._histories: tuple[int, ...] = ()
        self._told: tuple[int, ...] = (-1,) * len(world.nodes)
        self._is_fine = False
        self._projections: dict[int, tuple[int, ...]] = {}
        self._quiet_steps: dict[tuple[int, int, int], Names] = {}
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
            for index in indices:
                group.turn(index, group.projection(stage, index))
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
        key = (index, before, after, stage.last if self._eventful else ())
        bad = self._steps.get(key)
        if bad is None:
            # Most steps are new, but leave the history as it is, or change it as another did.
            quiet = self._quiet_steps.get(key[:3])
            if quiet is None:
                quiet = self._of_step(stage, index, before, after, self._quiet)
                self._quiet_steps[key[:3]] = quiet
            bad = quiet + self._of_step(stage, index, before, after, self._eventful)
            self._steps[key] = bad
        if before != after:
            bad += self._moved(stage, index)
        for group in self._others:
            bad += self._other(group, stage, index)
        return self._ordered(bad) if bad else NOTHING

    def _of_step(
        self, stage: Stage, index: int, before: int, after: int, places: Sequence[int]
    ) -> Names:
        """What the groups at ``places`` find wrong with a step between two histories."""
        bad = NOTHING
        befores = self._projected(stage, before)
        afters = befores if before == after else self._projected(stage, after)
        for place in places:
            group = self._of_history[place]
            bad += group.judge_step(stage, index, befores[place], afters[place])
        return bad

    def _moved(self, stage: Stage, index: int) -> Names:
        """What is wrong in a state in which the history of one node is another than before."""
        histories = tuple(stage.histories)
        if self._is_fine and histories in self._fine:
            # Where all that is read are histories, what was judged before is known by those.
            self._histories = histories
            return NOTHING
        self._catch_up(stage)
        self._histories = self._told = histories
        bad = NOTHING
        changed = []
        for group, number in zip(
            self._of_history, self._projected(stage, histories[index]), strict=True
        ):
            if number != group.now[index]:
                group.turn(index, number)
                changed.append(group)
        for group in changed:
            bad += group.judge(index)
            group.reach(self.reached)
        self._is_fine &= not bad
        self._remember()
        return bad

    def _other(self, group: Group, stage: Stage, index: int) -> Names:
        """What a group finds wrong, after a step, that reads what no history has."""
        before, after = group.now[index], group.projection(stage, index)
        bad = group.judge_step(stage, index, before, after) if group.steps else NOTHING
        if after != before:
            group.turn(index, after)
            wrong = group.judge(index)
            group.reach(self.reached)
            self._is_fine &= not wrong
            bad += wrong
        return bad

    def _catch_up(self, stage: Stage) -> None:
        """Let the groups that read histories know those of the state that was judged last."""
        if self._told is self._histories:
            return
        for index, (history, told) in enumerate(zip(self._histories, self._told, strict=True)):
            if history != told:
                numbers = self._projected(stage, history)
                for group, number in zip(self._of_history, numbers, strict=True):
                    group.turn(index, number)
        self._told = self._histories

    def _remember(self) -> None:
        """Note that nothing is wrong in this state, if it is so and histories tell states apart."""
        if self._is_fine and not self._others:
            self._fine.add(self._histories)

    def _projected(self, stage: Stage, history: int) -> tuple[int, ...]:
        known = self._projections.get(history)
        if known is None:
            histories = stage.reactions.histories
            known = tuple([group.projection_of(histories, history) for group in self._of_history])
            self._projections[history] = known
        return known

    def _ordered(self, names: Names) -> Names:
        return tuple(sorted(set(names), key=self._rank.__getitem__))
