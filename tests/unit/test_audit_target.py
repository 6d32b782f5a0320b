"""``indelible audit --target``: there and back for kept counterexamples, and what is said of it."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from indelible.cli import main
from indelible.model.run import replayed
from indelible.model.scope import Scope
from indelible.render.log import log_lines, render_log
from indelible.trace_files import read_trace, trace_paths
from support.tiny import command as tiny_command
from support.tiny import tiny
from support.walks import walk

ROOT = Path(__file__).parents[2]
TRACES = tuple(trace_paths(ROOT / "traces"))
QUICK = (
    "accept_not_durable",
    "accept_revealed_before_saved",
    "ack_by_value",
    "dup_ack_counted",
    "no_dedupe",
    "quorum_half_even",
    "truncate_on_old_append",
)
"""Restarts, a torn step, links that duplicate and that do not, other quorums."""

MINE = '''
from indelible import Decide, Persist, ReadOneWriteAllQuorums, Receive, Scope, Send, Submit


class Hasty:
    """Whoever is given a command decides it, and tells the others."""

    scope = Scope(nodes=3, commands=("a", "b"))

    def start(self, node, nodes, storage):
        return nodes, ()

    def handle(self, node, nodes, event):
        match event:
            case Submit(command):
                others = [other for other in nodes if other != node]
                return nodes, (Decide(0, command), *(Send(to, command) for to in others))
            case Receive(_, command):
                return nodes, (Decide(0, command),)
        return nodes, ()


class Secretive(Hasty):
    def handle(self, node, nodes, event):
        return nodes, super().handle(node, nodes, event)[1][:1]


class Unanimous(Hasty):
    quorums = ReadOneWriteAllQuorums()


class Ordered(Hasty):
    scope = Scope(nodes=3, commands=("a", "b"), links="ordered")


class Raising(Hasty):
    def handle(self, node, nodes, event):
        print("to stdout")
        raise ValueError("no")


class Unsayable(Hasty):
    def handle(self, node, nodes, event):
        return nodes, (Decide(0, 1j),)
'''


def run(*words):
    done = CliRunner().invoke(main, list(map(str, words)))
    return done.exit_code, done.stdout, done.stderr


def said(*words):
    code, out, _ = run("audit", "--json", *words)
    told = json.loads(out)
    assert told["exit_code"] == code
    return told


def there_and_back(path, folder):
    """The counterexample as a log, and as a trace again; and both documents."""
    document = read_trace(path)
    log = folder / "log.jsonl"
    log.write_text(render_log(document.read().evidence), encoding="utf-8")
    traces = folder / "traces"
    told = said(
        log, "--target", document.target, "--property", document.property, "--save", "--traces",
        traces,
    )  # fmt: skip
    assert told["violation"]["property"] == document.property
    assert told["conformance"]["difference"] is None
    assert told["conformance"]["compared"] == told["records"]
    saved = Path(told["conformance"]["counterexample"]["saved"])
    assert saved.parent == traces
    assert run("replay", saved)[0] == 1
    return document, read_trace(saved)


@pytest.mark.parametrize("name", QUICK)
def test_there_and_back(name, tmp_path):
    """The very counterexample comes back."""
    path = next(each for each in TRACES if each.name.startswith(f"{name}."))
    before, after = there_and_back(path, tmp_path)
    trace, again = before.read().evidence.trace, after.read().evidence.trace
    assert (again.actions, again.scope) == (trace.actions, trace.scope)
    assert after.read().evidence.length == "shortest"
    assert after.read().evidence.found["by"] == "recorded log"


@pytest.mark.slow
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name)
def test_every_kept_counterexample_there_and_back(path, tmp_path):
    """Or one as short as it: its scope is only what the log used."""
    before, after = there_and_back(path, tmp_path)
    assert len(after.read().evidence.trace) <= len(before.read().evidence.trace)
    assert after.read().evidence.length == "shortest"


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of implementations, and a log of one of them that violates agreement."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    sys.modules.pop("mine", None)
    nodes = [0, 1, 2]
    start = {"type": "start", "nodes": nodes, "storage": None}
    records = [(node, start, []) for node in nodes]
    for node, value in ((0, "a"), (1, "b")):
        sends = [{"type": "send", "to": to, "message": value} for to in nodes if to != node]
        decide = {"type": "decide", "slot": 0, "value": value}
        records.append((node, {"type": "submit", "command": value}, [decide, *sends]))
    return [dict(zip(("node", "event", "effects"), each, strict=True)) for each in records]


def log(records, name="log.jsonl"):
    Path(name).write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return name


def test_a_violation_is_a_run_of_the_target_made_short(mine):
    told = said(log(mine), "--target", "mine:Hasty")["conformance"]
    assert (told["result"], told["compared"], told["no_trace"]) == ("inconclusive", 5, None)
    assert told["counterexample"]["events"] == 2
    assert told["counterexample"]["length"] == "shortest"
    assert told["counterexample"]["saved"] is None
    assert not Path("traces").exists()
    code, out, err = run("audit", "log.jsonl", "--target", "mine:Hasty", "--save", "-q")
    assert (code, err) == (1, "Saved: traces/mine-Hasty-agreement.itf.json\n")
    assert out.startswith("violated: agreement: slot 0: n0 decided 'a', n1 decided 'b'")
    code, out, _ = run("replay", "traces")
    assert (code, "still violates" in out) == (0, True)
    code, out, _ = run("show", "traces/mine-Hasty-agreement.itf.json")
    assert "Found by recorded log" in out
    code, out, _ = run("audit", "log.jsonl", "--target", "mine:Hasty", "--save")
    assert "The log is a run of the target: 2 events, made 2, the shortest there is." in out
    assert "Saved: traces/mine-Hasty-agreement.itf.json" in out


@pytest.mark.parametrize(("times", "links"), [(1, "ordered"), (2, "unordered_duplicating")])
def test_links_are_as_bad_as_the_log_shows_and_no_worse(mine, times, links):
    event = {"type": "receive", "source": 0, "message": "a"}
    decide = {"type": "decide", "slot": 0, "value": "a"}
    arrives = {"node": 2, "event": event, "effects": [decide]}
    name = log([*mine[:4], *[arrives] * times, mine[4]])
    told = said(name, "--target", "mine:Ordered", "--save")["conformance"]
    scope = read_trace(Path(told["counterexample"]["saved"])).read().evidence.trace.scope
    assert (told["counterexample"]["events"], scope.links) == (2, links)


def test_what_conforms(mine):
    told = said(log(mine[:4]), "--target", "mine:Hasty")
    assert (told["outcome"], told["conformance"]["result"]) == ("holds", "holds")
    code, out, _ = run("audit", "log.jsonl", "--target", "mine:Hasty")
    assert code == 0
    assert "✓ conformance" in out
    assert "compared  4 records, as it does" in out


def test_the_first_record_that_differs_is_told(mine):
    code, out, _ = run("audit", log(mine[:4]), "--target", "mine:Secretive", "--junit", "j.xml")
    assert code == 1
    assert out.startswith(
        "violated: conformance: n0 is given 'a' by a client; recorded: sends 'a' to n1; "
        "mine:Secretive: nothing more (log.jsonl:4)\n\n"
        "The first record that is not as mine:Secretive does it:\n"
        "  log.jsonl:4  n0 is given 'a' by a client\n"
        "      both      decides 'a' in slot 0\n"
        "      recorded  sends 'a' to n1\n"
        "      recorded  sends 'a' to n2\n"
    )
    assert "compared  3 records" in out
    failed = [case.get("name") for case in ElementTree.parse("j.xml").iter("testcase")
              if case.find("failure") is not None]  # fmt: skip
    assert failed == ["conformance"]
    told = said("log.jsonl", "--target", "mine:Secretive")["conformance"]
    assert told["difference"]["line"] == 4
    assert told["difference"]["recorded"] == mine[3]["effects"]
    assert told["difference"]["expected"] == mine[3]["effects"][:1]
    assert told["difference"]["event"] == mine[3]["event"]


def test_a_violation_of_what_is_no_run_of_the_target_has_no_trace(mine):
    told = said(log(mine), "--target", "mine:Secretive")
    assert told["violation"]["property"] == "agreement"
    assert told["conformance"]["difference"]["line"] == 4
    assert told["conformance"]["no_trace"] == "the target does not do what was recorded"
    with_doubt = said(log([mine[0], *mine[3:]], "late.jsonl"), "--target", "mine:Hasty")
    assert with_doubt["violation"]["property"] == "agreement"
    assert "does not begin with its very first start" in with_doubt["conformance"]["no_trace"]


def test_a_target_that_raises(mine):
    code, out, _ = run("audit", log(mine[:4]), "--target", "mine:Raising")
    assert code == 1
    assert "mine:Raising raises ValueError: no" in out
    assert "to stdout" not in out
    told = said("log.jsonl", "--target", "mine:Raising")["conformance"]["difference"]
    assert (told["expected"], told["raised"][:14]) == (None, "ValueError: no")


def test_what_is_missing_never_conforms(mine):
    bad = "?"
    for records, says in (
        (mine[:2] + mine[3:4], "there is no record of n2"),
        (mine[1:4], "does not begin with its very first start"),
    ):
        told = said(log(records), "--target", "mine:Hasty")
        assert (told["outcome"], told["conformance"]["result"]) == ("inconclusive",) * 2
        assert says in told["conformance"]["reason"]
    Path("log.jsonl").write_text("\n".join([*map(json.dumps, mine[:4]), bad]), encoding="utf-8")
    told = said("log.jsonl", "--target", "mine:Hasty")
    assert (told["outcome"], told["conformance"]["result"]) == ("inconclusive",) * 2
    assert "no JSON" in told["conformance"]["reason"]


def test_a_node_that_installs_a_snapshot_is_left_alone_from_there_on(mine):
    mine[3]["effects"].append({"type": "install", "index": 1})
    told = said(log(mine), "--target", "mine:Hasty")["conformance"]
    assert told["result"] == "inconclusive"
    assert "installed a snapshot" in told["reason"]
    assert told["compared"] >= 3


def test_numbers_tell_that_a_record_is_missing(mine):
    for number, record in enumerate(mine):
        record["sequence"] = max(0, number - 2) if record["node"] == 0 else 0
    later = {**mine[3], "sequence": 2}
    assert said(log([*mine[:4], later]), "--target", "mine:Hasty")["outcome"] == "holds"
    told = said(log([*mine[:3], later]), "--target", "mine:Hasty")["conformance"]
    assert told["result"] == "inconclusive"
    assert "1 record is missing: n0 goes from 0 to 2" in told["reason"]


def test_a_log_without_effects_shows_nothing(mine):
    bare = [{**record, "effects": []} for record in mine[:4]]
    told = said(log(bare), "--target", "mine:Hasty")["conformance"]
    assert told["result"] == "inconclusive"
    assert told["reason"] == "no record has an effect, and the target gives Decide, Send"


def test_what_no_record_has_is_said(mine):
    bare = [
        {**record, "effects": [each for each in record["effects"] if each["type"] != "send"]}
        for record in mine[:4]
    ]
    told = said(log(bare), "--target", "mine:Hasty")["conformance"]
    assert (told["result"], told["not_recorded"]) == ("holds", ["Send"])
    assert told["reason"] == "but for Send, which no record has"


def test_several_files_are_one_log(mine):
    received = {
        "node": 2,
        "event": {"type": "receive", "source": 0, "message": "a"},
        "effects": [{"type": "decide", "slot": 0, "value": "a"}],
    }
    names = [
        log([each for each in [received, *mine[:4]][::-1] if each["node"] == node], f"{node}.jsonl")
        for node in (2, 1, 0)
    ]
    for name in names:  # The node's start comes first.
        lines = Path(name).read_text(encoding="utf-8").splitlines()
        lines.sort(key=lambda line: '"start"' not in line)
        Path(name).write_text("\n".join(lines), encoding="utf-8")
    told = said(*names, "--target", "mine:Hasty")
    assert (told["outcome"], told["conformance"]["compared"]) == ("holds", 5)


def test_what_cannot_be_asked(mine):
    name = log(mine[:4])
    for words, says in (
        (("--save",), "--target or --exec"),
        (("--target", "mine:Nobody"), "Nobody"),
        (("--target", "mine:Hasty", "--exec", "true"), "give one"),
        (("--target", "mine:Unsayable"), "which JSON cannot say"),
    ):
        code, out, err = run("audit", name, *words)
        assert (code, out) == (2, "")
        assert says in err


def test_quorums_are_those_of_the_target(mine):
    """Two of three have voted, and all of them are asked for."""
    vote = {"type": "vote", "slot": 0, "ballot": 1, "value": "a"}
    records = mine[:4]
    records[3]["effects"] = [vote]
    tick = {"type": "timeout", "timer": "t"}
    decide = {"type": "decide", "slot": 0, "value": "a"}
    records.append({"node": 1, "event": tick, "effects": [vote, decide]})
    words = (log(records), "--property", "decided_implies_chosen")
    assert said(*words)["outcome"] == "holds"
    assert said(*words, "--target", "mine:Unanimous")["outcome"] == "violated"


@pytest.mark.parametrize("words", [("plain",), (), ("snapshot",)])
def test_a_process(tmp_path, words):
    """A run of one, and with a record of what it does not do."""
    server = tiny(*words)
    try:
        actions = walk(server, Scope(nodes=2, commands=("a", "b")), 3, 12)
        run_of_it = replayed(server, Scope(nodes=2, commands=("a", "b")), actions)
        lines = list(log_lines(run_of_it))
    finally:
        server.close()
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    command = shlex.join(tiny_command(*words))
    told = said(path, "--exec", command)["conformance"]
    assert (told["difference"], told["compared"]) == (None, len(lines))
    assert (told["target"], told["result"]) == (f"exec:{command}", "holds")
    at, line = next((at, line) for at, line in enumerate(lines, 1) if '"decide"' in line)
    wrong = line.replace('"slot":0', '"slot":1')
    path.write_text("\n".join([*lines[: at - 1], wrong]), encoding="utf-8")
    told = said(path, "--exec", command)["conformance"]
    assert (told["result"], told["difference"]["line"]) == ("violated", at)
