"""Properties: each built-in one is broken by the least that breaks it, and not by a near miss."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indelible import explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.limits import Limits
from indelible.checkers.properties import BUILT_IN, Property, World, always, sometimes, view
from indelible.checkers.verdicts import reached_in, violations_after
from indelible.checkers.walks.runs import Campaign
from indelible.model.cluster import ClusterState, LocalState
from indelible.model.effects import (
    NO_OP,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    Vote,
)
from indelible.model.errors import PropertyError
from indelible.model.events import Event, Restart, Submit, Torn
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums, MajorityQuorums
from indelible.model.record import Envelope, Record
from indelible.model.scope import Scope
from indelible.model.trace import Violation
from indelible.model.verdict import PropertyResult

NOTHING = Record()
SUBMIT = Submit("a")
FIRST, SECOND = Execute(0, "a"), Execute(1, "b")


def world(nodes: int, **fields: Any) -> World:
    known: dict[str, Any] = {
        "commands": ("a", "b"),
        "submissions_max": 1,
        "restarts_max": 1,
        "quorums": MajorityQuorums(),
    }
    return World(nodes=tuple(range(nodes)), **(known | fields))


def state(*records: Record) -> ClusterState:
    return ClusterState(tuple(LocalState(None, record) for record in records))


def violations(
    known: Property,
    *records: Record,
    before: Record = NOTHING,
    event: Event = SUBMIT,
    effects: tuple[Effect, ...] = (),
    **fields: Any,
) -> tuple[Violation, ...]:
    """What is wrong with the records of nodes 0, 1, …; ``before`` is node 0's, a step ago."""
    earlier = state(before, *records[1:])
    where = world(len(records), **fields)
    return violations_after(known, where, earlier, (0, event), state(*records), effects)


def decided(*entries: tuple[int, Any]) -> Record:
    return Record(decided=entries)


def executed(*commands: tuple[int, str]) -> Record:
    return Record(executed=commands)


def voted(*votes: tuple[int, int, Any], promised: int | None = None) -> Record:
    """Whoever votes has promised the ballot of its last vote."""
    latest = max((ballot for _, ballot, _ in votes), default=None)
    return Record(votes=votes, promised=latest if promised is None else promised)


