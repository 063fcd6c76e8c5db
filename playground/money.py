"""Sums of money that may have unknown parts, and how money is written on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Total:
    """The known part of a sum in USD, and how many parts had no price."""

    known_usd: Decimal = ZERO
    unpriced_calls: int = 0

    @classmethod
    def of(cls, costs: Iterable[Decimal | None]) -> Total:
        """Add costs; `None` counts as unpriced."""
        costs = tuple(costs)
        return cls(sum((c for c in costs if c is not None), ZERO), sum(c is None for c in costs))

    def __add__(self, other: Total) -> Total:
        return Total(self.known_usd + other.known_usd, self.unpriced_calls + other.unpriced_calls)

    def __mul__(self, factor: Decimal | int) -> Total:
        return Total(self.known_usd * factor, self.unpriced_calls)

    @property
    def exact_usd(self) -> Decimal | None:
        """The sum, or `None` where a part of it has no price."""
        return None if self.unpriced_calls else self.known_usd

    def __str__(self) -> str:
        if not self.unpriced_calls:
            return usd(self.known_usd)
        calls = "1 call" if self.unpriced_calls == 1 else f"{self.unpriced_calls} calls"
        if not self.known_usd:
            return f"unpriced ({calls})"
        return f"at least {usd(self.known_usd)}, {calls} unpriced"


def usd(amount: Decimal | None) -> str:
    """Money for the screen: six digits under a tenth of a cent, four under a dollar, none above a thousand."""
    if amount is None:
        return "unpriced"
    size = abs(amount)
    digits = 2 if not size else 6 if size < Decimal("0.001") else 4 if size < 1 else 2 if size < 1000 else 0
    sign = "-" if amount < 0 else ""
    return f"{sign}${size:,.{digits}f}"


def signed(amount: Decimal | None) -> str:
    """A change of money, with its sign; none where nothing changes."""
    found = usd(amount)
    return found if not amount or amount < 0 else f"+{found}"


def percent_change(new: Decimal | None, old: Decimal | None) -> str:
    """Signed change from `old` to `new`, such as `-77%`; empty where either is unknown or `old` is zero."""
    if new is None or old is None or not old:
        return ""
    change = (new - old) / old * 100
    return f"{change:+.0f}%" if abs(change) >= 1 or not change else f"{change:+.1f}%"
