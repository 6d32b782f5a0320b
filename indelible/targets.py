"""Targets: how a name on a command line becomes an implementation with a scope, or a property.

A name that leads nowhere gets one message that says what there is. The code behind it is the
user's: whatever goes wrong while it is imported or made is told with its place, and no traceback.
"""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from indelible.checkers.properties import BUILT_IN, Property
from indelible.model.errors import (
    ImplementationError,
    ImplementationRaised,
    PropertyError,
    closest_first,
)
from indelible.model.implementation import Implementation
from indelible.model.quorums import QuorumSystem
from indelible.model.scope import LINKS, Scope

__all__ = [
    "DEFAULT_SCOPE",
    "OURS",
    "PROCESS",
    "ROOMY_SCOPE",
    "Target",
    "find_property",
    "find_quorums",
    "find_target",
    "on_trial",
]

DEFAULT_SCOPE: Final = Scope(
    nodes=3,
    commands=("a", "b"),
    may_submit=(0,),
    timeouts_max={"election": 1, "heartbeat": 0, "retransmit": 0},
    may_time_out=(0, 1),
    restarts_max=1,
    links="ordered",
)
"""What ``indelible check`` explores when nothing else is said."""

ROOMY_SCOPE: Final = Scope(
    nodes=5,
    commands=("a", "b", "c", "d", "e", "f"),
    submissions_max=3,
    timeouts_max={"election": 4, "heartbeat": 4, "retransmit": 4},
    restarts_max=4,
    torn=True,
)
"""What ``indelible fuzz`` draws runs from when nothing else is said: far too large to exhaust."""

OURS: Final = "multipaxos"

RUN_BY: Final = {".js": "node", ".mjs": "node", ".rb": "ruby", ".jar": "java -jar"}
"""By what a file is run that no system runs itself."""

PROCESS: Final = "exec:"
"""What the name of a target begins with that is a process: the rest is its command line."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is on trial, and the scope it is tried in unless somebody says otherwise.

    ``name`` is what finds it again.
    """

    name: str
    implementation: Implementation
    scope: Scope


@contextmanager
def on_trial() -> Iterator[None]:
    """Where code of the user runs: what it prints does not mix with the result on stdout, where it
    exits, its exit code does not pass for ours, and an exception that nobody looked for is told.

    Raises ``ImplementationError``.
    """
    with redirect_stdout(sys.stderr), _no_exit():
        try:
            yield
        except SystemExit as exit:
            raise ImplementationError(f"the code on trial called exit({exit.code!r})") from exit
        except ImplementationRaised as raised:
            raise ImplementationError(
                f"the implementation raised {raised}",
                cause="it did so in other events than those in question, or in fewer of them",
                remedy="correct that first; 'indelible check' finds it, if it is in the scope",
            ) from raised


@contextmanager
def _no_exit() -> Iterator[None]:
    """Where ``os._exit`` ends nothing: nobody would see what was found, nor the right exit code."""
    real, process, called = os._exit, os.getpid(), list[int]()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:
            real(status)  # Of a process that the code on trial has made.
        called.append(status)
        raise _exited(status)

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = real
    if called:
        raise _exited(called[0])  # Though the code caught it.


def _exited(code: object) -> ImplementationError:
    return ImplementationError(
        f"the code on trial called os._exit({code!r})",
        cause="it would end the checker, and nothing that was found would be seen",
        remedy="let the node raise an exception; a crash comes from the checker",
    )


def find_target(name: str | None) -> Target:
    """The target of this name: ``module:attribute``, ``exec:COMMAND LINE``, a known bug, or ours.

    Raises ``ImplementationError``.
    """
    if name is None or name == OURS:
        from indelible.impl.multipaxos import MultiPaxos

        return Target(OURS, MultiPaxos(), DEFAULT_SCOPE)
    if name.startswith(PROCESS):
        return _process_target(name)
    if ":" in name:
        return _own_target(name)
    from indelible.impl.known_bugs import KNOWN_BUGS

    if name in KNOWN_BUGS:
        return Target(name, KNOWN_BUGS[name].implementation, KNOWN_BUGS[name].scope)
    raise ImplementationError(
        f"there is no target {name!r}",
        cause="it is neither the name of a known bug nor of the form module:attribute",
        remedy=_as_process_remedy(name) or _as_module_remedy(name),
        available=closest_first(name, (OURS, *KNOWN_BUGS)),
    )


