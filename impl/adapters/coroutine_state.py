"""What an asyncio program is at one moment, as a plain value: exactly, or not at all.

Of tasks and futures, timers and connections, what decides how they go on; of a suspended coroutine
where it stands, its variables and what is on the stack of its frame, of which the garbage collector
is told (CPython). No address is in it, and no number that only grows. An empty context of context
variables is left out: it is its task's alone.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import types
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from indelible.impl.adapters.freeze import freeze_together
from indelible.impl.adapters.inserted_order import Future, GatheringFuture, InOrder, Task
from indelible.impl.adapters.streams import Network, Server
from indelible.impl.adapters.timer_names import unused_name
from indelible.impl.adapters.transports import DatagramTransport, StreamTransport
from indelible.impl.adapters.virtual_loop import VirtualLoop
from indelible.model.plain import TYPE

__all__ = ["frozen_program"]


def frozen_program(
    instance: object, loop: VirtualLoop, known: Mapping[type, Callable[[Any], Any]]
) -> dict[str, Any]:
    """The node with all that is under way in its loop, in which nothing is ready.

    ``known`` says what is to stand for values of which not all belongs to the node. Raises
    ``ImplementationError`` for what cannot be told.
    """
    names: dict[int, str] = {}
    untold: deque[asyncio.Task[Any]] = deque()

    def task(value: asyncio.Task[Any]) -> dict[str, Any]:
        names[id(value)] = unused_name(_name(value), names.values())
        untold.append(value)
        return {TYPE: "Task", "name": names[id(value)]}

    def parts() -> Iterator[tuple[str, Any]]:
        yield "node", instance
        yield "sockets", loop.network
        yield "clock", loop.time()
        yield "context", loop.context
        yield "handler", loop.get_exception_handler()
        for name, handle in sorted(loop.timers.items()):
            yield f"timer {name}", _Whole(handle)
        yield from tasks()
        # Nothing leads to the others, so the order in which they were made is all there is.
        yield "alone", [each for each in loop.tasks if id(each) not in names]
        yield from tasks()

    def tasks() -> Iterator[tuple[str, Any]]:
        while untold:  # To tell of one may lead to others.
            each = untold.popleft()
            yield f"task {names[id(each)]}", _Whole(each)

    armed = {id(handle): name for name, handle in loop.timers.items()}
    known = {
        **_KNOWN,
        **known,
        **dict.fromkeys(_TASKS, task),
        asyncio.TimerHandle: lambda handle: _timer(handle, armed.get(id(handle))),
    }
    frozen = freeze_together(parts(), known=known, on_the_spot=dict.fromkeys(_TASKS, _task))
    return {key: part for key, part in frozen.items() if key == "node" or part}


class _Whole:
    """A task or timer that is to be told of, and not only named."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _whole(whole: _Whole) -> dict[str, Any]:
    if isinstance(whole.value, asyncio.TimerHandle):
        return {**_handle(whole.value), "when": whole.value.when()}
    return _task(whole.value)


# --- tasks and futures ------------------------------------------------------------------------


def _name(task: asyncio.Task[Any]) -> str:
    return str(getattr(task.get_coro(), "__qualname__", "task")).replace("<locals>.", "")


def _task(task: Any) -> dict[str, Any]:
    said = {**_future(task), TYPE: "Task"}
    if task.get_name() != "Task":
        said["name"] = task.get_name()
    if task._state == "PENDING":
        said["runs"] = task.get_coro()
        said["waits_for"] = task._fut_waiter
        said |= _given(must_cancel=task._must_cancel or None, cancels=task.cancelling() or None)
        contexts = [part for part in gc.get_referents(task) if type(part) is contextvars.Context]
        said |= _context(contexts[0])
    return said


def _future(future: Any) -> dict[str, Any]:
    said: dict[str, Any] = {TYPE: type(future).__name__.lstrip("_")}
    if future._state != "PENDING":
        said["state"] = future._state.lower()
    if future._state == "FINISHED":
        ended = "result" if future._exception is None else "exception"
        said[ended] = getattr(future, f"_{ended}")
    said |= _given(message=future._cancel_message, untaken=future._log_traceback or None)
    if future._callbacks:
        said["callbacks"] = [_callback(*pair) for pair in future._callbacks]
    return said | getattr(future, "__dict__", {})


def _callback(function: Any, context: contextvars.Context) -> Any:
    woken = getattr(function, "__self__", None)
    if isinstance(woken, asyncio.Task):
        return {"wakes": woken}  # In its own context.
    return {"calls": function, **_context(context)}


def _handle(handle: Any) -> dict[str, Any]:
    if handle.cancelled():
        return {TYPE: "Handle", "cancelled": True}
    said = {TYPE: "Handle", "calls": handle._callback, "with": handle._args}
    return said | _context(handle._context)


def _timer(handle: asyncio.TimerHandle, armed: str | None) -> dict[str, Any]:
    if armed is not None:
        return {TYPE: "Timer", "name": armed}
    return {**_handle(handle), TYPE: "Timer", "when": handle.when()}


def _context(context: contextvars.Context) -> dict[str, Any]:
    return {"context": context} if len(context) else {}


def _variables(context: contextvars.Context) -> list[Any]:
    return sorted(((variable.name, value) for variable, value in context.items()), key=_first)


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _variable(variable: contextvars.ContextVar[Any]) -> dict[str, Any]:
    return {TYPE: "ContextVar", "name": variable.name}


