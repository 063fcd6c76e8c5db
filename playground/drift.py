"""Whether a served model has begun to disagree with the next tier more often than it did: watched on a share of the tickets.

The e-Shiryaev-Roberts statistic restarts a bet at every sample and adds the stakes up: M <- (M + 1) (1 + lambda w (x - expected)),
where x says that the two answers disagreed. While the rate is as expected, M grows by 1 a sample on average, so the mean number of
samples to a false alarm is at least the threshold (Shin, Ramdas and Rinaldo 2023). Dissatisfied customers' tickets are drawn more
often; w = share / probability weighs them back. Since w multiplies x - expected, and not x alone, this needs no assumption on how
the weights average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BETS = (2.0, 5.0, 10.0, 15.0)
SHARE = 0.02
FLOOR = 0.5
"""No ticket's probability is below this part of the share: no weight is above 2, whoever was asked."""
LARGEST_LOSS = 0.9
"""A bet may lose this much at once. The limit comes from the floor and not from a ticket's own weight: a bet that knew
which ticket was drawn would no longer be fair."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """That disagreement rose: at which sample it was told, and since which (both from 0), with the rate since then."""

    at: int
    since: int
    disagreement: float
    expected: float
    log_statistic: float


def watch(
    disagreed: ArrayLike,
    probability: ArrayLike,
    expected: float,
    threshold: float = 10_000,
    *,
    share: float = SHARE,
    floor: float | None = None,
) -> Alarm | None:
    """The first alarm in samples given in order, with the probability that each was drawn with; None while there is none.

    `floor` is the least probability that was used in drawing, half of the share unless given: give the share itself if every ticket
    is as likely, which allows larger bets.
    """
    said = np.asarray(disagreed, dtype=float)
    weights = _weights(said, probability, share, floor)
    paths = log_paths(said, weights, expected, share / _floor(share, floor))
    over = np.flatnonzero(log_statistic(paths) >= math.log(_threshold(threshold)))
    if not over.size:
        return None
    at = int(over[0])
    since = _since(paths[:, : at + 1])
    rate = float(np.average(said[since : at + 1], weights=weights[since : at + 1]))
    return Alarm(at, since, rate, expected, float(log_statistic(paths[:, : at + 1])[-1]))


def log_paths(disagreed: ArrayLike, weights: ArrayLike, expected: float, largest_weight: float = 1.0) -> Floats:
    """The log of what each bet has grown to after every sample, shaped (bets, samples)."""
    bets = bounded_bets(expected, largest_weight)
    edges = np.asarray(weights, dtype=float) * (np.asarray(disagreed, dtype=float) - expected)
    return np.asarray(np.log1p(np.multiply.outer(bets, edges)).cumsum(axis=1))


def log_statistic(paths: Floats) -> Floats:
    """The log of M after every sample, averaged over the bets: a sum over restarts of what was won since."""
    before = np.hstack([np.zeros((len(paths), 1)), paths[:, :-1]])
    return np.asarray(
        np.logaddexp.reduce(paths + np.logaddexp.accumulate(-before, axis=1), axis=0) - math.log(len(paths))
    )


def bounded_bets(expected: float, largest_weight: float = 1.0) -> Floats:
    """The bets, none so large that one agreeing sample could lose more than `LARGEST_LOSS`."""
    if not 0 < expected < 1:
        raise ValueError(f"The expected disagreement is {expected:g}: give a share between 0 and 1, such as 0.05.")
    return np.asarray(np.minimum(BETS, LARGEST_LOSS / (expected * largest_weight)))


def draw_weights(satisfaction: ArrayLike, share: float = SHARE, floor: float | None = None) -> Floats:
    """The probability that each ticket is drawn for a second opinion: `share` on average, more for lower satisfaction.

    Satisfaction is on any scale, nan where unknown, which is drawn as the average is. No probability is below `floor`,
    half of the share unless given, or above 1.
    """
    known = np.asarray(satisfaction, dtype=float)
    least, found = _floor(share, floor), np.full(np.shape(known), share)
    if (told := ~np.isnan(known)).any():
        found[told] = least + (share - least) * _tilt(known[told], (1 - least) / max(share - least, 1e-12))
    return np.asarray(np.clip(found, least, 1.0))


def _tilt(satisfaction: Floats, most: float) -> Floats:
    """A factor for each ticket, 1 on average, from 0 or more to at most `most`, falling as satisfaction rises."""
    if not np.isfinite(satisfaction).all():
        raise ValueError("A satisfaction is infinite: give nan where it is unknown.")
    spread = float(np.ptp(satisfaction))
    missing = (satisfaction.max() - satisfaction) / spread if spread else np.zeros_like(satisfaction)
    average = float(missing.mean())
    scale = min(1 / average, (most - 1) / (1 - average)) if average else 0.0
    return np.asarray(1 + scale * (missing - average))


def _since(paths: Floats) -> int:
    """The restart whose stakes, averaged over the bets, have grown most."""
    before = np.hstack([np.zeros((len(paths), 1)), paths[:, :-1]])
    return int(np.argmax(np.logaddexp.reduce(paths[:, -1:] - before, axis=0)))


def _weights(disagreed: Floats, probability: ArrayLike, share: float, floor: float | None) -> Floats:
    chance = np.asarray(probability, dtype=float)
    if disagreed.ndim != 1 or chance.shape != disagreed.shape:
        raise ValueError(f"There are {disagreed.size} samples and {chance.size} probabilities: give one row of each.")
    if not np.isin(disagreed, (0.0, 1.0)).all():
        raise ValueError("A sample is neither true nor false: say whether the two answers disagreed.")
    least = _floor(share, floor) * (1 - 1e-9)
    if (bad := np.flatnonzero(~((chance >= least) & (chance <= 1)))).size:
        raise ValueError(
            f"Sample {bad[0]} was drawn with probability {chance[bad[0]]:g}, not in [{least:g}, 1]: give the floor of the draw."
        )
    return np.asarray(share / chance)


def _floor(share: float, floor: float | None) -> float:
    least = share * FLOOR if floor is None else floor
    if not 0 < least <= share <= 1:
        raise ValueError(
            f"The share is {share:g} and the floor {least:g}: both lie above 0 and the floor is not above the share."
        )
    return least


def _threshold(threshold: float) -> float:
    if not threshold > 1:
        raise ValueError(f"The threshold is {threshold:g}: give the samples between false alarms, such as 10000.")
    return threshold
