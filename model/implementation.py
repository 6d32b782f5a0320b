"""The contract with the code on trial, and the one place that calls it.

``ask`` is the only caller of ``start`` and ``handle``: it validates what comes back, turns an
exception into a finding, and can ask twice to catch an implementation that is not deterministic.
It knows nothing of records, scopes or networks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from opcode import opmap
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from indelible.model.effects import (
    EFFECT_TYPES,
    Decide,
    Effect,
    Execute,
    Send,
    SetTimer,
    Storage,
    Vote,
)
from indelible.model.errors import (
    ImplementationError,
    ImplementationRaised,
    IndelibleError,
)
from indelible.model.events import InputEvent, NodeId, node_name
from indelible.model.plain import Fields

__all__ = [
    "Implementation",
    "State",
    "Step",
    "ask_handle",
    "ask_start",
    "cause_of_another_end",
    "differing_part",
    "implementation_name",
]

State: TypeAlias = Hashable

PLACED: Final = (Decide, Vote, Execute)
"""The effects that are about a slot or an index."""

RAISING: Final = frozenset({opmap["RAISE_VARARGS"], opmap["RERAISE"]})

TESTING: Final = frozenset({"_pytest", "hypothesis"})
"""Whose exceptions end a test, and may be raised anywhere in it."""

Described: TypeAlias = Callable[[], str]
"""What was asked, in words: put into words only where something is wrong with the answer."""


class Step(NamedTuple):
    """What a node becomes, and what it asks of the world, in order."""

    state: Any
    effects: tuple[Effect, ...] = ()


class Implementation(Protocol):
    """A node's program: deterministic, no input or output, every value hashable.

    Optional attributes: ``quorums`` (a ``QuorumSystem``; majorities if absent) by which properties
    judge what is chosen; ``links`` (one of ``Scope``'s), the weakest links it is made for, and
    ``crashes`` (``False`` if it is not made to survive them), which a scope that somebody asks for
    may exceed; ``scope``, the one to check it in unless another is asked for; and ``notes``, a
    tuple of texts that reports repeat.

    An optional method ``foresee(questions)`` is told of (node, state, event) triples just before
    ``handle`` is asked each of them, as often as it is in there, so that it can find the answers
    together.

    An optional method ``concluding()`` is called before a verdict is given: it raises
    ``ImplementationError`` for what it has found too late, and returns more such ``notes``.

    A state is only ever handed back to the node that it is of, and equal ones stand for one
    another. State and storage are of whatever types it says (here ``Any``, so that it may say).
    """

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Any
    ) -> tuple[Any, tuple[Effect, ...]]:
        """The first step, and the first after each restart, with what was last persisted."""
        ...

    def handle(self, node: NodeId, state: Any, event: InputEvent) -> tuple[Any, tuple[Effect, ...]]:
        """The step that ``event`` causes."""
        ...


def implementation_name(implementation: object) -> str:
    """How reports call it: its own ``name``, or that of its class."""
    return str(getattr(implementation, "name", None) or type(implementation).__name__)


def cause_of_another_end(implementation: object) -> str:
    """Why the same events may have led to something else, the likeliest cause first."""
    cause = (
        "the implementation is not deterministic: a clock, randomness, or a counter kept outside "
        "the state (if it surely is, this is a bug in indelible; please report it)"
    )
    if getattr(implementation, "fingerprint", None) is None:
        return cause
    return f"the fingerprint leaves out something that decides how a node goes on; or {cause}"


def ask_start(
    implementation: Implementation,
    node: NodeId,
    nodes: tuple[NodeId, ...],
    storage: Storage | None,
    *,
    twice: bool = False,
) -> Step:
    """Call ``start``. Raises ``ImplementationError`` and ``ImplementationRaised``."""

    def what() -> str:
        return f"start({node_name(node)}, storage={storage!r})"

    def asked() -> Step:
        return _validated(lambda: implementation.start(node, nodes, storage), what, nodes)

    step = asked()
    if twice:
        _compare(step, asked(), what, implementation)
    return step


def ask_handle(
    implementation: Implementation,
    node: NodeId,
    nodes: tuple[NodeId, ...],
    state: State,
    event: InputEvent,
    *,
    twice: bool = False,
) -> Step:
    """Call ``handle``. Raises ``ImplementationError`` and ``ImplementationRaised``."""

    def what() -> str:
        return f"handle({node_name(node)}, {event!r})"

    watched = twice and not isinstance(state, Fields)  # Which nobody can write to.
    before = repr(state) if watched else ""

    def asked() -> Step:
        return _validated(lambda: implementation.handle(node, state, event), what, nodes, state)

    step = asked()
    if twice:
        _compare(step, asked(), what, implementation)
        if watched and repr(state) != before:
            raise ImplementationError(
                f"{what()} changed the state it was given",
                cause="the state is a mutable object, and handle wrote to it",
                remedy="return a new state, and leave the old one as it was",
            )
    return step


def _validated(
    call: Any, what: Described, nodes: tuple[NodeId, ...], before: object = None
) -> Step:
    """The step, if it is one, of a node that was in the state ``before``."""
    try:
        result = call()
    except (ImplementationRaised, IndelibleError, SystemExit):
        raise  # What an adapter says of the code that it hosts, or who runs all this.
    except Exception as error:
        raise ImplementationRaised(error) from error
    except BaseException as error:
        if _is_of_others(error):
            raise
        raise ImplementationRaised(error) from error
    if not isinstance(result, tuple) or len(result) != 2:
        raise ImplementationError(
            f"{what()} returned {_short(result)}",
            cause="a step is a pair: the next state and the effects, in order",
            remedy="return (state, effects), with () where there are no effects",
        )
    if result is before:
        raise ImplementationError(
            f"{what()} returned the state that it was given, and no effects",
            cause="a step is a pair: the next state and the effects, in order; this state is a "
            "pair, too, and would be taken for one",
            remedy="return (state, ()) where nothing changes",
        )
    state, effects = result
    if not isinstance(effects, tuple):
        if not isinstance(effects, list):
            raise ImplementationError(
                f"{what()} returned effects of type {type(effects).__name__}",
                cause="effects are an ordered list: their order is the durability contract",
                remedy="return a tuple of effects",
            )
        effects = tuple(effects)
    # Hashing may cost more than the step itself: all at once, and in parts only if that fails.
    hashable = _is_hashable((state, effects))
    if not hashable:
        _require_hashable(state, "the state", what)
    for position, effect in enumerate(effects):
        if not isinstance(effect, EFFECT_TYPES):
            raise ImplementationError(
                f"{what()} returned {_short(effect)} as effect {position}",
                cause="it is not one of the effects of the contract",
                available=", ".join(kind.__name__ for kind in EFFECT_TYPES),
            )
        if isinstance(effect, PLACED):
            _require_place(effect, what)
        elif isinstance(effect, SetTimer):
            _require_range(effect, what)
        if not hashable:
            _require_hashable(effect, f"effect {position} ({type(effect).__name__})", what)
        if isinstance(effect, Send) and effect.to not in nodes:
            raise ImplementationError(
                f"{what()} sends to {effect.to!r}, which is not a node",
                available=", ".join(repr(node) for node in nodes),
            )
    return Step(state, effects)


def _is_of_others(error: BaseException) -> bool:
    """Whether somebody interrupts, or a test ends, and the code on trial only happened to run.

    Who presses Ctrl-C interrupts at any instruction; what code raises itself, an instruction does.
    What is derived from ``KeyboardInterrupt`` is raised by whoever watches the step.
    """
    if type(error) is KeyboardInterrupt:
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        return at is None or at.tb_frame.f_code.co_code[at.tb_lasti] not in RAISING
    is_watching = isinstance(error, KeyboardInterrupt)
    return is_watching or any(
        kind.__module__.partition(".")[0] in TESTING for kind in type(error).__mro__
    )


def _require_place(effect: Decide | Vote | Execute, what: Described) -> None:
    place = effect.index if isinstance(effect, Execute) else effect.slot
    if isinstance(place, bool) or not isinstance(place, int) or place < 0:
        raise ImplementationError(
            f"{what()} returned {_short(effect)}",
            cause="slots and indices are whole numbers from 0",
            remedy="number the entries of the log from 0 on",
        )


def _require_range(effect: SetTimer, what: Described) -> None:
    match effect.after:
        case (int() as least, int() as most) if (
            isinstance(effect.after, tuple)
            and not isinstance(least, bool)
            and not isinstance(most, bool)
            and 0 <= least <= most
        ):
            return
    raise ImplementationError(
        f"{what()} returned {_short(effect)}",
        cause="a timer is set by the range of its delay: the least and the most ticks",
        remedy="give two whole numbers from 0, the smaller one first: (5, 5) for a fixed delay",
    )


def _require_hashable(value: object, name: str, what: Described) -> None:
    if not _is_hashable(value):
        place, culprit = _unhashable_part(value, name)
        raise ImplementationError(
            f"{what()} returned something unhashable: {place} is a {type(culprit).__name__}",
            cause="states, messages, values and storage are compared and stored by value",
            remedy="use tuples for lists, frozensets for sets, frozen dataclasses for objects",
        )


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _parts(value: object) -> list[tuple[str, object]]:
    """The named parts of a composite value, for finding the one that differs or does not hash."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(f".{part.name}", getattr(value, part.name)) for part in fields(value)]
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{name}", part) for name, part in zip(value._fields, value, strict=True)]
    if isinstance(value, tuple):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    return []


def _unhashable_part(value: object, name: str) -> tuple[str, object]:
    for suffix, part in _parts(value):
        if not _is_hashable(part):
            return _unhashable_part(part, name + suffix)
    return name, value


def _compare(first: Step, second: Step, what: Described, implementation: object) -> None:
    if first == second:
        return
    name = "state" if first.state != second.state else "effects"
    place, one, other = differing_part(getattr(first, name), getattr(second, name), f"its {name}")
    if one != one and other != other:
        raise ImplementationError(
            f"{what()} is not deterministic: asked twice, it differs in {place}",
            cause=f"it is {_short(one)}, which equals nothing, not even itself: a state that has "
            "it never comes again",
            remedy="keep None there, or a text, as long as there is no number",
        )
    has_fingerprint = getattr(implementation, "fingerprint", None) is not None
    left_out = "a fingerprint that leaves out what decides this, " if has_fingerprint else ""
    raise ImplementationError(
        f"{what()} is not deterministic: asked twice, it differs in {place}",
        cause=f"first {_short(one)}, then {_short(other)}: {left_out}a clock, randomness, a "
        "counter kept outside the state, or an object without equality",
        remedy="let the result depend on node, state and event only, and compare by value",
    )


def differing_part(one: object, other: object, name: str) -> tuple[str, object, object]:
    """The smallest part in which two values differ: where it is (in ``name``), and both of it."""
    ones, others = _parts(one), _parts(other)
    if type(one) is type(other) and [key for key, _ in ones] == [key for key, _ in others]:
        for (suffix, part), (_, counterpart) in zip(ones, others, strict=True):
            if part != counterpart:
                return differing_part(part, counterpart, name + suffix)
    return name, one, other


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"
