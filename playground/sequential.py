"""Whether a candidate may replace the current model, by a rule that stays valid however often it is looked at.

D is the candidate's score less the current one's for a unit (a ticket, thread or customer), in [-1, 1]. Someone bets against
"E[D] is at most -margin": each bet multiplies the stake by 1 - u + u (1 + D) / (1 - margin), which cannot grow on average if that
is true, so the stake passes 1 / alpha at any time with a chance of at most alpha (Ville 1939). Sixty-four sizes u of the bet are
averaged. The mirrored bet shows that a candidate is worse. Waudby-Smith and Ramdas 2024; Shafer 2021.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Prior = Literal["arcsine", "uniform"]
Verdict = Literal["CUT OVER", "KEEP", "CONTINUE"]

POINTS = 64
LATTICE = 128
"""Scores of more than twice this many values are split between neighbours this many to one: log is concave, so E is understated."""
CHUNK = 2048
ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class Decision:
    """What the units so far say. `decided_at` counts the units at the first crossing, and a later look does not undo it.

    `low` and `high` are bounds after all units, each wrong at any time with a chance of at most alpha; `log_e_cut` and
    `log_e_keep` are the highest reached so far and at least 0, so that min(1, exp(-log_e)) is an always-valid p-value.
    """

    verdict: Verdict
    pairs: int
    decided_at: int | None
    low: float
    high: float
    log_e_cut: float
    log_e_keep: float


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The bounds after the first `n` units, for a chart."""

    n: NDArray[np.int64]
    low: Floats
    high: Floats


def log_e(plus: int, zero: int, minus: int, margin: float, prior: Prior = "arcsine") -> float:
    """The log of E against "worse by the margin or more", from how many units the candidate won, tied and lost."""
    return float(log_e_tally(_WINS, _counts(plus, zero, minus), -_margin(margin), prior))


def log_e_tally(values: ArrayLike, counts: ArrayLike, mean: float, prior: Prior = "arcsine") -> Floats:
    """The log of E against "the mean is at most `mean`", where the last axis of `counts` says how often each value came."""
    growth = np.log1p(np.multiply.outer((np.asarray(values) - mean) / (1 + mean), _bets(prior)))
    return np.asarray(np.logaddexp.reduce(np.asarray(counts, dtype=float) @ growth, axis=-1) - math.log(POINTS))


def log_e_scores(scores: ArrayLike, margin: float, prior: Prior = "arcsine") -> Floats:
    """The log of E against "worse by the margin or more" after each of the scores."""
    return _running(checked_scores(scores), -_margin(margin), prior)


def lower_bound(plus: int, zero: int, minus: int, alpha: float = ALPHA, prior: Prior = "arcsine") -> float:
    """What E[D] is at least, from counts: wrong at any time with a chance of at most alpha."""
    return _low(_WINS, _counts(plus, zero, minus), _alpha(alpha), prior)


def upper_bound(plus: int, zero: int, minus: int, alpha: float = ALPHA, prior: Prior = "arcsine") -> float:
    """What E[D] is at most, from counts: wrong at any time with a chance of at most alpha."""
    return -lower_bound(minus, zero, plus, alpha, prior)


def lower_bound_scores(scores: ArrayLike, alpha: float = ALPHA, prior: Prior = "arcsine") -> float:
    """What E[D] is at least, from scores: wrong at any time with a chance of at most alpha."""
    found = checked_scores(scores)
    values, counts = _tally(found, np.array([len(found)]))
    return _low(values, counts[0], _alpha(alpha), prior)


def upper_bound_scores(scores: ArrayLike, alpha: float = ALPHA, prior: Prior = "arcsine") -> float:
    """What E[D] is at most, from scores: wrong at any time with a chance of at most alpha."""
    return -lower_bound_scores(-checked_scores(scores), alpha, prior)


def decide(scores: ArrayLike, margin: float, alpha: float = ALPHA, prior: Prior = "arcsine") -> Decision:
    """Cut over, keep or go on. Both ways can never be ahead at once, so the first to cross wins."""
    found, margin = checked_scores(scores), _margin(margin)
    cut, keep = _running(found, -margin, prior), _running(-found, margin, prior)
    low, high = lower_bound_scores(found, alpha, prior), upper_bound_scores(found, alpha, prior)
    return first_crossing(cut, keep, low, high, alpha)


def first_crossing(cut: Floats, keep: Floats, low: float, high: float, alpha: float) -> Decision:
    """The decision of two running log E."""
    reached = [np.flatnonzero(way >= -math.log(_alpha(alpha))) for way in (cut, keep)]
    at_cut, at_keep = (int(r[0]) + 1 if r.size else math.inf for r in reached)
    verdict: Verdict = "CONTINUE" if at_cut == at_keep else "CUT OVER" if at_cut < at_keep else "KEEP"
    decided_at = None if verdict == "CONTINUE" else int(min(at_cut, at_keep))
    highest = (float(np.max(way, initial=0.0)) for way in (cut, keep))
    return Decision(verdict, len(cut), decided_at, low, high, *highest)


def trajectory(scores: ArrayLike, alpha: float = ALPHA, points: int = 200, *, prior: Prior = "arcsine") -> Trajectory:
    """The bounds as the units arrived, at up to `points` even steps; the margin is a line that the chart draws."""
    found = checked_scores(scores)
    ends = np.unique(np.linspace(1, len(found), points).round().astype(np.int64)) if found.size else np.zeros(0, int)
    values, counts = _tally(found, ends)
    low = np.array([_low(values, row, _alpha(alpha), prior) for row in counts])
    high = np.array([-_low(-values, row, alpha, prior) for row in counts])
    return Trajectory(ends, low, high)


