"""A run in a worker thread, watched by a page that redraws. No Streamlit in here: `st.*` in a thread reads nothing."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal
from weakref import WeakSet

from playground.errors import PlaygroundError
from playground.loop import Agent, run
from playground.records import Plan, Request, Step, Ticket

ABANDONED_AFTER_S = 120.0
"""A run nobody has looked at for this long stops: a closed tab must not go on spending."""
MAX_SHOWN_CHARS = 20_000


_RUNS: WeakSet[Run] = WeakSet()
"""Those of every session of this server that still lives."""


def cancel_runs(customer: str) -> None:
    """Ask every run of a customer's ticket in this server to stop."""
    for each in tuple(_RUNS):
        if each.ticket.customer_id == customer:
            each.cancel()


class Run:
    """One background run of a ticket; it is its own `Watch`."""

    def __init__(self, agent: Agent, ticket: Ticket, plan: Plan, done: Sequence[Step] = ()) -> None:
        self.agent, self.ticket, self.plan = agent, ticket, plan
        self.steps: list[Step] = list(done)
        self.error: str | None = None
        self.started = time.monotonic()
        self._texts: dict[tuple[str, int], str] = defaultdict(str)
        self._seen = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ticket-run", daemon=True)

    def start(self, wait_s: float = 0.0) -> Run:
        """Start, and wait up to `wait_s` seconds: a rehearsal is then finished before the page draws."""
        _RUNS.add(self)
        self._thread.start()
        self._thread.join(wait_s)
        return self

    @property
    def state(self) -> Literal["running", "finished", "failed", "cancelled"]:
        """Where the run stands."""
        if self._thread.is_alive():
            return "running"
        if self._stop.is_set():
            return "cancelled"
        broken = any(s.state != "done" and s.handover is None for s in self.steps)
        return "failed" if self.error or broken else "finished"

    def cancel(self) -> None:
        """Ask the run to stop; what has arrived so far is kept and billed."""
        self._stop.set()

    def look(self) -> None:
        """Say that somebody still watches."""
        self._seen = time.monotonic()

    def shown(self, stage: str) -> str:
        """The text that has streamed in for a stage, its calls in order."""
        parts = [text for (key, _), text in sorted(self._texts.items()) if key == stage and text]
        return "\n\n".join(parts)[-MAX_SHOWN_CHARS:]

    def text(self, request: Request, chunk: str) -> None:
        """A chunk of streamed text arrived."""
        self._texts[request.prompt.stage, request.prompt.call] += chunk

    def restart(self, request: Request) -> None:
        """A call begins anew: half of a cut answer must not stand before the whole one."""
        self._texts[request.prompt.stage, request.prompt.call] = ""

    def cancelled(self) -> bool:
        """Whether the loop and the gateway should stop."""
        if time.monotonic() - self._seen > ABANDONED_AFTER_S:
            self._stop.set()
        return self._stop.is_set()

    def _work(self) -> None:
        try:
            for step in run(self.agent, self.ticket, self.plan, self, self.steps[:]):
                self.steps.append(step)
                if self.cancelled():
                    break
        except PlaygroundError as error:
            self.error = str(error)
        except Exception as error:
            # The page must show a sentence, not a traceback; the type is enough for a report, and holds no ticket text.
            self.error = (
                f"The run stopped on an internal error ({type(error).__name__}). Nothing you typed is lost; run again."
            )
