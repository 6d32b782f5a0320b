"""Hosts: how what is tried is asked, in a session that begins with nothing, and what it tells.

A process is asked by lines, each session in a process of its own; an object of Python by calls.
Whatever an answer has that it should not have is ``Misbehaved``. Nothing here knows what is tried
for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from indelible.impl.adapters.process_pipe import Pipe, Talk, command_words, converse
from indelible.impl.adapters.process_text import shown
from indelible.impl.adapters.process_wire import (
    HELLO,
    Hello,
    hello_from,
    init_line,
    step_from,
    step_line,
)
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError, ImplementationRaised, WireError
from indelible.model.events import InputEvent, NodeId
from indelible.model.implementation import Implementation, ask_handle, ask_start
from indelible.model.scope import Scope

__all__ = [
    "Asked",
    "Host",
    "Misbehaved",
    "ProcessHost",
    "ProcessSession",
    "PythonHost",
    "Session",
    "Start",
    "Told",
]


class Start(NamedTuple):
    """A node starts, as one of ``nodes``, with what it persisted last."""

    nodes: tuple[NodeId, ...]
    storage: Any = None


class Asked(NamedTuple):
    """A question: what does this do to the node?"""

    node: NodeId
    what: Start | InputEvent


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: the effects, and what the node then is (``None`` where a process has no
    fingerprint); and both as they went to and fro."""

    asked: Asked
    effects: tuple[Effect, ...]
    state: Any
    sent: str
    received: str

    @property
    def says(self) -> tuple[Any, Any]:
        """What is compared."""
        return self.effects, self.state


class Misbehaved(Exception):
    """What is tried does not do what it should: the fact, what shows it, and the remedy."""

    def __init__(self, fact: str, remedy: str = "", **shown: str) -> None:
        self.fact, self.remedy, self.shown = fact, remedy, shown
        super().__init__(fact)


class Session(Protocol):
    """Nodes from their start on."""

    def ask(self, questions: Sequence[Asked]) -> list[Told]:
        """All the answers, in order. Raises ``Misbehaved``."""
        ...


class Host(Protocol):
    """What sessions can be held with."""

    @property
    def scope(self) -> Scope:
        """Nodes, commands and links to try it with."""
        ...

    @property
    def crashes(self) -> bool:
        """Whether it is made to survive restarts."""
        ...

    @property
    def has_states(self) -> bool:
        """Whether it tells what a node is."""
        ...

    def session(self) -> AbstractContextManager[Session]:
        """A new session."""
        ...


# --- processes ----------------------------------------------------------------------------------


class ProcessSession:
    """A process of its own, which has said hello."""

    def __init__(self, pipe: Pipe, *, fingerprint: bool) -> None:
        self._pipe, self._fingerprint = pipe, fingerprint

    def talk(self, lines: Sequence[bytes]) -> list[bytes]:
        """The answers to requests that are all sent before the first is read."""
        return _talked(self._pipe, lines)

    def ask(self, questions: Sequence[Asked]) -> list[Told]:
        lines = [_line(each) for each in questions]
        answers = self.talk(lines)
        return [self._told(*each) for each in zip(questions, lines, answers, strict=True)]

    def read(self, line: bytes, answer: bytes, reader: Callable[[bytes], Any]) -> Any:
        """What an answer says to ``reader``, which raises ``WireError``."""
        try:
            return reader(answer)
        except WireError as error:
            raise _misread(error, line, answer) from error

    def _told(self, asked: Asked, line: bytes, answer: bytes) -> Told:
        said = self.read(line, answer, lambda it: step_from(it, fingerprint=self._fingerprint))
        if isinstance(said, Exception):
            raise Misbehaved(
                f"it answers with an error: {said}",
                "what happens here may happen in any run: the implementation has to bear it",
                sent=_shown(line),
                received=_shown(answer),
            )
        return Told(asked, said.effects, said.fingerprint, _shown(line), _shown(answer))


