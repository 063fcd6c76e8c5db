"""From a key press on the month's volume slider to the new figures on the screen, in Chromium: one ticket, and a log of 100,000."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from statistics import median

from _report import quick, report, skipped

from tests.browser.harness import CHROMIUM, app_running, chromium, go, settled

TICKETS = 100_000
FIGURES = "[...document.querySelectorAll('[data-testid=\"stMetricValue\"]')].map(e => e.textContent).join('|')"


def moves(rounds: int, log: Path | None = None) -> list[float]:
    with app_running() as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{url}/log" if log else f"{url}/month")
        settled(page)
        if log is not None:
            priced(page, log)
        thumb = page.get_by_role("slider", name="Tickets a month")
        thumb.wait_for()
        thumb.focus()
        took = [redraw(page, "ArrowRight" if n % 2 else "ArrowLeft") for n in range(rounds + 2)]
    return took[2:]


def priced(page, log: Path) -> None:  # type: ignore[no-untyped-def]
    """Load a log, price it, and open its month."""
    page.locator("input[type=file]").first.set_input_files(str(log))
    page.get_by_role("button", name="Price the log").click(timeout=60_000)
    page.get_by_text(f"{TICKETS:,} tickets, priced and not run").wait_for(timeout=120_000)
    go(page, "Month")
    page.get_by_text(f"Your log, {TICKETS:,} tickets").wait_for(timeout=60_000)
    settled(page)


def written(path: Path) -> Path:
    """A log of short made-up tickets: what is redrawn does not depend on how long they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "customer", "created_at", "text", "customer_messages"])
        for i in range(TICKETS):
            text = f"Where is the invoice for order {i}?" + " I asked before." * (i % 7)
            out.writerow([i, f"customer {i % 997}", f"2026-10-{i % 31 + 1:02d}", text, i % 4 + 1])
    return path


def redraw(page, key: str) -> float:  # type: ignore[no-untyped-def]
    before = page.evaluate(FIGURES)
    started = time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_function(f"before => {FIGURES} !== before", arg=before, timeout=10_000)
    took = time.perf_counter() - started
    settled(page)
    return took


def main() -> None:
    if CHROMIUM is None:
        skipped("slider", "no Chromium or Chrome on this machine")
        return
    rounds = 6 if quick() else 30
    took = moves(rounds)
    with tempfile.TemporaryDirectory() as folder:
        with_log = moves(rounds, written(Path(folder) / "log.csv"))
    conditions = {
        "worst_s": round(max(took), 3),
        "worst_100k_s": round(max(with_log), 3),
        "moved": "one step by arrow key on the month page, until the figures change",
        "rounds": rounds,
    }
    figures = {"redraw_s": round(median(took), 3), "redraw_100k_s": round(median(with_log), 3)}
    report("slider", figures, {"redraw_s": 0.3, "redraw_100k_s": 0.5}, conditions)


if __name__ == "__main__":
    main()
