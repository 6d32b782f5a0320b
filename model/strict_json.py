"""JSON as others write it, read strictly: what readers could take for different things is refused.

An object that has a key twice says two things; half a surrogate pair is no text, and can neither be
printed nor written to a file (RFC 8259, sections 4 and 8.2). ``json`` takes both without a word.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from indelible.model.errors import WireError

__all__ = ["Strictness", "loads"]

DIGITS: Final = b"0123456789abcdefABCDEF"
SHAPE_MAX: Final = 1 << 12
SHAPES_MAX: Final = 1 << 12
"""So many shapes of lines are remembered, of at most so many bytes each."""

SURROGATE: Final = re.compile("[\ud800-\udfff]")


def loads(text: str) -> Any:
    """What a text in JSON says. Raises ``ValueError`` where it is no JSON, ``RecursionError`` where
    it is nested too deeply, and ``WireError`` where it can be taken for different things."""
    data = json.loads(text, object_pairs_hook=_object)
    if "\\u" in text:
        _require_text(data)
    return data


class Strictness:
    """Refuses lines of JSON as ``loads`` does, if they are JSON; those that are like others before
    a tenth as slow.

    Lines are alike if they differ in hexadecimal digits only. Then they have the same objects with
    as many keys; and if the keys of one line differ in more than that, so do those of the other.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def knows(self, lines: bytes) -> bool:
        """Whether each of these lines is like one before that was not refused."""
        return self._known.issuperset(lines.translate(None, DIGITS).split(b"\n"))

    def require(self, line: bytes) -> None:
        """Raises ``WireError`` where a line can be taken for different things."""
        if self.knows(line):
            return
        is_alike = b"\\" not in line

        def each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal is_alike
            names = {
                name.encode("utf-8", "surrogatepass").translate(None, DIGITS) for name, _ in pairs
            }
            is_alike = is_alike and len(names) == len(pairs)
            return _object(pairs)

        text = line.decode("utf-8")
        data = json.loads(text, object_pairs_hook=each)
        if "\\u" in text:
            _require_text(data)
        shape = line.translate(None, DIGITS)
        if is_alike and len(shape) <= SHAPE_MAX:
            if len(self._known) >= SHAPES_MAX:
                self._known.clear()
            self._known.add(shape)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in made if names.count(name) > 1)
        raise WireError(
            f"an object has the key {json.dumps(twice)} more than once",
            cause="one of the two values would be lost",
            remedy="write every key once",
        )
    return made


def _require_text(data: Any) -> None:
    """Surrogates that were escaped in pairs are characters by now."""
    half = SURROGATE.search(json.dumps(data, ensure_ascii=False))
    if half:
        raise WireError(
            f"a text has {json.dumps(half.group())}, which is half a character, and no text",
            cause="text was cut in the middle of a character, as emoji have two halves in "
            "JavaScript, Java and C#; or bytes are written as text",
            remedy="cut between characters; write bytes in hex or base64",
        )
