"""``show``, ``replay``, ``minimize`` and ``check --save`` as they are used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indelible.cli import main
from indelible.trace_files import read_trace

DOCS = Path(__file__).parents[2] / "docs" / "json.md"

MINE = """
from dataclasses import dataclass
from indelible import *

@dataclass(frozen=True)
class Tell:
    command: str

class Hasty:
    scope = Scope(nodes=3, commands=("a", "b"), timeouts_max=0)

    def start(self, node, nodes, storage):
        return nodes, ()

    def handle(self, node, nodes, event):
        match event:
            case Submit(command):
                others = [other for other in nodes if other != node]
                return nodes, (Decide(0, command), *(Send(to, Tell(command)) for to in others))
            case Receive(_, Tell(command)):
                return nodes, (Decide(0, command),)
        return nodes, ()

class Slow(Hasty):
    def handle(self, node, nodes, event):
        return (nodes, ()) if isinstance(event, Receive) else super().handle(node, nodes, event)

class Silent(Hasty):
    def handle(self, node, nodes, event):
        return nodes, ()

class Raises(Hasty):
    def handle(self, node, nodes, event):
        raise ValueError("not today")

class Leaves(Hasty):
    def handle(self, node, nodes, event):
        raise SystemExit(0)

class Chatty(Hasty):
    def handle(self, node, nodes, event):
        print("hello")
        return super().handle(node, nodes, event)

GOOD = True

class Slowest(Hasty):
    # Is violated by two messages, of which it may not send the first any more.
    scope = Scope(nodes=2, commands=("a", "b"), timeouts_max=0, may_submit=(0,))

    def handle(self, node, nodes, event):
        match event:
            case Submit("a"):
                return nodes, (Send(1, Tell("a")),)
            case Submit("b"):
                return nodes, (Send(1, Tell("b")),)
            case Receive(_, Tell("b")) if GOOD or 1 / 0:
                return nodes, (Decide(0, "b"),)
            case Receive(_, Tell("a")):
                return nodes, (Decide(0, "a"),)
        return nodes, ()
