"""The network of one node: connections and datagrams in memory, made of messages.

``open``, ``listen`` and ``bind`` are what ``asyncio.open_connection``, ``start_server`` and
``create_datagram_endpoint`` come to on a virtual loop; ``receive`` is what arrives. As TCP does, a
connection that is opened waits for an answer, and what arrives for one that nobody knows, since the
node was restarted, is answered by a reset. One ordered link carries all connections between two
nodes, and what is written while one event is handled arrives as one piece.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from indelible.impl.adapters.socket_messages import (
    Accepted,
    Connect,
    Data,
    Datagram,
    End,
    Numbered,
    Reset,
    SocketMessage,
)
from indelible.impl.adapters.transports import DatagramTransport, StreamTransport
from indelible.model.effects import Effect, Persist, Send, outlives_crash
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId, node_name

__all__ = ["Address", "Network", "Server"]

Address: TypeAlias = tuple[str, int]

_ANY_HOST: Final = (None, "", "0.0.0.0", "::")
_FIRST_OWN_PORT: Final = 49_152
"""Where ports begin that nobody asked for by number (RFC 6335, section 6)."""


class Network:
    """What one node sees of the network.

    ``addresses`` are those of all nodes: a host and a port, where ``None`` is any. ``effects`` is
    the list that messages are put on: that of the event that is handled. ``is_ordered``: whether
    links keep the order, which connections need.
    """

    def __init__(
        self,
        loop: Any,
        node: NodeId,
        addresses: Mapping[NodeId, tuple[str, int | None]],
        *,
        is_ordered: bool,
        storage: Any,
    ) -> None:
        self.loop, self.node, self.host = loop, node, addresses[node][0]
        self.effects: list[Effect] = []
        self.storage: Any
        """What the node itself has persisted."""
        self.servers: dict[int, Server] = {}
        self.ends: dict[tuple[str, bool], StreamTransport] = {}
        self.sockets: dict[int, DatagramTransport] = {}
        self._addresses, self._is_ordered = addresses, is_ordered
        self._own_ports = 0
        numbered = storage if isinstance(storage, Numbered) else Numbered(0, storage)
        self.storage, self._opened = numbered.storage, numbered.opened
        self._counted = self._opened
        self._connections = 0

    @property
    def numbers(self) -> tuple[int, int, int]:
        """What it will call the next things."""
        return self._opened, self._connections, self._own_ports

    # --- what the program asks for -------------------------------------------------------------

    async def open(
        self, factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> tuple[StreamTransport, Any]:
        """Connect to a node. Raises ``ConnectionRefusedError``."""
        self._check(options)
        peer = self.node_at(host, port)
        name = self._name_of_connection()
        own = (self.host, _FIRST_OWN_PORT + self._connections)
        end = StreamTransport(self, name, peer, (own, (host, port)))
        end.is_opener = True
        end.opening = self.loop.create_future()
        self.ends[name, True] = end
        self.send(peer, Connect(name, port))
        try:
            await end.opening
        except asyncio.CancelledError:
            end.abort()
            raise
        end.opening = None
        end.protocol = factory()
        end.protocol.connection_made(end)
        return end, end.protocol

    def listen(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Server:
        """Accept connections. Raises ``OSError`` where the address cannot be had."""
        self._check(options)
        for name in host if isinstance(host, list | tuple) else [host]:
            self._require_own(name)
        port = port or self._own_port()
        if port in self.servers:
            raise OSError(errno.EADDRINUSE, f"port {port} is in use")
        server = Server(self, factory, port)
        if options.get("start_serving", True):
            server.begin()
        return server

    def bind(
        self, factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> tuple[DatagramTransport, Any]:
        """Make a socket for datagrams. Raises ``OSError`` where the address cannot be had."""
        self._refuse_sockets(options)
        if local_addr is not None:
            self._require_own(local_addr[0])
        port = (local_addr[1] if local_addr is not None else 0) or self._own_port()
        if port in self.sockets:
            raise OSError(errno.EADDRINUSE, f"port {port} is in use")
        socket = self.sockets[port] = DatagramTransport(self, port, remote_addr)
        socket.protocol = factory()
        socket.protocol.connection_made(socket)
        return socket, socket.protocol

    def node_at(self, host: Any, port: Any) -> NodeId:
        """The node of that address. Refuses where there is none."""
        for node, (known, at) in self._addresses.items():
            if known == host and at in (None, port):
                return node
        known_ones = (
            f"{host}:{'*' if at is None else at}" for host, at in self._addresses.values()
        )
        raise self.loop.refuse(
            ImplementationError(
                f"{node_name(self.node)} sends to {host}:{port}, which is no node",
                remedy="give nodes their addresses by address(node) of the adapter",
                available=", ".join(known_ones),
            )
        )

    # --- what arrives --------------------------------------------------------------------------

    def receive(self, source: NodeId, message: SocketMessage) -> None:
        """Act on a message of another node's network."""
        if isinstance(message, Datagram):
            if (socket := self.sockets.get(message.port)) is not None:
                socket.on_datagram(message.data, (self._addresses[source][0], message.source))
            return
        if isinstance(message, Connect):
            self._accept(source, message)
            return
        end = self.ends.get((message.connection, message.back))
        match message:
            case Data() if end is None:
                self.send(source, Reset(message.connection, not message.back))
            case _ if end is None:
                return  # It has been forgotten by both.
            case Data(_, data):
                end.on_data(data)
            case Accepted():
                end.on_accepted()
            case End():
                end.on_end()
            case Reset():
                end.on_reset()

    def _accept(self, source: NodeId, message: Connect) -> None:
        server = self.servers.get(message.port)
        if server is None:
            self.send(source, Reset(message.connection, back=True))
            return
        number = int(message.connection.rpartition(".")[2])
        peer = (self._addresses[source][0], _FIRST_OWN_PORT + number)
        end = StreamTransport(self, message.connection, source, ((self.host, message.port), peer))
        self.ends[message.connection, False] = end
        end.accept(server.factory())

    # --- what transports ask for ---------------------------------------------------------------

    def send(self, to: NodeId, message: SocketMessage) -> None:
        """Hand it to the link."""
        self.effects.append(Send(to, message))

    def write(self, to: NodeId, data: Data) -> None:
        """Send it together with what was written before in this event, unless something else was
        done in between that a crash would leave."""
        for index in reversed(range(len(self.effects))):
            effect = self.effects[index]
            if isinstance(effect, Send):
                sent = effect.message
                if isinstance(sent, Data) and (sent.connection, sent.back, effect.to) == (
                    data.connection,
                    data.back,
                    to,
                ):
                    self.effects[index] = Send(to, replace(sent, data=sent.data + data.data))
                    return
            elif outlives_crash(effect):
                break
        self.send(to, data)

    def forget(self, end: StreamTransport) -> None:
        """Nothing more is expected of it."""
        self.ends.pop((end.name, end.is_opener), None)

    def unbind(self, socket: DatagramTransport) -> None:
        """The port is free."""
        self.sockets.pop(socket.port, None)

    # --- names that outlive a crash ------------------------------------------------------------

    def begin(self, effects: list[Effect]) -> None:
        """An event is handled: what comes of it goes on this list."""
        self.effects = effects
        self._counted = self._opened

    def end(self) -> tuple[Effect, ...]:
        """The effects of the event, in which what the node persists is numbered if need be."""
        for index, effect in enumerate(self.effects):
            if not isinstance(effect, Persist):
                continue
            if isinstance(effect.storage, Numbered):
                self._counted, self.storage = effect.storage.opened, effect.storage.storage
            else:
                self.storage = effect.storage
                if self._counted:
                    self.effects[index] = Persist(Numbered(self._counted, effect.storage))
        return tuple(self.effects)

    def _name_of_connection(self) -> str:
        if not self._connections:
            self._opened += 1
            self.effects.append(Persist(Numbered(self._opened, self._persisted())))
        self._connections += 1
        return f"{node_name(self.node)}.{self._opened}.{self._connections}"

    def _persisted(self) -> Any:
        for effect in reversed(self.effects):
            if isinstance(effect, Persist):
                return effect.storage
        return self.storage

    def _own_port(self) -> int:
        self._own_ports += 1
        return _FIRST_OWN_PORT - 1 + self._own_ports

    # --- what cannot be had --------------------------------------------------------------------

    def _check(self, options: Mapping[str, Any]) -> None:
        self._refuse_sockets(options)
        if options.get("ssl") is not None:
            raise self._refused(
                "a connection with TLS", "there is nobody to hide from", "pass no ssl"
            )
        if not self._is_ordered:
            raise self._refused(
                "a connection on links that keep no order",
                "a stream of bytes has an order, and the adapter declares no such links",
                'set links = "ordered" in the adapter',
            )

    def _refuse_sockets(self, options: Mapping[str, Any]) -> None:
        if options.get("sock") is not None:
            raise self._refused("a socket of its own", "there are no sockets", "give an address")

    def _refused(self, what: str, cause: str, remedy: str) -> ImplementationError:
        error: ImplementationError = self.loop.refuse(
            ImplementationError(
                f"{node_name(self.node)} asks for {what}", cause=cause, remedy=remedy
            )
        )
        return error

    def _require_own(self, host: Any) -> None:
        if host not in (*_ANY_HOST, self.host):
            raise OSError(
                errno.EADDRNOTAVAIL,
                f"{host!r} is not an address of {node_name(self.node)}, which is at {self.host!r}",
            )


