"""The quick reader of lines: the same entries as ``entry.plain_entry``, for what is as usual.

msgspec checks a line against the shapes below while it parses it, and skips what no judge needs.
What it does not take is left to the plain reader, which accepts it or says what is wrong: so this
one may refuse, but must never read anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from indelible.checkers.audit.entry import (
    DECIDE,
    EXECUTE,
    LEAD,
    NUMBER_MAX,
    PROMISE,
    VOTE,
    Entry,
    Link,
    Testimony,
    json_key,
    message_key,
    plain_entry,
)
from indelible.model.effects import Ballot, Effect
from indelible.model.errors import WireError
from indelible.model.events import Command
from indelible.model.node_json import EFFECT_KINDS, ballot_from_json, plain
from indelible.model.strict_json import Strictness

__all__ = ["QuickReader", "effect_kinds"]

SCALARS: Final = frozenset({str, int, type(None)})
"""Types of parsed JSON that are plain values as they are."""

NUMBERS: Final = frozenset({int, float})
MAY_BE_FLOAT: Final = re.compile(rb"[0-9][.eE]")
KNOWN_MAX: Final = 1 << 13
"""So many texts are remembered with what they mean."""

_Number: TypeAlias = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]


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
    slot: _Number
    value: Any


class _Execute(_Shape, tag="execute"):
    index: _Number
    command: Any


class _Reply(_Shape, tag="reply"):
    command: Raw
    result: Raw


class _Promise(_Shape, tag="promise"):
    ballot: Raw


class _Vote(_Shape, tag="vote"):
    slot: _Number
    ballot: Raw
    value: Any


class _Lead(_Shape, tag="lead"):
    ballot: Raw


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


class _Kind(Struct, gc=False):
    type: str = ""


class _Effects(Struct, gc=False):
    effects: list[_Kind] = []


class QuickReader:
    """From lines to what they tell.

    - ``links``: whether entries are to say which messages were sent and received.
    - ``keep``: whether each is to have its line.
    """

    def __init__(self, *, links: bool, keep: bool = False) -> None:
        self._links = links
        self._keep = keep
        self._decoder = msgspec.json.Decoder(_Line)
        self._strictness = Strictness()
        self._ballots: dict[bytes, Ballot] = {}
        self._keys: dict[bytes, int] = {}

    def one(self, line: bytes) -> Entry:
        """What a line tells. Raises ``WireError``."""
        try:
            if not line.isascii():
                line.decode("utf-8")
            told = self._decoder.decode(line)
            self._strictness.require(line)
            (entry,) = self._entries([told])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WireError):
            entry = plain_entry(line, links=self._links)
        return msgspec.structs.replace(entry, line=line) if self._keep else entry

    def several(self, lines: Sequence[bytes]) -> list[Entry] | None:
        """What each line tells; ``None`` where they are not all like lines that were read before:
        then they must be read one by one."""
        text = b"\n".join(lines)
        # What is like an object from its beginning to its end is one: the decoder itself would go
        # on in the next line, and take two of them in one.
        if self._keep or not text.isascii() or not self._strictness.knows(text):
            return None
        with suppress(msgspec.MsgspecError, RecursionError, WireError):
            entries = self._entries(self._decoder.decode_lines(text))
            if len(entries) == len(lines):
                return entries
        return None

    def _entries(self, lines: Iterable[_Line]) -> list[Entry]:
        """This is most of what reading costs: nothing is called here that need not be."""
        links, ballots, keys = self._links, self._ballots, self._keys
        entries = []
        for line in lines:
            node = line.node
            testimony: list[Testimony] = []
            kinds, sent = 0, []
            effect: Any  # Of what kind it is, is asked once.
            for effect in line.effects:
                kind = type(effect)
                if kind is _Send:
                    if links:
                        text = bytes(effect.message)
                        sent.append((node, effect.to, keys.get(text) or self._key(text)))
                elif kind is _Vote:
                    text, value = bytes(effect.ballot), effect.value
                    ballot = ballots.get(text) or self._ballot(text)
                    value = value if type(value) in SCALARS else plain(value)
                    testimony.append((VOTE, effect.slot, ballot, value))
                    kinds |= VOTE
                elif kind is _Decide:
                    value = effect.value
                    value = value if type(value) in SCALARS else plain(value)
                    testimony.append((DECIDE, effect.slot, value))
                    kinds |= DECIDE
                elif kind is _Execute:
                    value = effect.command
                    value = value if type(value) in SCALARS else plain(value)
                    testimony.append((EXECUTE, effect.index, value))
                    kinds |= EXECUTE
                elif kind is _Promise or kind is _Lead:
                    text = bytes(effect.ballot)
                    which = PROMISE if kind is _Promise else LEAD
                    testimony.append((which, ballots.get(text) or self._ballot(text)))
                    kinds |= which
            event: Any = line.event
            happened, time, sequence = type(event), line.time, line.sequence
            received: Link | None = None
            submitted: tuple[Command, ...] = ()
            if happened is _Receive:
                if links:
                    text = bytes(event.message)
                    received = event.source, node, keys.get(text) or self._key(text)
            elif happened is _Submit:
                value = event.command
                submitted = (value if type(value) in SCALARS else plain(value),)
            entries.append(
                Entry(
                    node,
                    "restart" if happened is _Restart else "event",
                    tuple(testimony),
                    kinds,
                    0,
                    submitted,
                    (),
                    False,
                    tuple(sent),
                    received,
                    None if time is None or type(time) not in NUMBERS else time,
                    sequence if type(sequence) is int else None,
                )
            )
        return entries

    def _ballot(self, text: bytes) -> Ballot:
        """What it means, worked out once for each that was met lately."""
        if len(self._ballots) >= KNOWN_MAX:
            self._ballots.clear()
        found = self._ballots[text] = ballot_from_json(msgspec.json.decode(text))
        return found

    def _key(self, text: bytes) -> int:
        """What a message is known by, worked out once for each that was met lately. A float may be
        a whole number, as which it is written then."""
        message = msgspec.json.decode(text)
        key = message_key(plain(message)) if MAY_BE_FLOAT.search(text) else json_key(message)
        if len(self._keys) >= KNOWN_MAX:
            self._keys.clear()
        self._keys[text] = key
        return key


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
