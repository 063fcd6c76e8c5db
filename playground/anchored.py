"""A judge's scores anchored by people's labels on a random sample: the judge's bias cancels, its agreement saves labels.

J is the judge's score of a unit and H a person's, both candidate less current in [-1, 1]; a person labels each unit with a known
probability pi. G = lambda J + (labelled / pi) (H - lambda J) has the mean of H whatever the judge does (Angelopoulos and others
2023). G is not bounded well enough to bet on, so its mean is followed by an asymptotic confidence sequence (Waudby-Smith and
others 2021): valid at every look, as a central limit theorem is, once there are enough labels.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from playground.paired import FixedInterval
from playground.sequential import ALPHA, Decision, by_cluster, checked_scores, first_crossing

Floats = NDArray[np.float64]

MINIMUM_LABELS = 200
"""The spread is estimated from the labels. While they are few, no label may yet contradict the judge: the estimated spread is then
too small, the sequence too narrow, and it would decide on the judge alone. So one label that contradicts the judge is always
counted as seen, and nothing is decided before this many labels. With a judge 3% lenient at the margin, a wrong CUT OVER came to 6%
from 50 labels on without the former, to 2.8% with it, and to 2.4% from 200 on (nominal 2.5%)."""
N_STAR = 5000
"""The number of units at which the sequence is tightest; other numbers stay valid."""
_HEAD_START = 5.0
"""Lambda starts at 1, a judge that is right, with the weight of this many labels that are not ties."""


def rho(alpha: float, n_star: float) -> float:
    """The tuning of a two-sided sequence that is tightest at n_star units; for a one-sided one give twice its alpha."""
    twice = -2 * math.log(alpha)
    return math.sqrt((twice + math.log(twice + 1)) / n_star)


def half_width(n: ArrayLike, sd: ArrayLike, alpha: float, n_star: float = N_STAR, *, one_sided: bool = False) -> Floats:
    """How far the mean of n units may be from the truth, at every n at once."""
    units, tuned = np.asarray(n, dtype=float), rho(2 * alpha if one_sided else alpha, n_star)
    spread = units * tuned**2 + 1
    log_odds = np.log1p(np.sqrt(spread) / (2 * alpha)) if one_sided else np.log(np.sqrt(spread) / alpha)
    return np.asarray(np.asarray(sd) * np.sqrt(2 * spread * log_odds) / (units * tuned))


def anchored_scores(judge: ArrayLike, human: ArrayLike, probability: ArrayLike, lam: float | None = None) -> Floats:
    """G of each unit. `human` is nan where no one labelled; `probability` is that of being labelled, one or one for each.

    Without `lam`, each unit's lambda is estimated from the labels before it, so that no unit's G is biased by it.
    """
    said, label, chance = _checked(judge, human, probability)
    labelled = ~np.isnan(label)
    told = np.where(labelled, label, 0.0)
    weight = _lambdas(said, told, labelled / chance * (1 / chance - 1)) if lam is None else np.full(len(said), lam)
    return np.asarray(weight * said + labelled / chance * (told - weight * said))


def anchored_interval(
    human: ArrayLike,
    judge_on_human: ArrayLike,
    judge_unlabelled: ArrayLike,
    alpha: float = 0.05,
    lam: float | None = None,
) -> FixedInterval:
    """The prediction-powered interval for the mean at one look; without `lam` it is the one that makes it shortest."""
    told, said, other = checked_scores(human), checked_scores(judge_on_human), checked_scores(judge_unlabelled)
    if not (len(told) == len(said) and len(told) and len(other)):
        raise ValueError(
            f"There are {len(told)} labels, {len(said)} judged of them and {len(other)} others: judge each label, and have both."
        )
    weight = best_lambda(told, said, other) if lam is None else lam
    estimate = float(weight * other.mean() + (told - weight * said).mean())
    variance = weight**2 * other.var() / len(other) + (told - weight * said).var() / len(told)
    half = float(ndtri(1 - alpha / 2)) * math.sqrt(variance)
    return FixedInterval(estimate - half, estimate, estimate + half, "Prediction-powered, fixed n only")


def best_lambda(human: Floats, judge_on_human: Floats, judge_unlabelled: Floats) -> float:
    """How far the judge is leaned on, from 0 to 1, for the shortest interval (Angelopoulos, Duchi and Zrnic 2023)."""
    spread = np.r_[judge_on_human, judge_unlabelled].var() * (1 + len(human) / len(judge_unlabelled))
    together = np.mean((human - human.mean()) * (judge_on_human - judge_on_human.mean()))
    return float(np.clip(together / spread, 0, 1)) if spread else 0.0


def sequence(
    scores: ArrayLike, alpha: float = ALPHA, n_star: float = N_STAR, *, surprise: float = 0.0
) -> tuple[Floats, Floats]:
    """The running bounds of the mean of any scores with a spread, each wrong at any time with a chance of about alpha.

    The spread is taken as if one more score, this `surprise` away from the mean, had been seen.
    """
    mean, sd, n = _moments(np.asarray(scores, dtype=float), surprise)
    half = half_width(n, sd, alpha, n_star, one_sided=True)
    return mean - half, mean + half


def decide_anchored(
    judge: ArrayLike,
    human: ArrayLike,
    probability: ArrayLike,
    margin: float,
    alpha: float = ALPHA,
    *,
    lam: float | None = None,
    clusters: Sequence[Hashable] | None = None,
    minimum_labels: int = MINIMUM_LABELS,
    n_star: float = N_STAR,
) -> Decision:
    """Cut over, keep or go on, from judged units of which people labelled some. See `MINIMUM_LABELS` for why it may wait."""
    if not 0 < margin < 1 or not 0 < alpha < 0.5:
        raise ValueError(f"The margin is {margin:g} and alpha {alpha:g}: the margin lies in (0, 1), alpha in (0, 0.5).")
    scores, labelled = anchored_scores(judge, human, probability, lam), ~np.isnan(np.asarray(human, dtype=float))
    if clusters is not None:
        scores, labelled = by_cluster(scores, clusters), by_cluster(labelled, clusters) > 0
    enough = labelled.cumsum() >= max(minimum_labels, 2)
    surprise = len(scores) / max(float(np.sum(np.broadcast_to(probability, np.shape(judge)))), 1e-12)
    cut = np.where(enough, _log_e(scores, -margin, alpha, n_star, surprise), 0.0)
    keep = np.where(enough, _log_e(-scores, margin, alpha, n_star, surprise), 0.0)
    low, high = (np.clip(bound, -1, 1) for bound in sequence(scores, alpha, n_star, surprise=surprise))
    ends = (float(low[-1]), float(high[-1])) if enough.any() else (-1.0, 1.0)
    return first_crossing(cut, keep, *ends, alpha)


def _log_e(scores: Floats, mean: float, alpha: float, n_star: float, surprise: float) -> Floats:
    """The sequence turned round: the log of 1 / alpha at which its lower bound would stand at `mean`."""
    average, sd, n = _moments(scores, surprise)
    spread = n * rho(2 * alpha, n_star) ** 2 + 1
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        apart = np.maximum(average - mean, 0.0) * n * rho(2 * alpha, n_star) / sd
        return np.asarray(_log_expm1(apart**2 / (2 * spread)) + math.log(2) - np.log(spread) / 2)


def _log_expm1(x: Floats) -> Floats:
    """log(exp(x) - 1), for large x too."""
    return np.asarray(x + np.log(-np.expm1(-x)))


def _moments(scores: Floats, surprise: float) -> tuple[Floats, Floats, Floats]:
    """The running mean, deviation and number. The first deviation is unknown, and infinite."""
    n = np.arange(1.0, len(scores) + 1)
    mean = scores.cumsum() / n
    squares = np.maximum((scores**2).cumsum() - n * mean**2, 0.0) + surprise**2
    return mean, np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.inf), n


def _lambdas(judge: Floats, human: Floats, weight: Floats) -> Floats:
    """The slope of people's labels on the judge's scores, from the labels before each unit."""
    together, alone = (weight * human * judge).cumsum(), (weight * judge**2).cumsum()
    start = _HEAD_START * float(np.median(weight[weight > 0])) if (weight > 0).any() else 1.0
    before = (np.r_[start, start + together[:-1]], np.r_[start, start + alone[:-1]])
    return np.asarray(np.clip(before[0] / before[1], 0.0, 1.0))


def _checked(judge: ArrayLike, human: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats, Floats]:
    said, label = checked_scores(judge), np.asarray(human, dtype=float)
    if label.shape != said.shape:
        raise ValueError(
            f"There are {said.size} judged units and {label.size} labels: give nan for each unit without a label."
        )
    checked_scores(label[~np.isnan(label)])
    chance = np.broadcast_to(np.asarray(probability, dtype=float), said.shape)
    if (bad := np.flatnonzero(~((chance > 0) & (chance <= 1)))).size:
        raise ValueError(
            f"Unit {bad[0]} is labelled with probability {chance[bad[0]]:g}: it must be above 0 and at most 1."
        )
    return said, label, chance
