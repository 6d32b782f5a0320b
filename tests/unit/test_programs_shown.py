"""States of asyncio programs as they are shown: to be read, while what is compared stays exact."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from indelible import Scope
from indelible.adapters import AsyncioAdapter, Outbox
from indelible.cli import main
from indelible.model.events import Event, Submit, Timeout
from indelible.model.plain import Fields
from indelible.render.programs import is_program, readable, readable_step
from indelible.render.values import changes, text_of
from indelible.render.words import state_changes

NODES = (0,)


async def fails() -> None:
    raise ValueError("of a task")


class Dozing:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue(5)
        self.lock = asyncio.Lock()
        self.done: Any = None
        self.kept: Any = None
        self.outbox: Any = None

    async def decide(self) -> None:
        if len(self.queue._getters) > 1:  # type: ignore[attr-defined]
            self.outbox.decide(0, "a")
            self.outbox.decide(0, "b")

    async def take(self) -> None:
        taken = []
        while True:
            taken.append(await self.queue.get())
            if len(taken) > 2:
                self.queue.task_done()

    async def put(self) -> None:
        await self.queue.put("x")

    async def sleep(self) -> None:
        for count in (1, 2):
            await self.nap(count)

    async def nap(self, count: int) -> None:
        async with self.lock:
            await asyncio.sleep(count)

    async def fail(self) -> None:
        self.kept = asyncio.create_task(fails())

    async def cancel(self) -> None:
        self.kept = asyncio.create_task(self.nap(9))
        await asyncio.sleep(0)
        self.kept.cancel()

    async def result(self) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self.done.set_result({"a": 1})

    async def together(self) -> None:
        await asyncio.gather(self.nap(3), self.nap(4))

    async def later(self) -> None:
        asyncio.get_running_loop().call_later(1, self.ring)

    def ring(self) -> None: ...

    async def wait_for_task(self) -> None:
        other = asyncio.create_task(self.nap(3))
        await other

    async def hide(self) -> None:
        """Change what only asyncio sees."""
        other = next(iter(asyncio.all_tasks() - {asyncio.current_task()}))
        other.add_done_callback(lambda _: None)


class Hosted(AsyncioAdapter):
    clock = "still"  # type: ignore[assignment]

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return Dozing()

    async def submit(self, instance: Dozing, command: Any) -> Any:  # type: ignore[override]
        await getattr(instance, command)()


def shown(*events: str | Event) -> list[str]:
    """What the last event changed, as it is read."""
    adapter = Hosted()
    state, _ = adapter.start(0, NODES, None)
    before = state
    for event in events:
        happens = Submit(event) if isinstance(event, str) else event
        before, (state, _) = state, adapter.handle(0, state, happens)
    return [change.text("state") for change in changes(*readable_step(before, state))]


class Failing(Hosted):
    """Waits, with a queue and variables, and decides two values."""

    scope = Scope(nodes=1, commands=("take", "decide"), timeouts_max=0)

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        made = Dozing()
        made.outbox, made.kept = outbox, asyncio.create_task(made.take())
        return made


FILE = __name__


def line(function: str, text: str) -> str:
    """Where a text stands in a function of this file."""
    lines = Path(__file__).read_text().splitlines()
    start = next(number for number, each in enumerate(lines) if f"def {function}(" in each)
    return f"{FILE}:{next(n for n, each in enumerate(lines) if n > start and text in each) + 1}"


def place(inner: str, text: str, *more: str) -> str:
    own = line("submit", "await getattr")
    return " > ".join([own, f"Dozing.{inner}() {line(inner, text)}", *more])


def test_a_task_says_where_it_stands_and_its_variables() -> None:
    (added,) = shown("take")
    assert added == (
        f"task Hosted.submit: added Task(at={place('take', 'taken.append', 'Queue.get()')}, "
        "command='take', taken=[], waits_for=node.queue)"
    )
    assert shown("take", "put") == [
        "node.queue.unfinished: added 1",
        "task Hosted.submit.taken: added 'x'",
    ]


def test_a_queue_is_its_items() -> None:
    assert shown("put") == ["node.queue.items: added 'x'"]
    assert shown("put", "put") == ["node.queue.items: added 'x'"]


def test_a_task_that_goes_on_and_ends() -> None:
    nap = place("sleep", "self.nap", f"Dozing.nap() {line('nap', 'asyncio.sleep')}", "sleep()")
    *_, task, timer = shown("sleep")
    assert task == (
        f"task Hosted.submit: added Task(at={nap}, command='sleep', count=1, "
        "in_loop=1 of (1, 2), waits_for=timer Dozing.nap)"
    )
    assert timer == "timer Dozing.nap: added Timer(when=1.0)"
    timeout = Timeout("Dozing.nap")
    assert shown("sleep", timeout)[0] == "task Hosted.submit.count: 1 → 2"
    assert shown("sleep", timeout, timeout)[-2:] == [
        f"task Hosted.submit: {nap} → ended",
        "timer Dozing.nap: set → ended",
    ]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("fail", "node.kept: None → task fails"),
        ("fail", "task fails: added Task(exception=ValueError((args)=('of a task')), taken=False)"),
        ("cancel", "task Dozing.nap: added Task(cancelled=True)"),
        ("result", "node.done: None → Future(result={'a': 1})"),
        ("later", "timer Dozing.ring: added Timer(calls=ring(), when=1.0)"),
        ("wait_for_task", "other=task Dozing.nap, waits_for=task Dozing.nap)"),
    ],
)
def test_what_is_shown_of(event: str, says: str) -> None:
    assert any(said.endswith(says) for said in shown(event)), shown(event)


def test_nothing_of_asyncio_itself_is_shown() -> None:
    for event in ("take", "sleep", "fail", "together", "wait_for_task", "later"):
        for said in shown(event):
            for inner in (
                "callback",
                "wakes",
                "partial",
                "_wait",
                "_get",
                "_loop_",
                "(ar",
                "stack",
            ):
                assert inner not in said.replace("(args)", ""), said


def test_states_that_read_the_same_are_told_apart() -> None:
    adapter = Hosted()
    before, _ = adapter.start(0, NODES, None)
    before, _ = adapter.handle(0, before, Submit("take"))
    after, _ = adapter.handle(0, before, Submit("hide"))
    assert readable(before) == readable(after)
    assert before != after
    step: Any = SimpleNamespace(
        before=SimpleNamespace(state=before), after=SimpleNamespace(state=after)
    )
    assert "callbacks" in state_changes(step)[0].path


def test_what_is_no_program_is_left_as_it_is() -> None:
    state = Fields({"node": 1, "something": Fields({"type": "Task", "name": "x"})})
    assert not is_program(state)
    assert readable(state) is state
    assert readable_step(state, (1,)) == (state, (1,))


def test_what_is_read_from_a_document_reads_the_same(tmp_path: Path) -> None:
    """Also where nothing of the implementation is at hand."""
    target = f"{__name__}:Failing"
    checked = CliRunner().invoke(main, ["check", target, "--save", "--traces", str(tmp_path)])
    assert checked.exit_code == 1, checked.output
    (path,) = tmp_path.glob("*.json")
    texts = [
        CliRunner().invoke(main, ["show", str(path), *more]).stdout
        for more in ((), ("--no-import",))
    ]
    assert texts[0] == texts[1]
    assert "task Hosted.submit: added Task(at=" in texts[0]
    page = CliRunner().invoke(main, ["show", str(path), "--as", "html"]).stdout
    assert "taken=[]" in page
    assert "awaits=" not in page + texts[0]
    assert "wakes" not in page + texts[0]


def test_the_whole_state() -> None:
    adapter = Hosted()
    state, _ = adapter.start(0, NODES, None)
    state, _ = adapter.handle(0, state, Submit("put"))
    assert text_of(readable(state)["node"]) == (
        "Dozing(done=None, kept=None, lock=Lock(_locked=False), outbox=None, "
        "queue=Queue(items=['x'], maxsize=5))"
    )
