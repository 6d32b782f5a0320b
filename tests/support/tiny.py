"""The tiny server as an implementation, and where its script is."""

from __future__ import annotations

import sys
from pathlib import Path

from indelible import Scope
from indelible.adapters import ProcessAdapter

SCRIPT = Path(__file__).with_name("tiny_server.py")

BOOM = Scope(nodes=2, commands=("boom",), timeouts_max=0)
"""Where the tiny server is told to do wrong, if it is."""


def command(*words):
    """The command line of the tiny server, as words."""
    return (sys.executable, "-I", "-S", str(SCRIPT), *words)


def tiny(*words, **options):
    """The tiny server, told ``words``."""
    return ProcessAdapter(command(*words), **options)
