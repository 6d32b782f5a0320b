"""Files that are no trace documents, or not as they were written: each is a ``TraceError``.

The error names what is wrong, where, why, and what to do; nothing is read as what it does not say,
and whatever is read can be shown.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.model.errors import TraceError
from indelible.model.trace_document import document_text
from indelible.model.trace_reader import parse_document
from indelible.render.html import render_html
from indelible.render.mermaid import render_mermaid
from indelible.render.shiviz import render_shiviz
from indelible.render.text import render_document
from indelible.trace_files import read_trace
from support.documents import evidence_found

NAME = "kept.itf.json"
PLAIN = document_text(evidence_found("support.odd_targets:Plain"))
DATA = json.loads(PLAIN)

OTHERS: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 1.0, 10**30, "", "x", "\ud800", [], {}, [[]], {"x": 1},
    {"#bigint": "0"}, {"#bigint": "-3"}, {"#tup": []}, {"#tup": [[]]}, {"#map": []}, {"#set": []},
    {"tag": "None", "value": {"#tup": []}}, {"tag": "Some", "value": {"#bigint": "1"}},
    {"tag": "Decide", "value": {"slot": {"#bigint": "0"}, "value": []}}, {"#unserializable": "?"},
)  # fmt: skip


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every part of the data is."""
    yield path
    inner = data.items() if isinstance(data, dict) else ()
    for key, part in enumerate(data) if isinstance(data, list) else inner:
        yield from paths(part, (*path, key))


