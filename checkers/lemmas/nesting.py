"""Quorums made of quorums: grids, hierarchies and trees of every size and shape.

Statements only, to be read as text, in first-order logic: here nodes and groups are not counted,
and there may be any number of them. The lemma about hierarchies is one level of a proof by
induction on the depth, and with the lemma about weights it is why ``shapes.shapes_meet`` is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import z3

from indelible.checkers.lemmas.lemma import Lemma

__all__ = ["nesting_lemmas"]


def _sets_of(sort: z3.SortRef, one: str, other: str) -> tuple[z3.FuncDeclRef, z3.FuncDeclRef]:
    return z3.Function(one, sort, z3.BoolSort()), z3.Function(other, sort, z3.BoolSort())


NODE = z3.DeclareSort("node")
GROUP = z3.DeclareSort("group")
QUORUM = z3.DeclareSort("quorum")
TRUTH = z3.BoolSort()

x, y = z3.Consts("x y", NODE)
g, h = z3.Consts("g h", GROUP)
q, p = z3.Consts("q p", QUORUM)

in_group = z3.Function("in_group", NODE, GROUP, TRUTH)
in_a, in_b = _sets_of(NODE, "A", "B")
SHARED = z3.Exists([x], z3.And(in_a(x), in_b(x)))


def nesting_lemmas() -> tuple[Lemma, ...]:
    """All of them, from the plainest on."""
    return grid(), hierarchical(), tree()


def grid() -> Lemma:
    """Howard, Malkhi, Spiegelman: "Flexible Paxos", on grids. Here the groups are the rows."""
    all_but_one = z3.Exists(
        [g, y], z3.ForAll([x], z3.Implies(z3.And(in_group(x, g), x != y), in_b(x)))
    )
    return _lemma(
        "grid",
        "a node of every row meets all of one row, whatever the shape of the grid",
        given={
            "A": z3.ForAll([g], z3.Exists([x], z3.And(in_group(x, g), in_a(x)))),
            "B": z3.Exists([g], z3.ForAll([x], z3.Implies(in_group(x, g), in_b(x)))),
        },
        then=SHARED,
        weaker=({"B": all_but_one},),
        relations=(in_group, in_a, in_b),
    )


def hierarchical() -> Lemma:
    """Kumar: "Hierarchical Quorum Consensus", one level, with any quorums on it and below it.

    A set of groups is chosen, and in each of them an inner quorum.
    """
    chosen_a, chosen_b = _sets_of(GROUP, "chosen_by_A", "chosen_by_B")
    first = z3.Function("phase1_quorum", QUORUM, GROUP, TRUTH)
    second = z3.Function("phase2_quorum", QUORUM, GROUP, TRUTH)
    member = z3.Function("in_quorum", NODE, QUORUM, TRUTH)

    def contains(nodes: z3.FuncDeclRef, quorums: z3.FuncDeclRef) -> z3.QuantifierRef:
        inside = z3.ForAll([x], z3.Implies(member(x, q), nodes(x)))
        return z3.Exists([q], z3.And(quorums(q, g), inside))

    inner_meet = z3.Exists([x], z3.And(member(x, q), member(x, p)))
    return _lemma(
        "hierarchical",
        "quorums in enough groups meet if those of groups do, and those within each group",
        given={
            "A": z3.ForAll([g], z3.Implies(chosen_a(g), contains(in_a, first))),
            "B": z3.ForAll([g], z3.Implies(chosen_b(g), contains(in_b, second))),
            "groups": z3.Exists([g], z3.And(chosen_a(g), chosen_b(g))),
            "inner": z3.ForAll(
                [g, q, p], z3.Implies(z3.And(first(q, g), second(p, g)), inner_meet)
            ),
        },
        then=SHARED,
        # Inner quorums that meet in some groups are not enough.
        weaker=(
            {
                "inner": z3.Exists(
                    [g],
                    z3.ForAll([q, p], z3.Implies(z3.And(first(q, g), second(p, g)), inner_meet)),
                )
            },
        ),
        relations=(chosen_a, chosen_b, first, second, member, in_a, in_b),
    )


def tree() -> Lemma:
    """Agrawal, El Abbadi: "The Tree Quorum Protocol", one level; the groups are the children."""
    root = z3.Const("root", NODE)
    below_a, below_b = _sets_of(GROUP, "A_below", "B_below")

    def quorum(nodes: z3.FuncDeclRef, below: z3.FuncDeclRef) -> z3.BoolRef:
        return z3.Or(z3.And(nodes(root), z3.Exists([g], below(g))), z3.ForAll([g], below(g)))

    met = z3.Function("meet_below", GROUP, TRUTH)
    return _lemma(
        "tree",
        "tree quorums share the root, or meet below a child if quorums below each child do",
        given={
            "A": quorum(in_a, below_a),
            "B": quorum(in_b, below_b),
            "inner": z3.ForAll([g], z3.Implies(z3.And(below_a(g), below_b(g)), met(g))),
        },
        then=z3.Or(z3.And(in_a(root), in_b(root)), z3.Exists([g], met(g))),
        # The root's place taken by the quorum of one child, and not of all.
        weaker=({"A": z3.Exists([g], below_a(g))}, {"B": z3.Exists([g], below_b(g))}),
        relations=(below_a, below_b, met, in_a, in_b),
    )


def _lemma(
    name: str,
    says: str,
    *,
    given: Mapping[str, z3.BoolRef],
    then: z3.BoolRef,
    weaker: tuple[Mapping[str, z3.BoolRef], ...],
    relations: tuple[z3.FuncDeclRef, ...],
) -> Lemma:
    return Lemma(
        name,
        says,
        given,
        then,
        lambda model: tuple(_shown(model, relations)),
        _up_to,
        weaker,
    )


def _up_to(size: int) -> z3.BoolRef:
    """No more than so many nodes, groups and quorums."""
    limits = []
    for variable in (x, g, q):
        sort = variable.sort()
        few = [z3.Const(f"the {sort} {number}", sort) for number in range(size)]
        limits.append(z3.ForAll([variable], z3.Or([variable == one for one in few])))
    return z3.And(limits)


def _shown(model: z3.ModelRef, relations: tuple[z3.FuncDeclRef, ...]) -> Iterator[str]:
    """Every relation, by what is in it: nodes are called n0, n1, …, groups g0, quorums q0."""
    context = model.ctx
    universes = {
        str(sort): model.get_universe(sort.translate(context)) or ()
        for sort in (NODE, GROUP, QUORUM)
    }
    names = {
        str(element): f"{sort[0]}{number}"
        for sort, universe in universes.items()
        for number, element in enumerate(universe)
    }
    for relation in relations:
        held = relation.translate(context)
        arguments = [universes[str(held.domain(place))] for place in range(held.arity())]
        tuples = (
            " ".join(names[str(element)] for element in elements)
            for elements in product(*arguments)
            if z3.is_true(model.eval(held(*elements), model_completion=True))
        )
        yield f"{relation.name()} = {{{', '.join(tuples)}}}"
