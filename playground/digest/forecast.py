"""What was expected of a day, as it was put into the ledger when the forecast was taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from playground.forecast import DAYS_IN_MONTH
from playground.money import usd
from playground.records import Event, Plan

_FIGURES = re.compile(r"(before|stratified|kr-auto): (\d+(?:\.\d+)?) tickets and (\d+(?:\.\d+)?) USD a month")


@dataclass(frozen=True, slots=True)
class Expected:
    """A month under a plan, models only, and the day on which it was expected."""

    plan: Plan
    tickets_per_month: Decimal
    usd_per_month: Decimal
    taken_on: date

    @property
    def tickets_a_day(self) -> Decimal:
        """Of an average day."""
        return self.tickets_per_month / DAYS_IN_MONTH

    @property
    def usd_a_day(self) -> Decimal:
        """Of an average day."""
        return self.usd_per_month / DAYS_IN_MONTH

    @property
    def usd_a_ticket(self) -> Decimal | None:
        """`None` where no ticket was expected."""
        return self.usd_per_month / self.tickets_per_month if self.tickets_per_month else None


def forecast_event(plan: Plan, tickets_per_month: int, usd_per_month: Decimal, now: datetime) -> Event:
    """A forecast for the ledger. It is arithmetic on prices, so its provenance is that of no call."""
    spent = round(usd_per_month, 6)
    said = f"{usd(spent)} a month for models is expected under {plan}, at {tickets_per_month:,} tickets a month."
    return Event(now, "forecast", f"{plan}: {tickets_per_month} tickets and {spent:f} USD a month", said, "rehearsal")


def expected(events: Sequence[Event], day: date) -> Expected | None:
    """The last forecast that was taken on or before a day; events the oldest first. `None` where there is none."""
    for event in reversed(events):
        found = _FIGURES.fullmatch(event.subject)
        taken = event.at.astimezone(UTC).date()
        if found is not None and taken <= day:
            plan: Plan = next(p for p in ("before", "stratified", "kr-auto") if p == found[1])
            return Expected(plan, Decimal(found[2]), Decimal(found[3]), taken)
    return None
