"""A log priced in a worker thread, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

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
from playground.ui.background import Background

MIN_SHARE = 0.02
"""Below this share of the file nothing is said about how long the rest takes."""


class LogWork(Background):
    """One pricing of a log. Cancelled half way it keeps what was priced so far."""

    def __init__(self, path: Path, columns: Columns, price: Callable[[LogTickets], PricedBatch]) -> None:
        super().__init__("price-log")
        self.path, self.columns, self.price = path, columns, price
        self.read = LogRead()
        self.tickets = 0
        self.priced: PricedBatch | None = None
        self.figures: LogFigures | None = None
        self.forecast: LogForecast | None = None
        self.error: str | None = None

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

    def _work(self) -> None:
        try:
            parts = self._counted(
                price_all(self._until_stopped(read_log(self.path, self.columns, self.read)), self.price)
            )
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

    def _counted(self, parts: Iterator[PricedBatch]) -> Iterator[PricedBatch]:
        for part in parts:
            self.tickets += len(part.ids)
            yield part
