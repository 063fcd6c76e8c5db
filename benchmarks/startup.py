"""Importing the engine, and the first page in Chromium against an empty Streamlit page in the same run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from _report import ROOT, quick, report, skipped

from tests.browser.harness import CHROMIUM, app_running, chromium

IMPORT = "import time; t = time.perf_counter(); import playground; print(time.perf_counter() - t)"
EVERYTHING = (
    "import time; t = time.perf_counter(); import playground.cli, playground.bill; print(time.perf_counter() - t)"
)
EMPTY = 'import streamlit as st\nst.title("Empty")\n'
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def import_s(code: str, rounds: int) -> float:
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
        for _ in range(rounds)
    ]
    return median(float(r) for r in runs)


def ready_s(browser, url: str, marker: str) -> float:  # type: ignore[no-untyped-def]
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    started = time.perf_counter()
    page.goto(url)
    page.get_by_text(marker).first.wait_for(timeout=60_000)
    page.wait_for_selector(READY, timeout=60_000)
    took = time.perf_counter() - started
    page.close()
    return took


def pages(rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until ready, ours and empty, in turn: the first of each only warms the servers up."""
    with tempfile.TemporaryDirectory() as folder:
        blank = Path(folder) / "empty.py"
        blank.write_text(EMPTY, encoding="utf-8")
        with app_running() as ours, app_running(blank) as empty, chromium() as browser:
            pairs = [
                (ready_s(browser, ours, "Hand-over summary"), ready_s(browser, empty, "Empty"))
                for _ in range(rounds + 1)
            ]
    return [a for a, _ in pairs[1:]], [b for _, b in pairs[1:]]


def main() -> None:
    if CHROMIUM is None:
        skipped("startup", "no Chromium or Chrome on this machine")
        return
    rounds = 4 if quick() else 15
    ours, empty = pages(rounds)
    figures = {
        "import_s": round(import_s(IMPORT, 5), 4),
        "page_ready_ratio": round(median(a / b for a, b in zip(ours, empty, strict=True)), 3),
    }
    conditions = {
        "import_every_engine_room_s": round(import_s(EVERYTHING, 5), 4),
        "page_ready_s": round(median(ours), 3),
        "empty_page_s": round(median(empty), 3),
        "ready": "the last of the six finished cells is on the screen and the script has ended; a new page each time, in turn",
        "rounds": rounds,
    }
    report("startup", figures, {"import_s": 0.3, "page_ready_ratio": 2.0}, conditions)


if __name__ == "__main__":
    main()
