"""HTML: one file that holds all there is to show, escaped, allows nothing else, never varies."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from indelible.model.effects import Send
from indelible.model.events import Receive, Submit
from indelible.model.run import handled_event
from indelible.model.trace import Evidence, Explanation
from indelible.render.html import render_html
from indelible.render.words import effect_lines, event_text, one_line

ALL = (
    "dup_ack_counted",
    "revealed_before_saved",
    "nasty",
    "raised",
    "never_started",
    "nothing_happened",
)


def data_of(page: str) -> Any:
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(data)


@pytest.mark.parametrize("name", ALL)
def test_one_file_that_asks_for_nothing(name: str, request: pytest.FixtureRequest) -> None:
    page = render_html(request.getfixturevalue(name))
    assert page == render_html(request.getfixturevalue(name))
    page.encode("utf-8")
    assert "@@" not in page
    # The namespace of SVG is a name, and never fetched.
    assert re.findall(r"https?://[^\"]*", page) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<[^>]* (?:src|style|on\w+)=", page)
    assert re.findall(r"<(?:link|img|iframe|base|object|form)\b[^>]*", page) == [
        '<form method="dialog"'
    ]
    assert not re.search("[\u2028\u2029\u202a-\u202e\u2066-\u2069]", page)


def test_only_its_own_style_and_script_are_allowed(nasty: Evidence) -> None:
    page = render_html(nasty)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for kind in ("style", "script"):
        (code,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")


@pytest.mark.parametrize("name", ALL)
def test_the_data_is_the_run(name: str, request: pytest.FixtureRequest) -> None:
    evidence = request.getfixturevalue(name)
    data = data_of(render_html(evidence))
    assert len(data["nodes"]) == len(evidence.run.scope.nodes)
    assert len(data["events"]) == len(evidence.run.steps)
    for step, event in zip(evidence.run.steps, data["events"], strict=True):
        handled = handled_event(step.event)
        assert evidence.run.scope.nodes[event["node"]] == step.node
        words = event_text(step.event, len(step.effects) + len(step.lost))
        assert event["words"] == one_line(words)
        assert event["cause"] == step.cause
        assert (event["source"] is not None) == isinstance(handled, Receive)
        assert event["client"] == isinstance(handled, Submit)
        assert event["effects"] == [[part, one_line(says)] for part, says in effect_lines(step)]


def test_what_is_user_supplied_is_escaped(nasty: Evidence) -> None:
    page = render_html(nasty)
    assert page.count("</script>") == 2
    assert page.count("<script") == 2
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page
    assert "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)" in page


def test_lone_surrogates_do_not_keep_the_page_from_being_written(dup_ack_counted: Evidence) -> None:
    page = render_html(replace(dup_ack_counted, target="\ud800 \x00 \u202e"))
    assert "\ufffd   \ufffd" in page
    page.encode("utf-8")


def test_the_head_says_what_is_known(dup_ack_counted: Evidence) -> None:
    page = render_html(dup_ack_counted)
    for says in (
        "<title>decided_implies_chosen · dup_ack_counted</title>",
        "<dt>slot</dt><dd>0</dd>",
        "<dt>nodes</dt><dd>n0, n1</dd>",
        "<dt>values</dt><dd>&#x27;a&#x27;</dd>",
        "<dt>length</dt><dd>9 events, the shortest there is</dd>",
        "<dt>found</dt><dd>by exhaustive search, in 1,234 states</dd>",
        "<dt>submissions_max</dt><dd>at most 1 of each command</dd>",
        "slot 0: n0 decided &#x27;a&#x27;, too early</p>",
    ):
        assert says in page
    assert "<dt>kept</dt>" in render_html(replace(dup_ack_counted, fixed=True))


def test_what_the_story_leaves_out_is_aside(dup_ack_counted: Evidence) -> None:
    def aside(story: tuple[int, ...]) -> list[int]:
        told = replace(dup_ack_counted, explanation=Explanation(story))
        events = data_of(render_html(told))["events"]
        return [number for number, event in enumerate(events, start=1) if event["aside"]]

    assert aside((1, 2, 3, 4, 5, 6, 7, 9)) == [8]
    # Without a story nothing is known to be beside the point.
    assert aside(()) == []


def test_notes_stand_at_their_events(dup_ack_counted: Evidence) -> None:
    events = data_of(render_html(dup_ack_counted))["events"]
    assert events[4]["notes"] == [
        ["told", "leads ballot 1.0"],
        ["milestone", "n0 has won ballot 1.0"],
    ]
    assert [kind for kind, _ in events[8]["notes"]] == ["told", "decisive", "violated"]


def test_each_message_arrives_or_is_said_never_to(dup_ack_counted: Evidence) -> None:
    data = data_of(render_html(dup_ack_counted))
    never = [event["never"] for event in data["events"]]
    assert never == [[[0, 3]], [], [], [], [], [[0, 2], [0, 3]], [], [], [[0, 1], [0, 2], [0, 3]]]


@pytest.mark.parametrize("links", ["unordered", "ordered"])
def test_where_links_deliver_once_each_message_stands_for_itself(
    links: str, walk: Callable[..., Evidence]
) -> None:
    evidence = walk(60, links=links, restarts_max=0, torn=False)
    data = data_of(render_html(evidence))
    sent = sum(len(step.sends) for step in evidence.run.steps)
    sent += sum(isinstance(effect, Send) for effects in evidence.run.started for effect in effects)
    received = sum(step.cause is not None for step in evidence.run.steps)
    never = len(data["never"]) + sum(len(event["never"]) for event in data["events"])
    assert sent == received + never


def test_the_same_bytes_whatever_the_hash_seed() -> None:
    code = """
import hashlib
from indelible.checkers.properties import BUILT_IN
from indelible.evidence import evidence_of
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.cluster import Cluster
from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation
from indelible.render.html import render_html
scope = Scope(restarts_max=3, torn=True, timeouts_max=None)
cluster, actions = Cluster(MultiPaxos(), scope), []
state = cluster.initial()
for number in range(30):
    enabled = cluster.enabled(state)
    actions.append(enabled[number * 7 % len(enabled)])
    state = cluster.step(state, actions[-1])
trace = Trace("multipaxos", scope, tuple(actions), Violation("made up", property="agreement"))
evidence = evidence_of(MultiPaxos(), trace, BUILT_IN["agreement"])
print(hashlib.sha256(render_html(evidence).encode()).hexdigest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
