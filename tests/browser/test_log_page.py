"""A log in a browser: dropped in, priced, taken away as a file, cancelled half way."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import go, settled

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
WAIT_MS = 30_000


def written(path: Path, rows: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Ticket ID", "Requester", "Created time", "Description", "Customer interactions"])
        for i in range(rows):
            out.writerow(
                [i, f"=customer {i % 50}", f"{i % 28 + 1}/10/2026", f"Where is the invoice for order {i}?", i % 3 + 1]
            )
    return path


def load(page: Page, path: Path) -> None:
    go(page, "Ticket log")
    expect(page.get_by_role("heading", name=re.compile("The sample log"))).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(str(path))
    page.get_by_role("button", name="Price the log").click(timeout=WAIT_MS)


def test_a_log_is_priced_and_taken_away_without_a_formula_in_it(page: Page, tmp_path: Path) -> None:
    load(page, written(tmp_path / "export.csv", 300))
    expect(page.get_by_text("300 tickets, priced and not run")).to_be_visible(timeout=WAIT_MS)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV, every ticket").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 300
    assert rows[0]["customer"] == "'=customer 0"
    assert rows[27]["created_on"] == "2026-10-28"
    page.get_by_role("button", name="A month of such tickets").click()
    expect(page.get_by_text("Your log, 300 tickets")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("95% confidence, by bootstrap-t").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_large_log_is_cancelled_half_way_and_what_was_priced_stays(page: Page, tmp_path: Path) -> None:
    load(page, written(tmp_path / "large.csv", 900_000))
    expect(page.get_by_text(re.compile("tickets priced, about .* left"))).to_be_visible(timeout=2 * WAIT_MS)
    cancelled = page.get_by_text("Pricing was cancelled.")
    while not cancelled.is_visible():  # a click may fall between two redraws of a page that is busy
        page.get_by_role("button", name="Cancel").click(timeout=WAIT_MS)
        with suppress(AssertionError):
            expect(cancelled).to_be_visible(timeout=5_000)
    settled(page)
    heading = page.get_by_role("heading", name=re.compile("tickets, priced and not run")).inner_text()
    assert 0 < int(heading.split()[0].replace(",", "")) < 900_000
