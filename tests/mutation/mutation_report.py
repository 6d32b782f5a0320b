"""Report: what became of the mutants, for machines (``outcomes.tsv``) and for people.

A survivor has a word (``words.toml``) that a person gave it, for a reason. This file decides
nothing: it joins mutants, outcomes and words, and renders them.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mutation_trial import TRIALS, Outcome
from mutator import Mutant

__all__ = ["REPORT", "WORDS", "Word", "load_outcomes", "load_words", "report", "save_outcomes"]

HERE: Final = Path(__file__).parent
OUTCOMES: Final = HERE / "outcomes.tsv"
REPORT: Final = HERE.parents[1] / "docs" / "mutation.md"

WORDS: Final = {
    "equivalent": "nothing that the protocol promises differs",
    "performance only": "more is sent, saved or computed than need be, and nothing else differs",
    "liveness only": "something may not happen, or later; what happens is right",
    "larger scope": "something wrong can happen, and in a scope too large for this run is seen",
    "gap": "something wrong can happen that no property sees",
}
"""What can be said of a survivor."""


class Word(NamedTuple):
    """What is said of a survivor, and why; ``scope`` is the larger one in which it dies."""

    word: str
    why: str
    scope: str = ""


def save_outcomes(mutants: Sequence[Mutant], outcomes: Mapping[str, Outcome], digest: str) -> None:
    """One line per mutant that was tried, after one with the digest of the code."""
    tried = (mutant.name for mutant in mutants if mutant.name in outcomes)
    lines = [digest, *("\t".join((name, *outcomes[name])) for name in tried)]
    OUTCOMES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_outcomes() -> tuple[str, dict[str, Outcome]]:
    """The digest of the code that was run, and what became of each mutant of it."""
    digest, *lines = OUTCOMES.read_text(encoding="utf-8").splitlines()
    parts = [line.split("\t") for line in lines]
    return digest, {name: Outcome(trial, killer) for name, trial, killer in parts}


def load_words() -> dict[str, Word]:
    """What is said of each survivor, by its name. Raises ``ValueError`` if two things are."""
    known: dict[str, Word] = {}
    for group in tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))["group"]:
        for name in group["mutants"]:
            if name in known:
                raise ValueError(f"two words on {name}")
            why = " ".join(group["why"].split())
            known[name] = Word(group["word"], why, group.get("scope", ""))
    return known


# --- for people ---------------------------------------------------------------------------------


def report(
    mutants: Sequence[Mutant], outcomes: Mapping[str, Outcome], words: Mapping[str, Word]
) -> str:
    """The report as Markdown."""
    survivors = [mutant for mutant in mutants if not outcomes[mutant.name].killer]
    said = Counter(words[mutant.name].word for mutant in survivors)
    counts = ", ".join(f"{said[word]} *{word}*" for word in WORDS)
    lines = [
        "# Mutation",
        "",
        "Written by `python tests/mutation/mutation_run.py`. It makes one small slip at a time in",
        "`impl/multipaxos`, and lets the explorer try what comes of it in the scopes below. A",
        "mutant is killed where the verdict is not *holds*; other counts of states are no kill.",
        "What survives has a word, given by a person in `tests/mutation/words.toml`.",
        "",
        f"**{len(mutants) - len(survivors)} of {len(mutants)} mutants are killed.**",
        f"The words on the other {len(survivors)}: {counts}.",
        "",
        *_by("File", mutants, outcomes, lambda mutant: f"`{mutant.module}.py`"),
        *_by("Slip", mutants, outcomes, lambda mutant: mutant.kind),
        *_killed_by(outcomes),
        *_scopes(outcomes),
        "## Survivors",
        "",
    ]
    for word, means in WORDS.items():
        if said[word]:
            lines += [f"### {word.capitalize()}", "", f"Here {means}.", ""]
            lines += _with_word(word, survivors, words)
    return "\n".join(lines).rstrip() + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Text on the left, numbers on the right."""
    first, *rest = head
    rule = ["---", *("---:" for _ in rest)]
    return [*(f"| {' | '.join(map(str, row))} |" for row in ([first, *rest], rule, *rows)), ""]


def _by(
    title: str,
    mutants: Sequence[Mutant],
    outcomes: Mapping[str, Outcome],
    key: Callable[[Mutant], str],
) -> list[str]:
    every = Counter(key(mutant) for mutant in mutants)
    alive = Counter(key(mutant) for mutant in mutants if not outcomes[mutant.name].killer)
    rows = [(name, every[name], every[name] - alive[name], alive[name]) for name in every]
    return _table((title, "mutants", "killed", "survive"), rows)


def _killed_by(outcomes: Mapping[str, Outcome]) -> list[str]:
    killers = Counter(outcome.killer for outcome in outcomes.values() if outcome.killer)
    rows = sorted(killers.items(), key=lambda row: (-row[1], row[0]))
    return _table(("Killed by", "mutants"), [(f"`{name}`", number) for name, number in rows])


def _scopes(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The scopes, in the order in which they are tried; a mutant dies in the first that kills."""
    kills = Counter(outcome.trial for outcome in outcomes.values())
    lines = _table(
        ("Scope, in the order tried", "states of the clean code", "killed first here"),
        [(name, f"{trial.states:,}", kills[name]) for name, trial in TRIALS.items()],
    )
    for name, trial in TRIALS.items():
        bounds = "; ".join(f"{bound} {says}" for bound, says in trial.scope.lines())
        lines.append(f"- *{name}*: {bounds}; {trial.quorums}")
    return [*lines, ""]


def _with_word(word: str, survivors: Sequence[Mutant], words: Mapping[str, Word]) -> Iterator[str]:
    """The survivors of one word, by reason."""
    reasons = dict.fromkeys(
        words[mutant.name].why for mutant in survivors if words[mutant.name].word == word
    )
    for why in reasons:
        yield from (why, "")
        for mutant in survivors:
            if words[mutant.name][:2] == (word, why):
                yield f"- `{mutant.module}.py:{mutant.line}` {mutant.kind}: " + _change(mutant)
        yield ""


def _change(mutant: Mutant) -> str:
    return f"`- {mutant.before}` `+ {mutant.after}`"
