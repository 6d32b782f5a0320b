"""Mutator: the protocol's code with one small slip, and a name for each such mutant.

It reads sources and gives mutants; it runs nothing, and knows nothing of how they are judged. It is
our own, because no kept tool fits. Both cosmic-ray and mutmut run a command or a test suite for
each mutant, which would load Python, Numba and the kernels again: a second or more, where most
mutants here need milliseconds. And neither has the slips that matter in a step of a protocol, which
are in ``mutation_slips``.

A mutant's name is made of the function, the kind of slip, and the code before and after it, so that
it outlives any change elsewhere in the file. Of slips that come to the same, only the first counts.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from mutation_slips import slips_of

__all__ = ["MODULES", "Mutant", "all_mutants", "digest", "source_of"]

SOURCES: Final = Path(__file__).parents[2] / "impl" / "multipaxos"

MODULES: Final = (
    "ballot",
    "log",
    "messages",
    "replica",
    "timers",
    "learner",
    "acceptor",
    "proposer",
    "protocol",
)
"""In the order in which they can be imported: each imports only those before it."""

NOT_PROTOCOL: Final = ("__str__", "check", "_check_proposals", "_check_log")
"""For readers and for tests: no step of the protocol calls them."""


class Mutant(NamedTuple):
    """One slip: its name, where it is, what it looks like, and the whole module with it."""

    name: str
    module: str
    line: int
    kind: str
    before: str
    after: str
    source: str


def source_of(module: str) -> str:
    return (SOURCES / f"{module}.py").read_text(encoding="utf-8")


def digest() -> str:
    """What the code says, whatever its comments and its lines: it changes when a run is stale."""
    code = "".join(ast.unparse(_without_documentation(source_of(module))) for module in MODULES)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def all_mutants() -> tuple[Mutant, ...]:
    """Every mutant, module by module, in the order of the lines."""
    return tuple(mutant for module in MODULES for mutant in _mutants_of(module))


def _mutants_of(module: str) -> list[Mutant]:
    tree = ast.parse(source_of(module))
    seen = {ast.unparse(tree)}
    times: Counter[str] = Counter()
    found: list[Mutant] = []
    for place in list(_places(tree, Context(module))):
        node, context = place.node, place.context
        slips = slips_of(
            node,
            is_condition=place.is_condition,
            returns=context.returns,
            states=[name for name, line in context.states if line < place.line],
        )
        for kind, instead in slips:
            before, after = _text(node), _text(instead)
            place.put(instead)
            source = ast.unparse(tree)
            place.put(node)
            if source in seen:
                continue
            seen.add(source)
            name = f"{context.name}: {kind}: {before} => {after}"
            times[name] += 1
            if times[name] > 1:
                name = f"{name} (number {times[name]})"
            found.append(Mutant(name, module, place.line, kind, before, after, source))
    return sorted(found, key=lambda mutant: mutant.line)


def _without_documentation(source: str) -> ast.Module:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body = [part for part in node.body if not _is_documentation(part)]
    return tree


# --- where a slip can be ------------------------------------------------------------------------


class Context(NamedTuple):
    """What is around a place: the function, what it returns, and the names of states, with lines.

    A name can stand in for another only below the line in which it gets its value.
    """

    name: str
    returns: str = ""
    states: tuple[tuple[str, int], ...] = ()


class Place(NamedTuple):
    """A node of the tree and where it hangs, so that another can be put there for a while."""

    node: ast.AST
    line: int
    parent: ast.AST
    field: str
    position: int | None
    context: Context

    @property
    def is_condition(self) -> bool:
        return self.field in ("test", "ifs") and not isinstance(self.parent, ast.Assert)

    def put(self, node: ast.AST) -> None:
        if self.position is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.position] = node


def _places(node: ast.AST, context: Context, line: int = 0) -> Iterator[Place]:
    """Every node below ``node`` that is part of the protocol."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "pattern"):
            continue
        for index, part in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(part, ast.AST) or _is_no_step(part) or _is_delay(node, part):
                continue
            here = getattr(part, "lineno", line)
            if isinstance(part, ast.match_case):
                here = part.pattern.lineno
            yield Place(part, here, node, field, index, context)
            yield from _places(part, _inside(context, part), here)


def _inside(context: Context, node: ast.AST) -> Context:
    if isinstance(node, ast.ClassDef):
        return Context(f"{context.name}.{node.name}")
    if isinstance(node, ast.FunctionDef):
        returns = ast.unparse(node.returns) if node.returns else ""
        return Context(f"{context.name}.{node.name}", returns, tuple(_states_in(node)))
    return context


def _states_in(function: ast.FunctionDef) -> Iterator[tuple[str, int]]:
    """The names in a function that stand for a replica, each with the line that gives it."""
    known = set()
    for argument in function.args.args:
        if argument.annotation and ast.unparse(argument.annotation) == "Replica":
            known.add(argument.arg)
            yield argument.arg, argument.lineno
    for node in function.body:
        match node:
            case ast.Assign([ast.Tuple(elts=[ast.Name(id=name), _])], ast.Call()):
                known.add(name)
                yield name, node.end_lineno or node.lineno
            case ast.Assign(
                [ast.Name(id=name)],
                ast.Call(func=ast.Name(id="replace"), args=[ast.Name(id=earlier)]),
            ) if earlier in known:
                known.add(name)
                yield name, node.end_lineno or node.lineno


def _is_no_step(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.arguments():
            return True
        case ast.FunctionDef(name=name):
            return name in NOT_PROTOCOL
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == "__all__" or isinstance(node.value, ast.Call)
        case ast.AnnAssign():
            return "Alias" in ast.unparse(node.annotation)
    return _is_documentation(node)


def _is_delay(call: ast.AST, argument: ast.AST) -> bool:
    """Whether it is the range of a timer, which nobody can notice where no clock is modelled."""
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func) == "SetTimer"
        and argument in call.args[1:]
    )


def _is_documentation(node: ast.AST) -> bool:
    """Whether it is a statement that is read and not run: a text, or the dots of a protocol."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _text(node: ast.AST) -> str:
    """The code in one line; of a case only its pattern."""
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}" + (" if False" if node.guard else "")
    return " ".join(ast.unparse(node).split())
