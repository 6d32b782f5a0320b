"""What a project's pyproject.toml says of its checks, and that nothing in it is passed over."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from indelible import Limits, Scope
from indelible.configuration import PROFILES, Configuration, read_configuration
from indelible.model.errors import ConfigurationError

DOCUMENT = (Path(__file__).parents[2] / "docs/configuration.md").read_text(encoding="utf-8")
DOCUMENTED = DOCUMENT.split("```toml\n")[1].split("```")[0]
CHECK = "[tool.indelible.checks.c]\ntarget = 'multipaxos'\n"


def configured(folder: Path, text: str) -> Configuration:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    found = read_configuration(folder)
    assert found is not None
    return found


def test_what_is_documented(tmp_path: Path) -> None:
    found = configured(tmp_path, DOCUMENTED)
    assert (found.folder, found.traces) == (tmp_path, tmp_path / "traces")
    assert (found.profile, found.inconclusive) == ("dev", "fail")
    (check,) = found.checks
    assert (check.name, check.target, check.how) == ("paxos", "my_paxos:MyPaxos", "explore")
    assert check.properties == ("agreement", "rules:no_far_behind")
    small, crash = check.scopes
    assert (small.name, crash.name) == ("small", "crash")
    assert small.completed(Scope()) == Scope(commands=("a", "b"), timeouts_max={"election": 1})
    assert crash.completed(Scope()) == Scope(restarts_max=1, torn=True)


def test_the_least_that_can_be_said(tmp_path: Path) -> None:
    found = configured(tmp_path, CHECK)
    (check,) = found.checks
    assert (check.properties, check.how, dict(check.budget)) == (None, "explore", {})
    (scope,) = check.scopes
    assert scope.name == ""
    own = Scope(nodes=5, links="ordered")
    assert scope.completed(own) == own
    assert configured(tmp_path, "[tool.indelible]").checks == ()


def test_a_project_that_configures_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'", encoding="utf-8")
    assert read_configuration(tmp_path) is None


def test_the_nearest_file_is_read_and_no_other(tmp_path: Path) -> None:
    configured(tmp_path, CHECK)
    inner = tmp_path / "inner" / "folder"
    inner.mkdir(parents=True)
    found = read_configuration(inner)
    assert found is not None
    assert found.folder == tmp_path
    (tmp_path / "inner" / "pyproject.toml").write_text("", encoding="utf-8")
    assert read_configuration(inner) is None


def test_every_field_of_a_scope(tmp_path: Path) -> None:
    text = f"""{CHECK}
    [tool.indelible.checks.c.scope]
    nodes = ["ann", "bob", 7]
    commands = ["a", "b=c"]
    submissions_max = "none"
    may_submit = {{ a = ["ann", 7], "b=c" = [] }}
    timeouts_max = {{ election = 2, tick = "none" }}
    may_time_out = ["bob"]
    restarts_max = 2
    torn = true
    links = "unordered"
    """
    ((scope,),) = (check.scopes for check in configured(tmp_path, text).checks)
    assert scope.completed(Scope()) == Scope(
        nodes=("ann", "bob", 7),
        commands=("a", "b=c"),
        submissions_max=None,
        may_submit={"a": ("ann", 7), "b=c": ()},
        timeouts_max={"election": 2, "tick": None},
        may_time_out=("bob",),
        restarts_max=2,
        torn=True,
        links="unordered",
    )


@pytest.mark.parametrize(
    ("field", "base", "expected"),
    [
        ("nodes = 5", Scope(may_submit=(0,)), Scope(nodes=5, may_submit=(0,))),
        ("nodes = ['x']", Scope(), Scope(nodes=("x",))),
        ("may_submit = 'all'", Scope(may_submit=(0,)), Scope()),
        ("may_submit = [1]", Scope(), Scope(may_submit=(1,))),
        ("may_time_out = 'all'", Scope(may_time_out=(0,)), Scope()),
        ("may_time_out = []", Scope(), Scope(may_time_out=())),
        ("timeouts_max = 'none'", Scope(), Scope(timeouts_max=None)),
        ("timeouts_max = 0", Scope(), Scope(timeouts_max=0)),
        ("restarts_max = 0", Scope(restarts_max=1, torn=True), Scope()),
    ],
)
def test_a_field_of_a_scope(field: str, base: Scope, expected: Scope, tmp_path: Path) -> None:
    text = f"{CHECK}[tool.indelible.checks.c.scope]\n{field}"
    ((scope,),) = (check.scopes for check in configured(tmp_path, text).checks)
    assert scope.completed(base) == expected


def test_bounds_come_from_profile_then_check_then_what_the_profile_brings(tmp_path: Path) -> None:
    text = f"""{CHECK}
    budget = {{ time = "90s", states = "5M" }}
    [tool.indelible.profiles.nightly]
    time = "2h"
    [tool.indelible.profiles.release]
    memory = "2G"
    states = "none"
    """
    found = configured(tmp_path, text)
    (check,) = found.checks
    assert found.limits(check) == {"seconds_max": 90, "states_max": 5_000_000}
    assert found.limits(check, "nightly") == {"seconds_max": 7200, "states_max": 5_000_000}
    release = {"seconds_max": 90, "states_max": None, "memory_bytes_max": 2 << 30}
    assert found.limits(check, "release") == release
    assert Limits(**release).memory_bytes_max == 2 << 30
    assert found.profile_names == ("dev", "ci", "nightly", "release")
    (bare,) = configured(tmp_path, CHECK).checks
    assert found.limits(bare, "ci") == PROFILES["ci"]


def test_the_documented_profiles_are_those_that_are_there() -> None:
    minutes = {"dev": "1 minute", "ci": "5 minutes", "nightly": "1 hour"}
    assert {name: bounds["seconds_max"] for name, bounds in PROFILES.items()} == {
        "dev": 60,
        "ci": 300,
        "nightly": 3600,
    }
    for name, says in minutes.items():
        assert f"| `{name}` | {says} |" in DOCUMENT


SCOPE = f"{CHECK}[tool.indelible.checks.c.scope]\n"
TABLE = "[tool.indelible.checks.c"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.indelible", ["pyproject.toml is not TOML"]),
        ("tool.indelible = 1", ["tool.indelible is 1, and should be a table"]),
        ("[tool.indelible]\ntrace = 'x'", ["[tool.indelible]: there is no key 'trace'",
                                           "available: traces, "]),
        ("[tool.indelible]\ntraces = 1", ["[tool.indelible]: traces is 1"]),
        ("[tool.indelible]\ntraces = ''", ["traces is ''"]),
        ("[tool.indelible]\nprofile = 'nightli'", ["no profile 'nightli'", "available: nightly,"]),
        ("[tool.indelible]\ninconclusive = 'skp'", ["inconclusive is 'skp'", "available: skip, f"]),
        ("[tool.indelible]\nchecks = []", ["tool.indelible.checks is [], and should be a table"]),
        ("[tool.indelible.checks]\nc = 'x'", ["tool.indelible.checks.c is 'x'"]),
        (f"{TABLE}]", [f"{TABLE}]: it has no target"]),
        (f"{TABLE}]\ntarget = 1", ["target is 1"]),
        ("[tool.indelible.checks.'a b']\ntarget = 'x:y'", ["'a b' is no name for a check"]),
        (f"{CHECK}scop = {{}}", ["there is no key 'scop'", "available: scope, scopes,"]),
        (f"{CHECK}how = 'fuz'", ["how is 'fuz'", "available: fuzz, explore"]),
        (f"{CHECK}scope = {{}}\nscopes = {{}}", ["both scope and scopes"]),
        (f"{CHECK}scopes = {{}}", ["scopes is empty"]),
        (f"{CHECK}scopes = {{'a::b' = {{}}}}", ["'a::b' is no name for a scope"]),
        (f"{CHECK}properties = 'agreement'", ["properties is 'agreement'", "a list of texts"]),
        (f"{CHECK}properties = []", ["properties is empty"]),
        (f"{CHECK}properties = ['agrement']", ["no property 'agrement'", "available: agreement,"]),
        (f"{CHECK}properties = ['a:p', 'b:p']", ["properties has 'p' twice"]),
        (f"{CHECK}budget = 'x'", ["tool.indelible.checks.c.budget is 'x'"]),
        (f"{CHECK}budget = {{tim = 1}}", [f"{TABLE}.budget]: there is no key 'tim'", "time, "]),
        (f"{CHECK}budget = {{time = '5 parsecs'}}", [f"{TABLE}.budget]: time: ", "30s, 2m or 1h"]),
        (f"{CHECK}budget = {{states = 0}}", ["states: 0 is not a number of states", "10M"]),
        (f"{CHECK}budget = {{memory = true}}", ["memory: True is not a size"]),
        ("[tool.indelible.profiles.dev]\nstate = 1", ["profiles.dev]: there is no key 'state'",
                                                      "available: states, "]),
        (f"{SCOPE}restart_max = 1", [f"{TABLE}.scope]: there is no key 'restart_max'",
                                     "available: restarts_max, "]),
        (f"{SCOPE}nodes = true", ["nodes is True"]),
        (f"{SCOPE}nodes = 'n0'", ["nodes is 'n0'", "give a number, or a list"]),
        (f"{SCOPE}nodes = [1.5]", ["nodes is [1.5]"]),
        (f"{SCOPE}commands = [1]", ["commands is [1]"]),
        (f"{SCOPE}submissions_max = -1", ["submissions_max: -1 is neither"]),
        (f"{SCOPE}restarts_max = 'nun'", ["restarts_max: 'nun' is neither a whole number"]),
        (f"{SCOPE}timeouts_max = {{election = 'x'}}", [f"{TABLE}.scope.timeouts_max]: election: "]),
        (f"{SCOPE}may_submit = {{a = 1}}", ["may_submit.a is 1", "a list of nodes"]),
        (f"{SCOPE}may_time_out = 'n0'", ["may_time_out is 'n0'"]),
        (f"{SCOPE}torn = 1", ["torn is 1", "true or false"]),
        (f"{SCOPE}links = 'order'", ["links is 'order'", "available: ordered, "]),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_an_error(text: str, says: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        configured(tmp_path, text)
    assert str(raised.value).startswith(str(tmp_path / "pyproject.toml"))
    for part in says:
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("nodes = 65", "a cluster of 65 nodes"),
        ("nodes = ['x', 'x']", "nodes names the same thing twice"),
        ("may_time_out = [7]", "may_time_out names 7, which is not a node"),
        ("may_submit = { c = [0] }", "may_submit names 'c', which is not a command"),
        ("torn = true", "torn steps are asked for, but no restarts are allowed"),
    ],
)
def test_a_scope_that_makes_no_sense_says_where_it_is_from(
    field: str, says: str, tmp_path: Path
) -> None:
    ((scope,),) = (check.scopes for check in configured(tmp_path, f"{SCOPE}{field}").checks)
    with pytest.raises(ConfigurationError, match=re.escape("pyproject.toml [")) as raised:
        scope.completed(Scope())
    assert f"{TABLE}.scope]: {says}" in str(raised.value)


def test_an_unknown_profile_says_which_there_are(tmp_path: Path) -> None:
    found = configured(tmp_path, CHECK)
    with pytest.raises(ConfigurationError, match="no profile 'c1'") as raised:
        found.limits(found.checks[0], "c1")
    assert raised.value.available == "ci, dev, nightly"


def test_tables_of_others_are_left_alone(tmp_path: Path) -> None:
    assert configured(tmp_path, "[tool.indelible.quorums.q]\nanything = 1").checks == ()


def test_the_project_itself_configures_nothing() -> None:
    own = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert "indelible" not in own["tool"]
