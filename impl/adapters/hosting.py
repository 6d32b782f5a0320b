"""Hosting: foreign nodes run step by step, and every state is one that can be gone on from.

A state is a ``Snapshot``: what the node was, and as its ``origin`` the way back, by a copy or by
its history. Whatever a step finds and leaves behind outside of its node is watched here. How nodes
are built and spoken to is the adapter's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from indelible.impl.adapters.blanks import BLANKS, is_named
from indelible.impl.adapters.copying import (
    Copier,
    Data,
    NoCopyError,
    WrongCopyError,
    is_plainly_pickled,
)
from indelible.impl.adapters.dict_orders import DictOrders, Order, Outcome
from indelible.impl.adapters.fingerprints import Alike, Answer, Sample, Trial
from indelible.impl.adapters.freeze import Frozen, freeze, freeze_whole
from indelible.impl.adapters.hosted import Hosted, Origin
from indelible.impl.adapters.leaks import Watch
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.reordering import Reordering
from indelible.impl.adapters.replacements import Replaced, Replacement, imported_names, surrounded
from indelible.impl.adapters.replaying import Happened, History, Live, Started
from indelible.impl.adapters.surroundings import Surroundings
from indelible.impl.adapters.values import MEMO_MAX
from indelible.impl.adapters.walk import Part, Substitute, path_of
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, Receive, node_name
from indelible.model.implementation import differing_part
from indelible.model.plain import Fields, Snapshot

__all__ = ["Host"]

WAYS: Final = ("bytes", "object", "history")
"""How states are kept, the best first; what has failed once is not tried again."""

STARTS_MAX: Final = 32
"""Of how many nodes that were started it is remembered what they are made of."""

KNOWN: Final[dict[type, Substitute]] = {Outbox: str, Replacement: str}
"""What nodes refer to that is no part of them."""


class Host:
    """Runs the nodes of one adapter."""

    def __init__(self, adapter: Hosted) -> None:
        self._adapter = adapter
        self._outboxes: dict[NodeId, Outbox] = {}
        self._by_bytes: dict[tuple[NodeId, Data, int], Snapshot] = {}
        self._states: dict[tuple[NodeId, Snapshot], Snapshot] = {}
        self._live = Live()
        self._copier = Copier(self._settled)
        self._watch: Watch | None = None
        self._imported: tuple[Replaced, ...] = ()
        self._starts: list[tuple[NodeId, dict[int, Part]]] = []
        self._ways: tuple[str, ...] = WAYS
        self._orders = DictOrders()
        self._reordering = Reordering(self._copier, KNOWN)
        self._sample = Sample()

    @property
    def in_use(self) -> Literal["copy", "replay"]:
        """How states are kept at the moment."""
        return "replay" if self._ways == ("history",) else "copy"

    def start(self, started: Started) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Build a node."""
        watch = self._watching()
        watch.begin()
        instance, draws, effects = self._started(started)
        self._require_own(started.node, self._in_full(instance).parts)
        watch.after(started.node, "its start")
        state = self._state(started.node, instance, draws, started, None)
        if self._orders.is_asked_again(*started):
            self._require_any_order_stored(started, Outcome(state, effects))
        return state, effects

    def handle(
        self, node: NodeId, state: Snapshot, event: InputEvent
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Pass the event to a node that is in this state."""
        origin = state.origin
        if not isinstance(origin, Origin):
            raise ImplementationError(
                f"{state} is not a state that a node was in",
                remedy="start a node, and go on from the states that it reaches",
            )
        instance = self._revived(node, state, origin)
        try:
            draws, effects = self._stepped(node, instance, origin.draws, event)
        except Exception as error:
            if not isinstance(error, ImplementationError):
                self._require_any_order(node, state, origin, event, Outcome(None, (), error))
            raise
        watch = self._watch or self._watching()
        watch.after(node, event)
        after = self._state(node, instance, draws, event, origin.history)
        if self._orders.is_asked_again(node, state, event):
            self._require_any_order(node, state, origin, event, Outcome(after, effects))
        if origin.alike is not None:
            trials = origin.alike.answered(event, Answer(after, effects))
            self._try(node, state, origin.alike, trials)
        return after, effects

    def concluding(self) -> tuple[str, ...]:
        """Look for leaks once more, and say what could not be looked into."""
        watch = self._watching()
        watch.last_look()
        return (*watch.notes(), *self._orders.notes())

    # --- steps ---------------------------------------------------------------------------------

    def _started(self, started: Started) -> tuple[Any, int, tuple[Effect, ...]]:
        around = Surroundings(started.node)
        outbox = self._outbox(started.node)
        with surrounded(around, self._imported), outbox as effects:
            instance = self._adapter._built(outbox, started)
        return instance, around.draws_after, tuple(effects)

    def _stepped(
        self, node: NodeId, instance: Any, draws: int, event: InputEvent
    ) -> tuple[int, tuple[Effect, ...]]:
        around = Surroundings(node, draws, lambda: self._adapter.clock(instance))
        outbox = self._outbox(node)
        with surrounded(around, self._imported), outbox as effects:
            outbox.extend(self._adapter._passed(instance, event))
        return around.draws_after, tuple(effects)

    def _outbox(self, node: NodeId) -> Outbox:
        if node not in self._outboxes:
            self._outboxes[node] = Outbox(node, ordered=self._is_order_told)
        return self._outboxes[node]

    # --- from a node to its state --------------------------------------------------------------

    def _state(
        self, node: NodeId, instance: Any, draws: int, last: Happened, before: History | None
    ) -> Snapshot:
        found = self._bytes(instance) if "bytes" in self._ways else None
        if found is not None:
            known = self._by_bytes.get((node, found, draws))
            if known is not None:
                return known
        frozen = self._settled(instance)
        kept = len(self._copier.kept)
        self._notice(frozen.parts)
        if found is not None and len(self._copier.kept) != kept:
            found = self._bytes(instance)  # With what was not yet known to be kept elsewhere.
        new = self._snapshot(node, frozen.content, Origin(History(last, before), draws))
        state = self._first_alike(node, new)
        if frozen.whole is not None:
            self._met(node, state, new, frozen.whole)
        if found is not None and self._is_kept_as(found, instance, frozen, state):
            # As it was found, and as it is once it was put in order and goes on from there.
            self._by_bytes[node, found, draws] = self._by_bytes[node, state.origin.data, draws] = (
                state
            )
        elif "object" in self._ways:
            if state is new:
                state.origin.spare = instance, frozen
        else:
            self._live.put(node, state, instance)
        return state

    def _first_alike(self, node: NodeId, state: Snapshot) -> Snapshot:
        """The equal state of this node that was met first: to compare it with itself costs nothing,
        and its way back is known already."""
        if len(self._states) >= MEMO_MAX or len(self._by_bytes) >= MEMO_MAX:
            self._states.clear()
            self._by_bytes.clear()
        return self._states.setdefault((node, state), state)

    def _bytes(self, instance: Any) -> Data | None:
        """The node as bytes; ``None`` if that does not work."""
        try:
            return self._copier.data(instance)
        except NoCopyError as error:
            self._give_up("bytes", str(error))
            return None

    def _is_kept_as(self, found: Data, instance: Any, frozen: Frozen, state: Snapshot) -> bool:
        """Whether the state has bytes to make the node of again, as ``found`` are; if that does not
        work, bytes are given up."""
        kinds: set[Any] = {type(part) for _, part in frozen.parts.values()}
        for kind in kinds:
            if not is_plainly_pickled(kind):
                # What its bytes leave out would be taken for nothing.
                self._give_up("bytes", f"{kind.__name__} says itself how it is pickled")
                return False
        if state.origin.data is not None:
            return True
        try:
            data = self._copier.data(instance) if frozen.is_reordered else found
            self._copier.check_data(data, frozen)
        except NoCopyError as error:
            late = self._copier.is_trusted and isinstance(error, WrongCopyError)
            self._give_up("bytes", str(error), late=late)
            return False
        state.origin.data = data
        return True

    def _give_up(self, way: str, reason: str, *, late: bool = False) -> None:
        """Keep states in this way no more. Raises ``ImplementationError`` if there is no other."""
        self._ways = tuple(each for each in self._ways if each != way)
        copies = [each for each in self._ways if each != "history"]
        if late or (self._adapter.snapshots == "copy" and not copies):
            raise ImplementationError(
                f"a node of {type(self._adapter).__name__} cannot be copied: {reason}",
                cause="closures, generators, locks and the like belong to one node, and a copy "
                "would share or lose them",
                remedy="set snapshots = 'replay' in the adapter",
            )

    def _settled(self, instance: Any) -> Frozen:
        """What a node is; its dicts are put in order on the way, unless that counts."""
        tell = self._is_order_told
        if self._adapter.fingerprint is None:
            shared = self._watching().shared
            return freeze_whole(instance, known=KNOWN, reorder=True, tell=tell, shared=shared)
        content = freeze(self._adapter.fingerprint(instance), known=KNOWN, tell=tell)
        whole = self._in_full(instance)
        return Frozen(content, whole.parts, whole=whole.content)

    def _in_full(self, instance: Any) -> Frozen:
        """What a node is, and what can be changed in it; nothing where only a fingerprint tells."""
        try:
            return freeze_whole(instance, known=KNOWN)
        except ImplementationError:
            if self._adapter.fingerprint is None:
                raise
            # Nobody knows what a copy as an object would share.
            self._ways = tuple(each for each in self._ways if each != "object")
            return Frozen(None, {})

    def _snapshot(self, node: NodeId, content: Any, origin: Origin) -> Snapshot:
        if type(content) is Snapshot and not origin.draws and self._adapter.fingerprint is None:
            content.origin = origin  # Nobody else has it yet.
            return content
        fields = dict(content) if isinstance(content, Fields) else {"state": content}
        if self._adapter.fingerprint is not None:
            fields["(node)"] = node  # Which a fingerprint need not tell.
        if origin.draws:
            fields["(draws)"] = origin.draws
        return Snapshot(fields, origin)

    # --- from a state to a node ----------------------------------------------------------------

    def _revived(self, node: NodeId, state: Snapshot, origin: Origin) -> Any:
        if origin.data is not None:
            try:
                return self._copier.from_data(origin.data)
            except NoCopyError as error:
                self._give_up("bytes", str(error))
                origin.data = None
        if origin.spare is not None:
            spare, frozen = origin.spare
            try:
                made = self._copier.copied(spare, None if origin.is_checked else frozen)
            except NoCopyError as error:
                self._give_up("object", str(error))
                origin.spare = None
                return spare
            origin.is_checked = True
            return made
        live = self._live.take(node, state)
        return self._replayed(state, origin) if live is None else live

    def _replayed(self, state: Snapshot, origin: Origin) -> Any:
        """A node to which happens again what happened to the one that was in this state."""
        first, *rest = origin.history.in_order()
        assert isinstance(first, Started)
        try:
            instance, draws, _ = self._started(first)
            for event in rest:
                assert not isinstance(event, Started)
                self._settled(instance)
                draws, _ = self._stepped(first.node, instance, draws, event)
        except ImplementationError:
            raise
        except Exception as error:
            raise self._not_the_same(state, f"it raised {error!r}") from error
        again = self._snapshot(
            first.node, self._settled(instance).content, Origin(origin.history, draws)
        )
        if again != state:
            path, one, other = differing_part(state, again, "its state")
            raise self._not_the_same(state, f"{path} was {one!r}, and then {other!r}")
        return instance

    def _not_the_same(self, state: Snapshot, how: str) -> ImplementationError:
        return ImplementationError(
            f"a node of {type(self._adapter).__name__} is not deterministic: the same things "
            f"happened to it twice, and {how}",
            cause="a clock, randomness or a counter outside of the node, or the order of a set",
            remedy="let everything that a node does follow from what happened to it",
        )

    # --- the order of dicts --------------------------------------------------------------------

    @property
    def _is_order_told(self) -> bool:
        return self._adapter.dict_order == "counts"

    def _require_any_order(
        self, node: NodeId, state: Snapshot, origin: Origin, event: InputEvent, first: Outcome
    ) -> None:
        """Raises ``ImplementationError`` if the order of dicts decides what the node does."""

        def ask(order: Order) -> tuple[tuple[str, ...], Outcome | None]:
            instance, names = self._reordering.node(
                lambda: self._revived(node, state, origin),
                origin.data,
                order,
                self._watching().shared,
                self._adapter.fingerprint,
            )
            happened = event
            if isinstance(event, Receive):
                message, more = self._reordering.value(event.message, "message", order, len(names))
                happened, names = Receive(event.source, message), names + more
                if more and instance is None:
                    instance = self._revived(node, state, origin)
            return names, None if not names else self._outcome(
                node,
                lambda: (instance, *self._stepped(node, instance, origin.draws, happened)),
                origin.history,
                first.state,
            )

        if self._adapter.dict_order is None:
            self._orders.require_none_counts(node, event, first, ask)

    def _require_any_order_stored(self, started: Started, first: Outcome) -> None:
        """The same when a node starts, of what it had stored."""

        def ask(order: Order) -> tuple[tuple[str, ...], Outcome | None]:
            storage, names = self._reordering.value(started.storage, "storage", order)
            again = started._replace(storage=storage)
            return names, None if not names else self._outcome(
                started.node, lambda: self._started(again), History(again), first.state
            )

        if self._adapter.dict_order is None:
            self._orders.require_none_counts(started.node, "its start", first, ask)

    def _outcome(
        self,
        node: NodeId,
        ask: Callable[[], tuple[Any, int, tuple[Effect, ...]]],
        history: History,
        expected: Snapshot | None,
    ) -> Outcome:
        """What a node does in another order, and becomes, which should be what is expected."""
        try:
            instance, draws, effects = ask()
            found = self._bytes(instance) if "bytes" in self._ways else None
            if found is not None and self._by_bytes.get((node, found, draws)) is expected:
                return Outcome(expected, effects)
            content = self._settled(instance).content
        except Exception as error:
            return Outcome(None, (), error)
        state = self._snapshot(node, content, Origin(history, draws))
        if state != expected:
            return Outcome(state, effects)
        if found is not None and len(self._by_bytes) < MEMO_MAX:
            self._by_bytes[node, found, draws] = expected
        return Outcome(expected, effects)

    # --- whether a fingerprint tells enough ------------------------------------------------------

    def _met(self, node: NodeId, state: Snapshot, new: Snapshot, whole: Any) -> None:
        """A node is in a state, which is new, or the first of its kind."""
        if state is new:
            state.origin.alike = Alike(whole)
            return
        alike = state.origin.alike
        if alike is not None and alike.whole != whole:
            self._try(node, state, alike, alike.met(whole, new.origin))

    def _try(self, node: NodeId, state: Snapshot, alike: Alike, trials: Iterable[Trial]) -> None:
        """Raises ``ImplementationError`` if a node goes on otherwise than the first of its kind."""
        for trial in trials:
            if self._sample.is_due():
                alike.judge(node, trial, self._answer(node, state, trial))

    def _answer(self, node: NodeId, state: Snapshot, trial: Trial) -> Answer:
        instance = self._replayed(state, trial.origin)
        try:
            draws, effects = self._stepped(node, instance, trial.origin.draws, trial.event)
        except ImplementationError:
            raise
        except Exception as error:
            return Answer(None, raised=repr(error))
        self._watching().after(node, trial.event)
        origin = Origin(trial.origin.history, draws)
        return Answer(self._snapshot(node, self._settled(instance).content, origin), effects)

    # --- what is outside of the nodes ----------------------------------------------------------

    def _watching(self) -> Watch:
        if self._watch is None:
            adapter = self._adapter
            if adapter.snapshots not in (None, "copy", "replay"):
                raise ImplementationError(
                    f"the snapshots of {type(adapter).__name__} are {adapter.snapshots!r}",
                    available="'copy', 'replay', None",
                )
            if adapter.dict_order not in (None, "counts", "ignored"):
                raise ImplementationError(
                    f"the dict_order of {type(adapter).__name__} is {adapter.dict_order!r}",
                    available="'counts', 'ignored', None",
                )
            if adapter.snapshots == "replay":
                self._ways = ("history",)
            self._watch = Watch(
                adapter,
                adapter._own,
                known=KNOWN,
                allowed=adapter.may_change,
                ignored=(type(adapter),),
            )
            self._imported = imported_names(self._watch.modules())
            self._watch.begin()
        return self._watch

    def _notice(self, parts: dict[int, Part]) -> None:
        """Watch what nodes are made of, and let copies share what is kept outside of them."""
        watch = self._watching()
        kinds = {type(part) for _, part in parts.values()}
        if watch.follow(kinds):
            self._imported = imported_names(watch.modules())
            watch.begin()
        for address in watch.shared.keys() & parts.keys():
            self._copier.kept[address] = parts[address][1]
        for kind in kinds & BLANKS.by_kind.keys():
            self._copier.kept |= BLANKS.by_kind[kind]

    def _require_own(self, node: NodeId, parts: dict[int, Part]) -> None:
        """Raises ``ImplementationError`` if a node is made of what another one is made of, too."""
        self._notice(parts)
        own = {address: each for address, each in parts.items() if address not in self._copier.kept}
        for other, theirs in self._starts:
            common = [each for each in own.keys() & theirs.keys() if not is_named(own[each][1])]
            if common:
                path, part = min((path_of(own[each][0]), own[each][1]) for each in common)
                raise ImplementationError(
                    f"{node_name(node)} shares its {path or 'whole'} with "
                    f"{'an earlier ' if other == node else ''}{node_name(other)}",
                    cause=f"both were built around the same {type(part).__name__}, so what one "
                    "does to it the other one sees",
                    remedy="let build make each node of things of its own",
                )
        if len(self._starts) < STARTS_MAX:
            self._starts.append((node, own))
