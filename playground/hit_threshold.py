"""From which similarity on an earlier answer may be served, tuned on labelled requests: a wrong hit is worse than a miss."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.errors import BadInput

MOST_FALSE = 0.02
LEVEL = 0.95
RADIUS = 0.65
"""Every earlier request at least this alike must have got the same answer, or none of them is served."""
GRID = tuple(round(i / 100, 2) for i in range(round(RADIUS * 100), 101))
"""The thresholds that are tried: below the radius no neighbour could disagree."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A threshold and what it does on labelled requests."""

    threshold: float
    requests: int
    hits: int
    false_hits: int
    false_hit_bound: float
    """The false-hit share is below this with 95% confidence."""
    measured_on: str = ""
    as_of: date | None = None

    @property
    def hit_share(self) -> float:
        """Hits among the requests."""
        return self.hits / self.requests

    @property
    def false_hit_share(self) -> float:
        """Wrong hits among the hits."""
        return self.false_hits / self.hits


LEXICAL = Tuned(
    threshold=0.80,
    requests=5002,
    hits=195,
    false_hits=2,
    false_hit_bound=0.0320,
    measured_on="banking77 (PolyAI-LDN, CC BY 4.0), every second training question from the first on, in random order, one tenant",
    as_of=date(2026, 11, 24),
)
"""For similarity by letters. The other half of the questions would allow 0.65; where a log has few neighbours that could disagree,
the threshold alone has to hold, so the shipped one is stricter. `benchmarks/cache.py` measures it anew."""


def checked_threshold(threshold: float) -> float:
    """The threshold, or `BadInput` where it is no number from 0 to 1."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise BadInput(
            f"The semantic cache's threshold is {threshold}: give a number from 0 to 1, such as {LEXICAL.threshold}."
        )
    return float(threshold)


def wide_radius(threshold: float) -> float:
    """How alike an earlier request by meaning must be to have a say: up to twice as far away as the threshold; 0 at least."""
    return max(0.0, round(2 * threshold - 1, 6))


def upper_bound(false_hits: int, hits: int, level: float = LEVEL) -> float:
    """The highest false-hit share that the counts leave possible: one-sided, exact (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    return 1.0 if false_hits >= hits else float(betaincinv(false_hits + 1, hits - false_hits, level))


def tune(similarities: ArrayLike, same: ArrayLike, most_false: float = MOST_FALSE) -> Tuned | None:
    """The lowest threshold at which (wrong hits + 1) / (hits + 1) is at most `most_false`; `None` where there is none.

    For each request the similarity of the earlier one that would answer it, 0 where there is none, and whether that has the same
    label. The one wrong hit more keeps a handful of lucky hits from passing: with 2% it takes 49 without a wrong one, 99 with one.
    The bound beside it takes the threshold as given, so it is best read off requests that were not tuned on. Raises `BadInput`.
    """
    alike, right = _pairs(similarities, same)
    if not 0 < most_false < 1:
        raise BadInput(
            f"The highest false-hit share is {most_false}: give a share between 0 and 1, such as {MOST_FALSE}."
        )
    for threshold in GRID:
        hit = alike >= threshold
        hits, false = int(hit.sum()), int((hit & ~right).sum())
        if false + 1 <= most_false * (hits + 1):
            return Tuned(threshold, len(alike), hits, false, upper_bound(false, hits))
    return None


def _pairs(similarities: ArrayLike, same: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    alike, right = np.asarray(similarities, np.float64), np.asarray(same)
    if alike.ndim != 1 or alike.shape != right.shape:
        raise BadInput("Similarities and labels must be two lists of one length: one similarity for each pair.")
    if not np.isfinite(alike).all() or not np.isin(right, (0, 1)).all():
        raise BadInput("A similarity must be a number, and whether a pair is the same must be true or false.")
    return alike, right.astype(np.bool_)
