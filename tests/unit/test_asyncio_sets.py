"""Tasks in sets, as keys and in groups: each told once and in full, and walked in an order that
follows from the events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from indelible import Scope, Submit, Timeout, explore
from indelible.adapters import AsyncioAdapter
from indelible.model.plain import TYPE, Fields
from indelible.render.programs import readable
from indelible.render.values import text_of

SCOPE = Scope(
    nodes=3,
    commands=("a", "b"),
    may_submit={"a": [0], "b": [1]},
    links="ordered",
    timeouts_max=1,
)


class Hosted(AsyncioAdapter):
    """Node ``n`` is an instance of ``made``; a command is an argument of its ``on``."""

    clock = "still"  # type: ignore[assignment]
    links = "ordered"
    crashes = False
    made: Any = None

    def __init__(self, made: Any = None) -> None:
        self.made = made or self.made

    def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
        instance = self.made()
        instance.outbox, instance.node = outbox, node
        return instance

    def submit(self, instance: Any, command: Any) -> Any:
        return instance.on(command)


def after(made: Any, *events: Any) -> Any:
    """The state of node 0 after these events."""
    adapter = Hosted(made)
    state, _ = adapter.start(0, (0, 1), None)
    for event in events:
        state, _ = adapter.handle(0, state, event)
    return state


def tasks_in(value: Any) -> Iterator[Fields]:
    """The tasks that are told in full."""
    if isinstance(value, Fields):
        if value.get(TYPE) == "Task" and set(value) != {TYPE, "name"}:
            yield value
        value = value.values()
    elif not isinstance(value, tuple | frozenset):
        return
    for part in value:
        yield from tasks_in(part)


# --- what keeps tasks -------------------------------------------------------------------------


class Keeping:
    """Does in the background what it is given, and keeps the task in a set, as the documentation
    of ``asyncio.create_task`` recommends."""

    def __init__(self) -> None:
        self.kept: Any = set()
        self.go = asyncio.Event()
        self.outbox: Any = None
        self.count = 0

    def on(self, command: str) -> None:
        task = asyncio.create_task(self.do(command))
        self.keep(task)
        task.add_done_callback(self.drop)

    async def do(self, command: str) -> None:
        await asyncio.sleep(1)
        self.outbox.decide(self.count, command)
        self.count += 1

    def keep(self, task: Any) -> None:
        self.kept.add(task)

    def drop(self, task: Any) -> None:
        self.kept.discard(task)


class AsKeys(Keeping):
    def __init__(self) -> None:
        super().__init__()
        self.kept = {}

    def keep(self, task: Any) -> None:
        self.kept[task] = "x"

    def drop(self, task: Any) -> None:
        del self.kept[task]


class InList(Keeping):
    def __init__(self) -> None:
        super().__init__()
        self.kept = []

    def keep(self, task: Any) -> None:
        self.kept.append(task)

    def drop(self, task: Any) -> None:
        self.kept.remove(task)


class InTuples(Keeping):
    def keep(self, task: Any) -> None:
        self.kept.add((1, frozenset({task})))

    def drop(self, task: Any) -> None:
        self.kept.remove((1, frozenset({task})))


class Client:
    def __init__(self, of: Any, task: Any) -> None:
        self.of, self.task = of, task


class OfClients(Keeping):
    """What keeps the tasks is in the set, and leads back to the node."""

    def keep(self, task: Any) -> None:
        self.kept.add(Client(self, task))

    def drop(self, task: Any) -> None:
        self.kept = {client for client in self.kept if client.task is not task}


class InGroup(Keeping):
    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.main = asyncio.create_task(self.run())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                command = await self.queue.get()
                self.queue.task_done()
                group.create_task(self.do(command))

    def on(self, command: str) -> None:
        self.queue.put_nowait(command)


KINDS = (Keeping, AsKeys, InList, InTuples, OfClients, InGroup)
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_what_a_kept_task_does_is_told(kind: Any) -> None:
    one, other = after(kind, Submit("a")), after(kind, Submit("b"))
    assert one != other
    assert one == after(kind, Submit("a"))


@kinds
def test_each_task_is_told_once(kind: Any) -> None:
    state = after(kind, Submit("a"), Submit("b"))
    told = [task["runs"].kind for task in tasks_in(state) if "runs" in task]
    assert told.count("Keeping.do()") == 2
    assert len(told) == 2 + (kind is InGroup)
    assert "somewhere" not in text_of(readable(state))


@kinds
def test_tasks_that_are_kept_let_a_search_end(kind: Any) -> None:
    """Which they do only if the same events lead to the same state."""

    class Adapter(Hosted):
        made = kind

    scope = Scope(nodes=2, commands=("a", "b"), may_submit=[0], links="ordered", timeouts_max=2)
    assert explore(Adapter(), scope).outcome == "holds"


class WhoeverIsFirst(Keeping):
    """Node 2 decides what it heard of first, once it has heard of both and some time is over."""

    def on(self, command: str) -> None:
        if command == "a":
            self.outbox.decide(0, command)
        self.outbox.send(2, command)

    def hear(self, command: str) -> None:
        self.count += 1
        if self.count == 1:
            task = asyncio.create_task(self.do(command))
            self.keep(task)
            task.add_done_callback(self.drop)
        else:
            asyncio.get_running_loop().call_later(1, self.go.set)

    async def do(self, command: str) -> None:
        await self.go.wait()
        self.outbox.decide(0, command)


@pytest.mark.parametrize("kind", [Keeping, AsKeys, InList, InTuples, OfClients])
def test_states_that_differ_in_a_kept_task_are_not_merged(kind: Any) -> None:
    class Both(WhoeverIsFirst, kind):  # type: ignore[misc]
        pass

    class Adapter(Hosted):
        made = Both

        def receive(self, instance: Any, source: Any, message: Any) -> None:
            instance.hear(message)

    verdict = explore(Adapter(), SCOPE)
    assert verdict.violation is not None
    assert verdict.violation.property == "agreement"


class Alone:
    """Tasks that nothing leads to: they wait for what nobody holds."""

    def __init__(self, is_swapped: bool = False) -> None:
        self.is_swapped = is_swapped
        asyncio.create_task(self.parent())  # noqa: RUF006  # Which is what this is about.

    async def parent(self) -> None:
        one, other = (asyncio.create_task(self.child(name)) for name in "ab")
        if self.is_swapped:
            one, other = other, one
        del self.is_swapped
        await asyncio.get_running_loop().create_future()
        one.cancel()
        print(other)

    async def child(self, name: str) -> None:
        await asyncio.get_running_loop().create_future()
        print(name)


def test_which_task_is_whose_is_told_of_tasks_that_nothing_leads_to() -> None:
    assert after(Alone) == after(Alone)
    assert after(Alone) != after(lambda: Alone(is_swapped=True))


# --- what walks them ----------------------------------------------------------------------------


class Cancelled:
    """A group that cancels what runs in it, after some of it has ended and more was begun."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.done = asyncio.Event()
        self.main = asyncio.create_task(self.run())

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.wait(number)) for number in range(3)]
                await asyncio.sleep(0)
                tasks[0].cancel()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                for number in range(3, 9):
                    group.create_task(self.wait(number))
                await self.done.wait()
                raise ValueError
        except* ValueError:
            pass

    async def wait(self, number: int) -> None:
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            self.order.append(number)
            raise

    def on(self, _: str) -> None:
        self.done.set()


