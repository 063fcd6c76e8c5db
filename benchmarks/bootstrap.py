"""How often the interval for a mean cost per ticket holds the true mean, beside the percentile bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from _report import quick, report
from numpy.typing import NDArray
from scipy.stats import bootstrap

from playground.bootstrap import mean_interval

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]

TICKETS = 500
OF_ONE_CUSTOMER = 5
NOMINAL = 1.96


@dataclass(frozen=True, slots=True)
class Log:
    """A way to draw a log of tickets, a row for each customer, with the mean and the deviation of a row's mean."""

    draw: Draw
    mean: float
    deviation: float


def lognormal(sigma: float) -> Log:
    second = math.exp(sigma**2)
    return Log(
        lambda rng: rng.lognormal(0, sigma, (TICKETS, 1)),
        math.exp(sigma**2 / 2),
        math.sqrt((second - 1) * second),
    )


def mix(dear: float = 50.0, share: float = 0.02, noise: float = 0.3) -> Log:
    """Most tickets cost about 1, and a few about fifty times that."""
    mean = (1 - share + share * dear) * math.exp(noise**2 / 2)
    square = (1 - share + share * dear**2) * math.exp(2 * noise**2)
    return Log(
        lambda rng: np.where(rng.random((TICKETS, 1)) < share, dear, 1.0) * rng.lognormal(0, noise, (TICKETS, 1)),
        mean,
        math.sqrt(square - mean**2),
    )


def customers(common: float = 0.8, own: float = 0.8) -> Log:
    """Tickets in fives that share their customer's factor."""
    shape = (TICKETS // OF_ONE_CUSTOMER, OF_ONE_CUSTOMER)
    mean = math.exp((common**2 + own**2) / 2)
    within = (math.exp(own**2) - 1) / OF_ONE_CUSTOMER + 1
    return Log(
        lambda rng: rng.lognormal(0, common, (shape[0], 1)) * rng.lognormal(0, own, shape),
        mean,
        mean * math.sqrt(math.exp(common**2) * within - 1),
    )


def clustered(costs: Floats, seed: int) -> tuple[float, float]:
    """Ours: the rows are the clusters."""
    sizes = np.full(len(costs), costs.shape[1])
    found = mean_interval(costs.sum(axis=1, keepdims=True), sizes, seed=seed)[0]
    return found.low, found.high


def each_ticket(costs: Floats, seed: int) -> tuple[float, float]:
    """Ours, as if every ticket were of another customer."""
    return clustered(costs.reshape(-1, 1), seed)


def percentile(costs: Floats, seed: int) -> tuple[float, float]:
    """The plain percentile bootstrap of scipy over single tickets."""
    found = bootstrap((costs.ravel(),), np.mean, n_resamples=2000, method="percentile", rng=seed).confidence_interval
    return float(found.low), float(found.high)


def tried(log: Log, method: Callable[[Floats, int], tuple[float, float]], repetitions: int) -> dict[str, float]:
    """How often the limits hold the mean, where they miss, and their mean width over that of the true error."""
    rng = np.random.default_rng(20240229)
    logs = [log.draw(rng) for _ in range(repetitions)]
    ends = np.array([method(costs, seed) for seed, costs in enumerate(logs)])
    above, below = (ends[:, 0] > log.mean).mean(), (ends[:, 1] < log.mean).mean()
    oracle = 2 * NOMINAL * log.deviation / math.sqrt(len(logs[0]))
    width = (ends[:, 1] - ends[:, 0]).mean() / oracle
    shown = {"coverage": 1 - above - below, "too_low": below, "too_high": above, "width_over_oracle": width}
    return {key: round(float(value), 3) for key, value in shown.items()}


def main() -> None:
    """Print the figures."""
    repetitions = 60 if quick() else 500
    one, other, grouped = lognormal(1.5), mix(), customers()
    ours = {"lognormal": tried(one, clustered, repetitions), "mix": tried(other, clustered, repetitions)}
    plain = {"lognormal": tried(one, percentile, repetitions), "mix": tried(other, percentile, repetitions)}
    report(
        "bootstrap",
        figures={
            **{f"coverage_{name}": found["coverage"] for name, found in ours.items()},
            "percentile_coverage_lognormal": plain["lognormal"]["coverage"],
        },
        targets={"coverage_lognormal": 0.92, "coverage_mix": 0.92, "percentile_coverage_lognormal": None},
        conditions={
            "nominal": 0.95,
            "tickets": TICKETS,
            "repetitions": repetitions,
            "percentile_coverage_mix": plain["mix"]["coverage"],
            "details": ours,
            "percentile_details": plain,
            "customers_of_5": tried(grouped, clustered, repetitions),
            "customers_of_5_as_single_tickets": tried(grouped, each_ticket, repetitions),
        },
    )


if __name__ == "__main__":
    main()
