"""Programs of asyncio as implementations: states, replays, streams, failures."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import random
import signal
import threading
import time
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from indelible import (
    CancelTimer,
    Decide,
    Persist,
    Receive,
    Scope,
    Send,
    SetTimer,
    Submit,
    Timeout,
    explore,
)
from indelible.adapters import AsyncioAdapter
from indelible.impl.adapters import asyncio_adapter
from indelible.impl.adapters.socket_messages import Accepted, Connect, Data, Datagram, End, Reset
from indelible.model.errors import ImplementationError
from indelible.model.implementation import Implementation


class Hosted(AsyncioAdapter):
    """Node ``n`` is whatever ``made`` makes of the outbox; what is submitted calls its methods."""

    clock = "still"  # type: ignore[assignment]
    links = "ordered"

    def __init__(self, made: Any) -> None:
        self.made = made

    def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
        instance = self.made()
        instance.outbox, instance.storage = outbox, storage
        return instance

    def submit(self, instance: Any, command: Any) -> Any:
        return getattr(instance, command)()

    def receive(self, instance: Any, source: Any, message: Any) -> Any:
        instance.got.append(message)


class Cluster:
    """Nodes of an adapter, and the messages between them in the order in which they were sent."""

    def __init__(self, adapter: Implementation, count: int = 2) -> None:
        self.adapter, self.nodes = adapter, tuple(range(count))
        self.waiting: list[tuple[int, Any]] = []
        self.storage: dict[int, Hashable] = dict.fromkeys(self.nodes)
        self.states: dict[int, Any] = {}
        for node in self.nodes:
            self.restart(node)

    def restart(self, node: int) -> None:
        started = self.adapter.start(node, self.nodes, self.storage[node])
        self.states[node], effects = started
        self._note(node, effects)

    def do(self, node: int, event: Any) -> tuple[Any, ...]:
        self.states[node], effects = self.adapter.handle(node, self.states[node], event)
        self._note(node, effects)
        return effects

    def deliver(self) -> list[Any]:
        """All messages until there are none; which ones."""
        delivered = []
        while self.waiting:
            to, event = self.waiting.pop(0)
            delivered.append(event.message)
            self.do(to, event)
        return delivered

    def _note(self, node: int, effects: Any) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.waiting.append((int(effect.to), Receive(node, effect.message)))
            if isinstance(effect, Persist):
                self.storage[node] = effect.storage


def after(adapter: AsyncioAdapter, *events: Any) -> Any:
    """The state of node 0 after these events."""
    state, _ = adapter.start(0, (0, 1), None)
    for event in events:
        state, _ = adapter.handle(0, state, event)
    return state


# --- what a state is ----------------------------------------------------------------------------


class Walker:
    """A loop whose place is known to the stack of its frame, and to nobody else."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.task = asyncio.create_task(self.walk())

    async def walk(self) -> None:
        for _ in (None, None, None, None):
            await self.event.wait()
            self.event.clear()
        await self.event.wait()

    def step(self) -> None:
        self.event.set()


def test_histories_that_differ_in_the_place_of_an_iterator_are_told_apart() -> None:
    adapter = Hosted(Walker)
    states = [after(adapter, *[Submit("step")] * count) for count in range(7)]
    # Three rounds to go, two, one, none, the last wait; and then it has ended.
    assert len(set(states)) == 6
    assert states[5] != states[4]


