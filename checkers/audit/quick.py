"""The quick reader of lines: the same entries as ``entry.plain_entry``, for what is as usual.

msgspec checks a line against the shapes below while it parses it, and skips what no judge needs.
What it does not take is left to the plain reader, which accepts it or says what is wrong: so this
one may refuse, but must never read anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from indelible.checkers.audit.entry import (
    DECIDE,
    EXECUTE,
    LEAD,
    NUMBER_MAX,
    PROMISE,
    VOTE,
    Entry,
    Testimony,
    json_key,
    message_key,
    plain_entry,
)
from indelible.model.effects import Ballot, Effect
from indelible.model.errors import WireError
from indelible.model.node_json import EFFECT_KINDS, ballot_from_json, plain
from indelible.model.strict_json import strictness

__all__ = ["effect_kinds", "quick_reader"]

SCALARS: Final = frozenset({str, int, type(None)})
"""Types of parsed JSON that are plain values as they are."""

NUMBERS: Final = frozenset({int, float})
MAY_BE_FLOAT: Final = re.compile(rb"[0-9][.eE]")
KNOWN_MAX: Final = 1 << 16
"""So many texts are remembered with what they mean."""


class _Shape(Struct, tag_field="type", forbid_unknown_fields=True, gc=False):
    """An object with a type, and no field that is not known."""


class _Send(_Shape, tag="send"):
    to: int | str
    message: Raw


class _Persist(_Shape, tag="persist"):
    storage: Raw


class _SetTimer(_Shape, tag="set_timer"):
    timer: str
    after: tuple[int, int] = (1, 1)


class _CancelTimer(_Shape, tag="cancel_timer"):
    timer: str


class _Decide(_Shape, tag="decide"):
    slot: int
    value: Any

    def testimony(self, ballot_of: Callable[[Raw], Ballot]) -> Testimony:
        return DECIDE, _place(self.slot), _value(self.value)


class _Execute(_Shape, tag="execute"):
    index: int
    command: Any

    def testimony(self, ballot_of: Callable[[Raw], Ballot]) -> Testimony:
        return EXECUTE, _place(self.index), _value(self.command)


class _Reply(_Shape, tag="reply"):
    command: Raw
    result: Raw


class _Promise(_Shape, tag="promise"):
    ballot: Raw

    def testimony(self, ballot_of: Callable[[Raw], Ballot]) -> Testimony:
        return PROMISE, ballot_of(self.ballot)


class _Vote(_Shape, tag="vote"):
    slot: int
    ballot: Raw
    value: Any

    def testimony(self, ballot_of: Callable[[Raw], Ballot]) -> Testimony:
        return VOTE, _place(self.slot), ballot_of(self.ballot), _value(self.value)


class _Lead(_Shape, tag="lead"):
    ballot: Raw

    def testimony(self, ballot_of: Callable[[Raw], Ballot]) -> Testimony:
        return LEAD, ballot_of(self.ballot)


class _Receive(_Shape, tag="receive"):
    source: int | str
    message: Raw


class _Timeout(_Shape, tag="timeout"):
    timer: str


class _Submit(_Shape, tag="submit"):
    command: Any


class _Restart(_Shape, tag="restart"):
    pass


class _Line(Struct, gc=False):
    node: int | str
    event: _Receive | _Timeout | _Submit | _Restart
    effects: list[
        _Send
        | _Persist
        | _SetTimer
        | _CancelTimer
        | _Decide
        | _Execute
        | _Reply
        | _Promise
        | _Vote
        | _Lead
    ]
    time: Any = None
    sequence: Any = None


TELLING: Final = frozenset({_Decide, _Execute, _Promise, _Vote, _Lead})


class _Kind(Struct, gc=False):
    type: str = ""


class _Effects(Struct, gc=False):
    effects: list[_Kind] = []


class _Unusual(Exception):
    """Something that the plain reader is to judge."""


def quick_reader(*, links: bool) -> Callable[[bytes], Entry]:
    """A function from a line to what it tells; it raises ``WireError``.

    ``links``: whether entries are to say which messages were sent and received.
    """
    decode = msgspec.json.Decoder(_Line).decode
    require_strict = strictness()
    ballot_of = _remembering(lambda text: ballot_from_json(msgspec.json.decode(text)))
    key_of = _remembering(_key)

    def read(line: bytes) -> Entry:
        try:
            if not line.isascii():
                line.decode("utf-8")
            told = decode(line)
            require_strict(line)
            node, event, time, sequence = told.node, told.event, told.time, told.sequence
            testimony, sent = [], []
            for effect in told.effects:
                kind = type(effect)
                if kind in TELLING:
                    testimony.append(effect.testimony(ballot_of))  # type: ignore[union-attr]
                elif links and kind is _Send:
                    sent.append((node, effect.to, key_of(effect.message)))  # type: ignore[union-attr]
            happened = type(event)
            received = None
            if links and happened is _Receive:
                received = event.source, node, key_of(event.message)  # type: ignore[union-attr]
            return Entry(
                node,
                "restart" if happened is _Restart else "event",
                tuple(testimony),
                0,
                (_value(event.command),) if happened is _Submit else (),  # type: ignore[union-attr]
                (),
                False,
                tuple(sent),
                received,
                time if type(time) in NUMBERS else None,
                sequence if type(sequence) is int else None,
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WireError, _Unusual):
            return plain_entry(line, links=links)

    return read


def _key(text: bytes) -> int:
    """What a message is known by. A float may be a whole number, as which it is written then."""
    message = msgspec.json.decode(text)
    return message_key(plain(message)) if MAY_BE_FLOAT.search(text) else json_key(message)


def effect_kinds(lines: Iterable[object]) -> frozenset[type[Effect]]:
    """The kinds of effects that any of the lines has; what is no line, or cannot be read, has
    none."""
    decode = msgspec.json.Decoder(_Effects).decode
    found: set[str] = set()
    for line in lines:
        if isinstance(line, bytes):
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                found.update([effect.type for effect in decode(line).effects])
    return frozenset(EFFECT_KINDS[name] for name in found if name in EFFECT_KINDS)


def _place(number: int) -> int:
    if not 0 <= number <= NUMBER_MAX:
        raise _Unusual
    return number


def _value(value: Any) -> Any:
    return value if type(value) in SCALARS else plain(value)


def _remembering(meaning: Callable[[bytes], Any]) -> Callable[[Raw], Any]:
    """What a text means, worked out once for each that was met lately."""
    known: dict[bytes, Any] = {}

    def meaning_of(raw: Raw) -> Any:
        text = bytes(raw)
        found = known.get(text)
        if found is not None:
            return found
        if len(known) >= KNOWN_MAX:
            known.clear()
        found = known[text] = meaning(text)
        return found

    return meaning_of
