"""A real browser, one for all its tests, which never reaches for a network."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from indelible.model.trace import Evidence
from indelible.render.html import render_html

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def without(what: str) -> NoReturn:
    """Nothing can be tested: that is a failure where all must be, and elsewhere no reason to."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI the pages must be tested")
    pytest.skip(f"{what} is missing: the pages are not tested in a browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium as the system has it; nothing is downloaded."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        without("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        without("the Python package playwright")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=[*SWITCHES])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page opened from its file: ``opened(evidence, "#step=3", width=400, scheme="dark")``.

    Whatever the page complains of, and whatever it asks for besides itself, fails the test.
    """
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_page(
        evidence: Evidence, fragment: str = "", *, width: int = 1200, scheme: str = "light"
    ) -> Any:
        file = tmp_path / "page.html"
        file.write_text(render_html(evidence), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri() + fragment)
        page.on("request", lambda request: complaints.append(f"asks for {request.url}"))
        assert [url.partition("#")[0] for url in asked] == [file.as_uri()]
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
