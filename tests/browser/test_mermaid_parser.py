"""Mermaid itself draws our diagrams, and shows every text as it is.

Slow, because Mermaid comes from npm; without it, ``tests/unit/test_mermaid.py`` holds the diagrams
to a stricter grammar.
"""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest

from indelible.render.mermaid import render_mermaid

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

MERMAID = "mermaid@11.17.2"

# As GitHub has it: strict, and with the usual limit on the length of a diagram.
DRAWN = """async (diagram) => {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
  await mermaid.parse(diagram);
  const { svg } = await mermaid.render("diagram", diagram);
  document.body.innerHTML = svg;
  const texts = (kind) => [...document.querySelectorAll(kind)].map((text) => text.textContent);
  return [texts(".messageText"), texts(".noteText"), texts("text.actor, .actor-man text")];
}"""


@pytest.fixture(scope="module")
def drawn(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: Mermaid itself is not asked")
    folder = tmp_path_factory.mktemp("mermaid")
    subprocess.run([npm, "pack", "--silent", MERMAID], cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        script = packed.extractfile("package/dist/mermaid.min.js")
        assert script is not None
        code = script.read().decode("utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_script_tag(content=code)
    yield lambda diagram: page.evaluate(DRAWN, diagram)
    context.close()


def spaced(text: str) -> str:
    """The text with white space as SVG has it."""
    return " ".join(text.split())


def meant(text: str) -> str:
    """What a reader is to see of a text: its entities resolved."""
    return spaced(unescape(re.sub(r"#(\d+);", r"&#\1;", text)))


@pytest.mark.parametrize(
    "name", ["dup_ack_counted", "revealed_before_saved", "nasty", "raised", "never_started"]
)
def test_mermaid_draws_it(
    name: str, drawn: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    diagram = render_mermaid(request.getfixturevalue(name))
    expected: dict[str, list[str]] = {"->>": [], "Note": []}
    for line in diagram.splitlines():
        head, _, text = line.partition(": ")
        for sign, texts in expected.items():
            if sign in head:
                texts.append(meant(text))
    messages, notes, actors = drawn(diagram)
    assert [spaced(text) for text in messages] == expected["->>"]
    assert [spaced(text) for text in notes] == expected["Note"]
    for line in re.findall(r"participant n\d+ as (.*)", diagram):
        assert meant(line) in [spaced(actor) for actor in actors]


def test_mermaid_draws_a_long_run(drawn: Callable[..., Any], walk: Callable[..., Any]) -> None:
    messages, notes, _ = drawn(render_mermaid(walk(200, nodes=5)))
    assert len(messages) + len(notes) > 200
