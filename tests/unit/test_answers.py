"""What a configured check finds out about each of its properties."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from indelible import Decide, Scope, Submit, Vote
from indelible.answers import Answer, Question, answered, memory_share, property_names
from indelible.checkers import properties
from indelible.configuration import Check, ConfiguredScope
from indelible.model.errors import ConfigurationError, ImplementationError

HERE = "test_answers_targets"


class Hasty:
    """Decides whatever it is given, at both nodes; votes for it only when it is given more."""

    scope = Scope(nodes=2, commands=("a", "b", "c"), timeouts_max=0)

    def start(self, node: Any, nodes: Any, storage: Any) -> Any:
        return (), ()

    def handle(self, node: Any, state: Any, event: Any) -> Any:
        if not isinstance(event, Submit):
            return state, ()
        votes = (Vote(0, 1, event.command),) if state else ()
        return (*state, event.command), (Decide(0, event.command), *votes)


class Mute(Hasty):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        state, effects = super().handle(node, state, event)
        return state, tuple(effect for effect in effects if isinstance(effect, Decide))


class Idle(Hasty):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        return state, ()


class Raises(Hasty):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        raise ValueError(event)


class Quits(Hasty):
    def handle(self, node: Any, state: Any, event: Any) -> Any:
        raise SystemExit(0)


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:

    module = ModuleType(HERE)
    for target in (Hasty, Mute, Idle, Raises, Quits):
        setattr(module, target.__name__, target)
    monkeypatch.setitem(sys.modules, HERE, module)


def check(target: str = "Hasty", how: Any = "explore") -> Check:
    return Check("c", f"{HERE}:{target}", (), None, how, {})


def ask(
    *names: str, of: Check | None = None, workers: int = 1, **limits: Any
) -> Mapping[str, Answer]:
    scope = ConfiguredScope("", {}, "here")
    return answered(Question(of or check(), scope, names, Path.cwd(), limits, workers=workers))


def results(answers: Mapping[str, Answer]) -> dict[str, tuple[str, str]]:
    return {name: (known.verdict, known.outcome) for name, known in answers.items()}


def test_each_property_has_an_answer_of_its_own() -> None:
    answers = ask("agreement", "validity", "stability", "entry_decided", "log_prefix")
    assert results(answers) == {
        "agreement": ("violated", "violated"),
        "stability": ("violated", "violated"),
        "validity": ("holds", "passed"),
        "entry_decided": ("reached", "passed"),
        "log_prefix": ("not observable", "not observable"),
    }
    for name in ("agreement", "stability"):
        evidence = answers[name].evidence
        assert evidence is not None
        assert evidence.trace.violation.property == evidence.property == name
    assert answers["validity"].facts == ask("validity")["validity"].facts


def test_what_was_not_exhausted_holds_nowhere() -> None:
    """Nor is it not observable: what gives no testimony so far may do so later."""
    answers = ask("validity", "entry_decided", "log_prefix", states_max=2)
    assert results(answers) == {
        "validity": ("inconclusive", "inconclusive"),
        "entry_decided": ("reached", "passed"),
        "log_prefix": ("inconclusive", "inconclusive"),
    }
    for name in ("validity", "log_prefix"):
        assert f"inconclusive: {name}: the limit of 2 states was reached" in answers[name].text


def test_the_memory_is_divided_among_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indelible.answers.memory_default", lambda: 2**22)
    assert [memory_share(workers) for workers in (1, 2, 4)] == [2**22, 2**21, 2**20]
    says = ask("validity", workers=2)["validity"].text
    assert "the memory limit of 2.0 MiB" in says
    assert ask("validity", workers=2, memory_bytes_max=None)["validity"].outcome == "passed"
    monkeypatch.setattr("indelible.answers.memory_default", lambda: None)
    assert memory_share(2) is None


def test_code_that_exits_does_not_end_the_run() -> None:
    with pytest.raises(ImplementationError, match=r"called exit\(0\)"):
        ask("validity", of=check("Quits"))


def by_chance(*names: str, of: str = "Hasty", seconds: float | None = 0.5) -> Mapping[str, Answer]:
    return ask(*names, of=check(of, "fuzz"), seconds_max=seconds)


def test_random_runs_answer_each_property_too() -> None:
    answers = by_chance("agreement", "validity", "stability", "entry_decided", "log_prefix")
    assert results(answers) == {
        "agreement": ("violated", "violated"),
        "stability": ("violated", "violated"),
        "validity": ("nothing found", "passed"),
        "entry_decided": ("reached", "passed"),
        "log_prefix": ("not observable", "not observable"),
    }
    for name in ("agreement", "stability"):
        evidence = answers[name].evidence
        assert evidence is not None
        assert evidence.trace.violation.property == evidence.property == name
        assert evidence.found["seed"] == answers[name].facts["seed"] == 0
    assert int(answers["validity"].facts["runs"]) > 1
    again = by_chance("agreement")["agreement"].evidence
    assert again == answers["agreement"].evidence


def test_what_nobody_can_tell_hides_nothing_from_random_runs() -> None:
    """Without votes every run looks as if it decided what was not chosen, and ends at once."""
    answers = by_chance("decided_implies_chosen", "agreement", of="Mute")
    assert results(answers) == {
        "decided_implies_chosen": ("not observable", "not observable"),
        "agreement": ("violated", "violated"),
    }


def test_random_runs_that_reach_nothing_show_nothing() -> None:
    answers = by_chance("validity", "entry_decided", of="Idle")
    assert {known.outcome for known in answers.values()} == {"inconclusive", "not observable"}
    assert answers["entry_decided"].text.startswith("inconclusive: entry_decided: no run reached")


def test_random_runs_that_raise_violate_everything() -> None:
    answers = by_chance("validity", "agreement", of="Raises")
    assert {known.outcome for known in answers.values()} == {"violated"}
    assert "implementation_raises" in answers["validity"].text


def test_random_runs_need_an_end() -> None:
    with pytest.raises(ConfigurationError, match="random runs have no end"):
        by_chance("validity", seconds=None)


def test_names_of_properties_are_short() -> None:
    own = Check("c", "x:y", (), ("agreement", "rules.more:Own.none"), "explore", {})
    assert property_names(own) == {"agreement": "agreement", "Own.none": "rules.more:Own.none"}
    assert list(property_names(check())) == [
        known.name for known in properties.default_properties()
    ]
