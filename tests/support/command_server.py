"""The process behind ``support.commands``: everything is loaded once, and each command is a fork.

It reads a JSON object a line: the words of a command, the folder, the environment, and the files
for what is printed. It answers with the exit code. It has one thread, so that forks are sound, and
ends with whoever asks it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any

import indelible.cli
from indelible.checkers.explorer import search  # noqa: F401
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.scope import Scope


def load() -> None:
    """Import what commands import late, and load the kernels, compiled if they were not yet."""
    bug = KNOWN_BUGS["no_dedupe"]
    indelible.explore(bug.implementation, bug.scope)
    indelible.explore(bug.implementation, Scope(nodes=9), limits=indelible.Limits(states_max=1))
    gc.collect()
    gc.freeze()


def run(asked: dict[str, Any]) -> None:
    """In the fork: be the process that was asked for, and end as it would."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    for stream in ("stdout", "stderr"):
        os.dup2(os.open(asked[stream], flags), getattr(sys, stream).fileno())
    sys.argv = ["indelible", *asked["words"]]
    indelible.cli.main(prog_name="indelible")


def serve() -> None:
    """Until nothing more can be asked."""
    load()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
