"""Exceptions of tasks that nobody takes: told when asyncio tells them, and never before.

The twin is asyncio's own loop, with a garbage collection after each event.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from indelible.adapters import AsyncioAdapter, Outbox
from indelible.impl.adapters.reachable import unreachable
from indelible.impl.adapters.virtual_loop import VirtualLoop
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Submit
from indelible.model.implementation import ask_handle

NODES = (0, 1)


pytestmark = pytest.mark.usefixtures("no_other_loop")


async def fails(what: str = "of a task") -> None:
    raise ValueError(what)


class Program:
    """What a program may do with a task that fails, a method for an event."""

    def __init__(self) -> None:
        self.kept: Any = None
        self.event = asyncio.Event()

    async def start(self) -> None:
        self.kept = asyncio.create_task(fails())

    async def start_and_forget(self) -> None:
        asyncio.create_task(fails())  # noqa: RUF006

    async def start_in_a_closure(self) -> None:
        task = asyncio.create_task(fails())
        self.kept = lambda: task

    async def start_in_a_partial(self) -> None:
        self.kept = {"one": [functools.partial(print, asyncio.create_task(fails()))]}

    async def start_in_a_variable(self) -> None:
        task: Any = asyncio.create_task(fails())
        await self.event.wait()
        task = None
        self.event.clear()
        await self.event.wait()
        del task

    async def start_weakly(self) -> None:
        self.kept = weakref.ref(asyncio.create_task(fails()))

    async def start_in_a_cycle(self) -> None:
        cycle: list[Any] = []
        cycle += [cycle, asyncio.create_task(fails())]

    async def start_with_itself(self) -> None:
        async def fails_with_itself() -> None:
            me = asyncio.current_task()
            raise ValueError(me and "of a task that its own traceback leads to")

        asyncio.create_task(fails_with_itself())  # noqa: RUF006

    async def start_two(self) -> None:
        self.kept = [asyncio.create_task(fails(name)) for name in ("one", "two")]

    async def watch(self) -> None:
        self.kept.add_done_callback(lambda _: None)

    async def go_on(self) -> None:
        self.event.set()

    async def take(self) -> None:
        with contextlib.suppress(ValueError):
            await self.kept

    async def look(self) -> None:
        self.kept.exception()

    async def forget(self) -> None:
        self.kept = None

    async def forget_one(self) -> None:
        self.kept.pop()

    async def cancel(self) -> None:
        self.kept.cancel()

    async def nothing(self) -> None:
        """Time passes."""

    async def gather(self) -> None:
        self.kept = asyncio.gather(fails(), self.nothing(), return_exceptions=True)


CASES: dict[tuple[str, ...], list[int]] = {
    ("start", "nothing", "take", "forget"): [],
    ("start", "nothing", "look", "forget"): [],
    ("start", "nothing", "nothing"): [],
    ("start", "nothing", "forget", "nothing"): [2],
    ("start", "start", "nothing"): [1],
    ("start", "cancel", "forget"): [],
    ("start", "watch", "forget"): [2],
    ("start_and_forget", "nothing"): [0],
    ("start_in_a_closure", "nothing", "forget"): [2],
    ("start_in_a_partial", "nothing", "forget"): [2],
    ("start_in_a_variable", "nothing", "go_on", "nothing", "go_on"): [2],
    ("start_weakly", "nothing"): [0],
    ("start_in_a_cycle", "nothing"): [0],
    ("start_with_itself", "nothing"): [0],
    ("start_two", "nothing", "forget_one", "forget_one", "nothing"): [2, 3],
    ("start_two", "nothing", "forget"): [2, 2],
    ("gather", "nothing", "forget"): [],
}
"""In which events what was done is told of, from 0."""


def told_by_asyncio(events: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Which event, the message, and the exception."""
    loop, told, number = asyncio.SelectorEventLoop(), [], 0
    loop.set_exception_handler(lambda _, said: told.append((number, *describe(said))))
    gc.collect()
    program = run(loop.run_until_complete, Program)
    for number, event in enumerate(events):  # noqa: B007
        task = loop.create_task(getattr(program, event)())
        for _ in range(5):  # A task may wait for a later event.
            loop.run_until_complete(asyncio.sleep(0))
        del task
        gc.collect()
    told_then = list(told)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    return told_then


def told_here(
    events: tuple[str, ...], *, look: Callable[[Any], None]
) -> list[tuple[int, str, str]]:
    program: Any = None
    loop = VirtualLoop(arm=print, disarm=print, held=lambda: [program])
    told, number = [], 0
    loop.set_exception_handler(lambda _, said: told.append((number, *describe(said))))
    program = run(lambda made: loop.run(functools.partial(loop.create_task, made)), Program)
    for number, event in enumerate(events):  # noqa: B007
        loop.run(lambda name=event: loop.create_task(getattr(program, name)()) and None)
        for task in loop.tasks:
            look(task.get_coro())
    return told


