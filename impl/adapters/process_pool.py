"""Several processes of one command, and the questions that are put to them, alone or together.

Answers to what is asked together are kept until they are asked for. Where a process fails in the
middle of many questions it cannot be seen which one it was: they are asked again one by one, each
line when the one before is answered, and so is what is asked from then on, until ``TRUSTED_AGAIN``
answers in a row were good. A question that a process did not answer in time, asked alone, is not
asked again: nobody waits for it a third time. That a process fails once and not again is told, too.
Nothing here knows what states and effects mean.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from indelible.impl.adapters.process_pipe import (
    NoAnswer,
    Pipe,
    PipeFailed,
    ProcessDied,
    Talk,
    close_all,
    converse,
)
from indelible.impl.adapters.process_text import shown
from indelible.impl.adapters.process_wire import (
    HELLO,
    Answer,
    ErrorAnswer,
    Hello,
    hello_from,
    step_from,
)
from indelible.impl.adapters.process_worker import NotTheSame, Place, Request, Worker
from indelible.model.errors import ImplementationError, ImplementationRaised, WireError
from indelible.model.events import NodeId

__all__ = ["Pool", "Question"]

QUESTIONS_EACH: Final = 8
"""How many questions are worth one more process."""

TRUSTED_AGAIN: Final = 64
"""After how many good answers one by one, since the last failure, questions are asked together."""

Reply: TypeAlias = Answer | ErrorAnswer
Failure: TypeAlias = PipeFailed | ImplementationError


class Question(NamedTuple):
    """What does ``line`` do to ``node`` at ``place``? Without a place, it starts the node."""

    node: NodeId
    place: Place | None
    line: bytes

    def path(self) -> tuple[bytes, ...]:
        """The question, and all that the node was asked before, the last first."""
        return (self.line, *(() if self.place is None else self.place.requests()))


class Pool:
    """At most ``workers`` processes, started when they are needed, and ended with this object.

    Every method may raise ``ImplementationError``.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: str,
        workers: int,
        timeout: float,
        answer_bytes_max: int,
    ) -> None:
        self._workers_max = workers
        self._new_pipe = partial(
            Pipe, command, folder=folder, timeout=timeout, answer_bytes_max=answer_bytes_max
        )
        self._hello: Hello | None = None
        self._workers: list[Worker] = []
        self._ready: dict[Question, list[Reply]] = {}
        self._suspects: set[Question] = set()
        self._failure: Failure | None = None
        self._unanswered: dict[tuple[bytes, ...], NoAnswer] = {}
        self._good_since = 0
        weakref.finalize(self, _close, self._workers)

    @property
    def hello(self) -> Hello:
        """What the process says of itself."""
        if self._hello is None:
            self._grown(1)
        assert self._hello is not None
        return self._hello

    def close(self) -> None:
        """End the processes; later questions start new ones."""
        _close(self._workers)

    def ask(self, question: Question) -> Answer:
        """The answer. Raises ``ImplementationRaised`` if it is an error, or if the process dies of
        the question or does not answer it in time."""
        ready = self._ready.pop(question, [])
        reply = ready.pop() if ready else self._asked(question)
        if ready:
            self._ready[question] = ready
        if isinstance(reply, ErrorAnswer):
            raise ImplementationRaised(reply)
        return reply

    def foresee(self, questions: Sequence[Question]) -> None:
        """Have the answers ready, as often as each question is here. None of them starts a node."""
        self._ready = {}
        if self._failure is not None:
            return
        if self._unanswered:
            questions = [each for each in questions if each.path() not in self._unanswered]
        groups: dict[Place, list[Question]] = {}
        for question in questions:
            assert question.place is not None
            groups.setdefault(question.place, []).append(question)
        shares = _shares(groups, self._grown(len(questions) // QUESTIONS_EACH + 1))
        failures = self._talk(
            {
                worker: [request for place in share for request in worker.keeping(place)]
                for worker, share in shares.items()
            }
        )
        replies: dict[Question, list[Reply]] = {question: [] for question in questions}
        failures |= self._talk(
            {
                worker: [
                    request
                    for place in share
                    for question in groups[place]
                    for request in self._requests(worker, question, replies[question])
                ]
                for worker, share in shares.items()
                if worker not in failures
            }
        )
        self._ready = replies
        for worker, failure in failures.items():
            for place in shares[worker]:
                self._suspect(groups[place], failure)

    def _asked(self, question: Question) -> Reply:
        """The reply of a process that is asked now."""
        if self._unanswered and question.path() in self._unanswered:
            raise ImplementationRaised(self._unanswered[question.path()])
        if self._failure is None:
            worker = self._nearest(question.place)
            replies: list[Reply] = []
            failures = self._talk({worker: self._requests(worker, question, replies)})
            if not failures:
                return replies[0]
            self._suspect([question], failures[worker])
        try:
            reply = self._asked_alone(question)
        except (ImplementationRaised, ImplementationError):
            self._suspects.clear()
            self._good_since = 0
            raise
        if question in self._suspects:
            self._suspects.remove(question)
            if not self._suspects:
                raise self._not_again()
        elif not self._suspects:
            self._good_since += 1
            if self._good_since >= TRUSTED_AGAIN:
                self._failure, self._good_since = None, 0
        return reply

    def _not_again(self) -> ImplementationError:
        assert self._failure is not None
        if isinstance(self._failure, NotTheSame):
            return self._failure  # It says why already.
        return _as_error(
            self._failure,
            cause="this happened once, and did not when the same was asked again, line by line: "
            "chance, a lack of time or memory, or lines that are read too early",
        )

    def _asked_alone(self, question: Question) -> Reply:
        """The reply, each line being sent only when the one before is answered: then it is known
        which of them a process does not survive."""
        worker = self._nearest(question.place)
        replies: list[Reply] = []
        requests = self._requests(worker, question, replies)
        for number, request in enumerate(requests, start=1):
            failure = self._talk({worker: [request]}).get(worker)
            if isinstance(failure, NoAnswer) and number == len(requests):
                self._unanswered[question.path()] = failure
            if isinstance(failure, ProcessDied) and question.place is None:
                # There is no step yet that could be to blame: what ends it, the log may not say.
                raise ImplementationRaised(
                    ProcessDied(f"{failure} ({failure.cause}; {failure.remedy})", None)
                )
            if isinstance(failure, ProcessDied | NoAnswer) and number == len(requests):
                raise ImplementationRaised(failure)
            if isinstance(failure, ProcessDied | NoAnswer):
                raise _as_error(
                    failure,
                    cause="it was asked again what it had answered before: something adds up in it "
                    "from one request to the next, as memory, open files or a counter do",
                )
            if failure is not None:
                raise _as_error(failure)
        return replies[0]

    def _suspect(self, questions: Iterable[Question], failure: Failure) -> None:
        """One of these questions, or the way there, made a process fail: drop their replies."""
        self._failure = failure
        for question in questions:
            self._suspects.add(question)
            self._ready.pop(question, None)

    def _requests(self, worker: Worker, question: Question, replies: list[Reply]) -> list[Request]:
        """What to send a process that is asked the question; the reply is added to ``replies``."""
        fingerprint = "fingerprint" in self.hello.capabilities

        def take(line: bytes) -> None:
            replies.append(step_from(line, fingerprint=fingerprint))

        return worker.asking(question.node, question.place, Request(question.line, take))

    def _talk(self, requests: Mapping[Worker, Sequence[Request]]) -> dict[Worker, Failure]:
        """Send each process its requests, take the answers, and give up the processes that fail."""
        whole = {
            worker: [*worker.forgetting(), *wanted] for worker, wanted in requests.items() if wanted
        }
        answers = converse(
            [
                Talk(worker.pipe, [request.line for request in wanted])
                for worker, wanted in whole.items()
            ]
        )
        failures: dict[Worker, Failure] = {}
        for (worker, wanted), lines in zip(whole.items(), answers, strict=True):
            failure = worker.pipe.failure or _failure_in(wanted, lines)
            if failure is not None:
                worker.pipe.kill()
                self._workers.remove(worker)
                failures[worker] = failure
        return failures

    def _nearest(self, place: Place | None) -> Worker:
        workers = self._grown(1)
        return workers[0] if place is None else min(workers, key=lambda one: one.distance(place))

    def _grown(self, count: int) -> list[Worker]:
        """The processes, ``count`` at least, unless that is more than there may be."""
        missing = min(count, self._workers_max) - len(self._workers)
        if missing <= 0:
            return self._workers
        pipes: list[Pipe] = []
        try:
            while len(pipes) < missing:
                pipes.append(self._new_pipe())
            for pipe, lines in zip(
                pipes, converse([Talk(pipe, [HELLO]) for pipe in pipes]), strict=True
            ):
                self._hello = self._greeted(pipe, lines)
        except BaseException:
            close_all(pipes)
            raise
        self._workers += [Worker(pipe, self.hello) for pipe in pipes]
        return self._workers

    def _greeted(self, pipe: Pipe, lines: Sequence[bytes]) -> Hello:
        if pipe.failure is not None:
            raise _as_error(pipe.failure)
        found: list[Hello] = []
        _take(Request(HELLO, lambda line: found.append(hello_from(line))), lines[0])
        if self._hello not in (None, found[0]):
            raise ImplementationError(
                f"a process of the same command says hello differently: {shown(lines[0])}",
                cause="its hello depends on something that changes",
                remedy="say the same in each process",
            )
        return found[0]


def _shares(
    groups: Mapping[Place, Sequence[Question]], workers: Sequence[Worker]
) -> dict[Worker, list[Place]]:
    """Which process is asked about which places: the one that will be done with it first."""
    shares: dict[Worker, list[Place]] = {worker: [] for worker in workers}
    loads = dict.fromkeys(workers, 0)

    for place, questions in groups.items():
        costs = {worker: loads[worker] + worker.distance(place) for worker in workers}
        worker = min(workers, key=costs.__getitem__)
        loads[worker] = costs[worker] + 2 * len(questions)
        shares[worker].append(place)
    return shares


def _failure_in(requests: Sequence[Request], lines: Sequence[bytes]) -> ImplementationError | None:
    """Take the answers; what is wrong with the first that is none."""
    try:
        for request, line in zip(requests, lines, strict=True):
            _take(request, line)
    except ImplementationError as error:
        return error
    return None


def _take(request: Request, line: bytes) -> None:
    try:
        request.take(line)
    except WireError as error:
        raise ImplementationError(
            # The reason first, since lines may be long.
            f"{error.fact}; asked {shown(request.line)}, the process answered {shown(line)}",
            cause=error.cause,
            remedy=error.remedy,
            available=error.available,
        ) from None


def _as_error(failure: Failure, *, cause: str = "") -> ImplementationError:
    """What is wrong with the process itself, and not with the code on trial in it."""
    if isinstance(failure, PipeFailed):
        return ImplementationError(
            str(failure), cause=cause or failure.cause, remedy=failure.remedy
        )
    if cause:
        return ImplementationError(failure.fact, cause=cause, remedy=failure.remedy)
    return failure


def _close(workers: list[Worker]) -> None:
    close_all([worker.pipe for worker in workers])
    workers.clear()
