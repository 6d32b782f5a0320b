"""Transports: what a protocol of asyncio reads from and writes to, made of messages.

One end of a connection, and one socket for datagrams. They know the network they are part of, and
not how its messages travel.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from indelible.impl.adapters.socket_messages import Accepted, Data, Datagram, End, Reset
from indelible.model.events import NodeId

if TYPE_CHECKING:
    from indelible.impl.adapters.streams import Address, Network

__all__ = ["DatagramTransport", "StreamTransport"]


class StreamTransport(asyncio.Transport):
    """One end of a connection.

    It is opening while ``opening`` is set, and then open until it is closed; what was closed here
    is remembered until the other end says that it has ended, too, as TCP does. Nothing written
    ever waits: writing is never paused.
    """

    def __init__(
        self, network: Network, name: str, peer: NodeId, addresses: tuple[Address, Address]
    ) -> None:
        super().__init__()
        self.network, self.name, self.peer = network, name, peer
        self.is_opener = False
        self.opening: asyncio.Future[None] | None = None
        self.protocol: Any = None
        self.has_ended = self.peer_has_ended = self.is_closed = self.is_paused = False
        self.held: list[bytes] = []
        self._addresses = addresses

    # --- what the program does -----------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it. Raises ``RuntimeError`` after ``write_eof``."""
        if self.is_closed or not data:
            return
        if self.has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        self.network.write(self.peer, Data(self.name, bytes(data), not self.is_opener))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send them together."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Say that nothing more will be written."""
        if not self.has_ended and not self.is_closed:
            self.has_ended = True
            self.network.send(self.peer, End(self.name, not self.is_opener))

    def close(self) -> None:
        """Write nothing more, and read nothing more."""
        if self.is_closed:
            return
        self.write_eof()
        if self.peer_has_ended:
            self.network.forget(self)
        self._lose(None)

    def abort(self) -> None:
        """Close it at once; the other end is told that it is gone."""
        if not self.is_closed:
            self.network.send(self.peer, Reset(self.name, not self.is_opener))
            self.network.forget(self)
            self._lose(None)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.is_closed

    def is_reading(self) -> bool:
        """Whether what arrives is handed on."""
        return not self.is_paused and not self.is_closed

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self.is_paused = True

    def resume_reading(self) -> None:
        """Hand on what was kept."""
        self.is_paused = False
        held, self.held = self.held, []
        for data in held:
            self.network.loop.call_soon(self.on_data, data)
        if self.peer_has_ended:
            self.network.loop.call_soon(self.on_end)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who reads from now on."""
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who reads."""
        return self.protocol  # type: ignore[no-any-return]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``sockname`` and ``peername``; there is nothing else."""
        return {"sockname": self._addresses[0], "peername": self._addresses[1]}.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing: nothing waits."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    # --- what the other end does ---------------------------------------------------------------

    def on_accepted(self) -> None:
        """Whoever opens it goes on."""
        if self.opening is not None and not self.opening.done():
            self.opening.set_result(None)

    def on_data(self, data: bytes) -> None:
        """Hand it on; where nobody reads any more, say so."""
        if self.is_closed:
            self.network.send(self.peer, Reset(self.name, not self.is_opener))
            self.network.forget(self)
        elif self.is_paused:
            self.held.append(data)
        else:
            self.protocol.data_received(data)

    def on_end(self) -> None:
        """Nothing more will arrive."""
        self.peer_has_ended = True
        if self.is_closed:
            self.network.forget(self)
        elif not self.is_paused and not self.protocol.eof_received():
            self.close()

    def on_reset(self) -> None:
        """The other end knows nothing of it."""
        self.network.forget(self)
        if self.opening is not None:
            if not self.opening.done():
                self.opening.set_exception(
                    ConnectionRefusedError(errno.ECONNREFUSED, f"connection to {self.peer} refused")
                )
        elif not self.is_closed:
            self._lose(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))

    def _lose(self, error: Exception | None) -> None:
        self.is_closed = True
        self.held = []
        if self.protocol is not None:
            self.network.loop.call_soon(self._lost, error)

    def _lost(self, error: Exception | None) -> None:
        protocol, self.protocol = self.protocol, None
        protocol.connection_lost(error)

    def accept(self, protocol: Any) -> None:
        """The accepting end: it is open at once, and says so."""
        self.network.send(self.peer, Accepted(self.name))
        self.protocol = protocol
        protocol.connection_made(self)


class DatagramTransport(asyncio.DatagramTransport):
    """A socket for datagrams."""

    def __init__(self, network: Network, port: int, remote: Address | None) -> None:
        super().__init__()
        self.network, self.port, self.remote = network, port, remote
        self.protocol: Any = None
        self.is_closed = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send it to ``addr``, or to the remote address that the socket was made with."""
        address = self.remote if addr is None else addr
        if address is None:
            raise ValueError("sendto() of a socket without a remote address needs one")
        if not self.is_closed:
            peer, port = self.network.node_at(*address[:2]), address[1]
            self.network.send(peer, Datagram(bytes(data), port, self.port))

    def on_datagram(self, data: bytes, address: Address) -> None:
        """Hand it on."""
        if self.remote is None or self.remote == address:
            self.protocol.datagram_received(data, address)

    def close(self) -> None:
        """Receive nothing more."""
        if not self.is_closed:
            self.is_closed = True
            self.network.unbind(self)
            self.network.loop.call_soon(self.protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.is_closed

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who receives from now on."""
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who receives."""
        return self.protocol  # type: ignore[no-any-return]

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``sockname`` and ``peername``; there is nothing else."""
        known = {"sockname": (self.network.host, self.port), "peername": self.remote}
        return known.get(name, default)
