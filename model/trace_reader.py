"""Reading trace documents: what ``trace_document`` wrote, and nothing else.

A document is read only if what was read would be written just so again: nothing in it is skipped,
guessed or overruled. Whether that is so depends on the document alone, and not on what is
installed. Every error is a ``TraceError`` that names the place and what to do.

Nothing is imported: a class of the implementation that is not loaded, or not what it was, is stood
in for (``itf_decoder.py``). So a document is read in two steps: who it is about, then, once that is
imported, what happened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Final, NoReturn, TypeVar, cast

from indelible.model.classes import find_class
from indelible.model.cluster import ClusterState, LocalState
from indelible.model.effects import EFFECT_TYPES, Effect
from indelible.model.errors import ScopeError, TraceError
from indelible.model.events import Event, InputEvent, Receive, Restart, Submit, Timeout, Torn
from indelible.model.itf import DIGITS_MAX, too_deep
from indelible.model.itf_decoder import Decoder
from indelible.model.record import Record
from indelible.model.run import Run, RunStep, handled_event
from indelible.model.scope import Scope
from indelible.model.trace import LENGTHS, Evidence, Explanation, Length, Moment, Trace, Violation
from indelible.model.trace_document import FORMAT_VERSION, PICKS, RECORD_FIELDS, document_data

__all__ = ["Document", "Reading", "parse_document"]

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


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose values are not read yet; ``name`` is what errors call it."""

    name: str
    target: str
    property: str
    fixed: bool
    data: Mapping[str, Any]

    def read(self) -> Reading:
        """The evidence; import the target first. Raises ``TraceError``."""
        self.recorded()
        return self._read(find_class)

    def recorded(self) -> Evidence:
        """The evidence with other classes in place of the implementation's, loaded or not.

        A function of the document alone, which writes the same document again. Raises
        ``TraceError``.
        """
        evidence = self._read(_find_ours).evidence
        difference = _difference(self.data, document_data(evidence), f"{self.name}:")
        if difference is not None:
            _damaged(*difference)
        return evidence

    def _read(self, find: Callable[[str], type | None]) -> Reading:
        try:
            return _Reader(self, find).read()
        except RecursionError:
            raise too_deep(self.name) from None


def _find_ours(path: str) -> type | None:
    return find_class(path) if path.startswith("indelible.model.") else None


def parse_document(text: str, name: str = "the trace") -> Document:
    """The document in ``text``, as far as it can be read without its target.

    Raises ``TraceError`` where it is damaged, cut off, of another tool or of a later version.
    """
    data = _json(text, name)
    meta = data.get("#meta") if isinstance(data, dict) else None
    about = meta.get("indelible") if isinstance(meta, dict) else None
    if not isinstance(about, dict):
        is_itf = isinstance(data, dict) and isinstance(data.get("states"), list)
        raise TraceError(
            f"{name} is a trace in ITF, but not one of indelible: it has no '#meta.indelible'"
            if is_itf
            else f"{name} is no trace: it has neither '#meta.indelible' nor 'states'",
            cause="it was written by another tool (Apalache and Quint write ITF too)"
            if is_itf
            else "it is another kind of file",
            remedy="give a file that 'indelible check --save' has written",
        )
    where = f"{name}: #meta.indelible"
    version = _field(about, "version", NUMBER, where)
    if version > FORMAT_VERSION:
        raise TraceError(
            f"{name} is of version {version} of the format",
            cause="a later indelible has written it",
            remedy="install a later indelible, as in 'pip install --upgrade indelible'",
            available=f"version {FORMAT_VERSION}",
        )
    if version != FORMAT_VERSION:
        _damaged(f"{where}.version", f"is {version}, and there is no such version")
    return Document(
        name,
        _field(about, "target", TEXT, where),
        _field(about, "property", TEXT, where),
        _field(about, "fixed", bool, where),
        data,
    )


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_number,
            parse_int=_whole_number,
            object_pairs_hook=_no_repeats,
        )
    except json.JSONDecodeError as error:
        fact = f"{name} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        rest = text.strip()
        if not rest:
            fact, cause = f"{name} is empty", "writing it failed, or it is another kind of file"
        elif rest[0] == "{" and (rest[-1] != "}" or error.pos >= len(text.rstrip())):
            cause = "it is cut off"
        else:
            cause = "it is damaged, or another kind of file"
        raise TraceError(fact, cause=cause, remedy=AS_WRITTEN) from None
    except RecursionError:
        raise too_deep(name) from None
    except ValueError as error:
        raise TraceError(
            f"{name} cannot be read: {error}",
            cause="it is damaged, or was edited by hand",
            remedy=AS_WRITTEN,
        ) from None


