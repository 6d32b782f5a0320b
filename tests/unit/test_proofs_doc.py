"""docs/proofs.md tells the truth: its snippets run, in order, and print what it shows."""

from __future__ import annotations

import contextlib
import io
import re
from itertools import pairwise
from pathlib import Path

from click.testing import CliRunner

from indelible.checkers.lemmas.induction import induction_obligations
from indelible.checkers.lemmas.safety import PROTOCOLS, safety_obligations
from indelible.checkers.lemmas.single_decree import SINGLE_DECREE
from indelible.cli import main

DOC = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)


def test_the_snippets_print_what_is_shown() -> None:
    names: dict[str, object] = {"__name__": "snippets"}
    compared = 0
    for (kind, text), (_, shown) in pairwise(BLOCKS):
        if kind != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "docs/proofs.md", "exec"), names)
        assert printed.getvalue() == shown
        compared += 1
    assert compared == len([kind for kind, _ in BLOCKS if kind == "python"]) == 5


def test_the_shown_proof_is_the_one_there_is() -> None:
    command, shown = re.findall(r"^\$ indelible (.*)\n(proved: .*)$", DOC, re.MULTILINE)[0]
    result = CliRunner().invoke(main, [*command.split(), "--timeout", "60s"])
    assert result.exit_code == 0
    assert result.stdout == f"{shown}\n"
    assert f"{len(safety_obligations())} obligations" in shown


def test_the_shown_counterexample_is_the_one_there_is() -> None:
    (shown,) = (text for kind, text in BLOCKS if text.startswith("Refuted: "))
    title, *lines = shown.splitlines()
    name, group = re.fullmatch(r"Refuted: (\S+) of (.*)", title).groups()
    assert group == SINGLE_DECREE.name
    (weaken,) = re.findall(r"^\$ indelible prove safety --weaken (\S+)$", DOC, re.MULTILINE)
    weaker = SINGLE_DECREE.without(weaken)
    obligation = next(known for known in induction_obligations(weaker) if known.name == name)
    assert [f"      {line}" for line in obligation.prove(60.0).counterexample] == lines


def test_the_actions_are_all_told() -> None:
    section = DOC.split("## The protocol")[1].split("## Why it is safe")[0]
    for action in PROTOCOLS[1].actions:
        word = action.name.split("_")[0].removesuffix("e")
        assert re.search(rf"\*{word}\w*\*", section), action.name


def test_how_much_earlier_bugs_leave_the_proof_is_what_the_table_says() -> None:
    rows = re.findall(r"^\| `\w+` \| `[\w.]+` \| (\d+) \| `\w+` \| (\d+) \|$", DOC, re.MULTILINE)
    gains = [int(found) - int(left) for left, found in rows]
    earlier = [gain for gain in gains if gain > 0]
    assert min(gains) == 0
    average = sum(earlier) / len(earlier)
    told = f"{len(earlier)} of {len(rows)} earlier, by {average:.1f} events on average, and none"
    assert told in " ".join(DOC.split())
