"""One process: lines to its stdin, lines from its stdout, and all that may go wrong with that.

Here is everything that blocks, waits or ends a process, and no word of what the lines mean. One
thread serves any number of processes: nothing is written that would block, and stderr is read all
the while, so that a process that does not read, or that logs a lot, cannot stop us. Needs
``poll``, and so a system like Linux or macOS.
"""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from typing import IO, Final, NamedTuple

from indelible.impl.adapters import process_guard
from indelible.impl.adapters.process_text import GOES_ON, ending, log_end, shown, why_ended
from indelible.model.errors import ImplementationError

__all__ = [
    "ANSWER_BYTES_MAX",
    "TIMEOUT_SECONDS",
    "NoAnswer",
    "Pipe",
    "PipeFailed",
    "ProcessDied",
    "Talk",
    "close_all",
    "command_words",
    "converse",
]

TIMEOUT_SECONDS: Final = 10.0
"""How long an answer may take, unless somebody says otherwise."""

ANSWER_BYTES_MAX: Final = 16 * 2**20
"""How long an answer may be, unless somebody says otherwise."""

TO_START: Final = 3
"""How many times as long the first answer may take: before it, the process has to start."""

CHUNK: Final = 1 << 16
LOG_BYTES: Final = 1 << 14
OF_SHELLS: Final = frozenset({"|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>>", "2>&1", "&>"})
"""What no program takes for an argument."""

GRACE_SECONDS: Final = 1.0
"""How long a process that was told to end, or that ended its output, may take to be gone."""


class PipeFailed(Exception):
    """A process cannot be talked to any more, and was ended: the text says why.

    ``request`` is the first line that it did not answer, if there was one.
    """

    def __init__(
        self, fact: str, request: bytes | None, remedy: str = "", *, cause: str = ""
    ) -> None:
        self.request, self.remedy, self.cause = request, remedy, cause
        super().__init__(fact if request is None else f"{fact}; it was asked {shown(request)}")


class ProcessDied(PipeFailed):
    """The process is gone without an answer."""


class NoAnswer(PipeFailed):
    """The process is there, and does not answer in time."""


