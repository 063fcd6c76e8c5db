"""Bounded work in worker threads, watched by a page that redraws: a sample of tickets, or pairs. No Streamlit in here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Self

from playground.bounded import Bounded, Finished, Unit, Work, run_bounded
from playground.errors import PlaygroundError
from playground.jobs import Jobs, StoreError
from playground.ui.background import Background

WORKERS = 4
_LOCK = threading.Lock()
_RUNNING: set[str] = set()
"""Jobs under way in this server: two sessions on one log would each keep a cap of their own, and pay twice."""


class BoundedWork(Background):
    """Units run under a cap. What is finished is stored before it is counted, so that stopped work goes on where it was."""

    def __init__(
        self,
        units: Sequence[Unit],
        work: Work,
        cap_usd: Decimal,
        jobs: Jobs,
        job: str,
        at_cap: Callable[[int], None] | None = None,
    ) -> None:
        """`at_cap` is told how many units are left where the cap ended the work; it is called from a thread."""
        super().__init__("bounded-work")
        self.total, self._do, self._job, self._at_cap = len(units), work, job, at_cap
        self.payloads: dict[str, Mapping[str, Any]] = {}
        """By unit, as they finish."""
        self.resumed = 0
        self.error = ""
        self.unanswered: dict[str, str] = {}
        """By unit that nobody answered in this run, and why; such a unit runs again when the work goes on."""
        self._pause = threading.Event()
        self._bounded: Bounded = run_bounded(
            units,
            self._watched,
            workers=WORKERS,
            cap_usd=cap_usd,
            jobs=jobs,
            job=job,
            stop=self._stop,
            pause=self._pause,
        )

    def start(self, wait_s: float = 0.0) -> Self:
        """Start, and wait up to `wait_s` seconds. Raises `StoreError` where another session runs the same job."""
        with _LOCK:
            if self._job in _RUNNING:
                raise StoreError(
                    "The same work is running in another window. Wait until it has finished, then show what ran."
                )
            _RUNNING.add(self._job)
        return super().start(wait_s)

    @property
    def spent_usd(self) -> Decimal:
        """All that it has cost so far, earlier runs included."""
        return self._bounded.spent_usd

    @property
    def left(self) -> int:
        """Units that have not run."""
        return self._bounded.left

    @property
    def stopped_by(self) -> Literal["", "cap", "cancel", "error"]:
        """What ended it before the last unit."""
        return self._bounded.stopped_by

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes; `None` before a unit is through."""
        fresh = len(self.payloads) - self.resumed
        return (time.monotonic() - self.started) / fresh * self.left if fresh else None

    def pause(self) -> None:
        """Start no more; what is under way finishes, so that nothing is paid for twice."""
        self._pause.set()

    @property
    def pausing(self) -> bool:
        """Whether it only finishes what is under way."""
        return self.running and self._pause.is_set()

    def _watched(self, unit: Unit, stop: threading.Event) -> Finished:
        if self._abandoned:
            self._pause.set()
        found = self._do(unit, stop)
        if found.payload.get("partial") and not stop.is_set():
            self.unanswered[unit.key] = found.why
        return found

    def _work(self) -> None:
        try:
            self._collect()
            if self.stopped_by == "cap" and self._at_cap is not None:
                self._at_cap(self.left)
        finally:
            _RUNNING.discard(self._job)

    def _collect(self) -> None:
        try:
            for finished in self._bounded:
                self.payloads[finished.key] = finished.payload
                self.resumed += finished.resumed
            self.error = self._bounded.error
        except PlaygroundError as error:
            self.error = str(error)
        except Exception as error:
            # The type is enough for a report, and holds no ticket text.
            self.error = (
                f"The work stopped on an internal error ({type(error).__name__}). What ran is kept; run it again."
            )
