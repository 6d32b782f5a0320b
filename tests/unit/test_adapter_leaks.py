"""What is kept outside of the nodes and changes is named."""

from __future__ import annotations

import ast
import collections
import decimal
import logging
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest

from indelible import Scope, explore
from indelible.adapters import ObjectAdapter
from indelible.checkers.walks.runs import Campaign
from indelible.checkers.walks.share import Bounds, share
from indelible.impl.adapters import leaks
from indelible.impl.adapters.leaks import ALWAYS
from indelible.model.errors import ImplementationError
from indelible.model.events import Submit

NODES = (0, 1)

LIBRARY = """
    import builtins, collections, contextvars, enum, functools, itertools, logging, os, sqlite3
    import decimal, random, sys, threading

    LOCAL = threading.local()
    VARIABLE = contextvars.ContextVar("variable")
    LOG = logging.getLogger("of leaks")
    DATABASE = sqlite3.connect(":memory:")
    DATABASE.execute("create table t (v)")
    FLAGS = {"a": True}
    ORDER = collections.OrderedDict(a=1, b=2)
    BYTES = bytearray(1)

    class Color(enum.Enum):
        RED = 1

    class Descriptor:
        hidden = []

    class Alien:
        __module__ = "alien.deep"

        def __init__(self):
            self.inside = [[]] * 9

    ALIEN = Alien()

    class Nameless(type):
        __module__ = property(lambda kind: "nowhere")

    NAMELESS = Nameless("Nameless", (), {})()

    class Meta(type):
        kept = []

    META = Meta("Made", (), {})

    def make_counter():
        count = 0
        def counted():
            nonlocal count
            count += 1
        return counted

    counted = make_counter()

    @functools.lru_cache(4)
    def results():
        return []

    @functools.cache
    def drawn(number):
        return random.random()

    @functools.cache
    def square(number):
        return number * number

    class Flag(enum.Flag):
        ONE, TWO, FOUR = 1, 2, 4

    @functools.singledispatch
    def dispatched(value):
        return repr(value)

    COUNT = 0
    IDS = itertools.count()
    CONFIG = {"limits": [1, 2]}
    MISSING = object()
    REGISTRY = {}

    class Node:
        made = []
        last = None
        number = 0

        class Inner:
            kept = []

        @property
        def by_property(self, kept=[]):
            return kept

        def __init__(self, outbox):
            self.outbox, self.found, self.config = outbox, MISSING, CONFIG["limits"]

        def remember(self, what, seen=[]):
            seen.append(what)

        @classmethod
        def note(cls, what):
            cls.last = what

        @staticmethod
        def tick(what):
            return next(IDS)

        def rebind(self, what):
            global COUNT
            COUNT += 1

        def register(self, what):
            REGISTRY[what] = [what]

        def append(self, what):
            Node.made.append(what)

        def configure(self, what):
            self.config.append(what)

        def invent(self, what):
            globals()["NEW"] = what

        def hang_on_function(self, what):
            Node.look.last = what

        def nest(self, what):
            Node.Inner.kept.append(what)

        def close_over(self, what):
            counted()

        def read(self, what, _c=[]):
            self.found = self.by_property.append(what)

        def enumerate(self, what):
            Color.RED.last = what

        def be_local(self, what):
            LOCAL.last = what

        def set_variable(self, what):
            VARIABLE.set(what)

        def set_environment(self, what):
            os.environ["INDELIBLE_LEAK"] = what

        def hang_on_logger(self, what):
            LOG.last = what

        def make_logger(self, what):
            logging.getLogger("new in a step").last = what

        def hang_on_builtins(self, what):
            builtins.last = what

        def hang_on_main(self, what):
            sys.modules["__main__"].last = what

        def hang_on_sys(self, what):
            sys.last = what

        def remember_result(self, what):
            results().append(what)

        def draw(self, what):
            drawn(1)

        def square(self, what):
            self.found = square(5)

        def divide(self, what):
            self.found = decimal.Decimal(1) / decimal.Decimal(3)

        def invert(self, what):
            self.found = str(~Flag.ONE | Flag.FOUR)

        def dispatch(self, what):
            self.found = dispatched(what)

        def log(self, what):
            LOG.info("%s", what)
            logging.getLogger("made").debug("%s", what)

        def same_again(self, what):
            global COUNT, CONFIG
            COUNT, CONFIG = COUNT + 1 - 1, {"limits": list(CONFIG["limits"])}

        def wait(self, what):
            import json.tool

        def change_table(self, what):
            if what == "a":
                TABLE[17].append(what)

        def insert(self, what):
            DATABASE.execute("insert into t values (?)", (what,))

        def rename(self, what):
            FLAGS["b"] = FLAGS.pop("a", True)

        def reorder(self, what):
            ORDER.move_to_end("a")

        def write(self, what):
            BYTES[0] += 1

        def refer(self, what):
            Descriptor.__dict__["hidden"].append(what)

        def generic(self, what):
            META.kept.append(what)

        def __init_subclass__(cls, kept=[]):
            kept.append(cls)

        def set_precision(self, what):
            decimal.getcontext().prec -= 1

        def set_traps(self, what):
            decimal.getcontext().traps[decimal.Inexact] = True

        def replace_context(self, what):
            decimal.setcontext(decimal.Context(rounding=decimal.ROUND_UP))

        def compute_in_a_context(self, what):
            with decimal.localcontext() as context:
                context.prec = 3
                assert decimal.Decimal(1) / 3

        def derive(self, what):
            type("Derived", (Node,), {})

        def look(self, what):
            self.found = MISSING if self.found is MISSING else "lost"
"""

