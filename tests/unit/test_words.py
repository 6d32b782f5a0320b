"""Words that all renderings share: cut to length, in a line, effects in order, records in rows."""

import pytest

from indelible.impl.multipaxos.ballot import NO_BALLOT, Ballot
from indelible.model.effects import Promise
from indelible.model.events import Torn
from indelible.model.record import Record
from indelible.model.trace import Evidence
from indelible.render.words import (
    effect_lines,
    effect_text,
    message_text,
    one_line,
    record_rows,
    record_text,
    shortened,
    step_title,
)


@pytest.mark.parametrize(
    ("limit", "text"),
    [(10, "0123456789"), (9, "0123…6789"), (4, "01…9"), (2, "0…"), (1, "…")],
)
def test_a_long_text_loses_its_middle(limit: int, text: str) -> None:
    assert shortened("0123456789", limit) == text
    assert len(text) <= limit


def test_one_line() -> None:
    assert one_line("a\r\n\tb\u2028c\x85d\x00") == "a b c d "
    assert one_line("\ud800 \u202eabc\u202c") == "\ufffd \ufffdabc\ufffd"
    assert one_line("\u05e9\u05dc\u05d5\u05dd, \U0001f600 is left as it is").endswith("as it is")


def test_a_message_is_short_and_in_one_line() -> None:
    assert message_text(("a" * 100, "end"), 20) == "('aaaaaaaa…', 'end')"
    assert message_text("a\nb") == r"'a\nb'"


def test_effects_of_a_torn_step_are_in_three_parts(revealed_before_saved: Evidence) -> None:
    step = revealed_before_saved.run.steps[5]
    assert isinstance(step.event, Torn)
    assert effect_lines(step) == [
        ("done", "votes for 'a' in slot 0 at ballot 1.0"),
        ("done", "sends Accepted(ballot=1.0, slot=0) to n0"),
        ("lost", "sets timer election"),
        ("lost", "persists votes: added Vote(slot=0, ballot=1.0, value='a')"),
        ("restarted", "promises ballot 1.0"),
        ("restarted", "sets timer election"),
    ]
    assert step_title(step).startswith("n2 receives Accept(")
    assert step_title(step).endswith(" from n0, crashes after 2 of 4 effects, restarts")


def test_to_promise_what_is_below_all_ballots_is_to_promise_none() -> None:
    assert effect_text(Promise(NO_BALLOT)) == "promises no ballot"
    assert effect_text(Promise(Ballot(1, 0))) == "promises ballot 1.0"


def test_a_record_in_rows_says_what_it_says_in_a_sentence(dup_ack_counted: Evidence) -> None:
    record = dup_ack_counted.run.steps[-1].after.record
    rows = record_rows(record)
    assert [name for name, _ in rows] == [
        "decided", "executed", "voted for", "promised", "led", "persisted", "armed timers",
    ]  # fmt: skip
    assert record_text(record) == "; ".join(f"{name} {says}" for name, says in rows[:5])
    assert all(says == "" for _, says in record_rows(Record()))
    assert record_text(Record()) == "nothing decided, voted or promised"
