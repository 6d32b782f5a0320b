"""Event loops of its own: code that starts one in a step, where the checker's is the only one.

Python refuses a loop within a loop, and a new loop asks for sockets: neither error says what to do,
and the coroutine that was never begun is complained of whenever it is collected. Here both are told
as what they are, by the frames of the call.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final, NamedTuple

__all__ = ["Refusal", "loop_begun_by", "loop_within"]


class Refusal(NamedTuple):
    """What was called, why it cannot be, and what to do instead."""

    what: str
    cause: str
    remedy: str


_CAUSE: Final = "it starts an event loop of its own, of which no checker could choose the order"
_REMEDY: Final = (
    "await the coroutine in the loop that runs (asyncio.get_running_loop()); host a program of "
    "asyncio with an AsyncioAdapter, and start its coroutine in build()"
)


def loop_begun_by(frame: FrameType | None) -> Refusal | None:
    """What it is that begins a loop, if a frame or one that called it does."""
    frames = [each for each, _ in traceback.walk_stack(frame)]
    made = [each for each in frames if each.f_code.co_name == "_make_self_pipe"]
    for each in made:
        each.f_locals["self"]._closed = True  # It is half made: closing it would fail.
    if not made:
        return None
    return _named(frames) or Refusal("asyncio.new_event_loop()", _CAUSE, _REMEDY)


def loop_within(error: RuntimeError) -> Refusal | None:
    """What it is that would begin a loop, if Python refused that with this error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return _named(frames[-1:])


def _named(frames: Sequence[FrameType]) -> Refusal | None:
    """If ``asyncio.run`` or a ``Runner`` is among the frames. What it was to run is closed."""
    runners: Any = sys.modules.get("asyncio.runners")
    theirs = [frame for frame in frames if runners and frame.f_globals is vars(runners)]
    for frame in theirs:
        for value in frame.f_locals.values():
            if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == "CORO_CREATED":
                value.close()
    if not theirs:
        return None
    is_run = any(frame.f_code is runners.run.__code__ for frame in theirs)
    return Refusal("asyncio.run()" if is_run else "asyncio.Runner()", _CAUSE, _REMEDY)