class Steady:
    """Comes back to where it was."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.lock = asyncio.Lock()
        self.outbox: Any = None
        self.got: list[str] = []
        self.task = asyncio.create_task(self.main())

    async def main(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self.queue.get(), 1)
                self.queue.task_done()
            except TimeoutError:
                async with self.lock:
                    await asyncio.sleep(0)

    def put(self) -> None:
        self.queue.put_nowait("something")

    def keep(self) -> None:
        self.got.append("something")
        self.outbox.decide(0, "something")


def test_the_same_state_is_the_same_whatever_led_to_it() -> None:
    adapter = Hosted(Steady)
    timeout = Timeout("Steady.main")
    begun = after(adapter)
    assert after(adapter, Submit("put")) == begun
    assert after(adapter, timeout, Submit("put"), timeout) == begun
    assert after(adapter, Submit("keep")) != begun
    assert after(adapter, Submit("keep"), timeout) == after(adapter, Submit("put"), Submit("keep"))


def test_time_is_a_part_of_the_state_unless_it_stands_still() -> None:
    class Advancing(Hosted):
        clock = "advancing"

    timeout = Timeout("Steady.main")
    assert after(Advancing(Steady), timeout) != after(Advancing(Steady))
    assert after(Hosted(Steady), timeout) == after(Hosted(Steady))


class Times:
    def __init__(self) -> None:
        self.task = asyncio.create_task(self.main())

    async def main(self) -> None:
        await asyncio.sleep(2.5)
        start = time.time()
        self.times = (asyncio.get_running_loop().time(), time.monotonic())
        await asyncio.sleep(1)
        self.passed = time.time() - start


def test_the_clocks_agree() -> None:
    class Advancing(Hosted):
        clock = "advancing"

    timeout = Timeout("Times.main")
    node = after(Advancing(Times), timeout, timeout)["node"]
    assert node["times"] == (2.5, 2.5)
    assert node["passed"] == 1.0


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")


class Contexts:
    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.said: list[str] = []

    async def one(self) -> None:
        VARIABLE.set("one")
        await self.event.wait()
        self.said.append(VARIABLE.get())

    async def two(self) -> None:
        VARIABLE.set("two")
        await self.event.wait()
        self.said.append(VARIABLE.get())

    def go(self) -> None:
        self.event.set()


def test_context_variables_belong_to_tasks() -> None:
    one, two, go = map(Submit, ("one", "two", "go"))
    adapter = Hosted(Contexts)
    assert after(adapter, one, two, go)["node"]["said"] == ("one", "two")
    assert after(adapter, one) != after(adapter, two)


class Order:
    def __init__(self) -> None:
        self.votes: dict[str, int] = {}

    def yes(self) -> None:
        self.votes["yes"] = 1

    def no(self) -> None:
        self.votes["no"] = 1


def test_the_order_of_a_dict_is_not_lost() -> None:
    """A program may walk it, and nobody can put it in order between two events."""
    adapter = Hosted(Order)
    yes_no = after(adapter, Submit("yes"), Submit("no"))
    no_yes = after(adapter, Submit("no"), Submit("yes"))
    assert yes_no["node"] == no_yes["node"]
    assert yes_no != no_yes


class Untold:
    def __init__(self) -> None:
        self.parser = compile("1", "", "eval")


def test_what_cannot_be_told_is_an_error_unless_there_is_a_fingerprint() -> None:
    with pytest.raises(ImplementationError, match="fingerprint"):
        after(Hosted(Untold))

    class Told(Hosted):
        @staticmethod
        def fingerprint(instance: Any) -> Any:
            return instance.parser.co_name

    assert after(Told(Untold))["state"] == "<module>"


# --- replays --------------------------------------------------------------------------------------


def test_going_on_from_old_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio_adapter, "LIVING_MAX", 1)
    few, many = Hosted(Walker), Hosted(Walker)
    states = [few.start(0, (0, 1), None)[0]]
    for _ in range(5):
        states.append(few.handle(0, states[-1], Submit("step"))[0])
    for count, state in reversed(list(enumerate(states))):
        expected = after(many, *[Submit("step")] * (count + 1))
        assert few.handle(0, state, Submit("step"))[0] == expected


COUNTER = [0]


class Leaking:
    def __init__(self) -> None:
        self.number = 0

    def count(self) -> None:
        COUNTER[0] += 1
        self.number = COUNTER[0]


def test_a_leak_is_named() -> None:
    with pytest.raises(ImplementationError, match=r"COUNTER\[0\]"):
        after(Hosted(Leaking), Submit("count"))


def test_what_does_not_happen_again_is_noticed() -> None:
    class Tolerant(Hosted):
        may_change = (f"{__name__}.COUNTER",)

    adapter = Tolerant(Leaking)
    state = after(adapter, Submit("count"))
    adapter.handle(0, state, Submit("count"))
    with pytest.raises(ImplementationError, match=r"not deterministic(.|\n)*number"):
        adapter.handle(0, state, Submit("count"))


class Random:
    def __init__(self) -> None:
        self.drawn: list[float] = []
        self.task = asyncio.create_task(self.main())

    async def main(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(1, 2))
            self.drawn.append(random.random())


def test_randomness_follows_from_the_history() -> None:
    timeout = Timeout("Random.main")
    one, two = after(Hosted(Random), timeout, timeout), after(Hosted(Random), timeout, timeout)
    assert one == two
    assert len(set(one["node"]["drawn"])) == 2


# --- effects and failures -----------------------------------------------------------------


class Effects:
    def __init__(self) -> None:
        self.outbox: Any = None
        self.got: list[Any] = []

    async def waits(self) -> list[Any]:
        try:
            async with asyncio.timeout(2):
                self.outbox.send(1, "hello")
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            self.outbox.persist("late")
        return [Decide(0, "v")]

    async def fails(self) -> None:
        await asyncio.sleep(1)
        raise KeyError("later")

    async def blocks(self) -> None:
        time.sleep(1)


def test_effects_in_their_order() -> None:
    cluster = Cluster(Hosted(Effects))
    name = "Effects.waits"
    assert cluster.do(0, Submit("waits")) == (SetTimer(name, (2000, 2000)), Send(1, "hello"))
    assert cluster.do(0, Timeout(name)) == (Persist("late"), Decide(0, "v"))
    cluster.deliver()
    assert cluster.states[1]["node"]["got"] == ("hello",)


def test_a_task_that_fails_is_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    scope = Scope(nodes=1, commands=("fails",))
    verdict = explore(Hosted(Effects), scope, properties=["agreement"])
    assert verdict.outcome == "violated"
    assert verdict.trace is not None
    assert "KeyError" in verdict.trace.violation.explanation
    assert len(verdict.trace.actions) == 2
    assert capfd.readouterr().err == ""


def test_blocking_is_refused() -> None:
    with pytest.raises(ImplementationError, match="sleep"):
        after(Hosted(Effects), Submit("blocks"))


class Building(AsyncioAdapter):
    async def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:  # type: ignore[override]
        await asyncio.sleep(1)
        return [storage]

    def submit(self, instance: Any, command: Any) -> Any:
        instance.append(command)


def test_a_node_that_is_being_built() -> None:
    adapter = Building()
    lost = after(adapter, Submit("a"), Timeout("Building.build"), Submit("b"))
    assert lost["node"] == (None, "b")


def test_a_node_that_is_nothing() -> None:
    with pytest.raises(ImplementationError, match="build returned None"):
        after(_Nothing())


class _Nothing(AsyncioAdapter):
    def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
        return None


# --- streams ------------------------------------------------------------------------------


class Streams:
    """Answers each line; asks n1 when it is told to."""

    def __init__(self) -> None:
        self.outbox: Any = None
        self.log: list[Any] = []
        self.serving = asyncio.create_task(self.serve())
        self.writer: Any = None

    async def serve(self) -> None:
        server = await asyncio.start_server(self.answer, port=80)
        async with server:
            await server.serve_forever()

    async def answer(self, reader: Any, writer: Any) -> None:
        try:
            while line := await reader.readline():
                writer.write(b"you said ")
                writer.write(line)
                await writer.drain()
        except ConnectionResetError:
            self.log.append("reset")
        writer.close()

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("n1", 80)

    async def say(self) -> None:
        self.writer.write(b"hello\n")
        try:
            self.log.append(await self.reader.readline())
        except ConnectionResetError:
            self.log.append("reset")

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()
        self.log.append("closed")

    async def wrong_port(self) -> None:
        try:
            await asyncio.open_connection("n1", 81)
        except ConnectionRefusedError:
            self.log.append("refused")

    def torn(self) -> None:
        self.writer.write(b"one")
        self.outbox.persist("something")
        self.writer.write(b"two")
        self.writer.write(b"three")


def test_a_conversation() -> None:
    cluster = Cluster(Hosted(Streams))
    begun = cluster.states[1]
    cluster.do(0, Submit("open"))
    name = "n0.1.1"
    assert cluster.deliver() == [Connect(name, 80), Accepted(name)]
    cluster.do(0, Submit("say"))
    assert cluster.deliver() == [Data(name, b"hello\n"), Data(name, b"you said hello\n", back=True)]
    cluster.do(0, Submit("close"))
    assert cluster.deliver() == [End(name), End(name, back=True)]
    assert cluster.states[0]["node"]["log"] == (b"you said hello\n", "closed")
    assert cluster.states[1] == begun
    assert "connections" not in cluster.states[0]["sockets"]


def test_nobody_listens() -> None:
    cluster = Cluster(Hosted(Streams))
    cluster.do(0, Submit("wrong_port"))
    assert cluster.deliver() == [Connect("n0.1.1", 81), Reset("n0.1.1", back=True)]
    assert cluster.states[0]["node"]["log"] == ("refused",)


def test_who_was_restarted_knows_no_connection() -> None:
    cluster = Cluster(Hosted(Streams))
    cluster.do(0, Submit("open"))
    cluster.deliver()
    cluster.restart(1)
    cluster.do(0, Submit("say"))
    assert cluster.deliver() == [Data("n0.1.1", b"hello\n"), Reset("n0.1.1", back=True)]
    assert cluster.states[0]["node"]["log"] == ("reset",)


def test_connections_have_names_of_their_own_after_a_restart() -> None:
    cluster = Cluster(Hosted(Streams))
    cluster.do(0, Submit("open"))
    cluster.deliver()
    cluster.do(0, Submit("torn"))
    cluster.restart(0)
    assert cluster.states[0]["node"]["storage"] == "something"
    cluster.do(0, Submit("open"))
    assert cluster.deliver()[-2:] == [Connect("n0.2.1", 80), Accepted("n0.2.1")]


def test_bytes_are_sent_together_unless_a_crash_could_come_between() -> None:
    cluster = Cluster(Hosted(Streams))
    cluster.do(0, Submit("open"))
    cluster.deliver()
    first, persisted, second = cluster.do(0, Submit("torn"))
    assert (first.message.data, second.message.data) == (b"one", b"twothree")
    assert isinstance(persisted, Persist)


def test_streams_need_ordered_links() -> None:
    class Unordered(Hosted):
        links = "unordered"

    with pytest.raises(ImplementationError, match='links = "ordered"'):
        after(Unordered(Streams))


class Elsewhere:
    async def dial(self) -> None:
        await asyncio.open_connection("example.org", 80)


def test_an_address_of_no_node() -> None:
    with pytest.raises(ImplementationError, match=r"example.org:80(.|\n)*n0:\*, n1:\*"):
        after(Hosted(Elsewhere), Submit("dial"))


class Echo(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.log: list[Any] = []
        self.opening = asyncio.create_task(self.open())

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.socket, _ = await loop.create_datagram_endpoint(lambda: self, ("0.0.0.0", 7))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.log.append((data, addr))
        if data == b"ping":
            self.socket.sendto(b"pong", addr)

    def ping(self) -> None:
        self.socket.sendto(b"ping", ("n1", 7))


def test_datagrams() -> None:
    class Loose(Hosted):
        links = "unordered_duplicating"

    cluster = Cluster(Loose(Echo))
    cluster.do(0, Submit("ping"))
    assert cluster.deliver() == [Datagram(b"ping", 7, 7), Datagram(b"pong", 7, 7)]
    assert cluster.states[0]["node"]["log"] == ((b"pong", ("n1", 7)),)


def test_messages_are_shown_as_text_where_they_are() -> None:
    assert str(Data("n0.1.1", b'{"a": 1}\n')) == "Data(n0.1.1, '{\"a\": 1}\\n')"
    assert str(Data("n0.1.1", b"\xff\x00")) == "Data(n0.1.1, b'\\xff\\x00')"


# --- a whole check ------------------------------------------------------------------------


def test_timers_are_disarmed_and_searches_end() -> None:
    adapter = Hosted(Steady)
    cluster = Cluster(adapter)
    effects = cluster.do(0, Submit("put"))
    assert effects == (CancelTimer("Steady.main"), SetTimer("Steady.main", (1000, 1000)))
    scope = Scope(nodes=2, commands=("put", "keep"), timeouts_max=None, submissions_max=1)
    verdict = explore(Hosted(Steady), scope, properties=["agreement"])
    # What makes a difference is only who was given ``keep`` and ``put``, if anybody was.
    assert (verdict.outcome, verdict.states_distinct) == ("holds", 9)


# --- loops of its own, and signals ----------------------------------------------------------------


class WithOwnLoops:
    """Begins what it does not say the end of."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def run(self) -> None:
        asyncio.run(asyncio.sleep(0))

    async def runner(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(asyncio.sleep(0))

    async def new_event_loop(self) -> None:
        asyncio.new_event_loop()

    async def wrong_in_another_way(self) -> None:
        raise RuntimeError("its own")


@pytest.mark.filterwarnings(
    "error::RuntimeWarning", "error::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(
    ("does", "called"),
    [
        ("run", "asyncio.run()"),
        ("runner", "asyncio.Runner()"),
        ("new_event_loop", "asyncio.new_event_loop()"),
    ],
)
def test_a_loop_of_its_own_is_refused_as_such(does: str, called: str) -> None:
    """And nothing is left that Python complains of when it collects it."""
    adapter = Hosted(WithOwnLoops)
    state, _ = adapter.start(0, (0, 1), None)
    with pytest.raises(ImplementationError) as error:
        adapter.handle(0, state, Submit(does))
    assert error.value.fact == f"n0 called {called} while it was handling an event"
    assert "an event loop of its own" in error.value.cause
    del error
    gc.collect()


def test_another_runtime_error_is_the_programs_own() -> None:
    adapter = Hosted(WithOwnLoops)
    state, _ = adapter.start(0, (0, 1), None)
    with pytest.raises(RuntimeError, match="its own"):
        adapter.handle(0, state, Submit("wrong_in_another_way"))


class WithSignals:
    """Adds a handler of a signal when it is told to."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def adds(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.got.clear)

    def decides(self) -> None:
        self.outbox.decide(0, "a")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("command", "is_told"), [("adds", True), ("decides", False)])
def test_that_no_signal_comes_is_told(command: str, is_told: bool) -> None:
    scope = Scope(nodes=1, commands=(command,), timeouts_max=0, links="ordered")
    notes = explore(Hosted(WithSignals), scope).notes
    said = "the program adds handlers for signals (SIGTERM): none ever comes"
    assert (said in notes) == is_told


class WithThreads:
    """Has its work done elsewhere."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.executor = ThreadPoolExecutor(1)

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.executor, self.got.append, "work")
        await asyncio.to_thread(self.got.append, threading.get_ident())

    def thread(self) -> None:
        self.executor.submit(self.got.append, "work")


def test_executors_work_on_this_thread_and_are_no_part_of_a_state() -> None:
    adapter = Hosted(WithThreads)
    state, _ = adapter.start(0, (0, 1), None)
    after, _ = adapter.handle(0, state, Submit("work"))
    assert after["node"]["got"] == ("work", threading.get_ident())
    assert after["node"]["executor"] == "ThreadPoolExecutor"
    assert adapter.handle(0, state, Submit("work"))[0] == after
    with pytest.raises(ImplementationError, match=r"called threading\.Condition\.wait"):
        adapter.handle(0, state, Submit("thread"))
