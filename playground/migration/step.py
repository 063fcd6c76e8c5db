"""One step of the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from playground.migration.facts import Saved

State = Literal["done", "passed", "rehearsed", "ready", "waiting", "failed", "blocked"]
"""`passed` is not in force yet, and `rehearsed` has passed, or kept today's model, in rehearsals only: neither counts as done."""
STATES: tuple[State, ...] = ("done", "passed", "rehearsed", "ready", "waiting", "failed", "blocked")
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
    was_kept: bool = False
    """Whether a rehearsal kept today's model: what passed in rehearsals is added up without it."""
    so_far: Saved = field(default_factory=Saved)
    """What live receipts say of the stage that the step hands over."""

    @property
    def is_done(self) -> bool:
        """Whether it counts for production."""
        return self.state == "done"

    @property
    def hands_over(self) -> bool:
        """Whether it gives a stage to another model: only such steps save by themselves."""
        return self.key.startswith(("cut-", "auto-"))
