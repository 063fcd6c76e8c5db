"""Intervals and tests for pairs counted once, at a number fixed beforehand: they do not survive being looked at every day.

A table of pairs is a (both right), b (only the candidate right), c (only the current model right) and d (both wrong); the
difference is (b - c) / n. The verdict comes from `sequential`; these stand beside it, labelled "fixed n only".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtri


@dataclass(frozen=True, slots=True)
class FixedInterval:
    """An interval that is valid at one look, after a number of pairs that was fixed beforehand."""

    low: float
    estimate: float
    high: float
    method: str


def tango(b: int, c: int, n: int, level: float = 0.95) -> FixedInterval:
    """Tango's (1998) score interval for the difference of paired shares: the differences that the score test does not reject."""
    _check(b, c, n)
    estimate, z = (b - c) / n, _z(level)
    low = -1.0 if c == n else _crossing(b, c, n, z, -1.0, estimate)
    high = 1.0 if b == n else _crossing(b, c, n, -z, estimate, 1.0)
    return FixedInterval(low, estimate, high, "Tango score, fixed n only")


def non_inferiority_z(b: int, c: int, n: int, margin: float) -> float:
    """The score statistic against "worse by the margin or more"; above 1.96 is not worse, at one look and one-sided 2.5%."""
    _check(b, c, n)
    if not 0 < margin < 1:
        raise ValueError(f"The margin is {margin:g}: give a share between 0 and 1, such as 0.02 for two points.")
    return _score(b, c, n, -margin)


def newcombe(a: int, b: int, c: int, d: int, level: float = 0.95) -> FixedInterval:
    """Newcombe's (1998) method 10: two Wilson intervals joined by their correlation, which is corrected for continuity."""
    n = a + b + c + d
    _check(b, c, n, a, d)
    candidate, current = _wilson(a + b, n, _z(level)), _wilson(a + c, n, _z(level))
    phi, estimate = _phi(a, b, c, d), (b - c) / n
    below = _joined(candidate.estimate - candidate.low, current.high - current.estimate, phi)
    above = _joined(candidate.high - candidate.estimate, current.estimate - current.low, phi)
    return FixedInterval(estimate - below, estimate, estimate + above, "Newcombe hybrid score, fixed n only")


def wald(b: int, c: int, n: int, level: float = 0.95) -> FixedInterval:
    """The textbook interval: too short for few discordant pairs, and of width 0 for none."""
    _check(b, c, n)
    estimate = (b - c) / n
    half = _z(level) * math.sqrt(max(b + c - (b - c) ** 2 / n, 0.0)) / n
    return FixedInterval(estimate - half, estimate, estimate + half, "Wald, fixed n only")


def mcnemar_exact(b: int, c: int) -> float:
    """The two-sided exact p-value of "no difference"."""
    _check(b, c, max(b + c, 1))
    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def mcnemar_midp(b: int, c: int) -> float:
    """The two-sided mid-p of "no difference": half of the observed table counts (Fagerland and others 2013)."""
    _check(b, c, max(b + c, 1))
    least, discordant = min(b, c), b + c
    at = float(bdtr(least, discordant, 0.5)) - (float(bdtr(least - 1, discordant, 0.5)) if least else 0.0)
    if b == c:
        return 1 - at / 2 if b else 1.0
    return mcnemar_exact(b, c) - at


def pairs_for(margin: float, discordance: float, alpha: float = 0.025, power: float = 0.8) -> int:
    """How many pairs show that a candidate with no true difference is not worse by the margin, at one look.

    `discordance` is the share of pairs on which the two differ. `alpha` is one-sided.
    """
    for name, value in (("margin", margin), ("discordance", discordance), ("alpha", alpha), ("power", power)):
        if not 0 < value < 1:
            raise ValueError(f"The {name} is {value:g}: give a share between 0 and 1.")
    needed = float(ndtri(1 - alpha) + ndtri(power)) ** 2 * discordance / margin**2
    return math.ceil(needed - 1e-9)


