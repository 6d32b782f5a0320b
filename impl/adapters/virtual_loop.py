"""A virtual event loop: coroutines run on it as they are, and nothing happens by itself.

One event runs the ready queue dry, in the order of asyncio's own loop. A timer is armed with the
world and fires when the world says so (``fire``); the clock is what the timers make of it. A task
that failed is a failure of the node when nobody can take its exception any more, as asyncio says
when it collects the task. There is no input or output: what would need any is refused
(``refusals.py``). It knows no adapter. Its twin is ``asyncio.SelectorEventLoop``
(tests/unit/test_virtual_loop.py).
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import sys
import threading
from asyncio import events
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal, TypeAlias

from indelible.impl.adapters.ending import end, silence
from indelible.impl.adapters.inert_loop import InertLoop
from indelible.impl.adapters.inserted_order import Future, Task
from indelible.impl.adapters.reachable import unreachable
from indelible.impl.adapters.timer_names import timer_name, unused_name
from indelible.model.errors import ImplementationError

__all__ = ["CALLBACKS_MAX", "Clock", "VirtualLoop"]

CALLBACKS_MAX: Final = 10_000
"""How many callbacks one event may run before it is said never to end."""

Clock: TypeAlias = Literal["advancing", "still"]
Handler: TypeAlias = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]


class VirtualLoop(InertLoop):
    """The event loop of one node.

    - ``arm(name, delay)`` and ``disarm(name)`` are told of timers; ``delay`` is in seconds.
    - ``network``: see ``InertLoop``.
    - ``held()`` is what the program holds beside what its loop knows of, and ``beyond`` what is no
      part of the program though it refers to it.
    - ``clock``: ``"advancing"``: a timer that fires makes it no earlier than it was set for;
      ``"still"``: it is always 0.
    - ``callbacks_max``: how many callbacks an event may run.
    """

    def __init__(
        self,
        *,
        arm: Callable[[str, float], object],
        disarm: Callable[[str], object],
        network: Any = None,
        held: Callable[[], Iterable[object]] = tuple,
        beyond: Collection[object] = (),
        clock: Clock = "advancing",
        callbacks_max: int = CALLBACKS_MAX,
    ) -> None:
        super().__init__(network)
        self.timers: dict[str, asyncio.TimerHandle] = {}
        """The timers that are armed, by name."""
        self.tasks: dict[asyncio.Task[Any], None] = {}
        """The tasks that have not ended, in the order in which they were made."""
        self.context = contextvars.Context()
        self._arm, self._disarm = arm, disarm
        self._held, self._beyond = held, (self, *beyond)
        self._clock, self._now = clock, 0.0
        self._callbacks_max = callbacks_max
        self._names: dict[int, str] = {}
        self._ready: deque[asyncio.Handle] = deque()
        self._due: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._untaken: dict[asyncio.Task[Any], None] = {}  # Their exceptions; in order.
        self._failures: list[BaseException] = []
        self._handler: Handler | None = None
        self._task_factory: Any = None
        self._is_running = False
        self._thread = threading.get_ident()

    # --- what the world does -------------------------------------------------------------------

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call the function, and whatever it leads to before the next event.

        Raises what the program raised and did not handle, ``ImplementationError`` for what it
        cannot do here, and for an event that never ends.
        """
        with self._running():
            try:
                self.context.run(function, *arguments)
            except Exception:
                self.raise_refusal()
                raise
            self._run_dry()

    def fire(self, name: str) -> None:
        """The time-out of the armed timer of that name."""
        handle = self.timers.pop(name)
        del self._names[id(handle)]
        if self._clock == "advancing":
            self._now = max(self._now, handle.when())
        self.run(self._ready.append, handle)

    def discard(self) -> None:
        """End everything that was under way; nobody hears of it any more.

        Raises ``KeyboardInterrupt`` only, and then it has not ended everything.
        """
        self.network = None
        self._arm = self._disarm = _nothing
        with self._running(), silence():
            while self.tasks:
                end(self.tasks.popitem()[0])
            for handle in [*self._ready, *self.timers.values()]:
                asyncio.Handle.cancel(handle)
            self.timers.clear()
            self._names.clear()
            self._ready.clear()
            self._due.clear()
            self._untaken.clear()
            self._failures.clear()

    def __del__(self) -> None:
        with suppress(KeyboardInterrupt):  # Here Python would print it, and go on.
            self.discard()

    @contextmanager
    def _running(self) -> Iterator[None]:
        before, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
        events._set_running_loop(self)
        sys.set_asyncgen_hooks(finalizer=self._finalize)
        self._is_running = True
        try:
            yield
        finally:
            self._is_running = False
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(before)

    def _run_dry(self) -> None:
        left = self._callbacks_max
        while self._ready or self._due:
            while self._due:
                self._ready.append(heapq.heappop(self._due)[2])
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if handle.cancelled():
                    continue
                handle._run()
                self._raise_failure()
                left -= 1
                if left < 0:
                    raise self._endless()
            if not (self._ready or self._due):
                self._forget_ended()
        self._raise_failure()

    def _forget_ended(self) -> None:
        """Tell of tasks that have failed if nobody can take their exceptions any more."""
        for task in [task for task in self.tasks if task.done()]:
            del self.tasks[task]
            self._untaken[task] = None
        self._untaken = {task: None for task in self._untaken if task._log_traceback}
        for task in unreachable(self._untaken, self._roots(), self._beyond):
            del self._untaken[task]
            self.call_exception_handler(
                {
                    "message": f"{type(task).__name__} exception was never retrieved",
                    "exception": task.exception(),  # Taken: it is not told again by the collector.
                    "future": task,
                }
            )

    def _roots(self) -> list[object]:
        known = [self.network, self.context, self._handler, self._task_factory]
        return [*known, *self.tasks, *self.timers.values(), *self._held()]

    def _raise_failure(self) -> None:
        self.raise_refusal()
        if self._failures:
            raise self._failures[0]

    def _endless(self) -> ImplementationError:
        running = ", ".join(
            sorted({str(getattr(task.get_coro(), "__qualname__", task)) for task in self.tasks})
        )
        return ImplementationError(
            f"an event runs on after {self._callbacks_max:,} callbacks",
            cause="something is ready again and again, as in 'while True: await asyncio.sleep(0)'; "
            f"tasks: {running or 'none'}",
            remedy="wait for an event, a message or some time; or set callbacks_max",
        )

    # --- what the program asks for -------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the node was started, as far as timers tell."""
        return self._now

    def call_soon(
        self,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Call it after what is ready now."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As ``call_soon``; from another thread it is refused."""
        if threading.get_ident() != self._thread or not self._is_running:
            raise self.refuse(
                ImplementationError(
                    "a thread calls back into the event loop",
                    cause="what a thread does, and when, follows from no event",
                    remedy="let the adapter replace what the thread is for",
                )
            )
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it when a timer fires that is armed now."""
        return self._call_at(self._now + delay, callback, args, context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call it when a timer fires that is armed now."""
        return self._call_at(when, callback, args, context)

    def _call_at(
        self,
        when: float,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if when <= self._now:
            heapq.heappush(self._due, (when, len(self._due), handle))
            return handle
        task = asyncio.current_task(self)
        otherwise = None if task is None else getattr(task.get_coro(), "__qualname__", None)
        name = unused_name(timer_name(callback, sys._getframe(2), otherwise), self.timers)
        self.timers[name] = handle
        self._names[id(handle)] = name
        self._arm(name, when - self._now)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        name = self._names.pop(id(handle), None)
        if name is not None:
            del self.timers[name]
            if self._is_running:  # Else Python collects coroutines of a program that nobody needs.
                self._disarm(name)

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **more: Any,
    ) -> asyncio.Task[Any]:
        """A task of this loop. One without a name is called ``Task``: numbers would grow."""
        if self._task_factory is not None:
            given = more if context is None else {**more, "context": context}
            task = self._task_factory(self, coro, **given)
            task.set_name("Task" if name is None else name)
        else:
            called = "Task" if name is None else str(name)
            task = Task(coro, loop=self, name=called, context=context, **more)
        self.tasks[task] = None
        return task  # type: ignore[no-any-return]

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call the function on this thread, as the next thing that is ready.

        A thread that is done before anything else happens is one of the things that threads may do,
        and the only one that follows from the events.
        """
        future = self.create_future()
        self.call_soon(_call_into, future, func, args)
        return future

    # --- exceptions ----------------------------------------------------------------------------

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An exception that nobody handles: a failure, unless the program has a handler."""
        if not self._is_running:
            return
        if self._handler is not None:
            self._handler(self, context)
        else:
            self.default_exception_handler(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """It is a failure of the node."""
        self._failures.append(context.get("exception") or RuntimeError(context.get("message")))

    def get_exception_handler(self) -> Handler | None:
        """The program's own."""
        return self._handler

    def set_exception_handler(self, handler: Handler | None) -> None:
        """The program handles exceptions itself."""
        self._handler = handler

    # --- the rest of a loop --------------------------------------------------------------------

    def is_running(self) -> bool:
        """Whether an event is being handled."""
        return self._is_running

    def get_task_factory(self) -> Any:
        """The program's own."""
        return self._task_factory

    def set_task_factory(self, factory: Any) -> None:
        """The program makes tasks itself."""
        self._task_factory = factory

    def _finalize(self, generator: Any) -> None:
        if self._is_running:
            self.call_soon(self.create_task, generator.aclose())


def _call_into(
    future: asyncio.Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    if future.cancelled():
        return
    try:
        result = function(*arguments)
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def _nothing(*_: object) -> None:
    """What a discarded loop tells the world."""
