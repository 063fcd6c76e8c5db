"""How unequal spend is: what the dearest carry, the curve of it, and the Gini coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from playground.customers import Customers

CLAIMED = "The founding article expects the top 10% to carry 60% or more."
CURVE_POINTS = 200


@dataclass(frozen=True, slots=True)
class Top:
    """The dearest tenth of the customers, rounded down to whole ones and at least one, and the share of spend that they carry."""

    customers: int
    of: int
    share: Decimal
    left_out: int = 0
    """Customers with a part that has no price."""

    def __str__(self) -> str:
        less = f"; left out: {self.left_out:,} with a part that has no price" if self.left_out else ""
        if self.of < 10:
            return f"The dearest of {self.of:,} customers carries {self.share:.0%} of spend{less}"
        return f"The top 10% of customers ({self.customers:,} of {self.of:,}) carry {self.share:.0%} of spend{less}"


def top_tenth(customers: Customers) -> Top | None:
    """What the top 10% of customers carry; `None` with fewer than two customers, or where nothing is spent."""
    spent = customers.spends_pico
    whole = sum(spent.tolist())
    if len(spent) < 2 or not whole:
        return None
    n = max(1, len(spent) // 10)
    return Top(n, len(spent), Decimal(sum(spent[:n].tolist())) / whole, customers.without_every_price)


def gini(spends: NDArray[np.float64]) -> float | None:
    """The Gini coefficient: 0 where all spend the same, (n-1)/n where one of n spends everything; `None` where nothing is spent.

    G = sum over i of (2i - n - 1) x_i / (n * sum of x), x ascending: half the mean absolute difference over the mean, for a whole
    population and not corrected for a sample (Sen, On Economic Inequality, 1973; R's ineq::Gini without `corr`).
    """
    n, whole = len(spends), float(spends.sum())
    if not n or whole <= 0:
        return None
    weights = 2 * np.arange(1, n + 1) - n - 1
    return min(1.0, max(0.0, float(weights @ (np.sort(spends) / whole)) / n))


def curve(spends: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Share of customers, the dearest first, against the share of spend they carry: at most about `CURVE_POINTS` points."""
    n, whole = len(spends), float(spends.sum())
    if not n or whole <= 0:
        return ()
    carried = np.cumsum(-np.sort(-spends)) / whole
    places = np.unique(np.linspace(1, n, min(n, CURVE_POINTS)).round().astype(int))
    return ((0.0, 0.0), *((float(p) / n, min(1.0, float(carried[p - 1]))) for p in places))