"""

RULES = '''
from indelible import always

def _is_short(one, other):
    """No node is two entries ahead of another."""
    return abs(len(one.decided) - len(other.decided)) < 2

no_far_behind = always(reads="pair", fields=("decided",))(_is_short)
'''

Run = Callable[..., Result]
KEPT = "traces/mine-Hasty-agreement.itf.json"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs ``indelible`` in a folder with ``mine.py`` and ``rules.py``, imported anew each time."""
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "rules.py").write_text(RULES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def forget() -> None:
        for name in ("mine", "rules"):
            sys.modules.pop(name, None)

    def invoke(*words: str) -> Result:
        forget()
        return CliRunner().invoke(main, words, prog_name="indelible")

    yield invoke
    forget()


@pytest.fixture
def kept(run: Run) -> Path:
    """The counterexample of ``mine:Hasty``, kept."""
    result = run("check", "mine:Hasty", "--save", "--property", "agreement")
    assert f"\n\nSaved: {KEPT}\n\n" in result.stdout, result.output
    return Path(KEPT)


def change(old: str, new: str) -> None:
    text = Path("mine.py").read_text(encoding="utf-8")
    assert old in text
    Path("mine.py").write_text(text.replace(old, new), encoding="utf-8")


def loaded(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(result: Result, *says: str) -> None:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert "internal error" not in result.stderr
    for words in says:
        assert words in result.stderr


# --- check --save ---------------------------------------------------------------------------------


def test_quiet_and_json_say_where_it_is(run: Run) -> None:
    quiet = run("check", "mine:Hasty", "--save", "-q")
    assert quiet.stdout.count("\n") == 1
    assert f"Saved: {KEPT}\n" in quiet.stderr
    assert loaded(run("check", "mine:Hasty", "--save", "--json"))["saved"] == [KEPT]
    assert [path.as_posix() for path in Path("traces").iterdir()] == [KEPT]


def test_nothing_is_saved_where_nothing_is_violated(run: Run) -> None:
    words = ("check", "mine:Silent", "--save", "--property", "agreement")
    says = "Saved: nothing, as there is no counterexample"
    assert f"\n{says}\n" in run(*words).stdout
    assert says in run(*words, "--quiet").stderr
    assert loaded(run(*words, "--json"))["saved"] == []
    assert not Path("traces").exists()
    assert "Saved" not in run(*words[:2]).output


def test_each_distinct_counterexample_is_saved(run: Run) -> None:
    words = ("check", "mine:Hasty", "--distinct", "3", "--save", "--traces", "elsewhere")
    shown = loaded(run(*words, "--json"))
    assert len(shown["saved"]) == 1 + len(shown["others"]) > 1
    assert len(set(shown["saved"])) == len(shown["saved"])
    for place, trace in zip(
        shown["saved"], [shown["trace"], *(o["trace"] for o in shown["others"])], strict=True
    ):
        assert len(read_trace(Path(place)).recorded().trace) == len(trace)
    assert all(place.startswith("elsewhere/") for place in shown["saved"])
    assert loaded(run(*words, "--json"))["saved"] == shown["saved"]


def test_where_nothing_can_be_saved_nothing_is_searched_for(run: Run) -> None:
    Path("traces").write_text("a file")
    refused(run("check", "mine:Leaves", "--save"), "no trace can be put into traces", "--traces")


def test_a_property_is_found_again_by_the_name_it_was_asked_for(run: Run) -> None:
    name = "rules:no_far_behind"
    (place,) = loaded(run("check", "mine:Hasty", "--property", name, "--save", "--json"))["saved"]
    assert read_trace(Path(place)).property == name
    assert run("replay", place).stdout.startswith("still violates: _is_short, after step ")
    assert run("minimize", place).exit_code == 0
    assert read_trace(Path(place)).property == name
    Path("rules.py").write_text("")
    refused(run("replay", place), "module 'rules' has no 'no_far_behind'")


# --- show -----------------------------------------------------------------------------------------


def test_show_tells_what_check_told(run: Run, kept: Path) -> None:
    told = run("check", "mine:Hasty", "--property", "agreement").stdout
    shown = run("show", str(kept))
    assert (shown.exit_code, shown.stderr) == (0, "")
    trace = shown.stdout.split("\n\n", 1)[1].split("\n\nScope")[0]
    assert trace.startswith("Counterexample: 2 events")
    assert trace in told
    assert shown.stdout.startswith("Trace of mine:Hasty, about agreement\n")
    assert shown.stdout.endswith("\nFound by exhaustive search, in 31 states.\n")


@pytest.mark.parametrize("form", ["mermaid", "shiviz", "html"])
def test_show_as_something_else(form: str, run: Run, kept: Path) -> None:
    pytest.importorskip(f"indelible.render.{form}")
    shown = run("show", str(kept), "--as", form)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "n0" in shown.stdout
    assert shown.stdout != run("show", str(kept)).stdout


@pytest.mark.parametrize(("name", "quorums"), [("accept_no_bump", True), ("no_dedupe", False)])
def test_show_as_log_says_what_a_log_does_not(name: str, quorums: bool, run: Run) -> None:
    """The log alone would be judged by majorities."""
    path = Path(__file__).parents[2] / "traces" / "known_bugs" / f"{name}.itf.json"
    shown = run("show", str(path), "--as", "log")
    said = f"note: quorums of {name} are FlexibleQuorums, and no log says so; audit it with --t"
    assert shown.stderr.startswith(said) is quorums
    assert bool(shown.stderr) is quorums


def test_show_writes_to_a_file(run: Run, kept: Path) -> None:
    result = run("show", str(kept), "--output", "new/shown.txt")
    assert (result.exit_code, result.output) == (0, "")
    assert Path("new/shown.txt").read_text(encoding="utf-8") == run("show", str(kept)).stdout
    refused(run("show", str(kept), "-o", "."), "cannot be written")
    refused(run("show", str(kept), "-o", f"./{kept}"), f"is {kept}, which is to be read")
    assert read_trace(kept).recorded().length == "shortest"


@pytest.mark.parametrize("old", ["class Hasty", "class Tell", "import *\n"])
def test_show_does_not_need_the_target(old: str, run: Run, kept: Path) -> None:
    before = run("show", str(kept)).stdout
    change(old, {"class Hasty": "class Gone", "class Tell": "class Told"}.get(old, "1 / 0\n"))
    shown = run("show", str(kept))
    assert (shown.exit_code, shown.stdout) == (0, before)
    if old != "class Hasty":
        assert shown.stderr.startswith("note: mine:Tell could not be found, or changed since;")


def test_show_imports_what_the_document_names_unless_told_otherwise(run: Run, kept: Path) -> None:
    before = run("show", str(kept)).stdout
    change("from dataclasses", "open('imported', 'w').close()\nfrom dataclasses")
    shown = run("show", str(kept), "--no-import")
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, before, "")
    assert not Path("imported").exists()
    run("show", str(kept))
    assert Path("imported").exists()


@pytest.mark.parametrize("command", ["show", "replay", "minimize"])
def test_nothing_is_imported_for_what_is_damaged(command: str, run: Run, kept: Path) -> None:
    change("from dataclasses", "open('imported', 'w').close()\nfrom dataclasses")
    kept.write_text(kept.read_text().replace('"raised": ""', '"raised": "x"', 1))
    refused(run(command, str(kept)), f"Error: {kept}: states[0].raised is", "cause: ", "remedy: ")
    assert not Path("imported").exists()


@pytest.mark.parametrize("command", ["show", "replay", "minimize"])
def test_what_is_no_trace_is_one_message(command: str, run: Run) -> None:
    refused(run(command, "nowhere.itf.json"), "nowhere.itf.json cannot be read: No such file")
    refused(run(command, "mine.py"), "mine.py is no JSON")
    refused(run(command, "."), "" if command != "replay" else "there is no trace in .")


def test_what_is_shown_does_not_steer_a_terminal(run: Run, kept: Path) -> None:
    evil = "\\u001b[2J\\u0007\\u009b1m"
    kept.write_text(kept.read_text().replace('"explanation": "slot', f'"explanation": "{evil}slot')
                    .replace('"description": "slot', f'"description": "{evil}slot'))  # fmt: skip
    shown = run("show", str(kept)).stdout
    assert "\\x1b[2J\\x07\\x9b1mslot" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


# --- replay ---------------------------------------------------------------------------------------


def test_replay_on_the_same(run: Run, kept: Path) -> None:
    result = run("replay", str(kept))
    assert result.exit_code == 1
    assert result.stdout == (
        "still violates: agreement, after step 2 of 2, on mine:Hasty\n"
        "  slot 0: n0 decided 'a', n0 decided 'b'\n"
    )


OTHERS = {
    "mine:Hasty": (1, "violates"),
    "mine:Slow": (1, "violates"),
    "mine:Silent": (0, "holds"),
    "mine:Raises": (3, "does not fit"),
}


@pytest.mark.parametrize("target", OTHERS)
def test_replay_on_another(target: str, run: Run, kept: Path) -> None:
    exit_code, outcome = OTHERS[target]
    before = kept.read_bytes()
    result = run("replay", str(kept), "--target", target, "--json")
    shown = loaded(result)
    assert (result.exit_code, shown["outcome"], shown["target"]) == (exit_code, outcome, target)
    assert run("replay", str(kept), "--target", target).exit_code == exit_code
    assert kept.read_bytes() == before


def test_replay_that_raises_says_so(run: Run, kept: Path) -> None:
    assert run("replay", str(kept), "--target", "mine:Raises").stdout == (
        "no longer fits: step 1 of 2 raises an exception on mine:Raises\n"
        "  the implementation raised ValueError: not today (in handle, mine.py:34)\n"
        "  expected  n0 is given 'a' by a client\n"
    )


def test_replay_notes_classes_that_have_changed(run: Run, kept: Path) -> None:
    change("    command: str\n", "    command: str\n    more: int = 0\n")
    result = run("replay", str(kept))
    assert result.exit_code == 1
    assert result.stderr.startswith("note: mine:Tell could not be found, or changed since;")


def test_what_is_known_of_a_short_trace_is_not_forgotten(run: Run, kept: Path) -> None:
    assert run("minimize", str(kept)).exit_code == 0
    before = kept.read_bytes()
    assert b'"length": "shortest"' in before
    result = run("minimize", str(kept), "--no-search")
    assert result.stdout.splitlines()[0].endswith("the shortest there is")
    assert kept.read_bytes() == before


def test_an_exception_on_the_way_to_fewer_nodes_is_no_obstacle(run: Run, kept: Path) -> None:
    change("case Submit(command):", "case Submit(command) if node == 0 or 1 / 0:")
    change("return nodes, ()\n\n    def", "return len(nodes) > 2 and nodes, ()\n\n    def")
    change("for other in nodes if", "for other in iter(nodes) if")
    result = run("minimize", str(kept), "--no-search")
    assert result.exit_code == 0, result.output
    assert "minimized: 2 events to 2" in result.stdout
    assert run("replay", str(kept)).exit_code == 1


def test_replay_where_a_message_is_not_what_it_was(run: Run) -> None:
    (place,) = loaded(run("check", "mine:Hasty", "--save", "--json", "--submissions", "1",
                          "--property", "rules:no_far_behind"))["saved"]  # fmt: skip
    change("Tell(command)) for", "(command, 1)) for")
    result = run("replay", place)
    assert result.exit_code in (1, 3)
    if result.exit_code == 3:
        assert "\n  enabled   n0 " in result.stdout


def test_the_code_on_trial_cannot_exit_for_us(run: Run, kept: Path) -> None:
    for words in (
        ("replay", str(kept), "--target", "mine:Leaves"),
        ("check", "mine:Leaves"),
    ):
        refused(run(*words), "Error: the code on trial called exit(0)")
    change("class Hasty:", "class Hasty:\n    def __init__(self): raise SystemExit(0)\n")
    for command in ("replay", "minimize"):
        refused(run(command, str(kept)), "the code on trial called exit(0)")
    assert run("show", str(kept)).exit_code == 0
    change("self): raise SystemExit(0)", "self): raise ValueError")
    refused(run("replay", str(kept)), "Hasty() raised ValueError")
    assert run("show", str(kept)).exit_code == 0


def test_what_the_code_on_trial_prints_is_not_the_result(run: Run, kept: Path) -> None:
    result = run("replay", str(kept), "--target", "mine:Chatty", "--json")
    assert loaded(result)["outcome"] == "violates"
    assert "hello" in result.stderr


def test_replay_without_what_it_needs(run: Run, kept: Path) -> None:
    refused(run("replay", str(kept), "--target", "mine:Hastyy"), "has no 'Hastyy'", "Hasty")
    refused(run("replay", str(kept), "--target", "nobody"), "there is no target 'nobody'")
    kept.write_text(kept.read_text().replace('"target": "mine:Hasty"', '"target": ""'))
    refused(run("replay", str(kept)), "does not say which target it is about", "--target")
    assert run("replay", str(kept), "--target", "mine:Hasty").exit_code == 1
    Path("mine.py").unlink()
    refused(run("replay", str(kept), "--target", "mine:Hasty"), "there is no module 'mine'")


def test_marking_fixed(run: Run, kept: Path) -> None:
    before = kept.read_text()
    refused(run("replay", str(kept), "--mark-fixed"), "still violates agreement: it is not fixed")
    assert kept.read_text() == before
    fix = ("case Submit(command):", "case Submit(command) if command == 'a':")
    change(*fix)
    result = run("replay", str(kept), "--mark-fixed")
    assert result.stdout == (
        "no longer violates: agreement holds after each of 2 steps on mine:Hasty\n"
    )
    assert result.exit_code == 0
    assert kept.read_text() == before.replace('"fixed": false', '"fixed": true')
    assert "; it is marked fixed\n" in run("show", str(kept)).stdout
    assert run("replay", str(kept)).exit_code == 0
    change(*reversed(fix))
    result = run("replay", str(kept))
    assert result.exit_code == 1
    assert result.stdout.endswith("\n  it was marked fixed: this is a regression\n")


def test_what_no_longer_fits_may_be_fixed_too_but_not_if_it_is_violated_on_the_way(
    run: Run, kept: Path
) -> None:
    change('commands=("a", "b")', 'commands=("a", "b", "c")')
    text = kept.read_text()
    place, twice = Path("changed.itf.json"), '"submissions_max": 1'
    place.write_text(text.replace(twice, '"submissions_max": 0'))
    result = run("replay", str(place), "--mark-fixed")
    assert result.exit_code == 3
    assert "no longer fits: step 1 of 2 cannot happen on mine:Hasty" in result.stdout
    assert "followed all the same: 0 of 2 steps could happen," in result.stdout
    assert read_trace(place).fixed


def test_what_raises_is_not_fixed(run: Run, kept: Path) -> None:
    change("case Submit(command):", "case Submit(command) if 1 / 0:")
    refused(
        run("replay", str(kept), "--mark-fixed"),
        "could not be replayed to its end: the implementation raised ZeroDivisionError",
    )
    kept.write_text(kept.read_text().replace('"fixed": false', '"fixed": true'))
    alone, all_there_are = run("replay", str(kept)), run("replay", "traces")
    assert (alone.exit_code, all_there_are.exit_code) == (3, 3)
    assert alone.stdout.endswith(
        "\n  it was marked fixed, which an exception does not show: correct that first\n"
    )
    assert "; it was marked fixed\n0 of 1 traces in traces are as they are kept\n" in (
        all_there_are.stdout
    )


def test_an_exception_on_the_way_that_is_left_shows_nothing_either(run: Run) -> None:
    """A step cannot happen, and one that is followed all the same raises."""
    (place,) = loaded(run("check", "mine:Slowest", "--save", "--json", "--property",
                          "agreement"))["saved"]  # fmt: skip
    assert run("replay", place).exit_code == 1
    change('return nodes, (Send(1, Tell("a")),)', "return nodes, ()")
    change("GOOD = True", "GOOD = False")
    refused(run("replay", place, "--mark-fixed"), "could not be replayed to its end")


def test_one_that_is_fixed_may_no_longer_fit(run: Run, kept: Path) -> None:
    text = kept.read_text().replace('"submissions_max": 1', '"submissions_max": 0')
    kept.write_text(text.replace('"fixed": false', '"fixed": true'))
    for place in (str(kept), "traces"):
        assert run("replay", place).exit_code == 0


def test_marking_and_renewing_are_about_the_document_s_own_target(run: Run, kept: Path) -> None:
    for words in (
        ("--mark-fixed", "--renew"),
        ("--mark-fixed", "--target", "mine:Silent"),
        ("--renew", "--target", "mine:Silent"),
    ):
        refused(run("replay", str(kept), *words), "Usage: ")
    refused(run("replay", "traces", "--mark-fixed"), "not for a folder")
    assert not read_trace(kept).fixed


def test_renewing(run: Run, kept: Path) -> None:
    before = kept.read_bytes()
    assert run("replay", str(kept), "--renew").exit_code == 1
    assert kept.read_bytes() == before
    change("return nodes, ()\n\n    def", "return nodes, (Persist('more'),)\n\n    def")
    assert run("replay", str(kept), "--renew").exit_code == 1
    assert b'"more"' in kept.read_bytes()
    change("Decide(0, command), *", "Persist(command), *")
    refused(run("replay", str(kept), "--renew"), "there is nothing to renew", "--mark-fixed")


def test_replay_of_a_folder(run: Run, kept: Path) -> None:
    result = run("replay", "traces")
    line = f"  ✓ {KEPT}: still violates: agreement, after step 2 of 2, on mine:Hasty"
    assert (result.exit_code, result.stdout) == (
        0,
        f"{line}\n1 of 1 traces in traces are as they are kept\n",
    )
    fixed = Path("traces/below/fixed.itf.json")
    fixed.parent.mkdir()
    fixed.write_text(kept.read_text().replace('"fixed": false', '"fixed": true'))
    result = run("replay", "traces")
    assert result.exit_code == 1
    assert f"  ✗ {fixed}: still violates: agreement" in result.stdout
    assert "; it was marked fixed\n" in result.stdout
    assert result.stdout.endswith("\n1 of 2 traces in traces are as they are kept\n")
    result = run("replay", "traces", "--target", "mine:Silent")
    assert result.exit_code == 3
    assert f"  ✗ {kept}: no longer violates" in result.stdout
    assert f"  ✓ {fixed}: no longer violates" in result.stdout
    Path("traces/x.itf.json").write_text("{")
    result = run("replay", "traces")
    assert result.exit_code == 2
    assert "  ? traces/x.itf.json is no JSON" in result.stdout
    result = run("replay", "traces", "--json")
    shown = loaded(result)["traces"]
    assert [("error" in each, each.get("as_kept")) for each in shown] == [
        (False, False), (False, True), (True, None),
    ]  # fmt: skip
    assert result.exit_code == 2


# --- minimize -------------------------------------------------------------------------------------


@pytest.fixture
def long(run: Run) -> Path:
    """A trace with more events and commands than it takes, and a node that has no part in it."""
    (place,) = loaded(run("check", "mine:Hasty", "--property", "rules:no_far_behind", "--nodes",
                          "4", "--save", "--json"))["saved"]  # fmt: skip
    return Path(place)


def test_minimize_in_place(run: Run, long: Path) -> None:
    result = run("minimize", str(long))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "minimized: 2 events to 2, 100% of them, the shortest there is"
    assert lines[1] == f"saved as {long}"
    assert result.stderr.startswith("cut off at the first violation: 2 events, 4 nodes\n")
    smaller = read_trace(long).recorded()
    assert (len(smaller.trace.scope.nodes), smaller.length) == (2, "shortest")
    assert smaller.found["minimized"]["events_before"] == 2
    assert "minimized from 2 events" in run("show", str(long)).stdout
    assert run("replay", str(long)).exit_code == 1


def test_minimize_elsewhere_without_a_search(run: Run, long: Path) -> None:
    before = long.read_bytes()
    result = run("minimize", str(long), "-o", "new/small.itf.json", "--no-search", "--json")
    shown = loaded(result)
    assert (shown["length"], shown["saved"]) == ("irreducible", "new/small.itf.json")
    assert long.read_bytes() == before
    assert read_trace(Path("new/small.itf.json")).recorded().length == "irreducible"


def test_minimize_within_limits(run: Run) -> None:
    (place,) = loaded(run("check", "next_slot_from_own_log", "--save", "--json"))["saved"]
    shown = loaded(run("minimize", place, "--max-states", "1", "--json"))
    assert shown["length"] == "irreducible"
    assert "the limit of 1 states was reached" in shown["stages"][-1]["says"]


def test_minimize_what_violates_nothing(run: Run, kept: Path) -> None:
    before = kept.read_bytes()
    change("Decide(0, command), *", "Persist(command), *")
    refused(run("minimize", str(kept)), "the trace does not violate agreement", "replay")
    change("case Submit(command):", "case Submit(command) if 1 / 0:")
    refused(run("minimize", str(kept)), "ZeroDivisionError", "remedy: ")
    assert kept.read_bytes() == before


def test_minimize_that_cannot_be_written_leaves_the_old(run: Run, kept: Path) -> None:
    refused(run("minimize", str(kept), "--output", "."), "cannot be written")
    assert read_trace(kept).recorded().length == "shortest"


def test_json_fields_are_documented(run: Run, kept: Path) -> None:
    documented = DOCS.read_text(encoding="utf-8")
    shown = loaded(run("minimize", str(kept), "--json"))
    fields = {*shown, *shown["stages"][0]}
    fields |= {*loaded(run("replay", str(kept), "--json"))}
    fields |= {*loaded(run("replay", "traces", "--json"))}
    missing = [field for field in fields if f"`{field}`" not in documented]
    assert not missing


# --- in a process of their own --------------------------------------------------------------------

SLOW = """
import os, time
from indelible import *

class Counts:
    scope = Scope(nodes=1, commands=tuple("abcdefghijklmnop"), timeouts_max=0)
    def start(self, node, nodes, storage):
        return (), ()
    def handle(self, node, state, event):
        if os.environ.get("SLOW"):
            time.sleep(0.02)
        value = "x" if event.command == "p" else "y" if event.command == "b" else None
        after = (*state, event.command)
        return after, (Decide(0, value),) if value else (Decide(len(after), "z"),)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    code = (
        "from indelible import *\nfrom slow import Counts\n"
        "from indelible.evidence import evidence_of\n"
        "from indelible.checkers.properties import agreement\n"
        "from indelible.trace_files import keep_trace\n"
        "actions = tuple((0, Submit(command)) for command in Counts.scope.commands)\n"
        "trace = Trace('Counts', Counts.scope, actions, Violation('x', property='agreement'))\n"
        "print(keep_trace(evidence_of(Counts(), trace, agreement, target='slow:Counts')))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    place = tmp_path / made.stdout.strip()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "indelible", "minimize", str(place)],
        cwd=tmp_path,
        env={**os.environ, "SLOW": "1", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("cut off at the first violation: 16 events")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "(interrupted)" in stderr
    assert stdout.startswith("minimized: 16 events to ")
    smaller = read_trace(place).recorded()
    assert smaller.length == "as found"
    assert 2 < len(smaller.trace) <= 16
    assert smaller.found["minimized"]["stages"][-1]["says"] == "interrupted"


def test_a_real_process(run: Run, kept: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "indelible", "replay", str(kept)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == run("replay", str(kept)).stdout
