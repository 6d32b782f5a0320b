"""Commands in processes of their own that are born with everything loaded.

A process that imports numba and loads the kernels takes a second before it does anything. Here
that is done once, by a server (``command_server.py``), and each command runs in a fork of it: with
its own modules, folder, environment and exit code. What a command loads and when, and how it begins
and ends as a program, is tested elsewhere, with real ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["run_indelible"]

SERVER = Path(__file__).with_name("command_server.py")


def run_indelible(
    *words: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What ``indelible`` with these words does in ``folder``; ``environment`` is what is added."""
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        stdout, stderr = Path(place, "stdout"), Path(place, "stderr")
        asked = {
            "words": words,
            "folder": str(folder),
            "environment": {**os.environ, **(environment or {})},
            "stdout": str(stdout),
            "stderr": str(stderr),
        }
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the server of commands has ended"
        printed = [file.read_text(encoding="utf-8") for file in (stdout, stderr)]
    return subprocess.CompletedProcess(["indelible", *words], int(answer), *printed)


@cache
def _server() -> subprocess.Popen[str]:
    """One for each process that runs tests; it ends when its input does."""
    return subprocess.Popen(
        [sys.executable, "-P", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