ADAPTER = """
    from indelible.adapters import ObjectAdapter
    from library_of_leaks import Node

    class Adapter(ObjectAdapter):
        kept = 0

        def __init__(self, method): self.method = method
        def build(self, outbox, node, nodes, storage): return Node(outbox)
        def submit(self, instance, command):
            if self.method == "kept":
                self.kept += 1
            else:
                getattr(instance, self.method)(command)
"""


@pytest.fixture
def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "library_of_leaks.py").write_text(textwrap.dedent(LIBRARY))
    (tmp_path / "adapter_of_leaks.py").write_text(textwrap.dedent(ADAPTER))
    monkeypatch.syspath_prepend(str(tmp_path))
    import adapter_of_leaks  # type: ignore[import-not-found]

    yield adapter_of_leaks.Adapter
    for place in (sys.modules["builtins"], sys.modules["__main__"], sys):
        vars(place).pop("last", None)
    for name in ("of leaks", "new in a step"):
        vars(logging.getLogger(name)).pop("last", None)
    logging.root.manager.loggerDict.pop("new in a step", None)
    os.environ.pop("INDELIBLE_LEAK", None)
    decimal.setcontext(decimal.Context())
    for name in ("adapter_of_leaks", "library_of_leaks"):
        del sys.modules[name]


