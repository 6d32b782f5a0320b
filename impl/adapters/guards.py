"""Guards: what reaches out of a step into the world is seen by Python itself, and refused.

Whatever opens a file, a connection, a database or a process is told to audit hooks, by whichever
name and from whichever library it is called. A hook stays for as long as the process lives, and is
called for much else: it does nothing outside of steps. Reading files is allowed: what nobody writes
to in a step reads the same every time, and imports read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

from indelible.impl.adapters.own_loops import loop_begun_by
from indelible.impl.adapters.surroundings import STEPS, current

__all__ = ["REACHES_OUT", "RUNS_BESIDE", "guard"]

RUNS_BESIDE: Final = (
    "what runs beside the step would not be repeatable, and no checker could choose its order",
    "do the work in the step itself, or turn it into events of the node",
)
REACHES_OUT: Final = (
    "the checker is the network and the disk: it decides what arrives, and what survives a crash",
    "let the adapter pass messages to outbox.send, and what is saved to outbox.persist",
)

Arguments = tuple[Any, ...]


def _opened(arguments: Arguments) -> str:
    """A file that is opened to be written to."""
    path, mode, flags = arguments
    if isinstance(path, int):
        return f"open({path}, {mode!r})" if path <= 2 else ""  # Else it was opened before.
    if mode is None:
        return f"os.open({path!r})" if flags & _WRITING else ""
    return f"open({path!r}, {mode!r})" if set(mode) & set("wax+") else ""


def _database(arguments: Arguments) -> str:
    """Of a database in memory nobody else hears."""
    return "" if arguments[0] in (":memory:", "") else f"sqlite3.connect({arguments[0]!r})"


_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_CALLED: Final[dict[str, str | Callable[[Arguments], str]]] = {
    "open": _opened,
    "sqlite3.connect": _database,
    "socket.__new__": "socket.socket",
    **{
        f"os.{name}": f"os.{name}"
        for name in (
            *("chmod", "chown", "link", "mkdir", "remove", "rename", "rmdir", "symlink"),
            *("truncate", "utime", "lockf", "setxattr", "removexattr", "system", "startfile"),
            *("kill", "killpg", "exec"),
        )
    },
    **{
        f"socket.{name}": f"socket.{name}"
        for name in (
            *("bind", "connect", "getaddrinfo", "gethostbyaddr", "gethostbyname"),
            *("getnameinfo", "sendmsg", "sendto", "sethostname"),
        )
    },
}
"""By the event of which an audit hook is told: what was called, or how to find that out."""

_BESIDE: Final = {
    "subprocess.Popen": "subprocess.Popen",
    **{f"os.{name}": f"os.{name}" for name in ("fork", "forkpty", "posix_spawn", "spawn")},
}


def guard() -> None:
    """Refuse, from now on, what steps may not do."""
    global _is_guarded
    if not _is_guarded:
        _is_guarded = True
        sys.addaudithook(_hook)


_is_guarded = False


def _hook(event: str, arguments: Arguments) -> None:
    if STEPS and (event in _CALLED or event in _BESIDE):
        _refuse(event, arguments)


def _refuse(event: str, arguments: Arguments) -> None:
    around = current()
    if around is None or _is_of_an_import(arguments):
        return
    if event in _BESIDE:
        raise around.refuse(_BESIDE[event], *RUNS_BESIDE)
    loop = loop_begun_by(sys._getframe(2)) if event == "socket.__new__" else None
    if loop is not None:
        raise around.refuse(*loop)
    called = _CALLED[event]
    what = called if isinstance(called, str) else called(arguments)
    if what:
        raise around.refuse(what, *REACHES_OUT)


def _is_of_an_import(arguments: Arguments) -> bool:
    """Whether it is about the compiled form of a module, which Python writes when it imports."""
    return any(isinstance(each, str) and "__pycache__" in each for each in arguments)
