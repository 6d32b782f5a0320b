"""The virtual event loop: asyncio's own is its twin, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import sys
import weakref
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.impl.adapters.inserted_order import Future, Task
from indelible.impl.adapters.virtual_loop import VirtualLoop
from indelible.model.errors import ImplementationError

pytestmark = pytest.mark.usefixtures("no_other_loop")


class World:
    """What a loop tells the world of timers."""

    def __init__(self, **options: Any) -> None:
        self.armed: dict[str, float] = {}
        self.loop = VirtualLoop(arm=self.armed.__setitem__, disarm=self.armed.pop, **options)

    def run(self, function: Callable[..., Any]) -> Any:
        """Call an async function as a task and return the task."""
        tasks: list[asyncio.Task[Any]] = []
        self.loop.run(lambda: tasks.append(self.loop.create_task(function())))
        return tasks[0]

    def fire(self, name: str) -> None:
        del self.armed[name]
        self.loop.fire(name)

    def fire_all(self) -> None:
        """Every timer, in the order of their deadlines."""
        while self.loop.timers:
            self.fire(min(self.loop.timers, key=lambda name: self.loop.timers[name].when()))


# --- the twin -----------------------------------------------------------------------------------


class Instant(asyncio.SelectorEventLoop):
    """asyncio's own loop, on a clock that jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._clock_resolution = 1e-9
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout:
                self.now = min(handle.when() for handle in self._scheduled)  # type: ignore[attr-defined]
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