class ProcessHost:
    """A command line, each session in a new process. ``timeout``: seconds for an answer."""

    def __init__(self, command: str, *, timeout: float) -> None:
        self.command, self.timeout = command, timeout
        self.words = command_words(command)

    @cached_property
    def hello(self) -> Hello:
        """What it says of itself. Raises ``Misbehaved``."""
        with self._process() as pipe:
            return _hello(pipe)

    @property
    def scope(self) -> Scope:
        return self.hello.scope or Scope(commands=("a", "b"), links=self.hello.links)  # type: ignore[arg-type]

    @property
    def crashes(self) -> bool:
        return self.hello.crashes

    @property
    def has_states(self) -> bool:
        return "fingerprint" in self.hello.capabilities

    @contextmanager
    def session(self) -> Iterator[ProcessSession]:
        with self._process() as pipe:
            yield ProcessSession(pipe, fingerprint="fingerprint" in _hello(pipe).capabilities)

    @contextmanager
    def _process(self) -> Iterator[Pipe]:
        pipe = Pipe(self.words, timeout=self.timeout)
        try:
            yield pipe
        finally:
            pipe.kill()


def _hello(pipe: Pipe) -> Hello:
    (answer,) = _talked(pipe, [HELLO])
    try:
        return hello_from(answer)
    except WireError as error:
        raise _misread(error, HELLO, answer) from error


def _talked(pipe: Pipe, lines: Sequence[bytes]) -> list[bytes]:
    (answers,) = converse([Talk(pipe, lines)])
    failure = pipe.failure
    if failure is not None:
        fact, request = str(failure), failure.request
        hint = "; ".join(filter(None, [failure.cause, failure.remedy]))
        if request is None:
            raise Misbehaved(fact, hint)
        fact = fact.replace(f"; it was asked {shown(request)}", "")
        raise Misbehaved(fact, hint, sent=_shown(request))
    return answers


def _misread(error: WireError, line: bytes, answer: bytes) -> Misbehaved:
    hints = [error.cause, error.remedy, f"there is: {error.available}" if error.available else ""]
    return Misbehaved(
        error.fact, "; ".join(filter(None, hints)), sent=_shown(line), received=_shown(answer)
    )


def _line(asked: Asked) -> bytes:
    if isinstance(asked.what, Start):
        return init_line(asked.node, *asked.what)
    return step_line(asked.node, asked.what)


def _shown(line: bytes) -> str:
    return line.decode(errors="backslashreplace")


# --- objects of Python --------------------------------------------------------------------------


class _PythonSession:
    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self._nodes: tuple[NodeId, ...] = ()
        self._states: dict[NodeId, Any] = {}

    def ask(self, questions: Sequence[Asked]) -> list[Told]:
        return [self._told(each) for each in questions]

    def _told(self, asked: Asked) -> Told:
        node, what = asked
        sent = f"{'start' if isinstance(what, Start) else 'handle'}({node!r}, {what!r})"
        try:
            if isinstance(what, Start):
                self._nodes = what.nodes
                step = ask_start(self._implementation, node, *what, twice=True)
            else:
                state = self._states[node]
                step = ask_handle(self._implementation, node, self._nodes, state, what, twice=True)
        except ImplementationRaised as raised:
            raise Misbehaved(f"it raised {raised}", sent=sent) from raised
        except ImplementationError as error:
            hints = "; ".join(filter(None, (error.cause, error.remedy)))
            raise Misbehaved(error.fact, hints, sent=sent) from error
        self._states[node] = step.state
        return Told(asked, step.effects, step.state, sent, f"({step.state!r}, {step.effects!r})")


class PythonHost:
    """An object of Python that keeps to the contract, or should."""

    has_states = True

    def __init__(self, implementation: Implementation, scope: Scope) -> None:
        self._implementation, self.scope = implementation, scope

    @property
    def crashes(self) -> bool:
        return bool(getattr(self._implementation, "crashes", True))

    @contextmanager
    def session(self) -> Iterator[Session]:
        yield _PythonSession(self._implementation)