class Pipe:
    """A process that runs ``command`` in ``folder`` (or else here), until it fails or is closed.

    It is in a session of its own, so that Ctrl-C at a terminal is for us; ``process_guard`` says
    how it ends with us nevertheless. ``timeout`` is in seconds per answer, and more for the first.
    Raises ``ImplementationError`` if it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self._timeout, self._answer_bytes_max = timeout, answer_bytes_max
        self._patience = TO_START * timeout
        self._process = _started(command, folder)
        process_guard.started(self._process.pid)
        self._stdin = _non_blocking(self._process.stdin)
        self._stdout = _non_blocking(self._process.stdout)
        self._stderr = _non_blocking(self._process.stderr)
        self._requests: Sequence[bytes] = ()
        self._outgoing = memoryview(b"")
        self._answers: list[bytes] = []
        self._line: list[bytes] = []
        self._line_bytes = 0  # Of a line that has no end yet.
        self._log = b""
        self._reads_log = True
        self._deadline = 0.0
        self.failure: PipeFailed | None = None

    @property
    def is_busy(self) -> bool:
        """Whether answers are still to come."""
        return self.failure is None and len(self._answers) < len(self._requests)

    @property
    def seconds_left(self) -> float:
        """How long the next answer may still take."""
        return self._deadline - time.monotonic()

    @property
    def log(self) -> str:
        """The last lines that the process wrote to stderr, in one: see ``log_end``."""
        self._read_log()
        return log_end(self._log.decode(errors="replace"))

    def begin(self, requests: Sequence[bytes]) -> None:
        """Start to send ``requests``: lines without an end."""
        self._requests, self._answers = (), []
        if self.failure is None:
            self._read_answers()  # Nothing is asked: there must be nothing to read.
        self._requests = requests
        self._deadline = time.monotonic() + self._patience
        if self.failure is None:
            self._outgoing = memoryview(b"".join([line + b"\n" for line in requests]))
            self._write()

    def end(self) -> list[bytes]:
        """The answers to what was begun; worth nothing if there is a ``failure``."""
        if self.failure is None and self._line_bytes:
            self._fail_by_more()
        return self._answers

    def watch(self, poll: select.poll) -> list[int]:
        """Have ``poll`` look for what can be done here; the descriptors that it then names."""
        wanted = [(self._stdout, select.POLLIN)]
        wanted += [(self._stderr, select.POLLIN)] if self._reads_log else []
        wanted += [(self._stdin, select.POLLOUT)] if self._outgoing else []
        for descriptor, mask in wanted:
            poll.register(descriptor, mask)
        return [descriptor for descriptor, _ in wanted]

    def serve(self, descriptor: int) -> None:
        """Read from, or write to, a descriptor that is ready."""
        if descriptor == self._stdout:
            self._read_answers()
        elif descriptor == self._stderr:
            self._read_log()
        else:
            self._write()

    def check_time(self) -> None:
        """Give the process up if an answer is overdue."""
        if self.is_busy and self.seconds_left <= 0:
            half = b"".join(self._line)
            self._fail(
                NoAnswer(
                    f"no answer within {self._patience:g} s"
                    + (f", only {shown(half)} without a line end" if half else ""),
                    self._requests[len(self._answers)],
                    "end each answer with a line end, and flush stdout after it; where answers do "
                    "take longer, check a module's ProcessAdapter(COMMAND, timeout=SECONDS), as "
                    "module:NAME; 'indelible adapter test' has --timeout",
                    cause="it is busy, waits for something else, or its answer waits in a buffer",
                )
            )

    def close_input(self) -> None:
        """Tell the process to end."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def kill(self, grace: float = 0) -> None:
        """End the process and what it started, unless it ends itself within ``grace`` seconds."""
        self.close_input()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        process_guard.ended(self._process.pid)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._reads_log = False
        self.failure = self.failure or PipeFailed("the process was ended", None)

    def _write(self) -> None:
        try:
            written = os.write(self._stdin, self._outgoing) if self._outgoing else 0
        except BlockingIOError:
            return
        except OSError:
            # It has closed its input, or is gone; its output will tell.
            written = len(self._outgoing)
        self._outgoing = self._outgoing[written:]

    def _read_answers(self) -> None:
        try:
            chunk = os.read(self._stdout, CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._fail_at_end()
            return
        first, *more = chunk.split(b"\n")
        self._line.append(first)
        self._line_bytes += len(first)
        for part in more:
            self._answers.append(b"".join(self._line))
            self._line, self._line_bytes = [part], len(part)
            self._patience = self._timeout
            self._deadline = time.monotonic() + self._patience
        if len(self._answers) + bool(self._line_bytes) > len(self._requests):
            self._fail_by_more()
        elif self._line_bytes > self._answer_bytes_max:
            self._fail(
                PipeFailed(
                    f"an answer of more than {self._answer_bytes_max:,} bytes",
                    self._requests[len(self._answers)],
                    "leave out of it what can be derived, or give ProcessAdapter a larger "
                    "answer_bytes_max",
                )
            )

    def _read_log(self) -> None:
        while self._reads_log:
            try:
                chunk = os.read(self._stderr, CHUNK)
            except BlockingIOError:
                return
            self._reads_log = bool(chunk)
            self._log = (self._log + chunk)[-LOG_BYTES:]

    def _fail_at_end(self) -> None:
        half = b"".join(self._line)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        code = self._process.returncode
        says = f"the process {ending(code)}"
        says += f" after {shown(half)} without a line end" if half else ""
        self._fail(ProcessDied(says, self._first_unanswered(), GOES_ON, cause=why_ended(code)))

    def _fail_by_more(self) -> None:
        surplus = [*self._answers[len(self._requests) :], b"".join(self._line)][0]
        after = f", after {shown(self._answers[len(self._requests) - 1])}" if self._requests else ""
        self._fail(
            PipeFailed(
                f"the process said {shown(surplus)} without being asked{after}",
                None,
                "answer each request with one line; write whatever else there is to say to stderr",
                cause="a line end too many, something that is printed, or a second answer",
            )
        )

    def _first_unanswered(self) -> bytes | None:
        return self._requests[len(self._answers)] if self.is_busy else None

    def _fail(self, failure: PipeFailed) -> None:
        log = self.log
        if log:
            failure.args = (f"{failure}; its log ends: {log}",)
        self.failure = failure
        self.kill()


class Talk(NamedTuple):
    """What to ask a process: each line is answered with one, and none has its line end here."""

    pipe: Pipe
    requests: Sequence[bytes]


def converse(talks: Sequence[Talk]) -> list[list[bytes]]:
    """The answers of each process, all of them asked at once.

    They are worth nothing where ``Pipe.failure`` says that the process has failed. An exception, as
    by Ctrl-C, ends the processes, since nobody would hear their answers.
    """
    try:
        for pipe, requests in talks:
            pipe.begin(requests)
        while busy := [pipe for pipe, _ in talks if pipe.is_busy]:
            _wait(busy)
    except BaseException:
        for pipe, _ in talks:
            pipe.kill()
        raise
    return [pipe.end() for pipe, _ in talks]


def _wait(busy: Sequence[Pipe]) -> None:
    """Wait until something can be read or written, or is overdue; and do it."""
    poll = select.poll()
    owners = {descriptor: pipe for pipe in busy for descriptor in pipe.watch(poll)}
    seconds = max(0.0, min(pipe.seconds_left for pipe in busy))
    for descriptor, _ in poll.poll(ceil(seconds * 1000)):
        if owners[descriptor].failure is None:
            owners[descriptor].serve(descriptor)
    for pipe in busy:
        pipe.check_time()


def close_all(pipes: Sequence[Pipe]) -> None:
    """End processes: they are told to, and all together have some time to do so."""
    for pipe in pipes:
        pipe.close_input()
    last = time.monotonic() + GRACE_SECONDS
    for pipe in pipes:
        pipe.kill(max(0.0, last - time.monotonic()))


def command_words(command: str | Sequence[str]) -> tuple[str, ...]:
    """The words of a command line, as a shell would part them. Raises ``ImplementationError``."""
    try:
        words = tuple(shlex.split(command) if isinstance(command, str) else command)
    except ValueError as error:
        raise ImplementationError(
            f"the command line {command!r} makes no sense: {error}",
            remedy="close each quote that is opened",
        ) from error
    if not words:
        raise ImplementationError(
            "the command line is empty", remedy="name a program, as in: node server.js"
        )
    for word in words:
        if isinstance(command, str) and word in OF_SHELLS:
            raise ImplementationError(
                f"the command line has {word!r}, which means something to a shell only",
                cause="no shell is involved, so the program would get it as an argument",
                remedy=f"leave it out, or have a shell run it: sh -c {shlex.quote(command)}",
            )
    return words


def _started(command: Sequence[str], folder: str | None) -> subprocess.Popen[bytes]:
    if not hasattr(select, "poll"):
        raise ImplementationError(
            "processes cannot be hosted on this system",
            cause="it has no poll(), as Windows has none, and so nobody could wait for several "
            "processes at once",
            remedy="run the check on Linux or macOS, or in the Windows Subsystem for Linux",
        )
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ImplementationError(
            f"{' '.join(command)!r} could not be started: {error}",
            cause="the first word is no program that is found and may be run; no shell is involved",
            remedy="try the command line in a shell, in this folder; write out what a shell would "
            "put in, or start with: sh -c",
        ) from error


def _non_blocking(stream: IO[bytes] | None) -> int:
    assert stream is not None
    os.set_blocking(stream.fileno(), False)
    return stream.fileno()