def find_property(name: str) -> Property:
    """The property of this name: a built-in one, or ``module:attribute``.

    Raises ``PropertyError``.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if ":" not in name:
        raise PropertyError(
            f"there is no property {name!r}",
            remedy="name a built-in one, or your own as module:attribute",
            available=closest_first(name, BUILT_IN),
        )
    module, path = _module_and_path(name, PropertyError)
    known = _attribute(module, path, PropertyError, _properties_in(module))
    if not isinstance(known, Property):
        raise PropertyError(
            f"{name} is not a property; it is of type {type(known).__name__}",
            remedy="decorate the function with @always(...) or @sometimes(...)",
            available=closest_first(path, _properties_in(module)),
        )
    return known


def find_quorums(name: str) -> QuorumSystem:
    """The quorum system ``module:attribute``, or that of an implementation of this name.

    Raises ``ImplementationError``.
    """
    module, path = _module_and_path(name, ImplementationError)
    found = _attribute(module, path, ImplementationError, ())
    made = _made(name, found) if isinstance(found, type) else found
    system = getattr(made, "quorums", made)
    if not all(hasattr(system, f"is_phase{phase}_quorum") for phase in (1, 2)):
        raise ImplementationError(
            f"{name} is no quorum system, and has none; it is of type {type(made).__name__}",
            remedy="name an object with is_phase1_quorum and is_phase2_quorum, such as "
            "WeightedQuorums(...), or an implementation that has such 'quorums'",
        )
    quorums: QuorumSystem = system
    return quorums


def _own_target(name: str) -> Target:
    # Before the current folder goes on the path, where a numpy.py would hide what we stand on.
    import indelible.checkers.explorer.search  # noqa: F401

    module, path = _module_and_path(name, ImplementationError)
    candidates = _implementations_in(module)
    found = _attribute(module, path, ImplementationError, candidates)
    implementation = _made(name, found) if isinstance(found, type) else found
    if not _can_be_tried(implementation):
        raise ImplementationError(
            f"{name} has no start and handle; it is of type {type(implementation).__name__}",
            remedy="name an object (or a class that needs no arguments) with start(node, nodes, "
            "storage) and handle(node, state, event)",
            available=closest_first(path, candidates),
        )
    return Target(name, implementation, _scope_of(name, implementation))


def _process_target(name: str) -> Target:
    from indelible.impl.adapters.process import ProcessAdapter

    adapter = ProcessAdapter(name.removeprefix(PROCESS))
    return Target(name, adapter, _scope_of(name, adapter))


def _made(name: str, kind: type) -> Any:
    try:
        return kind()
    except Exception as error:
        raise ImplementationError(
            f"{name} could not be made: {kind.__name__}() raised {_raised(error)}",
            cause="a class is called without arguments",
            remedy="make an object in the module, and name that",
        ) from error


def _scope_of(name: str, implementation: Any) -> Scope:
    """Its own scope, or the usual one; with no faults of links that it is not made for, unless its
    scope asks for them."""
    from indelible.impl.multipaxos import MultiPaxos

    scope = getattr(implementation, "scope", None)
    if scope is None and isinstance(implementation, MultiPaxos):
        return DEFAULT_SCOPE
    if not isinstance(scope, Scope | None):
        raise ImplementationError(
            f"the scope of {name} is {scope!r}", remedy="make it a Scope, or leave it out"
        )
    links: Any = getattr(implementation, "links", LINKS[0])
    if links not in LINKS:
        raise ImplementationError(
            f"the links of {name} are {links!r}", available=", ".join(map(repr, LINKS))
        )
    return (scope or Scope()).made_for(links)


def _module_and_path(name: str, blame: type[ImplementationError] | type[PropertyError]) -> Any:
    """The module, imported with the current directory first, and the attribute's dotted path."""
    module_name, _, path = name.partition(":")
    if not module_name or not all(part.isidentifier() for part in module_name.split(".")):
        raise blame(
            f"{module_name!r} is not the name of a module",
            remedy="write module:attribute, as in my_paxos:MyPaxos, without a path or '.py'",
            available=closest_first(module_name, _modules_here()),
        )
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name), path
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _import_failed(module_name, error, blame) from error
        raise blame(
            f"there is no module {error.name!r}",
            cause=f"looked in {here} first, then where Python looks",
            remedy="run this where the module is, or put its folder on PYTHONPATH",
            available=closest_first(module_name, _modules_here()),
        ) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(module_name, error, blame) from error


