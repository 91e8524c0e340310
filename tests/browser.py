"""A real browser for the tests of pages: Chromium without a window, driven by Playwright.

    def test_a_page(visit):
        seen = visit("file:///…/page.html", width=390)
        seen.page.click("text=Play")            # https://playwright.dev/python/docs/api/class-page
        assert seen.errors == [] and seen.requests == []

Debian's Chromium is used (apt-get install chromium); where there is none, a test that asks for `visit` is skipped.
"""

import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from functools import partial
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
    """The running browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: see requirements-dev.txt")
    if not program():
        pytest.skip("there is no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = launched(started)
        yield browser
        browser.close()


def program():
    """Where Chromium is, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launched(playwright):
    """A browser that Playwright has started. As root, as in a container, Chromium runs without its sandbox only."""
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=program(), args=options)


@pytest.fixture
def visit(chromium):
    """visit(address, width=1280, height=900, **options) opens a page and gives a Visit; options are those of
    Playwright's new_context, such as color_scheme="dark". block, a function of an address, says what is not loaded."""
    contexts = []

    def opened(address, width=1280, height=900, block=None, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        seen = Visit(page, [], [])
        listen(seen)
        if block:
            page.route(block, lambda route: route.abort())
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


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A folder's files, without a line for each on the standard error."""

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def serving(folder):
    """The address of a server of the folder's files, which ends with the block."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
