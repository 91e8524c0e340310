"""A real browser for the tests of pages: Chromium without a window, driven by Playwright.

    def test_a_page(visit):
        seen = visit("file:///…/page.html", width=390)
        seen.page.click("text=Play")            # https://playwright.dev/python/docs/api/class-page
        assert seen.errors == [] and seen.requests == []

Debian's Chromium is used (apt-get install chromium); where there is none, a test that asks for `visit` is skipped.
"""

import os
import shutil
from typing import NamedTuple

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Visit(NamedTuple):
    """A page in the browser; errors are its exceptions and the errors on its console; requests are the addresses
    that it asked for after its own."""

    page: object
    errors: list
    requests: list


@pytest.fixture(scope="session")
def chromium():
    """The running browser. As root, as in a container, Chromium runs without its sandbox only."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: see requirements-dev.txt")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """visit(address, width=1280, height=900, **options) opens a page and gives a Visit; options are those of
    Playwright's new_context, such as color_scheme="dark"."""
    contexts = []

    def opened(address, width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        seen = Visit(page, [], [])
        listen(seen)
        page.goto(address)
        assert seen.requests.pop(0).partition("#")[0] == address.partition("#")[0]
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def opened(visit, tmp_path):
    """opened(page's text, **options of visit) -> its Visit."""

    def opened(text, **options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.html"
        path.write_text(text, encoding="utf-8")
        return visit(path.as_uri(), **options)

    return opened


def listen(seen):
    """Note a page's errors and requests from now on. A data: address is no request."""
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("console", lambda line: seen.errors.append(line.text) if line.type == "error" else None)
    seen.page.on("request", lambda asked: asked.url.startswith("data:") or seen.requests.append(asked.url))