LOOKING_COSTS = 2.3
"""Pairs for a verdict that may be looked at, against one look at a fixed number: then at least as many evaluations are decided
as were asked for, 80 to 95 in 100 (`benchmarks/sequential.py`)."""


def daily_pairs(margin: float, discordance: float, power: float = 0.8) -> int:
    """Pairs for a verdict, looked at every day, on a candidate with no true difference."""
    return round(pairs_for(margin, discordance, power=power) * LOOKING_COSTS)


def quantile_interval(values: ArrayLike, quantile: float, level: float = 0.95) -> FixedInterval:
    """An interval for a quantile by order statistics, which assumes nothing about the shape of the values."""
    from scipy.stats import quantile_test

    found = np.asarray(values, dtype=float)
    _check_quantile(found, quantile, level)
    limits = quantile_test(found, p=quantile).confidence_interval(level)
    estimate = float(np.quantile(found, quantile, method="inverted_cdf"))
    return FixedInterval(float(limits.low), estimate, float(limits.high), "Order statistics, fixed n only")


def smallest_sample(quantile: float, level: float = 0.95) -> int:
    """How many values an interval for a quantile needs: 72 for the 95th percentile at 95%, 368 for the 99th."""
    for name, value in (("quantile", quantile), ("level", level)):
        if not 0 < value < 1:
            raise ValueError(f"The {name} is {value:g}: give a share between 0 and 1.")
    return math.ceil(math.log((1 - level) / 2) / math.log(max(quantile, 1 - quantile)) - 1e-9)


def _check_quantile(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], quantile: float, level: float) -> None:
    needed = smallest_sample(quantile, level)
    if values.ndim != 1 or len(values) < needed:
        raise ValueError(
            f"There are {values.size} values: an interval for the {quantile:g} quantile needs {needed} in one row."
        )
    if not np.isfinite(values).all():
        raise ValueError("A value is not finite: leave tickets without a value out.")


def _check(b: int, c: int, n: int, *rest: int) -> None:
    if min(b, c, *rest) < 0:
        raise ValueError(f"The table has a count below 0 ({b} won, {c} lost): count each pair once.")
    if n < 1:
        raise ValueError("There are no pairs: an interval needs at least one.")
    if b + c > n:
        raise ValueError(f"{b} won and {c} lost are more than the {n} pairs: give the number of all pairs.")


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"The level is {level:g}: give a share between 0 and 1, such as 0.95.")
    return float(ndtri((1 + level) / 2))


def _score(b: int, c: int, n: int, difference: float) -> float:
    """The score statistic at a difference, with the share of losses that is likeliest there."""
    linear = -b - c + (2 * n - b + c) * difference
    constant = -c * difference * (1 - difference)
    losses = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    variance = n * (2 * losses + difference * (1 - difference))
    apart = b - c - n * difference
    return apart / math.sqrt(variance) if variance > 1e-15 else math.copysign(math.inf, apart) if apart else 0.0


def _crossing(b: int, c: int, n: int, z: float, low: float, high: float) -> float:
    """The difference between `low` and `high` whose score statistic, which falls, is `z`."""
    from scipy.optimize import brentq

    inside = 1e-12
    return float(
        brentq(lambda at: max(min(_score(b, c, n, at), 1e9), -1e9) - z, low + inside, high - inside, xtol=1e-13)
    )


def _wilson(successes: int, n: int, z: float) -> FixedInterval:
    share = successes / n
    middle, half = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    return FixedInterval((middle - half) / scale, share, (middle + half) / scale, "Wilson, fixed n only")


def _phi(a: int, b: int, c: int, d: int) -> float:
    product = (a + b) * (c + d) * (a + c) * (b + d)
    excess = a * d - b * c
    corrected = max(excess - (a + b + c + d) / 2, 0.0) if excess > 0 else float(excess)
    return corrected / math.sqrt(product) if product else 0.0


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0))
