"""The files of an audit: opened as often as they are read, whatever they are.

What cannot be read twice, such as a pipe, is kept in a temporary file while it is read.
"""

from __future__ import annotations

import gzip
import os
import select
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, Final, cast

from indelible.model.errors import IndelibleError

__all__ = ["STDIN", "LogFiles", "opened_logs"]

STDIN: Final = "-"
PATIENCE: Final = 0.2
"""So many seconds a pipe may be silent, before somebody is asked whether to go on."""

GZIP_MAGIC: Final = b"\x1f\x8b"


class LogFiles:
    """Named logs that can be read from their beginning, any number of times."""

    def __init__(self, names: tuple[str, ...], files: tuple[BinaryIO, ...]) -> None:
        self.names = names
        self._files = files

    def from_start(self) -> tuple[BinaryIO, ...]:
        """Every file at its beginning, decompressed if it is compressed."""
        return tuple(_rewound(file) for file in self._files)


@contextmanager
def opened_logs(
    names: tuple[str, ...], interrupted: Callable[[], bool] = lambda: False
) -> Iterator[LogFiles]:
    """The files of these names; ``-`` is stdin. Raises ``IndelibleError`` if there is none.

    ``interrupted`` is asked while a pipe has nothing to say: it ends there, if so.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise IndelibleError(f"{twice} is named twice", remedy="name each log once")
    with ExitStack() as stack:
        files = tuple([_opened(name, stack, interrupted) for name in names])
        shown = tuple(["stdin" if name == STDIN else name for name in names])
        yield LogFiles(shown, files)


def _opened(name: str, stack: ExitStack, interrupted: Callable[[], bool]) -> BinaryIO:
    if name == STDIN:
        if sys.stdin is None:  # To Python, a stream that was closed before it began is none.
            raise IndelibleError(
                "stdin is closed",
                cause="whoever started indelible gave it no stdin",
                remedy="pipe a log into it, or name a file",
            )
        return stack.enter_context(_Kept(sys.stdin.buffer, interrupted))
    try:
        file = stack.enter_context(open(name, "rb"))  # noqa: SIM115
    except OSError as error:
        raise IndelibleError(
            f"{name} cannot be read: {error.strerror or error}", remedy="name a recorded log"
        ) from None
    return file if file.seekable() else stack.enter_context(_Kept(file, interrupted))


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    is_compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=file)) if is_compressed else file


class _Kept:
    """What comes from a pipe, kept as it is read, so that it can be read again."""

    def __init__(self, pipe: BinaryIO, interrupted: Callable[[], bool]) -> None:
        self._pipe = pipe
        self._interrupted = interrupted
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115  # It lives as long as this does.

    def __enter__(self) -> BinaryIO:
        return cast("BinaryIO", self)

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._kept.seek(offset, whence)

    def tell(self) -> int:
        return self._kept.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """What was kept; after that, what comes."""
        found = self._kept.read(size)
        if found:
            return found
        fresh = self._fresh(size)
        self._kept.write(fresh)
        return fresh

    def _fresh(self, size: int) -> bytes:
        try:
            descriptor = self._pipe.fileno()
        except OSError:  # Nothing of the system: a test, for instance.
            return self._pipe.read(size)
        while not select.select([descriptor], [], [], PATIENCE)[0]:
            if self._interrupted():
                return b""
        return os.read(descriptor, size)
