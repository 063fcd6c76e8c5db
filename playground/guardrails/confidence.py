"""What a stated confidence is worth: calibration on outcomes, its error, and what a gate at each threshold saves and wastes.

An outcome is a pair: the confidence that a draft stated, and whether its answer was accepted, by a label or by a judge. All
functions are pure; arrays are one-dimensional and of the same length, confidences from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.errors import BadInput

MIN_OUTCOMES = 50
MIN_OF_EACH = 10
"""Fewer outcomes, or fewer of the rarer kind, say too little: isotonic regression follows chance where data are scarce
(Niculescu-Mizil and Caruana 2005 find it behind a sigmoid under some hundreds), so a confidence is then taken as stated."""
BINS = 10
FOLDS = 5
LEVEL = 0.95

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map from stated to calibrated confidence: straight lines between `stated` and `share`, flat outside; itself a `calibrate`.

    Without points it changes nothing and is labelled uncalibrated; `why` then says what is missing.
    """

    stated: tuple[float, ...] = ()
    share: tuple[float, ...] = ()
    n: int = 0
    why: str = ""

    @property
    def label(self) -> Literal["calibrated", "uncalibrated"]:
        """What to write beside every figure that rests on it."""
        return "calibrated" if self.stated else "uncalibrated"

    def __call__(self, stated: float) -> float:
        """The share of answers accepted at this stated confidence."""
        return float(np.interp(stated, self.stated, self.share)) if self.stated else stated


@dataclass(frozen=True, slots=True)
class Bin:
    """Outcomes whose stated confidence lies from `low` to under `high`; `lower` to `upper` is Wilson's 95% for `observed`."""

    low: float
    high: float
    stated: float
    observed: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class StageCosts:
    """Mean cost of a ticket in USD: of the stages up to the draft, and of the check and the answer that a gate would skip."""

    until_draft_usd: Decimal
    after_draft_usd: Decimal


@dataclass(frozen=True, slots=True)
class GateRow:
    """What a gate at one threshold does to all outcomes.

    `saved_usd` is check and answer of tickets handed over whose answer would not have been accepted anyway; `wasted_usd` is all
    that was spent on tickets that a person then handles; `needless` counts handed-over tickets whose answer was good; `passed_bad`
    counts bad answers that the gate lets through.
    """

    threshold: float
    handed_over: int
    needless: int
    passed_bad: int
    n: int
    saved_usd: Decimal
    wasted_usd: Decimal


def fit(stated: ArrayLike, accepted: ArrayLike) -> Calibration:
    """Calibrate on outcomes by isotonic regression (Zadrozny and Elkan 2002; scipy's pool-adjacent-violators).

    Equal confidences are pooled first, so their order cannot matter. No share is surer than the rule of succession allows on all
    outcomes, 1 / (n + 2) from either end: a block of nothing but successes proves no certainty. Raises `BadInput`.
    """
    x, y = _checked(stated, accepted)
    if missing := _missing(y):
        return Calibration(n=len(x), why=missing)
    at, share = _isotonic(x, y)
    return Calibration(tuple(at.tolist()), tuple(share.tolist()), len(x))


def cross_fitted(stated: ArrayLike, accepted: ArrayLike, seed: int = 0) -> Array:
    """Each outcome's calibrated confidence by a fit on the other folds, shaped like the outcomes: what to draw and to score.

    A fit scored on its own outcomes looks better than it is. As stated where the outcomes are too few to fit. Raises `BadInput`.
    """
    x, y = _checked(stated, accepted)
    out = x.copy()
    if _missing(y):
        return out
    fold = np.random.default_rng(seed).permutation(len(x)) % FOLDS
    for k in range(FOLDS):
        out[fold == k] = np.interp(x[fold == k], *_isotonic(x[fold != k], y[fold != k]))
    return out


def reliability(stated: ArrayLike, accepted: ArrayLike, bins: int = BINS) -> tuple[Bin, ...]:
    """Outcomes in bins of equal width, empty ones left out (DeGroot and Fienberg 1983). Raises `BadInput`."""
    x, y = _checked(stated, accepted)
    place = np.minimum((x * bins).astype(int), bins - 1)
    return tuple(_bin(k, bins, x[place == k], y[place == k]) for k in np.unique(place).tolist())


def expected_calibration_error(stated: ArrayLike, accepted: ArrayLike, bins: int = BINS) -> float | None:
    """Mean distance of stated and observed over the bins, weighed by outcomes (Naeini et al. 2015; Guo et al. 2017, eq. 3).

    From 0, perfect, to 1; `None` without outcomes. Raises `BadInput`.
    """
    found = reliability(stated, accepted, bins)
    n = sum(b.n for b in found)
    return sum(b.n * abs(b.stated - b.observed) for b in found) / n if n else None


def gate_rows(
    confidence: ArrayLike, accepted: ArrayLike, costs: StageCosts, thresholds: Sequence[float]
) -> tuple[GateRow, ...]:
    """What a gate at each threshold would have done; a ticket below it is handed over, one at it is not. Raises `BadInput`."""
    x, y = _checked(confidence, accepted)
    if wrong := [t for t in thresholds if not 0 <= t <= 1]:
        raise BadInput(f"Confidence gate: the threshold {wrong[0]} is not between 0 and 1.")
    below = x[None] < np.asarray(thresholds, float)[:, None]
    held, needless = below.sum(axis=1), (below & y[None]).sum(axis=1)
    passed_bad = (~below & ~y[None]).sum(axis=1)
    counts = zip(thresholds, held.tolist(), needless.tolist(), passed_bad.tolist(), strict=True)
    return tuple(
        GateRow(t, h, g, bad, len(x), (h - g) * costs.after_draft_usd, h * costs.until_draft_usd)
        for t, h, g, bad in counts
    )


def _checked(stated: ArrayLike, accepted: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    x, raw = np.asarray(stated, np.float64), np.asarray(accepted)
    if x.ndim != 1 or x.shape != raw.shape:
        raise BadInput("Confidence: every stated confidence needs one outcome, and every outcome one confidence.")
    if not ((x >= 0) & (x <= 1)).all():
        raise BadInput("Confidence: a stated confidence is not between 0 and 1. Leave such outcomes out.")
    if not np.isin(raw, (0, 1)).all():
        raise BadInput("Confidence: an outcome is neither accepted nor rejected. Leave such outcomes out.")
    return x, raw.astype(bool)


def _missing(accepted: NDArray[np.bool_]) -> str:
    n, rarer = len(accepted), int(min(accepted.sum(), (~accepted).sum()))
    if n < MIN_OUTCOMES:
        return f"{n} outcomes are known, and {MIN_OUTCOMES} are needed"
    if rarer < MIN_OF_EACH:
        kind = "rejected" if rarer == int((~accepted).sum()) else "accepted"
        return f"{rarer} answers were {kind}, and {MIN_OF_EACH} are needed"
    return ""


def _isotonic(x: Array, y: NDArray[np.bool_]) -> tuple[Array, Array]:
    from scipy.optimize import isotonic_regression

    at, place, count = np.unique(x, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=y) / count
    edge = 1 / (len(x) + 2)
    return at, np.clip(isotonic_regression(mean, weights=count).x, edge, 1 - edge)


def _bin(k: int, bins: int, x: Array, y: NDArray[np.bool_]) -> Bin:
    from scipy.stats import binomtest

    interval = binomtest(int(y.sum()), len(y)).proportion_ci(LEVEL, method="wilson")
    return Bin(
        k / bins, (k + 1) / bins, float(x.mean()), float(y.mean()), float(interval.low), float(interval.high), len(x)
    )
