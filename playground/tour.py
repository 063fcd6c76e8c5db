"""The ten-minute tour: seven steps from one ticket to a report, each done when what it asks for was done or read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """One step: where it happens, what to do there, and what to look for."""

    key: str
    title: str
    page: str
    do: str


STOPS: tuple[Stop, ...] = (
    Stop("ticket", "A sample ticket", "pages/notebook.py", "Run the sample ticket and read its two costs at the top."),
    Stop(
        "decisions",
        "The decisions",
        "pages/notebook.py",
        "In any cell choose Decision: every model that was considered, and the reason it was or was not picked.",
    ),
    Stop(
        "month",
        "The month",
        "pages/month.py",
        "Set the volume to yours, and read what retries, returning tickets and people add.",
    ),
    Stop("log", "Your own log", "pages/log.py", "Drop in a ticket export, or take the sample log, and price it."),
    Stop(
        "shadow",
        "Good enough",
        "pages/shadow.py",
        "Draw tickets for one stage and one cheaper model, run them, and read the verdict.",
    ),
    Stop("plan", "The plan", "pages/plan.py", "Read which steps are ready, and what it saves to stop where you are."),
    Stop("report", "The report", "pages/report.py", "Download the report: one file to hand to finance."),
)


def next_stop(done: Collection[str]) -> Stop | None:
    """The first step that is not done, or `None` where all are."""
    return next((s for s in STOPS if s.key not in done), None)
