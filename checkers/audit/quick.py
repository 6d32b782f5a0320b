"""The quick reader of lines: the same entries as ``entry.plain_entry``, for what is as usual.

msgspec checks a line against the shapes below while it parses it, and skips what no judge needs.
What it does not take is left to the plain reader, which accepts it or says what is wrong: so this
one may refuse, but must never read anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from indelible.checkers.audit.entry import (
    DECIDE,
    EXECUTE,
    INSTALL,
    LEAD,
    NUMBER_MAX,
    PROMISE,
    VOTE,
    Entry,
    Link,
    Testimony,
    json_key,
    plain_entry,
)
from indelible.model.effects import Ballot, Effect
from indelible.model.errors import WireError
from indelible.model.events import Command
from indelible.model.node_json import EFFECT_KINDS, ballot_from_json, plain
from indelible.model.strict_json import Strictness

__all__ = ["KNOWN_MAX", "TEXT_MAX", "Known", "QuickReader", "effect_kinds"]

NUMBERS: Final = frozenset({int, float})
KNOWN_MAX: Final = 1 << 13
TEXT_MAX: Final = 1 << 10
"""So many texts are remembered with what they mean, of at most so many bytes each."""

T = TypeVar("T")

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
    value: Raw


class _Execute(_Shape, tag="execute"):
    index: _Number
    command: Raw


class _Install(_Shape, tag="install"):
    index: _Number


class _Reply(_Shape, tag="reply"):
    command: Raw
    result: Raw


class _Promise(_Shape, tag="promise"):
    ballot: Raw


class _Vote(_Shape, tag="vote"):
    slot: _Number
    ballot: Raw
    value: Raw


class _Lead(_Shape, tag="lead"):
    ballot: Raw


class _Receive(_Shape, tag="receive"):
    source: int | str
    message: Raw


class _Timeout(_Shape, tag="timeout"):
    timer: str


class _Submit(_Shape, tag="submit"):
    command: Raw


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
        | _Install
    ]
    time: Any = None
    sequence: Any = None


class _Kind(Struct, gc=False):
    type: str = ""


class _Effects(Struct, gc=False):
    effects: list[_Kind] = []


class Known(dict[bytes, T]):
    """What texts mean, worked out once for each that was met lately: then the same text is also the
    same object, which equals itself at once."""

    def __init__(self, meaning: Callable[[bytes], T]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, text: bytes) -> T:
        found = self._meaning(text)
        if len(text) <= TEXT_MAX:
            if len(self) >= KNOWN_MAX:
                self.clear()
            self[text] = found
        return found


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
        self._ballots = Known(_ballot)
        self._values = Known(_value)
        self._keys = Known(_key)

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
            return self._entries(self._decoder.decode_lines(text))
        return None

    def _entries(self, lines: Iterable[_Line]) -> list[Entry]:
        """This is most of what reading costs: nothing is called here that need not be."""
        links, ballots, values, keys = self._links, self._ballots, self._values, self._keys
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
                        sent.append((node, effect.to, keys[bytes(effect.message)]))
                elif kind is _Vote:
                    ballot = ballots[bytes(effect.ballot)]
                    testimony.append((VOTE, effect.slot, ballot, values[bytes(effect.value)]))
                    kinds |= VOTE
                elif kind is _Decide:
                    testimony.append((DECIDE, effect.slot, values[bytes(effect.value)]))
                    kinds |= DECIDE
                elif kind is _Execute:
                    testimony.append((EXECUTE, effect.index, values[bytes(effect.command)]))
                    kinds |= EXECUTE
                elif kind is _Promise or kind is _Lead:
                    which = PROMISE if kind is _Promise else LEAD
                    testimony.append((which, ballots[bytes(effect.ballot)]))
                    kinds |= which
                elif kind is _Install:
                    testimony.append((INSTALL, effect.index))
                    kinds |= INSTALL
            event: Any = line.event
            happened, time, sequence = type(event), line.time, line.sequence
            received: Link | None = None
            submitted: tuple[Command, ...] = ()
            if happened is _Receive:
                if links:
                    received = event.source, node, keys[bytes(event.message)]
            elif happened is _Submit:
                submitted = (values[bytes(event.command)],)
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


def _ballot(text: bytes) -> Ballot:
    return ballot_from_json(msgspec.json.decode(text))


def _value(text: bytes) -> Hashable:
    return plain(msgspec.json.decode(text))


def _key(text: bytes) -> int:
    """What a message is known by. A float may be a whole number, as which it is written then."""
    return json_key(_decoded(text))


_decoded: Final = msgspec.json.Decoder(float_hook=lambda text: plain(float(text))).decode


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
