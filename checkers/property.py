"""What a property is: a plain function over records, with what it reads.

It judges what a run shows, never how an implementation works: it sees records, and of those only
the fields it declares, which decides what it costs; of a step also its effects. It returns ``True``
or ``False``, or yields a ``Violation`` (or a sentence) for each thing that is wrong. The built-in
ones live in ``properties``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import GeneratorType
from typing import Any, Final, Literal, TypeAlias

from indelible.checkers.ballots import require_comparable
from indelible.model.effects import Decide, Effect, Execute, Lead, Promise, Vote
from indelible.model.errors import PropertyError
from indelible.model.events import Command, NodeId
from indelible.model.quorums import MajorityQuorums, QuorumSystem
from indelible.model.record import Record
from indelible.model.scope import Scope
from indelible.model.trace import Violation

__all__ = [
    "TESTIMONY",
    "Property",
    "Reads",
    "View",
    "World",
    "always",
    "quorums_of",
    "sometimes",
    "view",
    "world_of",
]

Reads: TypeAlias = Literal["record", "step", "pair", "records"]
"""One record; the records before and after a local step; those of any two nodes, in
either order (and of each node with itself); those of all nodes."""

ON_REQUEST: Final = ("world", "effects", "testimony")
"""Parameters that a property gets if it has one of that name."""

PARAMETERS: Final[Mapping[str, int]] = {"record": 1, "step": 3, "pair": 2, "records": 1}
FIELDS: Final = Record._fields

TESTIMONY: Final[Mapping[str, type]] = {
    "decided": Decide,
    "executed": Execute,
    "votes": Vote,
    "promised": Promise,
    "leaderships": Lead,
}
"""The effect without which a field of the record says nothing.

A property that reads the effects of a step declares what they go into just the same: ``executed``
if it is about ``Execute``. An answer to a client goes into no field, so that who says something of
it must know that the implementation gives any.
"""

WALKED: Final = (GeneratorType, Iterator)
"""What a function that yields gives back; the first because it is told sooner than the second."""

INTERNAL: Final = frozenset({"votes", "promised", "leaderships"})


@dataclass(frozen=True, slots=True)
class World:
    """What a property may know beside the records: ask for it by a parameter named ``world``."""

    nodes: tuple[NodeId, ...]
    commands: tuple[Command, ...]
    submissions_max: int | None
    restarts_max: int | None
    quorums: QuorumSystem


def world_of(implementation: object, scope: Scope) -> World:
    """The world in which ``implementation`` is judged: majorities, unless it says otherwise."""
    quorums = quorums_of(implementation)
    return World(scope.nodes, scope.commands, scope.submissions_max, scope.restarts_max, quorums)


def quorums_of(implementation: object) -> QuorumSystem:
    """By what it is judged what is chosen: its own quorums, or majorities."""
    return getattr(implementation, "quorums", None) or MajorityQuorums()


class View:
    """One node's record, reduced to the fields that a property declares, and ``node``."""

    def __init__(self, node: NodeId, known: Mapping[str, Any]) -> None:
        self.node = node
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        raise PropertyError(
            f"the property reads {name!r}, which it does not declare",
            remedy=f"add {name!r} to its fields" if name in FIELDS else "",
            available=", ".join(sorted(self.__dict__)),
        )


def view(node: NodeId, record: Record, names: Iterable[str]) -> View:
    """What a property that declares the fields ``names`` sees of a record."""
    return View(node, {name: getattr(record, name) for name in names})


