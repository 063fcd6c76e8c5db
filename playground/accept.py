"""Which candidate to accept at each stage, from counts: the cheapest that is sure enough to clear the bar.

A share counted on 50 tickets is off by several points, and the cheapest candidate whose *mean* clears the bar is often one whose
mean was lucky. So the counts of all stages and candidates are fitted together (a stage's difficulty, a candidate's ability, and
how far a cell strays from both), which pulls lucky cells back; every cell gets a probability that its true share clears the bar.
Then the cheapest choice is taken whose accepted cells are expected to be wrong in no more than `wrong_share`; the fewer they are,
the surer each must be.

Logistic Gaussian process, Laplace approximation: Rasmussen and Williams 2006, algorithms 3.1 and 3.2. Choice under an average
error: Mueller, Parmigiani, Robert and Rousseau 2004 (Bayesian false discovery rate). `benchmarks/accept_rule.py` judges it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WRONG_SHARE = 0.06
SPARE_CELLS = 0.1
"""Expected wrong cells plus this may be at most `wrong_share` of the accepted cells plus one: 5.7% of twelve, 2% of one. Set on
simulated tables, where it came to 3 to 4% truly wrong; the choice of the cheapest picks lucky cells, so less is aimed at."""
SURE = 0.85
"""How sure a stage must be that is decided alone, from shadow pairs. A verdict, which `proven` needs, asks for more."""
_LEVEL_VARIANCE = 4.0
_TYPICAL = np.log([0.3, 0.3, 0.1])
"""Log variances of stages, candidates and cells before any count, and below how far they may stray."""
_TYPICAL_SPREAD = 1.5
_NEWTON_STEPS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What the counts say of each cell's true share: log-odds with mean and variance, shaped (stages, candidates)."""

    mean: Array
    variance: Array

    def sure(self, bar: float | Array) -> Array:
        """Probability that each cell's true share is at least the bar; `bar` is one number, or one for each stage."""
        from scipy.special import logit, ndtr

        limit = logit(np.clip(np.asarray(bar, float), 1e-6, 1 - 1e-6))
        return np.asarray(ndtr((self.mean - (limit[:, None] if limit.ndim else limit)) / np.sqrt(self.variance)))

    @property
    def share(self) -> Array:
        """Expected true share of each cell (MacKay 1992, the logistic average over a normal)."""
        from scipy.special import expit

        return np.asarray(expit(self.mean / np.sqrt(1 + np.pi * self.variance / 8)))


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """`chosen` is a candidate's column for each stage, or -1 where none is sure enough; `sure` is shaped (stages, candidates)."""

    chosen: tuple[int, ...]
    sure: Array
    wrong_share: float
    """Accepted cells expected to be below the bar, as a share of those accepted."""


def accept(
    successes: Any,
    trials: Any,
    cost_usd: Any,
    bar: Any,
    wrong_share: float = WRONG_SHARE,
    fallback_usd: float | None = None,
) -> Accepted:
    """Choose a candidate for each stage.

    `successes` and `trials` are shaped (stages, candidates); successes may be fractional scores summed, trials may be zero or
    one number for all. `cost_usd` is one cost for each candidate, or shaped like the counts; any unit will do. `bar` is a share
    from 0 to 1, or one for each stage. A stage with no choice is taken to cost `fallback_usd`, by default what the candidate
    with the best mean costs. Raises `ValueError` for counts that cannot be.
    """
    k, n = _counts(successes, trials)
    costs = np.broadcast_to(np.asarray(cost_usd, float), k.shape)
    belief = fit(k, n)
    sure = belief.sure(np.asarray(bar, float))
    best = int((k.sum(0) / np.maximum(n.sum(0), 1e-9)).argmax())
    fallback = costs[:, best] if fallback_usd is None else np.full(len(k), fallback_usd)
    chosen = choose(sure, costs, fallback, wrong_share)
    taken = [(s, c) for s, c in enumerate(chosen) if c >= 0]
    wrong = float(np.mean([1 - sure[s, c] for s, c in taken])) if taken else 0.0
    return Accepted(chosen, sure, wrong)


