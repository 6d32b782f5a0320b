"""The guard: what we have started ends when we do, whatever ends us.

A process that is asleep or busy does not see that its stdin has ended, and nobody can do anything
when he is killed. So a shell is told of every process group that is ours, and waits for the end of
its input, which comes when we are gone: then it kills the groups that are left. One is enough, and
it ends with us.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final, NamedTuple

__all__ = ["ended", "guard_pid", "started"]

_SCRIPT: Final = """
cd /
trap '' INT QUIT TERM HUP
groups=
while read -r word group; do
  case $word in
    started) groups="$groups $group" ;;
    ended)
      left=
      for each in $groups; do [ "$each" = "$group" ] || left="$left $each"; done
      groups=$left ;;
  esac
done
for each in $groups; do kill -KILL "-$each"; done
"""
"""For any POSIX shell: Python would take longer to start than many a check."""

_guards: dict[int, Guard] = {}
"""By whom it guards: a fork knows the guard of its parent, and needs its own."""
_lock: Final = threading.Lock()


class Guard(NamedTuple):
    """The shell, and the descriptor that it listens to."""

    pid: int
    descriptor: int


def started(leader: int) -> None:
    """The process group of this leader is to end with us."""
    _tell(f"started {leader}\n")


def ended(leader: int) -> None:
    """It is there no more, and another may get its number."""
    _tell(f"ended {leader}\n")


def guard_pid() -> int | None:
    """The process that guards, if there is one."""
    guard = _guards.get(os.getpid())
    return guard.pid if guard else None


def _tell(line: str) -> None:
    # Without a guard all goes on, as long as we live to end what we started.
    with _lock, suppress(OSError, NotImplementedError):
        guard = _guards.get(os.getpid()) or _new_guard()
        os.write(guard.descriptor, line.encode())


def _new_guard() -> Guard:
    hears, tells = os.pipe()
    try:
        pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _SCRIPT],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, hears, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,  # Or else Ctrl-C would end it before us.
        )
    finally:
        os.close(hears)
    guard = _guards[os.getpid()] = Guard(pid, tells)
    return guard
