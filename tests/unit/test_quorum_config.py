"""Quorum systems from a pyproject.toml: every kind, and that errors are told with their place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from indelible.model.errors import ScopeError
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
)
from indelible.quorum_config import (
    NamedQuorums,
    quorums_from_project,
    quorums_from_table,
    quorums_from_tables,
)

READ = {
    'kind = "majority"\nnodes = 3': (MajorityQuorums(), (0, 1, 2)),
    'kind = "majority"\nnodes = ["a", "b"]': (MajorityQuorums(), ("a", "b")),
    'kind = "flexible"\nnodes = 5\nphase1 = 4\nphase2 = 2': (
        FlexibleQuorums(4, 2),
        (0, 1, 2, 3, 4),
    ),
    'kind = "read-one-write-all"\nnodes = 2': (ReadOneWriteAllQuorums(), (0, 1)),
    'kind = "weighted"\nweights = {a = 2, b = 1, c = 1}': (
        WeightedQuorums({"a": 2, "b": 1, "c": 1}, 3, 3),
        ("a", "b", "c"),
    ),
    'kind = "weighted"\nweights = {0 = 2, 1 = 1}\nphase1 = 1\nphase2 = 3\nnodes = 4': (
        WeightedQuorums({0: 2, 1: 1}, 1, 3),
        (0, 1, 2, 3),
    ),
    'kind = "explicit"\nphase1 = [["a", "b"], ["c"]]': (
        ExplicitQuorums([["a", "b"], ["c"]]),
        ("c", "a", "b"),
    ),
    'kind = "explicit"\nphase1 = [[0, 1]]\nphase2 = [[1, 2]]\nnodes = 4': (
        ExplicitQuorums([[0, 1]], [[1, 2]]),
        (0, 1, 2, 3),
    ),
    'kind = "grid"\nrows = [["a", "b"], ["c", "d"]]': (
        GridQuorums((("a", "b"), ("c", "d"))),
        ("a", "b", "c", "d"),
    ),
    'kind = "tree"\nnames = [0, 1, 2]': (TreeQuorums((0, 1, 2)), (0, 1, 2)),
    'kind = "tree"\nnames = [0, 1, 2, 3]\nchildren = 3': (
        TreeQuorums((0, 1, 2, 3), 3),
        (0, 1, 2, 3),
    ),
    'kind = "hierarchical"\ngroups = [["a", "b"], ["c"]]': (
        HierarchicalQuorums((("a", "b"), ("c",))),
        ("a", "b", "c"),
    ),
    'kind = "hierarchical"\ngroups = [["a", "b"], ["c", "d"]]\nphase1 = [2, 1]\nphase2 = [1, 2]': (
        HierarchicalQuorums((("a", "b"), ("c", "d")), (2, 1), (1, 2)),
        ("a", "b", "c", "d"),
    ),
}


@pytest.mark.parametrize("text", READ)
def test_every_kind_is_read(text: str) -> None:
    system, nodes = READ[text]
    assert quorums_from_table("mine", {"mine": tomllib.loads(text)}) == NamedQuorums(
        "mine", system, nodes
    )


def test_a_joint_system_refers_to_others() -> None:
    read = quorums_from_tables(
        tomllib.loads(
            """
            change = {kind = "joint", old = "three", new = "grid"}
            three = {kind = "majority", nodes = ["a", "b", "c"]}
            grid = {kind = "grid", rows = [["c"], ["d", "e"]]}
            """
        )
    )
    assert list(read) == ["change", "three", "grid"]
    grid = GridQuorums((("c",), ("d", "e")))
    assert read["change"].system == JointQuorums(
        MajorityQuorums(), ("a", "b", "c"), grid, ("c", "d", "e")
    )
    assert read["change"].nodes == ("a", "b", "c", "d", "e")


REFUSED = {
    "mine = 3": "tool.indelible.quorums.mine is 3",
    "mine = {}": "tool.indelible.quorums.mine says nothing of 'kind'",
    "mine = {kind = 3}": "tool.indelible.quorums.mine.kind is 3",
    'mine = {kind = "majorty", nodes = 3}': "tool.indelible.quorums.mine is of kind 'majorty'",
    'mine = {kind = "majority"}': "tool.indelible.quorums.mine says nothing of 'nodes'",
    'mine = {kind = "majority", nodes = "abc"}': "tool.indelible.quorums.mine.nodes is 'abc'",
    'mine = {kind = "majority", nodes = true}': "tool.indelible.quorums.mine.nodes is True",
    'mine = {kind = "majority", nodes = [1.5]}': "tool.indelible.quorums.mine.nodes is [1.5]",
    'mine = {kind = "majority", nodes = 0}': (
        "tool.indelible.quorums.mine: an empty system: there are no nodes"
    ),
    'mine = {kind = "majority", nodes = -1}': (
        "tool.indelible.quorums.mine: an empty system: there are no nodes"
    ),
    'mine = {kind = "majority", nodes = 501}': (
        "tool.indelible.quorums.mine: a system of 501 nodes"
    ),
    'mine = {kind = "majority", nodes = 1_000_000_000_000}': (
        "tool.indelible.quorums.mine: a system of 1,000,000,000,000 nodes"
    ),
    f'mine = {{kind = "tree", names = {list(range(501))}}}': (
        "tool.indelible.quorums.mine: a system of 501 nodes"
    ),
    'mine = {kind = "weighted", weights = {"" = 1}}': (
        "tool.indelible.quorums.mine: a node has an empty name"
    ),
    'mine = {kind = "majority", nodes = ["a", "a"]}': (
        "tool.indelible.quorums.mine: nodes names the same one twice"
    ),
    'mine = {kind = "majority", nodes = 3, phase1 = 2}': (
        "tool.indelible.quorums.mine has a field 'phase1', which its kind does not have"
    ),
    'mine = {kind = "flexible", nodes = 3, phase1 = 2}': (
        "tool.indelible.quorums.mine says nothing of 'phase2'"
    ),
    'mine = {kind = "flexible", nodes = 3, phase1 = 4, phase2 = 1}': (
        "tool.indelible.quorums.mine: a quorum of weight 4 out of 3 in all"
    ),
    'mine = {kind = "flexible", nodes = 3, phase1 = 0, phase2 = 3}': (
        "tool.indelible.quorums.mine: a quorum of 0 nodes decides nothing"
    ),
    'mine = {kind = "weighted", weights = {a = -1, b = 2}}': (
        "tool.indelible.quorums.mine: a weight of -1"
    ),
    'mine = {kind = "weighted", weights = {a = 0.5}}': (
        "tool.indelible.quorums.mine.weights is {'a': 0.5}"
    ),
    'mine = {kind = "weighted", weights = {a = 1}, nodes = ["b"]}': (
        "tool.indelible.quorums.mine: a quorum over 'a', unknown here"
    ),
    'mine = {kind = "explicit", phase1 = []}': "tool.indelible.quorums.mine: an empty system",
    'mine = {kind = "explicit", phase1 = [["a", "z"]], nodes = ["a", "b"]}': (
        "tool.indelible.quorums.mine: a quorum over 'z', unknown here"
    ),
    'mine = {kind = "grid", rows = ["ab", "cd"]}': (
        "tool.indelible.quorums.mine.rows is ['ab', 'cd']"
    ),
    'mine = {kind = "tree", names = [0, 1]}': "tool.indelible.quorums.mine: a tree of 2 nodes",
    'mine = {kind = "hierarchical", groups = [[1.5]]}': (
        "tool.indelible.quorums.mine.groups is [[1.5]]"
    ),
    'mine = {kind = "joint", old = "mine", new = "mine"}': (
        "tool.indelible.quorums.mine refers to itself: mine → mine"
    ),
    'mine = {kind = "joint", old = "yours", new = "mine"}': (
        "tool.indelible.quorums has no system 'yours'"
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    with pytest.raises(ScopeError) as caught:
        quorums_from_tables(tomllib.loads(text))
    assert caught.value.fact.startswith(REFUSED[text])


def test_what_there_is_is_told() -> None:
    with pytest.raises(ScopeError) as caught:
        quorums_from_table("thre", {"three": {}, "five": {}})
    assert caught.value.available == "three, five"
    with pytest.raises(ScopeError) as caught:
        quorums_from_table("mine", {"mine": {"kind": "grid", "rows": [["a"]], "columns": 2}})
    assert caught.value.available == "kind, rows, nodes"
    with pytest.raises(ScopeError, match="quorums is 3"):
        quorums_from_tables(3)


def test_the_nearest_pyproject_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "package" / "deep"
    inner.mkdir(parents=True)
    assert quorums_from_project(inner) == {}
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.other]\nx = 1\n", encoding="utf-8")
    assert quorums_from_project(inner) == {}
    text = '[tool.indelible.quorums.three]\nkind = "majority"\nnodes = 3\n'
    file.write_text(text, encoding="utf-8")
    assert quorums_from_project(inner) == {
        "three": NamedQuorums("three", MajorityQuorums(), (0, 1, 2))
    }
    (tmp_path / "package" / "pyproject.toml").write_text("", encoding="utf-8")
    assert quorums_from_project(inner) == {}
    file.write_text(text.replace("3", "0"), encoding="utf-8")
    with pytest.raises(ScopeError) as caught:
        quorums_from_project(tmp_path)
    assert caught.value.fact.startswith(f"{file}: tool.indelible.quorums.three: an empty system")


@pytest.mark.parametrize("content", [b"[tool", b"\xff\xfe"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ScopeError, match=r"pyproject\.toml cannot be read: "):
        quorums_from_project(tmp_path)
