"""Mutation: the report is of this code, every survivor has a word, and what dies dies again.

The full run takes minutes and is a command (``mutation_run``). Here the mutants are only listed,
and the slow tests try again those that die in the tiny scopes, or are said to in a larger one.
"""

from __future__ import annotations

import ast

import pytest
from client_properties import CLIENT_PROPERTIES
from mutation_report import REPORT, WORDS, load_outcomes, load_words, report
from mutation_run import outcomes_of
from mutation_slips import slips_of
from mutation_trial import LARGER, TRIALS, clean
from mutator import all_mutants, digest

from indelible.checkers.properties import BUILT_IN

RUN_AGAIN = "run `python tests/mutation/mutation_run.py`, and give new survivors a word"

MUTANTS = all_mutants()
DIGEST, OUTCOMES = load_outcomes()

TINY = list(TRIALS)[:6]
"""The scopes in which most mutants die, within milliseconds."""


def test_every_mutant_of_this_code_was_tried() -> None:
    assert [mutant.name for mutant in MUTANTS] == list(OUTCOMES), RUN_AGAIN
    assert digest() == DIGEST, RUN_AGAIN


def test_every_survivor_has_a_word_and_every_word_a_survivor() -> None:
    survivors = {name for name, outcome in OUTCOMES.items() if not outcome.killer}
    words = load_words()
    assert sorted(survivors - set(words)) == [], "survive, and nobody has said why"
    assert sorted(set(words) - survivors) == [], "have a word, and do not survive"
    assert {known.word for known in words.values()} <= set(WORDS)
    assert all(known.why for known in words.values())
    assert {known.scope for known in words.values()} == {"", *LARGER}


def test_what_clients_may_count_on_is_broken_by_some_mutant() -> None:
    """Of each of our own properties: one that kills nothing might be one that cannot fail."""
    killers = {outcome.killer for outcome in OUTCOMES.values()}
    assert {
        known.name for known in (*CLIENT_PROPERTIES, BUILT_IN["execution_not_repeated"])
    } <= killers


def test_the_report_is_of_these_outcomes() -> None:
    written = REPORT.read_text(encoding="utf-8")
    assert written == report(MUTANTS, OUTCOMES, load_words()), (
        "run `python tests/mutation/mutation_run.py --report`"
    )


def test_a_mutant_differs_in_one_place_and_can_be_compiled() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.module, mutant.source) for mutant in MUTANTS}) == len(MUTANTS)
    for mutant in MUTANTS:
        compile(mutant.source, mutant.module, "exec")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", ["a <= b", "a >= b", "a != b"]),
        ("a is None", ["a is not None"]),
        ("a and b", ["a or b", "b", "a", "not a and b", "a and (not b)"]),
        ("not a", ["a"]),
        ("a + 1", ["a - 1", "a"]),
        ("3", ["4", "2"]),
        ("True", ["False"]),
        ("(a, *b)", ["(*b,)", "(a,)", "(*b, a)"]),
        ("{a, b}", ["{b}", "{a}"]),
        ("log[a:b]", ["log[:b]", "log[a:]"]),
        ("old", ["new"]),
        ("max(a)", ["min(a)"]),
        ("replace(a, b=c)", ["a", "replace(a)"]),
        ("tuple(a)", ["()", "tuple(a)[:1]", "tuple(a)[1:]"]),
        ("Step(a, b)", ["Step(a)"]),
        ("Refused(a, b)", ["Refused(b, a)"]),
        ("self.nodes", ["self.peers"]),
    ],
)
def test_slips(code: str, expected: list[str]) -> None:
    node = ast.parse(code, mode="eval").body
    slips = slips_of(node, is_condition=False, returns="", states=("old", "new"))
    assert [ast.unparse(ast.fix_missing_locations(instead)) for _, instead in slips] == expected


@pytest.mark.slow
def test_the_clean_code_holds_in_every_scope() -> None:
    for name, trial in TRIALS.items():
        verdict = clean(trial)
        assert (verdict.outcome, verdict.states_distinct) == ("holds", trial.states), name


@pytest.mark.slow
def test_what_dies_in_the_tiny_scopes_dies_there_again() -> None:
    """One in five, which is a fixed sample."""
    clean(TRIALS[TINY[0]])  # The kernels are compiled once, and not in every fork.
    sample = [mutant for mutant in MUTANTS if OUTCOMES[mutant.name].trial in TINY][::5]
    again = {mutant.name: outcome for mutant, outcome in outcomes_of(sample, workers=2)}
    assert len(again) == len(sample) > 50
    assert again == {name: OUTCOMES[name] for name in again}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_what_is_said_to_die_in_a_larger_scope_dies_there(name: str) -> None:
    trial = LARGER[name]
    assert clean(trial).trace is None
    words = load_words()
    said = [one for one in MUTANTS if one.name in words and words[one.name].scope == name]
    assert said
    for mutant, outcome in outcomes_of(said, workers=2, trials={name: trial}):
        assert outcome.killer in BUILT_IN, mutant.name
