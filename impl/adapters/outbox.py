"""The outbox: where foreign code puts what it asks of the world, in order.

One for each node, the same for as long as its adapter lives: a copy of a node refers to the very
outbox of the original. Outside of a step it is closed. It knows nothing of who fills or empties it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import count
from typing import Any, Final
from weakref import WeakValueDictionary

from indelible.impl.adapters.values import MEMO_MAX, ballot_of, value_of
from indelible.model.effects import (
    EFFECT_TYPES,
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId, node_name

__all__ = ["Outbox"]


class Outbox:
    """What one node asks for. Each method takes what the effect of that name has (``effects.py``);
    what can be changed is copied, so that to change it later changes nothing that was asked for.
    ``ordered``: the order of dicts counts in what nodes are given again, messages and storage.

    Raises ``ImplementationError`` when it is used while its node is not handling anything.
    """

    def __init__(self, node: NodeId, *, ordered: bool = False) -> None:
        self.node, self._is_ordered = node, ordered
        self._effects: list[Effect] | None = None
        self._sends: dict[tuple[int, int], Send] = {}
        """Of what was sent, the effects: to compare one with itself costs nothing."""
        self._number = next(_NUMBERS)
        _OUTBOXES[self._number] = self

    def send(self, to: NodeId, message: Any) -> None:
        """Hand ``message`` to the link towards ``to``."""
        value = value_of(message, ordered=self._is_ordered)
        known = self._sends.get((id(to), id(value)))
        if known is None:
            if len(self._sends) >= MEMO_MAX:
                self._sends.clear()
            # It keeps both alive, so that nothing else has their addresses.
            known = self._sends[id(to), id(value)] = Send(to, value)
        self._put(known)

    def persist(self, storage: Any) -> None:
        """Replace the durable storage, at once and as a whole."""
        self._put(Persist(value_of(storage, ordered=self._is_ordered)))

    def set_timer(self, timer: Hashable, after: tuple[int, int] = (1, 1)) -> None:
        """Arm ``timer``; ``after`` is the least and the most ticks until it fires."""
        self._put(SetTimer(timer, after))

    def cancel_timer(self, timer: Hashable) -> None:
        """Disarm ``timer``."""
        self._put(CancelTimer(timer))

    def decide(self, slot: int, value: Any) -> None:
        """Say that ``value`` is known to be chosen in ``slot`` (from 0)."""
        self._put(Decide(slot, value_of(value)))

    def execute(self, index: int, command: Any) -> None:
        """Say that the state machine applies ``command`` as number ``index`` (from 0)."""
        self._put(Execute(index, value_of(command)))

    def reply(self, command: Any, result: Any) -> None:
        """Answer the client that submitted ``command``."""
        self._put(Reply(value_of(command), value_of(result)))

    def promise(self, ballot: Any) -> None:
        """Testify that this node will never again vote below ``ballot``."""
        self._put(Promise(ballot_of(ballot)))

    def vote(self, slot: int, ballot: Any, value: Any) -> None:
        """Testify that this node votes for ``value`` in ``slot`` at ``ballot``."""
        self._put(Vote(slot, ballot_of(ballot), value_of(value)))

    def lead(self, ballot: Any) -> None:
        """Testify that this node has won ``ballot``."""
        self._put(Lead(ballot_of(ballot)))

    def extend(self, effects: Iterable[Effect] | None) -> None:
        """Put what a method returned: effects, in order, or nothing."""
        if effects is None:
            return
        if not isinstance(effects, Iterable) or isinstance(effects, str | bytes):
            raise ImplementationError(
                f"a method returned {effects!r}",
                cause="what a method of an adapter returns are effects, or None",
                remedy="return a list of effects, or nothing and use the outbox",
            )
        for effect in effects:
            if not isinstance(effect, EFFECT_TYPES):
                raise ImplementationError(
                    f"a method returned {effect!r} among its effects",
                    available=", ".join(kind.__name__ for kind in EFFECT_TYPES),
                )
            put: Any = _METHODS[type(effect)]
            put(self, *(getattr(effect, name) for name in effect.__match_args__))

    def __enter__(self) -> list[Effect]:
        """The node handles something: the list that its effects go to until it is done."""
        self._effects = []
        return self._effects

    def __exit__(self, *_: object) -> None:
        self._effects = None

    def _put(self, effect: Effect) -> None:
        if self._effects is None:
            raise ImplementationError(
                f"{node_name(self.node)} asked for {effect!r} while it was handling nothing",
                cause="a thread, a destructor or another node used its outbox",
                remedy="ask for effects only while an event of this very node is handled",
            )
        self._effects.append(effect)

    def __reduce__(self) -> tuple[Any, ...]:
        return _outbox, (self._number,)

    def __deepcopy__(self, memo: object) -> Outbox:
        return self

    def __repr__(self) -> str:
        return f"Outbox({self.node!r})"


_METHODS: Final = {
    Send: Outbox.send,
    Persist: Outbox.persist,
    SetTimer: Outbox.set_timer,
    CancelTimer: Outbox.cancel_timer,
    Decide: Outbox.decide,
    Execute: Outbox.execute,
    Reply: Outbox.reply,
    Promise: Outbox.promise,
    Vote: Outbox.vote,
    Lead: Outbox.lead,
}
"""By which method an effect that was returned is put."""

_NUMBERS: Final = count()
_OUTBOXES: Final[WeakValueDictionary[int, Outbox]] = WeakValueDictionary()


def _outbox(number: int) -> Outbox:
    return _OUTBOXES[number]