LEAKS = {
    "rebind": "library_of_leaks.COUNT while it was handling Submit(command='a'): 0 became 1",
    "tick": "library_of_leaks.IDS",
    "register": "library_of_leaks.REGISTRY",
    "remember": "library_of_leaks.Node.remember",
    "append": "library_of_leaks.Node.made",
    "note": "library_of_leaks.Node.last while",
    "configure": "library_of_leaks.CONFIG['limits']",
    "invent": "library_of_leaks.NEW while it was handling Submit(command='a'): nothing became 'a'",
    "kept": "adapter.kept while",
    "hang_on_function": "library_of_leaks.Node.look.last while",
    "nest": "library_of_leaks.Node.Inner.kept[0] while",
    "close_over": "library_of_leaks.counted.count while",
    "read": "library_of_leaks.Node.by_property.fget.__defaults__[0][0] while",
    "enumerate": "library_of_leaks.Color.RED.last while",
    "be_local": "library_of_leaks.LOCAL.last while",
    "set_variable": "the context variable 'variable' while",
    "set_precision": "decimal.getcontext().prec while",
    "set_traps": "decimal.getcontext().traps while",
    "replace_context": "decimal.getcontext().rounding while",
    "set_environment": "os.environ['INDELIBLE_LEAK'] while",
    "hang_on_logger": "logging.getLogger('of leaks').last while",
    "make_logger": "logging.getLogger('new in a step').last while",
    "hang_on_builtins": "builtins.last while",
    "hang_on_main": "__main__.last while",
    "hang_on_sys": "sys.last while",
    "remember_result": "the cache of library_of_leaks.results for () while",
    "insert": "library_of_leaks.DATABASE while",
    "rename": "library_of_leaks.FLAGS['a'] while",
    "reorder": "library_of_leaks.ORDER.keys() while",
    "write": "library_of_leaks.BYTES while",
    "refer": "library_of_leaks.Descriptor.hidden[0] while",
    "generic": "library_of_leaks.Meta.kept[0] while",
    "derive": "library_of_leaks.Node.__init_subclass__.__func__.__defaults__[0][0] while",
}


@pytest.mark.parametrize("method", LEAKS)
def test_a_leak_is_named(adapters: Any, method: str) -> None:
    adapter = adapters(method)
    state, _ = adapter.start(0, NODES, None)
    adapter.start(1, NODES, None)
    with pytest.raises(ImplementationError) as raised:
        adapter.handle(0, state, Submit("a"))
    assert raised.value.fact.startswith(f"n0 changed {LEAKS[method]}"), raised.value.fact
    assert "may_change" in raised.value.remedy


@pytest.mark.parametrize("method", LEAKS)
def test_what_may_change_is_no_leak(adapters: Any, method: str) -> None:
    first = adapters(method)
    state, _ = first.start(0, NODES, None)
    with pytest.raises(ImplementationError) as raised:
        first.handle(0, state, Submit("a"))
    named = raised.value.remedy.partition("may_change: ")[2]
    adapter = type("Lenient", (adapters,), {"may_change": (ast.literal_eval(named),)})(method)
    state, _ = adapter.start(0, NODES, None)
    adapter.handle(0, state, Submit("b"))
    adapter.concluding()


HARMLESS = (
    "square",
    "divide",
    "compute_in_a_context",
    "invert",
    "dispatch",
    "log",
    "same_again",
    "wait",
)


@pytest.mark.parametrize("method", HARMLESS)
def test_what_python_remembers_by_itself_is_no_leak(adapters: Any, method: str) -> None:
    adapter = adapters(method)
    states = [adapter.start(node, NODES, None)[0] for node in NODES]
    for _ in range(2):
        for node in NODES:
            states[node], _ = adapter.handle(node, states[node], Submit("a"))
    assert "DATABASE" in " ".join(adapter.concluding())


def test_a_result_that_does_not_follow_from_its_key_is_told(adapters: Any) -> None:
    adapter = adapters("draw")
    states = [adapter.start(node, NODES, None)[0] for node in NODES]
    adapter.handle(0, states[0], Submit("a"))
    with pytest.raises(ImplementationError, match=r"the cache of library_of_leaks.drawn for 1 "):
        adapter.handle(1, states[1], Submit("a"))


def test_what_cannot_be_looked_into_is_named_in_the_report(adapters: Any) -> None:
    verdict = explore(adapters("square"), Scope(nodes=1, commands=("a",)))
    assert any("library_of_leaks.DATABASE (sqlite3.Connection)" in note for note in verdict.notes)


