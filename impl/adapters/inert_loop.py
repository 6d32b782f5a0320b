"""What programs ask of an event loop and comes to nothing here, or to what the network makes of it.

There are no signals, no threads and no debugging, and a loop never ends: the world ends it. Knows
nothing of tasks and time; ``virtual_loop.py`` does.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from indelible.impl.adapters.refusals import REFUSED, refuses
from indelible.model.errors import ImplementationError

__all__ = ["InertLoop"]


@refuses(*REFUSED)
class InertLoop(asyncio.AbstractEventLoop):
    """An event loop that does nothing. ``network`` makes connections (``streams.py``); without one
    they are refused."""

    def __init__(self, network: Any = None) -> None:
        self.network = network
        self.signals: set[str] = set()
        """For which signals the program has ever added a handler."""
        self._refusal: ImplementationError | None = None

    def refuse(self, error: ImplementationError) -> ImplementationError:
        """Remember that the program asked for what it cannot have, even if it handles that."""
        if self._refusal is None:
            self._refusal = error
        return self._refusal

    def raise_refusal(self) -> None:
        """Raises ``ImplementationError`` if the program asked for what it cannot have."""
        if self._refusal is not None:
            raise self._refusal

    # --- the network ---------------------------------------------------------------------------

    async def create_connection(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        """Open a connection to another node."""
        return await self._networked("create_connection").open(protocol_factory, *args, **kwargs)

    async def create_server(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        """Accept connections of other nodes."""
        return self._networked("create_server").listen(protocol_factory, *args, **kwargs)

    async def create_datagram_endpoint(
        self, protocol_factory: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Send and receive datagrams."""
        return self._networked("create_datagram_endpoint").bind(protocol_factory, *args, **kwargs)

    def _networked(self, method: str) -> Any:
        if self.network is None:
            raise self.refuse(
                ImplementationError(
                    f"the program called {method}, and there is no network",
                    remedy="host it with an AsyncioAdapter, which has one",
                )
            )
        return self.network

    # --- nothing -------------------------------------------------------------------------------

    def is_closed(self) -> bool:
        """Never: the world ends it."""
        return False

    def get_debug(self) -> bool:
        """Never: see ``set_debug``."""
        return False

    def set_debug(self, enabled: bool) -> None:
        """Nothing comes of it: handles would remember where they were made."""

    def set_default_executor(self, executor: Any) -> None:
        """Nothing: functions are called on this thread."""

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:
        """Nothing but that it is known: no signal ever comes."""
        self.signals.add(signal.Signals(sig).name)

    def remove_signal_handler(self, sig: int) -> bool:
        """Nothing."""
        return True

    async def shutdown_asyncgens(self) -> None:
        """Nothing."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Nothing."""