def _import_failed(
    module_name: str,
    error: BaseException,
    blame: type[ImplementationError] | type[PropertyError],
) -> Exception:
    return blame(f"module {module_name!r} could not be imported: {_raised(error)}")


def _raised(error: BaseException) -> str:
    """The exception in one line, with the place in the user's code that led to it."""
    says = " ".join(str(error).split())
    text = f"{type(error).__name__}: {says}" if says else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} at {_short(error.filename)}:{error.lineno}"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and frame.filename != __file__
    ]
    near = [frame for frame in own if Path(frame.filename).is_relative_to(Path.cwd())]
    frames = [*own[-1:], *near[-1:]]
    return f"{text} at {_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else text


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename


def _attribute(
    module: ModuleType,
    path: str,
    blame: type[ImplementationError] | type[PropertyError],
    candidates: tuple[str, ...],
) -> Any:
    found: Any = module
    fitting = closest_first(path, candidates) or "nothing in that module fits"
    if not path:
        raise blame(
            f"'{module.__name__}:' names a module, and nothing in it",
            remedy="write module:attribute",
            available=fitting,
        )
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            where = f"module {module.__name__!r}" if found is module else repr(path)
            raise blame(
                f"{where} has no {part!r}",
                available=fitting,
            ) from None
    return found


def _implementations_in(module: ModuleType) -> tuple[str, ...]:
    return tuple(
        name
        for name, value in _public(module)
        if _can_be_tried(value) and not getattr(value, "_is_protocol", False)
    )


def _properties_in(module: ModuleType) -> tuple[str, ...]:
    return tuple(name for name, value in _public(module) if isinstance(value, Property))


def _public(module: ModuleType) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in vars(module).items() if not name.startswith("_"))


def _can_be_tried(value: Any) -> bool:
    return callable(getattr(value, "start", None)) and callable(getattr(value, "handle", None))


def _modules_here() -> tuple[str, ...]:
    """Modules and packages in the current directory."""
    here = Path.cwd()
    files = (path.stem for path in here.glob("*.py"))
    folders = (path.parent.name for path in here.glob("*/__init__.py"))
    return tuple(sorted(name for name in {*files, *folders} if name.isidentifier()))


def _as_process_remedy(name: str) -> str:
    """For a file, or a command line, that no Python is: a process."""
    first = name.split()[0] if name.split() else ""
    suffix = Path(first).suffix
    if not (Path(first).is_file() or suffix in RUN_BY or first != name) or suffix == ".py":
        return ""
    command = f"{RUN_BY[suffix]} {name}" if suffix in RUN_BY else name
    return f"for a process that speaks the protocol: --exec {shlex.quote(command)}"


def _as_module_remedy(name: str) -> str:
    stem = name.removesuffix(".py").replace("/", ".").replace(os.sep, ".").strip(".")
    if stem in _modules_here() or name.endswith(".py"):
        return f"for the code in {stem}, write {stem}:NAME with the name of its class or object"
    return "write module:attribute for code of your own"
