"""What is wrong with a trace that is kept: asked of every document of the repository."""

from __future__ import annotations

from pathlib import Path

from indelible.model.errors import IndelibleError
from indelible.replays import renewed_text, replay_text, replayed_document
from indelible.targets import find_target
from indelible.trace_files import read_trace

__all__ = ["problems_of"]


def problems_of(path: Path) -> list[str]:
    """Every way in which the document is not as it should be, with what to do; none if it is.

    It violates its property at its end, and is what would be written now; or it is marked fixed,
    and violates it no more.
    """
    try:
        document = read_trace(path)
        replayed = replayed_document(document, find_target(document.target))
    except IndelibleError as error:
        return [str(error)]
    if not replayed.expected:
        return [f"{path} is not as it is kept\n{replay_text(replayed)}"]
    if renewed_text(replayed).encode("ascii") != path.read_bytes():
        return [f"{path} is not what would be written now\n  remedy: {_renewing(path)}"]
    return []


def _renewing(path: Path) -> str:
    if path.parent.name == "known_bugs":
        return "indelible bugs --save"
    return f"indelible replay {path} --renew"
