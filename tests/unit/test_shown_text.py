"""What is shown steers no terminal, and reads as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from indelible.model.errors import ImplementationError
from indelible.model.plain import Boolean, Fields
from indelible.render.values import changes, parts_of
from indelible.targets import find_target
from indelible.terminal import shown


@pytest.mark.parametrize(
    ("letter", "written"),
    [("\x1b", "\\x1b"), ("\u202e", "\\u202e"), ("\u2066", "\\u2066"), ("\u200f", "\\u200f")],
)
def test_letters_that_steer_or_turn_around_are_written_out(letter: str, written: str) -> None:
    assert shown(f"a{letter}b\n", "utf-8") == f"a{written}b\n"


def test_parts_are_called_the_same_wherever_they_are_shown() -> None:
    before, after = Fields({"log": 1, "a b": 1}), Fields({"log": 2, "a b": 2})
    names = {name for name, _ in parts_of(after)}
    assert names == {change.path for change in changes(before, after)} == {"log", "['a b']"}


def test_a_boolean_is_shown_as_one() -> None:
    assert (repr(Boolean(True)), repr((Boolean(False),))) == ("True", "(False,)")


@pytest.mark.parametrize(
    ("name", "command"),
    [("server.js", "'node server.js'"), ("node server.js", "'node server.js'"), ("own", "own")],
)
def test_what_no_python_is_may_be_a_process(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").write_text("")
    with pytest.raises(ImplementationError) as error:
        find_target(name)
    assert error.value.remedy == f"for a process that speaks the protocol: --exec {command}"


def test_what_is_no_file_is_no_process() -> None:
    with pytest.raises(ImplementationError) as error:
        find_target("paxoss")
    assert "--exec" not in error.value.remedy
