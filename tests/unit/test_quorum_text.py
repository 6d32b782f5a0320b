"""Quorum systems in words: what an operator reads, and the same as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from indelible.checkers.lemmas.quorum_report import system_report
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    GridQuorums,
    JointQuorums,
    MajorityQuorums,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.quorum_text import formula_text, system_lines, system_object


def test_what_it_takes_is_said() -> None:
    nodes = (0, 1, 2, 3)
    for system, first, second in (
        (MajorityQuorums(), "3 of (n0, n1, n2, n3)", "3 of (n0, n1, n2, n3)"),
        (FlexibleQuorums(4, 1), "all of (n0, n1, n2, n3)", "1 of (n0, n1, n2, n3)"),
        (
            GridQuorums(((0, 1), (2,))),
            "all of (1 of (n0, n1), n2)",
            "1 of (all of (n0, n1), n2)",
        ),
        (WeightedQuorums({0: 2, 1: 1}, 1, 3), *(
            f"weight {least} of (n0: 2, n1: 1)" for least in (1, 3)
        )),
        (
            TreeQuorums((0, 1, 2, 3), 3),
            *("weight 3 of (n0: 2, n1: 1, n2: 1, n3: 1)",) * 2,
        ),
    ):  # fmt: skip
        assert [*map(formula_text, phases_of(system, nodes))] == [first, second]


def test_a_node_that_all_need_is_told() -> None:
    lines = system_lines(system_report(ReadOneWriteAllQuorums(), (0, 1), "mirror"))
    assert "    tolerates         not even 1 failure, if it is the wrong one" in lines


def test_both_phases_in_words() -> None:
    grid = GridQuorums((("a", "b"), ("c", "d", "e")))
    assert system_lines(system_report(grid, tuple("abcde"), "grid")) == (
        "grid: 5 nodes (a, b, c, d, e)",
        "  phase 1",
        "    a quorum is       all of (1 of (a, b), 1 of (c, d, e))",
        "    smallest          2 nodes (a, c)",
        "    tolerates         any 1 failure",
        "    fails without     2 nodes (a, b)",
        "    minimal quorums   6:",
        "                      a, c",
        "                      a, d",
        "                      a, e",
        "                      b, c",
        "                      b, d",
        "                      b, e",
        "    load              1/2 = 0.500 at the busiest node (by the shape of the formula)",
        "    capacity          2 times that of one node",
        "  phase 2",
        "    a quorum is       1 of (all of (a, b), all of (c, d, e))",
        "    smallest          2 nodes (a, b)",
        "    tolerates         any 1 failure",
        "    fails without     2 nodes (a, c)",
        "    minimal quorums   2:",
        "                      a, b",
        "                      c, d, e",
        "    load              1/2 = 0.500 at the busiest node (by the shape of the formula)",
        "    capacity          2 times that of one node",
    )


def test_a_large_system_is_shown_in_part() -> None:
    lines = system_lines(system_report(MajorityQuorums(), tuple(range(101)), "many"))
    assert lines[0] == (
        "many: 101 nodes (n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, … and 90 more)"
    )
    assert lines[1] == "  both phases"
    assert "    minimal quorums   199,804,427,433,372,226,016,001,220,056" in lines
    assert len(lines) == 8, "no quorum is listed in part"
    assert all(len(line) < 100 for line in lines)


def test_what_was_not_computed_says_so() -> None:
    joint = JointQuorums(
        WeightedQuorums({node: 1 + node**3 % 97 for node in range(30)}),
        tuple(range(30)),
        MajorityQuorums(),
        tuple(range(25)),
    )
    report = system_report(joint, tuple(range(30)), "joint", timeout_seconds=0)
    text = "\n".join(system_lines(report))
    assert "smallest          not computed: it took too long" in text
    assert "minimal quorums   too many to count" in text
    assert "load              not computed: more than 2,000 sets of nodes to weigh up" in text
    read = system_object(report)["phase1"]
    assert read["smallest"] is None
    assert read["minimal_count"] is None
    assert read["load"] is None


def test_the_same_as_json() -> None:
    report = system_report(ExplicitQuorums([["a", "b"], ["b", "c"]], [["b"]]), ("a", "b", "c"), "x")
    read = json.loads(json.dumps(system_object(report)))
    assert read == {
        "name": "x",
        "nodes": ["a", "b", "c"],
        "phase1": {
            "quorum": "1 of (all of (a, b), all of (b, c))",
            "smallest": ["a", "b"],
            "failures_tolerated": 0,
            "stopped_by": ["b"],
            "minimal": [["a", "b"], ["b", "c"]],
            "minimal_count": 2,
            "load": "1",
            "load_how": "by a linear program over 2 minimal quorums",
        },
        "phase2": {
            "quorum": "b",
            "smallest": ["b"],
            "failures_tolerated": 0,
            "stopped_by": ["b"],
            "minimal": [["b"]],
            "minimal_count": 1,
            "load": "1",
            "load_how": "by the shape of the formula",
        },
    }


def test_the_words_need_no_z3(tmp_path: Path) -> None:
    code = "import sys, indelible.quorum_text, indelible.quorum_config; print('z3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
