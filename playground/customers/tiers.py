"""Which tier a customer's volume or spend puts it in, and who crosses into a higher one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from playground.customers import Customer, Part, Period
from playground.errors import BadInput
from playground.forecast import DAYS_IN_MONTH

Measure = Literal["tickets", "USD"]
MEASURES: tuple[Measure, ...] = ("tickets", "USD")
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Tier:
    """A named tier that begins at `start` tickets or USD a month."""

    name: str
    start: Decimal


USUAL: Mapping[Measure, tuple[Tier, ...]] = {
    "tickets": (Tier("Starter", Decimal(0)), Tier("Growth", Decimal(10)), Tier("Enterprise", Decimal(25))),
    "USD": (Tier("Starter", Decimal(0)), Tier("Growth", Decimal(1)), Tier("Enterprise", Decimal(5))),
}
"""Thresholds to begin with: they fit the sample log, and are to be replaced by one's own."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A customer's month and its tiers: of the whole period, and of either half's pace; `None` where there are no halves."""

    month: Decimal
    tier: Tier
    first: Tier | None
    second: Tier | None

    @property
    def crosses_up(self) -> bool:
        """Whether the second half's pace is that of a higher tier than the first half's."""
        return self.first is not None and self.second is not None and self.second.start > self.first.start


def read_tiers(rows: Iterable[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Tiers from the rows of an edited table, columns `name` and `start`, in ascending order; empty rows are passed over.

    Raises `BadInput` for a tier without a name or a threshold, two alike, or a lowest one that does not begin at 0.
    """
    filled = [(str(row.get("name") or "").strip(), row.get("start")) for row in rows]
    tiers = sorted((_tier(n, s) for n, s in filled if n or not _missing(s)), key=lambda t: t.start)
    for kind, values in (("name", [t.name for t in tiers]), ("threshold", [t.start for t in tiers])):
        if len(set(values)) < len(values):
            raise BadInput(f"Two tiers have the same {kind}. Give each its own.")
    if not tiers or tiers[0].start != 0:
        raise BadInput("The lowest tier has to begin at 0, so that every customer is in one.")
    return tuple(tiers)


def _tier(name: str, start: Any) -> Tier:
    if not name:
        raise BadInput("A tier has a threshold and no name. Name it, or remove the row.")
    if _missing(start):
        raise BadInput(f"The tier {name[:LONGEST_NAME]} has no threshold. Say from how much a month it begins.")
    try:
        amount = Decimal(str(start))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise BadInput(f"The threshold of the tier {name[:LONGEST_NAME]} has to be a number, zero or more.")
    return Tier(name[:LONGEST_NAME], amount)


def _missing(value: Any) -> bool:
    return value is None or value == "" or value != value


def placed(customer: Customer, tiers: Sequence[Tier], measure: Measure, period: Period) -> Placed:
    """A customer's place. The period, and either half, are scaled to a month of 30.4375 days."""
    month = _amount(Part(customer.tickets, customer.cost), measure) * period.per_month
    return Placed(
        month, tier_of(month, tiers), *(_half(p, tiers, measure, period) for p in (customer.first, customer.second))
    )


def _half(part: Part | None, tiers: Sequence[Tier], measure: Measure, period: Period) -> Tier | None:
    return None if part is None else tier_of(_amount(part, measure) * DAYS_IN_MONTH / period.half, tiers)


def _amount(part: Part, measure: Measure) -> Decimal:
    return Decimal(part.tickets) if measure == "tickets" else part.cost.known_usd


def tier_of(month: Decimal, tiers: Sequence[Tier]) -> Tier:
    """The highest tier that this much a month reaches; tiers in ascending order."""
    return next(t for t in reversed(tiers) if month >= t.start)
