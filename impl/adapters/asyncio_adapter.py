"""Programs of asyncio as an ``Implementation``: coroutines as they are, on a virtual loop.

A node is what its history of events makes of it: coroutines cannot be copied, so a state is what
that history has led to (``coroutine_state.py``), and to go on from it is to do it all again, unless
a program that has just come there still lives. Issue 6.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

from indelible.impl.adapters.coroutine_state import frozen_program
from indelible.impl.adapters.freeze import freeze
from indelible.impl.adapters.hosting import KNOWN
from indelible.impl.adapters.leaks import Watch
from indelible.impl.adapters.objects import ObjectAdapter
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.program import History, Living, Program
from indelible.impl.adapters.replacements import Replaced, imported_names
from indelible.impl.adapters.values import MEMO_MAX, thawed
from indelible.impl.adapters.virtual_loop import CALLBACKS_MAX, Clock
from indelible.impl.adapters.walk import Substitute
from indelible.model.effects import Effect, Storage
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, node_name
from indelible.model.implementation import differing_part, implementation_name
from indelible.model.plain import Fields, Snapshot

__all__ = ["LIVING_MAX", "VERIFIED_MAX", "AsyncioAdapter"]

LIVING_MAX: Final = 64
"""How many programs live on for the case that the next event is theirs."""

VERIFIED_MAX: Final = 500
"""How many replays are compared with what they repeat; after them it is one in sixteen."""


_IDLE: Final[dict[type, Substitute]] = {ThreadPoolExecutor: lambda _: "ThreadPoolExecutor"}
"""What programs keep and nothing happens in: the loop calls functions itself, and to start a thread
is refused."""


class AsyncioAdapter(ObjectAdapter):
    """Hosts a program of asyncio per node. Derive from it, and say how to build and use one.

    ``build`` runs inside the event loop of its node: it may start tasks, and may be ``async``;
    until it has returned, there is nobody to take commands and messages, and they are lost. The
    methods ``receive`` and ``submit`` may be ``async``, and then run as a task. What arrives for
    streams and datagrams needs no method. An exception that ends a task is a failure of the node
    when nobody can take it any more, since nothing refers to the task: asyncio complains when it
    collects it. A queue counts what nobody has said to be done
    (``task_done``), so states of a program that never says so do not repeat. A timer is called by
    who waits for it, and set in ticks of a millisecond; of those that are armed any may fire next.

    - ``clock``: ``"advancing"``: a timer that fires sets the clock to its time at least, and the
      time is a part of the state. ``"still"``: it is always 0. That makes fewer states, and is for
      programs that never look at the clock: one that waits until time has passed waits for ever.
    - ``callbacks_max``: how many callbacks an event may run before it is said never to end.
    - ``links = "ordered"`` is what a program with connections declares.
    """

    clock: Clock = "advancing"  # type: ignore[assignment]
    callbacks_max: int = CALLBACKS_MAX

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """With what hosts programs, whether or not ``__init__`` is that of this class."""
        self = super().__new__(cls)
        self._living = Living(LIVING_MAX)
        self._outboxes = {}
        self._states = {}
        self._replays = 0
        self._watch = None
        self._imported = ()
        self._signals = set()
        return self

    _living: Living
    _outboxes: dict[NodeId, Outbox]
    _states: dict[Snapshot, Snapshot]
    _replays: int
    _watch: Watch | None
    _imported: tuple[Replaced, ...]
    _signals: set[str]
    _own = frozenset(
        {"_host", "_living", "_outboxes", "_states", "_replays", "_watch", "_imported", "_signals"}
    )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a report should know."""
        if not self._signals:
            return ()
        named = ", ".join(sorted(self._signals))
        return (f"the program adds handlers for signals ({named}): none ever comes",)

    def address(self, node: NodeId) -> tuple[str, int | None]:
        """Where others find a node: its host, and its port or ``None`` for any."""
        return node_name(node), None

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Build the node. Raises ``ImplementationError`` if there is none."""
        return self._stepped(
            self._made(node, nodes, storage), History(None, None, (node, nodes, storage))
        )

    def handle(
        self, node: NodeId, state: Snapshot, event: InputEvent
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Pass the event to a program that has come to the state."""
        return self._stepped(self._come_to(state), History(state.origin, event))

    def concluding(self) -> tuple[str, ...]:
        """As that of objects."""
        watch = self._watching()
        watch.last_look()
        return watch.notes()

    def _stepped(self, program: Program, history: History) -> tuple[Snapshot, tuple[Effect, ...]]:
        watch = self._watching()
        if history.event is None:
            watch.begin()
        with program.discarded_on_error():
            effects = program.step(history.event)
            self._signals |= program.loop.signals
            state = self._state(program, history)
            watch.after(program.node, history.event or "its start")
        if watch.follow({type(program.instance)}):
            self._imported = imported_names(watch.modules())
            watch.begin()
        self._living.keep(state.origin, program)
        return state, effects

    def _state(self, program: Program, history: History) -> Snapshot:
        """The state of the program: the very one that was met before, if it is the same."""
        state = Snapshot(self._content(program), history)
        if len(self._states) >= MEMO_MAX:
            self._states.clear()
        return self._states.setdefault(state, state)

    def _watching(self) -> Watch:
        if self._watch is None:
            self._watch = Watch(
                self, self._own, known=KNOWN, allowed=self.may_change, ignored=(type(self),)
            )
            self._imported = imported_names(self._watch.modules())
        return self._watch

    def _made(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Any) -> Program:
        outbox = self._outboxes.setdefault(node, Outbox(node))
        return Program(
            node,
            outbox,
            lambda own: self.build(outbox, node, nodes, thawed(own)),
            self._passed,
            addresses={each: self.address(each) for each in nodes},
            is_ordered=getattr(self, "links", None) == "ordered",
            storage=storage,
            host=self,
            clock=self.clock,
            callbacks_max=self.callbacks_max,
            imported=lambda: self._imported,
        )

    def _content(self, program: Program) -> dict[str, Any]:
        said: dict[str, Any]
        if self.fingerprint is None or program.instance is None:
            known = {**KNOWN, **_IDLE, type(self): implementation_name}
            said = frozen_program(program.instance, program.loop, known)
        else:
            content = freeze(self.fingerprint(program.instance), known=KNOWN)
            said = dict(content) if isinstance(content, Fields) else {"state": content}
            said["(node)"] = program.node  # Which a fingerprint need not tell.
        return {**said, "(draws)": program.draws} if program.draws else said

    def _come_to(self, state: Snapshot) -> Program:
        """A program in that state, going on from the nearest one that lives."""
        missing: list[History] = []
        at: History | None = state.origin
        while at is not None and at not in self._living:
            missing.append(at)
            at = at.before
        program = self._living.take(at) if at is not None else self._made(*missing[-1].begun)
        with program.discarded_on_error():
            for history in reversed(missing):
                program.step(history.event)
            if missing:
                self._verify(program, state)
        return program

    def _verify(self, program: Program, state: Snapshot) -> None:
        self._replays += 1
        if self._replays > VERIFIED_MAX and self._replays % 16:
            return
        again = Snapshot(self._content(program))
        if again != state:
            path, one, other = differing_part(state, again, "its state")
            raise ImplementationError(
                f"{node_name(program.node)} is not deterministic: the same events, handled once "
                f"more, led to something else: {path} was {one!r}, and then {other!r}",
                cause="a counter kept outside of the node, randomness, a clock, or the order of a "
                "set",
                remedy="keep what changes in the node, and give it its randomness in build",
            )