# --- the built-in properties --------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Records that break a property, what is said of it, and records that just do not.

    For a property of a step also node 0's record before it, and the effects of it.
    """

    bad: tuple[Record, ...]
    says: str
    near: tuple[Record, ...]
    slot: int | None = None
    nodes: tuple[int, ...] = (0,)
    values: tuple[Any, ...] = ()
    before: Record = NOTHING
    effects: tuple[Effect, ...] = ()
    near_effects: tuple[Effect, ...] = ()


CASES: dict[str, Case] = {
    "agreement": Case(
        bad=(decided((0, "a")), decided((0, "b"))),
        says="slot 0: n0 decided 'a', n1 decided 'b'",
        near=(decided((0, "a"), (1, "b")), decided((0, "a"), (2, "b"))),
        slot=0,
        nodes=(0, 1),
        values=("a", "b"),
    ),
    "agreement with itself": Case(
        bad=(decided((1, "a"), (1, NO_OP)),),
        says="slot 1: n0 decided 'a', n0 decided a no-op",
        near=(decided((0, NO_OP), (1, "a")),),
        slot=1,
        nodes=(0, 0),
        values=("a", NO_OP),
    ),
    "log_prefix": Case(
        bad=(executed((0, "a"), (1, "b")), executed((0, "a"), (1, "c"))),
        says="n0 executed 'b' as number 1, n1 executed 'c'",
        near=(executed((0, "a"), (1, "b")), executed((0, "a"))),
        nodes=(0, 1),
        values=("b", "c"),
    ),
    "execution_without_gap": Case(
        bad=(executed((0, "a"), (2, "b")),),
        says="n0 executed number 2 before number 1",
        near=(executed((0, "a"), (1, "b")),),
    ),
    "execution_without_gap at the start": Case(
        bad=(executed((1, "a")),), says="n0 executed number 1 before number 0", near=(executed(),)
    ),
    "execution_follows_log": Case(
        bad=(Record(decided=((0, "a"), (1, "b")), executed=((0, "a"), (1, "a"))),),
        says="n0 executed 'a' as number 1, but decided it in no slot after those executed before",
        near=(Record(decided=((0, "a"), (1, NO_OP), (2, "b")), executed=((0, "a"), (1, "b"))),),
        values=("a",),
    ),
    "execution_follows_log, leaving out a command": Case(
        bad=(Record(decided=((0, "a"), (1, "b")), executed=((0, "b"),)),),
        says="n0 executed 'b' as number 0, before 'a', which it decided in slot 0",
        near=(Record(decided=((0, "a"), (1, "b")), executed=((0, "a"),)),),
        values=("b",),
    ),
    "execution_follows_log, over a gap": Case(
        bad=(Record(decided=((0, "a"), (2, "b")), executed=((0, "a"), (1, "b"))),),
        says="n0 executed 'b' as number 1, before it decided slot 1",
        near=(Record(decided=((0, "a"), (2, "b")), executed=((0, "a"),)),),
        values=("b",),
    ),
    "execution_follows_log, what comes again": Case(
        bad=(Record(decided=((0, "a"), (1, "b"), (2, "c")), executed=((0, "a"), (1, "c"))),),
        says="n0 executed 'c' as number 1, before 'b', which it decided in slot 1",
        near=(Record(decided=((0, "a"), (1, "a"), (2, "c")), executed=((0, "a"), (1, "c"))),),
        values=("c",),
    ),
    "execution_follows_log, executed again": Case(
        bad=(Record(decided=((0, "a"), (1, "b")), executed=((0, "a"), (1, "a"))),),
        says="n0 executed 'a' as number 1, but decided it in no slot after those executed before",
        near=(Record(decided=((0, "a"), (1, "a")), executed=((0, "a"), (1, "a"))),),
        values=("a",),
    ),
    "execution_follows_log, not of a no-op": Case(
        bad=(Record(decided=((0, NO_OP),), executed=((0, NO_OP),)),),
        says="n0 executed a no-op as number 0",
        near=(Record(decided=((0, NO_OP), (1, "a")), executed=((0, "a"),)),),
        values=(NO_OP,),
    ),
    "at_most_once": Case(
        bad=(executed((0, "a"), (1, "a")),),
        says="n0 executed 'a' twice, as number 0 and as number 1",
        near=(executed((0, "a")), executed((0, "a"))),
        values=("a",),
    ),
    "execution_not_repeated": Case(
        bad=(executed((0, "a")),),
        effects=(FIRST, Reply("a", 0), FIRST),
        says="n0 executed 'a' as number 0, although it had executed that number already, and has "
        "not restarted since",
        near=(executed((0, "a"), (1, "b")),),
        near_effects=(FIRST, Reply("a", 0), SECOND, Reply("b", 1)),
        values=("a",),
    ),
    "execution_not_repeated, of an earlier step": Case(
        before=executed((0, "a")),
        bad=(executed((0, "a"), (0, "b")),),
        effects=(Execute(0, "b"),),
        says="n0 executed 'b' as number 0, although it had executed that number already, and has "
        "not restarted since",
        near=(executed((0, "a"), (1, "b")),),
        near_effects=(SECOND,),
        values=("b",),
    ),
    "stability": Case(
        before=decided((0, "a")),
        bad=(decided((0, "a"), (0, "b")),),
        says="slot 0: n0 had decided 'a', and now 'b'",
        near=(decided((0, "a"), (1, "b")),),
        slot=0,
        values=("a", "b"),
    ),
    "validity": Case(
        bad=(decided((0, "a")), Record(submissions=(0, 1))),
        says="slot 0: n0 decided 'a', which nobody submitted",
        near=(decided((0, "a"), (1, NO_OP)), Record(submissions=(1, 0))),
        slot=0,
        values=("a",),
    ),
    "decided_implies_chosen": Case(
        # Two of three nodes voted for it, but not in one ballot.
        bad=(decided((0, "a")), voted((0, 1, "a")), voted((0, 2, "a"))),
        says="slot 0: n0 decided 'a', but no quorum voted for it "
        "(at ballot 1 only n1; at ballot 2 only n2)",
        near=(decided((0, "a")), voted((0, 1, "a")), voted((0, 1, "a"), (0, 2, "a"))),
        slot=0,
        values=("a",),
    ),
    "decided_implies_chosen in no slot": Case(
        bad=(decided((1, NO_OP)), voted((0, 1, NO_OP)), voted((0, 1, NO_OP))),
        says="slot 1: n0 decided a no-op, but no quorum voted for it (nobody did)",
        near=(decided((0, NO_OP)), voted((0, 1, NO_OP)), voted((0, 1, NO_OP))),
        slot=1,
        values=(NO_OP,),
    ),
    "one_value_per_ballot": Case(
        bad=(voted((0, 1, "a")), voted((0, 1, "b"))),
        says="slot 0, ballot 1: n0 voted for 'a', n1 voted for 'b'",
        near=(voted((0, 1, "a")), voted((0, 2, "b"), (1, 1, "b"))),
        slot=0,
        nodes=(0, 1),
        values=("a", "b"),
    ),
    "one_leader_per_ballot": Case(
        bad=(Record(leaderships=(1, 3)), Record(leaderships=(3,))),
        says="n0 and n1 both lead ballot 3",
        near=(Record(leaderships=(1, 3)), Record(leaderships=(2,))),
        nodes=(0, 1),
        values=(3,),
    ),
    "promise_never_falls": Case(
        before=Record(promised=2),
        bad=(Record(promised=1),),
        says="n0 had promised ballot 2, and now only 1",
        near=(Record(promised=2),),
        values=(2, 1),
        effects=(Promise(1),),
        near_effects=(Promise(2),),
    ),
    "promise_never_falls, in one step": Case(
        before=Record(promised=2),
        bad=(Record(promised=3),),
        says="n0 had promised ballot 3, and now only 1",
        near=(Record(promised=3),),
        values=(3, 1),
        effects=(Promise(3), Promise(1), Promise(3)),
        near_effects=(Promise(2), Promise(2), Promise(3)),
    ),
    "votes_keep_promises": Case(
        before=voted((0, 1, "a"), promised=3),
        bad=(voted((0, 1, "a"), (0, 2, "b"), promised=3),),
        says="slot 0: n0 had promised ballot 3, and voted for 'b' at ballot 2",
        near=(voted((0, 1, "a"), (0, 3, "b"), promised=3),),
        slot=0,
        values=("b",),
        effects=(Vote(0, 1, "a"), Vote(0, 2, "b")),
        near_effects=(Vote(0, 1, "a"), Vote(0, 3, "b")),
    ),
    "votes_keep_promises, in one step": Case(
        before=Record(promised=2),
        bad=(voted((0, 2, "b"), promised=3),),
        says="slot 0: n0 had promised ballot 3, and voted for 'b' at ballot 2",
        near=(voted((0, 2, "b"), promised=3),),
        slot=0,
        values=("b",),
        effects=(Promise(3), Vote(0, 2, "b")),
        near_effects=(Vote(0, 2, "b"), Promise(3), Vote(0, 2, "b")),
    ),
    "leaders_are_promised": Case(
        bad=(Record(leaderships=(2,), promised=2), Record(promised=1), NOTHING),
        says="n0 leads ballot 2, but no quorum promised it (only n0)",
        # Node 1 may have promised ballot 2 before it promised ballot 3.
        near=(Record(leaderships=(2,), promised=2), Record(promised=3), NOTHING),
        values=(2,),
    ),
    "leaders_are_promised, by nobody": Case(
        bad=(Record(leaderships=(2,)),),
        says="n0 leads ballot 2, but no quorum promised it (nobody did)",
        near=(Record(leaderships=(2,), promised=2),),
        values=(2,),
    ),
    "votes_are_safe, of what was chosen": Case(
        bad=(voted((0, 2, "b")), voted((0, 1, "a")), voted((0, 1, "a"))),
        says="slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 'a' was chosen",
        near=(voted((0, 2, "b")), voted((0, 1, "a")), voted((1, 1, "a"), promised=2)),
        slot=0,
        values=("b",),
    ),
    "votes_are_safe, of what can be chosen": Case(
        # Node 2 is still free to make the second vote for 'a'.
        bad=(voted((0, 2, "b")), voted((0, 1, "a")), Record(promised=1)),
        says="slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 'a' can still be chosen",
        near=(voted((0, 2, "b")), voted((0, 1, "a")), Record(promised=2)),
        slot=0,
        values=("b",),
    ),
    "votes_are_safe, of one of two votes at a ballot": Case(
        bad=(voted((0, 2, "b"), (0, 2, "a")), voted((0, 1, "a")), voted((0, 1, "a"))),
        says="slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 'a' was chosen",
        near=(voted((0, 2, "a")), voted((0, 1, "a")), voted((0, 1, "a"))),
        slot=0,
        values=("b",),
    ),
    "votes_are_safe, of a value chosen by who voted for two": Case(
        bad=(voted((0, 2, "b")), voted((0, 1, "a"), (0, 1, "b")), voted((0, 1, "a"))),
        says="slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 'a' was chosen",
        near=(voted((0, 2, "b")), voted((0, 1, "b"), (0, 1, "c")), voted((0, 1, "b"))),
        slot=0,
        values=("b",),
    ),
    "votes_are_safe, of a ballot without votes": Case(
        bad=(voted((0, 2, "b")), Record(leaderships=(1,)), Record(promised=1)),
        says="slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 any value can still be chosen",
        near=(voted((0, 2, "b")), Record(leaderships=(1,)), Record(promised=2)),
        slot=0,
        values=("b",),
    ),
}

REACHED: dict[str, tuple[tuple[Record, ...], tuple[Record, ...]]] = {
    "entry_decided": ((NOTHING, decided((0, NO_OP))), (executed((0, "a")), voted((0, 1, "a")))),
    "leader_replaced": (
        (Record(leaderships=(1,)), Record(leaderships=(2,))),
        (Record(leaderships=(1, 3)), NOTHING),
    ),
}
"""Records in which a *sometimes* property is true, and a near miss."""


def built_in(case: str) -> Property:
    """The property that a case is about: its name begins with it."""
    return BUILT_IN[case.split(" ")[0].rstrip(",")]


def test_every_built_in_property_has_a_case() -> None:
    assert {built_in(case).name for case in (*CASES, *REACHED)} == set(BUILT_IN)


@pytest.mark.parametrize("name", CASES)
def test_the_least_that_breaks_it(name: str) -> None:
    case, known = CASES[name], built_in(name)
    found = violations(known, *case.bad, before=case.before, effects=case.effects)
    expected = Violation(case.says, case.slot, case.nodes, case.values, known.name)
    assert found[0] == expected
    assert len(found) == (2 if len(set(case.nodes)) < len(case.nodes) else 1)


@pytest.mark.parametrize("name", CASES)
def test_a_near_miss_does_not_break_it(name: str) -> None:
    case = CASES[name]
    near = {"before": case.before, "effects": case.near_effects}
    assert violations(built_in(name), *case.near, **near) == ()
    assert violations(built_in(name), *(NOTHING for _ in case.bad)) == ()


@pytest.mark.parametrize(
    ("event", "effects", "is_repeated"),
    [
        (SUBMIT, (FIRST, FIRST), True),
        (SUBMIT, (SECOND, FIRST), False),
        (Restart(), (FIRST, SECOND), False),
        (Restart(), (FIRST, SECOND, FIRST), True),
        (Torn(SUBMIT, 1), (FIRST, FIRST, SECOND), False),
        (Torn(SUBMIT, 2), (FIRST, FIRST, SECOND), True),
        (Torn(SUBMIT, 0), (FIRST, FIRST), True),
    ],
)
def test_what_is_executed_again_after_a_restart_is_not_repeated(
    event: Event, effects: tuple[Effect, ...], is_repeated: bool
) -> None:
    known = BUILT_IN["execution_not_repeated"]
    assert bool(violations(known, NOTHING, event=event, effects=effects)) == is_repeated
    # What it executed before a restart it may execute again, in a later step too.
    before = Record(executed=((0, "a"),), restarts=1)
    found = violations(known, before, before=before, event=event, effects=effects)
    assert bool(found) == is_repeated


def test_where_restarts_are_not_counted_a_node_may_have_been_down() -> None:
    known, before = BUILT_IN["execution_not_repeated"], executed((0, "a"))
    assert not violations(known, before, before=before, effects=(FIRST,), restarts_max=None)
    assert violations(known, before, before=before, effects=(FIRST,), restarts_max=0)
    assert violations(known, before, before=before, effects=(SECOND, SECOND), restarts_max=None)


@pytest.mark.parametrize("name", REACHED)
def test_what_must_be_reached(name: str) -> None:
    reached, near = REACHED[name]
    assert reached_in(BUILT_IN[name], world(len(reached)), state(*reached))
    assert not reached_in(BUILT_IN[name], world(len(near)), state(*near))


def test_a_restart_may_not_make_a_node_forget_its_promise_but_it_may_repeat_it() -> None:
    known = BUILT_IN["promise_never_falls"]
    for promised, before in ((1, None), (2, 2), (3, 2)):
        records = {"before": Record(promised=before), "event": Restart()}
        gives = (Promise(promised),)
        assert violations(known, Record(promised=promised), effects=gives, **records) == ()
    torn = {"event": Torn(SUBMIT, 1), "effects": (Promise(3), Promise(1))}
    assert violations(known, Record(promised=1), before=NOTHING, **torn)


def test_what_is_chosen_is_judged_by_the_quorums_of_the_implementation() -> None:
    """Two votes of three are a majority, but not where all must vote; and one may be enough."""
    two_votes = (decided((0, "a")), voted((0, 1, "a")), voted((0, 1, "a")))
    one_vote = (decided((0, "a")), voted((0, 1, "a")), NOTHING)
    chosen = BUILT_IN["decided_implies_chosen"]
    assert violations(chosen, *two_votes, quorums=FlexibleQuorums(1, 3))
    assert not violations(chosen, *one_vote, quorums=FlexibleQuorums(3, 1))
    safe = BUILT_IN["votes_are_safe"]
    late = (voted((0, 2, "b")), voted((0, 1, "a")), Record(promised=2))
    assert violations(safe, *late, quorums=FlexibleQuorums(3, 1))
    assert not violations(safe, *late, quorums=FlexibleQuorums(1, 3))


def test_any_command_is_valid_where_submissions_are_not_counted() -> None:
    known = BUILT_IN["validity"]
    assert violations(known, decided((0, "b")), submissions_max=None) == ()
    assert violations(known, decided((0, "c")), submissions_max=None)


# --- writing a property -------------------------------------------------------------------------


def broken(known: Property) -> PropertyError:
    """How a property fails when it is evaluated on two nodes that have done nothing."""
    with pytest.raises(PropertyError) as caught:
        violations(known, NOTHING, NOTHING)
    return caught.value


def test_a_property_says_what_is_wrong_in_one_of_four_ways() -> None:
    @always(reads="record", fields="decided")
    def law(record: Any) -> bool:
        """Nobody decides.

        Not ever.
        """
        return not record.decided

    @always(reads="record", fields=("decided",), name="other")
    def with_words(record: Any) -> Iterator[str]:
        yield from (f"n{record.node} decided slot {slot}" for slot, _ in record.decided)

    @always(reads="record", fields=("decided",))
    def with_a_list(record: Any) -> list[Violation]:
        return [Violation("wrong", slot=slot) for slot, _ in record.decided]

    records = decided((4, "a")), NOTHING
    assert violations(law, *records) == (Violation("Nobody decides.", property="law"),)
    assert violations(with_words, *records) == (Violation("n0 decided slot 4", property="other"),)
    assert violations(with_a_list, *records) == (
        Violation("wrong", slot=4, property="with_a_list"),
    )
    assert violations(law, NOTHING) == violations(with_words, NOTHING) == ()


def test_a_property_without_words_is_called_by_its_name() -> None:
    @always(reads="record", fields=())
    def never_so(_: Any) -> bool:
        return False

    assert violations(never_so, NOTHING)[0].explanation == "never so"


def test_a_property_may_ask_for_the_world() -> None:
    @always(reads="pair", fields=())
    def small(one: Any, other: Any, *, world: World) -> Iterator[str]:
        yield f"{one.node} and {other.node} of {len(world.nodes)}"

    says = [found.explanation for found in violations(small, NOTHING, NOTHING)]
    assert says == ["0 and 0 of 2", "0 and 1 of 2", "1 and 1 of 2"]


@pytest.mark.parametrize("answer", [None, "wrong", 1, 0.0])
def test_an_answer_that_says_nothing_is_an_error(answer: Any) -> None:
    @always(reads="records", fields=())
    def odd(_: Any) -> Any:
        return answer

    assert broken(odd).fact == f"property odd returned {answer!r}"
    assert broken(odd).remedy == "return True or False, or yield what is wrong"


@pytest.mark.parametrize("answer", [None, 1, "yes", []])
def test_what_must_be_reached_is_true_or_false(answer: Any) -> None:
    @sometimes(reads="records", fields=())
    def odd(_: Any) -> Any:
        return answer

    with pytest.raises(PropertyError, match="let a 'sometimes' property return True or False"):
        reached_in(odd, world(1), state(NOTHING))


def test_a_field_that_is_not_declared_cannot_be_read() -> None:
    @always(reads="record", fields=("decided",))
    def sly(record: Any) -> bool:
        return not record.votes

    error = broken(sly)
    assert error.fact == "the property reads 'votes', which it does not declare"
    assert error.remedy == "add 'votes' to its fields"
    assert error.available == "decided, node"


def test_a_field_that_is_none_of_a_record_cannot_be_added() -> None:
    with pytest.raises(PropertyError) as caught:
        _ = view(0, NOTHING, ("decided",)).state
    assert caught.value.remedy == ""


def raises_at_once(record: Any) -> bool:
    return bool(record.decided[0])


def raises_while_yielding(record: Any) -> Iterator[str]:
    yield "something"
    yield record.decided[0]


@pytest.mark.parametrize("function", [raises_at_once, raises_while_yielding])
def test_an_exception_in_a_property_is_the_propertys_fault(function: Callable[..., Any]) -> None:
    error = broken(always(reads="record", fields=("decided",))(function))
    name = function.__name__
    assert error.fact == f"property {name} raised IndexError: tuple index out of range"


def two(one: Any, other: Any) -> bool:
    return one == other


def of_effects(record: Any, *, effects: Any) -> bool:
    return record == effects


@pytest.mark.parametrize(
    ("decorate", "says", "available"),
    [
        (
            lambda: always(reads="pairs", fields=()),  # type: ignore[arg-type]
            "reads='pairs'",
            "record, step, pair, records",
        ),
        (
            lambda: always(reads="pair", fields=("vote",)),
            "a record has no field 'vote'",
            ", ".join(Record._fields),
        ),
        (
            lambda: sometimes(reads="step", fields=()),
            "a 'sometimes' property cannot read a step",
            "record, pair, records",
        ),
        (lambda: always(reads="step", fields=())(two), "reads 'step' but takes 2 parameters", ""),
        (lambda: always(reads="record", fields=())(two), "reads 'record' but takes 2", ""),
        (
            lambda: always(reads="record", fields=())(of_effects),
            "property of_effects asks for effects, but reads 'record'",
            "",
        ),
    ],
    ids=["reads", "fields", "sometimes", "too few", "too many", "effects"],
)
def test_a_property_is_refused_when_it_is_declared(
    decorate: Callable[[], Any], says: str, available: str
) -> None:
    with pytest.raises(PropertyError) as caught:
        decorate()
    assert says in caught.value.fact
    assert caught.value.available == available


@dataclass(frozen=True)
class Repeats:
    """A node that executes its first command again when it starts again, and, if ``twice``, when
    that is submitted again."""

    twice: bool

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step(storage, () if storage is None else (Execute(0, storage),))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        if state is None:
            return Step(event.command, (Persist(event.command), Execute(0, event.command)))
        return Step(state, (Execute(0, state),) if self.twice else ())


class VotesForBoth:
    """A node that votes for the first command at ballot 1, and then for two at ballot 2."""

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step(())

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        if not state:
            return Step((event.command,), (Promise(1), Vote(0, 1, event.command)))
        later = (Promise(2), Lead(2), Vote(0, 2, event.command), Vote(0, 2, state[0]))
        return Step((*state, event.command), later)


def test_of_two_votes_of_a_node_at_one_ballot_both_are_asked_whether_they_are_safe() -> None:
    safe = BUILT_IN["votes_are_safe"]
    scope = Scope(nodes=1, commands=("a", "b"), submissions_max=1)
    for verdict in (
        explore(VotesForBoth(), scope, properties=[safe]),
        explore_breadth_first(VotesForBoth(), scope, (safe,), Limits()),
    ):
        assert verdict.trace is not None
        assert verdict.trace.violation.explanation == (
            "slot 0: n0 voted for 'b' at ballot 2, but at ballot 1 'a' was chosen"
        )


@pytest.mark.parametrize("restarts_max", [0, 1])
def test_executing_again_is_found_and_starting_again_is_not(restarts_max: int) -> None:
    known = BUILT_IN["execution_not_repeated"]
    scope = Scope(nodes=1, submissions_max=2, restarts_max=restarts_max)
    assert explore(Repeats(twice=False), scope, properties=[known]).outcome == "holds"
    verdict = explore(Repeats(twice=True), scope, properties=[known])
    assert verdict.trace is not None
    assert verdict.trace.actions == ((0, SUBMIT), (0, SUBMIT))
    assert explore_breadth_first(Repeats(twice=True), scope, (known,), Limits()).trace is not None


# --- what a check says of properties ------------------------------------------------------------


@dataclass(frozen=True)
class Hasty:
    """A node decides whatever it is told, in the next slot; ``also`` is done beside."""

    also: tuple[Effect, ...] = ()

    def start(self, node: Any, nodes: Any, storage: Any) -> Step:
        return Step((0, nodes))

    def handle(self, node: Any, state: Any, event: Any) -> Step:
        slot, nodes = state
        if slot or not isinstance(event, Submit):
            return Step(state)
        return Step((1, nodes), (*self.also, Decide(slot, event.command)))


SCOPE = Scope(nodes=2, commands=("a", "b"))

USERS_FILE = """
from indelible import always