class Server(asyncio.AbstractServer):
    """What ``create_server`` returns: it accepts connections to one port."""

    def __init__(self, network: Network, factory: Any, port: int) -> None:
        self.network, self.factory, self.port = network, factory, port
        self.is_closed = False
        self._waiters: list[asyncio.Future[None]] = []
        self._forever: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Accept connections from now on."""
        self.network.servers[self.port] = self

    def close(self) -> None:
        """Accept no more connections."""
        self.is_closed = True
        self.network.servers.pop(self.port, None)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        if self._forever is not None:
            self._forever.cancel()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of its node."""
        loop: asyncio.AbstractEventLoop = self.network.loop
        return loop

    def is_serving(self) -> bool:
        """Whether it accepts connections."""
        return self.network.servers.get(self.port) is self

    async def start_serving(self) -> None:
        """Accept connections from now on."""
        self.begin()

    async def serve_forever(self) -> None:
        """Accept connections until it is closed, or whoever waits is cancelled."""
        self.begin()
        self._forever = self.network.loop.create_future()
        try:
            await self._forever
        finally:
            self.close()

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        if not self.is_closed:
            waiter: asyncio.Future[None] = self.network.loop.create_future()
            self._waiters.append(waiter)
            await waiter

    @property
    def sockets(self) -> tuple[Listening, ...]:
        """Something to ask for the address."""
        return (Listening((self.network.host, self.port)),) if self.is_serving() else ()


class Listening:
    """What programs ask a server's socket: where it listens."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        """Host and port."""
        return self._address
