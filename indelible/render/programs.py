"""Programs of asyncio as people read them: where tasks stand, what they wait for, their variables.

A state of theirs is exact, and so it holds a lot of asyncio's own: callbacks, partial functions,
frames of its functions. ``readable`` leaves that out, and is for reading only: two states that
differ may read the same. What such a state consists of is the matter of
``indelible.impl.adapters.coroutine_state``; what it is called there is found here by its names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from indelible.model.plain import TYPE, Fields, List, Same, Set
from indelible.render.paths import at
from indelible.render.streams import shortened, waited_for
from indelible.render.values import text_of

__all__ = ["Word", "is_program", "readable", "readable_step"]

_PARTS: Final = {"node", "sockets", "clock", "context", "handler", "alone", "(orders)", "(draws)"}
_LABELS: Final = ("task ", "timer ")
_HIDDEN: Final = {"_waiters", "_getters", "_putters", "_finished", "callbacks", "untaken"}
"""Parts of futures, queues and locks that say who waits for them: who waits says so itself."""
_WAITING: Final = re.compile(r"\['(?:with|callbacks|_waiters|_getters|_putters|_finished)'\]")
"""Where the path of something that is waited for leads into asyncio's own."""
_OWN: Final = "['awaits']"
"""In the path of what only the function that waits for it knows."""
_LIBRARY: Final = ("asyncio.", "indelible.")
_STATE: Final = "(state)"
"""How far an iterator has come."""
_CONTAINERS: Final = (tuple, List, frozenset, Set)
_QUEUES: Final = ("Queue", "PriorityQueue", "LifoQueue")


@dataclass(frozen=True, slots=True)
class Word:
    """Text that is shown as it is, and no string of the program."""

    text: str

    def __str__(self) -> str:
        return self.text


def is_program(state: object) -> bool:
    """Whether this is what a program of asyncio was at one moment."""
    return (
        isinstance(state, Fields)
        and state.kind is None
        and "node" in state
        and all(name in _PARTS or str(name).startswith(_LABELS) for name in state)
    )


def readable(state: Any) -> Any:
    """The state for reading; whatever is no program of asyncio as it is."""
    if not is_program(state):
        return state
    shown = {}
    for name, part in _with_names(state, state).items():
        if name != "(orders)":
            is_label = name.startswith(_LABELS)
            is_running = is_label and isinstance(part, Fields) and "runs" in part
            told = _task(part, f"{name}['runs']") if is_running else _read(part)
            shown[Word(name) if is_label else name] = told
    return Fields(shown)


def readable_step(before: Any, after: Any) -> tuple[Any, Any]:
    """Two states for reading what became of the first; of what has ended no more than that."""
    one, other = readable(before), readable(after)
    if not (is_program(before) and is_program(after)):
        return one, other
    ended = [name for name in one if isinstance(name, Word) and name not in other]
    stood = {name: Word(str(one[name].get("at", "set"))) for name in ended}
    return Fields({**one, **stood}), Fields({**other, **dict.fromkeys(ended, Word("ended"))})


def _with_names(value: Any, state: Fields) -> Any:
    """The value with tasks, streams and their like by their names, wherever it is told that
    something is the same as one."""
    if isinstance(value, Same):
        waited = waited_for(value.path, state)
        if waited is not None:
            return Word(waited)
        found = at(value.path, state)
        if isinstance(found, Fields) and found.kind == "Task":
            return found
        told = shortened(found, state) if isinstance(found, Fields) else None
        # What it leads to is told where it is; it may lead here.
        return value if told is None else Fields(told)
    if isinstance(value, Fields):
        parts = shortened(value, state, whole=True) or value
        return Fields({name: _with_names(part, state) for name, part in parts.items()})
    if type(value) in _CONTAINERS:
        return type(value)(_with_names(part, state) for part in value)
    return value


def _read(value: Any) -> Any:
    if isinstance(value, Fields):
        return _read_fields(value)
    if type(value) in _CONTAINERS:
        return type(value)(map(_read, value))
    return value


def _read_fields(value: Fields) -> Any:
    kind = value.kind or ""
    if kind == "Task" and set(value) == {TYPE, "name"}:
        return Word(f"task {value['name']}")
    if kind == "Task" and "runs" in value:
        return _task(value)
    if kind.endswith("()"):
        return _standing("Coroutine", value)
    if kind in ("Task", "Future", "GatheringFuture"):
        return _future(value)
    if kind in _QUEUES:
        return _queue(value)
    if kind in ("function", "method") and "name" in value:
        return Word(f"{value['name']}()")
    if kind in ("Handle", "Timer"):
        return _timer(value)
    return Fields({name: _read(part) for name, part in value.items() if name not in _HIDDEN})


def _timer(timer: Fields) -> Fields:
    """When it fires, and what it calls unless that is asyncio's."""
    kept = {name: _read(part) for name, part in timer.items() if name not in (TYPE, "with")}
    if str(kept.get("calls", "")).startswith(_LIBRARY):
        del kept["calls"]
    return Fields({TYPE: "Timer", **kept})


