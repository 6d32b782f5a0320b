"""The protocol's page, its JSON Schema and our readers say the same."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.validators import extend

from indelible.impl.adapters.process_wire import (
    CAPABILITIES,
    hello_from,
    init_line,
    nothing_from,
    snapshot_from,
    snapshot_line,
    step_from,
    step_line,
)
from indelible.model.effects import EFFECT_TYPES
from indelible.model.errors import WireError
from indelible.model.events import Receive
from indelible.model.node_json import effects_from_json, event_from_json
from indelible.model.plain import Fields
from indelible.model.scope import LINKS, Scope

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "process-protocol.md").read_text(encoding="utf-8")
SKELETON = ROOT / "indelible" / "skeletons" / "process.py"
SCHEMA = json.loads(
    files("indelible.impl.adapters").joinpath("process-protocol.schema.json").read_text("utf-8")
)


def is_whole(_: TypeChecker, value: object) -> bool:
    """As the page says: 1.0 is no whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


VALIDATOR = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", is_whole),
)


def accepts(kind: str, data: object) -> bool:
    """Whether the schema takes ``data`` for one of that kind."""
    schema = {"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    return bool(VALIDATOR(schema).is_valid(data))


def reads(reader: Callable[[Any], object], data: object) -> bool:
    """Whether one of our readers does."""
    try:
        reader(data)
    except WireError:
        return False
    return True


def fenced(language: str) -> list[str]:
    """The lines of the page's only block in that language."""
    (block,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)
    return block.splitlines()


def session() -> list[tuple[Any, Any]]:
    lines = fenced("session")
    asked = [json.loads(line.removeprefix("-> ")) for line in lines[::2]]
    return list(
        zip(asked, (json.loads(line.removeprefix("<- ")) for line in lines[1::2]), strict=True)
    )


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_session_of_the_page_is_what_the_skeleton_answers() -> None:
    asked = "".join(json.dumps(request) + "\n" for request, _ in session())
    ran = subprocess.run(
        [sys.executable, str(SKELETON)], input=asked, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [line.removeprefix("<- ") for line in fenced("session")[1::2]]


def test_the_session_of_the_page_keeps_to_the_schema() -> None:
    kinds = {"init": "step", "restore": "done", "forget": "done"}
    for request, answer in session():
        name = request["request"]
        if "error" in answer:
            assert accepts("answer_error", answer)
            continue
        assert accepts("request", request)
        assert accepts(f"request_{name}", request)
        assert accepts(f"answer_{kinds.get(name, name)}", answer)
        assert VALIDATOR(SCHEMA).is_valid(answer)


def test_the_records_of_the_page_keep_to_the_schema() -> None:
    records = [json.loads(line) for line in fenced("records")]
    assert len(records) == 4
    for record in records:
        assert accepts("record", record)
        assert reads(effects_from_json, record["effects"])
        assert record["event"]["type"] == "start" or reads(event_from_json, record["event"])
        assert not accepts("record", {**record, "event": {"type": "step"}})
        assert not accepts("record", {**record, "time": "noon"})


def test_only_records_install_snapshots() -> None:
    install = {"type": "install", "index": 2}
    record = {"node": 0, "event": {"type": "restart"}, "effects": [install]}
    assert accepts("record", record)
    assert not accepts("record", {**record, "effects": [{**install, "index": -1}]})
    assert not accepts("effect", install)
    assert not reads(effects_from_json, [install])


def test_the_page_names_all_there_is() -> None:
    names = set(re.findall(r"(?m)^\| `(\w+)`", PAGE))
    assert {f["properties"]["request"]["const"] for f in definitions("request_")} <= names
    effects = {f["properties"]["type"]["const"] for f in definitions("effect_")}
    assert len(effects) == len(EFFECT_TYPES)
    assert effects <= names
    for name in CAPABILITIES:
        assert f"`{name}`" in PAGE


def definitions(prefix: str) -> list[Any]:
    return [value for name, value in SCHEMA["$defs"].items() if name.startswith(prefix)]


def test_what_we_ask_keeps_to_the_schema() -> None:
    message = Fields({"type": "entry", "slot": 0, "votes": (1, 2.5, None)})
    lines = [
        init_line(0, (0, 1), None),
        init_line("n1", ("n0", "n1"), message),
        step_line(0, Receive(1, message)),
        snapshot_line("snapshot", 0),
        snapshot_line("restore", 0, b"[1]"),
        snapshot_line("forget", "n1", b"7"),
    ]
    for line in lines:
        assert accepts("request", json.loads(line)), line
        assert not accepts("request", {**json.loads(line), "also": 1})


# --- the schema refuses what our readers refuse, and nothing else ---------------------------------

texts = st.text(max_size=3)
numbers = st.integers(-1, 3) | st.sampled_from([0.5, 1.0, -2.0])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def sound(kind: str) -> st.SearchStrategy[Any]:
    """Objects that have what the schema's definition names, with values that may not fit."""
    definition = SCHEMA["$defs"][kind]
    fields = {
        name: st.just(says["const"]) if isinstance(says, dict) and "const" in says else part(name)
        for name, says in definition["properties"].items()
    }
    required = {name: fields.pop(name) for name in definition["required"]}
    return st.fixed_dictionaries(required, optional=fields)


def part(name: str) -> st.SearchStrategy[Any]:
    if name == "after":
        return st.lists(numbers, min_size=2, max_size=2) | values
    if name in ("to", "source", "slot", "index", "kept"):
        return numbers | values
    if name == "event":
        return st.deferred(lambda: events)
    if name == "effects":
        return st.lists(st.deferred(lambda: effects), max_size=2)
    if name == "capabilities":
        return st.lists(st.sampled_from((*CAPABILITIES, "flying")), max_size=3) | values
    if name == "links":
        return st.sampled_from(LINKS) | values
    if name == "scope":
        return st.none() | st.just({"node": 2}) | values | scopes()
    return values


def scopes() -> st.SearchStrategy[Any]:
    """Scopes whose fields may not fit, nor go together."""
    nodes = st.lists(st.sampled_from([0, 1, 1.0, "x", True]), max_size=3)
    likely = {
        "nodes": nodes | st.sampled_from([2, 3, 64, 65, 3.0]),
        "commands": st.lists(st.sampled_from(["a", "b", 1, 1.0, True, None, {"x": 1}, {"x": 1.0}])),
        "may_submit": nodes | st.dictionaries(st.sampled_from(["a", "b"]), nodes | values),
        "timeouts_max": st.dictionaries(texts, numbers | st.none()),
        "may_time_out": nodes,
        "links": st.sampled_from(LINKS),
    }
    fields = SCHEMA["$defs"]["scope"]["properties"]
    return st.fixed_dictionaries(
        {}, optional={name: likely.get(name, values) | values for name in fields}
    )


@st.composite
def damaged(draw: st.DrawFn, sources: st.SearchStrategy[Any]) -> Any:
    """Something sound, to which perhaps one thing was done."""
    data = copy.deepcopy(draw(sources))
    slip = draw(st.sampled_from(["none", "none", "drop", "add", "replace", "other"]))
    if slip == "other":
        return draw(values)
    if not isinstance(data, dict):
        return data
    if slip == "add":
        return {**data, draw(texts | st.sampled_from(["after", "type", "error"])): draw(values)}
    if slip in ("drop", "replace") and data:
        name = draw(st.sampled_from(sorted(data)))
        if slip == "drop":
            del data[name]
        else:
            data[name] = draw(values)
    return data


def of_all(prefix: str) -> st.SearchStrategy[Any]:
    names = [name for name in SCHEMA["$defs"] if name.startswith(prefix) and name != "event_start"]
    return damaged(st.one_of([sound(name) for name in names]))


events, effects = of_all("event_"), of_all("effect_")
answers = damaged(st.one_of(sound("answer_step"), sound("answer_error")))


@given(events)
def test_events_are_read_as_the_schema_says(data: object) -> None:
    assert accepts("event", data) == reads(event_from_json, data)


@given(st.lists(effects, max_size=3) | values)
def test_effects_are_read_as_the_schema_says(data: object) -> None:
    assert accepts("effects", data) == reads(effects_from_json, data)


def line_of(data: object) -> bytes:
    return json.dumps(data).encode()


def step_reader(data: object) -> object:
    has = isinstance(data, dict) and "fingerprint" in data
    return step_from(line_of(data), fingerprint=has)


@given(answers)
def test_answers_to_steps_are_read_as_the_schema_says(data: object) -> None:
    known = accepts("answer_step", data) or accepts("answer_error", data)
    assert known == reads(step_reader, data)


@given(damaged(sound("answer_hello")))
def test_answers_to_hello_are_read_as_the_schema_says(data: object) -> None:
    assert_read_as_the_schema_says(data)


@given(st.fixed_dictionaries({"protocol": st.just(1), "scope": scopes()}))
def test_scopes_are_read_as_the_schema_says(data: object) -> None:
    assert_read_as_the_schema_says(data)


def assert_read_as_the_schema_says(data: object) -> None:
    """But for names in a scope that are none of its own: no JSON Schema can say that."""
    refused = ""
    try:
        hello_from(line_of(data))
    except WireError as error:
        refused = error.fact
    if " of the scope" not in refused:
        assert accepts("answer_hello", data) == (not refused)


SCOPES: list[tuple[dict[str, Any], Any]] = [
    ({"nodes": 64}, tuple(range(64))),
    ({"nodes": ["x", 1]}, ("x", 1)),
    ({"commands": []}, ()),
    ({"commands": ["a", 1, True, 1.5, [True], {"op": None}]}, None),
    ({"submissions_max": None}, None),
    ({"submissions_max": 0}, 0),
    ({"may_submit": None}, None),
    ({"may_submit": []}, ()),
    ({"may_submit": [0, 2]}, (0, 2)),
    ({"may_submit": {"a": [1]}}, {"a": (1,)}),
    ({"may_submit": {}}, {}),
    ({"timeouts_max": None}, None),
    ({"timeouts_max": 2}, 2),
    ({"timeouts_max": {"t": None, "u": 1}}, {"t": None, "u": 1}),
    ({"may_time_out": None}, None),
    ({"may_time_out": [1]}, (1,)),
    ({"restarts_max": None}, None),
    ({"restarts_max": 3}, 3),
    ({"torn": False}, False),
    ({"torn": True, "restarts_max": 1}, True),
    ({"torn": True, "restarts_max": None}, True),
    *(({"links": links}, links) for links in LINKS),
]


@pytest.mark.parametrize(("said", "is_read_as"), SCOPES, ids=[str(said) for said, _ in SCOPES])
def test_a_field_of_a_scope_may_be_all_that_the_schema_says(
    said: dict[str, Any], is_read_as: object
) -> None:
    hello = {"protocol": 1, "scope": said}
    assert accepts("answer_hello", hello)
    scope = hello_from(line_of(hello)).scope
    name = next(iter(said))
    if is_read_as is not None or said[name] is None:
        assert getattr(scope, name) == is_read_as
        assert type(scope.torn) is bool


def test_no_field_of_a_scope_is_left_out_of_these() -> None:
    named = {name for said, _ in SCOPES for name in said}
    assert named == set(SCHEMA["$defs"]["scope"]["properties"])


TORN = "scope.torn is true, and no restarts are allowed: scope.restarts_max is 0"


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ([1], "scope is [1]"),
        ({"node": 3}, 'scope has no field "node"'),
        ({"nodes": True}, "scope.nodes is true"),
        ({"nodes": 3.0}, "scope.nodes is 3.0"),
        ({"nodes": 65}, "scope.nodes is 65"),
        ({"nodes": [0, 0]}, "scope.nodes has 0 twice"),
        ({"nodes": [True]}, "scope.nodes[0] is true"),
        ({"commands": "ab"}, 'scope.commands is "ab"'),
        ({"commands": {"a": 1}}, 'scope.commands is {"a": 1}'),
        ({"commands": ["a", None]}, "scope.commands[1] is null"),
        ({"commands": [1, 1.0]}, "scope.commands has 1.0 twice"),
        ({"restarts_max": -1}, "scope.restarts_max is -1"),
        ({"may_time_out": {}}, "scope.may_time_out is {}"),
        ({"may_time_out": [7]}, "scope.may_time_out names 7, which is no node of the scope"),
        ({"may_submit": "x"}, 'scope.may_submit is "x"'),
        ({"may_submit": [7]}, "scope.may_submit names 7, which is no node of the scope"),
        ({"may_submit": {"b": []}}, 'scope.may_submit names "b", which is no command of the scope'),
        ({"may_submit": {"a": [7]}}, "scope.may_submit.a names 7, which is no node of the scope"),
        ({"torn": 1}, "scope.torn is 1"),
        ({"torn": True}, f"{TORN}, as it is left out"),
        ({"torn": True, "restarts_max": 0}, TORN),
        ({"links": True}, "scope.links is true"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_scope_is_said_in_words_of_json(said: Any, fact: str) -> None:
    with pytest.raises(WireError) as wrong:
        hello_from(line_of({"protocol": 1, "scope": said}))
    assert wrong.value.fact == fact
    assert wrong.value.remedy or wrong.value.available


@pytest.mark.parametrize("links", LINKS)
def test_links_that_a_scope_leaves_out_are_those_that_hello_says(links: str) -> None:
    said = {"protocol": 1, "links": links, "scope": {"nodes": 2}}
    scope = hello_from(line_of(said)).scope
    assert scope == Scope(nodes=2, links=links)
    asked = hello_from(line_of({**said, "scope": {"links": "unordered"}})).scope
    assert asked == Scope(links="unordered")


def test_whole_numbers_have_no_fraction() -> None:
    assert not reads(hello_from, b'{"protocol":1.0}')


@given(damaged(sound("answer_snapshot") | sound("answer_done")))
def test_other_answers_are_read_as_the_schema_says(data: object) -> None:
    assert accepts("answer_snapshot", data) == reads(
        lambda said: snapshot_from(line_of(said)), data
    )
    assert accepts("answer_done", data) == reads(lambda said: nothing_from(line_of(said)), data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("effect", {"type": "send", "to": 1}),
        ("effect", {"type": "send", "to": 1, "message": 1, "also": 1}),
        ("effect", {"type": "send", "to": True, "message": 1}),
        ("effect", {"type": "decide", "slot": -1, "value": "a"}),
        ("effect", {"type": "set_timer", "timer": "t", "after": [1]}),
        ("event", {"type": "torn", "event": {"type": "restart"}, "kept": 0}),
        ("answer_hello", {"protocol": 2}),
        ("answer_hello", {"protocol": 1, "capabilities": ["portable"]}),
        ("answer_hello", {"protocol": 1, "scope": {"node": 3}}),
        ("answer_error", {"error": "text", "effects": []}),
        ("answer_done", {"ok": True}),
    ],
)
def test_the_schema_refuses(kind: str, data: object) -> None:
    assert not accepts(kind, data)
