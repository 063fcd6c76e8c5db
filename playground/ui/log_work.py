"""A log priced in a worker thread, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Literal

from playground.errors import PlaygroundError
from playground.log_forecast import LogForecast, log_forecast
from playground.log_pricing import PricedBatch, merged, price_all
from playground.log_summary import LogFigures, log_figures
from playground.log_tickets import LogTickets
from playground.logs import Columns, LogRead, read_log
from playground.ui.runner import ABANDONED_AFTER_S

MIN_SHARE = 0.02
"""Below this share of the file nothing is said about how long the rest takes."""


class LogWork:
    """One pricing of a log. Cancelled half way it keeps what was priced so far."""

    def __init__(self, path: Path, columns: Columns, price: Callable[[LogTickets], PricedBatch]) -> None:
        self.path, self.columns, self.price = path, columns, price
        self.read = LogRead()
        self.tickets = 0
        self.priced: PricedBatch | None = None
        self.figures: LogFigures | None = None
        self.forecast: LogForecast | None = None
        self.error: str | None = None
        self.started = self._seen = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="price-log", daemon=True)

    def start(self, wait_s: float = 0.0) -> LogWork:
        """Start, and wait up to `wait_s` seconds: a small log is then finished before the page draws."""
        self._thread.start()
        self._thread.join(wait_s)
        return self

    @property
    def state(self) -> Literal["running", "finished", "cancelled", "failed"]:
        """Where the work stands."""
        if self._thread.is_alive():
            return "running"
        if self.error:
            return "failed"
        return "cancelled" if self._stop.is_set() else "finished"

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes at the pace so far; `None` before there is a pace."""
        share = self.read.share
        if share < MIN_SHARE:
            return None
        return (time.monotonic() - self.started) * (1 - share) / share

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._stop.set()

    def look(self) -> None:
        """Say that somebody still watches."""
        self._seen = time.monotonic()

    def _work(self) -> None:
        try:
            parts = self._counted(price_all(self._batches(), self.price))
            first = next(parts, None)
            if first is not None:
                self.priced = merged(chain([first], parts))
                self.figures = log_figures(self.priced)
                self.forecast = log_forecast(self.priced)
        except PlaygroundError as error:
            self.error = str(error)
        except Exception as error:
            # The page must show a sentence, not a traceback; the type is enough for a report, and holds no ticket text.
            self.error = (
                f"Pricing stopped on an internal error ({type(error).__name__}) after {self.tickets:,} tickets. "
                "Your file is not changed; price it again."
            )

    def _batches(self) -> Iterator[LogTickets]:
        for batch in read_log(self.path, self.columns, self.read):
            if time.monotonic() - self._seen > ABANDONED_AFTER_S:
                self._stop.set()
            if self._stop.is_set():
                return
            yield batch

    def _counted(self, parts: Iterator[PricedBatch]) -> Iterator[PricedBatch]:
        for part in parts:
            self.tickets += len(part.ids)
            yield part
