"""``docs/check-your-own.md``: whoever follows it gets what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.guide import Section, follow, sections

PAGE = (Path(__file__).parents[2] / "docs" / "check-your-own.md").read_text(encoding="utf-8")
SECTIONS = [section for section in sections(PAGE) if section.commands]


def test_every_kind_has_a_first_verdict_and_a_bug_that_is_corrected() -> None:
    for kind in ("Functions", "Objects", "Programs of asyncio", "Processes in any language"):
        (section,) = [section for section in SECTIONS if section.title == kind]
        outcomes = [shown.lines[0].partition(":")[0] for shown in section.commands]
        assert outcomes[0] == "violated"
        assert outcomes[-1] == "holds"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_a_section_can_be_followed(section: Section, tmp_path: Path) -> None:
    assert follow(section, tmp_path) == []


def test_what_is_shown_wrongly_is_noticed(tmp_path: Path) -> None:
    functions = SECTIONS[0]
    assert "violated: agreement" in functions.blocks[1][1]
    wrong = [(kind, text.replace("agreement", "harmony")) for kind, text in functions.blocks[:2]]
    assert follow(Section("wrong", tuple(wrong), ()), tmp_path) != []


def test_a_bug_that_is_not_corrected_is_noticed(tmp_path: Path) -> None:
    """By the last command, which is run when all is said to be corrected."""
    functions = SECTIONS[0]
    files = tuple(block for block in functions.blocks if block[0] not in ("diff", ""))
    assert functions.blocks[-1][0] == ""
    assert follow(Section("kept", (*files, functions.blocks[-1]), ()), tmp_path) != []
