"""A running app and a Chromium to look at it; shared by the browser tests and the benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (p := shutil.which(name))), None
)
START_S = 60
MENUS: Mapping[str, str] = {
    **dict.fromkeys(("Bill", "Ticket log", "Month", "Customers", "Bars and limits"), "What it costs"),
    **dict.fromkeys(("Plan", "Report", "Digest"), "Get there"),
    **dict.fromkeys(("Receipts", "Models and prices", "Settings"), "Where the numbers come from"),
}


@contextmanager
def app_running(script: str | Path = "app.py", env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start `streamlit run script` on a free port of loopback; yields its address, with its log at `.log`."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as home:
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**clean, "TICKET_PLAYGROUND_HOME": home, **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"streamlit stopped with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"streamlit did not answer within {START_S} s")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium from the system."""
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watcher:
    """What a page asked for outside its own origin, and what it printed as errors."""

    def __init__(self, page: Page, url: str) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []
        own = urlparse(url).netloc
        page.on("request", lambda r: self._asked(r.url, own))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def _asked(self, url: str, own: str) -> None:
        parts = urlparse(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != own:
            self.foreign.append(url)


def settled(page: Page, timeout_ms: int = 30_000) -> None:
    """Wait until the page's script has finished."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=timeout_ms)


def go(page: Page, title: str) -> None:
    """Open a page from the menu above it."""
    page.get_by_test_id("stTopNavSection").filter(has_text=MENUS[title]).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()
