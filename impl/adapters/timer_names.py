"""What a timer of a coroutine is called: by who waits for it, in the words of the program.

The name is that of the function that asked for the time-out, or of the callback where the program
gave one of its own: it holds no address, and no number that grows. Knows no loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Container
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["timer_name", "unused_name"]

_OURS: Final = str(Path(__file__).parent)
_LIBRARY: Final = (str(Path(str(asyncio.__file__)).parent), str(contextlib.__file__))
"""Files whose functions wait on behalf of others."""


def timer_name(callback: Callable[..., Any], frame: FrameType, otherwise: str | None) -> str:
    """The name for a timer that will call ``callback``, asked for from ``frame``.

    ``otherwise`` is the name where no function of the program has a part in it.
    """
    own = _unwrapped(callback)
    code = getattr(own, "__code__", None)
    if code is not None and not _is_in(code, _LIBRARY):
        return _plain(own.__qualname__)
    caller: FrameType | None = frame
    while caller is not None and _is_in(caller.f_code, _LIBRARY):
        caller = caller.f_back
    if caller is not None and not _is_in(caller.f_code, (_OURS,)):
        return _plain(caller.f_code.co_qualname)
    return _plain(otherwise or str(getattr(own, "__qualname__", type(own).__name__)))


def unused_name(name: str, used: Container[str]) -> str:
    """The name, or the first of ``name#2``, ``name#3``, … that is not in use."""
    number, numbered = 1, name
    while numbered in used:
        number += 1
        numbered = f"{name}#{number}"
    return numbered


def _unwrapped(callback: Any) -> Any:
    while True:
        if isinstance(callback, functools.partial):
            callback = callback.func
        elif hasattr(callback, "__func__"):
            callback = callback.__func__
        else:
            return callback


def _is_in(code: CodeType, places: tuple[str, ...]) -> bool:
    return code.co_filename.startswith(places)


def _plain(name: str) -> str:
    return name.replace("<locals>.", "")
