"""The page in a real browser: what it shows is what happened, and everybody can walk through it."""

from collections.abc import Callable
from typing import Any

import pytest

from indelible.model.causality import causal_past
from indelible.model.events import Receive, Submit
from indelible.model.run import handled_event
from indelible.model.trace import Evidence
from indelible.render.values import parts_of
from indelible.render.words import record_rows

pytestmark = pytest.mark.xdist_group("browser")

Opened = Callable[..., Any]

ELEMENTS_PER_EVENT_MAX = 15
ELEMENTS_BESIDES_MAX = 250


def for_each(look: str) -> str:
    """A script: each event is chosen by a click, and what ``look`` then sees is gathered."""
    rows = '[...document.querySelectorAll("button.row")]'
    return f"() => {rows}.map((row) => {{ row.click(); return ({look})(); }})"


TABLES = """() => [...document.querySelectorAll(".panel table")].map((table) =>
  [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)))"""
PAST = '() => [...document.querySelectorAll(".dot.past")].map((dot) => Number(dot.dataset.step))'

# The contrast of every text with the first ground behind it that is not transparent, by WCAG 2.
CONTRASTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = (colour) => colour === "transparent" || numbers(colour)[3] === 0;
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("script, noscript")) continue;
    if (!element.checkVisibility()) continue;
    let behind = element;
    while (behind && clear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    for (let at = element; at; at = at.parentElement)
      if (getComputedStyle(at).opacity !== "1") found.push([0, "opacity", at.className]);
    const pair = [element, behind].map((at, text) =>
      luminance(getComputedStyle(at)[text ? "backgroundColor" : "color"])).sort((a, b) => b - a);
    found.push([(pair[0] + 0.05) / (pair[1] + 0.05), walker.currentNode.data.trim().slice(0, 40),
      element.className]);
  }
  return found;
}"""


def chosen(page: Any) -> int:
    """The number of the event that is chosen; the list and the address agree on it."""
    (step,) = page.eval_on_selector_all(
        '[aria-current="true"]', "all => all.map((row) => Number(row.dataset.step))"
    )
    assert page.inner_text(".panel h2").startswith(f"{step} ")
    return int(step)


def expected_arrows(evidence: Evidence) -> int:
    return sum(isinstance(handled_event(s.event), Receive | Submit) for s in evidence.run.steps)


@pytest.mark.parametrize("name", ["dup_ack_counted", "revealed_before_saved", "nasty", "raised"])
def test_every_event_and_every_arrow_is_drawn(
    name: str, opened: Opened, request: pytest.FixtureRequest
) -> None:
    evidence = request.getfixturevalue(name)
    page = opened(evidence)
    count = len(evidence.run.steps)
    assert page.locator("button.row").count() == count
    assert page.locator(".rows > svg .dot").count() == count
    assert page.locator(".rows > svg .arrow").count() == expected_arrows(evidence)
    assert page.locator(".heads span").count() == len(evidence.run.scope.nodes)


@pytest.mark.parametrize("name", ["never_started", "nothing_happened"])
def test_a_page_without_events_shows_the_start(
    name: str, opened: Opened, request: pytest.FixtureRequest
) -> None:
    evidence = request.getfixturevalue(name)
    page = opened(evidence, "#step=1")
    assert page.locator(".dot").count() == 0
    started = evidence.run.initial is not None
    assert page.locator(".panel table").count() == (2 * len(evidence.run.started) if started else 0)
    assert ("could not even start" in page.inner_text(".panel")) == (not started)
    page.keyboard.press("j")


def test_each_event_shows_the_state_and_the_record_before_and_after(
    revealed_before_saved: Evidence, opened: Opened
) -> None:
    page = opened(revealed_before_saved)
    shown = page.evaluate(for_each(TABLES))
    for step, tables in zip(revealed_before_saved.run.steps, shown, strict=True):
        for table, old, new in (
            (tables[0], parts_of(step.before.state), parts_of(step.after.state)),
            (tables[1], record_rows(step.before.record), record_rows(step.after.record)),
        ):
            assert table == [
                [name, was or "—", now or "—"]
                for (name, was), (_, now) in zip(old, new, strict=True)
            ]


def test_a_torn_step_shows_what_was_lost(revealed_before_saved: Evidence, opened: Opened) -> None:
    page = opened(revealed_before_saved)
    assert chosen(page) == 6  # The decisive one.
    assert page.locator(".effects li").all_inner_texts() == [
        "votes for 'a' in slot 0 at ballot 1.0",
        "sends Accepted(ballot=1.0, slot=0) to n0",
        "crash: what follows never happens",
        "sets timer election",
        "persists votes: added Vote(slot=0, ballot=1.0, value='a')",
        "restart",
        "promises ballot 1.0",
        "sets timer election",
    ]
    assert page.locator(".dot.torn .again").count() == 2 + 1  # And in both legends.


def test_the_causal_past_is_highlighted(revealed_before_saved: Evidence, opened: Opened) -> None:
    page = opened(revealed_before_saved)
    shown = page.evaluate(for_each(PAST))
    for step, past in zip(revealed_before_saved.run.steps, shown, strict=True):
        assert tuple(past) == causal_past(revealed_before_saved.run, [step.number])


def test_a_click_in_the_diagram_chooses_too(dup_ack_counted: Evidence, opened: Opened) -> None:
    page = opened(dup_ack_counted)
    for step in (1, 5, 9):
        box = page.locator(f'.dot[data-step="{step}"]').bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert chosen(page) == step


def test_keys_walk(dup_ack_counted: Evidence, opened: Opened) -> None:
    page = opened(dup_ack_counted, "#step=4")
    assert chosen(page) == 4
    walked = {
        "j": 5, "ArrowDown": 6, "k": 5, "ArrowUp": 4, "c": 1, "ArrowRight": 3, "ArrowLeft": 1,
        "End": 9, "Home": 1,
    }  # fmt: skip
    for key, step in walked.items():
        page.keyboard.press(key)
        assert chosen(page) == step, key
        assert page.url.endswith(f"#step={step}")
    page.keyboard.press("k")
    assert chosen(page) == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert chosen(page) == 2
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert chosen(page) == 2


def test_every_control_has_a_name_and_tab_reaches_them(
    dup_ack_counted: Evidence, opened: Opened
) -> None:
    page = opened(dup_ack_counted)
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(at => at.dataset.step || at.id || at.className)(document.activeElement)"
            )
        )
    assert {str(step) for step in range(1, 10)} | {"theme", "keys", "stubs", "panel"} <= reached
    for name in page.get_by_role("button").all_inner_texts():
        assert name.strip()
    assert page.get_by_role("img").get_attribute("aria-label")


def test_buttons_lead_to_causes(dup_ack_counted: Evidence, opened: Opened) -> None:
    page = opened(dup_ack_counted)
    page.get_by_role("button", name="7 n1", exact=True).click()
    assert chosen(page) == 7


def test_messages_never_received_can_be_hidden(dup_ack_counted: Evidence, opened: Opened) -> None:
    page = opened(dup_ack_counted)
    stubs = page.locator(".stub")
    assert stubs.count() == 3
    assert stubs.first.is_visible()
    page.get_by_label("show 6 messages never received").uncheck()
    assert not stubs.first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("toggled", [False, True])
def test_contrast(scheme: str, toggled: bool, nasty: Evidence, opened: Opened) -> None:
    page = opened(nasty, "#step=1", scheme=scheme)
    if toggled:
        page.locator("#theme").click()
    for summary in page.locator("summary").all():
        summary.click()
    for step in (1, 2, 7, 60):
        page.locator("button.row").nth(step - 1).click()
        low = [found for found in page.evaluate(CONTRASTS) if found[0] < 4.5]
        assert low == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == ((scheme == "light") != toggled)


@pytest.mark.parametrize("name", ["revealed_before_saved", "nasty"])
@pytest.mark.parametrize("width", [400, 800])
def test_no_sideways_scrolling(
    name: str, width: int, opened: Opened, request: pytest.FixtureRequest
) -> None:
    page = opened(request.getfixturevalue(name), width=width)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_values_are_text_and_never_markup(nasty: Evidence, opened: Opened) -> None:
    page = opened(nasty)
    assert page.locator("b, iframe, img").count() == 0
    assert page.locator("script").count() == 2
    assert "<b>x</b> & &lt;" in page.inner_text(".sentence")
    count = 'document.querySelectorAll("b, iframe, img").length'
    assert page.evaluate(for_each(f"() => {count}")) == [0] * 60


def test_a_long_run_takes_few_elements(walk: Callable[..., Evidence], opened: Opened) -> None:
    evidence = walk(300, nodes=7, torn=False)
    page = opened(evidence, "#step=150")
    count = page.evaluate("document.querySelectorAll('*').length")
    assert count <= ELEMENTS_BESIDES_MAX + 300 * ELEMENTS_PER_EVENT_MAX
    assert page.locator(".rows > svg .arrow").count() == expected_arrows(evidence)
    assert chosen(page) == 150
    assert page.locator('[aria-current="true"]').evaluate(
        "row => row.getBoundingClientRect().top < innerHeight && document.activeElement === row"
    )
