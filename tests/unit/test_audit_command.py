"""``indelible audit``: what is said of logs, whole and damaged; nothing unfinished passes."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from indelible.audit_files import opened_logs
from indelible.cli import main
from indelible.model.errors import IndelibleError

NODES = (0, 1, 2)


def record(node, event, *effects, **more):
    return json.dumps({"node": node, "event": event, "effects": list(effects), **more})


def start(node, nodes=NODES):
    return record(node, {"type": "start", "nodes": list(nodes), "storage": None})


def submit(node, command, *effects):
    return record(node, {"type": "submit", "command": command}, *effects)


def tick(node, *effects):
    return record(node, {"type": "timeout", "timer": "t"}, *effects)


def decide(slot, value):
    return {"type": "decide", "slot": slot, "value": value}


def vote(slot, value, ballot=1):
    return {"type": "vote", "slot": slot, "ballot": ballot, "value": value}


def execute(index, command):
    return {"type": "execute", "index": index, "command": command}


STARTS = [start(node) for node in NODES]
GOOD = [
    *STARTS,
    submit(0, "a", vote(0, "a")),
    tick(1, vote(0, "a")),
    tick(0, decide(0, "a"), execute(0, "a")),
    tick(1, decide(0, "a")),
]
BAD = [*GOOD, tick(2, decide(0, "b"))]


def run(*words, stdin=b""):
    """The exit code and what is said."""
    done = CliRunner().invoke(main, ["audit", *map(str, words)], input=stdin)
    return done.exit_code, done.stdout, done.stderr


def log(folder, lines, name="log.jsonl"):
    path = folder / name
    path.write_bytes("\n".join(lines).encode() if isinstance(lines, list) else lines)
    return path


def said(path, *words):
    code, out, _ = run(path, "--json", *words)
    told = json.loads(out)
    assert told["exit_code"] == code
    return told


def results(told):
    return {known["name"]: known["result"] for known in told["properties"]}


def test_a_good_log_holds(tmp_path):
    told = said(log(tmp_path, GOOD))
    assert (told["outcome"], told["records"], told["nodes"]) == ("holds", 7, [0, 1, 2])
    assert results(told)["agreement"] == results(told)["decided_implies_chosen"] == "holds"
    assert results(told)["promise_never_falls"] == "not observable"


def test_a_bad_log_is_violated_with_the_records_that_show_it(tmp_path):
    path = log(tmp_path, BAD)
    told = said(path, "--property", "agreement")
    assert told["violation"] == {
        "property": "agreement",
        "explanation": "slot 0: n0 decided 'a', n2 decided 'b'",
        "slot": 0,
        "nodes": [0, 2],
        "values": ["a", "b"],
    }
    assert [(known["line"], known["effects"]) for known in told["proof"]] == [
        (6, [decide(0, "a")]),
        (8, [decide(0, "b")]),
    ]
    code, out, _ = run(path, "--quiet")
    assert code == 1
    assert out == f"violated: agreement: slot 0: n0 decided 'a', n2 decided 'b' ({path}:8)\n"


@pytest.mark.parametrize("words", [("-",), ("{gz}",), ("{plain}", "{other}")])
def test_wherever_it_comes_from(tmp_path, words):
    text = "\n".join(BAD).encode()
    log(tmp_path, gzip.compress(text), "log.gz")
    log(tmp_path, BAD)
    log(tmp_path, [], "other.jsonl")
    names = {"gz": "log.gz", "plain": "log.jsonl", "other": "other.jsonl"}
    places = [
        word.format(**{key: tmp_path / name for key, name in names.items()}) for word in words
    ]
    code, out, _ = run(*places, stdin=text)
    assert code == 1
    assert ":6  n0 timer t fires" in out
    assert ":8  n2 timer t fires" in out


DAMAGES = {
    "no JSON": b"{",
    "not UTF-8": b'{"node":0,"event":{"type":"timeout","timer":"\xff"},"effects":[]}',
    "cut short": STARTS[0][:-9].encode(),
    "no object": b"[]",
    "no effects": b'{"node":0,"event":{"type":"restart"}}',
    "unknown event": b'{"node":0,"event":{"type":"rest"},"effects":[]}',
    "unknown effect": b'{"node":0,"event":{"type":"restart"},"effects":[{"type":"decided"}]}',
    "a slot that is none": tick(0, decide(-1, "a")).encode(),
    "too deep": b'{"node":' + b"[" * 100_000,
    "too deep a value": tick(0, decide(0, "@")).replace('"@"', "[" * 700 + "]" * 700).encode(),
    "too deep a storage": start(0).replace("null", "[" * 700 + "]" * 700).encode(),
    "zeros": bytes(4096),
    "another node": tick(7).encode(),
    "other nodes": start(0, (0, 1)).encode(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("at", [0, 3, len(GOOD)])
def test_what_cannot_be_read_is_told_and_never_holds(tmp_path, damage, at):
    lines = [line.encode() for line in GOOD]
    lines[at:at] = [DAMAGES[damage]]
    told = said(log(tmp_path, b"\n".join(lines)))
    if damage == "other nodes" and at == 0:  # It is the first to say who they are: the rest is odd.
        assert told["problem_count"] == 4
    else:
        # That a node is none of them is known when somebody says who they are.
        line = 2 if (damage, at) == ("another node", 0) else at + 1
        assert [known["line"] for known in told["problems"]] == [line]
    assert told["outcome"] == "inconclusive"
    assert "holds" not in results(told).values()


def test_a_violation_is_found_among_damage(tmp_path):
    told = said(log(tmp_path, ["?", *STARTS, "?", *BAD[3:]]), "--no-internal")
    assert (told["outcome"], told["problem_count"]) == ("violated", 2)
    assert told["violation"]["property"] == "agreement"


def test_many_problems_are_counted_and_the_first_are_told(tmp_path):
    code, out, _ = run(log(tmp_path, [*GOOD, *["?"] * 50]))
    assert code == 3
    assert "Problems: 50" in out
    assert out.count("no JSON") == 21
    assert "and 30 more" in out


@pytest.mark.parametrize("size", [1, 20, 60])
def test_a_compressed_log_that_is_cut_short(tmp_path, size):
    packed = gzip.compress("\n".join(GOOD).encode())
    told = said(log(tmp_path, packed[:-size]))
    assert (told["outcome"], told["problem_count"]) == ("inconclusive", 1)
    assert "cannot be read any further" in told["problems"][0]["says"]
    assert told["problems"][0]["line"] == told["records"] + 1 > 3


@pytest.mark.parametrize("seed", range(12))
def test_a_byte_that_is_damaged_accuses_nobody_of_what_is_missing(tmp_path, seed):
    """Whatever line is lost, what it may have said is not held against anybody."""
    draw = random.Random(seed)
    lines = [line.encode() for line in GOOD]
    at = draw.randrange(len(lines))
    lines[at] = lines[at][: draw.randrange(1, len(lines[at]))]
    told = said(log(tmp_path, b"\n".join(lines)))
    assert told["outcome"] == "inconclusive"
    assert [known["line"] for known in told["problems"]] == [at + 1]


def test_a_log_that_begins_in_the_middle(tmp_path):
    told = said(log(tmp_path, GOOD[5:]))
    assert (told["outcome"], told["nodes_complete"]) == ("inconclusive", False)
    assert told["not_whole"] == [0, 1]
    assert results(told)["execution_without_gap"] == "inconclusive"
    told = said(log(tmp_path, [*STARTS[:2], *GOOD[5:]]))
    assert told["not_whole"] == [2]
    reasons = {known["name"]: known["reason"] for known in told["properties"]}
    assert "decided_implies_chosen" not in str(told["violation"])
    assert reasons["decided_implies_chosen"] == "no record has Vote"


def test_what_is_not_there_is_held_against_a_whole_log(tmp_path):
    votes = [*STARTS, submit(0, "a", vote(0, "a")), tick(1, decide(0, "a"))]
    told = said(log(tmp_path, votes))
    assert told["violation"]["explanation"].startswith(
        "slot 0: n1 decided 'a', but no quorum voted"
    )
    assert [known["line"] for known in told["proof"]] == [4, 5]


@pytest.mark.parametrize(
    ("missing", "result"), [(0, "violated"), (1, "inconclusive"), (2, "inconclusive")]
)
def test_it_is_not_where_a_node_may_have_done_it(tmp_path, missing, result):
    """n0 has voted anyhow; n1 or n2 may have, before its log begins."""
    lines = [line for at, line in enumerate(STARTS) if at != missing]
    lines += [submit(0, "a", vote(0, "a")), tick(1, decide(0, "a"))]
    told = said(log(tmp_path, lines))
    assert results(told)["decided_implies_chosen"] == told["outcome"] == result


NO_VOTE = (
    "n1, n2 recorded no Vote so far; if they do not record any, this need not be a "
    "violation: Vote is to be recorded by all nodes, or by none"
)
NO_DECIDE = (
    "n1 recorded no Decide so far; if it does not record any, this need not be a "
    "violation: Decide is to be recorded by all nodes, or by none"
)
ASKED = [
    # A rolling upgrade: only n0 records votes so far.
    ([submit(0, "a", vote(0, "a")), tick(1), tick(0, decide(0, "a"))],
     "decided_implies_chosen",
     NO_VOTE),
    # Followers record only what they execute.
    ([submit(0, "a", decide(0, "a")), tick(1, execute(0, "a"))],
     "execution_follows_log",
     NO_DECIDE),
    # All of them have voted, and for something else.
    ([submit(0, "a", vote(0, "a")), tick(1, vote(1, "a")), tick(2, vote(1, "a")),
      tick(0, decide(0, "a"))],
     "decided_implies_chosen", ""),
    ([submit(0, "a", decide(0, "a")), tick(1, decide(0, "b"))], "agreement", ""),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "property", "reason"), ASKED)
def test_who_never_recorded_what_is_lacking_is_named(tmp_path, lines, property, reason):
    path, junit = log(tmp_path, [*STARTS, *lines]), tmp_path / "junit.xml"
    told = said(path, "--property", property)
    (known,) = told["properties"]
    assert (known["result"], known["reason"]) == ("violated", reason)
    _, out, _ = run(path, "--property", property, "--junit", junit)
    minded = [line for line in out.splitlines() if line.startswith("Mind: ")]
    assert minded == ([f"Mind: {reason}."] if reason else [])
    failures = ElementTree.parse(junit).findall(".//failure")
    assert [reason in failure.get("message") for failure in failures] == [True]
    assert "recorded no" not in run(path, "--quiet")[1]


def test_a_node_that_starts_late_has_done_nothing_before(tmp_path):
    lines = [*STARTS[:2], submit(0, "a", vote(0, "a")), tick(1, decide(0, "a"))]
    assert said(log(tmp_path, lines))["outcome"] == "inconclusive"
    told = said(log(tmp_path, [*lines, STARTS[2]]))
    assert told["violation"]["property"] == "decided_implies_chosen"
    again = record(2, {"type": "start", "nodes": [0, 1, 2], "storage": {}})
    told = said(log(tmp_path, [*lines, again]))
    assert (told["outcome"], told["not_whole"]) == ("inconclusive", [2])
    assert results(told)["decided_implies_chosen"] == "inconclusive"


NEW = (0, 1, 2, 3, 4)
JOINING = [record(3, {"type": "start", "nodes": list(NEW), "storage": None}), start(4, NEW)]


@pytest.mark.parametrize(
    ("lines", "property"),
    [
        # A majority of the new nodes, and not of the old ones.
        ([tick(at, vote(0, "a")) for at in (0, 3, 4)] + [tick(0, decide(0, "a"))],
         "decided_implies_chosen"),
        ([tick(at, {"type": "promise", "ballot": 1}) for at in (0, 3, 4)]
         + [tick(0, {"type": "lead", "ballot": 1})], "leaders_are_promised"),
        # Two votes are a majority of the old ones.
        ([tick(0, vote(0, "a")), tick(1, vote(0, "a")), tick(2, vote(0, "b", 2))],
         "votes_are_safe"),
        # It was given to a node of which there is no log.
        ([tick(0, decide(0, "x")), submit(1, "y")], "validity"),
    ],
)  # fmt: skip
def test_nodes_that_change_neither_hold_nor_accuse(tmp_path, lines, property):
    """What depends on who the nodes are is not known any more; with the same nodes it is wrong."""
    lead = tick(0, {"type": "promise", "ballot": 0}, {"type": "lead", "ballot": 0})
    lines = [submit(0, "a"), submit(0, "b"), lead, *lines]
    told = said(log(tmp_path, [*STARTS, *JOINING, *lines]), "--property", property)
    assert (told["outcome"], results(told)[property]) == ("inconclusive", "inconclusive")
    same = [line for line in lines if json.loads(line)["node"] in NODES]
    told = said(log(tmp_path, [*STARTS, *same]), "--property", property)
    assert told["violation"]["property"] == property


def test_two_decisions_differ_whoever_the_nodes_are(tmp_path):
    told = said(log(tmp_path, [*STARTS, *JOINING, *BAD[3:]]))
    assert told["violation"]["property"] == "agreement"


def test_an_empty_log_is_inconclusive(tmp_path):
    code, out, _ = run(log(tmp_path, b"\n \n"), "-q")
    assert (code, out) == (3, "inconclusive: there is no record\n")
    code, out, _ = run(log(tmp_path, STARTS), "-q")
    assert (code, out) == (3, "inconclusive: nothing was decided or executed\n")


def test_a_line_that_is_repeated_is_not_called_a_repetition(tmp_path):
    repeated = tick(0, execute(0, "a"))
    told = said(
        log(tmp_path, [*STARTS, repeated, repeated]), "--property", "execution_not_repeated"
    )
    assert (told["outcome"], results(told)["execution_not_repeated"]) == ("inconclusive",) * 2
    told = said(log(tmp_path, [*STARTS, repeated, tick(1), repeated]))
    assert told["violation"]["property"] == "execution_not_repeated"
    assert [known["line"] for known in told["proof"]] == [4, 6]
    restart = record(0, {"type": "restart"})
    told = said(log(tmp_path, [*STARTS, repeated, restart, repeated]))
    assert results(told)["execution_not_repeated"] == "holds"


def test_ballots_without_an_order_end_it(tmp_path):
    lines = [*STARTS, tick(0, {"type": "promise", "ballot": 1})]
    told = said(log(tmp_path, [*lines, tick(0, {"type": "promise", "ballot": "x"})]))
    assert told["outcome"] == "inconclusive"
    assert "ballots cannot be compared: x among themselves" in told["reason"]


@pytest.mark.parametrize(
    ("ballots", "outcome"),
    [
        ([1, "z"], "inconclusive"),
        (["1", 1], "inconclusive"),
        ([1, [1]], "inconclusive"),
        ([[2, "n1"], [2, 1]], "inconclusive"),
        ([[1], [2, "n1"], [2, 1]], "inconclusive"),
        ([[1, 1], [3, 1], [2, "n1"]], "inconclusive"),
        ([[1, "n1"], [2, 1], [1, 2]], "inconclusive"),
        ([[1, ["a"]], [1, ["b", 1]], [1, ["b", "x"]]], "inconclusive"),
        ([1, 1.5], "holds"),
        ([[], [2, "n1"], [3], [2, "n1", 5]], "holds"),
        ([[1, 0], [0, ""], [2, 1], [0, "a"]], "holds"),
    ],
)
@pytest.mark.parametrize("names", [(), ("--property", "agreement")])
def test_ballots_are_comparable_whether_they_are_compared_or_not(tmp_path, ballots, outcome, names):
    """Each is promised by another node; nothing compares them."""
    nodes = range(len(ballots))
    starts = [start(at, [*nodes]) for at in nodes]
    said_by = [tick(at, {"type": "promise", "ballot": ballots[at]}) for at in nodes]
    decided = submit(0, "a", decide(0, "a"))
    told = said(log(tmp_path, [*starts, *said_by, decided]), *names)
    assert told["outcome"] == outcome
    if outcome == "inconclusive":
        assert f":{2 * len(ballots)}: ballots cannot be compared: " in told["reason"]


@pytest.mark.parametrize("ballot", [True, None, {"n": 1}, [1, [False]]])
def test_what_has_no_order_is_no_ballot(tmp_path, ballot):
    vote = {"type": "vote", "slot": 0, "ballot": ballot, "value": "a"}
    told = said(log(tmp_path, [*STARTS, tick(0, vote), tick(0, decide(0, "a"))]))
    assert told["outcome"] == "inconclusive"
    assert "which has no order" in told["reason"]


def test_quorums_may_be_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.indelible.quorums.all]\nkind = "weighted"\nweights = {"0" = 1, "1" = 1, "2" = 1}\n'
        "phase1 = 3\nphase2 = 3\n"
    )
    (tmp_path / "systems.py").write_text(
        "from indelible.model.quorums import ReadOneWriteAllQuorums\n"
        "class Mine:\n    quorums = ReadOneWriteAllQuorums()\n"
    )
    path = log(tmp_path, GOOD)
    assert said(path, "--quorums", "systems:Mine")["violation"]["property"] == (
        "decided_implies_chosen"
    )
    assert run(path, "--quorums", "none")[0] == 2
    assert run(path, "--quorums", "systems:sys")[0] == 2


def test_nodes_may_be_named(tmp_path):
    path = log(tmp_path, GOOD[3:])
    assert said(path)["nodes_complete"] is False
    assert said(path, "--nodes", "3")["nodes"] == [0, 1, 2]


def test_junit_has_a_case_for_each_property(tmp_path):
    path = log(tmp_path, BAD)
    assert run(path, "--junit", tmp_path / "junit.xml", "-q")[0] == 1
    cases = ElementTree.parse(tmp_path / "junit.xml").findall(".//testcase")
    assert len(cases) == 15
    assert [case.get("name") for case in cases if case.find("failure") is not None] == ["agreement"]


def test_junit_has_what_became_of_each_property(tmp_path):
    """What was not observable does not hold, though the log does."""
    path = log(tmp_path, [*STARTS, submit(0, "a", decide(0, "a"))])
    assert run(path, "--junit", tmp_path / "junit.xml", "-q")[0] == 0
    skipped = 0
    for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase"):
        known = {each.get("name"): each.get("value") for each in case.iter("property")}
        told = case.find("skipped")
        if told is None:
            assert known == {"result": "passed", "verdict": "holds"}
        else:
            assert known == {"result": "skipped", "verdict": "not observable"}
            assert told.get("type") == "not observable"
            skipped += 1
    assert skipped == 12


@pytest.mark.parametrize(
    ("value", "shown", "told"),
    [
        (True, "true", True),
        (1.5, "1.5", 1.5),
        ({"x": True, "y": None}, '{"x": true, "y": null}', '{"x": true, "y": null}'),
        ([1, [False, "a"]], '[1, [false, "a"]]', '[1, [false, "a"]]'),
        (
            {"type": "Write", "ok": True, "of": {"type": "Key", "is": None, "at": "x"}},
            "Write(of=Key(at='x', is=null), ok=true)",
            "Write(of=Key(at='x', is=null), ok=true)",
        ),
    ],
)
def test_values_are_shown_as_json_has_them(tmp_path, value, shown, told):
    lines = [submit(0, value, decide(0, value)), submit(1, "b", decide(0, "b"))]
    path = log(tmp_path, [*STARTS, *lines])
    text = run(path)[1]
    assert f"slot 0: n0 decided {shown}, n1 decided 'b'" in text
    assert f"n0 is given {shown} by a client\n      decides {shown} in slot 0\n" in text
    answer = said(path)
    assert answer["violation"]["values"] == [told, "b"]
    assert type(answer["violation"]["values"][0]) is type(told)
    assert answer["proof"][0]["effects"] == [decide(0, value)]


def test_stdin_may_be_closed(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(IndelibleError, match="stdin is closed"), opened_logs(("-",)):
        pass


def test_a_report_never_takes_the_place_of_a_log(tmp_path, monkeypatch):
    path = log(tmp_path, GOOD)
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(path)
    for name in ("log.jsonl", "./log.jsonl", path, "link"):
        code, out, err = run("log.jsonl", "--junit", name)
        assert (code, out) == (2, "")
        assert f"--junit {Path(name)} is log.jsonl, which is to be read" in err
    assert path.read_bytes() == before


def test_what_cannot_be_asked_is_in_the_report(tmp_path):
    code, _, err = run(tmp_path / "none", "--junit", tmp_path / "junit.xml")
    assert code == 2
    (error,) = ElementTree.parse(tmp_path / "junit.xml").iter("error")
    assert "cannot be read: No such file" in "".join((error.get("message"), error.text or "")), err


def test_what_cannot_be_asked(tmp_path):
    path = log(tmp_path, GOOD)
    for words in ((), (tmp_path / "none",), (path, path), (path, "--property", "agrement")):
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert err
    assert "available: agreement" in run(path, "--property", "agrement")[2]


@pytest.mark.parametrize("more", [b"", (tick(0) + "\n").encode() * 5000])
def test_an_interrupted_audit_is_inconclusive(tmp_path, more):
    """Also where nothing comes any more."""
    command = [sys.executable, "-P", "-m", "indelible", "audit", "-", "--progress"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=tmp_path) as audit:
        audit.stdin.write("\n".join(GOOD).encode() + b"\n")
        audit.stdin.flush()
        assert b"records" in audit.stderr.readline()
        audit.send_signal(signal.SIGINT)
        if more:
            with suppress(BrokenPipeError):
                audit.stdin.write(more)
                audit.stdin.flush()
        out = audit.stdout.read()
        with suppress(BrokenPipeError):
            audit.stdin.close()
    assert audit.returncode == 3
    assert out.startswith(b"inconclusive: interrupted")


def test_arrays_are_shown_as_arrays(tmp_path):
    vote = {"type": "vote", "slot": 0, "ballot": [1], "value": [True, ["é"]]}
    lines = [
        *(start(node) for node in range(3)),
        tick(0, {"type": "promise", "ballot": [2]}),
        tick(0, vote, decide(1, {"op": [1]})),
    ]
    code, out, _ = run(log(tmp_path, lines), "--property", "votes_keep_promises")
    assert code == 1
    assert 'had promised ballot [2], and voted for [true, ["é"]] at ballot [1]' in out
    assert "      promises ballot [2]\n" in out
    told = said(log(tmp_path, lines), "--property", "votes_keep_promises")
    assert told["proof"][-1]["effects"] == [vote]


def test_a_log_is_not_replaced_by_what_is_said_of_it(tmp_path):
    path = log(tmp_path, GOOD)
    code, _, err = run(path, "--junit", path)
    assert (code, "which is to be read" in err) == (2, True)
    assert json.loads(Path(path).read_text().splitlines()[0])["node"] == 0
