"""Orders of dicts: whether what a node does depends on the order in which its dicts were filled.

States that differ in nothing else are taken for one, and their dicts are put in order after each
step. Code for which the order decides something is another program then, and a verdict about it
says nothing. So what is asked twice is asked again, of a node whose dicts are in other orders: that
must do the same. How a node is made and asked is the host's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import is_, itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from indelible.model.effects import (
    CancelTimer,
    Decide,
    Effect,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId, node_name
from indelible.model.implementation import differing_part

__all__ = ["Ask", "DictOrders", "Order", "Outcome", "in_reverse"]

ALWAYS: Final = 2_000
SOMETIMES: Final = 4
"""The first ``ALWAYS`` steps that are asked twice are asked so, then one in ``SOMETIMES``."""

THOROUGHLY: Final = 200
SELDOM: Final = 16
"""So many are asked with some of their dicts rotated as well, then one in ``SELDOM``. To reverse
them all misses what depends on the middle one of three keys, or on two that are walked together."""

Order: TypeAlias = Callable[[int, list[Any]], list[Any]]
"""The order for the keys of a dict, of which it is given its number and the order it is in."""


class Outcome(NamedTuple):
    """What a node did: what it became, and asked for; or what it raised, and neither."""

    state: Any
    effects: tuple[Effect, ...] = ()
    error: Exception | None = None


Ask: TypeAlias = Callable[[Order], tuple[Sequence[str], Outcome | None]]
"""Asks once more, with the dicts in the order that is given: how these are called, by number, and
the answer if there are any."""


class DictOrders:
    """Finds what depends on the order of dicts, in the questions of one host."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = (object(),)
        self._twice = 0
        self._sends: dict[str, None] = {}

    def is_asked_again(self, *question: object) -> bool:
        """Whether the very same was asked just before, and is to be asked in other orders now."""
        last, self._last = self._last, question
        if not all(map(is_, question, last)):
            return False
        self._twice += 1
        return self._twice <= ALWAYS or self._twice % SOMETIMES == 0

    def require_none_counts(self, node: NodeId, what: object, first: Outcome, ask: Ask) -> None:
        """Raises ``ImplementationError`` if the node does something else in another order."""
        orders: list[Order] = [in_reverse]
        if self._twice <= THOROUGHLY or self._twice % SELDOM == 0:
            orders.append(_some_rotated(self._twice))
        for order in orders:
            names, other = ask(order)
            if other is None:
                return
            if other == first:
                continue
            difference = _difference(first, other)
            if difference is not None:
                guilty = " and ".join(_guilty(names, order, first, ask, _difference))
                raise _error(node, what, guilty, difference)
            if _sends(first) != _sends(other):
                for guilty in _guilty(names, order, first, ask, _difference_of_sends):
                    self._sends.setdefault(guilty.removeprefix("its "))

    def notes(self) -> tuple[str, ...]:
        """What was left out of consideration, for reports."""
        if not self._sends:
            return ()
        note = (
            "in which order messages to different nodes are sent follows from the order of dicts "
            f"({', '.join(sorted(self._sends))}), and only one was tried: a crash in the middle of "
            "a step may tell, on ordered links; see dict_order"
        )
        return (note,)


def in_reverse(_: int, keys: list[Any]) -> list[Any]:
    """The last key first."""
    return keys[::-1]


def _some_rotated(number: int) -> Order:
    """The first key last, in every second dict or in every second two."""

    def order(place: int, keys: list[Any]) -> list[Any]:
        return keys if (place >> number % 2) % 2 else [*keys[1:], *keys[:1]]

    return order


def _alone(the_number: int, order: Order) -> Order:
    return lambda number, keys: order(number, keys) if number == the_number else keys


Difference: TypeAlias = tuple[str, object, object]
"""Where two answers differ, and both of it."""


def _guilty(
    names: Sequence[str],
    order: Order,
    first: Outcome,
    ask: Ask,
    difference: Callable[[Outcome, Outcome], Difference | None],
) -> Sequence[str]:
    """The first of the dicts that makes a difference alone; all of them if none does."""
    for number, name in enumerate(names):
        _, other = ask(_alone(number, order))
        if other is not None and difference(first, other) is not None:
            return [name]
    return names


def _difference(first: Outcome, other: Outcome) -> Difference | None:
    """Where two answers differ in what can change a verdict."""
    if first.error is not None or other.error is not None:
        if first.error is not None and other.error is not None:
            return None  # Either is found.
        return "what it raises", first.error, other.error
    if first.state != other.state:
        return differing_part(first.state, other.state, "its state")
    places: dict[Hashable, int] = {}
    one, another = (_in_any_order(each.effects, places) for each in (first, other))
    if one != another:
        return differing_part(one, another, "its effects")
    return None


def _difference_of_sends(first: Outcome, other: Outcome) -> Difference | None:
    one, another = _sends(first), _sends(other)
    return None if one == another else ("what it sends", one, another)


def _sends(answer: Outcome) -> tuple[Effect, ...]:
    return tuple(effect for effect in answer.effects if type(effect) is Send)


def _in_any_order(effects: tuple[Effect, ...], places: dict[Hashable, int]) -> tuple[Effect, ...]:
    """The same whatever the order of those that stand together and are about different nodes,
    slots, timers or clients: after the step what is remembered of them is the same, too.

    ``places`` are those of what they are about, and grow.
    """
    ordered: list[Effect] = []
    run: list[tuple[int, Effect]] = []
    for effect in effects:
        about = _about(effect)
        if about is not None:
            run.append((places.setdefault(about, len(places)), effect))
            continue
        ordered += [*_sorted(run), effect]
        run = []
    return (*ordered, *_sorted(run))


def _sorted(run: list[tuple[int, Effect]]) -> list[Effect]:
    return [effect for _, effect in sorted(run, key=itemgetter(0))]


def _about(effect: Effect) -> Hashable:
    """What an effect is about, if none that is about something else has to do with it."""
    match effect:
        case Send(to):
            return ("node", to)
        case Decide(slot) | Vote(slot):
            return ("slot", slot)
        case SetTimer(timer) | CancelTimer(timer):
            return ("timer", timer)
        case Reply(command):
            return ("command", command)
    return None


def _error(node: NodeId, what: object, guilty: str, difference: Difference) -> ImplementationError:
    where, one, other = difference
    upon = what if isinstance(what, str) else repr(what)
    return ImplementationError(
        f"what {node_name(node)} does upon {upon} depends on the order in which keys were put "
        f"into {guilty}: {where} is {_short(one)}, and with the keys in another order "
        f"{_short(other)}",
        cause="states that differ only in the order of dicts are taken for one",
        remedy="use a list or an OrderedDict, or sort what is iterated over; or set in the adapter "
        "dict_order = 'counts' (which costs nothing where keys always come in the same order), or "
        "'ignored' if what depends on it decides nothing",
    )


def _short(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 200 else text[:200] + "…"
