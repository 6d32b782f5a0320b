"""A program that runs: one node's loop and network, and how it came to where it is.

It can only go forward. So what has led to a state is remembered as a history, by which the same is
made again; and ``Living`` keeps the programs that came somewhere last, for whoever goes on from
there. Knows nothing of states.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.own_loops import loop_within
from indelible.impl.adapters.replacements import Replaced, surrounded
from indelible.impl.adapters.socket_messages import SocketMessage
from indelible.impl.adapters.streams import Network
from indelible.impl.adapters.surroundings import Surroundings
from indelible.impl.adapters.virtual_loop import Clock, VirtualLoop
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, Receive, Timeout, node_name

__all__ = ["History", "Living", "Program"]

_TICKS_PER_SECOND: Final = 1_000


class History:
    """What has happened to a node: ``event``, after all that was ``before``.

    First of all it was started, which is no event: ``begun`` says as which node of which, and with
    what storage.
    """

    __slots__ = ("before", "begun", "event")

    def __init__(
        self,
        before: History | None,
        event: InputEvent | None,
        begun: tuple[Any, ...] = (),
    ) -> None:
        self.before, self.event, self.begun = before, event, begun


class Program:
    """One node that runs: ``build(storage)`` makes what ``pass_on(instance, event)`` tells events.

    ``host``, whose methods these are, is no part of it. Made, it has not started; that is its first
    step.
    """

    def __init__(
        self,
        node: NodeId,
        outbox: Outbox,
        build: Callable[[Any], Any],
        pass_on: Callable[[Any, InputEvent], Any],
        *,
        addresses: Mapping[NodeId, tuple[str, int | None]],
        is_ordered: bool,
        storage: Any,
        host: object,
        clock: Clock,
        callbacks_max: int,
        imported: Callable[[], tuple[Replaced, ...]],
    ) -> None:
        self.node, self.instance = node, None
        self.loop = VirtualLoop(
            arm=self._arm,
            disarm=outbox.cancel_timer,
            held=lambda: (self.instance, self._building),
            beyond=(host,),
            clock=clock,
            callbacks_max=callbacks_max,
        )
        self.network = Network(self.loop, node, addresses, is_ordered=is_ordered, storage=storage)
        self.loop.network = self.network
        self._outbox, self._build_it, self._pass_on = outbox, build, pass_on
        self._imported = imported
        self._building: Any = None
        self.draws = 0
        """In how many steps the node has drawn something random."""

    def step(self, event: InputEvent | None) -> tuple[Effect, ...]:
        """Handle an event, and all that comes of it at once; ``None`` is to start.

        Raises what the program raises, and ``ImplementationError``.
        """
        match event:
            case None:
                return self._during(self.loop.run, self._build)
            case Timeout(timer) if timer in self.loop.timers:
                return self._during(self.loop.fire, timer)
            case Receive(source, message) if isinstance(message, SocketMessage):
                return self._during(self.loop.run, self.network.receive, source, message)
        return self._during(self.loop.run, self._handle, event)

    def _during(self, function: Callable[..., None], *arguments: Any) -> tuple[Effect, ...]:
        around = Surroundings(self.node, self.draws, self.loop.time)
        with surrounded(around, self._imported()), self._outbox as effects:
            self.network.begin(effects)
            try:
                function(*arguments)
                if self._building is not None and self._building.done():
                    self._built(self._building.result())
                    self._building = None
            except RuntimeError as error:
                within = loop_within(error)
                if within is None:
                    raise
                raise around.refuse(*within) from None
        self.draws = around.draws_after
        return self.network.end()

    @contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Where an exception means that nobody goes on from here."""
        try:
            yield
        except BaseException:
            self.loop.discard()
            raise

    def _build(self) -> None:
        built = self._build_it(self.network.storage)
        if inspect.iscoroutine(built):
            self._building = self.loop.create_task(built)
        else:
            self._built(built)

    def _built(self, instance: Any) -> None:
        if instance is None:
            raise ImplementationError(
                f"build returned None for {node_name(self.node)}",
                cause="a node is whatever build returns",
                remedy="return the object that the other methods are given",
            )
        self.instance = instance

    def _handle(self, event: InputEvent) -> None:
        if self.instance is None:
            return  # Nobody is there to take it: the adapter's documentation says so.
        result = self._pass_on(self.instance, event)
        if inspect.iscoroutine(result):
            made = _put(self._outbox, result)
            made.__qualname__ = result.__qualname__  # A task is called by what it is for.
            self.loop.create_task(made)
        else:
            self._outbox.extend(result)

    def _arm(self, name: str, delay: float) -> None:
        ticks = max(1, round(delay * _TICKS_PER_SECOND))
        self._outbox.set_timer(name, (ticks, ticks))


async def _put(outbox: Outbox, method: Coroutine[Any, Any, Any]) -> None:
    outbox.extend(await method)


class Living:
    """Programs that live on where their histories have led, at most ``count_max`` of them."""

    def __init__(self, count_max: int) -> None:
        self._count_max, self._count = count_max, 0
        self._programs: OrderedDict[History, list[Program]] = OrderedDict()

    def __contains__(self, history: object) -> bool:
        return history in self._programs

    def take(self, history: History) -> Program:
        """A program that came to the end of that history: it is the caller's now."""
        programs = self._programs[history]
        program = programs.pop()
        self._forget(history, programs)
        return program

    def keep(self, history: History, program: Program) -> None:
        """Keep the program, and discard one that nobody has asked for lately."""
        self._programs.setdefault(history, []).append(program)
        self._programs.move_to_end(history)
        self._count += 1
        if self._count > self._count_max:
            oldest, programs = next(iter(self._programs.items()))
            programs.pop().loop.discard()
            self._forget(oldest, programs)

    def _forget(self, history: History, programs: list[Program]) -> None:
        self._count -= 1
        if not programs:
            del self._programs[history]
