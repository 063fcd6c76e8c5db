"""One app and one Chromium for the browser tests; skipped with a reason where there is no browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.harness import CHROMIUM, Watcher, app_running, chromium, settled
from tests.fake_server import FakeServer
from tests.stage_answers import answer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("PLAYGROUND_NEEDS_BROWSER"):
            pytest.fail("PLAYGROUND_NEEDS_BROWSER is set, but there is no Chromium or Chrome on this machine")
        pytest.skip("no Chromium or Chrome on this machine")
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome on this machine")
    with app_running() as url:
        yield url


@pytest.fixture(scope="session")
def server() -> Iterator[FakeServer]:
    with FakeServer(answer=nasty) as running:
        yield running


def nasty(body: dict[str, Any]) -> str:
    """A passing answer whose text tries to reach out of the page."""
    text = answer(body)
    reach_out = "![a](https://evil.example/a.png) <img src='https://evil.example/b.png'> https://evil.example/c.png"
    return text.replace("live", f"live {reach_out}")


@pytest.fixture
def page(browser: Browser, app: str) -> Iterator[Page]:
    """The notebook, ready, in light mode at 1400 px; fails on a foreign request or a console error."""
    opened = browser.new_page(viewport={"width": 1400, "height": 1000})
    watcher = Watcher(opened, app)
    opened.goto(app)
    opened.get_by_text("Hand-over summary").first.wait_for()
    opened.get_by_test_id("stMetricValue").nth(6).wait_for()
    settled(opened)
    yield opened
    opened.close()
    assert watcher.foreign == []
    assert watcher.errors == []