# --- coroutines -------------------------------------------------------------------------------


def _suspended(prefix: str, awaited: str) -> Callable[[Any], dict[str, Any]]:
    def said(value: Any) -> dict[str, Any]:
        frame = getattr(value, f"{prefix}_frame")
        if frame is None:
            return {TYPE: f"{value.__qualname__}()", "at": "its end"}
        local = frame.f_locals
        waits_for = getattr(value, awaited)
        place = f"{frame.f_globals.get('__name__')}:{frame.f_lineno} ({frame.f_lasti})"
        return {
            TYPE: f"{value.__qualname__}()".replace("<locals>.", ""),
            "at": place,
            **_given(running=getattr(value, f"{prefix}_running") or None),
            **{f"{name}_": local[name] for name in local},
            **_given(stack=list(_on_stack(value, frame, local, waits_for)) or None),
            **_given(awaits=_awaited(waits_for)),
        }

    return said


def _on_stack(
    value: Any, frame: types.FrameType, local: dict[str, Any], awaited: Any
) -> Iterator[Any]:
    """What the frame is about to use: the iterator of a loop, say; and cells of its variables.

    The garbage collector is told of the function, then of the variables, then of the stack.
    """
    held = iter(gc.get_referents(value))
    for part in held:
        if isinstance(part, types.FunctionType) and part.__code__ is frame.f_code:
            next(held)  # Its code.
            break
    names = set(frame.f_code.co_varnames) - set(frame.f_code.co_cellvars)
    variables = Counter(id(part) for name, part in local.items() if name in names)
    for part in held:
        if variables[id(part)]:
            variables[id(part)] -= 1
        elif part is awaited:
            break
        else:
            yield part
    # On top of the stack was what is awaited; the last is the exception that is being handled, or
    # ``None`` once there was any.
    yield from (part for part in held if part is not None)


def _awaited(part: Any) -> Any:
    if type(part).__name__ in _WRAPPERS:
        return gc.get_referents(part)
    return part


_WRAPPERS: Final = (
    "FutureIter",
    "coroutine_wrapper",
    "async_generator_asend",
    "async_generator_athrow",
    "anext_awaitable",
)
"""Types in C that have no other parts than those that the garbage collector is told of, once what
they wait for has begun."""


# --- what asyncio makes of these ------------------------------------------------------------------


def _without_loop(value: Any) -> dict[str, Any]:
    kept = {name: part for name, part in vars(value).items() if name != "_loop"}
    return {TYPE: type(value).__name__, **kept}


def _network(network: Network) -> dict[str, Any]:
    ends = {
        f"{end.name}{'' if end.is_opener else ' (accepted)'}": end for end in network.ends.values()
    }
    parts = {
        "connections": ends,
        "datagrams": {f"port {port}": network.sockets[port] for port in network.sockets},
        "servers": {f"port {port}": network.servers[port] for port in network.servers},
        "numbers": network.numbers if any(network.numbers) else (),
    }
    return {name: _sorted(part) for name, part in parts.items() if part}


def _sorted(part: Any) -> Any:
    return dict(sorted(part.items())) if isinstance(part, dict) else part


def _end(end: StreamTransport) -> dict[str, Any]:
    flags = ("is_opener", "has_ended", "peer_has_ended", "is_closed", "is_paused")
    return {
        TYPE: "Connection",
        "name": end.name,
        "peer": end.peer,
        "address": end.get_extra_info("peername"),
        **_given(opening=end.opening, protocol=end.protocol, held=end.held or None),
        **{flag: True for flag in flags if getattr(end, flag)},
    }


def _socket(socket: DatagramTransport) -> dict[str, Any]:
    said = {TYPE: "Socket", "port": socket.port, "protocol": socket.protocol}
    return {**said, **_given(remote=socket.remote, is_closed=socket.is_closed or None)}


def _server(server: Server) -> dict[str, Any]:
    return {TYPE: "Server", **{k: part for k, part in vars(server).items() if k != "network"}}


def _loop(_: VirtualLoop) -> str:
    return "the event loop"


def _token(token: contextvars.Token[Any]) -> dict[str, Any]:
    used = repr(token).startswith("<Token used")
    return {TYPE: "Token", "of": token.var, "old": token.old_value, "used": used}


def _given(**parts: Any) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


_TASKS: Final = (asyncio.Task, Task)

_PLAIN: Final = (
    *(asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.Semaphore),
    *(asyncio.BoundedSemaphore, asyncio.Barrier),
    *(asyncio.Queue, asyncio.PriorityQueue, asyncio.LifoQueue),
    *(asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReaderProtocol),
    *(asyncio.TaskGroup, asyncio.Timeout),
)

_KNOWN: Final[dict[type, Callable[[Any], Any]]] = {
    _Whole: _whole,
    VirtualLoop: _loop,
    Network: _network,
    Server: _server,
    StreamTransport: _end,
    DatagramTransport: _socket,
    **dict.fromkeys((asyncio.Future, Future), _future),
    GatheringFuture: _future,
    InOrder: list,
    asyncio.Handle: _handle,
    contextvars.Context: _variables,
    contextvars.ContextVar: _variable,
    contextvars.Token: _token,
    types.CoroutineType: _suspended("cr", "cr_await"),
    types.GeneratorType: _suspended("gi", "gi_yieldfrom"),
    types.AsyncGeneratorType: _suspended("ag", "ag_await"),
    **dict.fromkeys(_PLAIN, _without_loop),
}
