"""A log replayed through the caches in a worker thread, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from playground.errors import PlaygroundError
from playground.log_caching import Arrivals, CacheRules, LogCaching, replay_log, words_wanted
from playground.log_pricing import PricedBatch, merged, price_all
from playground.log_tickets import LogTickets
from playground.logs import Columns, LogRead, read_log
from playground.pipeline import Pipeline
from playground.ui.background import Background

CHANGED = "The log's file is not what it was when it was priced. Price it again, then measure the caches."


@dataclass(frozen=True, slots=True)
class Source:
    """A log to replay: its file, the agent it is priced for, and its prices where there are any yet."""

    path: Path
    columns: Columns | None
    flow: Pipeline
    price: Callable[[LogTickets], PricedBatch]
    batch: PricedBatch | None = None


class CachingWork(Background):
    """One replay. It holds words of the log's tickets while it runs, and none after."""

    def __init__(self, source: Source, rules: CacheRules) -> None:
        super().__init__("replay-log")
        self._source, self._rules = source, rules
        self.read = LogRead()
        self.doing: Literal["pricing", "reading", "replaying"] = "pricing"
        self.found: LogCaching | None = None
        self.error = ""

    def _work(self) -> None:
        try:
            batch = self._source.batch or self._priced()
            arrivals = None if batch is None else self._arrivals(batch)
            if batch is None or arrivals is None:
                return
            self.doing = "replaying"
            found = replay_log(batch, self._source.flow, arrivals, self._rules)
            self.found = None if self._stop.is_set() else found
        except PlaygroundError as error:
            self.error = str(error)
        except Exception as error:
            # The page must show a sentence, not a traceback; the type holds no ticket text.
            self.error = f"Measuring stopped on an internal error ({type(error).__name__}). Your log is not changed; measure again."

    def _priced(self) -> PricedBatch | None:
        parts = price_all(self._batches(times=False), self._source.price)
        first = next(parts, None)
        return None if first is None else merged(chain([first], parts))

    def _arrivals(self, batch: PricedBatch) -> Arrivals | None:
        """What the file says beside its prices; `None` where it was stopped. A pricing that was cut short is read as far."""
        self.doing = "reading"
        wanted, n, row = words_wanted(batch), len(batch.ids), 0
        seconds, words = [], {}
        for tickets in self._batches(times=True):
            here = min(len(tickets.ids), n - row)
            if tuple(batch.ids[row : row + here]) != tickets.ids[:here]:
                raise PlaygroundError(CHANGED)
            seconds.append(tickets.seconds[:here])
            for i in np.flatnonzero(wanted[row : row + here]).tolist():
                words[row + i] = f"{tickets.subjects[i]}\n{tickets.texts[i]}".strip()
            row += here
            if row == n:
                break
        if self._stop.is_set():
            return None
        if row != n:
            raise PlaygroundError(CHANGED)
        return Arrivals(np.concatenate(seconds), words)

    def _batches(self, times: bool) -> Iterator[LogTickets]:
        self.read = LogRead()
        return self._until_stopped(read_log(self._source.path, self._source.columns, self.read, times))
