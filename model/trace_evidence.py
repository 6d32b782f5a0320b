"""Evidence out of the data of a trace document, which ``trace_reader`` has read as JSON.

It looks at every part that it needs, and says which one is not what it must be; what is there
besides is the business of ``trace_reader``. Knows no text and no file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, NoReturn, TypeVar, cast

from indelible.model.cluster import ClusterState, LocalState
from indelible.model.effects import EFFECT_TYPES, Effect, Send
from indelible.model.errors import ScopeError, TraceError
from indelible.model.events import Event, InputEvent, Receive, Restart, Submit, Timeout, Torn
from indelible.model.itf_decoder import Decoder
from indelible.model.record import Record
from indelible.model.run import Run, RunStep, handled_event
from indelible.model.scope import Scope
from indelible.model.trace import LENGTHS, Evidence, Explanation, Length, Moment, Trace, Violation
from indelible.model.trace_document import PICKS, RECORD_FIELDS

__all__ = ["AS_WRITTEN", "NUMBER", "TEXT", "Reading", "damage", "field", "read_evidence", "short"]

T = TypeVar("T")

NUMBER: Final = int
TEXT: Final = str

AS_WRITTEN: Final = "take it as it was written, for instance from version control"

RECORD_ENTRIES: Final = {"decided": 2, "executed": 2, "votes": 3}
"""How many parts the entries of a record have that are tuples."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The evidence in a document, and the classes (``module:name``) that had to be stood in for."""

    evidence: Evidence
    missing: tuple[str, ...]


def read_evidence(
    data: Mapping[str, Any], name: str, find: Callable[[str], type | None]
) -> Reading:
    """The evidence; ``name`` is what errors call the document, ``find`` looks up a class.

    Raises ``TraceError``.
    """
    return _Reader(data, name, find).read()


def damage(where: str, fact: str) -> NoReturn:
    raise TraceError(
        f"{where} {fact}",
        cause="the file is damaged, or was edited by hand",
        remedy=AS_WRITTEN,
    )