def _whole_number(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError(f"a number in it has {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:20]} is more than a number can be")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has {twice!r} twice")
    return found


def _damaged(where: str, fact: str) -> NoReturn:
    raise TraceError(
        f"{where} {fact}",
        cause="the file is damaged, or was edited by hand",
        remedy=AS_WRITTEN,
    )


def _field(data: Mapping[str, Any], name: str, kind: type[T], where: str) -> T:
    """What ``data`` has under ``name``, which must be of a type that JSON has."""
    if name not in data:
        _damaged(where, f"has no {name!r}")
    value = data[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        _damaged(f"{where}.{name}", f"is not of type {kind.__name__}, but {_short(value)}")
    return value


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _difference(given: Any, written: Any, where: str) -> tuple[str, str] | None:
    """The first place where a document is not what is written of what was read, and in what."""
    if isinstance(given, dict) and isinstance(written, dict):
        for name in (*given, *written):
            if name not in written:
                return where.rstrip(":"), f"has {name!r}, which the format has not"
            if name not in given:
                return where.rstrip(":"), f"has no {name!r}"
        pairs = [(given[name], written[name], f".{name}") for name in written]
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        both = zip(given, written, strict=True)
        pairs = [(one, other, f"[{index}]") for index, (one, other) in enumerate(both)]
    elif type(given) is type(written) and given == written:
        return None
    else:
        return where, f"is {_short(given)}, which from the rest must be {_short(written)}"
    for one, other, part in pairs:
        place = f"{where} {part[1:]}" if where.endswith(":") else f"{where}{part}"
        found = _difference(one, other, place)
        if found is not None:
            return found
    return None


class _Reader:
    """Reads the values of one document."""

    def __init__(self, document: Document, find: Callable[[str], type | None]) -> None:
        self._document = document
        self._about = document.data["#meta"]["indelible"]
        self._where = f"{document.name}: #meta.indelible"
        types = _field(self._about, "types", dict, self._where)
        self._decoder = Decoder(types, f"{self._where}.types", find)

    def read(self) -> Reading:
        about, where = self._about, self._where
        scope = self._scope()
        steps = self._steps(scope)
        length = _field(about, "length", TEXT, where)
        if length not in LENGTHS:
            _damaged(f"{where}.length", f"is {length!r}, and none of {', '.join(LENGTHS)}")
        actions = tuple(step.action for step in steps.steps)
        evidence = Evidence(
            target=self._document.target,
            property=self._document.property,
            trace=Trace(
                _field(about, "implementation", TEXT, where), scope, actions, self._violation()
            ),
            run=steps,
            explanation=self._explanation(len(actions)),
            length=cast("Length", length),
            found=_field(about, "found", dict, where),
            fixed=self._document.fixed,
        )
        return Reading(evidence, self._decoder.missing)

    def _decoded(self, data: Any, where: str, kind: type[T]) -> T:
        value = self._decoder.decode(data, where)
        if not isinstance(value, kind):
            _damaged(where, f"is not of type {kind.__name__}, but {_short(data)}")
        return value

    def _violation(self) -> Violation:
        data, where = (
            _field(self._about, "violation", dict, self._where),
            f"{self._where}.violation",
        )
        slot = data.get("slot")
        return Violation(
            _field(data, "explanation", TEXT, where),
            None if slot is None else _field(data, "slot", NUMBER, where),
            self._decoded(data.get("nodes"), f"{where}.nodes", tuple),
            self._decoded(data.get("values"), f"{where}.values", tuple),
            _field(data, "property", TEXT, where),
        )

    def _explanation(self, length: int) -> Explanation:
        data = _field(self._about, "explanation", dict, self._where)
        where = f"{self._where}.explanation"
        story = _field(data, "story", list, where)
        for number in story:
            self._step_number(number, length, f"{where}.story")
        milestones = [
            self._moment(moment, length, f"{where}.milestones")
            for moment in _field(data, "milestones", list, where)
        ]
        decisive = data.get("decisive")
        if decisive is not None:
            decisive = self._moment(decisive, length, f"{where}.decisive")
        return Explanation(tuple(story), tuple(milestones), decisive)

    def _moment(self, data: Any, length: int, where: str) -> Moment:
        if not isinstance(data, dict):
            _damaged(where, f"is no object, but {_short(data)}")
        number = self._step_number(data.get("step"), length, f"{where}.step")
        return Moment(number, _field(data, "says", TEXT, where))

    def _step_number(self, number: Any, length: int, where: str) -> int:
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= length:
            _damaged(where, f"names step {_short(number)}, and there are {length}")
        return number

    def _scope(self) -> Scope:
        data, where = _field(self._about, "scope", dict, self._where), f"{self._where}.scope"
        names = [part.name for part in fields(Scope)]
        if sorted(data) != sorted(names):
            _damaged(where, f"has the fields {', '.join(sorted(data))}, and not {', '.join(names)}")
        values = dict(data)
        values["commands"] = self._decoded(data["commands"], f"{where}.commands", tuple)
        if isinstance(data["timeouts_max"], list):
            values["timeouts_max"] = self._timeouts(data["timeouts_max"], f"{where}.timeouts_max")
        try:
            return Scope(**values)
        except (ScopeError, TypeError) as error:
            _damaged(where, f"is none: {str(error).splitlines()[0]}")

    def _timeouts(self, data: list[Any], where: str) -> dict[Any, Any]:
        for pair in data:
            if not isinstance(pair, list) or len(pair) != 2:
                _damaged(where, "has something that is no pair of timer and bound")
        return {self._decoder.decode(timer, where): most for timer, most in data}

    def _steps(self, scope: Scope) -> Run:
        states = _field(self._document.data, "states", list, self._document.name)
        if not states:
            return Run(scope, None, (), ())
        where = f"{self._document.name}: states[0]"
        now = self._locals(states[0], scope, where)
        started = self._by_node(states[0], "effects", scope.nodes, where)
        initial = ClusterState(tuple(now[node] for node in scope.nodes))
        steps: list[RunStep] = []
        for number, data in enumerate(states[1:], start=1):
            where = f"{self._document.name}: states[{number}]"
            after = self._locals(data, scope, where)
            step = self._step(number, data, scope, now, after, where)
            steps.append(step)
            now = after
        effects = tuple(self._effects(started[node], where) for node in scope.nodes)
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
            _damaged(where, f"happens at {node!r}, which is not a node of the scope")
        effects = self._by_node(data, "effects", (node,), where)
        cause = self._decoder.decode(data.get("cause"), f"{where}.cause")
        if cause is not None and (type(cause) is not int or not 0 <= cause < number):
            _damaged(f"{where}.cause", f"is {_short(data.get('cause'))}, and no earlier step")
        step = RunStep(
            number,
            node,
            event,
            before[node],
            after[node],
            self._effects(effects[node], f"{where}.effects"),
            self._effects(self._decoder.decode(data.get("lost"), f"{where}.lost"), where),
            self._effects(self._decoder.decode(data.get("restarted"), f"{where}.restarted"), where),
            _field(data, "raised", TEXT, where),
            cause,
        )
        _check_step(step, scope, where)
        return step

    def _by_node(self, data: Any, name: str, nodes: tuple[Any, ...], where: str) -> dict[Any, Any]:
        """A variable that is a map from just these nodes."""
        if not isinstance(data, dict):
            _damaged(where, f"is no object, but {_short(data)}")
        found = self._decoder.decode(data.get(name), f"{where}.{name}")
        if not isinstance(found, dict) or list(found) != list(nodes):
            _damaged(f"{where}.{name}", "is no map from the nodes, in their order")
        return found

    def _locals(self, data: Any, scope: Scope, where: str) -> dict[Any, LocalState]:
        states = self._by_node(data, "states", scope.nodes, where)
        pairs = data.get("records", {})
        pairs = pairs.get("#map") if isinstance(pairs, dict) else None
        if not isinstance(pairs, list) or len(pairs) != len(scope.nodes):
            _damaged(f"{where}.records", "is no map from the nodes, in their order")
        found: dict[Any, LocalState] = {}
        for node, pair in zip(scope.nodes, pairs, strict=True):
            if not isinstance(pair, list) or len(pair) != 2:
                _damaged(f"{where}.records", "has something that is no pair")
            found[node] = LocalState(
                states[node], self._record(pair[1], f"{where}.records[{node}]")
            )
        return found

    def _record(self, data: Any, where: str) -> Record:
        if not isinstance(data, dict) or sorted(data) != sorted(RECORD_FIELDS):
            _damaged(where, f"is no record with the fields {', '.join(RECORD_FIELDS)}")
        values: dict[str, Any] = {
            name: self._decoder.decode(data[name], f"{where}.{name}") for name in data
        }
        for name, default in Record._field_defaults.items():
            if name in values and default is not None and type(values[name]) is not type(default):
                _damaged(f"{where}.{name}", f"is not of type {type(default).__name__}")
        for name, size in RECORD_ENTRIES.items():
            if not all(isinstance(entry, tuple) and len(entry) == size for entry in values[name]):
                _damaged(f"{where}.{name}", f"has an entry that is no tuple of {size}")
        return Record(**values)

    def _effects(self, effects: Any, where: str) -> tuple[Effect, ...]:
        if not isinstance(effects, tuple) or not all(
            isinstance(effect, EFFECT_TYPES) for effect in effects
        ):
            _damaged(where, "has effects that are none of the contract's")
        return effects

    def _action(self, data: Any, where: str) -> tuple[Any, Event]:
        taken = _field(data, "mbt::actionTaken", TEXT, where)
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
                _damaged(where, f"does {taken!r} with {', '.join(sorted(picks)) or 'nothing'}")
        if (taken == "Torn") != (type(kept) is int):
            _damaged(where, f"does {taken!r}, and keeps {kept!r} effects")
        return node, Torn(event, kept) if type(kept) is int else event

    def _picks(self, data: Any, where: str) -> dict[str, Any]:
        picks = _field(data, "mbt::nondetPicks", dict, where)
        if sorted(picks) != sorted(PICKS):
            _damaged(where, f"has not just the fields {', '.join(PICKS)}")
        found: dict[str, Any] = {}
        for name, pick in picks.items():
            if not isinstance(pick, dict) or pick.get("tag") not in ("Some", "None"):
                _damaged(f"{where}.{name}", "is neither 'Some' nor 'None'")
            if pick["tag"] == "Some":
                found[name] = self._decoder.decode(pick.get("value"), f"{where}.{name}")
        return found


def _check_step(step: RunStep, scope: Scope, where: str) -> None:
    """Whatever must be so in a step of any implementation, and renderings rely on."""
    event = handled_event(step.event)
    if isinstance(event, Receive) and event.source not in scope.nodes:
        _damaged(where, f"receives from {event.source!r}, which is not a node of the scope")
    if isinstance(event, Receive) != (step.cause is not None):
        _damaged(f"{where}.cause", "must be there where a message is received, and only there")
    if isinstance(step.event, Torn):
        if len(step.effects) != step.event.kept:
            _damaged(where, f"keeps {step.event.kept} effects, and has {len(step.effects)}")
    elif step.lost:
        _damaged(f"{where}.lost", "has effects, though no crash cut the step short")
    if step.restarted and not isinstance(step.event, Restart | Torn):
        _damaged(f"{where}.restarted", "has effects, though nothing restarts")
