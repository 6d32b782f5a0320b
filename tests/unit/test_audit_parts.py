"""The parts of an audit: readers of lines and their twin, and files in order."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.checkers.audit.ballots import Ballots
from indelible.checkers.audit.entry import plain_entry
from indelible.checkers.audit.lines import LINE_MAX, Again, Lost, entries_of, lines_of
from indelible.checkers.audit.merge import in_order
from indelible.checkers.audit.quick import TEXT_MAX, Known, QuickReader
from indelible.model.errors import WireError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NUMBERS = st.integers(-1, 3) | st.integers(2**63 - 1, 2**64) | st.booleans() | st.floats()
NODES = st.integers() | st.text() | st.booleans() | st.none()


def objects(kind, **fields):
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


EFFECTS = st.one_of(
    objects("send", to=NODES, message=VALUES),
    objects("persist", storage=VALUES),
    objects("set_timer", timer=VALUES),
    objects("set_timer", timer=st.text(), after=st.lists(NUMBERS, max_size=3)),
    objects("cancel_timer", timer=VALUES),
    objects("decide", slot=NUMBERS, value=VALUES),
    objects("execute", index=NUMBERS, command=VALUES),
    objects("reply", command=VALUES, result=VALUES),
    objects("promise", ballot=VALUES),
    objects("vote", slot=NUMBERS, ballot=VALUES, value=VALUES),
    objects("vote", slot=NUMBERS, ballot=VALUES),
    objects("lead", ballot=VALUES, more=VALUES),
    objects("lead", ballot=VALUES),
    VALUES,
)
INPUTS = st.one_of(
    objects("receive", source=NODES, message=VALUES),
    objects("timeout", timer=VALUES),
    objects("submit", command=VALUES),
)
EVENTS = st.one_of(
    INPUTS,
    objects("restart"),
    objects("torn", event=INPUTS, kept=NUMBERS),
    objects("start", nodes=st.lists(NODES, max_size=3), storage=VALUES),
    objects("start", nodes=st.lists(NODES, max_size=3)),
    VALUES,
)
RECORDS = st.fixed_dictionaries(
    {"node": NODES, "event": EVENTS, "effects": st.lists(EFFECTS, max_size=4) | VALUES},
    optional={"time": VALUES, "more": VALUES},
)


def said_by(read, line):
    try:
        return read(line)
    except WireError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.booleans(), st.booleans(), st.data())
def test_the_quick_reader_says_what_the_plain_one_says(record, links, is_ascii, data):
    line = json.dumps(record, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    if data.draw(st.booleans()):  # A byte of it is damaged.
        at = data.draw(st.integers(0, len(line) - 1))
        line = line[:at] + bytes([data.draw(st.integers(0, 255))]) + line[at + 1 :]
    quick = QuickReader(links=links).one
    assert said_by(quick, line) == said_by(lambda known: plain_entry(known, links=links), line)


NODE, EVENT = b'"node":0', b'"event":{"type":"timeout","timer":"t"}'
TWICE = {
    "a node": b'{"node":1,%s,%s,"effects":[]}' % (NODE, EVENT),
    "a value": b'{%s,%s,"effects":[{"type":"decide","slot":0,"value":"b","value":"a"}]}'
    % (NODE, EVENT),
    "after one like it": b'{%s,%s,"effects":[{"type":"persist","storage":{"k1":1,"k1":2}}]}'
    % (NODE, EVENT),
    "in a message": b'{%s,%s,"effects":[{"type":"send","to":1,"message":[{"a":1,"a":2}]}]}'
    % (NODE, EVENT),
    "escaped": b'{%s,%s,"effects":[{"type":"persist","storage":{"x":1,"\\u0078":2}}]}'
    % (NODE, EVENT),
    "escaped, after one like it": b'{%s,%s,"effects":[],"more":{"\\u0058":1,"\\u0058":2}}'
    % (NODE, EVENT),
    "ignored": b'{%s,%s,"effects":[],"level":1,"level":2}' % (NODE, EVENT),
    "half a surrogate pair": b'{%s,%s,"effects":[{"type":"send","to":1,"message":"\\uDC00"}]}'
    % (NODE, EVENT),
}


@pytest.mark.parametrize("what", TWICE)
def test_what_can_be_taken_for_different_things_is_refused(what):
    line = TWICE[what]
    says = "half a character" if what == "half a surrogate pair" else "more than once"
    reader = QuickReader(links=False)
    quick, linking = reader.one, QuickReader(links=True).one
    like_it = line.replace(b'"k1":2', b'"k2":2').replace(b"uDC00", b"u00e4")
    like_it = like_it.replace(b'u0058":2', b'u0059":2')
    if like_it != line:
        quick(like_it)
    for read in (quick, lambda known: plain_entry(known, links=False), linking):
        with pytest.raises(WireError, match=says):
            read(line)
    assert reader.several([line]) is None


def test_usual_lines_are_read_without_the_plain_reader(monkeypatch):
    lines = [
        receives(1, 0, {"type": "A"}, [{"type": "vote", "slot": 0, "ballot": [1, 0], "value": 3}]),
        b'{"node":"x","event":{"type":"submit","command":{"id":1}},"effects":[]}',
    ]
    expected = [plain_entry(line, links=True) for line in lines]
    monkeypatch.setattr("indelible.checkers.audit.quick.plain_entry", None)
    read = QuickReader(links=True)
    assert list(map(read.one, lines)) == expected
    monkeypatch.setattr(read, "one", None)
    assert read.several(lines) == expected


DECIDED = {
    "node": 0,
    "event": {"type": "timeout", "timer": "t"},
    "effects": [{"type": "decide", "slot": 0, "value": "a"}],
}


BYTES = [b"0", b"f", b" ", b"\\", b'"', b"{", b"1e9", b"\xc3", b""]
TWO_WAYS = [b'"type": "B"', b'"at": 10, "at": 11', b'"\xc3a\xa9": 10', b'"\\udc00": 10']
"""Instead of a field: what is read in different ways, or not at all."""


@settings(max_examples=300, deadline=None)
@given(RECORDS, st.lists(st.integers(0, 3), min_size=1, max_size=4), st.booleans(), st.data())
def test_lines_that_are_read_together_say_what_each_of_them_says(known, picked, links, data):
    """One of them is damaged, or written with other digits; and the reader has seen each kind."""
    decide = {"type": "decide", "slot": 1, "value": "a1"}
    usual = receives(1, 0, {"type": "A", "at": 10}, [decide])
    foreign = usual.replace(b"at", b"\xc3\xa9")
    decided = json.dumps({**DECIDED, "time": 1}).encode()
    kinds = [json.dumps(known).encode(), decided, usual, foreign]
    lines = [kinds[kind] for kind in picked]
    at = data.draw(st.integers(0, len(lines) - 1))
    if picked[at] > 1 and data.draw(st.booleans()):
        field = b'"at": 10' if picked[at] == 2 else b'"\xc3\xa9": 10'
        lines[at] = lines[at].replace(field, data.draw(st.sampled_from(TWO_WAYS)))
    else:
        byte = data.draw(st.integers(0, len(lines[at]) - 1))
        put = data.draw(st.sampled_from(BYTES))
        lines[at] = lines[at][:byte] + put + lines[at][byte + 1 :]
    read = QuickReader(links=links)
    for line in kinds:
        said_by(read.one, line)
    together = read.several(lines)
    if together is not None:
        assert together == [plain_entry(line, links=links) for line in lines]


def test_so_many_short_texts_are_remembered_and_mean_what_they_mean(monkeypatch):
    monkeypatch.setattr("indelible.checkers.audit.quick.KNOWN_MAX", 3)
    asked = []
    known = Known(lambda text: asked.append(text) or len(text))
    texts = [b"1", b"22", b"1", b"x" * TEXT_MAX, b"x" * (TEXT_MAX + 1), b"1", b"333", b"1"]
    assert [known[text] for text in texts] == list(map(len, texts))
    assert asked == [b"1", b"22", *texts[3:5], b"333", b"1"]
    assert sorted(known) == [b"1", b"333"]


def test_a_line_that_goes_on_in_the_next_one_is_no_line():
    line = json.dumps(DECIDED).encode()
    read = QuickReader(links=False)
    read.one(line)
    assert read.several([line, line]) == [read.one(line)] * 2
    assert read.several([line + line, line[:20], line[20:]]) is None
    told = [told for _, told in entries_of(BytesIO(b"%b\n%b\n%b" % (line, line, line[:20])), read)]
    assert (told[:2], type(told[2])) == ([read.one(line)] * 2, Lost)


BALLOTS = st.recursive(
    st.integers(0, 2) | st.just(1.5) | st.sampled_from(["", "a"]),
    lambda parts: st.lists(parts, max_size=3).map(tuple),
    max_leaves=5,
)


@settings(max_examples=500)
@given(st.lists(BALLOTS, max_size=6))
def test_ballots_that_are_accepted_are_comparable(drawn):
    """Any two of them, whatever was refused between."""
    ballots, accepted = Ballots(), []
    for ballot in drawn:
        try:
            ballots.meet(ballot)
        except TypeError:
            continue
        accepted.append(ballot)
        assert len(sorted(accepted)) == len(accepted)
        for one in accepted:
            assert (one < ballot) is not (ballot <= one)


def test_lines_are_numbered_as_editors_do():
    text = b"one\n\n  \ntwo\r\nthree"
    assert list(lines_of(BytesIO(text))) == [(1, b"one"), (4, b"two\r"), (5, b"three")]


def test_a_line_that_is_too_long_is_lost_and_no_other():
    text = b"one\n" + b"x" * (LINE_MAX + 10**6) + b"\nthree\nfour"
    (first, long, third, fourth) = lines_of(BytesIO(text))
    assert (first, third, fourth) == ((1, b"one"), (3, b"three"), (4, b"four"))
    assert long == (2, Lost("the line has more than 16,777,216 bytes"))


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nthree"])
def test_a_line_is_too_long_by_a_byte(more, end):
    """Wherever the pieces end in which a file is read."""
    _, (number, long), *others = lines_of(BytesIO(b"one\n" + b"x" * (LINE_MAX + more) + end))
    assert (number, isinstance(long, Lost)) == (2, bool(more))
    assert others == ([(3, b"three")] if end[1:] else [])


def record(node, event, effects=(), **more):
    return json.dumps({"node": node, "event": event, "effects": list(effects), **more}).encode()


def start(node, nodes=(0, 1)):
    return record(node, {"type": "start", "nodes": list(nodes), "storage": None})


def sends(node, to, message, **more):
    effect = {"type": "send", "to": to, "message": message}
    return record(node, {"type": "timeout", "timer": "t"}, [effect], **more)


def receives(node, source, message, effects=(), **more):
    event = {"type": "receive", "source": source, "message": message}
    return record(node, event, effects, **more)


def order(*files, **asked):
    """The lines of files in order, as (file, line), those whose message nobody sent with a mark."""
    read = QuickReader(links=True)
    items = [entries_of(BytesIO(b"\n".join(lines)), read) for lines in files]
    return [
        place
        if unsent is None
        else (*place, unsent.says if "more than" in unsent.says else "unsent")
        for place, _, unsent in in_order(items, **asked)
    ]


def test_a_message_is_received_after_it_was_sent():
    one = [start(0), receives(0, 1, "b"), sends(0, 1, "c")]
    other = [start(1), sends(1, 0, "a"), sends(1, 0, "b"), receives(1, 0, "c")]
    assert order(one, other) == [(0, 1), (1, 1), (1, 2), (1, 3), (0, 2), (0, 3), (1, 4)]
    assert order(other, one) == [(1, 1), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (0, 4)]


def test_equal_messages_are_counted():
    one = [start(0), receives(0, 1, "a"), receives(0, 1, "a")]
    other = [start(1), sends(1, 0, "a"), sends(1, 0, "b"), sends(1, 0, "a")]
    happened = order(one, other)
    assert happened.index((0, 2)) > happened.index((1, 2))
    assert happened.index((0, 3)) > happened.index((1, 4))


def test_a_message_that_arrives_twice_was_sent():
    one = [start(0), receives(0, 1, "a"), receives(0, 1, "a")]
    assert order(one, [start(1), sends(1, 0, "a")])[-1] == (0, 3)


def test_what_nobody_sent_is_told_and_nothing_waits_for_ever():
    one = [start(0), receives(0, 1, "x"), sends(0, 1, "c")]
    other = [start(1), receives(1, 0, "y"), sends(1, 0, "a")]
    assert order(one, other) == [(0, 1), (1, 1), (0, 2, "unsent"), (0, 3), (1, 2, "unsent"), (1, 3)]


def plainly(files):
    """The twin: of all heads that may go on the first, looked for again each time."""
    rest, times, balance, happened = [list(lines) for lines in files], [0.0] * len(files), {}, []

    def told(file):
        return json.loads(rest[file][0])

    def message(file):
        event = told(file)["event"]
        if event["type"] != "receive":
            return None
        return event["source"], told(file)["node"], json.dumps(event["message"], sort_keys=True)

    def rank(file):
        times[file] = told(file).get("time", times[file])
        is_start = told(file)["event"]["type"] == "start"
        return not is_start, times[file], len(files[file]) - len(rest[file]), told(file)["node"]

    while heads := [file for file in range(len(files)) if rest[file]]:
        free = [
            file for file in heads if message(file) is None or balance.get(message(file), 0) > 0
        ]
        first = min(
            free or heads, key=lambda at: (not free and message(at) not in balance, rank(at))
        )
        key, record = message(first), told(first)
        mark = () if free or key in balance else ("unsent",)
        happened.append((first, len(files[first]) - len(rest[first]) + 1, *mark))
        if balance.get(key, 0) > 0:
            balance[key] -= 1
        for effect in record["effects"]:
            said = json.dumps(effect["message"], sort_keys=True)
            key = record["node"], effect["to"], said
            balance[key] = balance.get(key, 0) + 1
        del rest[first][0]
    return happened


MESSAGES = st.tuples(
    st.sampled_from([sends, receives]), st.integers(0, 2), st.sampled_from("ab"),
    st.none() | st.integers(0, 3),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(MESSAGES, max_size=6), min_size=2, max_size=3))
def test_files_are_merged_as_they_plainly_should_be(drawn):
    files = [
        [start(node)]
        + [
            made(node, other, said, **({} if time is None else {"time": time}))
            for made, other, said, time in lines
        ]
        for node, lines in enumerate(drawn)
    ]
    assert order(*files) == plainly(files)


def test_a_message_is_known_by_what_it_says():
    one = [start(0), b'{"node":0,"event":{"type":"receive","source":1,"message":{"b": 1, "a":"\\u00e9"}},"effects":[]}']  # fmt: skip  # noqa: E501
    other = [start(1), sends(1, 0, {"a": "é", "b": 1})]
    assert order(one, other) == [(0, 1), (1, 1), (1, 2), (0, 2)]


def test_times_decide_only_what_is_left_open():
    one = [start(0), sends(0, 1, "c", time=9), receives(0, 1, "b", time=3)]
    other = [start(1), sends(1, 0, "a", time=5), sends(1, 0, "b", time=20)]
    assert order(one, other) == [(0, 1), (1, 1), (1, 2), (0, 2), (1, 3), (0, 3)]


def test_what_was_sent_long_ago_is_forgotten_and_told():
    one = [start(0), *(receives(0, 1, at) for at in range(3))]
    other = [start(1), *(sends(1, 0, at) for at in range(3)), receives(1, 0, "x")]
    assert "unsent" not in str(order(one, other[:-1], sent_max=3))
    assert (0, 2, "unsent") in order(one, [*other[:1], *(sends(1, 0, 9 + at) for at in range(3))])


def test_a_repeated_line_is_marked_where_it_would_count_twice():
    line = receives(0, 1, "a", [{"type": "execute", "index": 0, "command": "a"}])
    other = receives(0, 1, "a", [{"type": "decide", "slot": 0, "value": "a"}])
    rises = receives(0, 1, "a", [{"type": "promise", "ballot": at} for at in (1, 2)])
    text = b"\n".join([line, line, other, other, rises, rises])
    told = [told for _, told in entries_of(BytesIO(text), QuickReader(links=False))]
    assert [isinstance(each, Again) for each in told] == [False, True, False, False, False, True]