def field(data: Mapping[str, Any], name: str, kind: type[T], where: str) -> T:
    """What ``data`` has under ``name``, which must be of a type that JSON has."""
    if name not in data:
        damage(where, f"has no {name!r}")
    value = data[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        damage(f"{where}.{name}", f"is not of type {kind.__name__}, but {short(value)}")
    return value


def short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


class _Reader:
    """Reads the values of one document."""

    def __init__(
        self, data: Mapping[str, Any], name: str, find: Callable[[str], type | None]
    ) -> None:
        self._data, self._name = data, name
        self._about = data["#meta"]["indelible"]
        self._where = f"{name}: #meta.indelible"
        self._nodes: tuple[Any, ...] = ()
        types = field(self._about, "types", dict, self._where)
        self._decoder = Decoder(types, f"{self._where}.types", find)

    def read(self) -> Reading:
        about, where = self._about, self._where
        scope = self._scope()
        self._nodes = scope.nodes
        steps = self._steps(scope)
        length = field(about, "length", TEXT, where)
        if length not in LENGTHS:
            damage(f"{where}.length", f"is {length!r}, and none of {', '.join(LENGTHS)}")
        actions = tuple(step.action for step in steps.steps)
        evidence = Evidence(
            target=field(about, "target", TEXT, where),
            property=field(about, "property", TEXT, where),
            trace=Trace(
                field(about, "implementation", TEXT, where), scope, actions, self._violation()
            ),
            run=steps,
            explanation=self._explanation(len(actions)),
            length=cast("Length", length),
            found=field(about, "found", dict, where),
            fixed=field(about, "fixed", bool, where),
        )
        return Reading(evidence, self._decoder.missing)

    def _decoded(self, data: Any, where: str, kind: type[T]) -> T:
        value = self._decoder.decode(data, where)
        if not isinstance(value, kind):
            damage(where, f"is not of type {kind.__name__}, but {short(data)}")
        return value

    def _violation(self) -> Violation:
        data, where = (
            field(self._about, "violation", dict, self._where),
            f"{self._where}.violation",
        )
        slot = data.get("slot")
        return Violation(
            field(data, "explanation", TEXT, where),
            None if slot is None else field(data, "slot", NUMBER, where),
            self._decoded(data.get("nodes"), f"{where}.nodes", tuple),
            self._decoded(data.get("values"), f"{where}.values", tuple),
            field(data, "property", TEXT, where),
        )

    def _explanation(self, length: int) -> Explanation:
        data = field(self._about, "explanation", dict, self._where)
        where = f"{self._where}.explanation"
        story = field(data, "story", list, where)
        for number in story:
            self._step_number(number, length, f"{where}.story")
        milestones = [
            self._moment(moment, length, f"{where}.milestones")
            for moment in field(data, "milestones", list, where)
        ]
        decisive = data.get("decisive")
        if decisive is not None:
            decisive = self._moment(decisive, length, f"{where}.decisive")
        return Explanation(tuple(story), tuple(milestones), decisive)

    def _moment(self, data: Any, length: int, where: str) -> Moment:
        if not isinstance(data, dict):
            damage(where, f"is no object, but {short(data)}")
        number = self._step_number(data.get("step"), length, f"{where}.step")
        return Moment(number, field(data, "says", TEXT, where))

    def _step_number(self, number: Any, length: int, where: str) -> int:
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= length:
            damage(where, f"names step {short(number)}, and there are {length}")
        return number

    def _scope(self) -> Scope:
        data, where = field(self._about, "scope", dict, self._where), f"{self._where}.scope"
        names = [part.name for part in fields(Scope)]
        if sorted(data) != sorted(names):
            damage(where, f"has the fields {', '.join(sorted(data))}, and not {', '.join(names)}")
        values = dict(data)
        values["commands"] = self._decoded(data["commands"], f"{where}.commands", tuple)
        if isinstance(data["timeouts_max"], list):
            values["timeouts_max"] = self._pairs(data["timeouts_max"], f"{where}.timeouts_max")
        if isinstance(data["may_submit"], list) and list in map(type, data["may_submit"]):
            values["may_submit"] = self._pairs(data["may_submit"], f"{where}.may_submit")
        try:
            return Scope(**values)
        except (ScopeError, TypeError) as error:
            damage(where, f"is none: {str(error).splitlines()[0]}")

    def _pairs(self, data: list[Any], where: str) -> dict[Any, Any]:
        """What is said of each timer or command, which must be hashable."""
        found: dict[Any, Any] = {}
        for pair in data:
            if not isinstance(pair, list) or len(pair) != 2:
                damage(where, f"has something that is no pair: {short(pair)}")
            name = self._decoder.decode(pair[0], where)
            _check_hash(name, where)
            found[name] = pair[1]
        return found

    def _steps(self, scope: Scope) -> Run:
        states = field(self._data, "states", list, self._name)
        if not states:
            return Run(scope, None, (), ())
        where = f"{self._name}: states[0]"
        now = self._locals(states[0], scope, where)
        started = self._by_node(states[0], "effects", scope.nodes, where)
        effects = tuple(self._effects(started[node], f"{where}.effects") for node in scope.nodes)
        initial = ClusterState(tuple(now[node] for node in scope.nodes))
        steps: list[RunStep] = []
        for number, data in enumerate(states[1:], start=1):
            where = f"{self._name}: states[{number}]"
            after = self._locals(data, scope, where)
            step = self._step(number, data, scope, now, after, where)
            steps.append(step)
            now = after
        return Run(scope, initial, effects, tuple(steps))

    def _step(
        self,
        number: int,
        data: Any,
        scope: Scope,
        before: Mapping[Any, LocalState],
        after: Mapping[Any, LocalState],
        where: str,
    ) -> RunStep:
        node, event = self._action(data, where)
        if node not in scope.nodes:
            damage(where, f"happens at {node!r}, which is not a node of the scope")
        effects = self._by_node(data, "effects", (node,), where)
        cause = self._decoder.decode(data.get("cause"), f"{where}.cause")
        if cause is not None and (type(cause) is not int or not 0 <= cause < number):
            damage(f"{where}.cause", f"is {short(data.get('cause'))}, and no earlier step")
        step = RunStep(
            number,
            node,
            event,
            before[node],
            after[node],
            self._effects(effects[node], f"{where}.effects"),
            self._effects(self._decoder.decode(data.get("lost"), f"{where}.lost"), where),
            self._effects(self._decoder.decode(data.get("restarted"), f"{where}.restarted"), where),
            field(data, "raised", TEXT, where),
            cause,
        )
        _check_step(step, scope, where)
        return step

    def _by_node(self, data: Any, name: str, nodes: tuple[Any, ...], where: str) -> dict[Any, Any]:
        """A variable that is a map from just these nodes."""
        if not isinstance(data, dict):
            damage(where, f"is no object, but {short(data)}")
        found = self._decoder.decode(data.get(name), f"{where}.{name}")
        if not isinstance(found, dict) or list(found) != list(nodes):
            damage(f"{where}.{name}", "is no map from the nodes, in their order")
        return found

    def _locals(self, data: Any, scope: Scope, where: str) -> dict[Any, LocalState]:
        states = self._by_node(data, "states", scope.nodes, where)
        pairs = data.get("records", {})
        pairs = pairs.get("#map") if isinstance(pairs, dict) else None
        if not isinstance(pairs, list) or len(pairs) != len(scope.nodes):
            damage(f"{where}.records", "is no map from the nodes, in their order")
        found: dict[Any, LocalState] = {}
        for node, pair in zip(scope.nodes, pairs, strict=True):
            if not isinstance(pair, list) or len(pair) != 2:
                damage(f"{where}.records", "has something that is no pair")
            found[node] = LocalState(
                states[node], self._record(pair[1], f"{where}.records[{node}]")
            )
        return found

    def _record(self, data: Any, where: str) -> Record:
        if not isinstance(data, dict) or sorted(data) != sorted(RECORD_FIELDS):
            damage(where, f"is no record with the fields {', '.join(RECORD_FIELDS)}")
        values: dict[str, Any] = {
            name: self._decoder.decode(data[name], f"{where}.{name}") for name in data
        }
        for name, default in Record._field_defaults.items():
            if name in values and default is not None and type(values[name]) is not type(default):
                damage(f"{where}.{name}", f"is not of type {type(default).__name__}")
        for name, size in RECORD_ENTRIES.items():
            if not all(isinstance(entry, tuple) and len(entry) == size for entry in values[name]):
                damage(f"{where}.{name}", f"has an entry that is no tuple of {size}")
        return Record(**values)

    def _effects(self, effects: Any, where: str) -> tuple[Effect, ...]:
        if not isinstance(effects, tuple) or not all(
            isinstance(effect, EFFECT_TYPES) for effect in effects
        ):
            damage(where, "has effects that are none of the contract's")
        for effect in effects:
            _check_hash(effect, where)
            if isinstance(effect, Send) and effect.to not in self._nodes:
                damage(where, f"sends to {effect.to!r}, which is not a node of the scope")
        return effects

    def _action(self, data: Any, where: str) -> tuple[Any, Event]:
        taken = field(data, "mbt::actionTaken", TEXT, where)
        picks = self._picks(data, f"{where}.mbt::nondetPicks")
        kept = picks.pop("kept", None)
        node = picks.pop("node", None)
        match taken, *sorted(picks):
            case "Receive" | "Torn", "message", "source":
                event: InputEvent = Receive(picks["source"], picks["message"])
            case "Timeout" | "Torn", "timer":
                event = Timeout(picks["timer"])
            case "Submit" | "Torn", "command":
                event = Submit(picks["command"])
            case ("Restart",):
                return node, Restart()
            case _:
                damage(where, f"does {taken!r} with {', '.join(sorted(picks)) or 'nothing'}")
        if (taken == "Torn") != (type(kept) is int):
            damage(where, f"does {taken!r}, and keeps {kept!r} effects")
        return node, Torn(event, kept) if type(kept) is int else event

    def _picks(self, data: Any, where: str) -> dict[str, Any]:
        picks = field(data, "mbt::nondetPicks", dict, where)
        if sorted(picks) != sorted(PICKS):
            damage(where, f"has not just the fields {', '.join(PICKS)}")
        found: dict[str, Any] = {}
        for name, pick in picks.items():
            if not isinstance(pick, dict) or pick.get("tag") not in ("Some", "None"):
                damage(f"{where}.{name}", "is neither 'Some' nor 'None'")
            if pick["tag"] == "Some":
                found[name] = self._decoder.decode(pick.get("value"), f"{where}.{name}")
        return found


def _check_hash(value: object, where: str) -> None:
    """Events, effects, timers and commands are hashable, like all that they are made of."""
    try:
        hash(value)
    except Exception as error:
        damage(where, f"has what cannot be there: {error}")


def _check_step(step: RunStep, scope: Scope, where: str) -> None:
    """Whatever must be so in a step of any implementation, and renderings rely on."""
    event = handled_event(step.event)
    _check_hash(event, where)
    if isinstance(event, Receive) and event.source not in scope.nodes:
        damage(where, f"receives from {event.source!r}, which is not a node of the scope")
    if isinstance(event, Receive) != (step.cause is not None):
        damage(f"{where}.cause", "must be there where a message is received, and only there")
    if isinstance(step.event, Torn):
        if len(step.effects) != step.event.kept:
            damage(where, f"keeps {step.event.kept} effects, and has {len(step.effects)}")
    elif step.lost:
        damage(f"{where}.lost", "has effects, though no crash cut the step short")
    if step.restarted and not isinstance(step.event, Restart | Torn):
        damage(f"{where}.restarted", "has effects, though nothing restarts")
