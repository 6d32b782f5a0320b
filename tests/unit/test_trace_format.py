"""docs/traces.md tells the truth: its excerpt is real, and no field is missing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from indelible.model.itf_encoder import Encoder
from indelible.model.scope import Scope
from indelible.model.trace_document import PICKS, RECORD_FIELDS, VARIABLES, document_data
from support.commands import run_indelible
from support.documents import evidence_found

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "traces.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def is_part(part: Any, whole: Any) -> bool:
    """Whether everything in ``part`` is in ``whole``, which may have more names."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and is_part(part[name], whole[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        return all(map(is_part, part, whole))
    return type(part) is type(whole) and part == whole


def test_the_excerpt_is_part_of_a_real_document(tmp_path: Path) -> None:
    (excerpt,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine.py").write_text(re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0])
    run_indelible("check", "mine:Hasty", "--save", "-q", folder=tmp_path)
    whole = json.loads((tmp_path / "traces" / "mine-Hasty-agreement.itf.json").read_text())
    assert is_part(json.loads(excerpt), whole)


def test_every_field_is_described() -> None:
    data = document_data(evidence_found("dup_ack_counted", "decided_implies_chosen"))
    about = data["#meta"]["indelible"]
    names = {*data, *data["#meta"], *about, *about["violation"], *about["explanation"]}
    names |= {*about["explanation"]["decisive"], *VARIABLES, *PICKS, *RECORD_FIELDS, "index"}
    names |= {part.name for part in fields(Scope)} | {*about["scope"]}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []


@dataclass(frozen=True)
class Vote:
    slot: int
    ballot: int


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (12, '{"#bigint": "12"}'),
        ((1, "a"), '{"#tup": [{"#bigint": "1"}, "a"]}'),
        (["a"], '["a"]'),
        (frozenset({"a"}), '{"#set": ["a"]}'),
        ({"k": "v"}, '{"#map": [["k", "v"]]}'),
        (None, '{"tag": "None", "value": {"#tup": []}}'),
        (1.5, '{"tag": "float", "value": "1.5"}'),
        (Colour.RED, '{"tag": "Colour", "value": "RED"}'),
    ],
)
def test_values_are_as_the_table_has_them(value: object, data: str) -> None:
    assert json.dumps(Encoder().encode(value)) == data
    assert f"`{data}`" in PAGE


def test_other_values_in_the_table() -> None:
    assert Encoder().encode(b"\x00") == {"tag": "bytes", "value": "00"}
    assert Encoder().encode(Fraction(1, 3)) == {"tag": "Fraction", "value": "1/3"}
    assert [*Encoder().encode(Vote(1, 2))["value"]] == ["slot", "ballot"]
    assert Encoder().encode(object) == {"#unserializable": "<class 'object'>"}


def test_the_options_are_those_there_are() -> None:
    from indelible.trace_commands import minimize, replay, show

    options = [option for command in (show, replay, minimize) for option in command.params]
    known = {name for option in options for name in option.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= known | {"--save"}
