"""Slips: what one node of the syntax tree could have been by mistake. Nothing is applied here.

Each function below gives the slips of one kind of node, as (kind, what stands there instead). They
are those of any mutation tool (comparisons, conditions, arithmetic, constants), and those that a
step of a protocol invites: an effect left out or too early, a state that is a step old, a field
that ``replace`` does not set, a message that is not handled.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

__all__ = ["Slip", "slips_of"]

Slip: TypeAlias = tuple[str, ast.AST]

Node = TypeVar("Node", bound=ast.AST)

# The bound moved by one, the opposite, and half of an inequality.
COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE, ast.NotEq),
    ast.LtE: (ast.Lt, ast.Gt, ast.Eq),
    ast.Gt: (ast.GtE, ast.LtE, ast.NotEq),
    ast.GtE: (ast.Gt, ast.Lt, ast.Eq),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.LShift: ast.RShift,
    ast.BitOr: ast.BitAnd,
}
CALLS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
ATTRIBUTES: Final = {
    "nodes": "peers",
    "peers": "nodes",
    "votes": "open_votes",
    "open_votes": "votes",
}
# How many positional arguments these need at least; those after may be left out.
REQUIRED: Final = {"Step": 1, "Replica": 2, "self.pledge": 2, "Leader": 0, "enumerate": 1}
# Calls that give back a later version of their first argument.
LATER: Final = ("placed", "replace", "self.count_vote", "self.count_promise")


def slips_of(
    node: ast.AST, *, is_condition: bool, returns: str, states: Sequence[str]
) -> Iterator[Slip]:
    """All slips at ``node``, in a function that returns ``returns``.

    ``is_condition``: whether it decides what is done; ``states``: the names that stand for a
    replica there, the one the step began with first.
    """
    if is_condition:
        yield from _condition(node)
    match node:
        case ast.Compare(ops=[operator]):
            for other in COMPARISONS[type(operator)]:
                yield "comparison", _with(node, ops=[other()])
        case ast.BoolOp():
            yield from _boolean(node)
        case ast.UnaryOp(op=ast.Not()):
            yield "condition", node.operand
        case ast.BinOp():
            yield "arithmetic", _with(node, op=OPERATORS[type(node.op)]())
            yield "arithmetic", node.left
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (("constant", ast.Constant(near)) for near in (value + 1, value - 1))
        case ast.Tuple(ctx=ast.Load()) | ast.Set():
            yield from _elements(node)
        case ast.Subscript(slice=ast.Slice() as bounds):
            for side in ("lower", "upper"):
                if getattr(bounds, side):
                    yield "slice", _with(node, slice=_with(bounds, **{side: None}))
        case ast.Attribute(attr=name) if name in ATTRIBUTES:
            yield "attribute", _with(node, attr=ATTRIBUTES[name])
        case ast.Name(id=name, ctx=ast.Load()) if name in states:
            yield from (("state", ast.Name(other)) for other in states if other != name)
        case ast.Call():
            yield from _call(node)
        case ast.Expr() | ast.AugAssign():
            yield "statement", ast.Pass()
        case ast.Return(value=ast.expr()):
            yield from _return(returns, states)
        case ast.match_case():
            never = ast.Constant(value=False)
            yield "case", ast.match_case(node.pattern, never, node.body)


def _with(node: Node, **fields: object) -> Node:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _without(items: Sequence[ast.expr], index: int) -> list[ast.expr]:
    return [*items[:index], *items[index + 1 :]]


def _swapped(items: Sequence[ast.expr], index: int) -> list[ast.expr]:
    return [*items[:index], items[index + 1], items[index], *items[index + 2 :]]


def _condition(node: ast.AST) -> Iterator[Slip]:
    yield "condition", ast.Constant(value=True)
    yield "condition", ast.Constant(value=False)
    if not isinstance(node, ast.Compare | ast.UnaryOp):
        assert isinstance(node, ast.expr)
        yield "condition", ast.UnaryOp(ast.Not(), node)


def _boolean(node: ast.BoolOp) -> Iterator[Slip]:
    yield "boolean", _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    for index in range(len(node.values)):
        rest = _without(node.values, index)
        yield "boolean", rest[0] if len(rest) == 1 else _with(node, values=rest)
    for index, operand in enumerate(node.values):
        if not isinstance(operand, ast.Compare | ast.UnaryOp):
            values = list(node.values)
            values[index] = ast.UnaryOp(ast.Not(), operand)
            yield "boolean", _with(node, values=values)


def _elements(node: ast.Tuple | ast.Set) -> Iterator[Slip]:
    items = node.elts
    for index in range(len(items)):
        if isinstance(node, ast.Tuple) or len(items) > 1:
            yield "left out", _with(node, elts=_without(items, index))
    if isinstance(node, ast.Tuple):
        for index in range(len(items) - 1):
            yield "order", _with(node, elts=_swapped(items, index))


def _call(node: ast.Call) -> Iterator[Slip]:
    name = ast.unparse(node.func)
    if name in CALLS:
        yield "call", _with(node, func=ast.Name(CALLS[name]))
    if name in LATER:
        yield "call", node.args[0]
    if name == "tuple":
        yield "call", ast.Tuple([], ast.Load())
        yield "call", ast.Subscript(node, ast.Slice(None, ast.Constant(1)), ast.Load())
        yield "call", ast.Subscript(node, ast.Slice(ast.Constant(1), None), ast.Load())
    for index in range(len(node.keywords)):
        keywords = [*node.keywords[:index], *node.keywords[index + 1 :]]
        yield "argument", _with(node, keywords=keywords)
    if len(node.args) > REQUIRED.get(name, len(node.args)):
        yield "argument", _with(node, args=node.args[:-1])
    if name[0].isupper() and name != "Step":
        for index in range(len(node.args) - 1):
            yield "argument", _with(node, args=_swapped(node.args, index))


def _return(returns: str, states: Sequence[str]) -> Iterator[Slip]:
    if returns == "Step" and states:
        nothing = ast.Call(ast.Name("Step"), [ast.Name(states[0])], [])
        yield "return", ast.Return(nothing)
    elif returns == "bool":
        yield from (("return", ast.Return(ast.Constant(value))) for value in (True, False))
    elif returns.startswith("tuple") or returns == "Decisions":
        yield "return", ast.Return(ast.Tuple([], ast.Load()))
