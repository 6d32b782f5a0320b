"""Sets of nodes, of any number: a vocabulary for lemmas about how many nodes sets share.

Named sets cut the nodes into regions, one for each way of being in some sets and not in the others.
A region is a number, and the size of whatever is made of the sets is a sum of those. So a lemma
about every n is about a few unknown numbers. Where nodes have weights the numbers are real, and
what is called size is weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import z3

from indelible.checkers.lemmas.lemma import Lines, evaluate

__all__ = ["NodeSet", "Venn"]


@dataclass(frozen=True, slots=True)
class NodeSet:
    """A set, by the regions it is made of. ``&``, ``|`` and ``-`` make others of it."""

    text: str
    regions: frozenset[int]
    sign: str = ""

    def __and__(self, other: NodeSet) -> NodeSet:
        return self._joined("∩", other, self.regions & other.regions)

    def __or__(self, other: NodeSet) -> NodeSet:
        return self._joined("∪", other, self.regions | other.regions)  # noqa: RUF001

    def __sub__(self, other: NodeSet) -> NodeSet:
        return self._joined("-", other, self.regions - other.regions)

    def _joined(self, sign: str, other: NodeSet, regions: frozenset[int]) -> NodeSet:
        return NodeSet(f"{self._inside(sign)} {sign} {other._inside(sign)}", regions, sign)

    def _inside(self, sign: str) -> str:
        return f"({self.text})" if self.sign not in ("", sign) or self.sign == "-" else self.text


class Venn:
    """The regions of named sets among ``n`` nodes, or nodes that weigh ``n`` in all.

    ``unknowns`` are the numbers that a lemma speaks of beside sizes: none is below 0.
    """

    def __init__(self, names: str, unknowns: str = "", *, weighted: bool = False) -> None:
        self._weighted = weighted
        number = z3.Real if weighted else z3.Int
        sets = names.split()
        self._regions = [number(f"region {region}") for region in range(2 ** len(sets))]
        self.sets = tuple(
            NodeSet(name, frozenset(r for r in range(len(self._regions)) if r >> bit & 1))
            for bit, name in enumerate(sets)
        )
        self.unknowns = tuple(number(name) for name in unknowns.split())
        self.n = number("n")
        self._sizes = {"n": self.n == z3.Sum(self._regions)}

    def size(self, nodes: NodeSet) -> z3.ArithRef:
        """How many nodes, or how much weight, a set has. It is named as people write it."""
        name = f"w({nodes.text})" if self._weighted else f"|{nodes.text}|"
        size = z3.Real(name) if self._weighted else z3.Int(name)
        self._sizes[name] = size == z3.Sum([self._regions[r] for r in sorted(nodes.regions)])
        return size

    def where(self) -> tuple[z3.BoolRef, ...]:
        """That there is a node, and what the sizes that were asked for mean."""
        numbers = (*self._regions, *self.unknowns)
        some = self.n > 0 if self._weighted else self.n >= 1
        return (some, *(number >= 0 for number in numbers), *self._sizes.values())

    def up_to(self, size: int) -> z3.BoolRef:
        """No more than so many nodes, or so much weight."""
        return self.n <= size

    def show(self, model: z3.ModelRef) -> Lines:
        """The unknowns, and the sets with their nodes called n0, n1, …"""
        nodes = list(self._nodes(model))
        weights = [f"n{i} weighs {weight}" for i, (_, weight) in enumerate(nodes) if self._weighted]
        return (
            *(f"{number} = {_value(model, number)}" for number in self.unknowns),
            f"nodes = {_set(range(len(nodes)))}",
            *weights,
            *(
                f"{one.text} = {_set(i for i, (r, _) in enumerate(nodes) if r in one.regions)}"
                for one in self.sets
            ),
        )

    def _nodes(self, model: z3.ModelRef) -> Iterator[tuple[int, str]]:
        """Each with the region it is in, and its weight: one node a region is enough for that."""
        for region, number in enumerate(self._regions):
            value = _value(model, number)
            if self._weighted:
                yield from [(region, value)] if value != "0" else []
            else:
                yield from [(region, "1")] * int(value)


def _value(model: z3.ModelRef, number: z3.ArithRef) -> str:
    return str(evaluate(model, number))


def _set(numbers: Iterable[int]) -> str:
    return "{" + ", ".join(f"n{number}" for number in numbers) + "}"
