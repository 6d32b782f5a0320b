"""Members: who the nodes of a log are, as bits, what is a quorum of them, and whose log is whole.

A node's log is whole if it begins with its very first start, and nothing has been lost since: only
then does it mean anything that the log does *not* say something of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from indelible.checkers.audit.entry import Entry
from indelible.model.effects import Ballot
from indelible.model.events import NodeId, node_name
from indelible.model.quorums import QuorumSystem

__all__ = ["Member", "Members"]


class Member:
    """One node: its bit, its last promise, and how far it has executed.

    - ``executed``: so many commands, from the first on; ``ahead``: indices executed beyond those.
    - ``contained``: so many commands were in a snapshot that it has installed.
    - ``said``: the kinds of testimony that it ever gave, as bits.
    - ``run``: the indices executed since it last started, as a range, and others in ``run_more``.
    - ``matched`` and ``slot``: so many of the executed commands follow the log that it decided,
      up to this slot; -1 of them if the indices have a gap.
    """

    __slots__ = (
        "ahead",
        "bit",
        "contained",
        "executed",
        "matched",
        "node",
        "promised",
        "run",
        "run_more",
        "said",
        "slot",
    )

    def __init__(self, node: NodeId, bit: int) -> None:
        self.node = node
        self.bit = bit
        self.promised: Ballot | None = None
        self.executed = 0
        self.contained = 0
        self.ahead: set[int] = set()
        self.said = 0
        self.run = (0, 0)
        self.run_more: set[int] = set()
        self.matched = 0
        self.slot = -1

    def absorb(self) -> None:
        """What it executed ahead may follow by now."""
        while self.executed in self.ahead:
            self.ahead.remove(self.executed)
            self.executed += 1

    def begin_run(self) -> None:
        """It has started again, or from a snapshot, or may have."""
        self.run = (0, 0)
        self.run_more = set()

    def runs(self, index: int) -> bool:
        """Note that it executes an index, and say whether it has done so since it started."""
        low, high = self.run
        if low <= index < high or index in self.run_more:
            return True
        if index == high or low == high:
            high = index + 1
            low = index if self.run[0] == self.run[1] else low
            while self.run_more and high in self.run_more:
                self.run_more.remove(high)
                high += 1
            self.run = (low, high)
        else:
            self.run_more.add(index)
        return False


class Members:
    """The nodes met so far, and those that should be there."""

    def __init__(self, quorums: QuorumSystem, nodes: tuple[NodeId, ...] | None) -> None:
        self._quorums = quorums
        self.nodes = nodes
        self.known: dict[NodeId, Member] = {}
        self.whole = 0
        self.acted = 0
        self.everyone: int | None = None
        self.has_lost = False
        self._phase1: dict[int, bool] = {}
        self._phase2: dict[int, bool] = {}
        self._count = 0
        if nodes is not None:
            self._agree_on(nodes)

    def member(self, node: NodeId) -> Member:
        """The node of this name, new if it was not met before."""
        found = self.known.get(node)
        if found is None:
            found = self.known[node] = Member(node, 1 << self._count)
            self._count += 1
        return found

    def met(self, entry: Entry, member: Member) -> list[str]:
        """A node starts, or does something for the first time; says what is odd about that."""
        odd: list[str] = []
        if entry.nodes and self.nodes is None:
            strangers = [node for node in self.known if node not in entry.nodes]
            odd += [f"{node_name(node)}, met before, is not among the nodes" for node in strangers]
            self._agree_on(entry.nodes)
        elif entry.nodes and self.nodes is not None and set(entry.nodes) != set(self.nodes):
            said, before = (", ".join(map(node_name, each)) for each in (entry.nodes, self.nodes))
            odd.append(f"it says that the nodes are {said}, and before they were {before}")
        if self.everyone is not None and not self.everyone & member.bit:
            names = ", ".join(map(node_name, self.nodes or ()))
            odd.append(f"{node_name(member.node)} is not among the nodes, which are {names}")
        if entry.first and not self.acted & member.bit and not self.has_lost:
            self.whole |= member.bit
        self.acted |= member.bit
        return odd

    def lose(self, nodes: tuple[NodeId, ...] | None = None) -> None:
        """Something of these nodes, or of any of them, is not in the log."""
        if nodes is None:
            self.whole = 0
            self.has_lost = True
            for member in self.known.values():
                member.begin_run()
        else:
            for node in nodes:
                self.whole &= ~self.member(node).bit

    @property
    def missing(self) -> int | None:
        """Those that may have done what the log does not say; ``None`` if nobody knows who the
        nodes are."""
        if self.everyone is None:
            return None
        return self.everyone & ~self.whole & ~self.unmet

    @property
    def unmet(self) -> int:
        """Those of which there was no record, and which may not have started yet."""
        return 0 if self.everyone is None or self.has_lost else self.everyone & ~self.acted

    def without_quorum(self, is_quorum: Callable[[int], bool], masks: Iterable[int]) -> int | None:
        """That none of these sets was a quorum is so if the nodes of these bits have done nothing
        so far; ``None`` if it may not be so, whatever they have done."""
        missing, unmet = self.missing or 0, self.unmet
        masks = tuple(masks)
        if any(is_quorum(mask | missing) for mask in masks):
            return None
        return unmet if any(is_quorum(mask | missing | unmet) for mask in masks) else 0

    def making_quorum(
        self, is_quorum: Callable[[int], bool], masks: Iterable[int]
    ) -> Callable[[int], bool]:
        """Whether one of these sets may be a quorum with the nodes of further bits, and those that
        are missing now."""
        missing = self.missing or 0
        masks = tuple(masks)
        return lambda more: any(is_quorum(mask | missing | more) for mask in masks)

    def is_phase1(self, mask: int) -> bool:
        """Whether the nodes that the bits stand for may conclude phase 1."""
        found = self._phase1.get(mask)
        if found is None:
            nodes = self.nodes or ()
            those = tuple([node for node in nodes if self.known[node].bit & mask])
            found = self._phase1[mask] = self._quorums.is_phase1_quorum(those, nodes)
        return found

    def is_phase2(self, mask: int) -> bool:
        """Whether what they vote for is chosen."""
        found = self._phase2.get(mask)
        if found is None:
            nodes = self.nodes or ()
            those = tuple([node for node in nodes if self.known[node].bit & mask])
            found = self._phase2[mask] = self._quorums.is_phase2_quorum(those, nodes)
        return found

    def named(self, mask: int) -> Iterator[NodeId]:
        """The nodes that the bits stand for."""
        return (node for node, member in self.known.items() if member.bit & mask)

    def said(self, mask: int | None) -> str:
        """The nodes that the bits stand for, as the end of a sentence."""
        names = ", ".join(map(node_name, self.named(mask or 0)))
        return f" ({names})" if names else ""

    def _agree_on(self, nodes: tuple[NodeId, ...]) -> None:
        self.nodes = nodes
        self.everyone = 0
        for node in nodes:
            self.everyone |= self.member(node).bit
        self._phase1.clear()
        self._phase2.clear()
