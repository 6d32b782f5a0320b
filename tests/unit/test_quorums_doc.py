"""docs/quorums.md tells the truth: its snippets run, in order, and print what it shows."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
from pathlib import Path

from indelible.quorum_config import KINDS, quorums_from_tables

DOC = (Path(__file__).parents[2] / "docs" / "quorums.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)


def test_the_snippets_print_what_is_shown() -> None:
    """A block of Python is followed by what it prints, if it prints anything."""
    names: dict[str, object] = {"__name__": "snippets"}
    compared = 0
    for (kind, text), (next_kind, shown) in zip(BLOCKS, [*BLOCKS[1:], ("end", "")], strict=True):
        if kind != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "docs/quorums.md", "exec"), names)
        assert printed.getvalue() == (shown if next_kind == "" else "")
        compared += next_kind == ""
    assert compared == len([kind for kind, _ in BLOCKS if kind == ""]) == 5


def test_every_kind_of_system_is_shown() -> None:
    (text,) = [text for kind, text in BLOCKS if kind == "toml"]
    tables = tomllib.loads(text)["tool"]["indelible"]["quorums"]
    assert len(quorums_from_tables(tables)) == len(tables)
    assert {table["kind"] for table in tables.values()} == {*KINDS}
