"""The report's file in Chromium with the network off: it asks for nothing, is readable on a phone, and prints with its footer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from playground.report import build
from playground.report.html import as_html
from tests.report_helpers import log_sources, ticket_sources

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("of", ["ticket", "log"])
def test_the_file_asks_for_nothing_and_fits(browser: Browser, tmp_path: Path, of: str, width: int) -> None:
    file = tmp_path / "report.html"
    file.write_text(as_html(build(ticket_sources(True, True) if of == "ticket" else log_sources(True))), "utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    page.on("dialog", lambda d: said.append(d.message))
    page.goto(file.as_uri())
    page.wait_for_timeout(200)
    assert asked == [file.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    charts = page.locator("figure svg:visible")
    assert charts.count() == page.locator("figure").count() > 5
    assert page.evaluate("document.querySelectorAll('script, link, iframe, img').length") == 0
    if width == 1400:
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    context.close()