KINDS = (
    *("sleep", "yield", "put", "get", "lock", "gather", "timeout"),
    *("shield", "cancel", "set", "wait", "soon", "first", "group"),
)
programs = st.recursive(
    st.tuples(st.sampled_from(KINDS), st.just(())),
    lambda inner: st.tuples(st.sampled_from(KINDS), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=12,
)


class Runner:
    """Runs a made-up program on whichever loop, and notes what happens in which order."""

    def __init__(self, seed: int) -> None:
        self.log: list[Any] = []
        self.queue: asyncio.Queue[int] = asyncio.Queue(2)
        self.lock, self.event = asyncio.Lock(), asyncio.Event()
        # Times of many digits, so that no two deadlines are the same.
        self.random = random.Random(seed)
        self.count = 0

    async def run(self, program: Any) -> int:
        kind, inner = program
        self.count += 1
        number = self.count
        self.log.append((number, kind))
        delay = self.random.uniform(0.1, 1.0)
        try:
            await self._run(kind, inner, number, delay)
        except TimeoutError:
            self.log.append((number, "timed out"))
        except asyncio.CancelledError:
            self.log.append((number, "cancelled"))
            raise
        self.log.append((number, "ended", round(asyncio.get_running_loop().time(), 9)))
        return number

    async def _run(self, kind: str, inner: Any, number: int, delay: float) -> None:
        loop = asyncio.get_running_loop()
        if kind == "sleep":
            await asyncio.sleep(delay)
        elif kind == "yield":
            await asyncio.sleep(0)
        elif kind == "put":
            await asyncio.wait_for(self.queue.put(number), delay)
        elif kind == "get":
            self.log.append(await asyncio.wait_for(self.queue.get(), delay))
        elif kind == "wait":
            async with asyncio.timeout(delay):
                await self.event.wait()
        elif kind == "set":
            self.event.set()
            self.event.clear()
        elif kind == "soon":
            loop.call_later(delay, self.log.append, "later")
            loop.call_at(loop.time() - delay, self.log.append, (number, "due"))
            loop.call_soon(self.log.append, (number, "soon"))
        if kind == "gather":
            self.log.append(await asyncio.gather(*map(self.run, inner)))
        elif kind == "group":
            async with asyncio.TaskGroup() as group:
                for each in inner:
                    group.create_task(self.run(each))
        elif kind == "first" and inner:
            tasks = [asyncio.create_task(self.run(each)) for each in inner]
            done, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.log.append((len(done), len(late)))
            await asyncio.gather(*late)
        elif kind == "cancel" and inner:
            task = asyncio.create_task(self.run(inner[0]))
            await asyncio.sleep(delay)
            task.cancel()
            self.log.append(str(await asyncio.gather(task, return_exceptions=True)))
        else:
            for each in inner:
                if kind == "lock":
                    async with self.lock:
                        await asyncio.sleep(delay)
                if kind == "shield":
                    await asyncio.shield(self.run(each))
                elif kind == "timeout":
                    await asyncio.wait_for(self.run(each), delay)
                else:
                    await self.run(each)


@given(programs, st.integers(0, 1000))
def test_the_twin(program: Any, seed: int) -> None:
    logs: list[list[Any]] = []

    async def main() -> None:
        runner = Runner(seed)
        logs.append(runner.log)
        await runner.run(program)

    real = Instant()
    # asyncio's own hash by address, which decides in which order a group cancels its tasks.
    real.set_task_factory(lambda loop, made, **more: Task(made, loop=loop, **more))
    real.run_until_complete(main())
    real.close()
    world = World()
    task = world.run(main)
    world.fire_all()
    assert task.done()
    assert world.armed == {}
    # What real loops leave behind when the program ends, nobody waits for.
    assert logs[1][: len(logs[0])] == logs[0]


@pytest.mark.parametrize("make", [Instant, lambda: World().loop])
def test_what_is_due_comes_after_what_is_ready(make: Callable[[], Any]) -> None:
    log: list[str] = []
    loop = make()

    def one() -> None:
        loop.call_at(loop.time() - 1, log.append, "due")

    def two() -> None:
        loop.call_soon(log.append, "soon")

    async def main() -> None:
        loop.call_soon(one)
        loop.call_soon(two)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    if isinstance(loop, VirtualLoop):
        loop.run(lambda: loop.create_task(main()))
    else:
        loop.run_until_complete(main())
        loop.close()
    assert log == ["soon", "due"]


# --- timers -------------------------------------------------------------------------------------


def test_timers_are_called_by_who_waits() -> None:
    async def election() -> None:
        await asyncio.sleep(1.5)

    class Node:
        def tick(self) -> None: ...

        async def main(self) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(2, self.tick)
            loop.call_later(3, self.tick)
            try:
                await asyncio.wait_for(loop.create_future(), 4)
            except TimeoutError:
                await election()

    world = World()
    world.run(Node().main)
    where = "test_timers_are_called_by_who_waits."
    assert world.armed == {
        f"{where}Node.tick": 2.0,
        f"{where}Node.tick#2": 3.0,
        f"{where}Node.main": 4.0,
    }
    world.fire(f"{where}Node.main")
    assert world.loop.time() == 4.0
    assert world.armed[f"{where}election"] == 1.5


def test_a_task_of_asyncio_alone_is_called_by_its_coroutine() -> None:
    world = World()
    world.run(lambda: asyncio.sleep(1))
    assert world.armed == {"sleep": 1.0}


def test_names_do_not_depend_on_what_was_armed_before() -> None:
    async def waits() -> None:
        while True:
            await asyncio.sleep(1)

    world = World()
    world.run(waits)
    (name,) = world.armed
    for _ in range(3):
        world.fire(name)
        assert list(world.armed) == [name]


def test_the_clock() -> None:
    async def times() -> list[float]:
        first = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(2)
        await first
        return [asyncio.get_running_loop().time()]

    for clock, expected in (("advancing", 2.0), ("still", 0.0)):
        world = World(clock=clock)
        task = world.run(times)
        later = next(name for name, delay in world.armed.items() if delay == 2.0)
        world.fire(later)  # It is the world's to choose: this one fires before the other.
        assert world.loop.time() == expected
        world.fire_all()
        assert task.result() == [expected]


# --- what is a failure, and what is refused -----------------------------------------------------


async def fails() -> None:
    raise ValueError("of a task")


def test_an_exception_that_nobody_takes_is_raised() -> None:
    with pytest.raises(ValueError, match="of a task"):
        World().run(fails)


def test_an_exception_of_a_callback_is_raised() -> None:
    world = World()
    with pytest.raises(ZeroDivisionError):
        world.loop.run(lambda: world.loop.call_soon(lambda: 1 // 0))


def test_an_exception_that_somebody_takes_is_not() -> None:
    async def main() -> str:
        task = asyncio.create_task(fails())
        results = await asyncio.gather(task, return_exceptions=True)
        return repr(results[0])

    assert World().run(main).result() == "ValueError('of a task')"


def test_a_program_may_handle_exceptions_itself() -> None:
    told: list[str] = []
    world = World()
    world.loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    world.loop.run(lambda: world.loop.call_soon(lambda: 1 // 0))
    assert len(told) == 1


def test_an_event_that_never_ends_is_cut_off() -> None:
    async def busy() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(ImplementationError, match=r"runs on after 100 callbacks(.|\n)*busy"):
        World(callbacks_max=100).run(busy)


REFUSED: dict[str, Callable[[Any], Any]] = {
    "sock_recv": lambda loop: loop.sock_recv(None, 1),
    "add_reader": lambda loop: loop.add_reader(0, print),
    "subprocess_exec": lambda _: asyncio.create_subprocess_exec("true"),
    "getaddrinfo": lambda loop: loop.getaddrinfo("localhost", 80),
    "create_connection": lambda _: asyncio.open_connection("localhost", 80),
    "run_until_complete": lambda loop: loop.run_until_complete(None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_the_world_is_refused_even_if_the_program_goes_on(name: str) -> None:
    async def main() -> None:
        try:
            await REFUSED[name](asyncio.get_running_loop())
        except Exception:
            return

    with pytest.raises(ImplementationError, match=f"called {name}"):
        World().run(main)


def test_functions_for_threads_run_on_this_one() -> None:
    async def main() -> list[Any]:
        bad = asyncio.to_thread(lambda: 1 // 0)
        return list(
            await asyncio.gather(asyncio.to_thread(sum, [1, 2]), bad, return_exceptions=True)
        )

    three, error = World().run(main).result()
    assert (three, type(error)) == (3, ZeroDivisionError)


def test_nothing_that_a_discarded_loop_does_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            asyncio.get_running_loop().call_later(1, print)
            heard.append("its end")
            await asyncio.sleep(1)

    world = World()
    world.run(main)
    before = dict(world.armed)
    world.loop.discard()
    assert heard == ["its end"]
    assert world.armed == before
    del world
    assert capfd.readouterr() == ("", "")


async def cleans_up() -> None:
    try:
        await asyncio.sleep(1)
    finally:
        print("its end")
        await asyncio.sleep(1)
        await asyncio.sleep(1)


async def goes_on() -> None:
    while True:
        try:
            await asyncio.sleep(1)
        except BaseException:
            print("it goes on")


async def groups() -> None:
    async with asyncio.TaskGroup():
        await asyncio.sleep(1)


async def leaves() -> None:
    try:
        await asyncio.sleep(1)
    finally:
        sys.exit(1)


async def begins() -> None:
    try:
        await asyncio.sleep(1)
    finally:
        asyncio.sleep(1)  # Never awaited, of which Python warns.
        asyncio.create_task(groups())  # noqa: RUF006


async def yields() -> AsyncIterator[int]:
    try:
        while True:
            yield 1
    finally:
        await asyncio.sleep(1)


async def iterates() -> None:
    async for _ in yields():
        await asyncio.sleep(1)


@pytest.mark.parametrize("program", [cleans_up, goes_on, groups, leaves, begins, iterates])
def test_no_discarded_program_prints_anything(
    program: Callable[[], Any],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By itself, or because Python has nobody whom it could tell of an exception."""
    gc.collect()  # What other tests have left is not the matter of this one.
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: unraisable.append(said.exc_value))
    world = World()
    world.run(program)
    task = weakref.ref(next(iter(world.loop.tasks)))
    del world
    gc.collect()
    assert capfd.readouterr() == ("", "")
    assert unraisable == []
    assert task() is None


def test_who_interrupts_the_end_of_a_program_is_heard() -> None:
    async def interrupts() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            raise KeyboardInterrupt

    world = World()
    world.run(interrupts)
    before = sys.stdout, sys.stderr
    with pytest.raises(KeyboardInterrupt):
        world.loop.discard()
    assert before == (sys.stdout, sys.stderr)


def test_nobody_hears_of_a_program_that_python_collects() -> None:
    world = World()
    task = world.run(lambda: asyncio.sleep(1))
    before = dict(world.armed)
    task.get_coro().close()
    assert world.armed == before
    assert world.loop.timers == {}


@pytest.mark.parametrize("made", [3, 5, 12])
def test_sets_of_tasks_depend_on_what_was_put_in_and_not_on_addresses(made: int) -> None:
    """Two loops, much memory between their tasks, and one order in which a group cancels."""
    orders: list[list[int]] = []
    kept: list[object] = []

    async def wait(number: int, cancelled: list[int]) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    async def fail() -> None:
        raise ValueError

    async def main(cancelled: list[int]) -> None:
        with contextlib.suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for number in range(made):
                    kept.append(group.create_task(wait(number, cancelled)))
                    kept.extend(object() for _ in range(number * len(orders) * 7))
                await asyncio.sleep(0)
                group.create_task(fail())

    for _ in range(8):
        orders.append([])
        world = World()
        world.run(partial(main, orders[-1]))
        assert sorted(orders[-1]) == list(range(made))
    assert orders == orders[:1] * 8
    loop = World().loop
    futures = [loop.create_future() for _ in range(4)]
    assert list(set(futures)) == futures
    assert isinstance(futures[0], Future)