def by_cluster(scores: ArrayLike, clusters: Sequence[Hashable]) -> Floats:
    """The mean score of each cluster, in order of first appearance.

    Give clusters that are complete: one that grows after it was looked at would change a bet that is already settled.
    """
    found = np.asarray(scores, dtype=float)
    if found.shape != (len(clusters),):
        raise ValueError(f"There are {found.size} scores and {len(clusters)} clusters: name the cluster of each score.")
    number: dict[Hashable, int] = {}
    index = np.array([number.setdefault(c, len(number)) for c in clusters], dtype=np.int64)
    return np.asarray(np.bincount(index, found) / np.bincount(index))


def p_value(log_e: float) -> float:
    """The p-value of an E: min(1, 1 / E). Valid at any time, and for the highest E so far."""
    return math.exp(-max(log_e, 0.0))


def holm(decisions: Mapping[str, Decision], alpha: float = ALPHA) -> dict[str, Verdict]:
    """The verdicts of several intents at once: a wrong CUT OVER anywhere has a chance of at most alpha, and so has a wrong KEEP.

    The decisions must have been taken at this alpha or a larger one: Holm (1979) only takes verdicts back.
    """
    cut = _rejected({name: p_value(d.log_e_cut) for name, d in decisions.items()}, _alpha(alpha))
    keep = _rejected({name: p_value(d.log_e_keep) for name, d in decisions.items()}, alpha)
    sure = {(name, "CUT OVER") for name in cut} | {(name, "KEEP") for name in keep}
    return {name: d.verdict if (name, d.verdict) in sure else "CONTINUE" for name, d in decisions.items()}


def checked_scores(scores: ArrayLike) -> Floats:
    """The scores as an array, or a ValueError that says which is wrong."""
    found = np.asarray(scores, dtype=float)
    if found.ndim != 1:
        raise ValueError(f"The scores are shaped {found.shape}: give one row of them, a score for each unit.")
    if (bad := np.flatnonzero(~(np.abs(found) <= 1))).size:
        raise ValueError(
            f"Score {bad[0]} is {found[bad[0]]:g}, outside [-1, 1]: give candidate less current, both on 0 to 1."
        )
    return found


_WINS = np.array([1.0, 0.0, -1.0])


def _margin(margin: float) -> float:
    if not 0 < margin < 1:
        raise ValueError(f"The margin is {margin:g}: give a share between 0 and 1, such as 0.02 for two points.")
    return margin


def _alpha(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: give the chance of a wrong verdict, between 0 and 1, such as 0.025.")
    return alpha


def _counts(plus: int, zero: int, minus: int) -> Floats:
    if min(plus, zero, minus) < 0:
        raise ValueError(f"The counts are {plus}, {zero} and {minus}: none can be below 0.")
    return np.array([plus, zero, minus], dtype=float)


@cache
def _bets(prior: Prior) -> Floats:
    middle = (np.arange(POINTS) + 0.5) / POINTS
    found = {"uniform": middle, "arcsine": np.sin(np.pi / 2 * middle) ** 2}.get(prior)
    if found is None:
        raise ValueError(f"The prior is {prior!r}: it is 'arcsine' or 'uniform'.")
    return found


def _running(scores: Floats, mean: float, prior: Prior) -> Floats:
    """The log of E against "the mean is at most `mean`" after each score, a chunk at a time."""
    edges = (scores - mean) / (1 + mean)
    found, stake = [np.zeros(0)], np.zeros(POINTS)
    for start in range(0, len(scores), CHUNK):
        path = stake + np.log1p(np.multiply.outer(edges[start : start + CHUNK], _bets(prior))).cumsum(axis=0)
        found.append(np.logaddexp.reduce(path, axis=1) - math.log(POINTS))
        stake = path[-1]
    return np.concatenate(found)


def _low(values: Floats, counts: Floats, alpha: float, prior: Prior) -> float:
    """The mean at which E is 1 / alpha. E is at most 1 at the average of the scores, which bounds the search."""
    from scipy.optimize import brentq

    def excess(mean: float) -> float:
        return float(log_e_tally(values, counts, mean, prior)) + math.log(alpha)

    floor = np.nextafter(-1.0, 0.0)
    average = float(values @ counts / total) if (total := counts.sum()) else floor
    if average <= floor or excess(floor) <= 0:
        return -1.0
    near, far = min(average, 1 - 1e-12), average - 1e-3
    while far > floor and excess(far) < 0:
        near, far = far, 4 * far - 3 * average
    return float(brentq(excess, max(far, floor), near, xtol=1e-12))


def _tally(scores: Floats, ends: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The distinct scores, and how often each came up to every end; many are split between neighbours on a lattice."""
    values, index = np.unique(scores, return_inverse=True)
    row, weight = np.searchsorted(ends, np.arange(1, len(scores) + 1)), np.ones(len(scores))
    if len(values) > 2 * LATTICE:
        values = np.linspace(-1, 1, 2 * LATTICE + 1)
        index = np.minimum(((scores + 1) * LATTICE).astype(np.int64), 2 * LATTICE - 1)
        upper = (scores + 1) * LATTICE - index
        index, row, weight = np.r_[index, index + 1], np.r_[row, row], np.r_[1 - upper, upper]
    counts = np.bincount(row * len(values) + index, weight, len(ends) * len(values))
    return values, counts.reshape(len(ends), len(values)).cumsum(axis=0)


def _rejected(p_values: Mapping[str, float], alpha: float) -> set[str]:
    ordered = sorted(p_values, key=lambda name: p_values[name])
    for rank, name in enumerate(ordered):
        if p_values[name] > alpha / (len(ordered) - rank):
            return set(ordered[:rank])
    return set(ordered)
