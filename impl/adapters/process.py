"""Processes: code in any language as an ``Implementation``, by way of stdin and stdout.

A process answers, line by line, what docs/process-protocol.md asks. The state of a node is what
the process says it is (its fingerprint), or else all that happened to it; how to get back there is
what ``Snapshot.origin`` holds: a ``Place``.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from indelible.impl.adapters.process_pipe import ANSWER_BYTES_MAX, TIMEOUT_SECONDS, command_words
from indelible.impl.adapters.process_pool import Pool, Question
from indelible.impl.adapters.process_wire import Answer, Hello, init_line, step_line
from indelible.impl.adapters.process_worker import Place
from indelible.model.effects import Effect, Storage
from indelible.model.events import InputEvent, NodeId
from indelible.model.plain import TYPE, Fields, Snapshot
from indelible.model.scope import Scope

__all__ = ["ProcessAdapter"]

FINGERPRINT: Final = "fingerprint"
"""The capability; and the field of a state that has the fingerprint, if that is no object."""

HISTORY: Final = "History"
"""What a state is where there is no fingerprint."""

NO_FINGERPRINT: Final = (
    "the process tells no fingerprint: the state of a node is all that happened to it, and never "
    "comes again; where links duplicate there is no end of states"
)


class ProcessAdapter:
    """Hosts nodes in processes that run ``command``: a command line, or its words; no shell.

    - ``workers``: how many processes at most; as many as there are processors, and two at least.
    - ``timeout``: how many seconds an answer may take; three times as many until it has started.
    - ``answer_bytes_max``: how long it may be.

    A process is started when the first question is asked, in the folder in which this object was
    made, and ends with it. Attributes and methods raise ``ImplementationError`` where the process
    does not keep to the protocol; a step in which it dies, or does not answer in time, is one that
    raised.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        workers: int | None = None,
        timeout: float = TIMEOUT_SECONDS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self.command = command_words(command)
        self._pool = Pool(
            self.command,
            folder=os.getcwd(),  # A name may lead here from another one, before anything starts.
            workers=max(2, os.cpu_count() or 2) if workers is None else workers,
            timeout=timeout,
            answer_bytes_max=answer_bytes_max,
        )

    @property
    def hello(self) -> Hello:
        """What the process says of itself."""
        return self._pool.hello

    @property
    def name(self) -> str:
        """What it calls itself, or the command."""
        return self.hello.name or shlex.join(self.command)

    @property
    def links(self) -> str:
        """The weakest links it is made for."""
        return self.hello.links

    @property
    def crashes(self) -> bool:
        """Whether it is made to survive crashes."""
        return self.hello.crashes

    @property
    def scope(self) -> Scope | None:
        """The scope to check it in, unless another is asked for."""
        return self.hello.scope

    @property
    def fingerprint(self) -> str | None:
        """The capability, if it has it: then it says itself when two states are the same."""
        return FINGERPRINT if FINGERPRINT in self.hello.capabilities else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a report should know."""
        return () if FINGERPRINT in self.hello.capabilities else (NO_FINGERPRINT,)

    def close(self) -> None:
        """End the processes. Later questions start new ones."""
        self._pool.close()

    # --- the contract --------------------------------------------------------------------------

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Start a node: ``init``."""
        line = init_line(node, nodes, storage)
        answer = self._pool.ask(Question(node, None, line))
        place = Place(node, None, line, hash(answer))
        history = {TYPE: HISTORY, "nodes": nodes, "storage": storage, "events": ()}
        return self._state(answer, place, history), answer.effects

    def handle(
        self, node: NodeId, state: Snapshot, event: InputEvent
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Let something happen to a node: ``step``."""
        question = _question(node, state, event)
        answer = self._pool.ask(question)
        place = Place(node, question.place, question.line, hash(answer))
        return self._state(answer, place, state, event), answer.effects

    def foresee(self, questions: Iterable[tuple[NodeId, Snapshot, InputEvent]]) -> None:
        """Ask several processes at once what ``handle`` will be asked, as often as it is here."""
        self._pool.foresee([_question(*question) for question in questions])

    def _state(
        self, answer: Answer, place: Place, history: Mapping[str, Any], *more: InputEvent
    ) -> Snapshot:
        """What the node is: what the process says, or else what happened to it until now."""
        if FINGERPRINT not in self.hello.capabilities:
            return Snapshot({**history, "events": (*history["events"], *more)}, place)
        said = answer.fingerprint
        # What is no object is the only field of one, which no object is then taken for.
        if isinstance(said, Fields) and set(said) != {FINGERPRINT}:
            return Snapshot(said, place)
        return Snapshot({FINGERPRINT: said}, place)


def _question(node: NodeId, state: Snapshot, event: InputEvent) -> Question:
    place = state.origin
    assert place.node == node, "states are handed back to the node that they are of"
    return Question(node, place, step_line(node, event))
