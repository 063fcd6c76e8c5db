"""A sample of a log run in worker threads, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from playground.bounded import Bounded, Finished, Unit, run_bounded
from playground.errors import PlaygroundError
from playground.jobs import Jobs
from playground.loop import Agent, run_all
from playground.money import Total
from playground.records import Plan, Request, Ticket
from playground.sample import as_payload
from playground.ui.runner import ABANDONED_AFTER_S

WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Stop:
    """A watch that only stops."""

    event: threading.Event

    def text(self, request: Request, chunk: str) -> None:
        """Ignore a piece of the answer."""

    def cancelled(self) -> bool:
        """Whether the run was cancelled."""
        return self.event.is_set()


class SampleWork:
    """One run of a sample under a cap. What is finished is stored before it is counted, so that a stopped run goes on."""

    def __init__(
        self,
        agent: Agent,
        tickets: Mapping[str, Ticket],
        units: Sequence[Unit],
        plan: Plan,
        cap_usd: Decimal,
        jobs: Jobs,
        job: str,
    ) -> None:
        self.agent, self.tickets, self.plan, self.total = agent, tickets, plan, len(units)
        self.payloads: dict[str, Mapping[str, Any]] = {}
        """By unit, as they finish."""
        self.resumed = 0
        self.error = ""
        self.started = self._seen = time.monotonic()
        self._stop = threading.Event()
        self._bounded: Bounded = run_bounded(
            units, self._run, workers=WORKERS, cap_usd=cap_usd, jobs=jobs, job=job, stop=self._stop
        )
        self._thread = threading.Thread(target=self._work, name="sample-run", daemon=True)

    def start(self, wait_s: float = 0.0) -> SampleWork:
        """Start, and wait up to `wait_s` seconds."""
        self._thread.start()
        self._thread.join(wait_s)
        return self

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self._thread.is_alive()

    @property
    def spent_usd(self) -> Decimal:
        """All that the sample has cost so far, earlier runs included."""
        return self._bounded.spent_usd

    @property
    def left(self) -> int:
        """Tickets that have not run."""
        return self._bounded.left

    @property
    def stopped_by(self) -> Literal["", "cap", "cancel", "error"]:
        """What ended it before the last ticket."""
        return self._bounded.stopped_by

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes; `None` before a ticket is through."""
        fresh = len(self.payloads) - self.resumed
        return (time.monotonic() - self.started) / fresh * self.left if fresh else None

    def cancel(self) -> None:
        """Start no more; what is under way stops, and what is done is kept."""
        self._stop.set()

    def look(self) -> None:
        """Say that somebody still watches."""
        self._seen = time.monotonic()

    def _run(self, unit: Unit, stop: threading.Event) -> Finished:
        if time.monotonic() - self._seen > ABANDONED_AFTER_S:
            stop.set()
        trace = run_all(self.agent, self.tickets[unit.key], self.plan, _Stop(stop))
        cost = Total.of(r.cost_usd for r in trace.receipts).known_usd
        return Finished(unit.key, as_payload(trace, len(self.agent.pipeline.stages)), cost)

    def _work(self) -> None:
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
                f"The sample stopped on an internal error ({type(error).__name__}). What ran is kept; run it again."
            )