def test_functions_that_numba_compiled_keep_nothing(
    adapters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = numba.njit(lambda number: number + 1)
    assert compiled(1) == 2
    monkeypatch.setattr(sys.modules["library_of_leaks"], "COMPILED", compiled, raising=False)
    adapter = adapters("square")
    adapter.start(0, NODES, None)
    assert "COMPILED" not in " ".join(adapter.concluding())


def test_objects_of_large_libraries_are_named_and_not_looked_into(
    adapters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alien = sys.modules["library_of_leaks"].ALIEN
    for large, is_named in ((64, False), (-1, True)):
        monkeypatch.setattr("indelible.impl.adapters.territory.LARGE", large)
        adapter = adapters("square")
        adapter.start(0, NODES, None)
        named = "library_of_leaks.ALIEN (alien.deep.Alien)" in " ".join(adapter.concluding())
        assert named is is_named
        assert (id(alien.inside) in adapter._host._watch.shared) is not is_named


def test_a_leak_after_the_last_look_is_found_before_the_verdict(
    adapters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "ALWAYS", 0)
    adapter = adapters("rebind")
    with pytest.raises(ImplementationError, match=r"COUNT in one of the last \d+ steps"):
        explore(adapter, Scope(nodes=2, commands=("a",)))


def test_random_runs_end_with_a_look_too(adapters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "ALWAYS", 0)
    scope = Scope(nodes=2, commands=("a",))
    campaign = Campaign(adapters("rebind"), scope, (), seed=1, strategy="swarm")
    with pytest.raises(ImplementationError, match=r"COUNT in one of the last \d+ steps"):
        list(share(campaign, Bounds(runs_max=1)))


def test_large_tables_are_looked_at_seldom_and_yet_in_the_end(adapters: Any) -> None:
    library = sys.modules["library_of_leaks"]
    library.TABLE = {number: [number] for number in range(20_000)}  # type: ignore[attr-defined]
    adapter = adapters("change_table")
    states = [adapter.start(0, NODES, None)[0]]
    watch = adapter._host._watch
    large = watch._schedules[1]
    for _ in range(ALWAYS):
        states.append(adapter.handle(0, states[-1], Submit("b"))[0])
    assert len(watch._reached.small.seen) < 1_000
    assert large.next - large.last > 1_000
    adapter.handle(0, states[-1], Submit("a"))
    with pytest.raises(ImplementationError, match=r"TABLE\[17\]\[1\] in one of the last"):
        adapter.concluding()


def test_a_late_leak_is_found_too(adapters: Any) -> None:
    adapter = adapters("look")
    state, _ = adapter.start(0, NODES, None)
    for _ in range(ALWAYS):
        adapter.handle(0, state, Submit("a"))
    adapter.method = "look"
    adapter.start(0, NODES, None)

    def go_on() -> None:
        for _ in range(1_000):
            adapter.handle(0, state, Submit("a"))
            sys.modules["library_of_leaks"].COUNT += 1  # type: ignore[attr-defined]

    with pytest.raises(ImplementationError, match=r"COUNT in one of the last \d+ steps"):
        go_on()


def test_what_modules_keep_stays_the_very_same_in_every_copy(adapters: Any) -> None:
    adapter = adapters("look")
    state, _ = adapter.start(0, NODES, None)
    for _ in range(3):
        state, _ = adapter.handle(0, state, Submit("a"))
    assert adapter.snapshots_in_use == "copy"
    assert state["found"] != "lost"


def test_nodes_that_share_something_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where nobody looks: in an attribute of a module of Python's own.
    monkeypatch.setattr(collections, "peers", [], raising=False)

    def adapter() -> ObjectAdapter:
        class Node:
            def __init__(self) -> None:
                self.links = {"peers": collections.peers}  # type: ignore[attr-defined]

        class Sharing(ObjectAdapter):
            def build(self, outbox: Any, node: Any, nodes: Any, storage: Any) -> Any:
                return Node()

        return Sharing()

    sharing = adapter()
    sharing.start(0, NODES, None)
    with pytest.raises(ImplementationError) as raised:
        sharing.start(1, NODES, None)
    assert raised.value.fact == "n1 shares its links['peers'] with n0"
    again = adapter()
    again.start(0, NODES, None)
    with pytest.raises(
        ImplementationError, match=r"n0 shares its links\['peers'\] with an earlier n0"
    ):
        again.start(0, NODES, None)
