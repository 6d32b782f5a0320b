"""What an audit keeps of values for ever: digests and ledgers, which forget nothing."""

from __future__ import annotations

import json
import tracemalloc
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indelible.checkers.audit import judge as judge_module
from indelible.checkers.audit import ledger as ledger_module
from indelible.checkers.audit.digests import DigestMap, DigestSet, digest_of
from indelible.checkers.audit.ledger import CHUNK, Ledger
from indelible.model.node_json import plain
from indelible.model.plain import Boolean, Fields
from indelible.model.quorums import MajorityQuorums
from support.logs import check_log
from support.logs import lines_of as log_of
from support.random_implementation import SCOPES, RandomImplementation


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "1.0"), ("0", "-0.0"), ('{"x": [1]}', '{"x": [1e0]}'), ('[true, "a"]', '[true,"a"]')],
)
def test_equal_values_have_one_digest(one, other):
    one, other = (plain(json.loads(text)) for text in (one, other))
    assert one == other
    assert digest_of(one) == digest_of(other)


def test_digests_tell_values_apart():
    scalars = [None, 0, 1, "0", "1", "None", "", "a", 0.5, 2**64, *map(Boolean, (False, True))]
    arrays = [(Boolean(True),), (), ("",), ("", ""), ("1",), (1,), ((1,),), (("a", 1),), ("a", 1)]
    objects = [Fields({}), Fields({"a": 1}), Fields({"a": "1"}), Fields({"a": 1.5})]
    objects += [Fields({"a": (1,)}), Fields({"a": True}), Fields({"a": (True,)})]
    run_together = [("a'b", "c"), ("a", "b'c"), (1, 11), (11, 1), ((1,), 2), ((1, 2),)]
    run_together += [
        Fields({"a": Fields({"b": 1}), "c": 2}),
        Fields({"a": Fields({"b": 1, "c": 2})}),
    ]
    values = [*scalars, *arrays, *objects, *run_together]
    assert len({digest_of(value) for value in values}) == len(values)
    assert digest_of("a") == 8803795138854816663


@given(st.lists(st.integers(0, 60)), st.integers(1, 5))
def test_a_map_of_digests_is_a_dict_and_a_set_of_them_a_set(numbers, recent):
    known, known_set, expected = DigestMap(recent), DigestSet(recent), {}
    with patch("indelible.checkers.audit.digests.BLOCK", 2):
        for number in numbers:
            assert known.get(number) == expected.get(number)
            if number not in expected:
                expected[number] = 2 * number
                known.add(number, 2 * number)
                known_set.add(number)
    assert len(known) == len(known_set) == len(expected)
    assert [number for number in range(61) if number in known_set] == sorted(expected)
    assert [known.get(number) for number in range(61)] == [expected.get(n) for n in range(61)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 900) | st.integers(0, 5),
            st.sampled_from("abc"),
            st.integers(0, 2),
            st.sampled_from([0, 1, None]),
        ),
        max_size=40,
    ),
    st.booleans(),
    st.integers(1, 4),
)
@example([(at, "a", at % 2, None) for at in range(8)], False, 2)
@example([(at, "a", 0, at % 2) for at in range(8)], False, 2)
def test_a_ledger_forgets_nothing(said, is_alike, live_max):
    """Some have chunks so small that they fill, with the same patterns or with others."""
    small, large = Ledger(live_max), Ledger()
    if is_alike:
        said = [(at, "a", bit, 0) for at, *_ in said for bit in range(1 + at // 2 % 3)]
    with patch("indelible.checkers.audit.ledger.CHUNK", 2):
        for number, value, bit, ballot in said:
            for each in (small, large):
                cell = each.cell(number)
                place = cell.place_of(value)
                cell.said[place] |= 1 << bit
                if ballot is not None:
                    cell.votes_at((ballot,))[place] |= 1 << bit
                each.tidy()
        assert list(small.patterns()) == list(large.patterns())
        for bit in (1, 2, 4):
            assert list(small.digests_by(bit)) == list(large.digests_by(bit))
            for number in {number for number, *_ in said}:
                for value in "abcd":
                    assert small.has_said(number, bit, value) == large.has_said(number, bit, value)


def test_neighbours_with_one_pattern_take_little_more_than_their_digests():
    ledger, count = Ledger(live_max=1), 50 * CHUNK
    tracemalloc.start()
    for number in range(count):
        cell = ledger.cell(number)
        cell.said[cell.place_of("a")] |= 1 << 2
        ledger.tidy()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 8 * count < size < 11 * count
    ledger.cell(3 * CHUNK).said[0] |= 1 << 1
    assert [number for number in range(count) if ledger.has_said(number, 2, "a")] == [3 * CHUNK]
    assert all(ledger.has_said(number, 4, "a") for number in range(count))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), SCOPES, st.integers(0, 10**6))
def test_verdicts_do_not_depend_on_what_is_settled(seed, scope, draw):
    lines = log_of(RandomImplementation(seed), scope, draw, 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_module, "TIDIED_EVERY", 1)
        patch.setattr(ledger_module.Ledger.__init__, "__defaults__", (1,))
        check_log(lines, MajorityQuorums(), scope.nodes)
