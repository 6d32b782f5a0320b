"""One text, read in several ways, that must agree: plainly, by SAT, and by search.

The numbers of reachable states are pinned beside their universe: a solver that is asked for all of
them and a search that walks them must find the same.
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
import z3

from indelible.checkers.lemmas.bounded import (
    count_states,
    run_lines,
    shortest_run,
    shortest_violation,
)
from indelible.checkers.lemmas.finite import (
    Facts,
    Instance,
    Plain,
    after,
    broken_laws,
    happenings,
    is_enabled,
    levels,
)
from indelible.checkers.lemmas.grounded import Grounded
from indelible.checkers.lemmas.instances import (
    minimal_quorums,
    multi_paxos_instance,
    single_decree_instance,
)
from indelible.checkers.lemmas.multi_paxos import MULTI_PAXOS
from indelible.checkers.lemmas.protocol import After
from indelible.checkers.lemmas.safety import bad_run
from indelible.checkers.lemmas.single_decree import SINGLE_DECREE
from indelible.model.quorums import FlexibleQuorums, MajorityQuorums

SECONDS = 300.0

APART = FlexibleQuorums(phase1_size=1, phase2_size=1)

COUNTED = [
    (single_decree_instance(nodes=2), (1, 4, 6, 8, 17, 24, 24, 24, 18, 14, 10, 4, 2)),
    (multi_paxos_instance(nodes=2, ballots=1, values=1), (1, 2, 3, 2, 1, 1, 1, 2, 1, 1)),
    (multi_paxos_instance(nodes=2, ballots=1), (1, 2, 3, 2, 1, 1, 2, 4, 2, 2)),
    (multi_paxos_instance(nodes=1), (1, 2, 3, 4, 7, 10, 13, 12, 12, 10, 8, 4, 2)),
]
"""How many states take 0, 1, … actions to reach."""


@pytest.mark.parametrize(("instance", "counts"), COUNTED)
def test_search_and_solver_count_the_same_states(
    instance: Instance, counts: tuple[int, ...]
) -> None:
    assert tuple(len(level) for level in levels(instance)) == counts
    assert count_states(instance, depth_max=len(counts)) == counts


@pytest.mark.parametrize("instance", [instance for instance, _ in COUNTED])
def test_every_reachable_state_satisfies_the_invariant(instance: Instance) -> None:
    laws = (*instance.protocol.axioms, *instance.protocol.invariant)
    decided = 0
    for level in levels(instance):
        for facts in level:
            assert broken_laws(instance, facts, laws) == ()
            decided += instance.protocol.decision.read(
                Plain(instance.elements, {**instance.rigid, **facts}), {}
            )
    assert decided > 0


def test_a_search_can_be_cut_short() -> None:
    instance, counts = COUNTED[0]
    assert tuple(len(level) for level in levels(instance, depth_max=3)) == counts[:4]
    assert count_states(instance, depth_max=3) == counts[:4]


INSTANCES = {
    SINGLE_DECREE: single_decree_instance(nodes=2, ballots=3),
    MULTI_PAXOS: multi_paxos_instance(nodes=2, ballots=2, slots=2),
}


def random_facts(instance: Instance, random: Random) -> Facts:
    """Any state at all, reachable or not."""
    return {
        relation: frozenset(
            arguments
            for arguments in product(*(instance.elements[sort] for sort in relation.sorts))
            if random.random() < 0.3
        )
        for relation in (*instance.protocol.changing, *instance.protocol.rigid)
    }


@pytest.mark.parametrize("instance", INSTANCES.values(), ids=lambda known: known.protocol.name)
@pytest.mark.parametrize("seed", range(3))
def test_plain_and_propositional_readings_agree(instance: Instance, seed: int) -> None:
    """In any state, for every law; and after any action, read there or by substitution."""
    random = Random(seed)
    facts = random_facts(instance, random)
    tuples = {
        (relation, arguments): z3.Bool(f"{relation.name}{arguments}")
        for relation in facts
        for arguments in product(*(instance.elements[sort] for sort in relation.sorts))
    }
    solver = z3.Solver()
    for (relation, arguments), known in tuples.items():
        solver.add(known == (arguments in facts[relation]))
    assert solver.check() == z3.sat
    model = solver.model()
    grounded = Grounded(instance.elements, lambda relation, known: tuples[relation, known])
    plain = Plain(instance.elements, facts)

    def truth(known: bool | z3.BoolRef) -> bool:
        return known if isinstance(known, bool) else z3.is_true(model.eval(known))

    laws = (*instance.protocol.axioms, *instance.protocol.invariant)
    for law in laws:
        assert truth(law.closed.read(grounded, {})) == law.closed.read(plain, {}), law.name
    free = Instance(instance.protocol, instance.elements, {})
    for action, arguments in random.sample(list(happenings(instance)), 6):
        binding = dict(zip(action.parameters, arguments, strict=True))
        enabled = is_enabled(free, facts, (action, arguments))
        assert truth(action.is_enabled(grounded, binding)) == enabled
        behind = Plain(instance.elements, after(free, facts, (action, arguments)))
        substituted = After(plain, action, binding)
        for law in laws:
            expected = law.closed.read(behind, {})
            assert law.closed.read(substituted, {}) == expected, (action.name, law.name)
            reached = law.closed.read(After(grounded, action, binding), {})
            assert truth(reached) == expected, (action.name, law.name)


def test_a_decision_can_be_reached() -> None:
    """Two promises, both heard, a leader, a proposal, two votes: the least it takes."""
    instance = multi_paxos_instance()
    run = shortest_run(instance, MULTI_PAXOS.decision, depth_max=12, timeout_seconds=SECONDS)
    assert run is not None
    assert [action.name for action, _ in run.steps].count("vote") == 2
    assert len(run.steps) == 9
    lines = run_lines(run)
    assert lines[0] == "Run: 9 events, the shortest there is."
    assert lines[-1].startswith("   9  v")
    assert not any("Violated" in line for line in lines)


def test_quorums_that_do_not_meet_let_a_run_go_wrong() -> None:
    instance = single_decree_instance(nodes=2, quorums=APART)
    run = shortest_violation(instance, depth_max=12, timeout_seconds=SECONDS)
    assert run is not None
    lines = run_lines(run)
    assert lines[0] == "Counterexample: 8 events, the shortest there is."
    assert lines[1].startswith("   1  n")
    assert "Violated: agreement" in lines
    assert sum("is decided, by the votes of" in line for line in lines[-2:]) == 2


def test_quorums_that_meet_let_none() -> None:
    instance = single_decree_instance(nodes=2)
    # It has states 12 actions away, and none further.
    assert shortest_violation(instance, depth_max=12, timeout_seconds=SECONDS) is None


def test_a_search_that_has_no_time_says_so() -> None:
    with pytest.raises(TimeoutError, match="no run of fewer than 0 steps"):
        shortest_violation(single_decree_instance(), depth_max=12, timeout_seconds=0)


def test_a_guard_that_is_missing_lets_a_run_go_wrong() -> None:
    shown = bad_run("decide.quorum_voted", SECONDS)
    assert shown.reason == ""
    assert shown.lines[0] == "Counterexample: 2 events, the shortest there is."
    assert shown.lines[4:6] == (
        "Violated: agreement",
        "      No two values are decided in one slot.",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("votes_bind", "it is a conjunct: what can happen is the same without it"),
        (
            "ballots_are_total",
            "small universes number their ballots, so it cannot be left out there",
        ),
        (
            "ballots_are_transitive",
            "small universes number their ballots, so it cannot be left out there",
        ),
    ],
)
def test_what_lets_no_run_go_wrong(name: str, reason: str) -> None:
    assert bad_run(name, SECONDS) == ((), reason)


def test_what_only_paxos_for_one_decision_has_lets_its_runs_go_wrong() -> None:
    shown = bad_run("propose_freely.quorum_promised", SECONDS)
    assert shown.lines[0] == "Counterexample: 8 events, the shortest there is."
    assert "      No two values are decided." in shown.lines


EVENTS = {
    "ballots_are_owned": 14,
    "quorums_meet": 14,
    "hear.promised": 14,
    "lead.own_ballot": 14,
    "lead.quorum_heard": 10,
    "propose_freely.elected": 8,
    "propose_freely.slot_unused": 13,
    "propose_freely.slot_free": 18,
    "propose_again.highest_vote": 18,
    "vote.not_left": 18,
    "vote.proposed": 6,
    "decide.quorum_voted": 2,
    "propose_freely.nothing_proposed": 10,
    "propose_freely.no_votes": 12,
    "propose_again.nothing_proposed": 14,
    "propose_again.a_vote": 12,
}
"""The axioms and guards that a run among three nodes with two ballots shows to be needed."""


@pytest.mark.slow
@pytest.mark.parametrize("name", EVENTS)
def test_what_is_missing_shows_after_so_many_events(name: str) -> None:
    shown = bad_run(name, SECONDS)
    assert shown.lines[:1] == (f"Counterexample: {EVENTS[name]} events, the shortest there is.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("promise.once", "3 nodes, 2 ballots, 1 slot"),
        ("propose_again.elected", "3 nodes, 2 ballots, 1 slot"),
        ("propose_again.slot_unused", "3 nodes, 2 ballots, 1 slot"),
        ("propose_again.quorum_promised", "3 nodes, 2 ballots"),
        ("propose_again.the_highest", "3 nodes, 2 ballots"),
    ],
)
def test_what_is_missing_may_not_show_in_so_small_a_universe(name: str, size: str) -> None:
    """The invariant needs it; two ballots are too few for a run that does, or none does."""
    assert bad_run(name, SECONDS) == ((), f"none has up to 18 steps ({size})")


def test_minimal_quorums() -> None:
    majorities = MajorityQuorums()
    assert minimal_quorums((0, 1, 2), majorities.is_phase1_quorum) == (
        {0, 1}, {0, 2}, {1, 2},
    )  # fmt: skip
    assert minimal_quorums((0, 1), APART.is_phase2_quorum) == ({0}, {1})