def test_a_group_cancels_in_the_order_in_which_it_began() -> None:
    assert after(Cancelled, Submit("a"))["node"]["order"] == tuple(range(9))


KIND = set


class OfItsOwn:
    """A set of the program's own stays one, under whatever name."""

    def __init__(self) -> None:
        self.is_set = type(KIND()) is set


def test_no_set_of_the_program_is_replaced() -> None:
    assert after(OfItsOwn)["node"]["is_set"]


class Completing:
    def __init__(self) -> None:
        self.began: list[int] = []
        self.main = asyncio.create_task(self.run())

    async def run(self) -> None:
        ones = [self.wait(number) for number in range(9)]
        for each in asyncio.as_completed([*ones, *ones[3:]], timeout=60):
            await each

    async def wait(self, number: int) -> None:
        self.began.append(number)
        await asyncio.sleep(1)


def test_what_is_awaited_as_it_completes_begins_in_the_order_given_and_once() -> None:
    assert after(Completing)["node"]["began"] == tuple(range(9))
    names = ["Completing.wait", *(f"Completing.wait#{number}" for number in range(2, 10))]
    state = after(Completing, *map(Timeout, names))
    assert not list(tasks_in(state)) or "runs" not in next(tasks_in(state))


@pytest.mark.parametrize("wrong", [asyncio.Event, lambda: asyncio.sleep(0)])
def test_as_completed_raises_what_it_always_does(wrong: Any) -> None:
    class Wrong:
        def __init__(self) -> None:
            self.said = ""
            given = wrong()
            try:
                next(iter(asyncio.as_completed(given)))
            except TypeError as error:
                self.said = str(error)
            if asyncio.iscoroutine(given):
                given.close()

    assert after(Wrong)["node"]["said"]


class Walking:
    """Everything that asyncio gives out as a set."""

    def __init__(self) -> None:
        self.order: list[Any] = []
        self.main = asyncio.create_task(self.run())

    async def run(self) -> None:
        made = [asyncio.create_task(asyncio.sleep(9), name=f"{n}") for n in range(40)]
        for task in made[:20]:
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        made += [asyncio.create_task(asyncio.sleep(9), name=f"{n}") for n in range(40, 50)]
        running = [task.get_name() for task in asyncio.all_tasks()]
        gathered = [asyncio.gather(made[30], made[31]) for _ in range(4)]
        self.order = [*running, [gathered.index(each) for each in set(gathered)]]
        for task in made:
            task.cancel()
        await asyncio.gather(*gathered, return_exceptions=True)


def test_sets_that_asyncio_gives_out_do_not_depend_on_addresses() -> None:
    *running, gathered = after(Walking)["node"]["order"]
    assert sorted(running) == sorted(["Task", *map(str, range(20, 50))])
    assert gathered == (0, 1, 2, 3)
    kept = [bytes(17 * number) for number in range(300)]
    assert (*running, gathered) == after(Walking)["node"]["order"]
    del kept
