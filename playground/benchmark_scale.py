"""One scale for benchmarks of different difficulty and spread.

A result becomes its distance from its benchmark's mean, in spreads of that benchmark, after shares are turned into log-odds: a
point at 95% says more than a point at 60%, and a test that everybody passes says nothing. Elo is used as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, stdev

from playground.records import Effort, EvidenceRow

Benchmark = tuple[str, str]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From no thinking to the most."""
MIN_SPREAD = 0.02
MAX_SAMPLING_VARIANCE = 1.0
KEPT_OFF = 0.003
"""Shares are kept this far from 0 and 1, where log-odds have no value."""
SATURATED = 0.97
"""A share from here up leaves no room to tell a good model from a better one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A benchmark's mean and spread, in log-odds or in hundreds of Elo."""

    mean: float
    spread: float
    is_elo: bool

    def relative(self, z: float, best: float) -> float:
        """A model's share of the best one's score here, from both their distances; for Elo, twice its expected win share."""
        if self.is_elo:
            # 100 Elo are 1 on this scale (Elo 1978: an edge of 400 wins ten to one).
            return min(1.0, 2.0 / (1.0 + exp((best - z) * self.spread / 4.0 * log(10))))
        return min(1.0, _share_at(self.mean + self.spread * z) / _share_at(self.mean + self.spread * best))


def benchmark(row: EvidenceRow) -> Benchmark:
    """What a result is compared within."""
    return row.benchmark, row.metric


def scales(rows: Iterable[EvidenceRow]) -> dict[Benchmark, Scale]:
    """Each benchmark's scale, as these rows set it."""
    grouped: dict[Benchmark, list[EvidenceRow]] = defaultdict(list)
    for row in rows:
        grouped[benchmark(row)].append(row)
    return {b: _scale(group) for b, group in grouped.items()}


def _scale(rows: Sequence[EvidenceRow]) -> Scale:
    values = [natural(r) for r in rows]
    spread = max(stdev(values), MIN_SPREAD) if len(values) > 1 else 1.0
    return Scale(fmean(values), spread, rows[0].unit == "elo")


def share(row: EvidenceRow) -> float:
    """A percentage or a score as a share, kept off 0 and 1."""
    return min(max(row.value if row.unit == "0-1" else row.value / 100, KEPT_OFF), 1 - KEPT_OFF)


def is_saturated(row: EvidenceRow) -> bool:
    """Whether a result is so near to the top that it tells nothing apart."""
    return row.unit != "elo" and share(row) >= SATURATED


def natural(row: EvidenceRow) -> float:
    """A result on a scale without bounds: Elo in hundreds, shares as log-odds."""
    if row.unit == "elo":
        return row.value / 100
    p = share(row)
    return log(p / (1 - p))


def sampling_variance(row: EvidenceRow) -> float:
    """Variance of `natural` from the number of tasks alone (delta method); zero where the source states no n."""
    if row.unit == "elo" or row.n is None:
        return 0.0
    p = share(row)
    return 1 / (row.n * p * (1 - p))


def _share_at(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))
