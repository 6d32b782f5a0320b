"""Messages of sockets: what connections and datagrams between nodes are made of.

As values that are sent, received and shown; who acts on them is ``streams.py``. ``connection`` is
its name: the node that opened it, how often that node had started to open any, and a number.
``back`` is set on what goes to the node that opened it. Bytes that are text are shown as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Accepted",
    "Connect",
    "Data",
    "Datagram",
    "End",
    "Numbered",
    "Reset",
    "SocketMessage",
]


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection to ``port``."""

    connection: str
    port: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The connection is open."""

    connection: str
    back: bool = True

    def __str__(self) -> str:
        return f"Accepted({self.connection})"


@dataclass(frozen=True, slots=True)
class Data:
    """What was written to a connection while one event was handled."""

    connection: str
    data: bytes
    back: bool = False

    def __str__(self) -> str:
        return f"Data({self.connection}, {_shown(self.data)})"


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will be written."""

    connection: str
    back: bool = False

    def __str__(self) -> str:
        return f"End({self.connection})"


@dataclass(frozen=True, slots=True)
class Reset:
    """There is no such connection here: it was refused, aborted, or forgotten in a crash."""

    connection: str
    back: bool = False

    def __str__(self) -> str:
        return f"Reset({self.connection})"


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram for ``port``, from the port ``source``."""

    data: bytes
    port: int
    source: int

    def __str__(self) -> str:
        return f"Datagram({_shown(self.data)}, port={self.port}, source={self.source})"


SocketMessage: TypeAlias = Connect | Accepted | Data | End | Reset | Datagram


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a node that opens connections has persisted: how often it started to, for names that
    outlive a crash, as TCP's sequence numbers do; and its own ``storage``."""

    opened: int
    storage: object


def _shown(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return repr(data)
    return (
        repr(text) if all(each.isprintable() or each in "\r\n\t" for each in text) else repr(data)
    )