def _task(task: Fields, path: str = "") -> Fields:
    """``path``: of what it runs, if that is known."""
    told = {name: _read(task[name]) for name in ("must_cancel", "cancels") if name in task}
    return _standing("Task", task["runs"], path, {**_waiting(task.get("waits_for")), **told})


def _waiting(future: Any) -> dict[str, Any]:
    """Whom or what a task waits for, where that has a name."""
    if isinstance(future, Word):
        return {"waits_for": future}
    if isinstance(future, Same) and _OWN not in future.path:
        return {"waits_for": Word(_WAITING.split(future.path)[0])}
    if isinstance(future, Fields) and future.kind == "Task":
        return {"waits_for": _read(future)}
    return {}


def _future(future: Fields) -> Fields:
    """What has come of it; while nothing has, only that it is one."""
    kept = {name: future[name] for name in ("result", "exception", "message") if name in future}
    if future.get("state") == "cancelled":
        kept["cancelled"] = True
    elif future.get("untaken"):
        kept["taken"] = False
    elif "name" in future and not kept:
        kept["name"] = future["name"]
    return Fields({TYPE: future.kind, **{name: _read(part) for name, part in kept.items()}})


def _queue(queue: Fields) -> Any:
    """Its items, and how many are not done if that is another number."""
    items = queue.get("_queue", List())
    items = items.get("(items)", items) if isinstance(items, Fields) else items
    shown: dict[str, Any] = {"items": _read(items)}
    if queue.get("_maxsize"):
        shown["maxsize"] = queue["_maxsize"]
    if queue.get("_unfinished_tasks", len(items)) != len(items):
        shown["unfinished"] = queue["_unfinished_tasks"]
    return Fields({TYPE: queue.kind, **shown})


# --- coroutines -------------------------------------------------------------------------------


class _Frame(NamedTuple):
    """A function that stands somewhere; ``is_library``: it is asyncio's, or ours."""

    function: str
    place: str
    variables: Mapping[str, Any]
    is_library: bool


def _standing(
    kind: str, coroutine: Any, path: str = "", more: Mapping[str, Any] | None = None
) -> Fields:
    """Where the functions of a coroutine stand, the outermost first, and their variables."""
    frames = list(_frames(coroutine, path))
    own = [frame for frame in frames if not frame.is_library]
    shown: dict[str, Any] = {}
    for frame in own:
        for name, part in frame.variables.items():
            clash = name in shown and shown[name] != part
            shown[f"{name} of {frame.function}" if clash else name] = part
    return Fields({TYPE: kind, "at": Word(_place(frames, own)), **shown, **(more or {})})


def _frames(coroutine: Any, path: str) -> Iterator[_Frame]:
    while isinstance(coroutine, Fields) and (coroutine.kind or "").endswith("()"):
        place = str(coroutine.get("at", "")).partition(" (")[0]
        stack = {f"{path}['stack'][{i}]": part for i, part in enumerate(coroutine.get("stack", ()))}
        variables = {
            name.removesuffix("_"): _read(_first_met(part, stack))
            for name, part in coroutine.items()
            if name.endswith("_") and not _is_known(name, part)
        }
        # Of the stack only the place in a loop is of interest.
        at = [_in_loop(part) for part in stack.values() if _is_in_loop(part)]
        if at:
            variables["in_loop"] = at[0] if len(at) == 1 else List(at)
        yield _Frame(str(coroutine.kind), place, variables, place.startswith(_LIBRARY))
        coroutine, path = coroutine.get("awaits"), f"{path}['awaits']"


def _is_in_loop(part: Any) -> bool:
    return isinstance(part, Fields) and isinstance(part.get(_STATE), int) and "(arguments)" in part


def _in_loop(iterator: Fields) -> Word:
    of = iterator["(arguments)"]
    return Word(f"{iterator[_STATE]} of {text_of(_read(of[0] if len(of) == 1 else of))}")


def _first_met(part: Any, stack: Mapping[str, Any]) -> Any:
    """The variable itself, where it is the stack that has it first."""
    return stack.get(part.path, part) if isinstance(part, Same) else part


def _is_known(name: str, part: Any) -> bool:
    """Whether it is the node, or whose method it is, told elsewhere."""
    if isinstance(part, Same) and part.path == "node":
        return True
    return name == "self_" and not isinstance(part, Fields)


def _place(frames: list[_Frame], own: list[_Frame]) -> str:
    """``file:line > function() file:line``, and what of asyncio the last of them waits in."""
    if not own:
        return " > ".join(frame.function for frame in frames[-1:]) or "somewhere"
    words = [own[0].place, *(f"{frame.function} {frame.place}" for frame in own[1:])]
    waits_in = frames[frames.index(own[-1]) + 1 :]
    return " > ".join([*words, *(frame.function for frame in waits_in[:1])])
