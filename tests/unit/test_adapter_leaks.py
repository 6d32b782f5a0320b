"""What is kept outside of the nodes and changes is named."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indelible.adapters import ObjectAdapter
from indelible.impl.adapters.leaks import ALWAYS
from indelible.model.errors import ImplementationError
from indelible.model.events import Submit

NODES = (0, 1)

LIBRARY = """
    import itertools
    COUNT = 0
    IDS = itertools.count()
    CONFIG = {"limits": [1, 2]}
    MISSING = object()
    REGISTRY = {}

    class Node:
        made = []
        last = None

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
    names = (f"{LEAKS[method].split()[0].partition('[')[0]}",)
    adapter = type("Lenient", (adapters,), {"may_change": names})(method)
    state, _ = adapter.start(0, NODES, None)
    adapter.handle(0, state, Submit("a"))


def test_a_late_leak_is_found_too(adapters: Any) -> None:
    adapter = adapters("look")
    state, _ = adapter.start(0, NODES, None)
    for _ in range(ALWAYS):
        adapter.handle(0, state, Submit("a"))
    adapter.method = "look"
    adapter.start(0, NODES, None)

    def go_on() -> None:
        for _ in range(100):
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


def test_nodes_that_share_something_are_told() -> None:
    def adapter() -> ObjectAdapter:
        peers: list[int] = []

        class Node:
            def __init__(self) -> None:
                self.links = {"peers": peers}

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
