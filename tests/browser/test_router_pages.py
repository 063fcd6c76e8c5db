"""The pages of the router in a browser: a bar's curve, and evidence loaded from a file."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import go, settled

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
WAIT_MS = 20_000
CSV = """stage,model,accepted,pairs
rerank,gpt-4.1-mini,398,400
rerank,no-such-model,1,2
"""


def upload(page: Page, name: str, content: bytes) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        files=[{"name": name, "mimeType": "text/csv", "buffer": content}]
    )
    settled(page)


def test_a_bar_moved_on_its_page_redraws_its_curve(page: Page) -> None:
    go(page, "Bars and limits")
    title = page.get_by_text(re.compile("At a bar of 0.90 the stage runs on"))
    expect(title).to_be_visible(timeout=WAIT_MS)
    thumb = page.get_by_role("slider", name=re.compile("^Bar Bar|^Bar$")).first
    thumb.focus()
    for _ in range(4):
        thumb.press("ArrowLeft")
    expect(page.get_by_text(re.compile("At a bar of 0.86 the stage runs on"))).to_be_visible(timeout=WAIT_MS)


def test_pairs_from_a_file_are_used_a_bad_line_is_named_and_a_bad_file_refused(page: Page) -> None:
    go(page, "Models and prices")
    expect(page.get_by_role("heading", name="Your own evidence")).to_be_visible(timeout=WAIT_MS)
    upload(page, "pairs.csv", CSV.encode())
    expect(page.get_by_text("pairs.csv, line 3: the catalogue has no model")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("In use: 0 results, 1 pair count, 0 verdicts")).to_be_visible()
    upload(page, "picture.csv", b"\xff\xfe\x00\x01")
    expect(page.get_by_text("Save the file as UTF-8").first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("Traceback")).to_have_count(0)