def choose(sure: Array, cost_usd: Array, fallback_usd: Array, wrong_share: float) -> tuple[int, ...]:
    """The cheapest candidate of each stage under a price on being wrong: the lowest price that keeps within `wrong_share`."""
    for price in (0.0, *np.geomspace(1e-2, 1e4, 120) * float(cost_usd.mean())):
        value = cost_usd + price * (1 - sure)
        column = value.argmin(axis=1)
        rows = np.arange(len(sure))
        taken = value[rows, column] <= fallback_usd + price * wrong_share
        wrong = (1 - sure[rows, column])[taken].sum()
        if not taken.any() or wrong + SPARE_CELLS <= wrong_share * (taken.sum() + 1):
            return tuple(int(c) if t else -1 for c, t in zip(column, taken, strict=True))
    return (-1,) * len(sure)


def fit(successes: Any, trials: Any) -> Belief:
    """Fit all cells together. Counts as for `accept`."""
    from scipy.optimize import minimize

    k, n = _counts(successes, trials)

    def misfit(log_variances: Array) -> float:
        evidence = _laplace(k.ravel(), n.ravel(), _covariance(k.shape, np.exp(log_variances)))[2]
        return float(0.5 * (((log_variances - _TYPICAL) / _TYPICAL_SPREAD) ** 2).sum() - evidence)

    found = minimize(misfit, _TYPICAL, method="Nelder-Mead", options={"maxiter": 60, "xatol": 0.1, "fatol": 0.1})
    mean, variance, _ = _laplace(k.ravel(), n.ravel(), _covariance(k.shape, np.exp(found.x)))
    return Belief(mean.reshape(k.shape), variance.reshape(k.shape))


def _counts(successes: Any, trials: Any) -> tuple[Array, Array]:
    k = np.asarray(successes, float)
    n = np.broadcast_to(np.asarray(trials, float), k.shape)
    if k.ndim != 2 or not k.size:
        raise ValueError("successes must have one row for each stage and one column for each candidate")
    if not (np.isfinite(k).all() and np.isfinite(n).all() and (k >= 0).all() and (k <= n).all()):
        raise ValueError("successes must lie between 0 and trials")
    return k, n


def _covariance(shape: tuple[int, ...], variances: Array) -> Array:
    stage, candidate = (i.ravel() for i in np.indices(shape))
    same_stage, same_candidate = stage[:, None] == stage, candidate[:, None] == candidate
    of_stage, of_candidate, of_cell = variances
    return np.asarray(
        _LEVEL_VARIANCE + of_stage * same_stage + of_candidate * same_candidate + of_cell * np.eye(len(stage))
    )


def _laplace(k: Array, n: Array, covariance: Array) -> tuple[Array, Array, float]:
    """Posterior mean and variance of the log-odds, and the log marginal likelihood."""
    from scipy.special import expit, log_expit

    f, identity = np.zeros(len(k)), np.eye(len(k))
    for _ in range(_NEWTON_STEPS):
        p = expit(f)
        root = np.sqrt(np.maximum(n * p * (1 - p), 1e-9))
        lower = np.linalg.cholesky(identity + root[:, None] * covariance * root)
        b = root**2 * f + k - n * p
        a = b - root * np.linalg.solve(lower.T, np.linalg.solve(lower, root * (covariance @ b)))
        moved, f = f, covariance @ a
        if np.abs(f - moved).max() < 1e-6:
            break
    fitted = (k * log_expit(f) + (n - k) * log_expit(-f)).sum() - 0.5 * a @ f - np.log(np.diag(lower)).sum()
    v = np.linalg.solve(lower, root[:, None] * covariance)
    return f, np.diag(covariance) - (v**2).sum(axis=0), float(fitted)