def changed(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> str:
    """The text of the data with a change at the end of ``path``: to a container, at a key."""
    data = copy.deepcopy(DATA)
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return json.dumps(data)


def delete(holder: Any, key: Any) -> None:
    del holder[key]


def double(holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.insert(key, holder[key])
    else:
        holder[f"{key}_"] = holder[key]


def replace_by(other: Any) -> Callable[[Any, Any], None]:
    def change(holder: Any, key: Any) -> None:
        holder[key] = other

    return change


def judged(text: str) -> TraceError | None:
    """The error that the text is refused with; whatever is accepted is as it says."""
    try:
        reading = parse_document(text, NAME).read()
    except TraceError as refused:
        error = refused
    else:
        written = json.loads(document_text(reading.evidence))
        assert json.dumps(written, sort_keys=True) == json.dumps(json.loads(text), sort_keys=True)
        for render in (render_document, render_mermaid, render_shiviz, render_html):
            render(reading.evidence)
        return None
    assert error.fact.startswith(NAME), error
    assert error.cause, error
    assert error.remedy, error
    return error


PATHS = list(paths(DATA))[1:]


def test_the_document_itself_is_accepted() -> None:
    assert judged(PLAIN) is None
    assert len(PATHS) > 200


@pytest.mark.parametrize("change", [delete, double])
def test_a_part_that_is_missing_or_there_twice(change: Callable[[Any, Any], None]) -> None:
    for path in PATHS:
        accepted = judged(changed(path, change)) is None
        # How it was found may be anything, and some lists are as long as they are.
        assert not accepted or path[2:3] == ("found",) or isinstance(path[-1], int), path


@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_a_part_that_is_something_else(other: Any) -> None:
    for path in PATHS:
        judged(changed(path, replace_by(other)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dup_ack_counted", "accept_revealed_before_saved"])
def test_a_larger_document_with_a_part_that_is_something_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.loads(document_text(evidence_found(name, KNOWN_BUGS[name].property)))
    monkeypatch.setitem(globals(), "DATA", data)
    # One in so many, and so many that it is another place in each step.
    for index, path in enumerate(list(paths(data))[1::23]):
        judged(changed(path, delete))
        judged(changed(path, replace_by(OTHERS[index % len(OTHERS)])))


def test_every_type_at_the_places_that_matter_is_refused() -> None:
    about = ("#meta", "indelible")
    for path in [
        ("#meta",), about, (*about, "scope"), (*about, "types"), (*about, "explanation"),
        (*about, "violation"), ("vars",), ("states",), ("states", 1), ("states", 1, "cause"),
        ("states", 1, "mbt::nondetPicks"), ("states", 1, "effects"), ("states", 1, "records"),
    ]:  # fmt: skip
        for other in OTHERS:
            if (path, other) in [(("states", 1, "cause"), OTHERS[-4]), (("states",), [])]:
                continue  # No cause is what is written there.
            assert judged(changed(path, replace_by(other))) is not None, (path, other)


def test_text_that_is_cut_off() -> None:
    end = len(PLAIN.rstrip())
    for length in [*range(1, 60), *range(61, end, 41), *range(end - 60, end)]:
        error = judged(PLAIN[:length])
        assert error is not None
        assert error.cause == "it is cut off", (length, error)
        assert "in line " in error.fact
        assert ", column " in error.fact


APALACHE = {
    "#meta": {
        "format": "ITF", "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "varTypes": {"x": "Int"}, "description": "Created by Apalache on Mon Jan 01 2024",
    },
    "vars": ["x"],
    "states": [{"#meta": {"index": 0}, "x": {"#bigint": "0"}}, {"#meta": {"index": 1}, "x": 1}],
}  # fmt: skip
QUINT = {
    "#meta": {
        "format": "ITF", "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": "bank.qnt", "status": "violation", "timestamp": 1,
    },
    "vars": ["mbt::actionTaken", "mbt::nondetPicks", "x"],
    "states": [{
        "#meta": {"index": 0}, "mbt::actionTaken": "init",
        "mbt::nondetPicks": {"n": {"tag": "None", "value": {"#tup": []}}}, "x": {"#bigint": "0"},
    }],
}  # fmt: skip

NOT_OURS = "is a trace in ITF, but not one of indelible: it has no '#meta.indelible'"
NO_TRACE = "is no trace: it has neither '#meta.indelible' nor 'states'"


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (APALACHE, NOT_OURS),
        (QUINT, NOT_OURS),
        ({"vars": ["x"], "states": []}, NOT_OURS),
        ({"#meta": {"indelible": 1}, "states": []}, NOT_OURS),
        ({"#meta": []}, NO_TRACE),
        ({"#meta": {}}, NO_TRACE),
        ({}, NO_TRACE),
        ([], NO_TRACE),
        ([DATA], NO_TRACE),
        (1, NO_TRACE),
        ("states", NO_TRACE),
        (None, NO_TRACE),
    ],
    ids=range(12),
)
def test_other_json_and_traces_of_other_tools(data: Any, fact: str) -> None:
    error = judged(json.dumps(data))
    assert error is not None
    assert error.fact == f"{NAME} {fact}"
    assert "indelible check --save" in error.remedy


def of_version(version: object) -> TraceError:
    error = judged(changed(("#meta", "indelible", "version"), replace_by(version)))
    assert error is not None
    return error


@pytest.mark.parametrize("version", [2, 3, 10**9])
def test_a_later_version_says_what_to_install(version: int) -> None:
    error = of_version(version)
    assert error.fact == f"{NAME} is of version {version} of the format"
    assert "pip install --upgrade indelible" in error.remedy
    assert error.available == "version 1"


@pytest.mark.parametrize("version", [True, "1", 0, -1, None, 1.0, [1], {}])
def test_what_is_no_version_is_damage(version: object) -> None:
    assert of_version(version).fact.startswith(f"{NAME}: #meta.indelible.version is ")


def test_a_later_version_may_have_changed_anything() -> None:
    error = judged(json.dumps({"#meta": {"indelible": {"version": 2}}}))
    assert error is not None
    assert "version 2" in error.fact


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("\ufeff" + PLAIN, "is no JSON: Unexpected UTF-8 BOM"),
        ("{'a': 1}", "is no JSON: Expecting property name"),
        ("hello", "is no JSON: Expecting value in line 1, column 1"),
        (f"{PLAIN}x", "is no JSON: Extra data"),
        (PLAIN.replace('"depth": 2', '"depth": NaN'), "NaN is no number in JSON"),
        (PLAIN.replace('"depth": 2', '"depth": -Infinity'), "-Infinity is no number in JSON"),
        (PLAIN.replace('"depth": 2', '"depth": 1e999'), "1e999 is more than a number can be"),
        (PLAIN.replace('"depth": 2', f'"depth": 1{"0" * 5000}'), "a number in it has 5001 digits"),
        (PLAIN.replace('"#bigint": "1"', f'"#bigint": "1{"0" * 5000}"'), "is no whole number"),
        (PLAIN.replace('"fixed": false', '"fixed": false, "fixed": true'), "has 'fixed' twice"),
        ("[" * 100_000, "nested more than 64 deep"),
        (PLAIN.replace('"a"', "[" * 300 + "]" * 300, 1), "nested more than 64 deep"),
        (PLAIN.replace('"depth": 2', '"depth": ' + "[" * 980 + "]" * 980), "nested"),
    ],
    ids=range(15),
)
def test_text_that_is_no_document(text: str, says: str) -> None:
    error = judged(text)
    assert error is not None
    assert says in error.fact


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PLAIN.encode("utf-16"), "is no text in UTF-8: byte 0 is not"),
        (b"\x7fELF\x02\x01\xff", "is no text in UTF-8: byte 6 is not"),
        (PLAIN.encode()[:-9] + b"\xe2\x82", "is no text in UTF-8"),
        (bytes(64), "is no JSON"),
        (PLAIN.encode("utf-8-sig"), "is no JSON: Unexpected UTF-8 BOM"),
    ],
    ids=range(5),
)
def test_file_that_is_no_text(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(TraceError) as raised:
        read_trace(path)
    assert raised.value.fact.startswith(f"{path} ")
    assert says in raised.value.fact
    assert raised.value.remedy


def test_layout_and_the_order_of_names_are_free() -> None:
    for text in (
        json.dumps(DATA),
        json.dumps(dict(reversed(DATA.items())), indent=7, ensure_ascii=False),
        f"\r\n{PLAIN}\n".replace("\n", "\r\n"),
    ):
        assert document_text(parse_document(text, NAME).read().evidence) == PLAIN


@pytest.mark.parametrize(
    ("path", "other", "fact"),
    [
        (("states", 1, "cause"), {"#bigint": "0"}, "states[1].cause must be there where"),
        (("states", 2, "mbt::actionTaken"), "Restart", "states[2] does 'Restart' with command"),
        (("states", 1, "lost"), DATA["states"][1]["effects"]["#map"][0][1], "states[1].lost has"),
        (
            ("#meta", "indelible", "violation", "nodes"),
            {"#bigint": "0"},
            '#meta.indelible.violation.nodes is not of type tuple, but {"#bigint": "0"}',
        ),
        (
            ("#meta", "indelible", "scope", "nodes"),
            1,
            "#meta.indelible.scope.nodes is 1, which from the rest must be [0]",
        ),
        (
            ("#meta", "description"),
            "all is well",
            '#meta.description is "all is well", which from the rest must be "slot 0: ',
        ),
    ],
    ids=range(6),
)
def test_the_error_says_where(path: tuple[Any, ...], other: Any, fact: str) -> None:
    error = judged(changed(path, replace_by(other)))
    assert error is not None
    assert error.fact.startswith(f"{NAME}: {fact}")


def test_a_state_of_another_node_does_not_change_by_itself() -> None:
    data = json.loads(document_text(evidence_found("dup_ack_counted", "decided_implies_chosen")))
    last = data["states"][-1]["states"]["#map"]
    assert last[3][0] == {"#bigint": "3"}
    last[3][1]["value"]["promised"] = last[0][1]["value"]["promised"]
    error = judged(json.dumps(data))
    assert error is not None
    assert error.fact.startswith(f"{NAME}: states[9].states.#map[3][1].value.promised")


ODD_SENDS = (
    ({"to": {"#bigint": "9"}, "message": "a"}, "sends to 9, which is not a node of the scope"),
    ({"to": [], "message": "a"}, "has what cannot be there"),
    ({"to": {"#bigint": "0"}, "message": ["a"]}, "has what cannot be there"),
)


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(("send", "says"), ODD_SENDS, ids=range(3))
def test_what_no_implementation_could_have_sent(send: Any, says: str, step: int) -> None:
    data = copy.deepcopy(DATA)
    data["#meta"]["indelible"]["types"]["Send"] = "dataclass indelible.model.effects:Send"
    data["states"][step]["effects"]["#map"][0][1]["#tup"].append({"tag": "Send", "value": send})
    error = judged(json.dumps(data))
    assert error is not None
    assert error.fact.startswith(f"{NAME}: states[{step}]")
    assert says in error.fact
    effects = data["states"][step]["effects"]["#map"][0][1]["#tup"]
    effects[-1] = {"tag": "Send", "value": {"to": {"#bigint": "0"}, "message": "a"}}
    assert judged(json.dumps(data)) is None


@pytest.mark.parametrize(
    "path", ["antigravity:X", "os:_wrap_close", "subprocess:Popen", "builtins:object", "gone:X"]
)
def test_a_document_names_classes_and_none_is_imported_or_called(path: str) -> None:
    import sys

    text = PLAIN.replace("dataclass indelible.model.effects:Decide", f"dataclass {path}")
    before = set(sys.modules)
    error = judged(text)
    assert error is not None
    assert "has effects that are none of the contract's" in error.fact
    assert set(sys.modules) == before