def run(runner: Callable[[Any], Any], make: Callable[[], Any]) -> Any:
    """What is made while a loop runs."""
    made: list[Any] = []

    async def main() -> None:
        made.append(make())

    runner(main())
    return made[0]


def describe(said: dict[str, Any]) -> tuple[str, str]:
    assert isinstance(said["future"], asyncio.Task)
    return said["message"], repr(said["exception"])


def look_closely(coroutine: Any) -> None:
    """As whoever freezes a state does."""
    assert coroutine.cr_frame.f_locals is not None


@pytest.mark.parametrize("look", [look_closely, id])
@pytest.mark.parametrize("events", CASES, ids=" ".join)
def test_the_twin(events: tuple[str, ...], look: Callable[[Any], None]) -> None:
    told = told_here(events, look=look)
    assert [number for number, *_ in told] == CASES[events]
    # Of several in one event asyncio tells in the order in which they are collected.
    assert sorted(told) == sorted(told_by_asyncio(events))


def test_several_are_told_in_the_order_in_which_they_were_made() -> None:
    told = told_here(("start_two", "forget"), look=id)
    assert [said for *_, said in told] == ["ValueError('one')", "ValueError('two')"]


def test_who_waits_for_ever_holds_what_is_in_its_variables() -> None:
    async def hangs() -> None:
        task = asyncio.create_task(fails())
        await asyncio.Event().wait()
        await task

    loop = VirtualLoop(arm=print, disarm=print)
    loop.run(lambda: loop.create_task(hangs()) and None)
    assert len(loop.tasks) == 1


def test_a_handler_may_start_something() -> None:
    done: list[str] = []

    async def clean_up() -> None:
        done.append("cleaned up")

    loop = VirtualLoop(arm=print, disarm=print)
    loop.set_exception_handler(lambda its, _: its.create_task(clean_up()) and None)
    loop.run(lambda: loop.create_task(fails()) and None)
    assert done == ["cleaned up"]


# --- in an adapter --------------------------------------------------------------------------------


class Hosted(AsyncioAdapter):
    clock = "still"  # type: ignore[assignment]

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Program()

    async def submit(self, instance: Program, command: Any) -> Any:  # type: ignore[override]
        await getattr(instance, command)()


class Told(Hosted):
    @staticmethod
    def fingerprint(instance: Program) -> Any:
        is_taken = not getattr(instance.kept, "_log_traceback", False)
        count = len(instance.kept) if isinstance(instance.kept, list) else None
        return type(instance.kept).__name__, is_taken, count, len(instance.event._waiters)


@pytest.mark.parametrize("kind", [Hosted, Told])
@pytest.mark.parametrize("events", CASES, ids=" ".join)
def test_what_nobody_can_take_is_a_failure_of_the_node(
    kind: type[AsyncioAdapter], events: tuple[str, ...]
) -> None:
    adapter = kind()
    state, _ = adapter.start(0, NODES, None)
    first = min(CASES[events], default=len(events))
    for event in events[:first]:
        state, _ = ask_handle(adapter, 0, NODES, state, Submit(event), twice=True)
    if first < len(events):
        with pytest.raises(ImplementationRaised, match="ValueError"):
            ask_handle(adapter, 0, NODES, state, Submit(events[first]), twice=True)


class Unbuilt(AsyncioAdapter):
    async def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:  # type: ignore[override]
        await asyncio.sleep(0)
        raise ValueError("of build")


def test_a_node_that_cannot_be_built_says_why() -> None:
    with pytest.raises(ValueError, match="of build"):
        Unbuilt().start(0, NODES, None)


class Built(AsyncioAdapter):
    async def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:  # type: ignore[override]
        program = Program()
        await program.start()
        return program


def test_what_build_returns_is_held_at_once() -> None:
    state, _ = Built().start(0, NODES, None)
    assert "of a task" in str(state)


# --- what is reachable ----------------------------------------------------------------------------


def test_nothing_leads_through_modules_classes_and_what_is_beyond() -> None:
    class Keeper:
        wanted: tuple[object, ...] = (object(),)

    wanted, keeper = Keeper.wanted[0], Keeper()
    assert unreachable([wanted], [keeper, sys]) == [wanted]
    assert unreachable([NODES], [test_the_twin, sys.modules[__name__]]) == [NODES]
    assert unreachable([wanted], [[Keeper.wanted]]) == []
    assert unreachable([wanted], [[Keeper.wanted]], beyond=[Keeper.wanted]) == [wanted]


def test_nothing_leads_through_where_an_exception_was_raised() -> None:
    wanted = object()

    def raises(local: object) -> None:
        raise ValueError("what", id(local))

    with pytest.raises(ValueError, match="what") as raised:
        raises(wanted)
    assert unreachable([wanted], [raised.value]) == [wanted]
    assert unreachable([wanted], [ValueError(wanted)]) == []
