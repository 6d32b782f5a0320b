"""Stateful: Hypothesis lets a cluster run, and what fails is small, readable and kept."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from indelible import (
    Decide,
    IndelibleError,
    Limits,
    PropertyError,
    PropertyViolated,
    Receive,
    Scope,
    ScopeError,
    Send,
    Submit,
    always,
    cluster_machine,
)
from indelible.checkers.stateful.machine import CHANGES_MAX, STRATEGIES, ClusterMachine
from indelible.checkers.stateful.offers import FAULTS, OFFERS
from indelible.cli import main
from indelible.impl.known_bugs import KNOWN_BUGS
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.scope import LINKS
from indelible.trace_files import read_trace, trace_paths

QUICK = settings(
    max_examples=12,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.target],
    suppress_health_check=list(HealthCheck),
)
SHRINKING = settings(QUICK, max_examples=60, phases=[Phase.generate, Phase.shrink])
ROOMY = Scope(
    commands=("a", "b"),
    submissions_max=2,
    timeouts_max={"election": 3, "heartbeat": 1, "retransmit": 1},
    restarts_max=4,
    torn=True,
)
HALF = KNOWN_BUGS["phase2_quorum_half"]
NO_SEARCH = Limits(states_max=1)


class Hasty:
    """Whoever is given a command decides it, and tells the others. It gives no other testimony."""

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


class Raises(Hasty):
    def handle(self, node, nodes, event):
        if isinstance(event, Receive):
            raise ValueError("not today")
        return super().handle(node, nodes, event)


class StartRaises(Hasty):
    def start(self, node, nodes, storage):
        raise ValueError("not even once")


def failure_of(machine: type[ClusterMachine], chosen: settings = SHRINKING) -> PropertyViolated:
    with pytest.raises(PropertyViolated) as caught:
        run_state_machine_as_test(machine, settings=chosen)
    return caught.value


def steps_of(
    machine: type[ClusterMachine], capsys: pytest.CaptureFixture[str], chosen: settings = QUICK
) -> list[str]:
    """What happened in all runs: a line for each rule."""
    capsys.readouterr()
    run_state_machine_as_test(machine, settings=settings(chosen, verbosity=Verbosity.debug))
    return re.findall(r"^state\.(.*)$", capsys.readouterr().out, re.MULTILINE)


def rules_of(steps: list[str]) -> set[str]:
    return {step.split("(")[0] for step in steps}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[PropertyViolated, Path]:
    """A known bug, found by the machine, shrunk, minimized and kept."""
    folder = tmp_path_factory.mktemp("traces")
    machine = cluster_machine(
        HALF.implementation,
        replace(HALF.scope, timeouts_max=3),
        properties=[HALF.property],
        save=folder,
    )
    return failure_of(machine), folder


def test_a_known_bug_is_found_and_told(found: tuple[PropertyViolated, Path]) -> None:
    failure, folder = found
    says = str(failure)
    assert isinstance(failure, AssertionError)
    assert failure.property == HALF.property
    assert says.startswith(f"{HALF.property}: slot 0: ")
    assert "Counterexample: " in says
    assert f"Violated: {HALF.property}" in says
    assert "Found by random testing, strategy swarm." in says
    (path,) = trace_paths(folder)
    assert f"Kept as {path}" in says


def test_the_trace_that_is_kept_is_replayed(found: tuple[PropertyViolated, Path]) -> None:
    (path,) = trace_paths(found[1])
    done = CliRunner().invoke(main, ["replay", str(path)])
    assert done.exit_code == 1, done.output
    assert "still violates" in done.output
    assert read_trace(path).recorded().found["strategy"] == "swarm"


def test_what_is_left_is_the_shortest_there_is(found: tuple[PropertyViolated, Path]) -> None:
    minimized = found[0].minimized
    assert minimized is not None
    assert minimized.length == "shortest"
    assert len(minimized.trace) <= minimized.before <= 12, "Hypothesis has shrunk it before"


def test_nothing_is_kept_where_that_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    machine = cluster_machine(Hasty(), Scope(commands=("a", "b")), save=None, limits=NO_SEARCH)
    assert "Kept as" not in str(failure_of(machine))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_clean_implementation_passes(strategy) -> None:
    machine = cluster_machine(MultiPaxos(), ROOMY, strategy=strategy, save=None)
    run_state_machine_as_test(machine, settings=QUICK)
    assert machine.trial.not_observable == ()


def test_its_test_case_is_a_unit_test() -> None:
    case = cluster_machine(MultiPaxos(), save=None).TestCase
    case.settings = settings(QUICK, max_examples=2)
    case().runTest()


EVERYWHERE = {"deliver", "fire", "heal", "partition", "restart", "submit", "submit_again", "tear"}


@pytest.mark.parametrize(
    ("links", "more"),
    list(zip(LINKS, [{"drop", "duplicate", "reorder"}, {"drop", "reorder"}, set()], strict=True)),
)
def test_every_rule_that_the_links_allow_is_used(links, more, capsys) -> None:
    machine = cluster_machine(
        MultiPaxos(), replace(ROOMY, links=links), strategy="uniform", save=None
    )
    used = rules_of(steps_of(machine, capsys, settings(QUICK, max_examples=40)))
    assert used - {"idle", "teardown"} == EVERYWHERE | more


def test_where_nothing_can_happen_any_more_a_run_idles(capsys) -> None:
    machine = cluster_machine(
        Hasty(), Scope(commands=("a",), timeouts_max=0), strategy="uniform", save=None
    )
    steps = steps_of(machine, capsys)
    assert "idle()" in steps
    silent = cluster_machine(Hasty(), Scope(commands=()), properties=["agreement"], save=None)
    with pytest.raises(PropertyError, match="agreement: not observable"):
        run_state_machine_as_test(silent, settings=QUICK)


def stand(strategy: str = "uniform", **fields) -> ClusterMachine:
    machine = cluster_machine(MultiPaxos(), replace(ROOMY, **fields), strategy=strategy, save=None)
    return machine()


def test_a_partition_holds_messages_back_and_healing_frees_them() -> None:
    machine = stand()
    machine.happen(machine.offers("fire")[0])
    assert [option.node for option in machine.offers("deliver")] == [1, 2]
    machine.partition(nodes=(2,))
    assert [option.node for option in machine.offers("deliver")] == [1]
    assert [option.node for option in machine.offers("drop")] == [1]
    assert not machine.may_part()
    machine.heal()
    assert [option.node for option in machine.offers("deliver")] == [1, 2]


def test_a_message_that_is_lost_is_not_delivered() -> None:
    machine = stand()
    machine.happen(machine.offers("fire")[0])
    (lost, _) = machine.offers("drop")
    machine.drop(message=type("Offer", (), {"option": lost}))
    assert [option.node for option in machine.offers("deliver")] == [2]
    assert len(machine.stage.actions) == 1, "a loss is no event"


def test_only_a_younger_message_can_overtake() -> None:
    machine = stand()
    bid = machine.offers("fire")[0]
    machine.happen(bid)
    assert machine.offers("reorder") == []
    machine.happen(bid)
    overtaking = machine.offers("reorder")
    assert [(option.node, option.which) for option in overtaking] == [(1, 1), (2, 1)]


def test_swarm_lets_only_the_chosen_faults_happen(capsys) -> None:
    machine = cluster_machine(MultiPaxos(), ROOMY, strategy="swarm", save=None)
    allowed: tuple[str, ...] = ()
    chosen = set()
    for step in steps_of(machine, capsys):
        name = step.split("(")[0]
        if name == "allow":
            allowed = tuple(re.findall(r"'(\w+)'", step))
            chosen.add(allowed)
        elif name in FAULTS:
            assert name in allowed
    assert len(chosen) > 3, "every run has faults of its own"


def test_by_priority_one_link_is_offered_and_demoting_it_changes_which() -> None:
    machine = stand("priority")
    indices = range(3)
    links = [(index, source) for index in indices for source in indices if index != source]
    machine._order = {link: place for place, link in enumerate(reversed(links))}
    machine.happen(machine.offers("fire")[0])
    assert [option.node for option in machine.offers("deliver")] == [2]
    assert machine.may_demote()
    machine.demote()
    assert [option.node for option in machine.offers("deliver")] == [1]
    for _ in range(CHANGES_MAX - 1):
        machine.demote()
    assert not machine.may_demote()


def test_targeted_tells_hypothesis_how_contested_a_run_was(capsys) -> None:
    machine = cluster_machine(MultiPaxos(), ROOMY, strategy="targeted", save=None)
    verbose = settings(QUICK, verbosity=Verbosity.verbose)
    run_state_machine_as_test(machine, settings=verbose)
    told = re.findall(r"Saw target\((\d+), label='([\w ]+)'\)", capsys.readouterr().out)
    assert {label for _, label in told} == {
        "competing ballots",
        "contested slots",
        "ballots led",
        "slots decided",
    }
    assert any(int(number) for number, label in told if label == "competing ballots")


def test_strategies_choose_differently(capsys) -> None:
    runs = {
        strategy: tuple(
            steps_of(cluster_machine(MultiPaxos(), ROOMY, strategy=strategy, save=None), capsys)
        )
        for strategy in STRATEGIES
    }
    assert len(set(runs.values())) == len(STRATEGIES)


def test_a_derandomized_machine_does_the_same_again(capsys) -> None:
    def again() -> list[str]:
        return steps_of(cluster_machine(MultiPaxos(), ROOMY, save=None), capsys)

    assert again() == again()


def test_an_exception_is_a_failure_too(tmp_path: Path) -> None:
    machine = cluster_machine(Raises(), Scope(commands=("a",)), save=tmp_path)
    failure = failure_of(machine)
    assert failure.property == "implementation_raises"
    assert "ValueError: not today" in str(failure)
    assert "Counterexample: 2 events" in str(failure)


def test_so_is_one_in_the_first_start() -> None:
    machine = cluster_machine(StartRaises(), Scope(commands=("a",)), save=None)
    failure = failure_of(machine)
    assert failure.property == "implementation_raises"
    assert "ValueError: not even once" in str(failure)


def test_what_nobody_could_see_is_not_judged_and_said() -> None:
    machine = cluster_machine(Hasty(), Scope(commands=("a", "b")), save=None, limits=NO_SEARCH)
    assert failure_of(machine).property == "agreement"
    assert "decided_implies_chosen" in machine.trial.not_observable
    asked = cluster_machine(Hasty(), properties=["decided_implies_chosen"], save=None)
    with pytest.raises(PropertyError, match="decided_implies_chosen: not observable"):
        run_state_machine_as_test(asked, settings=QUICK)


def test_each_property_that_is_violated_is_a_failure_of_its_own() -> None:
    @always(reads="record", fields=("decided",))
    def never_b(record):
        """Nobody decides 'b'."""
        return all(value != "b" for _, value in record.decided)

    machine = cluster_machine(
        Hasty(),
        Scope(commands=("a", "b")),
        properties=["agreement", never_b],
        save=None,
        limits=NO_SEARCH,
    )
    with pytest.raises(ExceptionGroup) as caught:
        run_state_machine_as_test(machine, settings=SHRINKING)
    failures = caught.value.exceptions
    assert sorted(failure.property for failure in failures) == ["agreement", "never_b"]


def test_what_was_reached_is_known() -> None:
    machine = cluster_machine(Hasty(), Scope(commands=("a",)), save=None)
    run_state_machine_as_test(machine, settings=QUICK)
    assert machine.trial.judge.reached == {"entry_decided"}


def test_what_failed_is_remembered() -> None:
    database = InMemoryExampleDatabase()
    machine = cluster_machine(Hasty(), Scope(commands=("a", "b")), save=None, limits=NO_SEARCH)
    remembering = settings(SHRINKING, derandomize=False, database=database)
    failure_of(machine, remembering)
    failure_of(machine, settings(remembering, phases=[Phase.reuse]))


def test_a_question_that_makes_no_sense_is_refused_at_the_door() -> None:
    with pytest.raises(IndelibleError, match="unknown strategy 'best'"):
        cluster_machine(MultiPaxos(), strategy="best")  # type: ignore[arg-type]
    with pytest.raises(PropertyError, match="unknown property"):
        cluster_machine(MultiPaxos(), properties=["agrement"])
    with pytest.raises(ScopeError):
        cluster_machine(MultiPaxos(), 3)  # type: ignore[arg-type]


def test_every_offer_belongs_to_a_rule() -> None:
    rules = {rule.function.__name__ for rule in ClusterMachine.setup_state().rules}
    assert set(OFFERS) < rules
    assert rules - set(OFFERS) == {"partition", "heal", "idle"}
    assert set(FAULTS) < rules
