"""From a key press on the month's volume slider to the new figures on the screen, in Chromium."""

from __future__ import annotations

import time
from statistics import median

from _report import quick, report, skipped

from tests.browser.harness import CHROMIUM, app_running, chromium, settled

FIGURES = "[...document.querySelectorAll('[data-testid=\"stMetricValue\"]')].map(e => e.textContent).join('|')"


def moves(rounds: int) -> list[float]:
    with app_running() as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{url}/month")
        settled(page)
        thumb = page.get_by_role("slider", name="Tickets a month")
        thumb.wait_for()
        thumb.focus()
        took = [redraw(page, "ArrowRight" if n % 2 else "ArrowLeft") for n in range(rounds + 2)]
    return took[2:]


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
    conditions = {
        "worst_s": round(max(took), 3),
        "moved": "one step by arrow key on the month page, until the figures change",
        "rounds": rounds,
    }
    report("slider", {"redraw_s": round(median(took), 3)}, {"redraw_s": 0.3}, conditions)


if __name__ == "__main__":
    main()