@always(reads="record", fields=("decided",))
def no_b(record):
    for slot, value in record.decided:
        if value == "b":
            yield f"b in slot {slot}"

@always(reads="step", fields=("sent",))
def nothing_is_taken_back(before, event, after):
    return before.sent <= after.sent
"""


def test_a_property_from_a_users_own_file(tmp_path: Path) -> None:
    (tmp_path / "users_own.py").write_text(USERS_FILE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("users_own", tmp_path / "users_own.py")
    assert spec is not None
    assert spec.loader is not None
    users_own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(users_own)
    properties = [users_own.nothing_is_taken_back, users_own.no_b, "entry_decided"]

    verdict = explore(Hasty(), SCOPE, properties=properties)
    assert verdict.outcome == "violated"
    assert verdict.reason == "no_b: b in slot 0"
    assert verdict.trace is not None
    assert verdict.trace.actions == ((0, Submit("b")),)
    assert verdict.violation == Violation("b in slot 0", property="no_b")

    verdict = explore(Hasty((Send(1, "m"),)), Scope(nodes=2), properties=properties)
    assert verdict.outcome == "holds"
    assert {known.name: known.result for known in verdict.properties} == {
        "nothing_is_taken_back": "holds",
        "no_b": "holds",
        "entry_decided": "reached",
    }


@sometimes(reads="record", fields=("sent",))
def answered(record: Any) -> bool:
    """Somebody answers."""
    return Envelope(0, "answer", 0) in record.sent


def test_what_is_never_reached_makes_a_check_vacuous() -> None:
    verdict = explore(Hasty(), SCOPE, properties=["stability", answered])
    assert verdict.outcome == "violated"
    assert verdict.reason == (
        "never reached in this scope: answered (Somebody answers). What was checked is vacuous"
    )
    assert verdict.trace is None
    assert verdict.exhausted
    assert verdict.properties == (
        PropertyResult("stability", "always", "holds"),
        PropertyResult("answered", "sometimes", "unreached", "Somebody answers"),
    )
    assert explore(Hasty((Send(0, "answer"),)), SCOPE, properties=[answered]).outcome == "holds"


def test_a_property_without_testimony_is_not_observable() -> None:
    """By default it is left aside and said so; asked for, it makes a check inconclusive."""
    unseen = PropertyResult(
        "decided_implies_chosen", "always", "not observable", "the implementation never gave Vote"
    )
    scope = Scope(nodes=1)
    verdict = explore(Hasty(), scope)
    assert verdict.outcome == "holds"
    assert unseen in verdict.properties

    asked = ["stability", "decided_implies_chosen"]
    verdict = explore(Hasty(), scope, properties=asked)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == (
        "decided_implies_chosen is not observable (the implementation never gave Vote)"
    )
    assert verdict.properties[1] == unseen
    assert explore(Hasty(), scope, properties=asked, required=False).outcome == "holds"
    testifying = Hasty((Vote(0, 1, "a"),))
    assert explore(testifying, scope, properties=asked).outcome == "holds"


def test_a_check_in_which_nothing_is_observable_never_holds() -> None:
    verdict = explore(
        Hasty(), SCOPE, properties=["votes_are_safe", "entry_decided"], required=False
    )
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == "no property is observable: the implementation gives no testimony"


def test_a_goal_without_testimony_is_not_observable_either() -> None:
    """Not unreached: nobody can tell whether a leader was replaced if no leader says so."""
    asked = ["stability", "leader_replaced"]
    verdict = explore(Hasty(), SCOPE, properties=asked)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == (
        "leader_replaced is not observable (the implementation never gave Lead)"
    )
    led = explore(Hasty((Lead(1),)), Scope(nodes=2, submissions_max=2), properties=asked)
    assert led.properties[1].result == "reached"


class HastyAcceptor:
    """Two nodes; one promises and votes in a single step, not in the order it should."""

    def __init__(self, *effects: Effect) -> None:
        self.effects = effects

    def start(self, node: int, nodes: tuple[int, ...], storage: Any) -> Step:
        return Step(False, ())

    def handle(self, node: int, state: bool, event: Event) -> Step:
        if not isinstance(event, Submit) or state:
            return Step(state, ())
        return Step(True, self.effects)


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("promise_never_falls", (Promise(3), Promise(1), Promise(3))),
        ("votes_keep_promises", (Promise(3), Vote(0, 1, "a"))),
    ],
)
def test_the_order_within_a_step_counts_for_every_search(
    name: str, effects: tuple[Effect, ...]
) -> None:
    scope = Scope(nodes=2, commands=("a",), restarts_max=0)
    for chosen in (effects, (effects[1], effects[0])):
        acceptor, properties = HastyAcceptor(*chosen), (BUILT_IN[name],)
        campaign = Campaign(acceptor, scope, properties, seed=1)
        failures = [campaign.run(number).failure for number in range(20)]
        outcomes = {
            explore(acceptor, scope, properties=properties).outcome,
            explore_breadth_first(acceptor, scope, properties, Limits()).outcome,
            "violated" if any(failures) else "holds",
        }
        assert outcomes == ({"violated"} if chosen == effects else {"holds"})
