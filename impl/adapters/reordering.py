"""Reordering: nodes, and values that they are given, with their dicts in other orders.

Nothing else about them is another then. What is reversed is made once for the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from indelible.impl.adapters.copying import Copier, Data
from indelible.impl.adapters.dict_orders import Order, in_reverse
from indelible.impl.adapters.freeze import dicts_in, freeze, put_in_order
from indelible.impl.adapters.values import copied, thawed
from indelible.impl.adapters.walk import Substitute
from indelible.model.errors import ImplementationError
from indelible.model.plain import Snapshot

__all__ = ["Reordered", "Reordering"]

REVERSED_MAX: Final = 4_096
"""Of how many nodes and values it is remembered what they are in reverse."""


class Reordered(NamedTuple):
    """What was reordered, and how its dicts are called, by number."""

    value: Any
    names: tuple[str, ...]


class Reordering:
    """Reorders what one adapter hosts. ``known`` is as for ``freeze``."""

    def __init__(self, copier: Copier, known: Mapping[type, Substitute]) -> None:
        self._copier, self._known = copier, known
        self._nodes: dict[Data, tuple[Data, tuple[str, ...]]] = {}
        self._values: dict[int, tuple[Snapshot, Reordered]] = {}

    def node(
        self,
        revived: Callable[[], Any],
        data: Data | None,
        order: Order,
        shared: Container[int],
        fingerprint: Callable[[Any], Any] | None,
    ) -> Reordered:
        """A node that is ``revived``, or made of ``data``, with its dicts in another order where
        that leaves its fingerprint as it is; what is at ``shared`` addresses is left alone."""
        key = data if order is in_reverse else None
        if key is not None and key in self._nodes:
            other, names = self._nodes[key]
            return Reordered(self._copier.from_data(other) if names else None, names)
        instance = revived()
        try:
            found = dicts_in(instance, known=self._known)
        except ImplementationError:
            found = []  # There is a fingerprint, and nobody knows what else there is.
        dicts = [(path, each) for path, each in found if id(each) not in shared]
        before = None if fingerprint is None else freeze(fingerprint(instance), known=self._known)
        for number, (_, each) in enumerate(dicts):
            keys = list(dict.keys(each))
            put_in_order(each, order(number, keys))
            if fingerprint and freeze(fingerprint(instance), known=self._known) != before:
                put_in_order(each, keys)
        names = tuple(f"its {path}" if path else "the node itself" for path, _ in dicts)
        if key is not None:
            _forget_if_full(self._nodes)
            with suppress(Exception):  # What is kept elsewhere by now may be in the way.
                self._nodes[key] = self._copier.data(instance), names
        return Reordered(instance, names)

    def value(self, value: Any, called: str, order: Order, first: int = 0) -> Reordered:
        """What foreign code is to be given (as ``value_of`` makes it), with its dicts, which are
        numbered from ``first`` on, in another order."""
        if not isinstance(value, Snapshot) or value.origin is None:
            return Reordered(value, ())
        if order is in_reverse and id(value) in self._values:
            return self._values[id(value)][1]
        made = thawed(value)
        dicts = dicts_in(made)
        for number, (_, each) in enumerate(dicts, first):
            put_in_order(each, order(number, list(dict.keys(each))))
        names = tuple(f"{path} of the {called}" if path else f"the {called}" for path, _ in dicts)
        origin = made if type(value.origin) is dict else copied(made)
        reordered = Reordered(Snapshot(value, origin), names)
        if order is in_reverse:
            _forget_if_full(self._values)
            self._values[id(value)] = value, reordered
        return reordered


def _forget_if_full(memo: dict[Any, Any]) -> None:
    if len(memo) >= REVERSED_MAX:
        memo.clear()