@dataclass(frozen=True, slots=True)
class Property:
    """A function with what it reads. ``check`` takes views; ``says`` is its law in one line.

    ``wants_world``, ``wants_effects`` and ``wants_testimony`` say which parameters it has beside
    the views.
    """

    name: str
    kind: Literal["always", "sometimes"]
    reads: Reads
    fields: tuple[str, ...]
    check: Callable[..., Any]
    wants_world: bool
    wants_effects: bool
    wants_testimony: bool
    says: str
    reads_event: bool = False

    @property
    def testimony(self) -> frozenset[type]:
        """The effects without which this property is not observable."""
        return frozenset(TESTIMONY[name] for name in self.fields if name in TESTIMONY)

    @property
    def internal(self) -> bool:
        """Whether it reads votes, promises or leaderships: rules no client can see broken."""
        return not INTERNAL.isdisjoint(self.fields)

    @property
    def wants_step(self) -> bool:
        """Whether anything that a step did beside its two records makes a difference to it."""
        return self.wants_effects or self.wants_testimony

    def told_of(self, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """Those of the effects that it is given: it judges the same if given just those."""
        if self.wants_effects:
            return effects
        if not self.wants_testimony:
            return ()
        kinds = self.testimony
        return tuple([effect for effect in effects if type(effect) in kinds])

    def violations(
        self, *arguments: Any, world: World, effects: tuple[Effect, ...] = ()
    ) -> tuple[Violation, ...]:
        """Everything that is wrong here; empty if the property holds.

        ``effects`` are those of the step, where it reads one.
        """
        answer = self._answer(arguments, world, effects)
        if answer is True or (type(answer) is tuple and not answer):
            return ()
        if answer is False:
            return (Violation(self.says, property=self.name),)
        if answer is None or isinstance(answer, str) or not isinstance(answer, Iterable):
            raise PropertyError(
                f"property {self.name} returned {answer!r}",
                cause="nothing returned is not the same as nothing wrong",
                remedy="return True or False, or yield what is wrong",
            )
        return tuple(
            replace(found, property=self.name)
            if isinstance(found, Violation)
            else Violation(str(found), property=self.name)
            for found in answer
        )

    def holds(self, *arguments: Any, world: World) -> bool:
        """Whether this *sometimes* property is true here."""
        answer = self._answer(arguments, world, ())
        if not isinstance(answer, bool):
            raise PropertyError(
                f"property {self.name} returned {answer!r}",
                remedy="let a 'sometimes' property return True or False",
            )
        return answer

    def _answer(self, arguments: tuple[Any, ...], world: World, effects: tuple[Effect, ...]) -> Any:
        try:
            asked: dict[str, Any] = {"effects": effects} if self.wants_effects else {}
            if self.wants_testimony:
                asked["testimony"] = self.told_of(effects)
            if self.wants_world:
                answer = self.check(*arguments, world=world, **asked)
            else:
                answer = self.check(*arguments, **asked)
            # What is yielded is worked out only when it is walked, which may raise too.
            return tuple(answer) if isinstance(answer, WALKED) else answer
        except PropertyError:
            raise
        except Exception as error:
            if isinstance(error, TypeError):
                require_comparable(arguments, effects)
            raise PropertyError(
                f"property {self.name} raised {type(error).__name__}: {error}",
                cause="an error in the property, or values it was not written for",
            ) from error


Decorated: TypeAlias = Callable[[Callable[..., Any]], Property]


def always(*, reads: Reads, fields: Iterable[str], name: str | None = None) -> Decorated:
    """Make a function a property that must hold in every reachable state.

    ``reads`` says what it is called with, each as a ``View`` with the ``fields`` named (those of
    ``Record``): ``"record"`` (record), ``"pair"`` (one, other), ``"records"`` (records), ``"step"``
    (before, event, after); an event whose parameter begins with an underscore is not read, which
    spares asking for each. A keyword parameter ``world`` gets the nodes, commands and quorums.

    A property of a step may also ask for ``effects``: those that took place, in order; after a
    crash, inside the step or as its event, come those of the new start. Or for ``testimony``: of
    these effects those that go into its ``fields``, which costs less. What changes neither the node
    nor its record is no step, whatever its effects. A step is atomic to all others: what reads
    records sees those after it.
    """
    return _decorator("always", reads, fields, name)


def sometimes(*, reads: Reads, fields: Iterable[str], name: str | None = None) -> Decorated:
    """Make a function a property that must be true in some reachable state; see ``always``."""
    return _decorator("sometimes", reads, fields, name)


def _decorator(
    kind: Literal["always", "sometimes"], reads: Reads, names: Iterable[str], name: str | None
) -> Decorated:
    chosen = (names,) if isinstance(names, str) else tuple(names)
    if reads not in PARAMETERS:
        raise PropertyError(f"reads={reads!r}", available=", ".join(PARAMETERS))
    if kind == "sometimes" and reads == "step":
        raise PropertyError(
            "a 'sometimes' property cannot read a step", available="record, pair, records"
        )
    unknown = [field for field in chosen if field not in FIELDS]
    if unknown:
        raise PropertyError(f"a record has no field {unknown[0]!r}", available=", ".join(FIELDS))

    def decorate(function: Callable[..., Any]) -> Property:
        parameters = list(inspect.signature(function).parameters)
        positional = [parameter for parameter in parameters if parameter not in ON_REQUEST]
        called: str = name or function.__name__
        if len(positional) != PARAMETERS[reads]:
            raise PropertyError(
                f"property {called} reads {reads!r} but takes {len(positional)} parameters",
                remedy=f"take {PARAMETERS[reads]}, and 'world' if it needs that",
            )
        of_step = [asked for asked in ("effects", "testimony") if asked in parameters]
        if of_step and reads != "step":
            raise PropertyError(
                f"property {called} asks for {of_step[0]}, but reads {reads!r}",
                cause="only a step has effects; a record says what became of them",
                remedy="let it read 'step'",
            )
        says = (inspect.getdoc(function) or called.replace("_", " ")).split("\n", 1)[0]
        reads_event = reads == "step" and not positional[1].startswith("_")
        return Property(
            called,
            kind,
            reads,
            chosen,
            function,
            wants_world="world" in parameters,
            wants_effects="effects" in parameters,
            wants_testimony="testimony" in parameters,
            says=says,
            reads_event=reads_event,
        )

    return decorate
