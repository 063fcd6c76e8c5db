"""One step of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

State = Literal["done", "rehearsed", "ready", "waiting", "failed", "blocked"]
"""`rehearsed` has passed, but only in rehearsals: it does not count as done."""
STATES: tuple[State, ...] = ("done", "rehearsed", "ready", "waiting", "failed", "blocked")
Page = Literal["notebook", "log", "month", "shadow", "drift", "guards", "digest"]
"""Where a step is moved on."""
WEEKS = {
    1: "Receipts, and nothing else changes",
    2: "Stratify on paper",
    3: "Cut over what passes",
    4: "kr-auto, guardrails and the digest",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its state and the sentence behind it."""

    week: int
    key: str
    """Stays the same from day to day."""
    title: str
    what: str
    state: State
    because: str
    next: str
    """What moves it on; empty where nothing is left to do."""
    page: Page
    reverse: str
    """How it is taken back."""
    can_reverse: bool = False
    """Whether there is something to take back now."""
    saves_usd_month: Decimal | None = None
    """An estimate; `None` where the step saves nothing by itself, or its price is not known."""

    @property
    def is_done(self) -> bool:
        """Whether it counts for production."""
        return self.state == "done"
